import CrestGraph
public import CrestRuntime
public import CrestTensor

/// The architectures that come with the library, by name.
public struct BuiltInModel: Sendable {
  /// The name, as in the command's `--model`.
  public let name: String
  /// What it is and what it is for, in one line.
  public let summary: String
  /// Whether examples must be images, of channels, rows and columns.
  public let takesImages: Bool
  /// The layers, for a number of classes.
  public let layers: @Sendable (_ classes: Int) -> any Layer

  /// All of them.
  public static let all: [BuiltInModel] =
    [
      BuiltInModel(
        name: "mlp", summary: "two hidden layers of 512, for examples of any shape",
        takesImages: false,
        layers: { MultilayerPerceptron(classes: $0) }),
      BuiltInModel(
        name: "small-cnn", summary: "convolutions with batch norm, for small images of any size",
        takesImages: true,
        layers: { SmallCNN(classes: $0) }),
      BuiltInModel(
        name: "lenet", summary: "Caffe's LeNet, for images of 28 × 28", takesImages: true,
        layers: { LeNet(classes: $0) }),
    ]
    + ResNet.depths.map { depth in
      BuiltInModel(
        name: "resnet\(depth)", summary: "residual network of He and others for CIFAR-10's images",
        takesImages: true,
        layers: { ResNet(depth: depth, classes: $0) })
    }
    + ImageNetResNet.depths.map { depth in
      BuiltInModel(
        name: "resnet\(depth)", summary: "residual network of He and others for photographs",
        takesImages: true,
        layers: { ImageNetResNet(depth: depth, classes: $0) })
    }
    + [
      BuiltInModel(
        name: "airbench94", summary: "Jordan's network for 94 % on CIFAR-10, for images of 32 × 32",
        takesImages: true,
        layers: { Airbench94(classes: $0) }),
      BuiltInModel(
        name: "resnet9", summary: "Page's nine-layer residual network, fast on CIFAR-10's images",
        takesImages: true,
        layers: { ResNet9(classes: $0) }),
    ]
    + WideResNet.named.map { depth, width in
      BuiltInModel(
        name: "wide-resnet\(depth)-\(width)",
        summary: "wide residual network of Zagoruyko and Komodakis for CIFAR-10's images",
        takesImages: true,
        layers: { WideResNet(depth: depth, width: width, classes: $0) })
    }
    + [
      BuiltInModel(
        name: "densenet-bc100",
        summary: "densely connected network of Huang and others for CIFAR-10's images",
        takesImages: true,
        layers: { DenseNet(classes: $0) }),
      BuiltInModel(
        name: "mobilenet-v3-small",
        summary: "Howard and others' network for photographs and little computing",
        takesImages: true,
        layers: { MobileNetV3Small(classes: $0) }),
      BuiltInModel(
        name: "efficientnet-b0", summary: "Tan and Le's network for photographs", takesImages: true,
        layers: { EfficientNetB0(classes: $0) }),
      BuiltInModel(
        name: "convnext-atto",
        summary: "Liu and others' convolutional network, of the smallest size",
        takesImages: true,
        layers: { ConvNeXt(classes: $0) }),
      BuiltInModel(
        name: "vit-tiny", summary: "vision transformer of 12 blocks of 192", takesImages: true,
        layers: { VisionTransformer(classes: $0) }),
      BuiltInModel(
        name: "unet", summary: "Ronneberger and others' network for a class of every pixel",
        takesImages: true,
        layers: { UNet(classes: $0) }),
    ]

  /// The names of all.
  public static var names: [String] { all.map(\.name) }

  /// Makes the model with a name.
  ///
  /// - Parameters:
  ///   - name: One of ``names``.
  ///   - input: The shape of one example, as in `[1, 28, 28]`.
  ///   - classes: The number of outputs.
  ///   - seed: The seed of the initial values.
  ///   - engine: The engine for its programs; nil makes one with all cores.
  /// - Returns: The model, ending in logits.
  /// - Throws: ``ModelError`` when the name is unknown, the model doesn't take such examples or there
  ///   are no classes; `EngineError` when an engine can't be made.
  public static func make(
    _ name: String, input: Shape, classes: Int, seed: UInt64 = 0, engine: Engine? = nil
  ) throws -> Model {
    guard let model = all.first(where: { $0.name == name }) else {
      throw ModelError.unknownName(name)
    }
    guard classes >= 1 else { throw ModelError.classCount(classes) }
    guard input.elementCount > 0 else { throw ModelError.emptyInput(input) }
    do {
      return try Model(
        Sequential([model.layers(classes)]), input: input, seed: seed, engine: engine)
    } catch let error as GraphError {
      throw ModelError.inputDoesNotFit(model: name, input: input, reason: error)
    }
  }
}
