import CrestCallbacks
import CrestData
import CrestLayers
import CrestRuntime
import CrestTraining
import Testing
import TrainingTestSupport

@Suite struct BatchSizeTests {
  @Test func `tries the sizes that the set has, and leaves everything as it was`() throws {
    let learner = try Learner(
      TinyModel.full(), data: TinyData.split(train: 100), callbacks: [Recorder()], batchSize: 10)
    try learner.fit(epochs: 1, learningRate: 0.1)
    let (before, steps) = (learner.model.store.snapshot(), learner.stepsTaken)
    let findings = try learner.findBatchSize(
      sizes: [2, 16, 64, 200], steps: 3, noiseSteps: 40, learningRate: 0.01)
    #expect(findings.points.map(\.batchSize) == [2, 16, 64])
    #expect(findings.points.allSatisfy { $0.examplesPerSecond > 0 })
    #expect(findings.noiseScale.map { $0 >= 0 } ?? true)
    #expect(findings.tooLarge == nil)
    #expect(learner.model.store.snapshot() == before && learner.stepsTaken == steps)
    #expect(learner.trainLoader.batchSize == 10)
  }

  @Test(arguments: [
    // Rates of 8, 16, 32, 64; the noise scale; the suggestion.
    ([100.0, 190, 300, 310], 40.0 as Double?, 32), ([100, 190, 300, 310], 20, 16),
    ([100, 190, 300, 310], nil, 32), ([100, 190, 300, 310], 3, 8), ([300, 301, 299, 290], nil, 8),
  ])
  func `suggests the smallest useful size that is nearly as fast as any`(
    rates: [Double], noise: Double?, size: Int
  ) {
    let points = zip([8, 16, 32, 64], rates).map {
      BatchSizeFindings.Point(batchSize: $0, examplesPerSecond: $1)
    }
    let findings = BatchSizeFindings(points: points, noiseScale: noise, tooLarge: nil)
    #expect(findings.suggestion == size)
    #expect(BatchSizeFindings(points: [], noiseScale: noise, tooLarge: 8).suggestion == nil)
  }

  @Test func `numbers without a meaning are refused`() throws {
    let learner = try Learner(TinyModel.linear(), data: TinyData.split())
    func message(_ body: () throws -> BatchSizeFindings) -> String? {
      #expect(throws: CallbackError.self) { _ = try body() }?.description
    }
    #expect(
      message { try learner.findBatchSize(sizes: []) }
        == "findBatchSize: sizes is [], expected sizes from 1 up, in ascending order")
    #expect(
      message { try learner.findBatchSize(sizes: [8, 4]) }
        == "findBatchSize: sizes is [8, 4], expected sizes from 1 up, in ascending order")
    #expect(
      message { try learner.findBatchSize(steps: 0) }
        == "findBatchSize: steps is 0, expected from 1 to 1000000")
    #expect(
      message { try learner.findBatchSize(noiseSteps: -1) }
        == "findBatchSize: noiseSteps is -1, expected from 0 to 1000000")
  }
}
