import CrestData
import CrestGraph
import CrestLayers
import CrestTensor

/// A data set prepared for a model, with the notes on that.
struct DataPreparation {
  let data: DataSplit
  let notes: [Learner.Note]

  /// Prepares both parts of `data` alike.
  ///
  /// - Throws: `DataError` when the set can't be prepared so; ``LearnerError``.
  init(
    _ data: DataSplit, for model: Model, by choice: Preprocessing.Choice
  ) throws {
    let own = data.train.preprocessing
    // A network can't read by other tokens than those it learned.
    if let texts = own.texts, let learned = model.preprocessing?.texts,
      !texts.hasSameTokens(as: learned)
    {
      throw DataError.unsuitablePreprocessing(
        name: data.train.name,
        reason:
          "its texts are cut into other tokens (\(texts)) than the model has learned (\(learned))")
    }
    if choice == .model, let known = model.preprocessing?.table, let table = own.table,
      known != table
    {
      throw DataError.otherTable(name: data.train.name)
    }
    // What isn't float32 is nothing to normalise.
    let isFloat = model.inputs.allSatisfy { $0.elementType == .float32 }
    let known = (isFloat ? model.preprocessing : nil).map { $0.of(Self.images(own, $0, model)) }
    let wanted =
      switch choice {
      case .model: isFloat ? known ?? own : .identity
      case .data: own
      case .none: Preprocessing.identity
      }
    self.data =
      wanted.isSame(as: own) && data.valid.preprocessing.isSame(as: own)
      ? data : try data.prepared(by: wanted)

    var notes: [Learner.Note] = []
    let name = data.train.name
    if let known, !known.isSame(as: wanted) {
      notes.append(.preparedUnlikeModel(wanted, model: known, data: name))
    } else if known != nil, !wanted.isSame(as: own) {
      notes.append(.preparedAsModel(wanted, own: own, data: name))
    } else if !wanted.isSame(as: own) {
      notes.append(.preparedUnlikeData(wanted, own: own, data: name))
    } else if known == nil, !wanted.isIdentity {
      let isOfBytes = data.notes.contains { if case .byteImages = $0 { true } else { false } }
      if model.template.sourceFingerprint != nil {
        notes.append(.modelSaysNothing(wanted, data: name))
      } else if isOfBytes {
        notes.append(.preparedByStatistics(wanted, data: name))
      }
    }
    if let note = ClassNames(model, data.train).note { notes.append(note) }
    self.notes = notes
  }
}

extension DataPreparation {
  /// How image files become arrays: as the set has them if the model takes that, or else as it was trained.
  private static func images(
    _ own: Preprocessing, _ known: Preprocessing, _ model: Model
  ) -> Preprocessing.Images? {
    guard let images = own.images, let trained = known.images else {
      return own.images ?? known.images
    }
    let shapes = [images.shape, [images.height, images.width, images.channels]]
    return model.inputs.first.map { shapes.contains($0.shape) } ?? false ? images : trained
  }
}

/// The class names of a model and of a data set.
struct ClassNames {
  private let model: [String]?
  private let data: [String]?
  private let dataName: String

  init(_ model: Model, _ dataset: any Dataset) {
    self.model = model.classNames
    data = dataset.target.classNames
    dataName = dataset.name
  }

  /// The class names of a model after training on the data: real names before numbers, the data's
  /// before the model's; of numbers, the longer list.
  var afterTraining: [String]? {
    guard let data else { return model }
    guard let model else { return data }
    if data.areNumbers { return model.areNumbers && data.count > model.count ? data : model }
    return data
  }

  /// The note if they differ.
  var note: Learner.Note? {
    guard let model, let data, model != data else { return nil }
    if !model.areNumbers, !data.areNumbers {
      return .otherClasses(model: model, data: data, name: dataName)
    }
    return model.count == data.count
      ? nil : .otherClassCount(model: model.count, data: data.count, name: dataName)
  }
}

extension [String] {
  /// Whether each name is its own index, as for classes without names.
  fileprivate var areNumbers: Bool { enumerated().allSatisfy { "\($0.offset)" == $0.element } }
}
