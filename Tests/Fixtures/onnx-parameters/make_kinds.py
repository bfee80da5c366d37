"""Kinds of arrays about which much is said in a file, or little: whole networks, and PyTorch's first steps with them.

    python make_kinds.py

exports small networks with their weights by both exporters to `kinds/` (`NAME-dynamo.onnx`, `NAME-legacy.onnx`, and
`NAME-training.onnx`, the older exporter's in training mode), and writes `kinds.json`: for each file the input, the
classes, the rate, and for each of three steps of SGD the loss (cross-entropy); `numbers`, how many numbers the network's
parameters have. Of what the newer exporter notes in a file, what is looked at is kept: what each array is in the program,
what it was computed from, and which arrays each operation reads.
"""
import copy
import json
import logging
import pathlib
import warnings

import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).resolve().parent
RATE, BATCH = 0.1, 6
KEPT = {
    "pkg.torch.onnx.name_scopes", "pkg.torch.onnx.fx_node", "pkg.onnxscript.optimizer.folded_from",
    "pkg.torch.onnx.original_node_name", "pkg.torch.export.graph_signature.InputSpec.kind",
    "pkg.torch.export.ExportedProgram.graph_signature"}


class Net(nn.Module):
    def __init__(self, forward, buffers=None, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, nn.Parameter(part) if isinstance(part, torch.Tensor) else part)
        for name, buffer in (buffers or {}).items():
            self.register_buffer(name, buffer)
        self.compute = forward

    def forward(self, x):
        return self.compute(self, x)


def floats(*shape):
    return lambda: torch.randn(BATCH, *shape)


def tokens(length):
    return lambda: torch.randint(0, 20, (BATCH, length))


def embedded(s, x):
    return F.linear(torch.relu(s.l(s.e(x))), s.e.weight).mean(1)


def copied():
    network = Net(lambda s, x: s.h(torch.relu(s.l(s.e(x)))).mean(1), e=nn.Embedding(20, 6), l=nn.Linear(6, 6), h=nn.Linear(6, 20, bias=False))
    network.h.weight.data.copy_(network.e.weight.data)
    return network


def autoencoders():
    network = Net(lambda s, x: s.d(torch.relu(s.e(x))), e=nn.Linear(8, 5), d=nn.Linear(5, 8))
    network.d.weight.data.copy_(network.e.weight.data.T)
    return network


def snake(s, x):
    z = s.e(x)
    return s.h((z + torch.sin(s.a * z) ** 2 / s.a) * s.g1 + torch.tanh(z) * s.g2)


def encoder():
    layer = nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, batch_first=True)
    # Biases of products that are zero are left out.
    nn.init.uniform_(layer.self_attn.out_proj.bias, -0.3, 0.3)
    return Net(lambda s, x: s.h(s.t(s.e(x)).mean(1)), e=nn.Linear(5, 8), t=nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), h=nn.Linear(8, 4))


def filters(s, x):
    z = torch.relu(s.c(F.conv2d(x, s.edges))).mean((2, 3)) @ s.hadamard
    return s.h(z) * s.scale + s.prior


def filter_buffers():
    sobel = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
    hadamard = torch.tensor([[1.0, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 2
    prior = torch.tensor([0.2, 0.5, 0.3]).log()
    return {"edges": torch.stack([sobel, sobel.T])[:, None], "hadamard": hadamard, "prior": prior, "scale": torch.tensor([1.3, 2.1, 0.7])}


def pooled(s, x):
    z = torch.clamp(torch.relu(s.c(x)), max=s.bound)
    return s.h(z.clamp(min=1e-6).pow(s.p).mean((2, 3)).pow(1.0 / s.p)) * s.log_scale.exp()


def cosine(s, x):
    return F.normalize(s.e(x), dim=-1) @ F.normalize(s.w, dim=-1).T * s.log_scale.exp()


MASK = torch.tril(torch.ones(6, 6))
NETWORKS = {
    "tied-autoencoder": (lambda: Net(lambda s, x: F.linear(torch.relu(F.linear(x, s.W)), s.W.T), W=torch.randn(5, 8) / 2), floats(8), ["dynamo", "training"]),
    "tied-head": (lambda: Net(embedded, e=nn.Embedding(20, 6), l=nn.Linear(6, 6)), tokens(4), ["dynamo", "legacy"]),
    "copied-head": (copied, tokens(4), ["dynamo"]),
    "copied-decoder": (autoencoders, floats(8), ["dynamo", "legacy"]),
    "scales": (lambda: Net(snake, e=nn.Linear(5, 8), a=torch.ones(8), g1=torch.ones(8), g2=torch.ones(8), h=nn.Linear(8, 3)), floats(5), ["dynamo", "training"]),
    "encoder": (encoder, floats(4, 5), ["dynamo", "legacy"]),
    "input-scales": (lambda: Net(lambda s, x: s.h(torch.relu(s.e(x * s.alpha + s.beta))), alpha=torch.ones(5), beta=torch.zeros(5), e=nn.Linear(5, 8), h=nn.Linear(8, 3)), floats(5), ["dynamo", "legacy"]),
    "filters": (lambda: Net(filters, filter_buffers(), c=nn.Conv2d(2, 4, 3), h=nn.Linear(4, 3)), floats(1, 8, 8), ["dynamo", "legacy"]),
    # The older exporter merges numbers as well.
    "gates": (lambda: Net(lambda s, x: s.h(torch.relu(s.e(x)) * s.a + torch.tanh(s.f(x)) * s.b), a=torch.tensor(1.0), b=torch.tensor(1.0), e=nn.Linear(5, 8), f=nn.Linear(5, 8), h=nn.Linear(8, 3)), floats(5), ["dynamo", "legacy"]),
    "masked": (lambda: Net(lambda s, x: s.h(torch.relu(F.linear(x, s.w * s.m))).mean(1), {"m": MASK}, w=torch.randn(6, 6), h=nn.Linear(6, 3)), floats(4, 6), ["dynamo", "legacy"]),
    "spectral": (lambda: nn.Sequential(nn.utils.spectral_norm(nn.Linear(6, 8)), nn.ReLU(), nn.Linear(8, 3)), floats(6), ["dynamo", "legacy"]),
    "cosine": (lambda: Net(cosine, e=nn.Linear(5, 8), w=torch.randn(3, 8), log_scale=torch.tensor(1.2)), floats(5), ["dynamo", "legacy"]),
    "pooled": (lambda: Net(pooled, c=nn.Conv2d(1, 4, 3), h=nn.Linear(4, 3), bound=torch.tensor(0.9), p=torch.tensor(3.0), log_scale=torch.tensor(0.7)), floats(1, 8, 8), ["dynamo", "legacy", "training"]),
}


def export(network, x, mode, path):
    if mode == "dynamo":
        torch.onnx.export(network, (x,), str(path), dynamo=True, external_data=False, verbose=False, input_names=["x"], output_names=["y"], dynamic_shapes=({0: torch.export.Dim("batch")},))
    else:
        training = dict(training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False) if mode == "training" else {}
        torch.onnx.export(network, (x,), str(path), dynamo=False, opset_version=17, input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}}, **training)


def stripped(model):
    """Without what nobody looks at."""
    values = {i.name for i in model.graph.initializer}
    kept = [v for v in model.graph.value_info if v.name in values]
    del model.graph.value_info[:]
    model.graph.value_info.extend(kept)
    messages = [model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output]
    for message in messages:
        entries = [e for e in message.metadata_props if e.key in KEPT]
        del message.metadata_props[:]
        message.metadata_props.extend(entries)
        message.doc_string = ""
    return model


def main():
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.backends.mha.set_fastpath_enabled(False)
    folder = HERE / "kinds"
    folder.mkdir(exist_ok=True)
    found = {}
    for number, (name, (make, inputs, modes)) in enumerate(NETWORKS.items()):
        for mode in modes:
            torch.manual_seed(number)
            network, x = make(), inputs()
            network.train(mode == "training")
            # The export is of a copy, which it may change.
            path = folder / f"{name}-{mode}.onnx"
            export(copy.deepcopy(network), x[:2], mode, path)
            onnx.save(stripped(onnx.load(path)), path)
            classes = network(x).shape[1]
            target = torch.arange(BATCH) % classes
            parameters = [p for p in network.parameters() if p.requires_grad]
            optimizer = torch.optim.SGD(parameters, RATE)
            losses = []
            for _ in range(3):
                optimizer.zero_grad()
                loss = F.cross_entropy(network(x), target)
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            found[f"{name}-{mode}"] = {
                "shape": list(x.shape), "x": x.numpy().ravel().tolist(), "target": target.tolist(), "learningRate": RATE, "losses": losses,
                "numbers": sum(p.numel() for p in parameters if p.grad is not None)}
            print(path.name, path.stat().st_size, found[f"{name}-{mode}"]["numbers"], losses, flush=True)
    rows = [f"{json.dumps(file)}: {json.dumps(row, sort_keys=True)}" for file, row in sorted(found.items())]
    (HERE / "kinds.json").write_text("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main()
