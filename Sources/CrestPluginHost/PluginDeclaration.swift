import CCrestPlugin
import CrestRuntime
import CrestTraining

/// What a plugin at work asks for.
struct PluginDeclaration: Equatable {
  /// Where it is called.
  var hooks: [PluginHook] = []
  /// Its place among callbacks of the same hook.
  var order = 0
  /// What it looks at.
  var tensors: Set<TensorKind> = []
  /// The layers whose outputs it looks at, in the order the plugin numbers them.
  var activations: [String] = []
  /// The parts of hyperparameters it sets.
  var owns: Set<Hyperparameter.Part> = []
  /// The names under which it reports numbers.
  var reports: [String] = []

  /// What the compiler has to keep for it.
  var reads: Set<Capture> {
    var reads = Set(activations.map { Capture.activation($0) })
    if tensors.contains(.predictions) { reads.insert(.predictions) }
    if tensors.contains(.losses) { reads.insert(.losses) }
    return reads
  }

  /// What a manifest must permit for it.
  var permissions: Set<PluginPermission> {
    var permissions = Set(tensors.map(\.permission))
    if !activations.isEmpty { permissions.insert(.activations) }
    for part in owns { permissions.insert(part.hyperparameter.permission) }
    if !reports.isEmpty { permissions.insert(.metrics) }
    return permissions
  }

  /// Names that results have already, in logs and in JSON.
  private static let takenNames: Set<String> = [
    "event", "epoch", "train_loss", "valid_loss", "seconds", "examples_per_second",
  ]

  /// Far more than anybody looks at.
  private static let reportLimit = 64

  /// Why the manifest at `path` does not cover it; nil when it does.
  func objection(to manifest: PluginManifest) -> String? {
    let missing = permissions.subtracting(manifest.permissions)
    if !missing.isEmpty {
      let names = missing.map(\.rawValue).sorted().joined(separator: ", ")
      return "the plugin asks for \(names), which its permissions lack; add them, and lock it again"
    }
    guard reports.count <= Self.reportLimit else {
      return "it reports \(reports.count) numbers, expected at most \(Self.reportLimit)"
    }
    for name in reports {
      guard isPlainName(name), !Self.takenNames.contains(name) else {
        return
          "it reports \(name.debugDescription); expected a name of lowercase letters, digits and _ "
          + "that is not one of \(Self.takenNames.sorted().joined(separator: ", "))"
      }
    }
    guard Set(reports).count == reports.count else { return "it reports one name twice" }
    return nil
  }

  private func isPlainName(_ name: String) -> Bool {
    guard (1...64).contains(name.utf8.count), let first = name.utf8.first else { return false }
    return (0x61...0x7A).contains(first)
      && name.utf8.allSatisfy {
        (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
      }
  }
}

/// What can be looked at, under its number in `crest_plugin.h`.
enum TensorKind: Int, CaseIterable, Sendable {
  case parameters, statistics, gradients, predictions, losses, activations

  var permission: PluginPermission {
    switch self {
    case .parameters: .parameters
    case .statistics: .statistics
    case .gradients: .gradients
    case .predictions: .predictions
    case .losses: .losses
    case .activations: .activations
    }
  }
}

/// What a plugin's manifest must declare that it uses.
public enum PluginPermission: String, Sendable, Hashable, CaseIterable {
  /// To read the parameters.
  case parameters
  /// To read the running statistics.
  case statistics
  /// To read the gradients.
  case gradients
  /// To read the predictions.
  case predictions
  /// To read the loss of each prediction.
  case losses
  /// To read the outputs of layers.
  case activations
  /// To report metrics.
  case metrics
  /// To end phases early.
  case cancel
  /// To set the learning rate or its factor.
  case learningRate = "learning_rate"
  /// To set the momentum or its factor.
  case momentum
  /// To set the weight decay or its factor.
  case weightDecay = "weight_decay"
}

extension Hyperparameter {
  /// In the order of `crest_plugin.h`.
  static let numbered: [Hyperparameter] = [.learningRate, .momentum, .weightDecay]

  /// Under the name it has in messages, too.
  var permission: PluginPermission {
    switch self {
    case .learningRate: .learningRate
    case .momentum: .momentum
    case .weightDecay: .weightDecay
    }
  }
}

extension Hyperparameter.Part {
  var hyperparameter: Hyperparameter {
    switch self {
    case .base(let hyperparameter), .factor(let hyperparameter): hyperparameter
    }
  }

  /// As messages name it: `learning_rate` or `learning_rate_factor`.
  var wireName: String {
    switch self {
    case .base(let hyperparameter): hyperparameter.permission.rawValue
    case .factor(let hyperparameter): hyperparameter.permission.rawValue + "_factor"
    }
  }

  /// All there are, in the order of the bits of `CREST_OWNS`.
  static let numbered = Hyperparameter.numbered.flatMap {
    [Hyperparameter.Part.base($0), .factor($0)]
  }
}
