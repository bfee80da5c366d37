"""Writes operations/pytorch.json: values and gradients of PyTorch in float64 for small inputs.

Run: python make_operations.py  (needs torch)
"""

import json
import pathlib

import torch
import torch.nn.functional as F

generator = torch.Generator().manual_seed(7)


def draw(*shape, low=-2.0, high=2.0):
    uniform = torch.rand(*shape, generator=generator, dtype=torch.float64)
    return ((low + uniform * (high - low)) * 1000).round() / 1000


def fixed(values):
    return torch.tensor(values, dtype=torch.float64)


def onnx_norm(x, scale, bias):
    return F.batch_norm(x, None, None, scale, bias, training=True, eps=1e-3)


ties = fixed([[1, 3, 3], [2, 2, 2], [-1, 0, -5]])
probabilities = torch.softmax(draw(4, 3), 1)
CASES = {
    "add": (lambda a, b: a + b, [draw(2, 3), draw(3)]),
    "subtract": (lambda a, b: a - b, [draw(2, 1), draw(3)]),
    "multiply": (lambda a, b: a * b, [draw(2, 3), draw(2, 1)]),
    "divide": (lambda a, b: a / b, [draw(2, 3), draw(3, low=0.5)]),
    "negate": (lambda a: -a, [draw(3)]),
    "exp": (torch.exp, [draw(4)]),
    "log": (torch.log, [draw(4, low=0.1)]),
    "squareRoot": (torch.sqrt, [draw(4, low=0.1)]),
    "reciprocal": (torch.reciprocal, [draw(4, low=0.1)]),
    "absolute": (torch.abs, [fixed([-2, -0.5, 0, 3])]),
    "sign": (torch.sign, [fixed([-2, 0, 3])]),
    "relu": (torch.relu, [fixed([-2, -0.5, 0, 3])]),
    "sigmoid": (torch.sigmoid, [fixed([-40, -2, 0, 1.5, 40])]),
    "tanh": (torch.tanh, [fixed([-9, -2, 0, 1.5])]),
    "softplus": (F.softplus, [fixed([-9, -2, 0, 1.5, 19])]),
    "power": (
        torch.pow,
        [fixed([0, 0, 0, 2, 2, 1.5, 2.5, 0.5]), fixed([0, 1, 2, 0, 3, -1.5, 0, 0.5])],
    ),
    "maximum": (torch.maximum, [fixed([1, 2, 3, 0]), fixed([2, 2, 1, 0])]),
    "minimum": (torch.minimum, [fixed([1, 2, 3, 0]), fixed([2, 2, 1, 0])]),
    "select": (
        lambda a, b: torch.where(fixed([1, 0, 1]) != 0, a, b),
        [draw(2, 3), draw(3)],
    ),
    "sum": (lambda a: a.sum(1), [draw(2, 3, 2)]),
    "mean": (lambda a: a.mean((0, 2), keepdim=True), [draw(2, 3, 2)]),
    "max": (lambda a: a.amax(1), [ties]),
    "min": (lambda a: a.amin(0, keepdim=True), [ties]),
    "flattened": (lambda a: a.flatten(1), [draw(2, 2, 2)]),
    "concatenated": (lambda a, b: torch.cat([a, b], 1), [draw(2, 1), draw(2, 3)]),
    "sliced": (lambda a: a[1:5:2, -2:], [draw(6, 3)]),
    "padded": (lambda a: F.pad(a, (2, -1, 0, 1), value=0.5), [draw(2, 3)]),
    "matMul": (torch.matmul, [draw(2, 2, 3), draw(3, 2)]),
    "gemm": (
        lambda a, b, c: torch.addmm(c, a.T, b.T, beta=0.5, alpha=2),
        [draw(3, 2), draw(2, 3), draw(2)],
    ),
    "conv": (
        lambda x, w, b: F.conv2d(x, w, b, stride=(2, 1), padding=1, dilation=(1, 2), groups=2),
        [draw(1, 4, 4, 4), draw(2, 2, 3, 2), draw(2)],
    ),
    "conv1": (
        lambda x, w: F.conv1d(F.pad(x, (2, 1)), w, stride=2), [draw(2, 2, 5), draw(3, 2, 3)]
    ),
    "conv3": (F.conv3d, [draw(1, 2, 2, 3, 2), draw(2, 2, 2, 2, 1)]),
    "batchNormTraining": (onnx_norm, [draw(3, 2, 2), draw(2), draw(2)]),
    "batchNormInference": (
        lambda x, s, b, m, v: (x - m[:, None]) / (v[:, None] + 1e-3).sqrt() * s[:, None]
        + b[:, None],
        [draw(2, 2, 2), draw(2), draw(2), draw(2), draw(2, low=0.5)],
    ),
    "maxPool": (
        lambda x: F.max_pool2d(x, (3, 2), stride=2, padding=(1, 0), ceil_mode=True),
        [draw(1, 2, 4, 5)],
    ),
    "maxPoolTies": (lambda x: F.max_pool2d(x, 2, stride=1), [ties[None, None]]),
    "averagePool": (
        lambda x: F.avg_pool2d(
            x, 3, stride=2, padding=1, ceil_mode=True, count_include_pad=False
        ),
        [draw(1, 1, 4, 6)],
    ),
    "averagePoolPadded": (
        lambda x: F.avg_pool2d(x, 3, stride=2, padding=1, ceil_mode=True),
        [draw(1, 1, 4, 6)],
    ),
    "globalAveragePool": (lambda x: F.adaptive_avg_pool2d(x, 1), [draw(2, 2, 2, 2)]),
    "softmax": (lambda x: torch.softmax(x, 1), [draw(2, 3, 2)]),
    "logSoftmax": (lambda x: torch.log_softmax(x, 0), [draw(3, 2)]),
    "crossEntropyLabels": (
        lambda x: F.cross_entropy(
            x, torch.tensor([2, 0, 1, 1]), reduction="none", label_smoothing=0.2
        ),
        [draw(4, 3)],
    ),
    "crossEntropyProbabilities": (
        lambda x, t: F.cross_entropy(x, t, reduction="none", label_smoothing=0.2),
        [draw(4, 3), probabilities],
    ),
    "squaredError": (
        lambda x, t: F.mse_loss(x, t, reduction="none"), [draw(2, 3), draw(2, 3)],
    ),
    "binaryCrossEntropy": (
        lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none"),
        [draw(2, 3), draw(2, 3, low=0, high=1)],
    ),
}


def record(function, inputs):
    inputs = [value.clone().requires_grad_() for value in inputs]
    output = function(*inputs)
    weights = 1 + 0.5 * torch.arange(output.numel(), dtype=torch.float64).reshape(output.shape)
    gradients = torch.autograd.grad(output, inputs, weights)
    return {
        "inputs": [array(value) for value in inputs],
        "output": array(output),
        "weights": array(weights),
        "gradients": [array(value) for value in gradients],
    }


def array(value):
    return {"shape": list(value.shape), "elements": value.detach().flatten().tolist()}


path = pathlib.Path(__file__).parent / "operations" / "pytorch.json"
path.parent.mkdir(exist_ok=True)
lines = [f'"{name}": {json.dumps(record(*case))}' for name, case in CASES.items()]
path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
