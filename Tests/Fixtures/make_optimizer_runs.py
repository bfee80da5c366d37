"""Makes optimizers/runs.json: a hundred steps of the reference implementations of optimisers.

    pip install torch==2.13.0 timm==1.0.31 schedulefree==1.4.1 prodigyopt==1.1.2 dadaptation==3.2
    python3 make_optimizer_runs.py

`weight` (2 × 3) and `bias` (2) start at `start`; step i takes the gradients `gradients[i]` / 128. `cases[name]` has both after
the steps `steps`, in float64, as flat lists. PyTorch's where it has the optimiser, the package of its authors if there is
one (schedule-free, D-Adaptation, Prodigy), timm's otherwise; airbench's Muon is a copy of its formula.
PyTorch's Muon runs its Newton-Schulz steps in float64 here, not in bfloat16.
"""

import importlib
import importlib.metadata
import importlib.util
import json
import math
import pathlib
import sys
import types

import dadaptation
import prodigyopt
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


def schedule_free(name):
    """One of `schedulefree`, in training mode throughout: the weights are those that train."""

    def make(groups, **settings):
        optimizer = getattr(importlib.import_module("schedulefree"), name)(groups, **settings)
        optimizer.train()
        return optimizer

    return make


class MuonAndAdamW:
    """PyTorch's Muon for the matrix, its AdamW for the vector."""

    def __init__(self, groups, lr, others_rate, **settings):
        from torch.optim import _muon

        def newton_schulz(grad, coefficients, steps, eps):
            a, b, c = coefficients
            x = grad.T if grad.size(0) > grad.size(1) else grad
            x = x / x.norm().clamp(min=eps)
            for _ in range(steps):
                gram = x @ x.T
                x = a * x + (b * gram + c * gram @ gram) @ x
            return x.T if grad.size(0) > grad.size(1) else x

        _muon._zeropower_via_newtonschulz = newton_schulz
        decay = groups[0]["weight_decay"]
        self.parts = [torch.optim.Muon(groups[0]["params"], lr=lr, weight_decay=decay, **settings),
                      torch.optim.AdamW(groups[1]["params"], lr=lr * others_rate, weight_decay=0)]

    def step(self):
        for part in self.parts:
            part.step()


class AirbenchMuon:
    """Jordan's Muon of airbench for the matrix, PyTorch's AdamW for the vector."""

    def __init__(self, groups, lr, momentum):
        self.w, self.lr, self.momentum = groups[0]["params"][0], lr, momentum
        self.buffer = torch.zeros_like(self.w)
        self.others = torch.optim.AdamW(groups[1]["params"], lr=lr * 0.015, weight_decay=0)

    @torch.no_grad()
    def step(self):
        self.buffer.mul_(self.momentum).add_(self.w.grad)
        x = self.w.grad + self.momentum * self.buffer
        self.w.mul_(len(self.w) ** 0.5 / self.w.norm())
        x = x / (x.norm() + 1e-7)
        for _ in range(3):
            gram = x @ x.T
            x = 3.4445 * x + (-4.775 * gram + 2.0315 * gram @ gram) @ x
        self.w.add_(x, alpha=-self.lr)
        self.others.step()


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
        "amsgrad": run(o.Adam, lr=0.01, amsgrad=True),
        "amsgrad decay": run(o.Adam, lr=0.01, betas=(0.8, 0.9), amsgrad=True, weight_decay=0.05),
        "adamax": run(o.Adamax, lr=0.01),
        "adamax decay": run(o.Adamax, lr=0.01, betas=(0.8, 0.9), weight_decay=0.05),
        "schedule-free sgd": run(schedule_free("SGDScheduleFree"), lr=0.1),
        "schedule-free sgd decay": run(schedule_free("SGDScheduleFree"), lr=0.1, momentum=0.8, weight_decay=0.05),
        "schedule-free adamw": run(schedule_free("AdamWScheduleFree"), lr=0.01),
        "schedule-free adamw decay": run(schedule_free("AdamWScheduleFree"), lr=0.01, betas=(0.95, 0.99),
                                        weight_decay=0.05),
        "dadapt-sgd": run(dadaptation.DAdaptSGD),
        # It takes the weight decay of the first group for all.
        "dadapt-sgd decay": run(dadaptation.DAdaptSGD, momentum=0.9, d0=1e-3, growth_rate=1.5, weight_decay=0.05),
        "prodigy": run(prodigyopt.Prodigy),
        "prodigy decay": run(prodigyopt.Prodigy, betas=(0.8, 0.99), d0=1e-4, d_coef=0.5, growth_rate=1.5, use_bias_correction=True,
                             weight_decay=0.05),
        "muon": run(MuonAndAdamW, lr=0.02, others_rate=0.015, momentum=0.95, weight_decay=0.1),
        "muon match-adamw": run(MuonAndAdamW, lr=0.02, others_rate=1, momentum=0.9, nesterov=False,
                                adjust_lr_fn="match_rms_adamw", weight_decay=0),
        "muon airbench": run(AirbenchMuon, lr=0.05, momentum=0.6),
        "lamb": run(timm("lamb", "Lamb"), lr=0.01, weight_decay=0.05, max_grad_norm=None),
        "lamb adapting": run(timm("lamb", "Lamb"), lr=0.01, weight_decay=0, max_grad_norm=None, always_adapt=True),
        "lars": run(timm("lars", "Lars"), lr=1.0, momentum=0.9, weight_decay=0.05),
        "lars nesterov": run(timm("lars", "Lars"), lr=1.0, momentum=0.9, nesterov=True, trust_coeff=0.02, always_adapt=True),
        "adafactor": run(o.Adafactor, lr=0.05, eps=(2.0**-23, 1e-3)),
        "adafactor decay": run(o.Adafactor, lr=0.2, eps=(2.0**-23, 1e-3), d=1.25, beta2_decay=-0.5, weight_decay=0.05),
        "adan": run(timm("adan", "Adan"), lr=0.01),
        "adan decay": run(timm("adan", "Adan"), lr=0.01, weight_decay=0.05),
    }
    packages = ["torch", "timm", "schedulefree", "prodigyopt", "dadaptation"]
    versions = {name: importlib.metadata.version(name) for name in packages}
    document = {"versions": versions, "start": START, "gradients": GRADIENTS, "steps": STEPS, "cases": cases}
    path = pathlib.Path(__file__).parent / "optimizers" / "runs.json"
    lines = ["{"]
    for key, value in document.items():
        if key == "cases":
            rows = ",\n".join(f'  {json.dumps(name)}: {json.dumps(rows)}' for name, rows in value.items())
            lines.append(f' "cases": {{\n{rows}\n }}')
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)},")
    path.write_text("\n".join(lines + ["}"]) + "\n")
    print(versions, len(cases), "cases")


if __name__ == "__main__":
    main()
