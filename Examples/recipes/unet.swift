import Crest

/// A U-Net that finds squares and discs in noise: a class for every pixel.
func segmentShapes(count: Int, epochs: Int) throws {
  let side = 32

  /// Images with one square and one disc each, and the class of every pixel.
  func shapes(_ count: Int, seed: UInt64) -> TensorExamples {
    let random = Philox(seed: seed, stream: 1)
    var images = (0..<count * side * side).map { random.uniform(UInt64($0)) }
    var classes = [Int64](repeating: 0, count: images.count)
    for image in 0..<count {
      let place = (0..<4).map { number -> Int in
        6 + Int(random.uniform(UInt64(images.count + 4 * image + number)) * Float(side - 12))
      }
      for pixel in 0..<side * side {
        let (row, column) = (pixel / side, pixel % side)
        let (down, across) = (row - place[2], column - place[3])
        let isSquare = max(abs(row - place[0]), abs(column - place[1])) < 5
        let isDisc = down * down + across * across < 25
        guard isSquare || isDisc else { continue }
        images[image * side * side + pixel] += isDisc ? -0.6 : 0.6
        classes[image * side * side + pixel] = isDisc ? 2 : 1
      }
    }
    return TensorExamples(
      name: "shapes", inputs: [("image", Tensor(images, shape: [count, 1, side, side]))],
      targets: Tensor(classes, shape: [count, side, side]),
      classNames: ["noise", "square", "disc"])
  }
  let data = DataSplit(train: shapes(count, seed: 1), valid: shapes(100, seed: 2))

  let model = try Model(UNet(classes: 3, width: 8, depth: 2), input: [1, side, side])
  let learner = try Learner(
    model, data: data, optimizer: AdamW(), metrics: [Accuracy(), IoU()], callbacks: .standard,
    batchSize: 16)
  try learner.fitOneCycle(epochs: epochs, maxLR: 1e-2)
  let result = try learner.evaluate()
  for metric in result.metrics { print("\(metric.name):", metric.value) }
}
