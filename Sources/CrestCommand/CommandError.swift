import Crest

/// What is wrong with a combination of options, or with what they refer to.
enum CommandError: Error, Equatable {
  /// A data set with several inputs, for a built-in model.
  case severalInputs(model: String, data: String, count: Int)
  /// The network for tables, for other data.
  case tabularOfOther(data: String)
  /// A target that isn't one class or one row of numbers per example.
  case targetShape(model: String, data: String, shape: Shape)
  /// An unknown name.
  case unknownName(what: String, name: String, known: [String])
  /// A setting of a callback or plugin that isn't `key=value`.
  case malformedSetting(owner: String, setting: String)
  /// A setting that a callback doesn't have.
  case unknownSetting(owner: String, setting: String, known: [String])
  /// A setting given twice.
  case repeatedSetting(owner: String, setting: String)
  /// A setting given by two options.
  case settingTwice(setting: String, first: String, second: String)
  /// A required setting of a callback that is missing.
  /// Label smoothing that isn't a part.
  case labelSmoothing(Double)
  /// Figures of three channels for a network that takes grey images.
  case greyImages(option: String)
  /// Fine-tuning of what isn't an ONNX file.
  case fineTunesFiles(model: String)
  /// Epochs for the last layer alone that leave none for all.
  case frozenEpochs(Int, epochs: Int)
  /// A schedule for fine-tuning, which has its own.
  case scheduleOfFineTuning(option: String)
  /// Other rates than one number for fine-tuning.
  case rateOfFineTuning
  /// A network for texts, with data that are none.
  case modelOfTexts(String, data: String)
  /// A network for numbers, with texts.
  case modelOfNumbers(String, data: String)
  /// A number of tokens that no network sees at once.
  case sequenceLength(Int)
  /// A model that doesn't say how texts become its inputs.
  case noTexts(model: String)
  /// A model that doesn't predict classes of texts.
  case noTextClasses(model: String)
  /// A number for writing that is out of range.
  case generation(option: String, expected: String, got: String)
  /// A part for validation that isn't one.
  case validFraction(Double)
  /// A part for validation of examples that all are for training.
  case fractionOfAll
  /// Label smoothing of a loss other than the cross-entropy.
  case smoothingOfOther(loss: String)
  /// Two decays of one callback.
  case cubicDecay
  /// A setting that has to be given.
  case missingSetting(owner: String, name: String, setting: String)
  /// A value of a setting that can't be read.
  case settingValue(owner: String, setting: String, value: String, expected: String)
  /// An array for an input that has one already.
  case repeatedInput(String)
  /// An input without an array.
  case missingInput(String)
  /// Arrays for the inputs with different numbers of examples.
  case exampleCounts([Int])
  /// An input whose channels aren't those that the model's preprocessing is for.
  case unsuitableInput(PreprocessingError)
  /// A new head for a built-in network.
  case headOfBuiltIn(model: String)
  /// A new head without outputs.
  case headClasses(Int)
  /// Neither a file nor `--operators` was given.
  case nothingToInspect
  /// The sizes of an example that aren't positive numbers with commas.
  case malformedShape(String)
  /// ONNX's own checker refuses a file.
  case refusedByChecker(String)
  /// Two momentum values without a 1cycle schedule.
  case momentumPair(schedule: String)
  /// A style of 1cycle for another schedule.
  case styleWithout1cycle(schedule: String)
  /// 1cycle as one of several schedules in a row.
  case oneCycleInSequence
  /// A warm-up that nothing follows.
  case warmUpAtEnd
  /// Schedules in a row of which not one lacks a length, but so many.
  case scheduleLengths(missing: Int)
  /// A rate to be found for another schedule than 1cycle.
  case automaticRate(AutomaticLR, schedule: String)
  /// A form of the live estimate that there isn't.
  case estimateForm(String)
  /// A name that a new plugin can't have.
  case pluginName(String)
  /// A folder for a new package that already exists.
  case folderExists(String)
  /// An option for ONNX files, used with a checkpoint.
  case onnxOnly(path: String)
  /// Images for a model that doesn't say which it takes.
  case noImages(model: String)
  /// Images for a model of several inputs.
  case imagesOfSeveral(inputs: [String])
  /// Predictions of images that aren't of classes.
  case noClassPredictions(shape: Shape, classes: Int?)
  /// An option that does nothing without another.
  case needs(option: String, other: String, advice: String)
  /// What is wrong with a table, or with how it is to be read.
  case table(TableProblem)
  /// A learning rate that `float32` can't represent.
  case learningRate(Double)
  /// The user interrupted the run, which is saved in the folder if there is one.
  case interrupted(epoch: Int, steps: Int, folder: String?)
  /// An input that the model doesn't have; nil if an array or axis doesn't say which of several
  /// inputs it is for.
  case unknownInput(option: String, String?, known: [String])
  /// A batch axis that isn't a number from 0 up.
  case batchAxis(String)
  /// Two batch axes of an input.
  case repeatedBatchAxis(String)
  /// A batch axis of a built-in network.
  case batchAxisOfBuiltIn(model: String)
  /// An architecture for a model that is already a network.
  case architectureOfModel(String)
  /// Weights that don't say which network they belong to.
  case needsArchitecture(String, isFromFile: Bool)
  /// Weights of another network.
  case otherNetwork(String, architecture: String)
  /// A checkpoint whose weights can't be used.
  case unusableWeights(String, StateError)
  /// A built-in network to export without the shape of its examples.
  case needsShape
  /// A model that isn't a file.
  case nothingToExport(String)
  /// A prediction by an untrained network.
  case untrainedPrediction(model: String)
  /// A new head for weights that already have one.
  case headOfWeights(String)
  /// The user interrupted the run, which could not be saved.
  case notSaved(epoch: Int, steps: Int, reason: String, newest: String?)
  /// An error that ended a run, and whether the run is saved.
  case ended(by: String, FailureCode, epoch: Int, steps: Int, SavedRun)
  /// A run that finished normally but whose last checkpoint could not be written.
  case lastSaveFailed(reason: String)
  /// An output that would overwrite what is read.
  case outputOverInput(NamedOutput, input: String)
  /// An option with one dash, as `-epochs`.
  case singleDash(String)
  /// Two outputs that would overwrite each other.
  case sameOutput(first: NamedOutput, second: NamedOutput)
  /// A seed that isn't a number from 0 up.
  case seed(String)
  /// A model that is neither built in nor a file with a known extension.
  case unknownModel(String)
  /// A range test that ended too early to suggest a learning rate.
  case noLearningRate(rate: Double, count: Int, loss: Double)
  /// A sweep of too few learning rates to suggest one.
  case tooFewRates(Int)
  /// An array of a file that can't be trained.
  case untrainable(name: String, type: String, reason: String)

  /// Whether an interrupted run is saved.
  enum SavedRun: Equatable {
    /// It is saved in a folder.
    case saved(folder: String)
    /// It could not be saved; the newest existing checkpoint, if any.
    case notSaved(reason: String, newest: String?)

    /// As in `the run is saved in run; resume it with --resume`.
    var text: String {
      switch self {
      case .saved(let folder): "the run is saved in \(folder); resume it with --resume"
      case .notSaved(let reason, let newest):
        "the run could not be saved: \(reason); "
          + (newest.map { "the newest checkpoint is \($0); resume from there with --resume" }
            ?? "there is no checkpoint to resume from")
      }
    }
  }

  var code: FailureCode {
    switch self {
    case .severalInputs, .tabularOfOther, .targetShape, .noTexts, .noTextClasses, .exampleCounts,
      .unsuitableInput,
      .refusedByChecker,
      .otherNetwork, .unusableWeights, .noLearningRate:
      .data
    case .interrupted: .interrupted
    case .notSaved, .lastSaveFailed: .io
    case .ended(_, let code, _, _, _): code
    case .table(let problem): problem.code
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
    case .tabularOfOther(let data):
      "--model \(Tabular.name) takes the columns of a table, but \(data) isn't one; name a CSV file and --target"
    case .targetShape(let model, let data, let shape):
      "--model \(model) predicts one class or one row of numbers per example, but a target of "
        + "\(data) has the shape \(shape); store classes as [N], and numbers as [N] or [N, K]"
    case .unknownName(let what, let name, let known):
      "\(what): expected one of \(known.joined(separator: ", ")), got \"\(name)\""
        + suggestion(for: name, among: known)
    case .malformedSetting(let owner, let setting):
      "\(owner): expected settings as key=value, got \"\(setting)\"; "
        + "separate settings with commas"
    case .unknownSetting(let owner, let setting, let known):
      known.isEmpty
        ? "\(owner): it has no settings, got \"\(setting)\""
        : "\(owner): expected settings \(known.joined(separator: ", ")), "
          + "got \"\(setting)\"" + suggestion(for: setting, among: known)
    case .repeatedSetting(let owner, let setting):
      "\(owner): \(setting) is given twice; give it once"
    case .settingTwice(let setting, let first, let second):
      "\(first): \(setting) is given by \(second), too; leave one of them out"
    case .missingSetting(let owner, let name, let setting):
      "\(owner): \(setting) is missing; write it as \(name):\(setting)=…"
    case .greyImages(let option):
      "\(option): the network takes grey images, and these figures are of three channels; choose own, half or none"
    case .fineTunesFiles(let model):
      "fine-tune: it gives an ONNX file a new last layer, got --model \(model); name a file, or use crest train"
    case .frozenEpochs(let frozen, let epochs):
      "--frozen-epochs: expected at least 1 and fewer than the \(epochs) epochs in all, got \(frozen)"
    case .scheduleOfFineTuning(let option):
      "\(option): fine-tune has a schedule of its own; omit it, or use crest train --replace-head"
    case .rateOfFineTuning:
      "--max-lr: fine-tune takes one number and spreads it over the layers; give that, or use crest train --replace-head"
    case .modelOfTexts(let model, let data):
      "--model \(model) takes texts, but \(data) is none; give a file that ends in .txt, or a CSV file with --text and "
        + "--target"
    case .modelOfNumbers(let model, let data):
      "--model \(model) takes numbers, but \(data) is of texts; choose one of "
        + TextModel.names.joined(separator: ", ")
    case .sequenceLength(let length):
      "--sequence-length: expected a number from 1 to 1048576, got \(length)"
    case .noTexts(let model):
      "\(model) doesn't say how texts become its inputs; give a model that crest has trained on texts"
    case .noTextClasses(let model):
      "\(model) doesn't predict classes of texts; give a model that crest has trained on a table with --text and --target"
    case .generation(let option, let expected, let got):
      "\(option): expected \(expected), got \(got)"
    case .validFraction(let part):
      "--valid-fraction: expected a number between 0 and 1, got \(part)"
    case .fractionOfAll:
      "--valid-fraction holds examples out, and --no-shuffle none; omit one of them"
    case .labelSmoothing(let part):
      "--label-smoothing: expected a number from 0 to 1, got \(part)"
    case .smoothingOfOther(let loss):
      "--label-smoothing: it is for \(Loss.crossEntropy().name), but the loss is \(loss); leave one of them out"
    case .cubicDecay:
      "--callback lookahead: cubic is a decay that rises with time, and decay a constant one; give one of them"
    case .settingValue(let owner, let setting, let value, let expected):
      "\(owner): \(setting) is \"\(value)\", expected \(expected)"
    case .repeatedInput(let name):
      "--input: the input \"\(name)\" is given twice; give one array for each input"
    case .missingInput(let name):
      "--input: the input \"\(name)\" is missing; add --input \(name)=FILE.npy"
    case .exampleCounts(let counts):
      "--input: expected arrays with the same number of examples, at least 1, got "
        + "\(counts.map(String.init).joined(separator: ", ")); cut them to the same number"
    case .unsuitableInput(let error):
      "--input: \(error); transpose them, or use them as they are with --preprocessing none"
    case .headOfBuiltIn(let model):
      "--replace-head: it is for ONNX files, but --model is \(model), which is made for the data's "
        + "classes; omit it"
    case .headClasses(let classes):
      "--replace-head: expected at least 1 class, got \(classes)"
    case .nothingToInspect:
      "inspect: expected an ONNX file, or --operators alone, got neither; name the file"
    case .malformedShape(let text):
      "--shape: expected sizes from 1 up, separated by commas, after the input's name and = if there "
        + "are several, got \"\(text)\""
    case .refusedByChecker(let message):
      "crest-onnx-check refuses the model: \(message)"
    case .momentumPair(let schedule):
      "--momentum: two values are the bounds of a 1cycle schedule, but the schedule is \(schedule); give one"
    case .styleWithout1cycle(let schedule):
      "--style: it is for 1cycle, but the schedule is \(schedule); leave one of them out"
    case .oneCycleInSequence:
      "--schedule: one-cycle is a whole run with a rise of its own, but it is joined to others; use it alone"
    case .warmUpAtEnd:
      "--schedule: warm-up rises to where the next schedule begins, but none follows; join one with +, as in "
        + "warm-up:for=500steps+cosine"
    case .scheduleLengths(let missing):
      missing == 0
        ? "--schedule: every part has a length (for=), but one has to take the rest of the run; omit one"
        : "--schedule: \(missing) parts have no length, but only one can take the rest of the run; give each other "
          + "one, as in warm-up:for=500steps+cosine"
    case .automaticRate(let method, let schedule):
      "--max-lr \(method.rawValue): it finds a rate for 1cycle, but the schedule is \(schedule); give a rate, as crest "
        + "find-lr suggests"
    case .estimateForm(let text):
      "--estimate-lr: expected smith, rate-corrected, gradient or same-batch[:every=n], got \"\(text)\""
    case .pluginName(let name):
      "a plugin's name: expected letters, digits and _, beginning with a letter, got \"\(name)\""
    case .folderExists(let name):
      "\(name) already exists; choose another name, or remove it"
    case .onnxOnly(let path):
      "--arrays, --check and --shape: expected an ONNX file, got \(path); leave them out for a checkpoint"
    case .noImages(let model):
      "\(model) takes no image of a known size; give arrays with --input, or a model that was trained on a folder of "
        + "photographs"
    case .imagesOfSeveral(let inputs):
      "images: expected a model of one input, got \(inputs.count), \(inputs.joined(separator: ", ")); give arrays "
        + "with --input"
    case .noClassPredictions(let shape, let classes):
      "images: expected predictions for \(classes.map { "\($0)" } ?? "several") classes, got \(shape); give arrays "
        + "with --input and --output"
    case .needs(let option, let other, let advice):
      "\(option): it has no effect without \(other); \(advice)"
    case .table(let problem): problem.description
    case .learningRate(let rate):
      "--max-lr: expected numbers from 1.2e-38 to 3.4e38, the range of float32, got \(rate)"
    case .interrupted(let epoch, let steps, let folder):
      "interrupted in epoch \(epoch) after \(steps) steps"
        + (folder.map { "; \(SavedRun.saved(folder: $0).text)" } ?? "")
    case .unknownInput(let option, let name, let known):
      (name.map { "\(option): there is no input \"\($0)\"; " }
        ?? "\(option): the model has several inputs, write NAME=…; ")
        + (known.count == 1 ? "there is " : "there are ")
        + known.joined(separator: ", ")
        + (name.map { suggestion(for: $0, among: known) } ?? "")
    case .batchAxis(let text):
      "--batch-axis: expected an integer from 0 up, after the input's name and = if there are several, "
        + "got \"\(text)\""
    case .repeatedBatchAxis(let name):
      "--batch-axis: the input \"\(name)\" is given twice; give it once"
    case .batchAxisOfBuiltIn(let model):
      "--batch-axis: it is for ONNX files, but --model is \(model), whose batch axis is the first; "
        + "leave it out"
    case .architectureOfModel(let model):
      "--architecture: expected a model that is a .safetensors file, got \(model); leave it out"
    case .needsArchitecture(let path, let isFromFile):
      isFromFile
        ? "\(path): its weights were trained from an ONNX file; name that with --architecture FILE.onnx"
        : "\(path): it doesn't say which network its weights belong to; name that with --architecture "
          + "NAME|FILE.onnx"
    case .otherNetwork(let path, let architecture):
      "\(path): its weights belong not to \(architecture) but to another network; name that with "
        + "--architecture NAME|FILE.onnx, and give data like those it was trained on"
    case .unusableWeights(let path, let error):
      "\(path): "
        + error.description { _ in
          "give the network that it was saved from (--architecture NAME|FILE.onnx)"
        }
    case .needsShape:
      "--shape: expected the sizes of one example, as in 1,28,28, for a built-in network, got none; give them"
    case .nothingToExport(let model):
      "export: expected a file that ends in .onnx or .safetensors, got \(model); train a built-in network "
        + "first, with crest train --export or --checkpoint-dir"
    case .untrainedPrediction(let model):
      "--model: expected a file that ends in .onnx or .safetensors, got \(model), which is untrained; "
        + "train it first"
    case .headOfWeights(let path):
      "--replace-head: it gives an ONNX file a new last layer, but the weights of \(path) are for the old one; "
        + "leave one of them out"
    case .notSaved(let epoch, let steps, let reason, let newest):
      "interrupted in epoch \(epoch) after \(steps) steps; "
        + SavedRun.notSaved(reason: reason, newest: newest).text
    case .ended(let error, _, let epoch, let steps, let saved):
      "\(error); this ended training in epoch \(epoch) after \(steps) steps; \(saved.text)"
    case .lastSaveFailed(let reason):
      "training finished, but its last checkpoint could not be saved: \(reason)"
    case .outputOverInput(let output, let input):
      "\(output.option) would write to \(output.path), which \(input) reads; give another path"
    case .singleDash(let text):
      "unknown option \(text); options begin with two dashes, as in -\(text.prefix { $0 != "=" })"
    case .sameOutput(let first, let second):
      "\(first.option) and \(second.option) both write to \(first.path)"
        + (second.path == first.path ? "" : ", which is also \(second.path)")
        + "; give each its own path"
    case .seed(let text):
      "--seed: expected an integer from 0 up, got \(text)"
    case .unknownModel(let name):
      "--model: expected one of \(ModelOptions.builtInNames.joined(separator: ", ")), or a file that ends in "
        + ".onnx, got \"\(name)\"" + suggestion(for: name, among: ModelOptions.builtInNames)
    case .noLearningRate(let rate, let count, let loss):
      "find-lr: the loss diverged (\(loss.isNaN ? "nan" : "\(loss)")) at the learning rate "
        + "\(rate), after \(count) rates, too few for a suggestion; look for what makes it grow at such a "
        + "low rate, in the data or the network"
    case .tooFewRates(let count):
      "--steps: \(count) rates are too few for a suggestion; give more, as the standard 100"
    case .untrainable(let name, let type, let reason):
      "--unfreeze: expected arrays of float32 that a gradient reaches, got \"\(name)\", \(type): "
        + "\(reason)"
    }
  }
}
