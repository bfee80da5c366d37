import Crest
import CrestImages

let dataMisuses: [Misuse] =
  setMisuses + photoMisuses + tableMisuses + writeMisuses + loaderMisuses + transformMisuses
  + transformedImageMisuses

private func images(
  bytes: Int = 8, offset: Int = 0, stride: Int? = nil, shape: Shape = [1, 2, 2],
  labels: [Int64] = [0, 1], preprocessing: Preprocessing = .mnist
) -> ByteImages {
  ByteImages(
    name: "images", bytes: [UInt8](repeating: 0, count: bytes), offset: offset, stride: stride,
    shape: shape, labels: labels, classNames: ["a", "b"], preprocessing: preprocessing)
}

private let photoMisuses: [Misuse] = [
  Misuse("photos.height", says: "a height without a width, or a width alone") {
    _ = ImageFolder("photos", height: 8)
  },
  Misuse("photos.channels", says: "images of 2 channels") {
    _ = ImageFolder("photos", channels: 2)
  },
  Misuse(
    "photos.normalization", says: "images of 1 channels, normalised by the figures of 3"
  ) {
    _ = ImageFolder("photos", channels: 1, normalization: .imageNet)
  },
  Misuse("photos.form", says: "images of 4 channels, 8 rows and 0 columns") {
    _ = Preprocessing.Images(channels: 4, height: 8, width: 0)
  },
]

private let tableMisuses: [Misuse] = [
  Misuse("table.columns", says: "columns of two kinds among [\"a\", \"b\", \"a\"]") {
    _ = TableFile("t.csv", target: "a", categories: ["a", "b"])
  },
  Misuse("table.format", says: "a table of which the decimal is the delimiter") {
    _ = TableFormat(delimiter: ",", decimal: ",")
  },
  Misuse("table.preparation", says: "a table of which nothing is left to predict from") {
    _ = Preprocessing.Table(
      categories: [], numbers: [], targetColumn: "y", target: .classes(["a"]))
  },
]

private let setMisuses: [Misuse] = [
  Misuse("images.shape", says: "an image has channels, rows and columns, got [2, 2]") {
    _ = images(shape: [2, 2])
  },
  Misuse("images.bytes", says: "2 images of [1, 2, 2] by 4 from 0 on in 7 bytes") {
    _ = images(bytes: 7)
  },
  Misuse("images.offset", says: "2 images of [1, 2, 2] by 4 from -1 on in 8 bytes") {
    _ = images(offset: -1)
  },
  Misuse("images.stride", says: "2 images of [1, 2, 2] by 3 from 0 on in 8 bytes") {
    _ = images(stride: 3)
  },
  Misuse(
    "images.uncountable", says: "3 images of [1, 2, 2] by 9223372036854775807 from 0 on in 8 bytes"
  ) {
    _ = images(stride: .max, labels: [0, 0, 0])
  },
  Misuse("images.label", says: "label 1 is 2, not in 0 ..< 2") { _ = images(labels: [0, 2]) },
  Misuse("images.preprocessing", says: "images: the preprocessing is for 3 channels") {
    _ = images(preprocessing: .cifar10)
  },
  Misuse(
    "examples.no-input",
    says: "0 inputs and targets [8]; at least one input and one target for each example"
  ) {
    _ = TensorExamples(name: "none", inputs: [], targets: Tensor(zeros: [8]))
  },
  Misuse(
    "examples.scalar-target",
    says: "1 inputs and targets []; at least one input and one target for each example"
  ) {
    _ = TensorExamples(
      name: "none", inputs: [("x", Tensor(zeros: [8]))], targets: Tensor(scalar: 1 as Float))
  },
  Misuse("examples.input-count", says: "input x is [7, 4], for 8 targets") {
    _ = TensorExamples(
      name: "uneven", inputs: [("x", Tensor(zeros: [7, 4]))], targets: Tensor(zeros: [8]))
  },
  Misuse("examples.inputs-of-one-name", says: "inputs of one name: [\"x\", \"x\"]") {
    let x = ("x", Tensor(zeros: [8]))
    _ = TensorExamples(name: "twice", inputs: [x, x], targets: Tensor(zeros: [8]))
  },
  Misuse("examples.converted", says: "2 types for the 1 inputs of examples") {
    _ = try examples().converted(to: [.float32, .int64])
  },
  Misuse("examples.labels", says: "targets of type int64 must be int64 in 0 ..< 2") {
    _ = TensorExamples(
      name: "uneven", inputs: [("x", Tensor(zeros: [1, 4]))], targets: Tensor([5] as [Int64]),
      classNames: ["a", "b"])
  },
  Misuse("examples.label-type", says: "targets of type float32 must be int64 in 0 ..< 2") {
    _ = TensorExamples(
      name: "uneven", inputs: [("x", Tensor(zeros: [1, 4]))], targets: Tensor(zeros: [1]),
      classNames: ["a", "b"])
  },
  Misuse("examples.values", says: "targets without classes are float32, got int64") {
    _ = TensorExamples(
      name: "uneven", inputs: [("x", Tensor(zeros: [1, 4]))], targets: Tensor([5] as [Int64]))
  },
  Misuse("examples.preprocessing", says: "the preprocessing is for 3 channels") {
    _ = TensorExamples(
      name: "images", inputs: [("x", Tensor(zeros: [1, 1, 2, 2]))], targets: Tensor(zeros: [1]),
      preprocessing: .cifar10)
  },
  Misuse("subset.index", says: "index 8 is not in 0 ..< 8") {
    _ = Subset(examples(), indices: [0, 8], name: "part")
  },
  Misuse("subset.negative-index", says: "index -1 is not in 0 ..< 8") {
    _ = Subset(examples(), indices: [-1], name: "part")
  },
  Misuse("split.fraction", says: "the fraction 1.0 is not between 0 and 1") {
    _ = try DataSplit(dividing: examples(), fraction: 1)
  },
  Misuse("split.no-fraction", says: "the fraction nan is not between 0 and 1") {
    _ = try DataSplit(dividing: examples(), fraction: .nan)
  },
  Misuse("arrangement.applied", says: "channelsLast of examples [4]") {
    _ = ImageArrangement.channelsLast.applied(to: Tensor(zeros: [8, 4]))
  },
]

private let writeMisuses: [Misuse] = [
  Misuse("examples.write", says: "example 8 of 8") {
    var batch = Batch(zerosFor: examples(), count: 1)
    examples().write([8], into: &batch)
  },
  Misuse("examples.write-into-a-small-batch", says: "3 examples of examples into a batch of 2") {
    var batch = Batch(zerosFor: examples(), count: 2)
    examples().write([0, 1, 2], into: &batch)
  },
  Misuse(
    "examples.write-into-anothers-batch",
    says: "input input of the batch is float32 [2, 1, 2, 2], not float32 [2, 4]"
  ) {
    var batch = Batch(zerosFor: images(), count: 2)
    examples().write([0, 1], into: &batch)
  },
  Misuse("examples.write-without-inputs", says: "0 inputs of the batch for the 1 of examples") {
    var batch = Batch(zerosFor: examples(), count: 2)
    batch.inputs = []
    examples().write([0, 1], into: &batch)
  },
  Misuse(
    "examples.write-with-other-targets",
    says: "the targets of the batch are float32 [2], not int64 [2]"
  ) {
    var batch = Batch(zerosFor: examples(), count: 2)
    batch.targets = Tensor(zeros: [2])
    examples().write([0, 1], into: &batch)
  },
  Misuse("examples.write-bytes", says: "example -1 of 2") {
    let bytes = TensorExamples(
      name: "bytes", inputs: [("x", Tensor(zeros: [2, 4], elementType: .uint8))],
      targets: Tensor(zeros: [2]))
    var batch = Batch(zerosFor: bytes, count: 1)
    bytes.write([-1], into: &batch)
  },
  Misuse("images.write", says: "example 2 of 2") {
    var batch = Batch(zerosFor: images(), count: 1)
    images().write([2], into: &batch)
  },
  Misuse("images.write-into-a-small-batch", says: "2 examples of images into a batch of 1") {
    var batch = Batch(zerosFor: images(), count: 1)
    images().write([0, 1], into: &batch)
  },
  Misuse("subset.write", says: "example 1 of 1") {
    let part = Subset(examples(), indices: [3], name: "part")
    var batch = Batch(zerosFor: part, count: 1)
    try part.write([1], into: &batch)
  },
  Misuse("batch.negative-count", says: "a size is negative in [-1, 4]") {
    _ = Batch(zerosFor: examples(), count: -1)
  },
]

private let loaderMisuses: [Misuse] = [
  Misuse("loader.batch-size", says: "the batch size is 0") {
    _ = try DataLoader(examples(), batchSize: 0)
  },
  Misuse("loader.smallest-batch", says: "the smallest batch is 5 of 4") {
    _ = try DataLoader(examples(), batchSize: 4, smallestBatch: 5)
  },
  Misuse("loader.replaced-smallest-batch", says: "the smallest batch is 0 of 64") {
    _ = try DataLoader(examples()).replacing(smallestBatch: 0)
  },
  Misuse("loader.prefetch", says: "prefetch is -1, expected 0 to 1024 batches") {
    _ = try DataLoader(examples(), prefetch: -1)
  },
  Misuse("loader.transforms", says: "256 transforms, expected at most 255") {
    let flips = Array(repeating: HorizontalFlip(), count: 256)
    _ = try DataLoader(images(), transforms: flips)
  },
  Misuse("loader.order", says: "epoch -1") { _ = try DataLoader(examples()).order(epoch: -1) },
  Misuse("loader.epoch", says: "epoch 4294967296") {
    _ = try DataLoader(examples()).batches(epoch: 1 << 32)
  },
  Misuse("loader.first-batch", says: "batch 3 of 2") {
    _ = try DataLoader(examples(), batchSize: 4).batches(epoch: 0, startingAt: 3)
  },
]

private let transformMisuses: [Misuse] = [
  Misuse("pad-and-crop.padding", says: "padding is -1") { _ = PadAndCrop(padding: -1) },
  Misuse("cutout.size", says: "the square's size is 0") { _ = Cutout(size: 0) },
  Misuse("example-random.example", says: "no numbers for transform 0 of example -1") {
    _ = random(example: -1)
  },
  Misuse("example-random.position", says: "no numbers for transform 256 of example 0") {
    _ = random(position: 256)
  },
  Misuse("example-random.draw", says: "draw 65536 of 65536") {
    _ = random().uniform(draw: 1 << 16)
  },
  Misuse("example-random.negative-draw", says: "draw -1 of 65536") {
    _ = random().integer(below: 3, draw: -1)
  },
  Misuse("example-random.bound", says: "no whole number is below -3 and at least 0") {
    _ = random().integer(below: -3, draw: 0)
  },
  Misuse("test-time-augmentation.images", says: "mirror of float32 [2, 4], not of images") {
    _ = try TestTimeAugmentation.mirror.average(of: Tensor(zeros: [2, 4])) { $0 }
  },
  Misuse("test-time-augmentation.predictions", says: "a view's prediction is int64 [1]") {
    _ = try TestTimeAugmentation.mirror.average(of: Tensor(zeros: [1, 1, 2, 2])) { _ in
      Tensor([1] as [Int64])
    }
  },
  Misuse("pad-and-crop.objection", says: "axis 1 of the shape [4]") {
    _ = PadAndCrop().objection(to: [4])
  },
  Misuse("cutout.objection", says: "axis 1 of the shape []") { _ = Cutout().objection(to: []) },
]

private func random(example: Int = 0, position: Int = 0) -> ExampleRandom {
  ExampleRandom(generator: Philox(seed: 0, stream: 2), example: example, position: position)
}

private func apply(_ transform: some Transform, to count: Int, shape: Shape, scratch: Int) {
  var (image, spare) = ([Float](repeating: 0, count: count), [Float](repeating: 0, count: scratch))
  image.withUnsafeMutableBufferPointer { image in
    spare.withUnsafeMutableBufferPointer { spare in
      transform.apply(to: image, shape: shape, scratch: spare, random: random())
    }
  }
}

private let transformedImageMisuses: [Misuse] = [
  Misuse("flip.image", says: "flip of 4 values as an image [1, 2, 4] with 8 values of scratch") {
    apply(HorizontalFlip(), to: 4, shape: [1, 2, 4], scratch: 8)
  },
  Misuse(
    "cutout.image", says: "cutout(size 1) of 8 values as an image [8] with 8 values of scratch"
  ) {
    apply(Cutout(size: 1), to: 8, shape: [8], scratch: 8)
  },
  Misuse(
    "pad-and-crop.scratch",
    says: "crop(padding 1, zero) of 8 values as an image [1, 2, 4] with 0 values of scratch"
  ) {
    apply(PadAndCrop(padding: 1, border: .zero), to: 8, shape: [1, 2, 4], scratch: 0)
  },
  Misuse(
    "pad-and-crop.small-image",
    says: "a padding of 4 takes images of more rows and columns than that, got 2 × 4"
  ) {
    apply(PadAndCrop(padding: 4), to: 8, shape: [1, 2, 4], scratch: 8)
  },
  Misuse("cutout.small-image", says: "a square of 16 is larger than the images, which are 2 × 4") {
    apply(Cutout(size: 16), to: 8, shape: [1, 2, 4], scratch: 8)
  },
]
