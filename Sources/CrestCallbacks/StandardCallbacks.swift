public import CrestTraining

extension [any Callback] {
  /// What most want: a ``Recorder``, a ``ProgressBar`` and ``TerminateOnNaN``.
  public static var standard: [any Callback] { [Recorder(), ProgressBar(), TerminateOnNaN()] }
}
