import Foundation
import ProcessSupport
import Testing

@Suite struct `crest inspect` {
  private static func model(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/onnx/import/\(name).onnx").path(percentEncoded: false)
  }

  @Test func `describes a file in lines of 80 columns`() throws {
    let path = Self.model("embedding")
    let result = try CrestProcess.run(["inspect", path])
    #expect(result.status == 0)
    #expect(result.error == "")
    let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
    let body = lines.drop { $0 != "inputs" }.map {
      // The widths of columns depend on the machine.
      $0.replacing(/(avx512|avx2|neon|baseline)( *)/) { $0.2.isEmpty ? "kernels" : "kernels " }
    }
    let expected = """
      inputs
        x  int64 [N, 4]

      outputs
        y  float32 of any shape

      operations
                    count  opsets  forward  backward
        Gather          1  1–28    kernels kernels
        ReduceMean      1  1–17    kernels kernels

      arrays
                     count  numbers  bytes
        trained          1       15     60
        not trained      0        0      0
        statistics       0        0      0
        constants        0        0      0

        table  [5, 3]  trained: weight of Gather

      work: 0 floating-point operations per example, forward (convolutions and matrix
        products)

      """
    #expect(body.joined(separator: "\n") == expected)
    #expect(lines.allSatisfy { $0.count <= max(80, path.count) })
  }

  @Test func `prints JSON, one object a line`() throws {
    let result = try CrestProcess.run(["inspect", Self.model("final-softmax"), "--json"])
    #expect(result.status == 0)
    let objects = try result.objects()
    #expect(
      objects.compactMap { $0["event"] as? String } == [
        "model", "input", "output", "operation", "operation", "arrays", "arrays", "arrays",
        "arrays", "array", "array", "note", "result",
      ])
    #expect(objects.last?["imported"] as? Bool == true)
    #expect(objects.last?["work_per_example"] as? Double == 24)
    #expect(objects[1]["shape"] as? [AnyHashable] == ["N", 4])
  }

  @Test func `describes a file that can't be imported, lists all it lacks, and ends with 65`()
    throws
  {
    let path = Self.model("broken/unsupported")
    let result = try CrestProcess.run(["inspect", path, "--check"])
    #expect(result.status == 65)
    #expect(
      result.error
        == "Error: \(path): 2 of its nodes can't be run: NonMaxSuppression (opset 17) at \"nms\"; "
        + "com.example.Foo (opset 1) at \"b\"; export the model without these operations\n")
    #expect(
      result.output.contains(
        """
        can't be imported:
          NonMaxSuppression (opset 17) at "nms"
          com.example.Foo (opset 1) at "b"

        """))
    #expect(
      result.output.hasSuffix("crest-onnx-check: not run, because the model can't be imported\n"))
  }

  @Test(
    .enabled(if: Executable.hasONNXCheck, "\(Executable.whyNoONNXCheck)"),
    arguments: [
      // ONNX's checker of Debian 12 wants a shape of every output, which these models don't state.
      ("final-softmax", 65, "crest-onnx-check: refused:"),
      ("frozen-batch", 0, "crest-onnx-check: valid\n"),
      (
        "gelu-20", 0,
        "crest-onnx-check: not run, because the model has opset 20, and the checker knows\n  opsets "
          + "up to 17\n"
      ),
    ])
  func `asks the official checker where that can judge`(
    name: String, status: Int32, verdict: String
  ) throws {
    let folder = Executable.onnxCheck.url.deletingLastPathComponent().path
    let result = try Executable.env.run([
      "PATH=\(folder)", CrestProcess.path, "inspect", Self.model(name), "--check",
    ])
    #expect(result.status == status)
    #expect(result.output.contains(verdict), "\(result.output)")
    #expect(result.error.hasPrefix("Error: crest-onnx-check refuses the model: ") == (status == 65))
  }

  @Test func `lists operations with the opsets of their forms`() throws {
    let result = try CrestProcess.run(["inspect", "--operators"])
    #expect(result.status == 0)
    let rows = result.output.split(separator: "\n").map {
      $0.split(separator: " ", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
    }
    #expect(rows.contains(["Conv", "opset 1–28"]))
    #expect(rows.contains(["Softmax", "opset 1–12, 13–28"]))
    let objects = try CrestProcess.run(["inspect", "--operators", "--json"]).objects()
    #expect(objects.count == rows.count)
    #expect(objects.allSatisfy { $0["event"] as? String == "operator" })
  }

  @Test(
    arguments: [
      (
        [], 64, "inspect: expected an ONNX file, or --operators alone, got neither; name the file"
      ),
      (
        [model("two-inputs"), "--shape", "3"], 64, "--shape: expected one of b, a, got \"3\""
      ),
      (
        [model("broken/open-size"), "--shape", "x=3,x"], 64,
        "--shape: expected sizes from 1 up, separated by commas, after the input's name and = if "
          + "there are several, got \"x=3,x\""
      ),
      (
        [model("broken/cycle")], 65,
        "\(model("broken/cycle")): node \"b\" (Relu): expected a graph without cycles, got an input "
          + "that depends on its own output"
      ),
      (["nowhere.onnx"], 74, "nowhere.onnx can't be read: No such file or directory"),
    ] as [([String], Int32, String)])
  func `refuses what it can't look at`(
    arguments: [String], status: Int32, message: String
  ) throws {
    let result = try CrestProcess.run(["inspect"] + arguments)
    #expect(result.error == "Error: \(message)\n")
    #expect(result.status == status)
  }
}
