public import CrestTensor

extension RunState {
  /// The preprocessing of the run's data; nil if unknown.
  ///
  /// - Throws: ``StateError`` when it is invalid.
  public func preprocessing() throws(StateError) -> Preprocessing? {
    try value(at: "preprocessing")
  }

  /// The names of the run's classes; nil if there are none or they are unknown.
  ///
  /// - Throws: ``StateError`` when it is invalid.
  public func classNames() throws(StateError) -> [String]? { try value(at: "classNames") }

  /// The axis of a batch of predictions along which the run's classes lie; nil if only one axis is
  /// possible, or it is unknown.
  ///
  /// - Throws: ``StateError`` when it is invalid.
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
