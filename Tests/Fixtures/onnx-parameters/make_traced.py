"""Batch norm whose running statistics are those of one run that the exporter made, on images that nobody scaled.

    python make_traced.py

writes `traced-new.onnx`, a new network (scales 1, shifts 0); `traced-other.onnx`, the same with scales and shifts that have
moved; and `traced-trained.onnx`, after ten steps of training, when some variances are below 0.9.
"""
import pathlib
import warnings

import torch
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).resolve().parent


def export(network, x, file):
    torch.onnx.export(
        network.train(), (x,), str(HERE / file), dynamo=False, opset_version=17, do_constant_folding=False,
        training=torch.onnx.TrainingMode.TRAINING, input_names=["x"], output_names=["y"],
        dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}})


def network():
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3, bias=False), nn.BatchNorm2d(4),
        nn.Flatten(), nn.Linear(16, 3))


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    torch.manual_seed(4)
    x = torch.rand(4, 1, 6, 6) * 255
    export(network(), x, "traced-new.onnx")
    moved = network()
    for norm in (moved[1], moved[4]):
        nn.init.uniform_(norm.weight, 0.9, 1.1)
        nn.init.uniform_(norm.bias, -0.1, 0.1)
    export(moved, x, "traced-other.onnx")
    trained = network()
    optimizer = torch.optim.SGD(trained.parameters(), 0.05)
    for _ in range(10):
        optimizer.zero_grad()
        F.cross_entropy(trained(x / 255), torch.tensor([0, 1, 2, 0])).backward()
        optimizer.step()
    export(trained, x / 255, "traced-trained.onnx")
