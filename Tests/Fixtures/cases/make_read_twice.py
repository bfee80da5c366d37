"""Makes read-twice/: networks whose weights are read for more than one purpose, by PyTorch's older exporter, and data for them.

`cosine` compares features with the rows of a weight `w` of length 1, for which the exporter reads the shape of `w`;
`snake` reads its slopes `alpha`, which begin equal, as a factor and as a divisor. Needs torch and numpy (made with 2.13.0
and 2.4.6).
"""

import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

folder = pathlib.Path(__file__).parent / "read-twice"
torch.manual_seed(0)


class Cosine(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Linear(8, 16)
        self.w = nn.Parameter(torch.randn(5, 16))

    def forward(self, x):
        return 10 * F.linear(F.normalize(torch.relu(self.e(x))), F.normalize(self.w))


class Snake(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(8, 16)
        self.b = nn.Linear(16, 5)
        self.alpha = nn.Parameter(torch.ones(16))

    def forward(self, x):
        z = self.a(x)
        return self.b(z + torch.sin(self.alpha * z) ** 2 / (self.alpha + 1e-9))


(folder / "data").mkdir(parents=True, exist_ok=True)
for name, network in (("cosine", Cosine()), ("snake", Snake())):
    torch.onnx.export(
        network, (torch.randn(2, 8),), folder / f"{name}.onnx", dynamo=False, opset_version=17,
        training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False, input_names=["input"],
        output_names=["output"], dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}})
generator = np.random.default_rng(0)
np.save(folder / "data" / "train-x.npy", generator.normal(size=(64, 8)).astype(np.float32))
np.save(folder / "data" / "train-y.npy", np.arange(64) % 5)
