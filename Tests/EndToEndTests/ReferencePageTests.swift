import CrestCallbacks
import CrestData
import CrestLayers
import CrestOptimizers
import CrestTestSupport
import CrestTraining
import Testing

/// `docs/reference.md`: what there is, made from the tables that the library and the command read.
@Suite struct `The reference` {
  /// A line of a table.
  private static func row(_ cells: [String?]) -> String {
    let texts = cells.map { $0.map { $0.replacing("|", with: "\\|") } ?? "–" }
    return "| \(texts.joined(separator: " | ")) |"
  }

  private static func code(_ text: String) -> String { "`\(text)`" }

  private static func table(_ title: String, _ heads: [String], _ rows: [[String?]]) -> [String] {
    ["", "## \(title), \(rows.count)", "", row(heads), row(heads.map { _ in "---" })]
      + rows.map(row)
  }

  private static var losses: [String] {
    table(
      "Losses", ["`--loss`", "PyTorch", "Keras", "fastai"],
      NamedLoss.all.map { [code($0.usage), $0.pyTorch, $0.keras, $0.fastai] })
  }

  private static var metrics: [String] {
    table(
      "Metrics", ["`--metric`", "torchmetrics", "Keras", "fastai"],
      NamedMetric.all.map { [code($0.name), $0.torchmetrics, $0.keras, $0.fastai] })
  }

  private static var optimizers: [String] {
    table(
      "Optimisers", ["`--optimizer`", "PyTorch", "Keras", "fastai or timm", "settings"],
      BuiltInOptimizer.all.map { row in
        [
          code(row.name), row.otherNames.torch, row.otherNames.keras, row.otherNames.fastai,
          row.settings.map(\.name).joined(separator: ", "),
        ]
      })
  }

  private static var schedules: [String] {
    table(
      "Schedules",
      ["`--schedule`", "PyTorch, timm or transformers", "Keras", "fastai", "settings"],
      NamedSchedule.all.map { row in
        [
          code(row.name), row.pytorch, row.keras, row.fastai,
          row.settings.map { setting in
            setting.name + (setting.standard.map { "=\($0)" } ?? "")
          }.joined(separator: ", "),
        ]
      })
  }

  private static var callbacks: [String] {
    table(
      "Callbacks", ["type", "PyTorch, Lightning or timm", "Keras", "fastai"],
      CallbackNames.all.map { [code($0.type), $0.pytorch, $0.keras, $0.fastai] })
  }

  private static var augmentations: [String] {
    table(
      "Augmentations", ["`--augment`", "torchvision", "Keras", "fastai"],
      NamedAugmentation.all.map { [code($0.usage), $0.torchvision, $0.keras, $0.fastai] })
  }

  private static var layers: [String] {
    table(
      "Layers", ["type", "ONNX", "PyTorch", "Keras", "fastai"],
      LayerNames.all.map { [code($0.type), $0.onnx, $0.pyTorch, $0.keras, $0.fastai] })
  }

  private static var models: [String] {
    table(
      "Models", ["`--model`", "what it is"],
      BuiltInModel.all.map { [code($0.name), $0.summary] }
        + TextModel.all.map { [code($0.name), $0.summary] })
  }

  @Test
  func `lists every loss, metric, optimiser, schedule, callback, augmentation, layer and model`()
    throws
  {
    try Snapshot(
      "docs/reference.md",
      heading: """
        # Reference

        What there is, under which name, and what others call it. The tests make this page from the library's own tables:
        `CREST_APPROVE=1 swift test -c release --filter 'The reference'` regenerates it. `crest train --help` says how each is
        given and which values its settings take; the documentation of the types has formulas and sources.
        """
    ).expect(
      Self.losses + Self.metrics + Self.optimizers + Self.schedules + Self.callbacks
        + Self.augmentations + Self.layers + Self.models)
  }
}
