"""Prints the seconds of a step of one of PyTorch's optimisers, or `none` if it lacks it.

    python3 optimizers.py NAME PARAMETERS STEPS THREADS
"""

import sys
import time

import torch

o = torch.optim
OPTIMIZERS = {
    "sgd": (o.SGD, dict(lr=1e-2, momentum=0.9)), "adam": (o.Adam, {}), "adamw": (o.AdamW, {}),
    "rmsprop": (o.RMSprop, dict(momentum=0.9)), "adagrad": (o.Adagrad, {}), "adadelta": (o.Adadelta, {}),
    "adamax": (o.Adamax, {}), "amsgrad": (o.Adam, dict(amsgrad=True)), "nadam": (o.NAdam, {}), "radam": (o.RAdam, {}),
    "adafactor": (o.Adafactor, {}),
}


def main():
    name, count, steps, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(threads)
    if name not in OPTIMIZERS:
        print("none")
        return
    make, settings = OPTIMIZERS[name]
    side = int(count ** 0.5)
    weight = torch.zeros(side, count // side, requires_grad=True)
    weight.grad = torch.rand_like(weight) - 0.5
    for form in (dict(fused=True), dict(foreach=True), {}):
        try:
            optimizer = make([weight], **settings, **form)
            optimizer.step()
            break
        except (TypeError, RuntimeError, NotImplementedError):
            continue
    start = time.perf_counter()
    for _ in range(steps):
        optimizer.step()
    print((time.perf_counter() - start) / steps)


if __name__ == "__main__":
    main()
