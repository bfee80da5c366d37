"""PyTorch's side of the comparison on MNIST: LeNet by Smith's 1cycle, as Plan.smith has it.

usage: mnist_pytorch.py FOLDER [--seed N] [--threads N]     FOLDER has MNIST's four files

Prints a JSON object an epoch and one at the end, with the seconds that all epochs took, validation included. The images
are one tensor in memory, and batches rows of it, which is the fastest way to feed them.
"""
import argparse
import gzip
import json
import pathlib
import time

import torch
from torch import nn
from torch.nn import functional as F

EPOCHS, BATCH, MAX_RATE, WEIGHT_DECAY = 12, 512, 0.1, 5e-4
MOMENTA = 0.95, 0.8


def read(folder, name, header):
    path = pathlib.Path(folder, name)
    data = path.read_bytes() if path.exists() else gzip.decompress(pathlib.Path(folder, name + ".gz").read_bytes())
    return torch.frombuffer(bytearray(data[header:]), dtype=torch.uint8)


def load(folder, part):
    images = read(folder, f"{part}-images-idx3-ubyte", 16).view(-1, 1, 28, 28)
    return (images / 255 - 0.13066) / 0.30811, read(folder, f"{part}-labels-idx1-ubyte", 8).long()


def lenet():
    model = nn.Sequential(nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2), nn.Flatten(),
                          nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))
    for layer in model:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            # As Crest initialises: He's before a ReLU, Glorot's elsewhere.
            if layer is model[5]:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            else:
                nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model


def smith(step, total):
    """The learning rate and the momentum of a step: up, down towards 0, and a short tail."""
    size = 0.45 * total
    position = step / size
    wave = 1 - abs(position % 2 - 1)
    low, high = MAX_RATE / 10, MAX_RATE
    if position <= 1:
        rate = low + (high - low) * position
    elif position < 2:
        rate = high * (2 - position)
    else:
        rate = low / 1000
    return rate, MOMENTA[0] + (MOMENTA[1] - MOMENTA[0]) * wave


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    (images, labels), (test_images, test_labels) = load(options.folder, "train"), load(options.folder, "t10k")
    model = lenet()
    weights = [p for p in model.parameters() if p.ndim > 1]
    biases = [p for p in model.parameters() if p.ndim == 1]
    optimizer = torch.optim.SGD([{"params": weights, "weight_decay": WEIGHT_DECAY}, {"params": biases}],
                                lr=MAX_RATE, momentum=MOMENTA[0])
    steps = (len(images) + BATCH - 1) // BATCH
    seconds = 0
    for epoch in range(EPOCHS):
        start = time.perf_counter()
        model.train()
        order = torch.randperm(len(images))
        for batch in range(steps):
            rows = order[batch * BATCH:(batch + 1) * BATCH]
            rate, momentum = smith(epoch * steps + batch, EPOCHS * steps)
            for group in optimizer.param_groups:
                group["lr"], group["momentum"] = rate, momentum
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(model(images[rows]), labels[rows]).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            right = sum((model(x).argmax(1) == y).sum().item()
                        for x, y in zip(test_images.split(BATCH), test_labels.split(BATCH)))
        seconds += time.perf_counter() - start
        print(json.dumps({"event": "epoch", "epoch": epoch + 1, "accuracy": right / len(test_labels)}), flush=True)
    print(json.dumps({"event": "result", "seconds": seconds, "accuracy": right / len(test_labels)}))


if __name__ == "__main__":
    main()
