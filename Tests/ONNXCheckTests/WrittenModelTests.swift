import CrestGraph
import CrestLayers
import CrestONNX
import CrestRuntime
import CrestTensor
import Foundation
import ProcessSupport
import Testing

/// The files that Crest writes at opset 17 or below, as libonnx judges them.
@Suite(.needsChecker) struct `A model that Crest writes` {
  static let networks: [(name: String, input: Shape)] = [
    ("mlp", [1, 8, 8]), ("small-cnn", [3, 9, 7]), ("lenet", [1, 28, 28]),
    ("resnet20", [3, 32, 32]), ("resnet56", [3, 32, 32]), ("resnet110", [3, 32, 32]),
    ("resnet18", [3, 64, 64]), ("resnet34", [3, 32, 32]), ("resnet50", [3, 32, 32]),
    ("airbench94", [3, 32, 32]), ("resnet9", [3, 32, 32]), ("wide-resnet16-4", [3, 32, 32]),
    ("wide-resnet28-10", [3, 8, 8]), ("densenet-bc100", [3, 32, 32]),
    ("mobilenet-v3-small", [3, 64, 64]), ("efficientnet-b0", [3, 32, 32]),
    ("convnext-atto", [3, 64, 64]), ("vit-tiny", [3, 32, 32]), ("unet", [3, 16, 24]),
  ]

  @Test func `is one of all that are built in`() {
    #expect(Self.networks.map(\.name).sorted() == BuiltInModel.names.sorted())
  }

  @Test(arguments: networks)
  func `is accepted when it is built in`(name: String, input: Shape) throws {
    try expectAccepted(
      BuiltInModel.make(name, input: input, classes: 5, engine: Engine(threadCount: 1)))
  }

  /// Each layer, with each choice that it writes differently.
  static let layers: [(name: String, input: Shape, layer: any Layer)] = [
    ("Dense", [6], Dense(3)), ("Dense of images", [2, 4, 4], Dense(3)),
    ("Dense without bias", [6], Dense(3, bias: false)),
    ("Conv2D", [2, 5, 6], Conv2D(4, kernel: 3)),
    (
      "Conv2D, all of it", [2, 7, 7],
      Conv2D(4, kernel: [3, 2], stride: 2, padding: .same, dilation: 2, groups: 2, bias: false)
    ),
    ("BatchNorm", [3, 4, 4], BatchNorm()),
    ("GroupNorm", [6, 3, 4], GroupNorm(3)),
    ("BatchNorm of its own", [3, 4, 4], BatchNorm(epsilon: 1e-3, momentum: 0.8)),
    ("MaxPool", [2, 7, 7], MaxPool(3, stride: 2, padding: .same)),
    ("AveragePool", [2, 7, 7], AveragePool(2)),
    (
      "AveragePool, padding counted", [2, 7, 7],
      AveragePool(3, stride: 2, padding: .same, countsPadding: true)
    ),
    ("GlobalAveragePool", [2, 5, 5], GlobalAveragePool()),
    ("Flatten", [2, 3, 4], Flatten()), ("Dropout", [5], Dropout(0.3)),
    ("BatchNorm without scale", [3, 4, 4], BatchNorm(scale: false)),
    ("BatchNorm without bias", [3, 4, 4], BatchNorm(bias: false)),
    ("GELU", [4], GELU()), ("GELU by tanh", [4], GELU(.tanh)),
    ("Rescaling", [4], Rescaling(0.125, offset: -1)),
    ("ReLU", [4], ReLU()), ("Sigmoid", [4], Sigmoid()), ("Tanh", [4], Tanh()),
    ("Softmax", [2, 4], Softmax(axis: 1)), ("Softmax of the last axis", [4], Softmax()),
    (
      "Residual with a SubsampledShortcut", [2, 6, 6],
      Residual {
        Conv2D(4, kernel: 3, stride: 2, padding: .same)
      } shortcut: {
        SubsampledShortcut(channels: 4, stride: 2)
      }
    ),
    ("Residual", [2, 6, 6], Residual { Conv2D(2, kernel: 1) }),
    ("SiLU", [4], SiLU()), ("Mish", [4], Mish()), ("HardSwish", [4], HardSwish()),
    ("HardSigmoid", [4], HardSigmoid()), ("ReLU6", [4], ReLU6()), ("SELU", [4], SELU()),
    ("Softplus", [4], Softplus()), ("Softsign", [4], Softsign()), ("LeakyReLU", [4], LeakyReLU()),
    ("ELU", [4], ELU()), ("PReLU", [3, 4], PReLU()), ("GLU", [6], GLU(.silu)),
    ("LayerNorm", [3, 4], LayerNorm(axisCount: 2)), ("RMSNorm", [3, 4], RMSNorm()),
    ("InstanceNorm", [3, 4], InstanceNorm()),
    ("Conv1D", [3, 8], Conv1D(4, kernel: 3, padding: .causal, dilation: 2)),
    ("Conv3D", [2, 4, 4, 4], Conv3D(3, kernel: 3, padding: .same)),
    ("ConvTranspose1D", [3, 4], ConvTranspose1D(2, kernel: 3, stride: 2, padding: .same)),
    (
      "ConvTranspose2D", [4, 3, 4],
      ConvTranspose2D(6, kernel: 3, stride: 2, padding: .all(1, output: 1), groups: 2)
    ),
    ("DepthwiseConv2D", [3, 5, 5], DepthwiseConv2D(kernel: 3, multiplier: 2)),
    ("SeparableConv2D", [3, 5, 5], SeparableConv2D(4, kernel: 3)),
    ("MaxPool1D", [3, 8], MaxPool1D(3, stride: 2, padding: .same)),
    ("AveragePool1D", [3, 8], AveragePool1D(2)),
    ("AdaptiveAveragePool", [2, 7, 5], AdaptiveAveragePool([3, 2])),
    ("AdaptiveMaxPool", [2, 7, 5], AdaptiveMaxPool([3, 2])),
    ("AdaptiveConcatPool", [2, 7, 5], AdaptiveConcatPool()),
    ("GlobalMaxPool", [2, 3, 4], GlobalMaxPool()),
    ("Upsample", [2, 3, 4], Upsample([2, 3], mode: .cubic)),
    ("PixelShuffle", [8, 2, 3], PixelShuffle(2)), ("ZeroPad2D", [2, 3, 4], ZeroPad2D(1)),
    ("Reshape", [3, 4], Reshape([2, -1])), ("Permute", [3, 4], Permute(2, 1)),
    ("Lambda", [3], Lambda { try $0 * $0 }),
    (
      "Concatenate", [3],
      Concatenate {
        Dense(2)
        Identity()
      }
    ),
    (
      "Add, Identity", [3],
      Add {
        Dense(3)
        Identity()
      }
    ),
    (
      "Multiply", [3],
      Multiply {
        Dense(3)
        Sigmoid()
      }
    ),
    ("DropPath", [3, 4], DropPath(0.3)), ("SpatialDropout", [3, 4], SpatialDropout(0.3)),
    ("GaussianNoise", [4], GaussianNoise(0.1)),
    ("SqueezeExcitation", [4, 3, 3], SqueezeExcitation(2)),
    (
      "LSTM", [4, 3], LSTM(2, layers: 2, bidirectional: true, dropout: 0.1)
    ),
    ("GRU", [4, 3], GRU(2, output: .all)), ("RNN", [4, 3], RNN(2, activation: .relu)),
    (
      "MultiHeadAttention", [4, 8],
      MultiHeadAttention(heads: 4, keyHeads: 2, causal: true, rotary: .init())
    ),
    (
      "TransformerEncoderBlock", [4, 8],
      TransformerEncoderBlock(.init(heads: 2, activation: .swiglu))
    ),
    ("LearnedPositions", [4, 8], LearnedPositions()),
    ("SinusoidalPositions", [4, 8], SinusoidalPositions()),
    (
      "Embedding", [4],
      Sequential {
        Lambda("indices") { try ($0 * 0).cast(to: .int64) }
        Embedding(5, 3)
      }
    ),
  ]

  @Test func `is one of every layer there is`() throws {
    let folder = Self.package.appending(path: "Sources/CrestLayers/Layers")
    let declaration = /public struct (\w+): Layer/
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).flatMap { file in
      try String(contentsOf: folder.appending(path: file), encoding: .utf8)
        .matches(of: declaration).map { String($0.1) }
    }
    let isTried = Dictionary(
      grouping: names, by: { name in Self.layers.contains { $0.name.contains(name) } })
    #expect(isTried[false] == nil)
    #expect(names.count >= 13)
  }

  @Test(arguments: layers.indices)
  func `is accepted when it is one layer`(number: Int) throws {
    let (name, input, layer) = Self.layers[number]
    try expectAccepted(
      Model(layer, input: input, engine: Engine(threadCount: 1)), Comment(rawValue: name))
  }

  private static let package = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// PyTorch's exports at opset 17, small ones and those to be trained.
  static let imported = ["Tests/Fixtures/onnx/exports", "models"].flatMap { folder in
    let url = package.appending(path: folder)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    return names.sorted().filter { $0.hasSuffix(".onnx") && !$0.hasSuffix("-dynamo.onnx") }
      .map { folder + "/" + $0 }
  }

  @Test func `is one of twenty-one exports of PyTorch`() { #expect(Self.imported.count == 21) }

  @Test(arguments: imported)
  func `is accepted when it was imported and trained`(path: String) throws {
    let model = try Model(
      onnx: Self.package.appending(path: path).path, engine: Engine(threadCount: 1))
    // As a step would, it moves every parameter.
    for entry in model.store.parameters {
      let moved = model.store.value(of: entry).array(as: Float.self).map { $0 * 0.875 + 0.125 }
      model.store.write(Tensor(moved, shape: entry.shape), to: entry)
    }
    try expectAccepted(model)
  }

  /// Expects the checker and strict shape inference to accept what a model is written as.
  private func expectAccepted(_ model: Model, _ comment: Comment? = nil) throws {
    let folder = try TemporaryFolder()
    try model.exportONNX(to: folder["m.onnx"].path, metadata: ["crest.classes": "[]"])
    for command in ["check", "infer"] {
      let result = try CheckerProcess.run([command, "m.onnx"], in: folder)
      let name = comment.map { "\($0): " } ?? ""
      #expect(result.end == .exit(0), "\(name)\(command): \(result.error)")
      #expect(!result.output.contains("not judged"))
    }
  }
}
