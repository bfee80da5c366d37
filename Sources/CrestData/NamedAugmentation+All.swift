import CrestTensor

extension NamedAugmentation {
  /// All, in the order of help.
  package static let all = placing + moving + colouring + operating + mixing

  private static let placing = [
    NamedAugmentation(
      "crop",
      [
        .init("padding", .wholeNumber(.count)),
        .init("border", .choice([PadAndCrop.Border.zero, .reflection].map(\.rawValue))),
      ], torchvision: "RandomCrop(padding=…)", keras: "RandomCrop", fastai: "RandomCrop"
    ) { settings throws(Fault) in
      let own = PadAndCrop()
      return .transform(
        PadAndCrop(
          padding: settings.wholeNumber(.init("padding", .wholeNumber(.count))) ?? own.padding,
          border: settings.choice("border") ?? own.border))
    },
    NamedAugmentation(
      "flip", [.init("alternating", .flag)], torchvision: "RandomHorizontalFlip",
      keras: "RandomFlip('horizontal')", fastai: "Flip, FlipItem"
    ) { settings throws(Fault) in
      .transform(
        HorizontalFlip(alternating: settings.flag("alternating") ?? HorizontalFlip().alternating))
    },
    NamedAugmentation(
      "cutout", [.init("size", .wholeNumber(.positiveCount))], keras: "RandomErasing"
    ) { settings throws(Fault) in
      .transform(
        Cutout(
          size: settings.wholeNumber(.init("size", .wholeNumber(.positiveCount))) ?? Cutout().size))
    },
    NamedAugmentation(
      "erase", [.probability, .leastShare, .mostShare, .ratio], torchvision: "RandomErasing",
      keras: "RandomErasing", fastai: "RandomErasing"
    ) { settings throws(Fault) in
      let own = RandomErasing()
      return .transform(
        RandomErasing(
          probability: settings.number(.probability) ?? own.probability,
          scale: try settings.range(.leastShare, .mostShare, own.scale),
          ratio: settings.number(.ratio) ?? own.ratio))
    },
    NamedAugmentation(
      "random-resized-crop", [.leastShare, .mostShare, .ratio], torchvision: "RandomResizedCrop",
      fastai: "RandomResizedCrop"
    ) { settings throws(Fault) in
      let own = RandomResizedCrop()
      return .transform(
        RandomResizedCrop(
          scale: try settings.range(.leastShare, .mostShare, own.scale),
          ratio: settings.number(.ratio) ?? own.ratio))
    },
  ]

  private static let degrees = Setting("degrees", .number(.angle))
  private static let shear = Setting("degrees", .number(.shear))
  private static let leastZoom = Setting("min", .number(.zoom))
  private static let mostZoom = Setting("max", .number(.zoom))
  private static let fraction = Setting("fraction", .number(.share))
  private static let magnitude = Setting("magnitude", .number(.belowHalf))

  private static let moving = [
    NamedAugmentation(
      "dihedral", fastai: "Dihedral, DihedralItem"
    ) { _ throws(Fault) in .transform(RandomDihedral()) },
    NamedAugmentation(
      "rotate", [degrees, .probability, .padding], torchvision: "RandomRotation",
      keras: "RandomRotation", fastai: "Rotate"
    ) { settings throws(Fault) in
      let own = RandomRotation()
      return .transform(
        RandomRotation(
          degrees: settings.number(degrees) ?? own.degrees,
          probability: settings.number(.probability) ?? own.probability,
          padding: settings.choice("padding") ?? own.padding))
    },
    NamedAugmentation(
      "zoom", [leastZoom, mostZoom, .probability, .padding], torchvision: "RandomAffine(scale=…)",
      keras: "RandomZoom", fastai: "Zoom"
    ) { settings throws(Fault) in
      let own = RandomZoom()
      return .transform(
        RandomZoom(
          factors: try settings.range(leastZoom, mostZoom, own.factors),
          probability: settings.number(.probability) ?? own.probability,
          padding: settings.choice("padding") ?? own.padding))
    },
    NamedAugmentation(
      "translate", [fraction, .probability, .padding], torchvision: "RandomAffine(translate=…)",
      keras: "RandomTranslation"
    ) { settings throws(Fault) in
      let own = RandomTranslation()
      return .transform(
        RandomTranslation(
          fraction: settings.number(fraction) ?? own.fraction,
          probability: settings.number(.probability) ?? own.probability,
          padding: settings.choice("padding") ?? own.padding))
    },
    NamedAugmentation(
      "shear", [shear, .probability, .padding], torchvision: "RandomAffine(shear=…)",
      keras: "RandomShear"
    ) { settings throws(Fault) in
      let own = RandomShear()
      return .transform(
        RandomShear(
          degrees: settings.number(shear) ?? own.degrees,
          probability: settings.number(.probability) ?? own.probability,
          padding: settings.choice("padding") ?? own.padding))
    },
    NamedAugmentation(
      "warp", [magnitude, .probability, .padding], torchvision: "RandomPerspective",
      keras: "RandomPerspective", fastai: "Warp"
    ) { settings throws(Fault) in
      let own = RandomWarp()
      return .transform(
        RandomWarp(
          magnitude: settings.number(magnitude) ?? own.magnitude,
          probability: settings.number(.probability) ?? own.probability,
          padding: settings.choice("padding") ?? own.padding))
    },
  ]

  private static let hue = Setting("change", .number(.half))
  private static let blurSize = Setting("size", .wholeNumber(.blurSize))
  private static let deviation = Setting("deviation", .number(.deviation))

  private static let colouring = [
    NamedAugmentation(
      "brightness", [.change, .formula, .probability], torchvision: "ColorJitter(brightness=…)",
      keras: "RandomBrightness", fastai: "Brightness"
    ) { settings throws(Fault) in
      let own = RandomBrightness()
      return .transform(
        RandomBrightness(
          change: settings.number(.change) ?? own.change,
          formula: settings.choice("formula") ?? own.formula,
          probability: settings.number(.probability) ?? own.probability))
    },
    NamedAugmentation(
      "contrast", [.change, .formula, .probability], torchvision: "ColorJitter(contrast=…)",
      keras: "RandomContrast", fastai: "Contrast"
    ) { settings throws(Fault) in
      let own = RandomContrast()
      return .transform(
        RandomContrast(
          change: settings.number(.change) ?? own.change,
          formula: settings.choice("formula") ?? own.formula,
          probability: settings.number(.probability) ?? own.probability))
    },
    NamedAugmentation(
      "saturation", [.change, .formula, .probability], torchvision: "ColorJitter(saturation=…)",
      keras: "RandomSaturation", fastai: "Saturation"
    ) { settings throws(Fault) in
      let own = RandomSaturation()
      return .transform(
        RandomSaturation(
          change: settings.number(.change) ?? own.change,
          formula: settings.choice("formula") ?? own.formula,
          probability: settings.number(.probability) ?? own.probability))
    },
    NamedAugmentation(
      "hue", [hue, .probability], torchvision: "ColorJitter(hue=…)", keras: "RandomHue",
      fastai: "Hue"
    ) { settings throws(Fault) in
      let own = RandomHue()
      return .transform(
        RandomHue(
          change: settings.number(hue) ?? own.change,
          probability: settings.number(.probability) ?? own.probability))
    },
    NamedAugmentation(
      "greyscale", [.probability], torchvision: "RandomGrayscale", keras: "RandomGrayscale"
    ) { settings throws(Fault) in
      .transform(
        RandomGreyscale(
          probability: settings.number(.probability) ?? RandomGreyscale().probability))
    },
    NamedAugmentation(
      "blur", [blurSize, deviation, .probability], torchvision: "GaussianBlur",
      keras: "RandomGaussianBlur"
    ) { settings throws(Fault) in
      let own = RandomBlur()
      return .transform(
        RandomBlur(
          size: settings.wholeNumber(blurSize) ?? own.size,
          deviation: settings.number(deviation) ?? own.deviation,
          probability: settings.number(.probability) ?? own.probability))
    },
  ]

  private static let operationCount = Setting("count", .wholeNumber(.operations))
  private static let step = Setting("magnitude", .wholeNumber(.bin))

  private static let operating = [
    NamedAugmentation("trivial-augment", torchvision: "TrivialAugmentWide") {
      _ throws(Fault) in .transform(TrivialAugment())
    },
    NamedAugmentation(
      "rand-augment", [operationCount, step], torchvision: "RandAugment", keras: "RandAugment"
    ) { settings throws(Fault) in
      let own = RandAugment()
      return .transform(
        RandAugment(
          count: settings.wholeNumber(operationCount) ?? own.count,
          magnitude: settings.wholeNumber(step) ?? own.magnitude))
    },
  ]

  private static let mixing = [
    NamedAugmentation(
      "mixup", [.alpha], torchvision: "v2.MixUp", keras: "MixUp", fastai: "MixUp"
    ) { settings throws(Fault) in
      .mixing(settings.number(.alpha).map { .mixUp(alpha: $0) } ?? .mixUp())
    },
    NamedAugmentation(
      "cutmix", [.alpha], torchvision: "v2.CutMix", keras: "CutMix", fastai: "CutMix"
    ) { settings throws(Fault) in
      .mixing(settings.number(.alpha).map { .cutMix(alpha: $0) } ?? .cutMix())
    },
  ]
}
