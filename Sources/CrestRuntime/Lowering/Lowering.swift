import CCrestKernels
public import CrestGraph
import CrestTensor

/// Turns the nodes of a graph into steps that call kernels on planned memory.
///
/// Images are laid out on demand: a kernel asks for its input channels-last or plain (N, C, H, W),
/// and a value that exists only the other way is rearranged once. So whole convolutional parts run
/// channels-last without a rearrangement between them.
final class Lowering {
  /// How the elements of a value lie in its buffer.
  enum Layout: Hashable {
    /// Row-major in the order of the graph's axes.
    case plain
    /// N, H, W, C for a graph value N, C, H, W.
    case channelsLast
  }

  let graph: Graph
  let engine: Engine
  private(set) var buffers: [Buffer] = []
  private(set) var steps: [Step] = []
  private(set) var referenceNodes: [Program.ReferenceNode] = []
  private var placed: [Graph.ValueID: [Layout: BufferID]] = [:]
  private var external: [Graph.ValueID: Buffer.Placement]
  private var current: (node: Int?, stage: Graph.Stage) = (nil, .forward)

  /// A lowering of `graph`; `external` values end up at a given place, such as gradients in a store.
  init(_ graph: Graph, engine: Engine, external: [Graph.ValueID: Buffer.Placement]) {
    self.graph = graph
    self.engine = engine
    self.external = external
  }

  /// Places a leaf, a value that no node makes.
  func place(_ value: Graph.ValueID, at placement: Buffer.Placement) {
    placed[value] = [.plain: add(byteCount(of: value), placement)]
  }

  /// Lowers one node.
  func lower(_ number: Int) {
    let node = graph.nodes[number]
    current = (number, node.stage)
    if let kernel = node.operation as? any KernelLowering, isServed(node, by: kernel),
      kernel.lower(node, into: self)
    {
      return
    }
    lowerToReference(number, node)
  }

  /// Whether all values of a node have types that its kernels compute with: float32, but for what
  /// names classes or places.
  private func isServed(_ node: Graph.Node, by kernel: some KernelLowering) -> Bool {
    let inputs = node.inputs.enumerated().allSatisfy { place, value in
      let type = graph.type(of: value).elementType
      return type == .float32 || type == .int64 && kernel.integerInputs.contains(place)
        || (type == .int64 || type == .int32) && kernel.indexInputs.contains(place)
    }
    return kernel.servesEveryType
      || inputs && node.outputs.allSatisfy { graph.type(of: $0).elementType == .float32 }
  }

  /// Puts what follows under a stage, as no node's work.
  func enter(_ stage: Graph.Stage) { current = (nil, stage) }

  private func byteCount(of value: Graph.ValueID) -> Int {
    let type = graph.type(of: value)
    return type.shape.elementCount * type.elementType.byteCount
  }

  private func add(_ byteCount: Int, _ placement: Buffer.Placement) -> BufferID {
    buffers.append(Buffer(byteCount: byteCount, placement: placement))
    return BufferID(index: buffers.count - 1)
  }

  /// The buffer a node's output is to be written to.
  func output(_ value: Graph.ValueID, _ layout: Layout = .plain) -> BufferID {
    let layout = hasOneLayout(value) ? .plain : layout
    let placement = layout == .plain ? external.removeValue(forKey: value) ?? .arena : .arena
    let buffer = add(byteCount(of: value), placement)
    placed[value, default: [:]][layout] = buffer
    return buffer
  }

  /// A buffer at a given place that is no value of the graph's.
  func fixed(byteCount: Int, _ placement: Buffer.Placement) -> BufferID {
    add(byteCount, placement)
  }

  /// Keeps a buffer of the arena for as long as the program lives.
  func pin(_ buffer: BufferID) {
    if buffers[buffer.index].placement == .arena { buffers[buffer.index].placement = .pinned }
  }

  /// A buffer for what lies between two steps of one node.
  func temporary(byteCount: Int) -> BufferID { add(byteCount, .arena) }

  /// Lets a value that only renames another share its buffer.
  func alias(_ value: Graph.ValueID, of source: Graph.ValueID) {
    let buffer = self.buffer(source)
    if let placement = external[value] {
      // Addresses are bound later, so what is written already can still be moved to its place.
      guard buffers[buffer.index].placement == .arena else {
        copy(from: buffer, to: output(value), byteCount: byteCount(of: value))
        return
      }
      external[value] = nil
      buffers[buffer.index].placement = placement
    }
    placed[value] = [.plain: buffer]
  }

  /// Whether both layouts of a value are the same bytes.
  private func hasOneLayout(_ value: Graph.ValueID) -> Bool {
    let shape = graph.type(of: value).shape
    return shape.rank != 4 || shape[1] == 1 || shape[2] * shape[3] == 1
  }

  /// Whether a value lies in this layout already.
  func exists(_ value: Graph.ValueID, _ layout: Layout) -> Bool {
    hasOneLayout(value) || placed[value]?[layout] != nil
  }

  /// The buffer of a value in a layout, rearranging it when it lies in the other only.
  func buffer(_ value: Graph.ValueID, _ layout: Layout = .plain) -> BufferID {
    let layout = hasOneLayout(value) ? .plain : layout
    guard let known = placed[value] else {
      programmerError("\(value) is read before it is made")
    }
    if let buffer = known[layout] { return buffer }
    guard let source = known[layout == .plain ? .channelsLast : .plain] else {
      programmerError("\(value) lies nowhere")
    }
    let shape = graph.type(of: value).shape
    let target = output(value, layout)
    copyBox(
      sizes: shape.dimensions, elementType: graph.type(of: value).elementType, from: source,
      strides: shape.strides(layout == .plain ? .channelsLast : .plain), to: target,
      strides: shape.strides(layout))
    return target
  }

  /// Adds a step.
  ///
  /// `name` is for profiles and messages; `inPlace` names a written buffer and those it may take the
  /// memory of when they end here; `run` does the step's work and allocates nothing.
  func emit(
    _ name: String, reads: [BufferID], writes: [BufferID],
    inPlace: (write: BufferID, reads: [BufferID])? = nil, scratchBytes: Int = 0,
    run: @escaping (KernelCall) -> Void
  ) {
    steps.append(
      Step(
        name: name, node: current.node, stage: current.stage, reads: reads, writes: writes,
        inPlace: inPlace, scratchBytes: scratchBytes, run: run))
  }

  /// Runs a node by its reference meaning, and says so.
  private func lowerToReference(_ number: Int, _ node: Graph.Node) {
    referenceNodes.append(
      Program.ReferenceNode(operation: node.operation.name, path: node.path, stage: node.stage))
    let inputs = node.inputs.map { (buffer($0), graph.type(of: $0)) }
    let outputs = node.outputs.map { (output($0), graph.type(of: $0)) }
    emit(
      "reference \(node.operation.name)", reads: inputs.map(\.0), writes: outputs.map(\.0)
    ) { call in
      let arguments = inputs.indices.map { place in
        let type = inputs[place].1
        let bytes = UnsafeRawBufferPointer(
          start: call.reads[place],
          count: type.shape.elementCount * type.elementType.byteCount)
        return ReferenceArray(
          Tensor(bytes: bytes, shape: type.shape, elementType: type.elementType))
      }
      do throws(GraphError.IndexOutOfRange) {
        let results = try node.operation.evaluate(arguments, random: call.random)
        for (result, target) in zip(results, call.writes) {
          result.tensor.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            target.copyMemory(from: base, byteCount: bytes.count)
          }
        }
      } catch {
        call.report(error)
      }
    }
  }
}

/// The number of a buffer in a lowering.
struct BufferID: Hashable {
  let index: Int
}

/// Bytes that steps read and write.
struct Buffer {
  /// Where the bytes lie.
  enum Placement: Equatable {
    /// In the program's arena, wherever the plan puts them.
    case arena
    /// In the program's arena, for as long as the program lives.
    case pinned
    /// In a flat buffer of the parameter store, from this element on.
    case store(ParameterStore.Buffer, offset: Int)
    /// In a constant of the graph.
    case constant(Graph.ValueID)
  }

  let byteCount: Int
  var placement: Placement
}

/// One call of a kernel.
struct Step {
  let name: String
  let node: Int?
  let stage: Graph.Stage
  let reads: [BufferID]
  let writes: [BufferID]
  let inPlace: (write: BufferID, reads: [BufferID])?
  let scratchBytes: Int
  let run: (KernelCall) -> Void
}

extension Program {
  /// A node without a kernel.
  public struct ReferenceNode: Sendable, Hashable {
    /// The operation's name.
    public let operation: String
    /// The layer it was traced in.
    public let path: String
    /// The part of a step it belongs to.
    public let stage: Graph.Stage
  }
}

/// An operation that kernels can serve.
protocol KernelLowering: GraphOperation {
  /// Whether kernels serve it for every element type, as copies do.
  var servesEveryType: Bool { get }
  /// The inputs that may be int64 where all else is float32: labels and indices.
  var integerInputs: Set<Int> { get }
  /// The inputs that may be int32 or int64 where all else is float32: indices.
  var indexInputs: Set<Int> { get }

  /// Adds the steps of a node of this operation; false, before adding any, when no kernel serves it.
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool
}

extension KernelLowering {
  var servesEveryType: Bool { false }
  var integerInputs: Set<Int> { [] }
  var indexInputs: Set<Int> { [] }
}
