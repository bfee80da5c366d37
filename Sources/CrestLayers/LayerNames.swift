/// What ONNX and other libraries call each layer.
package struct LayerNames: Sendable {
  /// The type.
  package let type: String
  /// The ONNX operator that computes it.
  package let onnx: String?
  /// PyTorch's name.
  package let pyTorch: String?
  /// Keras' name.
  package let keras: String?
  /// fastai's name.
  package let fastai: String?

  private init(
    _ type: String, _ onnx: String? = nil, _ pyTorch: String? = nil, _ keras: String? = nil,
    _ fastai: String? = nil
  ) {
    (self.type, self.onnx, self.pyTorch) = (type, onnx, pyTorch)
    (self.keras, self.fastai) = (keras, fastai)
  }

  /// All layers.
  package static let all: [LayerNames] = [
    LayerNames("Dense", "Gemm", "Linear", "Dense", "LinBnDrop"),
    LayerNames("Conv1D", "Conv", "Conv1d", "Conv1D", "ConvLayer(ndim=1)"),
    LayerNames("Conv2D", "Conv", "Conv2d", "Conv2D", "ConvLayer"),
    LayerNames("Conv3D", "Conv", "Conv3d", "Conv3D", "ConvLayer(ndim=3)"),
    LayerNames(
      "ConvTranspose1D", "ConvTranspose", "ConvTranspose1d", "Conv1DTranspose",
      "ConvLayer(transpose=True)"),
    LayerNames(
      "ConvTranspose2D", "ConvTranspose", "ConvTranspose2d", "Conv2DTranspose",
      "ConvLayer(transpose=True)"),
    LayerNames("DepthwiseConv2D", "Conv", "Conv2d(groups=…)", "DepthwiseConv2D"),
    LayerNames("SeparableConv2D", "Conv", nil, "SeparableConv2D", "SeparableBlock"),
    LayerNames("Embedding", "Gather", "Embedding", "Embedding", "Embedding"),
    LayerNames("LSTM", "LSTM", "LSTM", "LSTM", "LSTM"),
    LayerNames("GRU", "GRU", "GRU", "GRU"),
    LayerNames("RNN", "RNN", "RNN", "SimpleRNN"),
    LayerNames(
      "MultiHeadAttention", "Attention", "MultiheadAttention",
      "MultiHeadAttention, GroupQueryAttention"),
    LayerNames("TransformerEncoderBlock", nil, "TransformerEncoderLayer"),
    LayerNames("TransformerDecoderBlock", nil, "TransformerDecoderLayer"),
    LayerNames("LearnedPositions"),
    LayerNames("SinusoidalPositions"),
    LayerNames(
      "BatchNorm", "BatchNormalization", "BatchNorm1d, 2d, 3d", "BatchNormalization", "BatchNorm"),
    LayerNames("LayerNorm", "LayerNormalization", "LayerNorm", "LayerNormalization"),
    LayerNames("RMSNorm", "RMSNormalization", "RMSNorm", "RMSNormalization"),
    LayerNames("GroupNorm", "GroupNormalization", "GroupNorm", "GroupNormalization"),
    LayerNames(
      "InstanceNorm", "InstanceNormalization", "InstanceNorm1d, 2d, 3d",
      "GroupNormalization(groups=-1)", "InstanceNorm"),
    LayerNames("MaxPool", "MaxPool", "MaxPool2d", "MaxPooling2D", "MaxPool"),
    LayerNames("MaxPool1D", "MaxPool", "MaxPool1d", "MaxPooling1D", "MaxPool(ndim=1)"),
    LayerNames("AveragePool", "AveragePool", "AvgPool2d", "AveragePooling2D", "AvgPool"),
    LayerNames("AveragePool1D", "AveragePool", "AvgPool1d", "AveragePooling1D", "AvgPool(ndim=1)"),
    LayerNames(
      "AdaptiveAveragePool", nil, "AdaptiveAvgPool2d", "AdaptiveAveragePooling2D", "AdaptiveAvgPool"
    ),
    LayerNames("AdaptiveMaxPool", nil, "AdaptiveMaxPool2d", "AdaptiveMaxPooling2D"),
    LayerNames("AdaptiveConcatPool", nil, nil, nil, "AdaptiveConcatPool2d"),
    LayerNames(
      "GlobalAveragePool", "GlobalAveragePool", "AdaptiveAvgPool2d(1)",
      "GlobalAveragePooling1D, 2D, 3D"),
    LayerNames(
      "GlobalMaxPool", "GlobalMaxPool", "AdaptiveMaxPool2d(1)", "GlobalMaxPooling1D, 2D, 3D"),
    LayerNames("ReLU", "Relu", "ReLU", "ReLU"),
    LayerNames("ReLU6", "Clip", "ReLU6", "ReLU(max_value=6)"),
    LayerNames("LeakyReLU", "LeakyRelu", "LeakyReLU", "LeakyReLU"),
    LayerNames("PReLU", "PRelu", "PReLU", "PReLU"),
    LayerNames("ELU", "Elu", "ELU", "ELU"),
    LayerNames("SELU", "Selu", "SELU", "selu"),
    LayerNames("GELU", "Gelu", "GELU", "gelu"),
    LayerNames("SiLU", "Swish", "SiLU", "silu", "Swish"),
    LayerNames("Mish", "Mish", "Mish", "mish", "Mish"),
    LayerNames("HardSwish", "HardSwish", "Hardswish", "hard_silu"),
    LayerNames("HardSigmoid", "HardSigmoid", "Hardsigmoid", "hard_sigmoid"),
    LayerNames("Sigmoid", "Sigmoid", "Sigmoid", "sigmoid"),
    LayerNames("Tanh", "Tanh", "Tanh", "tanh"),
    LayerNames("Softplus", "Softplus", "Softplus", "softplus"),
    LayerNames("Softsign", "Softsign", "Softsign", "softsign"),
    LayerNames("Softmax", "Softmax", "Softmax", "Softmax"),
    LayerNames("GLU", nil, "GLU", "glu"),
    LayerNames("Dropout", "Dropout", "Dropout", "Dropout"),
    LayerNames("SpatialDropout", nil, "Dropout1d, 2d, 3d", "SpatialDropout1D, 2D, 3D"),
    LayerNames("DropPath", nil, "StochasticDepth (torchvision)"),
    LayerNames("GaussianNoise", nil, nil, "GaussianNoise"),
    LayerNames("SqueezeExcitation", nil, "SqueezeExcitation (torchvision)", nil, "SEModule"),
    LayerNames("Flatten", "Flatten", "Flatten", "Flatten", "Flatten"),
    LayerNames("Reshape", "Reshape", "Unflatten", "Reshape", "View"),
    LayerNames("Permute", "Transpose", nil, "Permute"),
    LayerNames("ZeroPad2D", "Pad", "ZeroPad2d", "ZeroPadding2D"),
    LayerNames("Upsample", "Resize", "Upsample", "UpSampling2D"),
    LayerNames("PixelShuffle", "DepthToSpace", "PixelShuffle", nil, "PixelShuffle_ICNR"),
    LayerNames("Rescaling", nil, nil, "Rescaling"),
    LayerNames("Sequential", nil, "Sequential", "Sequential", "SequentialEx"),
    LayerNames("Residual", nil, nil, nil, "ResBlock"),
    LayerNames("SubsampledShortcut"),
    LayerNames("Concatenate", "Concat", nil, "Concatenate"),
    LayerNames("Add", "Sum", nil, "Add"),
    LayerNames("Multiply", "Mul", nil, "Multiply"),
    LayerNames("Identity", "Identity", "Identity", "Identity"),
    LayerNames("Lambda", nil, nil, "Lambda", "Lambda"),
    LayerNames("Shared"),
  ]
}
