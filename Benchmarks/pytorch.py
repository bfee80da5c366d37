"""PyTorch's side of the comparison: trains a network and prints how long a step took, as JSON.

usage: pytorch.py NETWORK BATCH eager|channels_last|compile [--scope step epoch] [--steps N] [--threads N]
       pytorch.py NETWORK BATCH eager --export FILE.onnx
"""
import argparse
import json
import pathlib
import resource
import sys
import time
import warnings

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    """Two convolutions and a shortcut without parameters (option A of He and others)."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.stride, self.added = stride, outputs - inputs

    def forward(self, x):
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        if self.added:
            x = x[:, :, :: self.stride, :: self.stride]
            x = F.pad(x, (0, 0, 0, 0, self.added // 2, self.added - self.added // 2))
        return F.relu(y + x)


class ResNet(nn.Module):
    def __init__(self, blocks):
        super().__init__()
        layers, inputs = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
        for stride, outputs in ((1, 16), (2, 32), (2, 64)):
            for block in range(blocks):
                layers.append(Block(inputs, outputs, stride if block == 0 else 1))
                inputs = outputs
        self.body, self.head = nn.Sequential(*layers), nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.body(x).mean((2, 3)))


def network(name):
    if name == "mlp":
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(),
                             nn.Linear(512, 10)), (1, 28, 28)
    if name == "lenet":
        return nn.Sequential(nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2), nn.Flatten(),
                             nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10)), (1, 28, 28)
    return ResNet({"resnet20": 3, "resnet56": 9}[name]), (3, 32, 32)


# The batches of an epoch, so many that it takes about a second; as in Workload.swift.
EPOCH_EXAMPLES = {"mlp": 25600, "lenet": 5120, "resnet20": 1536, "resnet56": 640}
# Epochs, or as many steps, after one that warms up: the first steps are slower, by a tenth and more. As in Measure.swift.
TIMED_EPOCHS = 3


def median(values):
    """The middle one; the upper one of two."""
    return sorted(values)[len(values) // 2]


def peak_bytes():
    """The largest size of this process, and not of the one that started it as rusage has it."""
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def export(model, shape, path):
    """Writes the network as models/make.py does: in training mode, unfolded, for any batch."""
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    torch.onnx.export(
        model, torch.randn(2, *shape), path, dynamo=False, opset_version=17, training=torch.onnx.TrainingMode.TRAINING,
        do_constant_folding=False, input_names=["input"], output_names=["output"],
        dynamic_axes={"input": {0: "N"}, "output": {0: "N"}})


class Training:
    """A network and its optimiser in one of PyTorch's modes."""

    def __init__(self, name, mode):
        model, self.shape = network(name)
        self.layout = torch.contiguous_format
        if mode != "eager" and name != "mlp":
            self.layout = torch.channels_last
            model = model.to(memory_format=self.layout)
        model.train()
        self.optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, weight_decay=1e-4)
        self.model = torch.compile(model) if mode == "compile" else model

    def step(self, x, y):
        self.optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self.model(x.contiguous(memory_format=self.layout)), y)
        loss.backward()
        self.optimizer.step()

    def step_seconds(self, batch, steps):
        x, y = torch.randn(batch, *self.shape), torch.randint(0, 10, (batch,))
        x = x.contiguous(memory_format=self.layout)
        times = []
        for number in range((1 + TIMED_EPOCHS) * steps):
            start = time.perf_counter()
            self.step(x, y)
            if number == 0:
                # Whoever started this process has the time it took.
                print("first", flush=True)
            times.append(time.perf_counter() - start)
        return median(times[steps:])

    def epoch_seconds(self, batch, steps):
        data = torch.utils.data.TensorDataset(
            torch.randn(steps * batch, *self.shape), torch.randint(0, 10, (steps * batch,)))
        loader = torch.utils.data.DataLoader(data, batch, shuffle=True)
        epochs = []
        for _ in range(1 + TIMED_EPOCHS):
            start = time.perf_counter()
            for x, y in loader:
                self.step(x, y)
            epochs.append((time.perf_counter() - start) / steps)
        return median(epochs[1:])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network", choices=list(EPOCH_EXAMPLES))
    parser.add_argument("batch", type=int)
    parser.add_argument("mode", choices=["eager", "channels_last", "compile"])
    parser.add_argument("--scope", nargs="+", default=["step"], choices=["step", "epoch"])
    parser.add_argument("--steps", type=int)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--export")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    if options.export:
        export(*network(options.network), options.export)
        return
    training = Training(options.network, options.mode)
    steps = options.steps or max(12, EPOCH_EXAMPLES[options.network] // options.batch)
    scopes = {}
    for scope in options.scope:
        measure = training.step_seconds if scope == "step" else training.epoch_seconds
        seconds = measure(options.batch, steps)
        scopes[scope] = {"secondsPerStep": seconds, "peakBytes": peak_bytes()}
    print(json.dumps({"scopes": scopes, "version": torch.__version__}))


main()
