"""Makes mlp/, lenet/ and resnet20/ here: ten training steps of PyTorch on networks anyone can rebuild.

    python3 make_parity.py           (needs torch and numpy; see ../README.md)

Nothing random is stored: initial weights, inputs and labels come from a formula that both sides compute.

Uniforms. u(stream, index) in [0, 1) is Philox 4x32-10 (Salmon et al. 2011) under the key (low, high half of the
case's seed), the counter (low, high half of index / 4, step 0, stream), word index mod 4, its top 24 bits over
2^24. It is exact in float32. `stream` is a tensor's place in the table `tensors` of expected.json (PyTorch's state-dict
order), `index` an element's place in row-major order of PyTorch's (and ONNX's) layout.

Initial values. With all arithmetic in float64, in the order written, and one rounding to float32 (to nearest, ties
to even) at the end:

    weight         (u - 0.5) * sqrt(24 / fanIn)     He-uniform; fanIn = product of all sizes but the first
    bias           (u - 0.5) * 0.1
    scale          1 + (u - 0.5) * 0.1              batch norm's
    runningMean    0
    runningVariance  1
    inputs         u - 0.5                          stream `inputsStream`, [steps * batchSize, channels, height, width]
    labels         floor(u * 10)                    stream `labelsStream`, [steps * batchSize]
    evaluation     u - 0.5                          stream `evaluationStream`, [batchSize, channels, height, width]

Training. Step i uses rows i * batchSize ..< (i + 1) * batchSize. Mean cross-entropy; torch.optim.SGD with momentum (no
dampening, no Nesterov) and L2 weight decay on every parameter; torch's OneCycleLR, stepped after every batch. Batch norm
keeps running = 0.9 running + 0.1 batch with the population variance, as ONNX does (PyTorch's own takes the sample
variance). Everything runs in float32 on one thread, and again in float64 from the same start; that they agree to 1e-5 is
checked.

Results. expected.json holds the settings, each step's loss (`lossFloat64` from the float64 run), learning rate and
momentum, and the evaluation-mode logits of the evaluation batch after the last step. expected-weights.npy is one row of
float32 (the float32 run): of each tensor, every `every`-th element from the first, at `offset`, `count` of them. `sum` and
`sumOfSquares` are over the whole tensor, in float64; `initialSum`, `inputsSum`, `labelsSum` and `evaluationSum` are
sums before training, exactly rounded, to tell a wrong start from wrong training.
"""

import json
import math
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional

FOLDER = pathlib.Path(__file__).parent
STEPS, BATCH, CLASSES = 10, 8, 10
WHOLE = 2048


# ---- uniforms

def philox(seed, stream, count):
    """count uniforms of a stream, as float64."""
    index = np.arange((count + 3) // 4, dtype=np.uint64)
    low = np.uint64(0xFFFFFFFF)
    shift = np.uint64(32)
    c = [index & low, index >> shift, np.zeros_like(index), np.full_like(index, stream)]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> shift) ^ c[1] ^ np.uint64(k0), p1 & low, (p0 >> shift) ^ c[3] ^ np.uint64(k1), p0 & low]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    words = np.stack(c, axis=1).reshape(-1)[:count]
    return (words >> np.uint64(8)).astype(np.float64) / 2.0**24


def check_philox():
    """The known answer of Random123 for zero counter and key: 6627e8d5 e169c58d bc57ac4c 9b00dbd8."""
    expected = [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert [int(u * 2**24) for u in philox(0, 0, 4)] == [w >> 8 for w in expected]


# ---- networks

class BatchNorm(nn.Module):
    """Batch norm over N, H, W with ONNX's running statistics."""

    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x):
        if not self.training:
            return functional.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, 1e-5)
        with torch.no_grad():
            self.running_mean.mul_(0.9).add_(0.1 * x.mean(dim=(0, 2, 3)))
            self.running_var.mul_(0.9).add_(0.1 * x.var(dim=(0, 2, 3), correction=0))
        return functional.batch_norm(x, None, None, self.weight, self.bias, True, 0.0, 1e-5)


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense1 = nn.Linear(784, 32)
        self.dense2 = nn.Linear(32, 32)
        self.dense3 = nn.Linear(32, CLASSES)

    def forward(self, x):
        x = functional.relu(self.dense1(x.flatten(1)))
        return self.dense3(functional.relu(self.dense2(x)))


class LeNet(nn.Module):
    """Caffe's LeNet: no activation between the convolutions."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.dense1 = nn.Linear(800, 500)
        self.dense2 = nn.Linear(500, CLASSES)

    def forward(self, x):
        x = functional.max_pool2d(self.conv1(x), 2)
        x = functional.max_pool2d(self.conv2(x), 2)
        return self.dense2(functional.relu(self.dense1(x.flatten(1))))


class Block(nn.Module):
    """A basic block; its shortcut takes every second pixel and pads zero channels on both sides (option A)."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.stride = outputs // inputs
        self.added = outputs - inputs
        self.conv1 = nn.Conv2d(inputs, outputs, 3, self.stride, 1, bias=False)
        self.norm1 = BatchNorm(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = BatchNorm(outputs)

    def forward(self, x):
        y = self.norm2(self.conv2(functional.relu(self.norm1(self.conv1(x)))))
        if self.added:
            half = self.added // 2
            x = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, half, half))
        return functional.relu(y + x)


class ResNet20(nn.Module):
    """The CIFAR network of He et al. 2015, section 4.2, n = 3."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.norm = BatchNorm(16)
        widths = [16] * 4 + [32] * 3 + [64] * 3
        self.blocks = nn.ModuleList(Block(a, b) for a, b in zip(widths, widths[1:]))
        self.dense = nn.Linear(64, CLASSES)

    def forward(self, x):
        x = functional.relu(self.norm(self.conv(x)))
        for block in self.blocks:
            x = block(x)
        return self.dense(x.mean(dim=(2, 3)))


# ---- a case

def role(name, tensor):
    if name.endswith("running_mean"):
        return "runningMean"
    if name.endswith("running_var"):
        return "runningVariance"
    if name.endswith("bias"):
        return "bias"
    return "scale" if tensor.dim() == 1 else "weight"


def initial(role, shape, u):
    values = {
        "weight": lambda: (u - 0.5) * math.sqrt(24 / math.prod(shape[1:])),
        "bias": lambda: (u - 0.5) * 0.1,
        "scale": lambda: 1 + (u - 0.5) * 0.1,
        "runningMean": lambda: u * 0,
        "runningVariance": lambda: u * 0 + 1,
    }[role]()
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def inputs(seed, stream, shape):
    return torch.from_numpy((philox(seed, stream, math.prod(shape)) - 0.5).astype(np.float32).reshape(shape))


def run(case, dtype):
    model = case["make"]()
    seed, shape = case["seed"], case["input"]
    state = model.state_dict()
    for stream, (name, tensor) in enumerate(state.items()):
        u = philox(seed, stream, tensor.numel())
        tensor.copy_(initial(role(name, tensor), tensor.shape, u))
    sums = {name: exact_sum(tensor) for name, tensor in state.items()}
    streams = len(state)
    x = inputs(seed, streams, [STEPS * BATCH, *shape]).to(dtype)
    labels = torch.from_numpy(np.floor(philox(seed, streams + 1, STEPS * BATCH) * CLASSES).astype(np.int64))
    evaluation = inputs(seed, streams + 2, [BATCH, *shape]).to(dtype)
    sums |= {"inputs": exact_sum(x), "labels": exact_sum(labels), "evaluation": exact_sum(evaluation)}

    model = model.to(dtype).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=case["maxLR"], total_steps=STEPS, pct_start=0.3, anneal_strategy="cos")
    steps = []
    for i in range(STEPS):
        rows = slice(i * BATCH, (i + 1) * BATCH)
        loss = functional.cross_entropy(model(x[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        group = optimizer.param_groups[0]
        steps.append({"loss": loss.item(), "learningRate": group["lr"], "momentum": group["momentum"]})
        optimizer.step()
        if i + 1 < STEPS:
            schedule.step()
    model.eval()
    with torch.no_grad():
        logits = model(evaluation)
    return model.state_dict(), steps, logits, sums


def exact_sum(tensor):
    return math.fsum(tensor.double().numpy().reshape(-1))


def prime_at_least(n):
    while any(n % d == 0 for d in range(2, math.isqrt(n) + 1)):
        n += 1
    return n


def make(name, case):
    state, steps, logits, sums = run(case, torch.float32)
    state64, steps64, logits64, _ = run(case, torch.float64)
    for step, step64 in zip(steps, steps64):
        step["lossFloat64"] = step64["loss"]
    differences = {
        "loss": max(abs(a["loss"] - a["lossFloat64"]) / abs(a["lossFloat64"]) for a in steps),
        "weights": max((state[k].double() - state64[k]).abs().max().item() for k in state),
        "logits": (logits.double() - logits64).abs().max().item() / max(1, logits64.abs().max().item()),
    }
    print(name, "losses", [round(s["loss"], 4) for s in steps])
    print(name, "float32 against float64:", differences)
    assert max(differences.values()) <= 1e-5, differences

    tensors, row = [], []
    for tensor_name, tensor in state.items():
        flat = tensor.numpy().reshape(-1)
        every = 1 if flat.size <= WHOLE else prime_at_least(-(-flat.size // WHOLE))
        kept = flat[::every]
        exact = flat.astype(np.float64)
        tensors.append({
            "name": tensor_name, "role": role(tensor_name, tensor), "shape": list(tensor.shape),
            "offset": len(row), "count": len(kept), "every": every, "initialSum": sums[tensor_name],
            "sum": math.fsum(exact), "sumOfSquares": math.fsum(exact * exact)})
        row.extend(kept)
    document = {
        "case": name, "versions": {"torch": torch.__version__, "numpy": np.__version__},
        "seed": case["seed"], "input": case["input"], "classes": CLASSES, "batchSize": BATCH,
        "maxLR": case["maxLR"], "weightDecay": 1e-4, "inputsStream": len(tensors), "labelsStream": len(tensors) + 1,
        "evaluationStream": len(tensors) + 2, "inputsSum": sums["inputs"], "labelsSum": sums["labels"],
        "evaluationSum": sums["evaluation"], "steps": steps, "evaluation": logits.tolist(), "tensors": tensors,
        "float32AgainstFloat64": differences}
    folder = FOLDER / name
    folder.mkdir(exist_ok=True)
    (folder / "expected.json").write_text(json.dumps(document, indent=1) + "\n")
    np.save(folder / "expected-weights.npy", np.array(row, dtype="<f4"))
    print(name, len(tensors), "tensors,", len(row), "values stored")


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    check_philox()
    print("torch", torch.__version__, "numpy", np.__version__)
    cases = {
        "mlp": {"seed": 1, "make": MLP, "input": [1, 28, 28], "maxLR": 0.02},
        "lenet": {"seed": 2, "make": LeNet, "input": [1, 28, 28], "maxLR": 0.02},
        "resnet20": {"seed": 3, "make": ResNet20, "input": [3, 32, 32], "maxLR": 0.0005},
    }
    for name, case in cases.items():
        make(name, case)


if __name__ == "__main__":
    main()
