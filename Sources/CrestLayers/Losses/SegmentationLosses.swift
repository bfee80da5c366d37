import CrestGraph
import CrestRuntime
import CrestTensor

extension NamedLoss {
  static let segmentations = [
    NamedLoss(
      "dice", [.of, .smooth, .perBatch, .ignoredLabel], keras: "Dice", fastai: "DiceLoss"
    ) {
      .dice(
        $0.choice(.of) ?? .classes, smooth: $0.number("smooth") ?? 1,
        perBatch: $0.flag("per-batch") ?? false, ignoredLabel: $0.ignoredLabel)
    },
    NamedLoss(
      "tversky",
      [
        .of, .init("alpha", .number(.notNegative)), .init("beta", .number(.notNegative)), .gamma,
        .smooth, .perBatch, .ignoredLabel,
      ], keras: "Tversky"
    ) {
      .tversky(
        $0.choice(.of) ?? .classes, alpha: $0.number("alpha") ?? 0.5,
        beta: $0.number("beta") ?? 0.5, gamma: $0.number("gamma") ?? 1,
        smooth: $0.number("smooth") ?? 1, perBatch: $0.flag("per-batch") ?? false,
        ignoredLabel: $0.ignoredLabel)
    },
  ]
}

extension NamedLoss.Setting {
  static let of = Self("of", .choice(Loss.Regions.allCases.map(\.rawValue)))
  fileprivate static let gamma = Self("gamma", .number(.positive))
}

extension Loss {
  /// What the regions of an image are.
  public enum Regions: String, Sendable, Hashable, CaseIterable {
    /// One class at each position: predictions are logits of a softmax, targets labels or probabilities.
    case classes
    /// A label of yes or no for each prediction: predictions are logits of a sigmoid.
    case labels
  }

  /// One less the overlap of predicted and true regions (Keras `Dice`, fastai `DiceLoss`; Milletari and others 2016).
  ///
  ///     loss = 1 - (2 Σ p·t + s) / (Σ p + Σ t + s)
  ///
  /// The sums are over positions, for each image and class; the loss is the mean of these. `tversky` of α = β = ½,
  /// where s is halved.
  ///
  /// - Parameters:
  ///   - regions: Classes, or labels of yes and no.
  ///   - smooth: s, by which an image without a class, and without predictions of it, has loss 0.
  ///   - perBatch: Whether the sums are over the images of a batch, too. The mean over a pass is then by how it was cut
  ///     into batches.
  ///   - ignoredLabel: The label of positions that don't count, of classes; none when nil.
  ///   - classAxis: The axis of the classes; nil finds it.
  /// - Returns: The loss.
  /// - Precondition: `smooth` isn't below 0; only classes have an ignored label or an axis.
  public static func dice(
    _ regions: Regions = .classes, smooth: Double = 1, perBatch: Bool = false,
    ignoredLabel: Int? = nil, classAxis: Int? = nil
  ) -> Loss {
    NumberRange.notNegative.require(smooth, "smooth")
    return overlap(
      "dice", ["smooth": "\(smooth)"], regions, perBatch, ignoredLabel, classAxis
    ) { sums in
      try 1 - (sums.both * 2 + smooth) / (sums.predicted + sums.true + smooth)
    }
  }

  /// One less the overlap of predicted and true regions, in which false positives and false negatives weigh differently
  /// (Keras `Tversky`, whose α weighs the false negatives; Salehi and others 2017, with γ Abraham and Khan 2019).
  ///
  ///     loss = (1 - (Σ p·t + s) / (Σ p·t + α · Σ p·(1 - t) + β · Σ (1 - p)·t + s))^(1/γ)
  ///
  /// The sums are as of ``dice(_:smooth:perBatch:ignoredLabel:classAxis:)``. With γ ≠ 1, a loss below 10⁻¹² counts as
  /// that and has no gradient: the root's slope is infinite at 0.
  ///
  /// - Parameters:
  ///   - regions: Classes, or labels of yes and no.
  ///   - alpha: α, the weight of false positives.
  ///   - beta: β, the weight of false negatives.
  ///   - gamma: γ, 4/3 in the paper of the focal loss.
  ///   - smooth: s.
  ///   - perBatch: Whether the sums are over the images of a batch, too.
  ///   - ignoredLabel: The label of positions that don't count, of classes; none when nil.
  ///   - classAxis: The axis of the classes; nil finds it.
  /// - Returns: The loss.
  /// - Precondition: `gamma` is above 0 and no other number is below; only classes have an ignored label or an axis.
  public static func tversky(
    _ regions: Regions = .classes, alpha: Double = 0.5, beta: Double = 0.5, gamma: Double = 1,
    smooth: Double = 1, perBatch: Bool = false, ignoredLabel: Int? = nil, classAxis: Int? = nil
  ) -> Loss {
    NumberRange.notNegative.require(alpha, "alpha")
    NumberRange.notNegative.require(beta, "beta")
    NumberRange.positive.require(gamma, "gamma")
    NumberRange.notNegative.require(smooth, "smooth")
    let settings = [
      "alpha": "\(alpha)", "beta": "\(beta)", "gamma": "\(gamma)", "smooth": "\(smooth)",
    ]
    return overlap("tversky", settings, regions, perBatch, ignoredLabel, classAxis) { sums in
      let falsePositives = try sums.predicted - sums.both
      let falseNegatives = try sums.true - sums.both
      let all = try sums.both + falsePositives * alpha + falseNegatives * beta + smooth
      let loss = try 1 - (sums.both + smooth) / all
      return gamma == 1 ? loss : try loss.maximum(loss.scalar(1e-12)).power(1 / gamma)
    }
  }

  /// A loss of the sums of predicted and true regions.
  private static func overlap(
    _ name: String, _ settings: [String: String], _ regions: Regions, _ perBatch: Bool,
    _ ignoredLabel: Int?, _ classAxis: Int?,
    _ loss: @escaping @Sendable (RegionSums) throws -> Symbol
  ) -> Loss {
    var settings = settings
    settings["of"] = regions.rawValue
    settings["perBatch"] = "\(perBatch)"
    @Sendable func terms(_ sums: RegionSums) throws -> Program.LossTerms {
      let losses = try loss(sums)
      // One number, which nobody takes for the losses of single examples.
      return Program.LossTerms(perBatch ? try losses.mean() : losses)
    }
    switch regions {
    case .classes:
      let choice = ClassChoice(nil, ignoring: ignoredLabel)
      settings.merge(choice.settings) { $1 }
      return ofClasses(name, classAxis, settings, choice) { batch in
        var p = try batch.scores.softmax(axis: 1)
        var t = batch.goals
        if let labels = batch.labels {
          t = try labels.oneHotLabels(
            classCount: batch.count, ignoredLabel: ignoredLabel, like: p)
        }
        if let kept = try batch.labelWeights {
          p = try kept.unsqueezed(axes: [1]).isZero(else: p)
        }
        return try terms(
          RegionSums(ofClasses: p, t, images: batch.places[0], perBatch: perBatch))
      }
    case .labels:
      programmerError(
        unless: ignoredLabel == nil && classAxis == nil,
        "the labels of \(name) have an ignored label or a class axis; only classes have")
      return Loss(name, .binary, settings) { prediction, target, _ in
        let goals = try target.asGoals(of: prediction, name)
        return try terms(
          RegionSums(ofLabels: prediction.sigmoid(), goals, perBatch: perBatch))
      }
    }
  }
}

/// Sums over the positions of images, [N, C], or of a batch, [C]: of the predicted region, the true one, and both.
private struct RegionSums {
  let both, predicted, `true`: Symbol

  /// Sums of probabilities p and targets t by class, [N, C, …] or [N · positions, C].
  init(ofClasses p: Symbol, _ t: Symbol, images: Int, perBatch: Bool) throws {
    // Classes along the last axis had their positions joined to the images.
    let isJoined = p.shape[0] != images
    func image(_ values: Symbol) throws -> Symbol {
      guard isJoined else { return values }
      let positions = [images, p.shape[0] / Swift.max(images, 1), p.shape[1]]
      return try values.reshaped(exactlyTo: Shape(positions))
    }
    try self.init(
      image(p), image(t),
      over: (perBatch ? [0] : []) + (isJoined ? [1] : Array(2..<p.shape.rank)))
  }

  /// Sums of probabilities p and targets t by label, [N, labels, …], or of one label, [N, positions].
  init(ofLabels p: Symbol, _ t: Symbol, perBatch: Bool) throws {
    let rank = p.shape.rank
    try self.init(
      p, t, over: (perBatch ? [0] : []) + (rank > 2 ? Array(2..<rank) : Array(1..<max(rank, 1))))
  }

  private init(_ p: Symbol, _ t: Symbol, over axes: [Int]) throws {
    both = try (p * t).sum(axes: axes, keepingDimensions: false)
    predicted = try p.sum(axes: axes, keepingDimensions: false)
    `true` = try t.sum(axes: axes, keepingDimensions: false)
  }
}

extension Symbol {
  /// `other`, and 0 where this is 0, whatever `other` is there.
  fileprivate func isZero(else other: Symbol) throws -> Symbol {
    try other.scalar(0).selected(where: equalMask(scalar(0)), else: other)
  }
}
