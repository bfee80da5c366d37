import Crest

/// What is wrong with the options together, or with what they lead to.
enum CommandError: Error, Equatable {
  /// A data set with several inputs, for a built-in model.
  case severalInputs(model: String, data: String, count: Int)
  /// A target that isn't one class or one row of numbers an example.
  case targetShape(model: String, data: String, shape: Shape)
  /// A name that isn't in a list.
  case unknownName(what: String, name: String, known: [String])
  /// A setting of a callback or plugin that isn't `key=value`.
  case malformedSetting(owner: String, setting: String)
  /// A setting that a callback doesn't have.
  case unknownSetting(callback: String, setting: String, known: [String])
  /// A setting given twice.
  case repeatedSetting(owner: String, setting: String)
  /// A setting that a callback must have.
  case missingSetting(callback: String, setting: String)
  /// The value of a setting can't be read.
  case settingValue(callback: String, setting: String, value: String, expected: String)
  /// An array for an input that has one already.
  case repeatedInput(String)
  /// An input without an array.
  case missingInput(String)
  /// Arrays for the inputs with different numbers of examples.
  case exampleCounts([Int])
  /// Metadata of a model that don't say how to prepare its inputs.
  case preprocessing(String)
  /// An input whose channels aren't those that the model's preparation is for.
  case channels(expected: Int, shape: Shape)
  /// A new head for a built-in network.
  case headOfBuiltIn(model: String)
  /// A new head without outputs.
  case headClasses(Int)
  /// Neither a file nor the list of operations to show.
  case nothingToInspect
  /// The sizes of an example that aren't positive numbers with commas.
  case malformedShape(String)
  /// ONNX's own checker refuses a file.
  case refusedByChecker(String)
  /// Two momenta without a cycle to move between them.
  case momentumPair(schedule: String)
  /// A style of 1cycle for another schedule.
  case styleWithout1cycle(schedule: String)
  /// A name that a new plugin can't have.
  case pluginName(String)
  /// A folder for a new package that is there.
  case folderExists(String)
  /// A question about ONNX files, asked of a checkpoint.
  case onnxOnly(path: String)
  /// An option about checkpoints without a folder for them.
  case needsCheckpointFolder(option: String)
  /// An option about resuming without that.
  case needsResume(option: String)
  /// The user ended the run, which is saved in the folder if there is one.
  case interrupted(epoch: Int, steps: Int, folder: String?)
  /// An array of a file that can't be trained.
  case untrainable(name: String, type: String, reason: String)

  var code: FailureCode {
    switch self {
    case .severalInputs, .targetShape, .exampleCounts, .preprocessing, .channels,
      .refusedByChecker:
      .data
    case .interrupted: .interrupted
    default: .usage
    }
  }
}

extension CommandError: CustomStringConvertible {
  /// What, where, expected, got, what to do.
  var description: String {
    switch self {
    case .severalInputs(let model, let data, let count):
      "--model \(model) takes one input, but \(data) has \(count); "
        + "give a data set with a single train-x.npy"
    case .targetShape(let model, let data, let shape):
      "--model \(model) gives one class or one row of numbers an example, but the targets of "
        + "\(data) have the shape \(shape); store them with at most two dimensions"
    case .unknownName(let what, let name, let known):
      "\(what): expected one of \(known.joined(separator: ", ")), got \"\(name)\""
    case .malformedSetting(let owner, let setting):
      "\(owner): expected settings as key=value, got \"\(setting)\"; "
        + "separate several by commas"
    case .unknownSetting(let callback, let setting, let known):
      known.isEmpty
        ? "--callback \(callback): it has no settings, got \"\(setting)\""
        : "--callback \(callback): expected settings \(known.joined(separator: ", ")), "
          + "got \"\(setting)\""
    case .repeatedSetting(let owner, let setting):
      "\(owner): \(setting) is given twice; give it once"
    case .missingSetting(let callback, let setting):
      "--callback \(callback): \(setting) is missing; "
        + "write it as \(callback):\(setting)=…"
    case .settingValue(let callback, let setting, let value, let expected):
      "--callback \(callback): \(setting) is \"\(value)\", expected \(expected)"
    case .repeatedInput(let name):
      "--input: the input \"\(name)\" is given twice; give one array for each input"
    case .missingInput(let name):
      "--input: the input \"\(name)\" is missing; add --input \(name)=FILE.npy"
    case .exampleCounts(let counts):
      "--input: expected arrays of as many examples each, at least 1, got "
        + "\(counts.map(String.init).joined(separator: ", ")); cut them to one number"
    case .preprocessing(let text):
      "--model: expected \(preprocessingKey) in the metadata to be a JSON object that crest wrote, got "
        + "\(text); export the model again"
    case .channels(let expected, let shape):
      "--input: expected examples with \(expected) channels along their first axis, for which the "
        + "model's preparation is, got shape \(shape); transpose them"
    case .headOfBuiltIn(let model):
      "--replace-head: it is for ONNX files, but --model is \(model), which is made for the data's "
        + "classes; leave it out"
    case .headClasses(let classes):
      "--replace-head: expected at least 1 class, got \(classes)"
    case .nothingToInspect:
      "inspect: expected an ONNX file, or --operators alone, got neither; name the file"
    case .malformedShape(let text):
      "--shape: expected sizes from 1 up with commas between, after the input's name and = if there "
        + "are several, got \"\(text)\""
    case .refusedByChecker(let message):
      "crest-onnx-check refuses the model: \(message)"
    case .momentumPair(let schedule):
      "--momentum: two values are the ends of a 1cycle, but the schedule is \(schedule); give one"
    case .styleWithout1cycle(let schedule):
      "--style: it is a convention of 1cycle, but the schedule is \(schedule); leave one of them out"
    case .pluginName(let name):
      "a plugin's name is letters, digits and _ and begins with a letter, got \"\(name)\""
    case .folderExists(let name):
      "\(name) is there already; choose another name, or remove it"
    case .onnxOnly(let path):
      "--arrays, --check and --shape: expected an ONNX file, got \(path); leave them out for a checkpoint"
    case .needsCheckpointFolder(let option):
      "\(option): expected --checkpoint-dir with it, got none; say where the run is saved"
    case .needsResume(let option):
      "\(option): expected --resume with it, got none; add it, or leave both out"
    case .interrupted(let epoch, let steps, let folder):
      "interrupted in epoch \(epoch) after \(steps) steps"
        + (folder.map { "; the run is saved in \($0), go on with --resume" } ?? "")
    case .untrainable(let name, let type, let reason):
      "--unfreeze: expected arrays of float32 that a gradient reaches, got \"\(name)\", \(type): "
        + "\(reason)"
    }
  }
}
