"""A network that uses one branch, batch norm included, for two inputs, and two steps of PyTorch's with it.

    python make_sharing.py

writes `sharing.onnx`, the older exporter's file in training mode, and `sharing.json`: the inputs, the target, for each of
two steps of SGD the loss (cross-entropy), and the parameters and running statistics after them. The running variance is
that of the population, as ONNX has it, and the second use goes on from what the first has made of it. `fresh` tells the
same of `sharing-fresh.onnx`, the network as it begins, whose scales, shifts and statistics are all 1 or 0.
"""
import json
import pathlib
import warnings

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).resolve().parent
RATE = 0.1


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.branch = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU())
        self.head = nn.Linear(16, 3)

    def forward(self, a, b):
        return self.head(torch.cat([self.branch(a), self.branch(b)], 1))


def listed(array):
    return {"shape": list(array.shape), "values": np.asarray(array).ravel().tolist()}


def case(file, is_fresh):
    torch.manual_seed(5)
    network = Siamese().train()
    norm = network.branch[1]
    if not is_fresh:
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.uniform_(norm.bias, -0.3, 0.3)
        nn.init.uniform_(norm.running_mean, -0.2, 0.2)
        nn.init.uniform_(norm.running_var, 0.5, 1.5)
    a, b, target = torch.randn(5, 6), torch.randn(5, 6) * 2 + 1, torch.tensor([0, 1, 2, 1, 0])
    options = {} if is_fresh else dict(training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False)
    torch.onnx.export(
        network.eval() if is_fresh else network, (a[:2], b[:2]), str(HERE / file), dynamo=False, opset_version=17, input_names=["a", "b"],
        output_names=["y"], dynamic_axes={name: {0: "batch"} for name in ("a", "b", "y")},
        **(options or dict(training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)))
    network.train()
    # The exporter ran the network once, and the file has the statistics of after that.
    held = {i.name: numpy_helper.to_array(i) for i in onnx.load(HERE / file).graph.initializer}
    for name, tensor in network.state_dict().items():
        if name in held:
            tensor.copy_(torch.from_numpy(held[name].copy()))
    seen = []
    norm.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].detach()))
    variance = norm.running_var.clone()
    optimizer = torch.optim.SGD(network.parameters(), RATE)
    losses = []
    for _ in range(2):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(a, b), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    for x in seen:
        variance = 0.9 * variance + 0.1 * x.var(0, unbiased=False)
    state = {n: t for n, t in network.state_dict().items() if not n.endswith("num_batches_tracked")}
    state["branch.1.running_var"] = variance
    return {
        "a": listed(a), "b": listed(b), "target": target.tolist(), "losses": losses, "learningRate": RATE,
        "variables": {n: listed(t.detach()) for n, t in state.items()}}


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    cases = {"sharing": case("sharing.onnx", False), "sharing-fresh": case("sharing-fresh.onnx", True)}
    (HERE / "sharing.json").write_text(json.dumps(cases, sort_keys=True) + "\n")
