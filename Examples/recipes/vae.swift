import Crest

/// A variational autoencoder of digits: the loss is the error of the picture and the distance of the code from a
/// normal distribution (Kingma & Welling 2014).
func digitVAE(epochs: Int) throws {
  let (pixels, width) = (64, 8)
  let digits = try DataSource.digits.load()

  /// Pictures that are their own targets, as numbers from 0 to 1.
  func pictures(_ part: any Dataset) throws -> TensorExamples {
    var batch = Batch(zerosFor: part, count: part.count)
    try part.write(Array(0..<part.count)[...], into: &batch)
    let values = batch.inputs[0].array(as: Float.self)
    let (least, most) = (values.min() ?? 0, values.max() ?? 1)
    let scaled = Tensor(
      values.map { ($0 - least) / (most - least) }, shape: [part.count, pixels])
    return TensorExamples(name: "pictures", inputs: [("picture", scaled)], targets: scaled)
  }
  let data = try DataSplit(train: pictures(digits.train), valid: pictures(digits.valid))

  let model = try Model(inputs: [Model.Input(name: "picture", shape: [pixels])]) { inputs in
    let hidden = try Dense(128, name: "encoder")(inputs[0]).relu()
    let code = try Dense(2 * width, name: "code")(hidden).split(count: 2, axis: 1)
    let (mean, logVariance) = (code[0], code[1])
    let noise = try GaussianNoise(1)(mean * 0)
    let drawn = try mean + (logVariance * 0.5).exp() * noise
    let decoded = try Dense(128, name: "decoder")(drawn).relu()
    let logits = try Dense(pixels, name: "pixels")(decoded)
    return try logits.concatenated(with: [mean, logVariance], axis: 1)
  }
  let loss = Loss("evidence", targets: .any) { prediction, target in
    let parts = try prediction.split(sizes: [pixels, width, width], axis: 1)
    let (logits, mean, logVariance) = (parts[0], parts[1], parts[2])
    let error = try logits.binaryCrossEntropy(ofLogitsWith: target).sum(axes: [1])
    let distance = try (mean * mean + logVariance.exp() - logVariance - 1).sum(axes: [1]) * 0.5
    return try error + distance
  }
  let learner = try Learner(
    model, data: data, loss: loss, optimizer: Adam(), callbacks: .standard)
  let before = try learner.evaluate().loss
  try learner.fitOneCycle(epochs: epochs, maxLR: 5e-3)
  print("loss before:", before)
  print("loss after:", try learner.evaluate().loss)
}
