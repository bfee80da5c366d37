import Crest

/// A recurrent layer that the library doesn't know.
private struct OwnRecurrentLayer: RecurrentLayer {
  let name: String? = "own"
  let units = 2
  let layerCount = 1
  let isBidirectional = false
  let output = RecurrentOutput.last
  let dropoutRate = 0.0
}

let furtherLayerMisuses: [Misuse] = [
  Misuse("layer.recurrent-of-ones-own", says: "OwnRecurrentLayer isn't one of LSTM, GRU and RNN") {
    _ = try Model(OwnRecurrentLayer(), input: [3, 2], engine: oneThread())
  },
  Misuse("layer.leaky-relu-slope", says: "leaky_relu: the slope is nan") {
    _ = LeakyReLU(.nan)
  },
  Misuse("layer.elu-alpha", says: "elu: α is inf") {
    _ = ELU(.infinity)
  },
  Misuse("layer.prelu-initial", says: "prelu: weights start from nan") {
    _ = PReLU(initial: .nan)
  },
  Misuse("layer.layer-norm-axes", says: "layer_norm: over 0 axes") {
    _ = LayerNorm(axisCount: 0)
  },
  Misuse("layer.layer-norm-epsilon", says: "layer_norm: ε is -1.0, not at least 0") {
    _ = LayerNorm(epsilon: -1)
  },
  Misuse("layer.rms-norm-epsilon", says: "rms_norm: ε is nan, not at least 0") {
    _ = RMSNorm(epsilon: .nan)
  },
  Misuse("layer.instance-norm-epsilon", says: "instance_norm: ε is -1.0, not at least 0") {
    _ = InstanceNorm(epsilon: -1)
  },
  Misuse("layer.embedding", says: "embedding: 0 rows of 3; at least 1 of each") {
    _ = Embedding(0, 3)
  },
  Misuse("layer.recurrent-units", says: "lstm: 0 units in 1 layers; at least 1 of each") {
    _ = LSTM(0)
  },
  Misuse("layer.recurrent-dropout", says: "gru: the rate of dropout is 1.0, not from 0 to below 1")
  {
    _ = GRU(2, dropout: 1)
  },
  Misuse(
    "layer.attention-heads", says: "attention: 4 heads with 3 of keys; these must divide the heads"
  ) {
    _ = MultiHeadAttention(heads: 4, keyHeads: 3)
  },
  Misuse(
    "layer.attention-dropout", says: "attention: the rate of dropout is -0.5, not from 0 to below 1"
  ) {
    _ = MultiHeadAttention(heads: 4, dropout: -0.5)
  },
  Misuse("layer.rotary", says: "rotary positions of base 0.0") {
    _ = RotaryPositions(base: 0)
  },
  Misuse(
    "layer.transformer-heads", says: "a transformer of 0 heads and 1 features; at least 1 of each"
  ) {
    _ = TransformerSettings(heads: 0)
  },
  Misuse(
    "layer.transformer-dropout",
    says: "a transformer's rate of dropout is 1.0, not from 0 to below 1"
  ) {
    _ = TransformerSettings(heads: 2, dropout: 1)
  },
  Misuse("layer.positions", says: "positions: a base of nan") {
    _ = SinusoidalPositions(base: .nan)
  },
  Misuse(
    "layer.conv1d-channels", says: "conv1d: 3 channels in 2 groups; groups must divide the channels"
  ) {
    _ = Conv1D(3, kernel: 1, groups: 2)
  },
  Misuse("layer.conv1d-sizes", says: "conv1d: sizes [3, 0, 1]; each must be at least 1") {
    _ = Conv1D(3, kernel: 3, stride: 0)
  },
  Misuse(
    "layer.size-of-volume",
    says: "a size has a depth, a height and a width of at least 1, not [1, 2]"
  ) {
    _ = Conv3D(3, kernel: [1, 2])
  },
  Misuse("layer.depthwise", says: "depthwise_conv2d: 0 filters for each channel; at least 1") {
    _ = DepthwiseConv2D(kernel: 3, multiplier: 0)
  },
  Misuse("layer.separable", says: "separable_conv2d: 0 channels; at least 1") {
    _ = SeparableConv2D(0, kernel: 3)
  },
  Misuse("layer.pixel-shuffle", says: "pixel_shuffle: a factor of 0; at least 1") {
    _ = PixelShuffle(0)
  },
  Misuse("layer.zero-pad", says: "zero_pad2d: [1, -1, 0, 0] rows and columns; none may be negative")
  {
    _ = ZeroPad2D(top: 1, left: -1, bottom: 0, right: 0)
  },
  Misuse(
    "layer.reshape", says: "reshape: sizes [-1, -1]; each must be at least 1, but for one of -1"
  ) {
    _ = Reshape([-1, -1], name: "reshape")
  },
  Misuse(
    "layer.permute",
    says: "permute: axes [0, 1]; they must be 1 to 2 in some order, 0 being the batch"
  ) {
    _ = Permute(0, 1)
  },
  Misuse("layer.concatenate", says: "concatenate: no layers to join") {
    _ = Concatenate { [any Layer]() }
  },
  Misuse("layer.add", says: "add: no layers to add") {
    _ = Add { [any Layer]() }
  },
  Misuse("layer.multiply", says: "multiply: no layers to multiply") {
    _ = Multiply { [any Layer]() }
  },
  Misuse("layer.drop-path", says: "drop_path: the rate is 1.0, not from 0 to below 1") {
    _ = DropPath(1)
  },
  Misuse("layer.spatial-dropout", says: "spatial_dropout: the rate is -1.0, not from 0 to below 1")
  {
    _ = SpatialDropout(-1)
  },
  Misuse(
    "layer.gaussian-noise",
    says: "gaussian_noise: a standard deviation of nan; it must be finite and at least 0"
  ) {
    _ = GaussianNoise(.nan)
  },
  Misuse("layer.squeeze", says: "squeeze_excitation: 0 channels; at least 1") {
    _ = SqueezeExcitation(0)
  },
  Misuse("layer.icnr-factor", says: "filters for a pixel shuffle by 0") {
    _ = Initializer.icnr(factor: 0)
  },
  Misuse(
    "layer.icnr-filters",
    says: "[6, 1] filters for a pixel shuffle by 2; 4 must divide their number"
  ) {
    _ = try Model(Dense(6, initializer: .icnr(factor: 2)), input: [1])
  },
  Misuse("model.resnet9", says: "a ResNet9 of 0 classes") {
    _ = ResNet9(classes: 0)
  },
  Misuse("model.wide-resnet-depth", says: "a WideResNet of depth 15; it must be 6 n + 4, n ≥ 1") {
    _ = WideResNet(depth: 15, width: 4, classes: 3)
  },
  Misuse("model.wide-resnet-width", says: "a WideResNet of width 0 and 3 classes") {
    _ = WideResNet(depth: 16, width: 0, classes: 3)
  },
  Misuse(
    "model.wide-resnet-dropout",
    says: "a WideResNet's rate of dropout is 1.0, not from 0 to below 1"
  ) {
    _ = WideResNet(depth: 16, width: 4, classes: 3, dropout: 1)
  },
  Misuse("model.mobilenet", says: "a MobileNetV3Small of 0 classes") {
    _ = MobileNetV3Small(classes: 0)
  },
  Misuse("model.efficientnet", says: "an EfficientNetB0 of 0 classes") {
    _ = EfficientNetB0(classes: 0)
  },
  Misuse("model.densenet-depth", says: "a DenseNet of depth 5; it must be 6 n + 4, n ≥ 1") {
    _ = DenseNet(depth: 5, classes: 3)
  },
  Misuse("model.densenet-growth", says: "a DenseNet of growth 0 and 3 classes") {
    _ = DenseNet(growth: 0, classes: 3)
  },
  Misuse("model.convnext", says: "a ConvNeXt of 0 classes") {
    _ = ConvNeXt(classes: 0)
  },
  Misuse("model.vit", says: "a VisionTransformer of 3 classes, 12 blocks of 192 and 5 heads") {
    _ = VisionTransformer(classes: 3, heads: 5)
  },
  Misuse("model.unet", says: "a UNet of 3 classes, 32 channels and depth 0") {
    _ = UNet(classes: 3, depth: 0)
  },
]
