import CrestGraph
import CrestPlatform
import CrestRuntime
package import CrestTensor

extension NamedLoss {
  static let values = [
    NamedLoss(
      "mse", [.init("scale", .number(.positive))], pyTorch: "MSELoss", keras: "MeanSquaredError",
      fastai: "MSELossFlat"
    ) {
      $0.number("scale").map { .squaredError(scale: $0) } ?? .meanSquaredError
    },
    NamedLoss("mae", pyTorch: "L1Loss", keras: "MeanAbsoluteError", fastai: "L1LossFlat") { _ in
      .meanAbsoluteError
    },
    NamedLoss(
      "huber", [.init("delta", .number(.positive))], pyTorch: "HuberLoss", keras: "Huber"
    ) {
      .huber(delta: $0.number("delta") ?? 1)
    },
    NamedLoss("smooth-l1", [.init("beta", .number(.notNegative))], pyTorch: "SmoothL1Loss") {
      .smoothL1(beta: $0.number("beta") ?? 1)
    },
    NamedLoss("log-cosh", keras: "LogCosh") { _ in .logCosh },
    NamedLoss("msle", keras: "MeanSquaredLogarithmicError") { _ in .meanSquaredLogarithmicError },
    NamedLoss("mape", keras: "MeanAbsolutePercentageError") { _ in .meanAbsolutePercentageError },
    NamedLoss(
      "poisson", [.init("log-input", .flag), .init("full", .flag)], pyTorch: "PoissonNLLLoss",
      keras: "Poisson"
    ) {
      .poisson(logInput: $0.flag("log-input") ?? true, full: $0.flag("full") ?? false)
    },
    NamedLoss("gaussian", [.init("full", .flag)], pyTorch: "GaussianNLLLoss") {
      .gaussian(full: $0.flag("full") ?? false)
    },
    NamedLoss("quantile", [.init("quantiles", .numbers(.innerFraction))]) {
      .quantile($0.numbers("quantiles") ?? [0.5])
    },
  ]
}

extension Loss {
  /// The squared distance, (prediction - target)² (PyTorch `MSELoss`, Keras `mse`).
  ///
  /// Predictions and targets have one shape, except that either may lack a last axis of size 1.
  public static let meanSquaredError = Loss("mse", .values) { prediction, target, _ in
    Program.LossTerms(try prediction.squaredError(target.aligned(with: prediction)))
  }

  /// The squared distance in units of a scale, ((prediction - target) / scale)².
  ///
  /// With the deviation of the targets as the scale, gradients don't depend on the targets' unit, and the loss is 1 for the
  /// mean as the prediction: it is 1 - R². Shapes are those of ``meanSquaredError``.
  ///
  /// - Parameter scale: The scale.
  /// - Returns: The loss.
  /// - Precondition: `scale` is positive and finite.
  public static func squaredError(scale: Double) -> Loss {
    NumberRange.positive.require(scale, "the scale of a squared error")
    return Loss("mse", .values, scale == 1 ? [:] : ["scale": "\(scale)"]) { prediction, target, _ in
      let distance = try prediction.difference(from: target, "mse") * (1 / scale)
      return Program.LossTerms(try distance * distance)
    }
  }

  /// The distance, |prediction - target| (PyTorch `L1Loss`, Keras `mae`).
  ///
  /// Predictions and targets have one shape, except that either may lack a last axis of size 1.
  public static let meanAbsoluteError = Loss("mae", .values) { prediction, target, _ in
    Program.LossTerms(try prediction.difference(from: target, "mae").absolute())
  }

  /// The squared distance near zero and the distance beyond (PyTorch `HuberLoss`, Keras `huber`).
  ///
  ///     loss = d²/2 where d = |prediction - target| ≤ δ, else δ · (d - δ/2)
  ///
  /// Huber: *Robust Estimation of a Location Parameter*, 1964. Predictions and targets have the
  /// same shape, except that either may lack a last axis of size 1.
  ///
  /// - Parameter delta: δ, the distance beyond which the loss is linear.
  /// - Returns: The loss.
  /// - Precondition: `delta` is positive and finite.
  public static func huber(delta: Double = 1) -> Loss {
    NumberRange.positive.require(delta, "the delta of a Huber loss")
    return Loss("huber", .values, delta == 1 ? [:] : ["delta": "\(delta)"]) {
      prediction, target, _ in
      let distance = try prediction.difference(from: target, "huber").absolute()
      let near = try distance.minimum(distance.scalar(delta))
      return Program.LossTerms(try near * (distance - near * 0.5))
    }
  }

  /// The distance, but near zero its square (PyTorch `SmoothL1Loss`): ``huber(delta:)`` of β, over β.
  ///
  ///     loss = d²/2β where d = |prediction - target| < β, else d - β/2
  ///
  /// - Parameter beta: β, the distance below which the loss is quadratic; of 0 the loss is ``meanAbsoluteError``.
  /// - Returns: The loss.
  /// - Precondition: `beta` isn't below 0.
  public static func smoothL1(beta: Double = 1) -> Loss {
    NumberRange.notNegative.require(beta, "beta")
    return Loss("smooth-l1", .values, ["beta": "\(beta)"]) { prediction, target, _ in
      let distance = try prediction.difference(from: target, "smooth-l1").absolute()
      guard beta > 0 else { return Program.LossTerms(distance) }
      let near = try distance.minimum(distance.scalar(beta))
      return Program.LossTerms(try near * (distance - near * 0.5) * (1 / beta))
    }
  }

  /// The logarithm of the hyperbolic cosine of the distance: d²/2 near zero, |d| - log 2 far away (Keras `LogCosh`).
  ///
  /// Predictions and targets have one shape, except that either may lack a last axis of size 1.
  public static let logCosh = Loss("log-cosh", .values) { prediction, target, _ in
    let distance = try prediction.difference(from: target, "log-cosh").absolute()
    let far = try distance + (distance * -2).softplus() - log(2)
    // Near zero that is a difference of equal numbers, and the series has all digits.
    let bound = 0.3
    let near = try distance.minimum(distance.scalar(bound))
    let square = try near * near
    var series = try square.scalar(31.0 / 14175)
    for factor in [-17.0 / 2520, 1.0 / 45, -1.0 / 12, 1.0 / 2] {
      series = try series * square + factor
    }
    let isNear = try distance.lessMask(distance.scalar(bound))
    return Program.LossTerms(try (series * square).selected(where: isNear, else: far))
  }

  /// The squared distance of logarithms (Keras `MeanSquaredLogarithmicError`).
  ///
  ///     loss = (log(1 + max(prediction, 10⁻⁷)) - log(1 + max(target, 10⁻⁷)))²
  ///
  /// Predictions below 10⁻⁷ get no gradient. Targets are above -1; both have one shape, except that either may lack a
  /// last axis of size 1.
  public static let meanSquaredLogarithmicError = Loss(
    "msle", .values, traits: .of(.values) { $0.range = .aboveMinusOne }
  ) { prediction, target, _ in
    let goals = try target.standing(beside: prediction, "msle")
    func logarithm(_ values: Symbol) throws -> Symbol {
      try (values.maximum(values.scalar(1e-7)) + 1).log()
    }
    let difference = try logarithm(prediction) - logarithm(goals)
    return Program.LossTerms(try difference * difference)
  }

  /// The distance as a percentage of the target (Keras `MeanAbsolutePercentageError`).
  ///
  ///     loss = 100 · |prediction - target| / max(|target|, 10⁻⁷)
  ///
  /// Predictions and targets have one shape, except that either may lack a last axis of size 1.
  public static let meanAbsolutePercentageError = Loss("mape", .values) { prediction, target, _ in
    let goals = try target.standing(beside: prediction, "mape")
    let size = try goals.absolute().maximum(goals.scalar(1e-7))
    return Program.LossTerms(try (prediction - goals).absolute() / size * 100)
  }

  /// The negative log-likelihood of counts under a Poisson distribution (PyTorch `PoissonNLLLoss`).
  ///
  ///     of logarithms   loss = e^prediction - target · prediction
  ///     of rates        loss = prediction - target · log(prediction + 10⁻⁸)
  ///
  /// Keras's `Poisson` is that of rates, with 10⁻⁷. Targets are at least 0; predictions have their shape, except that
  /// either may lack a last axis of size 1.
  ///
  /// - Parameters:
  ///   - logInput: Whether predictions are logarithms of rates.
  ///   - full: Whether Stirling's approximation of log target!, t · log t - t + log(2πt)/2, is added for targets above 1,
  ///     which changes no gradient.
  /// - Returns: The loss.
  public static func poisson(logInput: Bool = true, full: Bool = false) -> Loss {
    Loss(
      "poisson", .values, ["logInput": "\(logInput)", "full": "\(full)"],
      traits: .of(.values) {
        $0.range = .counts
        $0.judges = logInput ? .none : .absoluteError
      }
    ) { prediction, target, _ in
      let goals = try target.standing(beside: prediction, "poisson")
      let losses =
        logInput
        ? try prediction.exp() - goals * prediction
        : try prediction - goals * (prediction + 1e-8).log()
      guard full else { return Program.LossTerms(losses) }
      let large = try goals.maximum(goals.scalar(1))
      let logarithm = try large.log()
      let stirling = try large * logarithm - large + (logarithm + log(2 * Double.pi)) * 0.5
      return Program.LossTerms(try losses + stirling * goals.greaterMask(goals.scalar(1)))
    }
  }

  /// The negative log-likelihood of values under a normal distribution whose mean and variance are predicted (PyTorch
  /// `GaussianNLLLoss`, of the variance's logarithm).
  ///
  ///     loss = (s + (m - target)² · e^-s) / 2,   s = log σ²
  ///
  /// Predictions are [N, 2, …]: m is [N, 0, …], s is [N, 1, …]. Targets are [N, …] or [N, 1, …]. No variance is too
  /// small: a network that predicts s needs no bound, and gets a gradient everywhere.
  ///
  /// - Parameter full: Whether log(2π)/2 is added, which changes no gradient.
  /// - Returns: The loss.
  public static func gaussian(full: Bool = false) -> Loss {
    Loss("gaussian", .values, ["full": "\(full)"], traits: .ofSeveral(2)) { x, target, _ in
      let goals = try target.standing(
        besidePartOf: x, count: 2, "gaussian", "mean and log-variance")
      let difference = try x.part(0) - goals
      let variance = try x.part(1)
      let losses = try (variance + difference * difference * (-variance).exp()) * 0.5
      return Program.LossTerms(full ? try losses + 0.5 * log(2 * Double.pi) : losses)
    }
  }

  /// The distance, weighed by its side, which is least at a quantile (the pinball loss; Koenker, Bassett 1978).
  ///
  ///     loss = max(τ · e, (τ - 1) · e),   e = target - prediction
  ///
  /// With one τ, predictions and targets have one shape, except that either may lack a last axis of size 1. With k of
  /// them, predictions are [N, k, …] and targets [N, …] or [N, 1, …]; the losses of the quantiles are added up. Quantiles
  /// of one network may cross.
  ///
  /// - Parameter quantiles: τ, each between 0 and 1.
  /// - Returns: The loss.
  /// - Precondition: there is at least one.
  public static func quantile(_ quantiles: [Double] = [0.5]) -> Loss {
    programmerError(unless: !quantiles.isEmpty, "a loss of no quantiles")
    for quantile in quantiles { NumberRange.innerFraction.require(quantile, "a quantile") }
    @Sendable func pinball(_ prediction: Symbol, _ goals: Symbol, _ quantile: Double) throws
      -> Symbol
    {
      let error = try goals - prediction
      return try (error * quantile).maximum(error * (quantile - 1))
    }
    let settings = ["quantiles": quantiles.map { "\($0)" }.joined(separator: "/")]
    guard quantiles.count > 1 else {
      return Loss("quantile", .values, settings) { prediction, target, _ in
        Program.LossTerms(
          try pinball(
            prediction, target.standing(beside: prediction, "quantile"), quantiles[0]))
      }
    }
    return Loss("quantile", .values, settings, traits: .ofSeveral(quantiles.count)) {
      x, target, _ in
      let goals = try target.standing(
        besidePartOf: x, count: quantiles.count, "quantile", "the quantiles")
      let parts = try quantiles.enumerated().map { try pinball(x.part($0), goals, $1) }
      return Program.LossTerms(try parts.dropFirst().reduce(parts[0]) { try $0 + $1 })
    }
  }
}

extension Loss.Traits {
  /// Of values, of which a network predicts several numbers each.
  fileprivate static func ofSeveral(_ count: Int) -> Self {
    .of(.values) {
      $0.outputsPerTarget = count
      $0.judges = .none
    }
  }
}

extension Symbol {
  /// This less the targets of a loss, which must be of its type.
  fileprivate func difference(from targets: Symbol, _ loss: String) throws -> Symbol {
    try self - targets.standing(beside: self, loss)
  }

  /// These targets of a loss, which must be of the predictions' type but for a last axis of size 1.
  func standing(beside predictions: Symbol, _ loss: String) throws -> Symbol {
    let targets = try aligned(with: predictions)
    guard predictions.type == targets.type else {
      throw GraphError(
        path: builder.path, operation: loss,
        expected: "targets of the predictions' type \(predictions.type)", got: "\(targets.type)")
    }
    return targets
  }

  /// These targets as [N, 1, …], for predictions [N, count, …].
  fileprivate func standing(
    besidePartOf predictions: Symbol, count: Int, _ loss: String, _ meaning: String
  ) throws -> Symbol {
    let shape = predictions.shape
    guard shape.rank >= 2, shape[1] == count else {
      throw GraphError(
        path: builder.path, operation: loss,
        expected: "predictions [N, \(count), …], \(meaning)", got: "\(predictions.type)",
        advice: "give the network \(count) outputs along axis 1")
    }
    let part = Shape([shape[0], 1] + shape.dimensions[2...])
    let withoutAxis = Shape([shape[0]] + shape.dimensions[2...])
    guard elementType == predictions.elementType, self.shape == part || self.shape == withoutAxis
    else {
      throw GraphError(
        path: builder.path, operation: loss,
        expected:
          "targets \(ValueType(withoutAxis, predictions.elementType)) for predictions \(shape)",
        got: "\(type)")
    }
    return try reshaped(exactlyTo: part)
  }

  /// [N, 1, …] of an index along axis 1.
  fileprivate func part(_ index: Int) throws -> Symbol {
    try sliced(starts: [index], ends: [index + 1], axes: [1])
  }

  /// The same values in the shape of `predictions`, where a last axis of size 1 is all that differs.
  func aligned(with predictions: Symbol) throws -> Symbol {
    guard shape.differsByUnit(from: predictions.shape) else { return self }
    return try reshaped(exactlyTo: predictions.shape)
  }
}

extension Shape {
  /// Whether a last axis of size 1 makes one of two shapes the other.
  package func differsByUnit(from other: Shape) -> Bool {
    dimensions == other.dimensions + [1] || dimensions + [1] == other.dimensions
  }
}
