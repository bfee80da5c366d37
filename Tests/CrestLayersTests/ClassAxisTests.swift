import CrestGraph
import CrestLayers
import CrestTensor
import Testing

@Suite struct `The axis of classes` {
  struct Case: Sendable, CustomTestStringConvertible {
    let predictions: Shape
    let targets: ValueType
    var chosen: Int?
    var model: Int?
    var sums: Set<Int>?
    var softmax: Int?
    let axis: Int
    var alternative: Int?
    var reason = Loss.ClassAxis.Reason.shapes

    var testDescription: String {
      "\(predictions), \(targets), chosen \(chosen ?? 0), model \(model ?? 0), sums "
        + "\((sums ?? []).sorted()), softmax \(softmax ?? 0)"
    }
  }

  static let cases = [
    Case(predictions: [2, 10], targets: ValueType([2], .int64), axis: 1),
    Case(predictions: [2, 10], targets: ValueType([2, 10]), axis: 1),
    Case(predictions: [2, 5, 7], targets: ValueType([2, 7], .int64), axis: 1),
    Case(predictions: [2, 7, 5], targets: ValueType([2, 7], .int64), axis: 2),
    Case(
      predictions: [2, 7, 7], targets: ValueType([2, 7], .int64), axis: 1, alternative: 2,
      reason: .convention),
    Case(
      predictions: [2, 7, 7], targets: ValueType([2, 7], .int64), softmax: 2, axis: 2,
      alternative: 1, reason: .finalSoftmax),
    Case(
      predictions: [2, 7, 7], targets: ValueType([2, 7], .int64), chosen: 2, axis: 2,
      reason: .chosen),
    Case(
      predictions: [2, 7, 7], targets: ValueType([2, 7], .int64), chosen: -1, axis: 2,
      reason: .chosen),
    Case(predictions: [2, 3, 8, 9], targets: ValueType([2, 8, 9], .int64), axis: 1),
    Case(predictions: [2, 8, 9, 3], targets: ValueType([2, 8, 9], .int64), axis: 3),
    Case(
      predictions: [2, 8, 3, 9], targets: ValueType([2, 8, 9], .int64), chosen: 2, axis: 2,
      reason: .chosen),
    // The softmax runs along an axis that the targets rule out.
    Case(predictions: [2, 5, 7], targets: ValueType([2, 7], .int64), softmax: 2, axis: 1),
    // Probabilities have the predictions' shape, which leaves both.
    Case(
      predictions: [2, 5, 7], targets: ValueType([2, 5, 7]), axis: 1, alternative: 2,
      reason: .convention),
    Case(
      predictions: [2, 5, 7], targets: ValueType([2, 5, 7]), softmax: 2, axis: 2, alternative: 1,
      reason: .finalSoftmax),
    Case(
      predictions: [2, 5, 7], targets: ValueType([2, 5, 7]), sums: [2], axis: 2, alternative: 1,
      reason: .targetSums),
    Case(
      predictions: [2, 5, 7], targets: ValueType([2, 5, 7]), sums: [1], softmax: 2, axis: 1,
      alternative: 2, reason: .targetSums),
    Case(
      predictions: [2, 5, 7], targets: ValueType([2, 5, 7]), sums: [1, 2], axis: 1, alternative: 2,
      reason: .convention),
    Case(
      predictions: [2, 5, 7], targets: ValueType([2, 5, 7]), sums: [], softmax: 2, axis: 2,
      alternative: 1, reason: .finalSoftmax),
    // What was learned comes before what these data look like, and a choice before that.
    Case(
      predictions: [2, 5, 7], targets: ValueType([2, 5, 7]), model: 2, sums: [1], axis: 2,
      alternative: 1, reason: .model),
    Case(
      predictions: [2, 7, 7], targets: ValueType([2, 7], .int64), model: 2, softmax: 1, axis: 2,
      alternative: 1, reason: .model),
    Case(
      predictions: [2, 7, 7], targets: ValueType([2, 7], .int64), chosen: 1, model: 2, axis: 1,
      reason: .chosen),
    Case(
      predictions: [2, 8, 3, 9], targets: ValueType([2, 8, 9], .int64), model: 2, axis: 2,
      reason: .model),
    // Of labels that the learned axis doesn't suit, the shape decides.
    Case(predictions: [2, 5, 7], targets: ValueType([2, 7], .int64), model: 2, axis: 1),
  ]

  @Test(arguments: cases)
  func `follows from the shapes, the model, sums of targets, the final softmax, ONNX`(_ row: Case)
    throws
  {
    let found = try Loss.ClassAxis(
      predictions: row.predictions, targets: row.targets, chosen: row.chosen,
      modelAxis: row.model, summingAxes: row.sums, softmaxAxis: row.softmax, loss: "cross-entropy")
    #expect(found.axis == row.axis)
    #expect(found.alternative == row.alternative)
    #expect(found.reason == row.reason)
  }

  static let refusals: [(predictions: Shape, targets: ValueType, chosen: Int?, message: String)] = [
    (
      [2, 30, 20], ValueType([2, 25], .int64), nil,
      "cross-entropy: expected labels [N, 20] (classes along axis 1) or labels [N, 30] (classes along "
        + "axis 2) for predictions [N, 30, 20], got int64 [N, 25]; give targets of that shape, or choose "
        + "a network for these"
    ),
    (
      [2, 30, 20], ValueType([2, 30], .int64), 1,
      "cross-entropy: expected labels [N, 20] (classes along axis 1) for predictions [N, 30, 20], got "
        + "int64 [N, 30]; give targets of that shape, or choose a network for these"
    ),
    (
      [2, 3], ValueType([2, 3], .int64), nil,
      "cross-entropy: expected labels [N] (classes along axis 1) for predictions [N, 3], got "
        + "int64 [N, 3]; for binary labels choose the loss bce"
    ),
    (
      [2, 3], ValueType([2, 4]), nil,
      "cross-entropy: expected target probabilities of the same shape for predictions [N, 3], got "
        + "float32 [N, 4]; give targets of that shape, or choose a network for these"
    ),
    (
      [2], ValueType([2], .int64), nil,
      "cross-entropy: expected predictions [N, C, …] of C classes, got [N]; give the network one "
        + "output per class"
    ),
    (
      [2, 30, 20], ValueType([2, 30], .int64), 3,
      "class axis of cross-entropy: expected an axis of predictions [N, 30, 20] from 1 to 2 (axis 0 is "
        + "the batch), got 3"
    ),
    (
      [2, 30, 20], ValueType([2, 30], .int64), 0,
      "class axis of cross-entropy: expected an axis of predictions [N, 30, 20] from 1 to 2 (axis 0 is "
        + "the batch), got 0"
    ),
    (
      [2, 30, 20], ValueType([2, 30], .int64), -4,
      "class axis of cross-entropy: expected an axis of predictions [N, 30, 20] from 1 to 2 (axis 0 is "
        + "the batch), got -4"
    ),
    (
      [2, 30, 20], ValueType([2, 30], .int64), .min,
      "class axis of cross-entropy: expected an axis of predictions [N, 30, 20] from 1 to 2 (axis 0 is "
        + "the batch), got -9223372036854775808"
    ),
  ]

  @Test(arguments: refusals)
  func `targets along no axis are refused`(
    row: (predictions: Shape, targets: ValueType, chosen: Int?, message: String)
  ) throws {
    let error = #expect(throws: LossError.self) {
      _ = try Loss.ClassAxis(
        predictions: row.predictions, targets: row.targets, chosen: row.chosen,
        loss: "cross-entropy")
    }
    #expect(error?.description == row.message)
  }
}
