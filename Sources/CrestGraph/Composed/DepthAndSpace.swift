import CrestTensor

extension Symbol {
  /// How ``Symbol/depthToSpace(block:order:)`` reads channels; raw values are ONNX's.
  public enum DepthOrder: String, Sendable, Hashable, CaseIterable {
    /// The place in the block, then the channel of the result.
    case placeFirst = "DCR"
    /// The channel of the result, then the place in the block (PyTorch `pixel_shuffle`).
    case channelFirst = "CRD"
  }

  /// Returns channels laid out in blocks of the image: [N, C·b², H, W] becomes [N, C, H·b, W·b] (ONNX
  /// `DepthToSpace`, opset 13).
  ///
  /// - Throws: ``GraphError`` when this isn't an image, or b² doesn't divide its channels.
  public func depthToSpace(block: Int, order: DepthOrder = .placeFirst) throws -> Symbol {
    let area = block.multipliedReportingOverflow(by: block)
    guard shape.rank == 4, shape.elementCount > 0, block > 0, !area.overflow,
      shape[1] % area.partialValue == 0
    else {
      throw GraphError(
        path: builder.path, operation: "DepthToSpace",
        expected: "an image [N, C · block², H, W] and a block above 0",
        got: "\(shape) and block \(block)")
    }
    let (channels, height, width) = (shape[1] / area.partialValue, shape[2], shape[3])
    let apart =
      order == .placeFirst
      ? try reshaped(to: [-1, block, block, channels, height, width])
        .transposed([0, 3, 4, 1, 5, 2])
      : try reshaped(to: [-1, channels, block, block, height, width])
        .transposed([0, 1, 4, 2, 5, 3])
    return try apart.reshaped(to: [-1, channels, height * block, width * block])
  }

  /// Returns blocks of the image laid out as channels: [N, C, H·b, W·b] becomes [N, b²·C, H, W] (ONNX
  /// `SpaceToDepth`, opset 13).
  ///
  /// - Throws: ``GraphError`` when this isn't an image, or b doesn't divide its height and width.
  public func spaceToDepth(block: Int) throws -> Symbol {
    guard shape.rank == 4, shape.elementCount > 0, block > 0, shape[2] % block == 0,
      shape[3] % block == 0
    else {
      throw GraphError(
        path: builder.path, operation: "SpaceToDepth",
        expected: "an image [N, C, H · block, W · block] and a block above 0",
        got: "\(shape) and block \(block)")
    }
    let (channels, height, width) = (shape[1], shape[2] / block, shape[3] / block)
    return try reshaped(to: [-1, channels, height, block, width, block])
      .transposed([0, 3, 5, 1, 2, 4])
      .reshaped(to: [-1, block * block * channels, height, width])
  }
}
