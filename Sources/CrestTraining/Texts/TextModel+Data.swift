public import CrestData
public import CrestLayers
public import CrestRuntime
import CrestTensor

extension TextModel {
  /// Makes the model with a name for texts: of ``TextFile`` a language model, of ``TextTable`` a classifier.
  ///
  /// - Parameters:
  ///   - name: One of `TextModel.names`.
  ///   - data: The texts.
  ///   - seed: The seed of the initial values.
  ///   - engine: The engine for its programs; nil makes one with all cores.
  /// - Returns: The model, ending in logits.
  /// - Throws: `ModelError` when the name is unknown or the model doesn't predict that; `EngineError` when an engine can't
  ///   be made.
  /// - Precondition: the data are texts.
  public static func make(
    _ name: String, for data: DataSplit, seed: UInt64 = 0, engine: Engine? = nil
  ) throws -> Model {
    guard let texts = data.train.preprocessing.texts else {
      programmerError("\(data.train.name) has no texts for the model \(name)")
    }
    let target = data.train.target
    return try make(
      name, for: texts, classes: target.shape.rank == 0 ? target.classNames?.count : nil,
      seed: seed, engine: engine)
  }
}
