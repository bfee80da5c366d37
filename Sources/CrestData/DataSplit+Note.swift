import CrestFiles
public import CrestTensor

extension DataSplit {
  /// What the user should know about how a data set was interpreted.
  public enum Note: Sendable, Hashable {
    /// Images of bytes, which are normalised by their own statistics.
    case byteImages(input: String)
    /// Bytes that aren't images and are used as they are.
    case bytesAsStored(input: String, shape: Shape)
    /// Integers other than bytes, or booleans, which are used as they are, as `float32`.
    case integersAsFloats(input: String)
    /// Labels in a column, taken as one class per example.
    case columnLabels(path: String)
    /// Arrays named like a part of the set that aren't read.
    case unreadParts(names: [String])
    /// Integer one-hot targets, taken as probabilities of classes.
    case oneHotLabels(name: String, shape: Shape)
    /// Images for which it isn't clear whether channels are first or last, taken as channels first.
    case channelsAssumed(Shape)
    /// Images whose axes were put in another order.
    case rearranged(from: Shape, to: Shape)
    /// Image files, of these sizes at least and at most, that are brought to one.
    case imageFiles(
      count: Int, classes: [String], smallest: Shape, largest: Shape, Preprocessing.Images)
    /// Files in a folder of images that aren't read, and how many for each reason.
    case filesLeftOut(folder: String, [String: Int])
    /// Classes whose names differ in case alone.
    case classesInTwoCases([String])
    /// Classes whose only examples are those of validation.
    case untrainedClasses([String])
    /// A text that is cut into windows: its tokens in each part, and how many of them are unknown.
    case textFile(
      path: String, Preprocessing.Texts, trainCount: Int, validCount: Int?, unknownCount: Int)
    /// Texts of a table, how many lose their ends, and how many of their tokens are unknown.
    case textTable(
      path: String, count: Int, classes: [String], Preprocessing.Texts, cutCount: Int,
      unknownCount: Int, tokenCount: Int)
    /// A folder that training doesn't use.
    case partNotUsed(path: String)
    /// A table, and what its columns became.
    case table(rowCount: Int, Preprocessing.Table)
    /// Columns of a table that aren't used, each with the reason.
    case columnsLeftOut([String: String])
    /// Cells of a column whose text isn't among those of training, and the first such text.
    case unseenCategories(path: String, column: String, count: Int, first: String)
    /// Cells of a column that are missing, while none is in training.
    case filledNumbers(path: String, column: String, count: Int)
  }
}

extension DataSplit.Note: CustomStringConvertible {
  /// What it is, what was done, and what to do if that is wrong.
  public var description: String {
    switch self {
    case .byteImages(let input):
      "\"\(input)\" holds images of bytes, from 0 to 255: they are divided by 255 and normalised by their own "
        + "mean and standard deviation, unless the model says how its inputs were preprocessed; store floats to "
        + "preprocess them yourself"
    case .bytesAsStored(let input, let shape):
      "\"\(input)\" holds bytes, \(shape) per example, which are used as they are, from 0 to 255; if they are "
        + "pixels, divide them by 255, or store them as images"
    case .integersAsFloats(let input):
      "\"\(input)\" holds integers, which are used as they are, as floats; if they are pixels, divide them "
        + "by the largest possible value"
    case .oneHotLabels(let name, let shape):
      "the targets of \(name), integers of shape \(shape), are one-hot: they are used as probabilities of "
        + "classes; the loss bce treats each as a separate binary label"
    case .channelsAssumed(let shape):
      "images of shape \(shape) are read as \(shape[0]) channels of \(shape[1]) × \(shape[2]); if the channels "
        + "are last, store them first"
    case .columnLabels(let path):
      "the labels of \(path) have the shape [N, 1] and are read as [N], one class per example"
    case .unreadParts(let names):
      "\(names.joined(separator: ", ")) \(names.count == 1 ? "is" : "are") not read: the validation arrays are "
        + "called valid-x.npy and valid-y.npy"
    case .imageFiles(let count, let classes, let smallest, let largest, let images):
      "\(count) images of \(classes.count) classes (\(classes.joined(separator: ", "))), "
        + (smallest == largest ? "\(largest)" : "\(smallest) to \(largest)")
        + " rows and columns, become \(images)"
    case .filesLeftOut(let folder, let counts):
      "in \(folder) are left out: "
        + counts.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }
        .joined(separator: ", ")
    case .classesInTwoCases(let names):
      "the classes \(names.joined(separator: ", ")) differ in case alone, and are taken as different"
    case .untrainedClasses(let names):
      "the \(names.count == 1 ? "class" : "classes") \(names.joined(separator: ", ")) can't be learned: validation has the "
        + "only example; add more"
    case .textFile(let path, let texts, let trainCount, let validCount, let unknownCount):
      "\(path) has \(trainCount) tokens for training"
        + (validCount.map { " and, at its end, \($0) for validation" } ?? "")
        + " (\(texts))" + (unknownCount > 0 ? "; \(unknownCount) of them are unknown" : "")
    case .textTable(
      let path, let count, let classes, let texts, let cutCount, let unknownCount, let tokenCount):
      "\(path) has \(count) texts of \(classes.count) classes (\(classes.joined(separator: ", "))) (\(texts))"
        + (cutCount > 0
          ? "; \(cutCount) lose their ends, which --sequence-length prevents" : "")
        + (unknownCount > 0 ? "; \(unknownCount) of \(tokenCount) tokens are unknown" : "")
    case .partNotUsed(let path): "\(path) is not used in training"
    case .table(let rowCount, let table):
      "\(rowCount) \(rowCount == 1 ? "row" : "rows") predict \(table.targetColumn.shown(limit: 40)), "
        + table.target.summary + ", from "
        + [("categories", table.categories.map(\.name)), ("numbers", table.numbers.map(\.name))]
        .filter { !$0.1.isEmpty }
        .map { "\($0.1.count) \($0.0) (\($0.1.listed))" }.joined(separator: " and ")
    case .columnsLeftOut(let reasons):
      "left out: "
        + reasons.sorted { $0.key < $1.key }.map { "\($0.key.shown(limit: 40)) (\($0.value))" }
        .joined(separator: ", ")
    case .unseenCategories(let path, let column, let count, let first):
      "\(count) \(count == 1 ? "cell" : "cells") of \(column.shown(limit: 40)) in \(path) "
        + "\(count == 1 ? "holds" : "hold") what training hasn't seen, as \"\(first.shown(limit: 40))\"; "
        + "\(count == 1 ? "it counts" : "they count") as missing"
    case .filledNumbers(let path, let column, let count):
      "\(count) \(count == 1 ? "cell" : "cells") of \(column.shown(limit: 40)) in \(path) "
        + "\(count == 1 ? "is" : "are") missing, and none in training; the median of training stands for "
        + "\(count == 1 ? "it" : "them")"
    case .rearranged(let stored, let wanted) where stored.rank == wanted.rank:
      "the images are \(stored), "
        + (ImageArrangement(from: stored, to: wanted) == .channelsFirst
          ? "rows, columns and channels: they are transposed to \(wanted), channels first"
          : "channels, rows and columns: they are transposed to \(wanted), channels last")
        + ", which the model takes"
    case .rearranged(let stored, let wanted):
      "the images are \(stored), rows and columns: they are reshaped to \(wanted), with one channel, which the "
        + "model takes"
    }
  }
}

extension Preprocessing.Table.Target {
  /// As in `one of 2 classes (no, yes)`.
  fileprivate var summary: String {
    switch self {
    case .classes(let names): "one of \(names.count) classes (\(names.listed))"
    case .values: "a number"
    }
  }
}
