"""Makes optimizers/optimizers.json: five steps of PyTorch's optimisers on eight numbers.

    python3 make_optimizers.py           (needs torch; see README.md)

`weight` (5 numbers) and `bias` (3) start at `start`; step i takes the gradients `gradients[i]` and, in the cases whose name
ends in "scheduled", the learning rate and momentum `schedule[i]`. `after[i]` is where they are after step i, in
float32. A case named "… on weights" decays the weight only. SGD has no decoupled decay in PyTorch; its cases
multiply by 1 - rate * decay before the step, as AdamW does.
"""

import itertools
import json
import pathlib

import torch

START = [0.5, -1.25, 2.0, 0.125, -0.75, 1.0, -0.5, 0.25]
GRADIENTS = [
    [0.1, -0.2, 0.3, 0.0, 1.5, -0.7, 0.01, 2.0],
    [-0.3, 0.25, 0.5, 1e-3, 1.0, 0.6, -0.02, -1.0],
    [0.05, 0.0, -0.75, 0.2, 0.5, 0.1, 0.03, 0.5],
    [1.0, -1.0, 0.125, -0.4, -0.25, 0.0, 0.04, 0.25],
    [-0.6, 0.4, 0.2, 0.1, 0.0, -0.3, -0.05, -0.125],
]
SCHEDULE = [(0.01, 0.95), (0.05, 0.9), (0.1, 0.85), (0.06, 0.9), (0.004, 0.95)]
RATE, DECAY = 0.1, 0.05


def run(kind, momentum, nesterov, decay_kind, targets, scheduled):
    values = torch.tensor(START)
    weight, bias = values[:5].clone().requires_grad_(), values[5:].clone().requires_grad_()
    decay = 0.0 if decay_kind is None else DECAY
    groups = [{"params": [weight], "weight_decay": decay},
              {"params": [bias], "weight_decay": decay if targets == "all" else 0.0}]
    by_hand = kind == "sgd" and decay_kind == "decoupled"
    decays = [g["weight_decay"] for g in groups]
    if by_hand:
        for group in groups:
            group["weight_decay"] = 0.0
    if kind == "sgd":
        optimizer = torch.optim.SGD(groups, lr=RATE, momentum=momentum, nesterov=nesterov)
    else:
        make = torch.optim.AdamW if decay_kind == "decoupled" else torch.optim.Adam
        optimizer = make(groups, lr=RATE, betas=(momentum, 0.99), eps=1e-6)
    after = []
    for gradient, (rate, beta) in zip(GRADIENTS, SCHEDULE):
        if scheduled:
            for group in optimizer.param_groups:
                group["lr"] = rate
                if kind == "sgd":
                    group["momentum"] = beta
                else:
                    group["betas"] = (beta, 0.99)
        weight.grad, bias.grad = torch.tensor(gradient[:5]), torch.tensor(gradient[5:])
        if by_hand:
            with torch.no_grad():
                for parameter, amount in zip((weight, bias), decays):
                    parameter.mul_(1 - optimizer.param_groups[0]["lr"] * amount)
        optimizer.step()
        after.append(weight.tolist() + bias.tolist())
    return after


def main():
    cases = {}
    for momentum, nesterov, decay in itertools.product((0.0, 0.9), (False, True), (None, "l2", "decoupled")):
        if nesterov and not momentum:
            continue
        name = f"sgd momentum {momentum}" + (" nesterov" if nesterov else "") + (f" {decay}" if decay else "")
        cases[name] = run("sgd", momentum, nesterov, decay, "all", False)
    for decay in (None, "l2", "decoupled"):
        cases["adam" + (f" {decay}" if decay else "")] = run("adam", 0.9, False, decay, "all", False)
    for kind, decay in (("sgd", "l2"), ("adam", "l2"), ("adam", "decoupled")):
        cases[f"{kind} {decay} on weights"] = run(kind, 0.9, False, decay, "weights", False)
        cases[f"{kind} {decay} scheduled"] = run(kind, 0.9, False, decay, "all", True)
    document = {"torch": torch.__version__, "start": START, "gradients": GRADIENTS,
                "schedule": SCHEDULE, "rate": RATE, "decay": DECAY, "cases": cases}
    path = pathlib.Path(__file__).parent / "optimizers" / "optimizers.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")
    print("torch", torch.__version__, len(cases), "cases")


if __name__ == "__main__":
    main()
