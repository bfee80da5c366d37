public import CrestTensor

extension ONNXFile {
  /// The metadata that Crest writes into a model's file: preprocessing, class names, and the class
  /// axis of the predictions.
  public struct Metadata: Sendable, Equatable {
    /// The key of a `Preprocessing`, a JSON object.
    public static let preprocessingKey = "crest.preprocessing"
    /// The key of the names of the classes, a JSON list.
    public static let classNamesKey = "crest.classes"
    /// The key of the axis of the predictions along which the classes lie, a number from 1 up: axis 0 is the batch.
    public static let classAxisKey = "crest.classAxis"

    /// The preprocessing; nil if unknown.
    public var preprocessing: Preprocessing?
    /// The class names, in the order of the outputs; nil if unknown.
    public var classNames: [String]?
    /// The class axis of a batch of predictions; nil if unknown.
    public var classAxis: Int?

    /// What is known of a model.
    public init(preprocessing: Preprocessing?, classNames: [String]?, classAxis: Int? = nil) {
      self.preprocessing = preprocessing
      self.classNames = classNames
      self.classAxis = classAxis
    }

    /// What a file says.
    ///
    /// - Throws: ``ONNXError/invalid(file:_:)`` when an entry isn't what Crest writes.
    init(_ model: CheckedModel) throws(ONNXError) {
      func text(_ key: String) -> String? { model.proto.metadata.first { $0.key == key }?.value }
      func problem(_ key: String, _ expected: String, _ got: String) -> ONNXError {
        .invalid(
          file: model.file,
          ONNXError.ModelProblem(
            place: "metadata \"\(key)\"", expected: expected,
            got: got.count > 200 ? "\(got.prefix(200))…" : got,
            advice: "export the model again, or remove the entry"))
      }
      if let text = text(Self.preprocessingKey) {
        do throws(JSONScanner.Fault) {
          preprocessing = try Preprocessing(json: text)
        } catch {
          throw problem(
            Self.preprocessingKey, "a JSON object of layout, divisor, mean and standardDeviation",
            text)
        }
      }
      if let text = text(Self.classNamesKey) {
        do throws(JSONScanner.Fault) {
          let names = try [String](json: text)
          classNames = names.isEmpty ? nil : names
        } catch {
          throw problem(Self.classNamesKey, "a JSON list of names", text)
        }
      }
      if let text = text(Self.classAxisKey) {
        guard let axis = Int(text), axis >= 1 else {
          throw problem(Self.classAxisKey, "the number of an axis from 1 up", text)
        }
        classAxis = axis
      }
    }

    /// The entries of what is known.
    var entries: [String: String] {
      var entries: [String: String] = [:]
      entries[Self.preprocessingKey] = preprocessing?.json
      entries[Self.classNamesKey] = classNames?.json
      entries[Self.classAxisKey] = classAxis.map { "\($0)" }
      return entries
    }
  }
}
