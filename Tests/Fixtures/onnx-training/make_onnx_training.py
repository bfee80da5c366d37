"""Ten steps of PyTorch on the parity models beside the package, with a short last batch and with frozen parameters.

    python make_onnx_training.py PARITY        (the folder with mlp/, lenet/, …; needs torch, numpy and onnx)

writes expected.json beside this script. The models are run from their ONNX files by the small interpreter below, each
node as PyTorch's functions compute it, so that PyTorch differentiates them. That it does so rightly is checked first: the
ten whole batches must give the losses of PARITY/CASE/expected.json to 2e-5.

Settings are the parity cases' (their README): SGD with momentum, L2 weight decay 1e-4 on every parameter that trains,
OneCycleLR stepped after every batch, batches in order.

short    the first 9 whole batches and half a tenth
frozen   ten whole batches; parameters that fit a pattern have requires_grad=False, and batch norm all of whose parameters
         are frozen is in eval() with the statistics of the file; other batch norm begins at mean 0 and variance 1

Of each tensor that trained, `values` has every `every`-th element from the first.
"""

import fnmatch
import json
import math
import pathlib
import sys

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional

FROZEN = {
    "mlp": ["n.1.*"],
    "lenet": ["c1.*", "c2.*"],
    "resnet20": ["l.0.*", "l.1.*", "l.2.b.*", "l.2.c.*"],
    "tabular": ["f.0.*", "f.2.*"],
    "autoencoder": ["d.0.*"],
    "lstm": ["r.*"],
    "bert": ["w.*", "p.*", "b.0.*"],
}
STEPS = 10
SAMPLES = 12
TORCH_TYPES = {onnx.TensorProto.FLOAT: torch.float32, onnx.TensorProto.INT64: torch.int64}


def tensor_of(proto):
    return torch.from_numpy(np.array(numpy_helper.to_array(proto)))


class Network:
    """A model's nodes, run by PyTorch; `frozen` are the names of tensors that stay as they are."""

    def __init__(self, model, frozen=()):
        self.graph = model.graph
        self.tensors = {i.name: tensor_of(i) for i in self.graph.initializer}
        norms = [n for n in self.graph.node if n.op_type == "BatchNormalization"]
        statistics = {name for n in norms for name in n.input[3:]}
        self.frozen_norms = {n.name for n in norms if set(n.input[1:3]) <= set(frozen)}
        for n in norms:
            if n.name not in self.frozen_norms:
                self.tensors[n.input[3]] = torch.zeros_like(self.tensors[n.input[3]])
                self.tensors[n.input[4]] = torch.ones_like(self.tensors[n.input[4]])
        self.parameters = {
            name: t for name, t in self.tensors.items()
            if t.is_floating_point() and name not in statistics and name not in frozen}
        for t in self.parameters.values():
            t.requires_grad_(True)
        self.followed = statistics - {name for n in norms if n.name in self.frozen_norms for name in n.input[3:]}

    def __call__(self, x):
        values = dict(self.tensors)
        values[""] = None
        values[next(i.name for i in self.graph.input if i.name not in self.tensors)] = x
        for node in self.graph.node:
            a = {p.name: onnx.helper.get_attribute_value(p) for p in node.attribute}
            out = getattr(self, node.op_type)(node, a, *[values[name] for name in node.input])
            for name, value in zip(node.output, out if isinstance(out, tuple) else (out,)):
                values[name] = value
        return values[self.graph.output[0].name]

    # Products
    def Gemm(self, _, a, x, w, b=None):
        y = (x.T if a.get("transA") else x) @ (w.T if a.get("transB") else w) * a.get("alpha", 1.0)
        return y if b is None else y + b * a.get("beta", 1.0)

    def MatMul(self, _, a, x, y): return x @ y

    def Conv(self, _, a, x, w, b=None):
        pads = a.get("pads", [0, 0, 0, 0])
        assert pads[:2] == pads[2:]
        return functional.conv2d(x, w, b, a.get("strides", 1), pads[:2], a.get("dilations", 1), a.get("group", 1))

    def ConvTranspose(self, _, a, x, w, b=None):
        return functional.conv_transpose2d(
            x, w, b, a["strides"], a["pads"][:2], a.get("output_padding", 0), a.get("group", 1), a["dilations"])

    def LSTM(self, _, a, x, w, r, b, lengths, h, c):
        """Steps by ONNX's equations; gates in the order input, output, forget, cell."""
        size = a["hidden_size"]
        bias = b[0, :4 * size] + b[0, 4 * size:]
        h, c, steps = h[0], c[0], []
        for step in x:
            i, o, f, g = (step @ w[0].T + h @ r[0].T + bias).split(size, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            steps.append(h)
        return torch.stack(steps)[:, None], h[None], c[None]

    # Normalisations
    def BatchNormalization(self, node, a, x, scale, bias, mean, variance):
        shape = [1, -1] + [1] * (x.dim() - 2)
        epsilon, momentum = a.get("epsilon", 1e-5), a.get("momentum", 0.9)
        if node.name not in self.frozen_norms:
            axes = [0, *range(2, x.dim())]
            running = node.input[3], node.input[4]
            mean, variance = x.mean(axes), x.var(axes, correction=0)
            with torch.no_grad():
                for name, batch in zip(running, (mean, variance)):
                    self.tensors[name] = self.tensors[name] * momentum + batch.detach() * (1 - momentum)
        y = (x - mean.view(shape)) / torch.sqrt(variance.view(shape) + epsilon)
        y = y * scale.view(shape) + bias.view(shape)
        return (y, None, None)[:len(node.output)] if len(node.output) > 1 else y

    def LayerNormalization(self, _, a, x, scale, bias):
        return functional.layer_norm(x, scale.shape, scale, bias, a["epsilon"])

    # Pools
    def MaxPool(self, _, a, x): return functional.max_pool2d(x, a["kernel_shape"], a["strides"])
    def AveragePool(self, _, a, x): return functional.avg_pool2d(x, a["kernel_shape"], a["strides"])

    # Activations
    def Relu(self, _, a, x): return torch.relu(x)
    def Tanh(self, _, a, x): return torch.tanh(x)
    def Sigmoid(self, _, a, x): return torch.sigmoid(x)
    def Selu(self, _, a, x): return functional.selu(x)
    def LeakyRelu(self, _, a, x): return functional.leaky_relu(x, a.get("alpha", 0.01))
    def Softmax(self, _, a, x): return torch.softmax(x, a.get("axis", -1))
    def Erf(self, _, a, x): return torch.erf(x)

    # Arithmetic
    def Add(self, _, a, x, y): return x + y
    def Sub(self, _, a, x, y): return x - y
    def Mul(self, _, a, x, y): return x * y
    def Pow(self, _, a, x, y): return x ** y
    def ReduceMean(self, _, a, x): return x.mean(a["axes"], keepdim=bool(a.get("keepdims", 1)))

    def Div(self, _, a, x, y):
        return x / y if x.is_floating_point() else torch.div(x, y, rounding_mode="trunc")

    # Shapes
    def Shape(self, _, a, x): return torch.tensor(x.shape)
    def Constant(self, _, a): return tensor_of(a["value"])
    def Cast(self, _, a, x): return x.to(TORCH_TYPES[a["to"]])
    def Range(self, _, a, start, end, step): return torch.arange(start.item(), end.item(), step.item())
    def Transpose(self, _, a, x): return x.permute(a["perm"])
    def Concat(self, _, a, *xs): return torch.cat(xs, a["axis"])
    def Flatten(self, _, a, x): return x.flatten(a.get("axis", 1))
    def Split(self, _, a, x, sizes): return torch.split(x, sizes.tolist(), a["axis"])

    def ConstantOfShape(self, _, a, shape):
        value = tensor_of(a["value"]) if "value" in a else torch.zeros(1)
        return value.expand(shape.tolist())

    def Reshape(self, _, a, x, shape):
        return x.reshape([x.shape[i] if size == 0 else size for i, size in enumerate(shape.tolist())])

    def Unsqueeze(self, _, a, x, axes):
        for axis in sorted(axes.tolist()):
            x = x.unsqueeze(axis)
        return x

    def Squeeze(self, _, a, x, axes):
        for axis in sorted(axes.tolist(), reverse=True):
            x = x.squeeze(axis)
        return x

    def Gather(self, _, a, x, indices):
        axis = a.get("axis", 0)
        picked = x.index_select(axis, indices.flatten())
        return picked.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1:])

    def Slice(self, _, a, x, starts, ends, axes, steps=None):
        steps = [1] * len(starts) if steps is None else steps.tolist()
        for start, end, axis, step in zip(starts.tolist(), ends.tolist(), axes.tolist(), steps):
            places = range(x.shape[axis])[slice(start, end if end > -2**31 else None, step)]
            x = x.index_select(axis, torch.tensor(list(places), dtype=torch.int64))
        return x

    def Pad(self, _, a, x, pads, value=None):
        pads = pads.tolist()
        rank = len(pads) // 2
        return functional.pad(x, [p for axis in reversed(range(rank)) for p in (pads[axis], pads[axis + rank])])


def train(folder, settings, rows, frozen=()):
    """The losses of each step, and the network afterwards."""
    network = Network(onnx.load(folder / "model.onnx"), frozen)
    x, y = (torch.from_numpy(np.load(folder / f"train-{n}.npy"))[:rows] for n in "xy")
    size, schedule = settings["batchSize"], settings["schedule"]
    optimizer = torch.optim.SGD(
        list(network.parameters.values()), lr=1, momentum=0.9, weight_decay=settings["optimizer"]["weightDecay"])
    rates = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, schedule["maxLR"], total_steps=STEPS, pct_start=0.3, anneal_strategy="cos")
    loss_of = functional.cross_entropy if settings["loss"] == "cross-entropy" else functional.mse_loss
    losses = []
    for start in range(0, rows, size):
        optimizer.zero_grad()
        loss = loss_of(network(x[start:start + size]), y[start:start + size])
        loss.backward()
        optimizer.step()
        if len(losses) < STEPS - 1:
            rates.step()
        losses.append(loss.item())
    assert len(losses) == STEPS
    return losses, network


def sampled(network):
    tensors = {}
    for name in [*network.parameters, *sorted(network.followed)]:
        values = network.tensors[name].detach().flatten()
        every = max(1, len(values) // SAMPLES)
        tensors[name] = {"every": every, "values": [float(v) for v in values[::every]]}
    return tensors


def main(parity):
    torch.set_num_threads(1)
    result = {"torch": torch.__version__, "cases": {}}
    for name, patterns in FROZEN.items():
        folder = parity / name
        settings = json.loads((folder / "expected.json").read_text())
        size = settings["batchSize"]
        losses, _ = train(folder, settings, STEPS * size)
        worst = max(abs(a - s["loss"]) / abs(s["loss"]) for a, s in zip(losses, settings["steps"]))
        print(f"{name}: whole batches differ from the parity case by {worst:.1e}")
        assert worst < 2e-5
        rows = (STEPS - 1) * size + size // 2
        short, network = train(folder, settings, rows)
        case = {"short": {"rows": rows, "losses": short, "tensors": sampled(network)}}
        graph = onnx.load(folder / "model.onnx").graph
        names = [i.name for i in graph.initializer if any(fnmatch.fnmatchcase(i.name, p) for p in patterns)]
        held, network = train(folder, settings, STEPS * size, names)
        case["frozen"] = {"patterns": patterns, "names": names, "losses": held, "tensors": sampled(network)}
        assert all(math.isfinite(loss) for loss in short + held)
        result["cases"][name] = case
    text = json.dumps(result, separators=(",", ":"))
    text = text.replace('"tensors":{', '\n"tensors":{').replace('},"', '},\n"')
    (pathlib.Path(__file__).parent / "expected.json").write_text(text + "\n")


main(pathlib.Path(sys.argv[1]))
