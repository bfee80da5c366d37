"""Makes optimizers/runs.json: a hundred steps of the reference implementations of optimisers.

    python3 make_optimizer_runs.py       (needs torch and timm; see README.md)

`weight` (2 × 3) and `bias` (2) start at `start`; step i takes the gradients `gradients[i]` / 128. `cases[name]` has both after
the steps `steps`, in float64, as flat lists. PyTorch's where it has the optimiser, timm's otherwise; the formulas of their papers' code for those that neither has.
PyTorch's Muon runs its Newton-Schulz steps in float64 here, not in bfloat16.
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


class ScheduleFree(torch.optim.Optimizer):
    """SGDScheduleFree and AdamWScheduleFree of `schedulefree` with r = 0 and a weight power of 2."""

    def __init__(self, params, lr, beta=0.9, beta2=None, eps=1e-8, weight_decay=0):
        super().__init__(params, dict(weight_decay=weight_decay))
        self.lr, self.beta, self.beta2, self.eps = lr, beta, beta2, eps
        self.k, self.weight_sum = 0, 0.0

    @torch.no_grad()
    def step(self):
        self.k += 1
        self.weight_sum += self.lr ** 2
        c = self.lr ** 2 / self.weight_sum
        for group in self.param_groups:
            for y in group["params"]:
                state = self.state[y]
                if not state:
                    state["z"], state["x"], state["v"] = y.clone(), y.clone(), torch.zeros_like(y)
                z, x, v, g = state["z"], state["x"], state["v"], y.grad
                if self.beta2 is not None:
                    v.mul_(self.beta2).addcmul_(g, g, value=1 - self.beta2)
                    g = g / ((v / (1 - self.beta2 ** self.k)).sqrt() + self.eps)
                g = g + group["weight_decay"] * y
                z.sub_(self.lr * g)
                x.lerp_(z, c)
                y.copy_(self.beta * x + (1 - self.beta) * z)


class DAdaptSGD(torch.optim.Optimizer):
    """DAdaptSGD of `dadaptation`."""

    def __init__(self, params, lr=1.0, momentum=0.0, d0=1e-6, growth_rate=float("inf"), weight_decay=0):
        super().__init__(params, dict(weight_decay=weight_decay))
        self.lr, self.momentum, self.d, self.growth = lr, momentum, d0, growth_rate
        self.numerator, self.g0 = 0.0, None

    @torch.no_grad()
    def step(self):
        pairs = [(p, p.grad + group["weight_decay"] * p) for group in self.param_groups for p in group["params"]]
        if self.g0 is None:
            self.g0 = math.sqrt(sum((g * g).sum().item() for _, g in pairs))
        dlr = self.d * self.lr / self.g0
        squares = 0.0
        for p, g in pairs:
            state = self.state[p]
            if not state:
                state["s"], state["x0"] = torch.zeros_like(p), p.clone()
            s = state["s"]
            self.numerator += dlr * (g * s).sum().item()
            s.add_(g, alpha=dlr)
            squares += (s * s).sum().item()
        self.d = max(self.d, min(2 * self.numerator / math.sqrt(squares), self.d * self.growth))
        for p, _ in pairs:
            z = self.state[p]["x0"] - self.state[p]["s"]
            p.mul_(self.momentum).add_(z, alpha=1 - self.momentum)


class Prodigy(torch.optim.Optimizer):
    """Prodigy of `prodigyopt`, with decoupled weight decay."""

    def __init__(self, params, lr=1.0, betas=(0.9, 0.999), eps=1e-8, d0=1e-6, d_coef=1.0, growth_rate=float("inf"),
                 use_bias_correction=False, weight_decay=0):
        super().__init__(params, dict(weight_decay=weight_decay))
        self.lr, self.betas, self.eps, self.d0, self.d_coef, self.growth = lr, betas, eps, d0, d_coef, growth_rate
        self.corrects, self.d, self.d_max, self.numerator, self.k = use_bias_correction, d0, d0, 0.0, 0

    @torch.no_grad()
    def step(self):
        beta1, beta2 = self.betas
        beta3 = math.sqrt(beta2)
        self.k += 1
        correction = math.sqrt(1 - beta2 ** self.k) / (1 - beta1 ** self.k) if self.corrects else 1
        d, dlr = self.d, self.d * self.lr * correction
        self.numerator *= beta3
        denominator = 0.0
        for group in self.param_groups:
            for p in group["params"]:
                state, g = self.state[p], p.grad
                if not state:
                    state.update(s=torch.zeros_like(p), p0=p.clone(), m=torch.zeros_like(p), v=torch.zeros_like(p))
                self.numerator += d / self.d0 * dlr * (g * (state["p0"] - p)).sum().item()
                state["m"].mul_(beta1).add_(g, alpha=d * (1 - beta1))
                state["v"].mul_(beta2).addcmul_(g, g, value=d * d * (1 - beta2))
                state["s"].mul_(beta3).add_(g, alpha=d / self.d0 * dlr)
                denominator += state["s"].abs().sum().item()
        d_hat = self.d_coef * self.numerator / denominator
        if self.d == self.d0:
            self.d = max(self.d, d_hat)
        self.d_max = max(self.d_max, d_hat)
        self.d = min(self.d_max, self.d * self.growth)
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                p.mul_(1 - group["weight_decay"] * dlr)
                p.addcdiv_(state["m"], state["v"].sqrt() + self.d * self.eps, value=-dlr)


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
        "schedule-free sgd": run(ScheduleFree, lr=0.1),
        "schedule-free sgd decay": run(ScheduleFree, lr=0.1, beta=0.8, weight_decay=0.05),
        "schedule-free adamw": run(ScheduleFree, lr=0.01, beta2=0.999),
        "schedule-free adamw decay": run(ScheduleFree, lr=0.01, beta=0.95, beta2=0.99, weight_decay=0.05),
        "dadapt-sgd": run(DAdaptSGD),
        "dadapt-sgd decay": run(DAdaptSGD, momentum=0.9, d0=1e-3, growth_rate=1.5, weight_decay=0.05),
        "prodigy": run(Prodigy),
        "prodigy decay": run(Prodigy, betas=(0.8, 0.99), d0=1e-4, d_coef=0.5, growth_rate=1.5, use_bias_correction=True,
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
