public import CrestGraph
public import CrestLayers
public import CrestRuntime
public import CrestTensor

extension CheckpointFile {
  /// The weights of a checkpoint, with what it says about their network.
  ///
  /// ```swift
  /// let checkpoint = try CheckpointFile.Weights("best.safetensors")
  /// let model = try BuiltInModel.make("mlp", input: [4], classes: 3)
  /// try checkpoint.load(into: model)
  /// ```
  public struct Weights: Sendable {
    /// The file.
    public let path: String
    /// Parameters and running statistics by name.
    public let weights: [String: Tensor]
    /// The fingerprint of the graph; nil for weights that Crest didn't write.
    public let graphFingerprint: String?
    /// The fingerprint of the ONNX file that the network came from; nil when it came from none.
    public let sourceFingerprint: String?
    /// The preprocessing with which the weights were learned; nil if unknown.
    public let preprocessing: Preprocessing?
    /// The class names; nil if unknown.
    public let classNames: [String]?
    /// The axis of a batch of predictions along which the classes lie; nil when the file doesn't say.
    public let classAxis: Int?

    /// Reads any safetensors file, and verifies it if Crest wrote it.
    ///
    /// - Throws: ``CheckpointError``.
    public init(_ path: String) throws {
      self.path = path
      let state: RunState
      do throws(CheckpointError) {
        state = try CheckpointFile.read(path)
      } catch {
        guard case .notACheckpoint = error else { throw error }
        weights = try CheckpointFile.readWeights(path)
        (graphFingerprint, sourceFingerprint, preprocessing) = (nil, nil, nil)
        (classNames, classAxis) = (nil, nil)
        return
      }
      func text(_ path: String...) -> String? {
        if case .text(let text) = state.fields[StateValue.Path(path)] { text } else { nil }
      }
      weights = state.weights
      graphFingerprint = text("model", "graph")
      sourceFingerprint = text("model", "source")
      do throws(StateError) {
        preprocessing = try state.preprocessing()
        classNames = try state.classNames()
        classAxis = try state.classAxis()
      } catch {
        throw CheckpointError.unsuitable(path: path, error)
      }
    }

    /// Whether a graph is that of the network, as far as the file says.
    public func isOf(_ graph: Graph) -> Bool {
      graphFingerprint.map { $0 == graph.fingerprint } ?? true
    }

    /// Loads the weights into a model.
    ///
    /// - Throws: ``CheckpointError/weights(path:_:)`` when it doesn't have the same arrays.
    public func load(into model: Model) throws(CheckpointError) { try load(into: model.store) }

    /// Puts the weights into a store of the network's variables.
    ///
    /// - Throws: ``CheckpointError/weights(path:_:)`` when it doesn't have the same arrays.
    public func load(into store: ParameterStore) throws(CheckpointError) {
      do throws(StateError) {
        let restore = try store.restoration(
          store.parameters + store.statistics, from: .fields(weights.mapValues { .array($0) }),
          at: StateValue.Path([]))
        restore()
      } catch {
        throw .weights(path: path, error)
      }
    }
  }
}
