public import CrestTensor

extension RunState {
  /// How the data were prepared that the run learns from; nil when the state doesn't say so.
  ///
  /// - Throws: ``StateError`` when what it says makes no sense.
  public func preprocessing() throws(StateError) -> Preprocessing? {
    try value(at: "preprocessing")
  }

  /// What the run's classes are called; nil when it has none, or the state doesn't say so.
  ///
  /// - Throws: ``StateError`` when what it says makes no sense.
  public func classNames() throws(StateError) -> [String]? { try value(at: "classNames") }

  /// The axis of a batch of predictions along which the run's classes lie; nil when there is but one place for them,
  /// or the state doesn't say so.
  ///
  /// - Throws: ``StateError`` when what it says makes no sense.
  public func classAxis() throws(StateError) -> Int? {
    guard let axis: Int = try value(at: "classAxis") else { return nil }
    guard axis >= 1 else {
      throw .mistyped(
        StateValue.Path(["data", "classAxis"]), expected: "an axis from 1 up", got: "\(axis)")
    }
    return axis
  }

  private func value<Value: Decodable>(at name: String) throws(StateError) -> Value? {
    let path = StateValue.Path(["data", name])
    guard let field = fields[path], field != .null else { return nil }
    do {
      return try field.decode(Value.self, at: path)
    } catch let error as StateError {
      throw error
    } catch {
      throw .mistyped(path, expected: "what a checkpoint says of its data", got: "\(error)")
    }
  }
}
