"""PyTorch's side of the comparison: trains a network and prints how long a step took, as JSON.

usage: pytorch.py NETWORK BATCH eager|channels_last|compile [--scope step|epoch] [--steps N] [--threads N]
"""
import argparse
import json
import resource
import time

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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network")
    parser.add_argument("batch", type=int)
    parser.add_argument("mode", choices=["eager", "channels_last", "compile"])
    parser.add_argument("--scope", default="step", choices=["step", "epoch"])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    model, shape = network(options.network)
    model.train()
    layout = torch.contiguous_format if options.mode == "eager" else torch.channels_last
    if len(shape) == 3 and options.network != "mlp":
        model = model.to(memory_format=layout)
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, weight_decay=1e-4)
    compiled = torch.compile(model) if options.mode == "compile" else model
    announced = False

    def step(x, y):
        nonlocal announced
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(compiled(x), y)
        loss.backward()
        optimizer.step()
        if not announced:
            print("first", flush=True)
            announced = True

    def laid_out(x):
        return x.contiguous(memory_format=layout) if options.network != "mlp" else x

    times = []
    if options.scope == "step":
        x, y = laid_out(torch.randn(options.batch, *shape)), torch.randint(0, 10, (options.batch,))
        for number in range(options.steps + 3):
            start = time.perf_counter()
            step(x, y)
            if number >= 3:
                times.append(time.perf_counter() - start)
    else:
        count = options.steps * options.batch
        data = torch.utils.data.TensorDataset(torch.randn(count, *shape), torch.randint(0, 10, (count,)))
        loader = torch.utils.data.DataLoader(data, options.batch, shuffle=True)
        for epoch in range(3):
            start = time.perf_counter()
            for x, y in loader:
                step(laid_out(x), y)
            if epoch > 0:
                times.append((time.perf_counter() - start) / options.steps)
    times.sort()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"secondsPerStep": times[len(times) // 2], "peakBytes": peak}))


main()
