extension `Wrong usage` {
  /// The names that `--augment` knows.
  static let augmentations =
    "crop, flip, cutout, erase, random-resized-crop, dihedral, rotate, zoom, translate, shear, warp, brightness, "
    + "contrast, saturation, hue, greyscale, blur, trivial-augment, rand-augment, mixup, cutmix"

  /// Settings of augmentations and callbacks, and options of the loss and the optimiser.
  static let trainingOptions = [
    Case(
      arguments: "--augment crop:padding=-1,flip",
      message: "--augment crop: padding is \"-1\", expected an integer from 0 up"),
    Case(
      arguments: "--augment flip:alternating=yes",
      message: "--augment flip: alternating is \"yes\", expected true or false"),
    Case(
      arguments: "--augment crop:padding=2,border=mirror",
      message: "--augment crop: border is \"mirror\", expected zero or reflection"),
    Case(
      arguments: "--augment flip:padding=2",
      message: "--augment flip: expected settings alternating, got \"padding\""),
    Case(
      arguments: "--augment flip,padding=2",
      message: "--augment: expected one of \(augmentations), got \"flip,padding=2\""),
    Case(
      arguments: "--augment zoom:max=0.5",
      message: "--augment zoom: max is \"0.5\", expected a number from min, 1.0, up"),
    Case(
      arguments: "--augment random-resized-crop:min-scale=2",
      message:
        "--augment random-resized-crop: min-scale is \"2\", expected a number above 0, at most 1"),
    Case(
      arguments: "--augment erase:min-scale=0.5",
      message: "--augment erase: min-scale is \"0.5\", expected a number up to max-scale, 0.33"),
    Case(
      arguments: "--augment blur:size=4",
      message: "--augment blur: size is \"4\", expected an integer odd, in 3 … 101"),
    Case(
      arguments: "--augment hue",
      message:
        "the transform hue(change 0.1, probability 0.75) can't be used on digits (train): it takes images of three "
        + "channels, red, green and blue, got 1"),
    Case(
      arguments: "--augment mixup:alpha=0",
      message: "--augment mixup: alpha is \"0\", expected a number above 0, at most 1000"),
    Case(
      arguments: "--augment mixup --loss cross-entropy:ignored-label=3",
      message:
        "mixing examples by mixup(alpha 0.4): the loss cross-entropy ignores a label, which has no part of a mixture; "
        + "train without it"),
    Case(
      arguments: "--augment cutout:size=0",
      message: "--augment cutout: size is \"0\", expected an integer from 1 up"),
    Case(
      arguments: "--nesterov --optimizer adam",
      message:
        "adam: Nesterov momentum is for sgd, lars and muon; choose one of them, or leave it out"),
    Case(
      arguments: "--optimizer adamw:beta2=1.5",
      message: "--optimizer adamw:beta2: expected a number from 0 to below 1, got 1.5"),
    Case(
      arguments: "--optimizer nadam:momentum-decay=-1",
      message:
        "--optimizer nadam:momentum-decay: expected a finite number of at least 0, got -1.0"),
    Case(
      arguments: "--optimizer rmsprop:centred=yes",
      message: "--optimizer rmsprop: centred is \"yes\", expected true or false"),
    Case(
      arguments: "--optimizer rmsprop:convention=caffe",
      message: "--optimizer rmsprop: convention is \"caffe\", expected torch or keras or tensorFlow"
    ),
    Case(
      arguments: "--optimizer adam:beta3=0.9",
      message:
        "--optimizer adam: expected settings momentum, beta2, epsilon, weight-decay, got \"beta3\"; did you mean "
        + "\"beta2\"?"),
    Case(
      arguments: "--optimizer sgd:momentum=0.9 --momentum 0.8",
      message:
        "--optimizer sgd: momentum is given by --momentum, too; leave one of them out"),
    Case(
      arguments: "--optimizer sgd:nesterov=true --nesterov",
      message: "--optimizer sgd: nesterov is given by --nesterov, too; leave one of them out"),
    Case(
      arguments: "--optimizer adam:beta2=0.9,beta2=0.8",
      message: "--optimizer adam: beta2 is given twice; give it once"),
    Case(
      arguments: "--optimizer adagrad --momentum 0.9",
      message: "adagrad: it has no momentum; leave it out"),
    Case(
      arguments: "--optimizer muon:steps=1000",
      message:
        "--optimizer muon:steps: expected an integer from 1 to 100, got 1000.0"),
    Case(
      arguments: "--optimizer muon:parameters=dense9.*",
      message:
        "no parameter matches \"dense9.*\"; similar names are \"dense1.weight\", \"dense1.bias\", \"dense2.weight\"; use * "
        + "for any characters"),
    Case(
      arguments: "--optimizer-for dense1.*=adamw:rate=-1",
      message:
        "--optimizer-for adamw: rate is \"-1\", expected a finite number of at least 0"),
    Case(
      arguments: "--optimizer-for dense1.*=prodigy",
      message:
        "prodigy: it needs all parameters of a network, so it can't be one of several optimisers; use it alone"
    ),
    Case(
      arguments: "--optimizer schedule-free-sgd --callback ema",
      message:
        "schedule-free-sgd and --callback ema both swap in other weights during validation; remove one of them"
    ),
    Case(
      arguments: "--nesterov --momentum 0",
      message: "sgd: Nesterov needs a momentum above 0, got 0; give one or switch Nesterov off"),
    Case(
      arguments: "--label-smoothing 1.5",
      message: "--label-smoothing: expected a number from 0 to 1, got 1.5"),
    Case(
      arguments: "--label-smoothing nan",
      message: "--label-smoothing: expected a number from 0 to 1, got nan"),
    Case(
      arguments: "--label-smoothing 0.1 --loss mse",
      message:
        "--label-smoothing: it is for cross-entropy, but the loss is mse; leave one of them out"),
    Case(
      arguments: "--loss focal:gamma=-1",
      message: "--loss focal: gamma is \"-1\", expected a number not below 0"),
    Case(
      arguments: "--loss focal:gama=2",
      message:
        "--loss focal: expected settings gamma, alpha, class-weights, ignored-label, reduction, got \"gama\""
    ),
    Case(
      arguments: "--loss focal:gamma=1,gamma=2",
      message: "--loss focal: gamma is given twice; give it once"),
    Case(
      arguments: "--loss focal:gamma",
      message:
        "--loss focal: expected settings as key=value, got \"gamma\"; separate settings with commas"
    ),
    Case(
      arguments: "--loss cross-entropy:class-weights=1/2/x",
      message:
        "--loss cross-entropy: class-weights is \"1/2/x\", expected numbers not below 0, not all 0, with / between them"
    ),
    Case(
      arguments: "--loss cross-entropy:class-weights=1/2/0.5",
      message:
        "digits (train): --loss cross-entropy: expected 10 class-weights, one for each output of the model, got 3; "
        + "give one for each, in the order of the outputs"),
    Case(
      arguments: "--loss cross-entropy:label-smoothing=0.1 --label-smoothing 0.2",
      message: "--loss and --label-smoothing: label-smoothing is given twice; give it once"),
    Case(
      arguments: "--loss mse:reduction=none",
      message: "--loss mse: reduction is \"none\", expected mean or sum"),
    Case(
      arguments: "--tta flip",
      message: "--tta: expected one of mirror, mirror-and-shift, got \"flip\""),
    Case(
      arguments: "--whiten dense",
      message: "patch whitening of dense: expected a parameter of the model, got none of that name"),
    Case(
      arguments: "--whiten dense1.weight",
      message:
        "patch whitening of dense1.weight: expected filters [2 · C · height · width, C, height, width] for "
        + "images [C, height, width], got [512, 64] for [1, 8, 8]"),
    Case(
      arguments: "--callback lookahead:cubic=true,decay=0.5",
      message:
        "--callback lookahead: cubic is a decay that rises with time, and decay a constant one; give one of them"
    ),
    Case(
      arguments: "--callback lookahead:every=0",
      message: "--callback lookahead: every is 0, expected at least 1 step"),
    Case(
      arguments: "--callback freeze-parameters:parameters=dense1.*,from=2,until=2",
      message: "--callback freeze-parameters: until is 2, expected an epoch after 2"),
  ]
}
