/// What a model may have at most: far more than any real one, and little enough that a small file can't
/// make the reader take much memory.
package struct WireLimits: Sendable {
  /// Things that are counted over the whole model, sub-graphs and functions included.
  package enum Counted: Int, CaseIterable, Sendable {
    case nodes, attributes, valueNames, tensors, values, listElements, functions, entries

    var name: String {
      switch self {
      case .nodes: "nodes"
      case .attributes: "attributes"
      case .valueNames: "names of node inputs and outputs"
      case .tensors: "tensors"
      case .values: "described values"
      case .listElements: "elements of attribute lists and dimensions"
      case .functions: "functions"
      case .entries: "metadata entries and operator sets"
      }
    }
  }

  private var counts: [Int]

  /// How deep messages may lie in each other; a sub-graph takes three levels.
  package var depth = 64
  /// The length of a name or of a metadata value, in bytes.
  package var textByteCount = 1 << 20
  /// The dimensions of a tensor.
  package var rank = 16
  /// The size of the file that holds the graph, in bytes: the most that protobuf itself allows.
  package var modelByteCount = Int(Int32.max)

  /// The limits of every model that is opened.
  package static let standard = WireLimits()

  package init() {
    counts = Counted.allCases.map { counted in
      switch counted {
      case .nodes, .tensors: 1 << 16
      case .attributes, .values: 1 << 18
      case .valueNames: 1 << 19
      case .listElements: 1 << 20
      case .functions: 1 << 12
      case .entries: 1 << 16
      }
    }
  }

  package subscript(counted: Counted) -> Int {
    get { counts[counted.rawValue] }
    set { counts[counted.rawValue] = newValue }
  }
}
