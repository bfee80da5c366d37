public import CrestTraining

extension [any Callback] {
  /// The usual callbacks: a ``Recorder``, a ``ProgressBar`` and ``TerminateOnNaN``.
  public static var standard: [any Callback] { [Recorder(), ProgressBar(), TerminateOnNaN()] }
}
