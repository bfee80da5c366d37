"""Makes optimizers/runs.json: a hundred steps of the reference implementations of optimisers.

    python3 make_optimizer_runs.py       (needs torch and timm; see README.md)

`weight` (2 × 3) and `bias` (2) start at `start`; step i takes the gradients `gradients[i]` / 128. `cases[name]` has both after
the steps `steps`, in float64, as flat lists. PyTorch's where it has the optimiser, timm's otherwise.
"""

import importlib
import json
import math
import pathlib
import sys
import types

import torch

torch.set_default_dtype(torch.float64)
START = [0.5, -1.25, 2.0, 0.125, -0.75, 1.0, -0.5, 0.25]
STEPS = [1, 2, 3, 10, 100]
GRADIENTS = [[round(128 * math.sin(1.7 * j + 0.37 * (j + 1) * i) * (0.2 + 0.15 * j)) for j in range(8)] for i in range(100)]


def timm(module, name):
    """An optimiser of timm, without the rest of it."""
    if "timm" not in sys.modules:
        root = pathlib.Path(importlib.util.find_spec("timm").origin).parent
        for package, path in (("timm", root), ("timm.optim", root / "optim")):
            sys.modules[package] = types.ModuleType(package)
            sys.modules[package].__path__ = [str(path)]
    return getattr(importlib.import_module(f"timm.optim.{module}"), name)


def run(make, **settings):
    values = torch.tensor(START)
    weight, bias = values[:6].reshape(2, 3).clone().requires_grad_(), values[6:].clone().requires_grad_()
    decay = settings.pop("weight_decay", 0)
    optimizer = make([{"params": [weight], "weight_decay": decay}, {"params": [bias], "weight_decay": 0.0}], **settings)
    after = []
    for step, row in enumerate(GRADIENTS, 1):
        gradient = torch.tensor(row, dtype=torch.float64) / 128
        weight.grad, bias.grad = gradient[:6].reshape(2, 3).clone(), gradient[6:].clone()
        optimizer.step()
        if step in STEPS:
            after.append(weight.detach().flatten().tolist() + bias.detach().tolist())
    return after


def main():
    o = torch.optim
    cases = {
        "rmsprop": run(o.RMSprop, lr=0.01),
        "rmsprop momentum": run(o.RMSprop, lr=0.01, alpha=0.9, momentum=0.9, weight_decay=0.05),
        "rmsprop centred": run(o.RMSprop, lr=0.01, centered=True, momentum=0.5, eps=1e-3),
        "rmsprop tensorFlow": run(timm("rmsprop_tf", "RMSpropTF"), lr=0.01, momentum=0.9, eps=1e-3),
        "adagrad": run(o.Adagrad, lr=0.1),
        "adagrad decay": run(o.Adagrad, lr=0.1, lr_decay=0.01, initial_accumulator_value=0.1, weight_decay=0.05),
        "adadelta": run(o.Adadelta, lr=1.0),
        "adadelta decay": run(o.Adadelta, lr=0.5, rho=0.95, weight_decay=0.05),
        "nadam": run(o.NAdam, lr=0.01),
        "nadam decoupled": run(o.NAdam, lr=0.01, betas=(0.8, 0.99), momentum_decay=1.0, weight_decay=0.05,
                               decoupled_weight_decay=True),
        "radam": run(o.RAdam, lr=0.01),
        "radam decoupled": run(o.RAdam, lr=0.01, betas=(0.8, 0.99), weight_decay=0.05, decoupled_weight_decay=True),
        "lamb": run(timm("lamb", "Lamb"), lr=0.01, weight_decay=0.05, max_grad_norm=None),
        "lamb adapting": run(timm("lamb", "Lamb"), lr=0.01, weight_decay=0, max_grad_norm=None, always_adapt=True),
        "lars": run(timm("lars", "Lars"), lr=1.0, momentum=0.9, weight_decay=0.05),
        "lars nesterov": run(timm("lars", "Lars"), lr=1.0, momentum=0.9, nesterov=True, trust_coeff=0.02, always_adapt=True),
        "adafactor": run(o.Adafactor, lr=0.05, eps=(2.0**-23, 1e-3)),
        "adafactor decay": run(o.Adafactor, lr=0.2, eps=(2.0**-23, 1e-3), d=1.25, beta2_decay=-0.5, weight_decay=0.05),
        "adan": run(timm("adan", "Adan"), lr=0.01),
        "adan decay": run(timm("adan", "Adan"), lr=0.01, weight_decay=0.05),
    }
    document = {"torch": torch.__version__, "start": START, "gradients": GRADIENTS, "steps": STEPS, "cases": cases}
    path = pathlib.Path(__file__).parent / "optimizers" / "runs.json"
    lines = ["{"]
    for key, value in document.items():
        if key == "cases":
            rows = ",\n".join(f'  {json.dumps(name)}: {json.dumps(rows)}' for name, rows in value.items())
            lines.append(f' "cases": {{\n{rows}\n }}')
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)},")
    path.write_text("\n".join(lines + ["}"]) + "\n")
    print("torch", torch.__version__, len(cases), "cases")


if __name__ == "__main__":
    main()
