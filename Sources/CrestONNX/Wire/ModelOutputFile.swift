import CrestFiles
import CrestPlatform

/// A model's file or external data file in the making, whose failures are those of models.
struct ModelOutputFile: ~Copyable {
  private var file: OutputFile

  /// Where it will be.
  var path: String { file.path }

  /// A file that takes the place of what is at `path`, if anything; a link that lies there stays, and what it
  /// leads to is replaced.
  init(replacing path: String) throws(ONNXError) {
    do throws(OutputFailure) { file = try OutputFile(replacing: path) } catch {
      throw ONNXError(error)
    }
  }

  /// A file at a `path` where nothing is; nil when something is there.
  init?(creating path: String) throws(ONNXError) {
    do throws(OutputFailure) { file = try OutputFile(creating: path) } catch {
      if error.code == EEXIST { return nil }
      throw ONNXError(error)
    }
  }

  mutating func write(_ bytes: UnsafeRawBufferPointer) throws(ONNXError) {
    do throws(OutputFailure) { try file.write(bytes) } catch { throw ONNXError(error) }
  }

  /// Puts the file in its place, on the disk and not only in the system's memory.
  consuming func commit() throws(ONNXError) {
    do throws(OutputFailure) { try file.commit() } catch { throw ONNXError(error) }
  }
}

extension ONNXError {
  /// Why a model can't be written.
  init(_ failure: OutputFailure) {
    let isFull = [ENOSPC, EDQUOT, EFBIG].contains(failure.code)
    self = .unwritable(
      file: failure.path, reason: isFull ? failure.explanation : failure.reason)
  }
}
