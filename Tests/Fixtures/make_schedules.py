"""Makes schedules/schedules.json and schedules/schedules.npy: what fastai and PyTorch themselves compute.

    python3 make_schedules.py        (needs torch, numpy and fastai; see README.md)

schedules.npy is one row of float64; schedules.json says which slice is what:

    versions     of the libraries that ran
    oneCycle     variants of the 1cycle policy: settings, and two slices
                   curves  for each N of `curveSteps`: N learning rates, then N momentums
                   samples for N = 1 ... `sampledSteps`: [sum of rates, sum of momentums, rate at k, momentum
                           at k], k = (2654435761 N mod 2^32) N >> 32, sums exactly rounded
    undefined    settings for which the peer raises ZeroDivisionError
    shapes       other schedules: settings and a slice of N values
    finders      loss curves of a learning-rate range test: settings, slices `losses` and `smoothed`, the index
                 of the last point before fastai's finder stops, and the four suggestions

Where each comes from:

    fastai       fastai.callback.schedule.combine_scheds with SchedCos or SchedLin, at position k / N. fastai's
                 `tensor` rounds the phase limits to float32; here that one name is bound to a float64 `tensor`, the
                 rest is fastai's own code. The unpatched code is checked to agree to 2e-6.
    fastai1      fastai 1's OneCycleScheduler, transcribed below (the package no longer installs).
    pytorch      torch.optim.lr_scheduler.OneCycleLR, stepped after every batch.
    smith        the policy that reproduces the learning rates in the logs of L. N. Smith's Caffe runs
                 (github.com/lnsmith54/hyperParam1): up to the maximum, down towards 0, a constant tail.
    shapes       fastai's sched_* functions; torch's CyclicLR, StepLR.
    finders      fastai.callback.schedule's valley, slide, minimum and steep, fastai.learner's AvgSmoothLoss,
                 all on float64 tensors.

schedules/steps.json has the values of schedules that count steps or are joined, by name, 100 of each (needs keras and
transformers, too; `python3 make_schedules.py steps` makes it alone):

    torch        LambdaLR, ExponentialLR, PolynomialLR, CosineAnnealingWarmRestarts, LinearLR in SequentialLR
    keras        keras.optimizers.schedules, whose float32 is replaced by float64
    transformers get_inverse_sqrt_schedule, get_wsd_schedule
    fastai       combine_scheds with SchedCos, as fit_sgdr does
    formula      where there is no peer to run, its formula: Noam (arXiv:1706.03762), timm's TanhLRScheduler
"""

import json
import math
import os
import pathlib
import sys
import warnings

os.environ["KERAS_BACKEND"] = "torch"

import fastai
import fastai.callback.schedule as fs
import fastai.learner
import numpy as np
import torch

warnings.filterwarnings("ignore")
FOLDER = pathlib.Path(__file__).parent / "schedules"
CURVE_STEPS = [1, 2, 3, 4, 5, 7, 10, 33, 100, 317]
SAMPLED_STEPS = 1000

values = []


def store(sequence):
    start = len(values)
    values.extend(float(v) for v in sequence)
    return [start, len(values) - start]


def float64_tensor(sequence):
    return torch.tensor(list(sequence), dtype=torch.float64)


float32_tensor = fs.tensor


# ---- the five conventions: settings, N -> (rates, momentums)

def fastai_curves(s, total):
    anneal = {"cosine": fs.SchedCos, "linear": fs.SchedLin}[s["annealing"]]
    high, low, m = s["momentum"][0], s["momentum"][1], s["maxLR"]

    def both():
        fractions = [s["percentStart"], 1 - s["percentStart"]]
        rate = fs.combine_scheds(fractions, [anneal(m / s["div"], m), anneal(m, m / s["finalDiv"])])
        momentum = fs.combine_scheds(fractions, [anneal(high, low), anneal(low, high)])
        return [rate(k / total) for k in range(total)], [momentum(k / total) for k in range(total)]

    rough = both()
    fs.tensor = float64_tensor
    exact = both()
    fs.tensor = float32_tensor
    for a, b in zip(rough, exact):
        assert np.abs(np.subtract(a, b)).max() < 2e-6, (s, total)
    return exact


def fastai1_curves(s, total):
    anneal = {
        "cosine": lambda a, b, p: b + (a - b) / 2 * (math.cos(math.pi * p) + 1),
        "linear": lambda a, b, p: a + p * (b - a),
    }[s["annealing"]]
    m = s["maxLR"]
    up = int(total * s["percentStart"])
    low = m / s["div"]

    def run(first, second):
        phases = [(first, max(1, up)), (second, max(1, total - up))]
        current, out = first[0], []
        index = n = 0
        for _ in range(total):
            out.append(current)  # the batch uses what the last one set
            if index == len(phases):
                continue
            (a, b), count = phases[index]
            n += 1
            current = anneal(a, b, n / count)
            if n >= count:
                index, n = index + 1, 0
        return out

    high, base = s["momentum"]
    return run((low, m), (m, low / s["finalDiv"])), run((high, base), (base, high))


def torch_curves(s, total):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1, momentum=0.5)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=s["maxLR"], total_steps=total, pct_start=s["percentStart"],
        anneal_strategy={"cosine": "cos", "linear": "linear"}[s["annealing"]],
        base_momentum=s["momentum"][1], max_momentum=s["momentum"][0], div_factor=s["div"],
        final_div_factor=s["finalDiv"], three_phase=s["convention"] == "pytorch-three-phase")
    rates, momentums = [], []
    for k in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        momentums.append(optimizer.param_groups[0]["momentum"])
        if k + 1 < total:
            scheduler.step()
    return rates, momentums


def smith_curves(s, total):
    m, high, low = s["maxLR"], *s["momentum"]
    base, half = m / s["div"], s["percentStart"] * total
    rates, momentums = [], []
    for t in range(total):
        if t <= half:
            rates.append(base + (m - base) * t / half)
        elif t <= 2 * half:
            rates.append(m * (2 - t / half))
        else:
            rates.append(base / s["finalDiv"])
        within = math.fmod(t, 2 * half)
        height = within / half if within <= half else 2 - within / half
        momentums.append(high + (low - high) * height)
    return rates, momentums


PEERS = {"fastai": fastai_curves, "fastai1": fastai1_curves, "pytorch": torch_curves,
         "pytorch-three-phase": torch_curves, "smith": smith_curves}


def settings(convention, annealing, maxLR, percentStart, div, finalDiv, high=0.95, low=0.85):
    return {"convention": convention, "annealing": annealing, "maxLR": maxLR, "percentStart": percentStart,
            "div": div, "finalDiv": finalDiv, "momentum": [high, low]}


VARIANTS = [
    settings("fastai", "cosine", 1.0, 0.25, 25.0, 1e5),
    settings("fastai", "linear", 0.37, 0.4, 10.0, 100.0, 0.9, 0.8),
    settings("fastai1", "cosine", 1.0, 0.3, 25.0, 1e4),
    settings("pytorch", "cosine", 1.0, 0.3, 25.0, 1e4),
    settings("pytorch", "linear", 0.37, 0.45, 10.0, 100.0, 0.9, 0.8),
    settings("pytorch-three-phase", "cosine", 1.0, 0.3, 25.0, 1e4),
    settings("pytorch-three-phase", "linear", 0.1, 0.45, 12.0, 1e3, 0.95, 0.8),
    settings("smith", "linear", 1.0, 0.45, 10.0, 1e3),
]


def one_cycle(s):
    peer = PEERS[s["convention"]]
    curves = []
    for total in CURVE_STEPS:
        rates, momentums = peer(s, total)
        curves += list(rates) + list(momentums)
    samples = []
    for total in range(1, SAMPLED_STEPS + 1):
        k = ((2654435761 * total) % 2**32) * total >> 32
        rates, momentums = peer(s, total)
        samples += [math.fsum(rates), math.fsum(momentums), rates[k], momentums[k]]
    return {"settings": s, "curves": store(curves), "samples": store(samples)}


def undefined(convention, percentStart, total):
    s = settings(convention, "cosine", 1.0, percentStart, 25.0, 1e4)
    try:
        torch_curves(s, total)
    except ZeroDivisionError:
        return {"settings": s, "total": total}
    raise AssertionError(f"{s} with {total} steps is defined")


# ---- other shapes

def shapes():
    def at_positions(f, total):
        return [f(k / total) for k in range(total)]

    def from_torch(make, total, key="lr"):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5, momentum=0.5)
        scheduler = make(optimizer)
        out = []
        for _ in range(total):
            out.append(optimizer.param_groups[0][key])
            scheduler.step()
        return out

    def cyclic(mode, down=None, gamma=1.0):
        return lambda o: torch.optim.lr_scheduler.CyclicLR(
            o, base_lr=0.1, max_lr=3.0, step_size_up=10, step_size_down=down, mode=mode, gamma=gamma)

    fs.tensor = float64_tensor
    rows = {
        "linear 0.5 to 0.01": at_positions(fs.SchedLin(0.5, 0.01), 100),
        "cosine 0.5 to 0.01": at_positions(fs.SchedCos(0.5, 0.01), 100),
        "exponential 0.5 to 0.01": at_positions(fs.SchedExp(0.5, 0.01), 100),
        "polynomial 0.5 to 0.01, power 2.5": at_positions(fs.SchedPoly(0.5, 0.01, 2.5), 100),
        "flat cosine 0.5": at_positions(fs.combined_cos(0.75, 0.5, 0.5, 0.5 / 1e5), 100),
        "combined 0.25 0.5 0.25": at_positions(
            fs.combine_scheds([0.25, 0.5, 0.25], [fs.SchedLin(0.1, 1.0), fs.SchedNo(1.0, 1.0), fs.SchedCos(1.0, 0.0)]),
            97),
        "triangular": from_torch(cyclic("triangular"), 100),
        "triangular, 15 down": from_torch(cyclic("triangular", down=15), 100),
        "triangular, momentum": from_torch(cyclic("triangular"), 100, "momentum"),
        "triangular2": from_torch(cyclic("triangular2"), 100),
        "exponential range 0.97": from_torch(cyclic("exp_range", gamma=0.97), 100),
        "step decay 0.1 every 30": from_torch(lambda o: torch.optim.lr_scheduler.StepLR(o, 30, 0.1), 100),
        "step decay 0.1 at 50 and 75": from_torch(
            lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [50, 75], 0.1), 100),
    }
    fs.tensor = float32_tensor
    return [{"name": name, "values": store(row)} for name, row in rows.items()]


# ---- the learning-rate range test

class Loss:
    def __init__(self, value):
        self.loss = torch.tensor(value, dtype=torch.float64)


def finder(name, steps, losses, start=1e-7, end=10.0):
    """What fastai's finder makes of `losses`, as far as it gets."""
    average = fastai.learner.AvgSmoothLoss(beta=0.98)
    average.reset()
    average.val = torch.tensor(0.0, dtype=torch.float64)
    smoothed, best, diverged = [], math.inf, False
    for loss in losses:
        average.accumulate(Loss(loss))
        smoothed.append(average.value.item())
        best = min(best, smoothed[-1])
        if smoothed[-1] > 4 * best:
            diverged = True
            break
    count = len(smoothed)
    rates = [fs.SchedExp(start, end)(i / steps) for i in range(count)]
    lrs, ls = torch.tensor(rates, dtype=torch.float64)[steps // 10:-5], float64_tensor(smoothed)[steps // 10:-5]
    rows = {method: f(lrs, ls, steps)[0] for method, f in
            [("valley", fs.valley), ("slide", fs.slide), ("minimum", fs.minimum), ("steepest", fs.steep)]}
    return {"name": name, "start": start, "end": end, "steps": steps, "losses": store(losses[:count]),
            "smoothed": store(smoothed), "diverged": diverged, "suggestions": rows}


def finders():
    def curve(seed, steps, floor, fall, centre, steepness, blow, noise):
        random = np.random.Generator(np.random.PCG64(seed))
        x = np.array([1e-7 * 1e8 ** (i / steps) for i in range(steps)])
        clean = floor + fall / (1 + np.exp(steepness * (np.log10(x) - centre))) + blow * np.maximum(0, x - 0.3) ** 2
        return (clean * (1 + noise * random.standard_normal(steps))).tolist()

    return [
        finder("calm", 100, curve(1, 100, 0.8, 1.5, -3.0, 2.5, 1.0, 0.005)),
        finder("noisy", 100, curve(2, 100, 0.3, 2.0, -2.5, 3.0, 40.0, 0.05)),
        finder("very noisy", 100, curve(3, 100, 0.5, 4.0, -3.5, 2.0, 200.0, 0.2)),
        finder("early fall", 200, curve(4, 200, 0.2, 6.0, -5.0, 4.0, 30.0, 0.03)),
        finder("late fall", 60, curve(5, 60, 0.1, 2.2, -1.0, 5.0, 5.0, 0.02)),
        finder("flat", 100, curve(6, 100, 2.3, 0.0, 0.0, 1.0, 500.0, 0.01)),
        finder("long", 500, curve(7, 500, 0.4, 3.0, -3.0, 3.0, 100.0, 0.1)),
    ]


# ---- schedules that count steps, and schedules that are joined

def step_shapes():
    import keras
    import transformers
    keras.config.set_floatx("float64")
    k, t = keras.optimizers.schedules, torch.optim.lr_scheduler
    steps = range(100)

    def from_torch(make, base=0.5):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base)
        scheduler = make(optimizer)
        out = []
        for _ in steps:
            out.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
            scheduler.step()
        return out

    def from_keras(schedule):
        def value(step):
            tensor = torch.tensor(step, dtype=torch.float64)
            return float(schedule(tensor))
        return [value(step) for step in steps]

    def warm_cosine(o):
        return t.SequentialLR(
            o, [t.LinearLR(o, 0.1, 1.0, 20), t.CosineAnnealingLR(o, 80)], milestones=[20])

    def restarts(cycles, factor):
        fs.tensor = float64_tensor
        lengths = [factor ** i for i in range(cycles)]
        f = fs.combine_scheds([n / sum(lengths) for n in lengths], [fs.SchedCos(0.5, 0)] * cycles)
        out = [f(step / 100) for step in steps]
        fs.tensor = float32_tensor
        return out

    rows = {
        "exponential decay 0.97": from_torch(lambda o: t.ExponentialLR(o, 0.97)),
        "exponential decay 0.9 every 7": from_keras(k.ExponentialDecay(0.5, 7, 0.9)),
        "polynomial decay 2.5": from_torch(lambda o: t.PolynomialLR(o, 100, 2.5)),
        "polynomial decay 0.5 to 0.01, power 3": from_keras(k.PolynomialDecay(0.5, 100, 0.01, 3)),
        "inverse time 0.3 every 4": from_keras(k.InverseTimeDecay(0.5, 4, 0.3)),
        "inverse time 0.3 every 4, staircase": from_keras(k.InverseTimeDecay(0.5, 4, 0.3, True)),
        "inverse square root 10": from_torch(
            lambda o: transformers.get_inverse_sqrt_schedule(o, 10)),
        "cosine restarts 12": from_torch(lambda o: t.CosineAnnealingWarmRestarts(o, 12, 1, 0.01)),
        "cosine restarts 7, twice as long": from_torch(
            lambda o: t.CosineAnnealingWarmRestarts(o, 7, 2, 0.01)),
        "cosine restarts 7, 1.5 as long, 0.8 as high": from_keras(
            k.CosineDecayRestarts(0.5, 7, 1.5, 0.8, 0.02)),
        "three cosines, twice as long": restarts(3, 2),
        "warm-up and cosine": from_torch(warm_cosine),
        "warm-up, stable, decay": from_torch(
            lambda o: transformers.get_wsd_schedule(
                o, num_warmup_steps=10, num_decay_steps=20, num_training_steps=100,
                decay_type="linear")),
        "piecewise constant": from_keras(
            k.PiecewiseConstantDecay([29, 59], [0.5, 0.2, 0.3])),
        "noam 16": [0.5 * min((s + 1) / 16, math.sqrt(16 / (s + 1))) for s in steps],
        "tanh": [
            0.01 + 0.5 * (0.5 - 0.01) * (1 - math.tanh(-6 * (1 - s / 100) + 3 * s / 100))
            for s in steps],
    }
    versions = {"torch": torch.__version__, "fastai": fastai.__version__, "keras": keras.__version__,
                "transformers": transformers.__version__}
    (FOLDER / "steps.json").write_text(json.dumps({"versions": versions, "shapes": rows}, indent=1) + "\n")


def main():
    if sys.argv[1:] == ["steps"]:
        return step_shapes()
    versions = {"torch": torch.__version__, "fastai": fastai.__version__, "numpy": np.__version__}
    print(versions)
    document = {
        "versions": versions,
        "curveSteps": CURVE_STEPS,
        "sampledSteps": SAMPLED_STEPS,
        "oneCycle": [one_cycle(s) for s in VARIANTS],
        "undefined": [
            undefined("pytorch", 0.25, 4), undefined("pytorch", 0.5, 2), undefined("pytorch", 1.0, 1),
            undefined("pytorch", 0.1, 10), undefined("pytorch-three-phase", 0.5, 2),
            undefined("pytorch-three-phase", 1 / 3, 3)],
        "shapes": shapes(),
        "finders": finders(),
    }
    FOLDER.mkdir(exist_ok=True)
    np.save(FOLDER / "schedules.npy", np.array(values, dtype="<f8"))
    text = json.dumps(document, indent=1)
    (FOLDER / "schedules.json").write_text(text + "\n")
    step_shapes()
    print(len(values), "values,", len(text), "bytes of JSON")
    for f in document["finders"]:
        print(f["name"], f["losses"][1], f["diverged"], f["suggestions"])


if __name__ == "__main__":
    main()
