"""Prints the seconds of a step of one of PyTorch's optimisers and the form of it, or `none` if it lacks it.

    python3 optimizers.py NAME LAYERS SIDE STEPS THREADS

The parameters are as many matrices of SIDE × SIDE and biases. Where PyTorch lacks an optimiser, that of timm or of its
authors' package counts, if it is installed.
"""

import importlib
import importlib.util
import pathlib
import sys
import time
import types

import torch

o = torch.optim
TORCH = {
    "sgd": (o.SGD, dict(lr=1e-2, momentum=0.9)), "adam": (o.Adam, {}), "adamw": (o.AdamW, {}),
    "rmsprop": (o.RMSprop, dict(momentum=0.9)), "adagrad": (o.Adagrad, {}), "adadelta": (o.Adadelta, {}),
    "adamax": (o.Adamax, {}), "amsgrad": (o.Adam, dict(amsgrad=True)), "nadam": (o.NAdam, {}), "radam": (o.RAdam, {}),
    "adafactor": (o.Adafactor, {}), "muon": (o.Muon, {}),
}
PACKAGES = {
    "lion": ("timm.optim.lion", "Lion", {}), "lamb": ("timm.optim.lamb", "Lamb", dict(weight_decay=0.01, max_grad_norm=None)),
    "lars": ("timm.optim.lars", "Lars", dict(lr=1.0, momentum=0.9, weight_decay=1e-4)),
    "adan": ("timm.optim.adan", "Adan", {}),
    "schedule-free-sgd": ("schedulefree", "SGDScheduleFree", dict(lr=0.1)),
    "schedule-free-adamw": ("schedulefree", "AdamWScheduleFree", {}),
    "dadapt-sgd": ("dadaptation", "DAdaptSGD", {}), "prodigy": ("prodigyopt", "Prodigy", {}),
}


def of_package(module, name):
    """A class of a package, of timm without the rest of it; None if it isn't installed."""
    package = module.split(".")[0]
    found = importlib.util.find_spec(package)
    if found is None:
        return None
    if package == "timm":
        root = pathlib.Path(found.origin).parent
        for path in (root, root / "optim"):
            parts = "timm" if path == root else "timm.optim"
            sys.modules[parts] = types.ModuleType(parts)
            sys.modules[parts].__path__ = [str(path)]
    return getattr(importlib.import_module(module), name)


def main():
    name, layers, side, steps, threads = sys.argv[1], *map(int, sys.argv[2:6])
    torch.set_num_threads(threads)
    if name in TORCH:
        (make, settings), prefix = TORCH[name], ""
    elif name in PACKAGES:
        module, kind, settings = PACKAGES[name]
        make, prefix = of_package(module, kind), module.split(".")[0] + " "
    else:
        make = None
    if make is None:
        print("none")
        return
    shapes = [(side, side)] * layers + ([] if name == "muon" else [(side,)] * layers)
    weights = [torch.full(shape, 0.5, requires_grad=True) for shape in shapes]
    for weight in weights:
        weight.grad = torch.rand_like(weight) - 0.5
    for form, options in (("fused", dict(fused=True)), ("foreach", dict(foreach=True)), ("loop", {})):
        try:
            optimizer = make(weights, **settings, **options)
        except (TypeError, RuntimeError, NotImplementedError):
            continue
        if hasattr(optimizer, "train"):
            optimizer.train()
        optimizer.step()
        break
    start = time.perf_counter()
    for _ in range(steps):
        optimizer.step()
    print((time.perf_counter() - start) / steps, prefix + form)


if __name__ == "__main__":
    main()
