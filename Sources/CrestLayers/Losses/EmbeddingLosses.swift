import CrestGraph
import CrestRuntime
import CrestTensor

extension NamedLoss {
  static let embeddings = [
    NamedLoss(
      "cosine-similarity", [.init("axis", .wholeNumber(-8...8))], keras: "CosineSimilarity"
    ) {
      .cosineSimilarity(axis: $0.wholeNumber("axis") ?? -1)
    },
    NamedLoss(
      "cosine-embedding", [.init("margin", .number(.cosine))], pyTorch: "CosineEmbeddingLoss"
    ) {
      .cosineEmbedding(margin: $0.number("margin") ?? 0)
    },
    NamedLoss(
      "triplet", [.init("margin", .number(.positive)), .init("swaps", .flag)],
      pyTorch: "TripletMarginLoss"
    ) {
      .triplet(margin: $0.number("margin") ?? 1, swaps: $0.flag("swaps") ?? false)
    },
  ]
}

extension Loss {
  /// The cosine of the angle between prediction and target, negated (Keras `CosineSimilarity`).
  ///
  ///     loss = -Σ u·v / (max(‖u‖, ε) · max(‖v‖, ε)),   ε = 10⁻⁸
  ///
  /// Predictions and targets have one shape; vectors lie along `axis`. Of a vector of zeros the loss is 0.
  ///
  /// - Parameter axis: The axis of the vectors, where the batch is axis 0 and negative axes count from the end.
  /// - Returns: The loss.
  public static func cosineSimilarity(axis: Int = -1) -> Loss {
    Loss(
      "cosine-similarity", .values, ["axis": "\(axis)"], traits: .of(.values) { $0.judges = .none }
    ) { prediction, target, _ in
      let rank = prediction.shape.rank
      let place = axis < 0 ? axis + rank : axis
      guard (1..<max(rank, 1)).contains(place) else {
        throw GraphError(
          path: prediction.builder.path, operation: "cosine-similarity",
          expected: "an axis of predictions \(prediction.shape) from 1 to \(rank - 1)",
          got: "\(axis)")
      }
      let goals = try target.standing(beside: prediction, "cosine-similarity")
      return Program.LossTerms(try -prediction.cosine(to: goals, along: place))
    }
  }

  /// One less the cosine of two embeddings that belong together, and the cosine above a margin of two that don't
  /// (PyTorch `CosineEmbeddingLoss`).
  ///
  ///     loss = 1 - cos where the target is 1, else max(0, cos - margin)
  ///
  /// Predictions are [N, 2, …], both embeddings along axis 1; targets [N] are 1 for yes, and 0 or -1 for no.
  ///
  /// - Parameter margin: The cosine that two others may have.
  /// - Returns: The loss.
  /// - Precondition: `margin` is in -1 … 1.
  public static func cosineEmbedding(margin: Double = 0) -> Loss {
    NumberRange.cosine.require(margin, "margin")
    return Loss(
      "cosine-embedding", .any, ["margin": "\(margin)"],
      traits: .of(.any) { ($0.judges, $0.range) = (.none, .signs) }
    ) { prediction, target, _ in
      let parts = try prediction.embeddings(2, "cosine-embedding", "both embeddings")
      let cosine = try parts[0].cosine(to: parts[1], along: 1)
      let goals = try target.asGoals(of: cosine, "cosine-embedding")
      let isYes = try goals.greaterMask(goals.scalar(0))
      return Program.LossTerms(
        try isYes * (1 - cosine) + (1 - isYes) * (cosine - margin).relu())
    }
  }

  /// How far an embedding is from being nearer to one that belongs to it than to another, by a margin (PyTorch
  /// `TripletMarginLoss`).
  ///
  ///     loss = max(0, d(anchor, positive) - d(anchor, negative) + margin),   d(u, v) = ‖u - v + 10⁻⁶‖₂
  ///
  /// Predictions are [N, 3, …]: anchor, positive and negative along axis 1, as of a network that sees three inputs, or
  /// whose batch was reshaped from [3N, …]. Targets play no part.
  ///
  /// - Parameters:
  ///   - margin: The distance that is enough.
  ///   - swaps: Whether the negative's distance is that from the positive if this is less (Balntas et al. 2016).
  /// - Returns: The loss.
  /// - Precondition: `margin` is above 0.
  public static func triplet(margin: Double = 1, swaps: Bool = false) -> Loss {
    NumberRange.positive.require(margin, "margin")
    return Loss(
      "triplet", .any, ["margin": "\(margin)", "swaps": "\(swaps)"],
      traits: .of(.any) { $0.judges = .none }
    ) { prediction, _, _ in
      let parts = try prediction.embeddings(3, "triplet", "anchor, positive and negative")
      func distance(_ u: Symbol, _ v: Symbol) throws -> Symbol {
        try (u - v + 1e-6).l2Norm(axes: [1], keepingDimensions: false)
      }
      let near = try distance(parts[0], parts[1])
      var far = try distance(parts[0], parts[2])
      if swaps { far = try far.minimum(distance(parts[1], parts[2])) }
      return Program.LossTerms(try (near - far + margin).relu())
    }
  }
}

extension Symbol {
  /// The cosine of vectors along an axis.
  fileprivate func cosine(to other: Symbol, along axis: Int) throws -> Symbol {
    func size(_ values: Symbol) throws -> Symbol {
      let norm = try values.l2Norm(axes: [axis], keepingDimensions: true)
      return try norm.maximum(norm.scalar(1e-8))
    }
    return try (self / size(self) * (other / size(other))).sum(
      axes: [axis], keepingDimensions: false)
  }

  /// The embeddings along axis 1, each as a vector [N, …].
  fileprivate func embeddings(
    _ count: Int, _ loss: String, _ meaning: String
  ) throws -> [Symbol] {
    guard shape.rank >= 3, shape[1] == count else {
      throw GraphError(
        path: builder.path, operation: loss,
        expected: "predictions [N, \(count), …], \(meaning)", got: "\(type)",
        advice: "give the network \(count) embeddings along axis 1")
    }
    let vector = Shape([shape[0], shape.dimensions[2...].reduce(1, *)])
    return try (0..<count).map { index in
      try sliced(starts: [index], ends: [index + 1], axes: [1]).reshaped(exactlyTo: vector)
    }
  }
}
