"""Small networks as PyTorch exports them today, what ONNX Runtime makes of them, and a step of PyTorch's.

    python make_exports.py

writes into `exports/`, for each network:

    NAME-dynamo.onnx, NAME-dynamo.onnx.data   torch.onnx.export's defaults: dynamo, weights beside the model
    NAME-legacy.onnx                          dynamo=False, for inference: constants and batch norm folded
    NAME-training.onnx                        dynamo=False, training=TRAINING, do_constant_folding=False
    NAME-step.npy                             after one step of SGD: parameters and running statistics, flat

each with an open batch, and `lstm-frozen.onnx`, which keeps the batch of its example. `cases.json` has for each file the
inputs and ONNX Runtime's output (of `training` files after their nodes are set to inference, as ONNX Runtime would else
use batch statistics), and for each network the loss, its target, PyTorch's value of it before the step, the step's
learning rate and the names in `NAME-step.npy` with their sizes. The running variance there is that of the population, as
ONNX has it; PyTorch's own is n / (n - 1) times the batch's part of it. `mlp` has dropout, so that no step of PyTorch's is
recorded for it.
"""
import copy
import io
import json
import pathlib
import shutil
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).resolve().parent / "exports"
BATCH = 3
LEARNING_RATE = 0.05
OPSET = {"legacy": 17, "training": 17}  # dynamo writes its default, 20


class MLP(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(12, 8), nn.ReLU(), nn.Dropout(0.25), nn.Linear(8, 3))


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 5, padding=2), nn.Conv2d(4, 6, 5)
        self.fc1, self.fc2 = nn.Linear(24, 16), nn.Linear(16, 4)

    def forward(self, x):
        x = F.max_pool2d(torch.tanh(self.conv1(x)), 2)
        x = F.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = x.view(x.size(0), -1)
        return self.fc2(torch.relu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class ResNet20(nn.Module):
    """He et al. 2016, section 4.2, with 2, 4 and 8 channels for 16, 32 and 64."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(2)
        sizes = [(2, 2, 1), (2, 4, 2), (4, 8, 2)]
        self.blocks = nn.Sequential(*[Block(a if i == 0 else b, b, s if i == 0 else 1) for a, b, s in sizes for i in range(3)])
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        x = self.blocks(F.relu(self.bn(self.conv(x))))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


def twice(inputs, outputs):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU())


class UNet(nn.Module):
    """Ronneberger et al. 2015, two levels."""

    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.bottom = twice(1, 2), twice(2, 4), twice(4, 4)
        self.up2, self.up1 = nn.ConvTranspose2d(4, 4, 2, 2), nn.ConvTranspose2d(4, 2, 2, 2)
        self.join2, self.join1 = twice(8, 4), twice(4, 2)
        self.head = nn.Conv2d(2, 1, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        c = self.bottom(F.max_pool2d(b, 2))
        b = self.join2(torch.cat([self.up2(c), b], 1))
        a = self.join1(torch.cat([self.up1(b), a], 1))
        return self.head(a)


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = nn.Sequential(
            nn.Conv2d(1, 3, 3, 2, 1), nn.ReLU(), nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(16, 5))
        self.decode = nn.Sequential(
            nn.Linear(5, 16), nn.ReLU(), nn.Unflatten(1, (4, 2, 2)),
            nn.ConvTranspose2d(4, 3, 3, 2, 1, output_padding=1), nn.ReLU(), nn.ConvTranspose2d(3, 1, 4, 2, 1), nn.Sigmoid())

    def forward(self, x):
        return self.decode(self.encode(x))


class BERT(nn.Module):
    """Devlin et al. 2019: embeddings of tokens and places, two layers, padding (token 0) masked, the first token's class."""

    def __init__(self):
        super().__init__()
        self.token, self.place = nn.Embedding(11, 8), nn.Embedding(6, 8)
        self.norm = nn.LayerNorm(8)
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, activation="gelu", batch_first=True), 2, enable_nested_tensor=False)
        self.head = nn.Linear(8, 3)

    def forward(self, ids):
        x = self.norm(self.token(ids) + self.place.weight)
        return self.head(self.encoder(x, src_key_padding_mask=ids == 0)[:, 0])


class LSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 5, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(10, 3)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


def images(channels, size):
    return lambda: torch.rand(BATCH, channels, size, size)


def tokens():
    ids = torch.randint(1, 11, (BATCH, 6))
    ids[1, 4:] = 0
    return ids


def classes(count):
    return "cross-entropy", lambda x: torch.randint(0, count, (BATCH,)), F.cross_entropy


SAME = ("mse", lambda x: x, F.mse_loss)
MASK = ("bce", lambda x: (x > 0.6).float(), F.binary_cross_entropy_with_logits)

NETWORKS = {
    "mlp": (MLP, images(3, 2), classes(3)),
    "lenet": (LeNet, images(1, 16), classes(4)),
    "resnet20": (ResNet20, images(3, 8), classes(5)),
    "unet": (UNet, images(1, 8), MASK),
    "autoencoder": (Autoencoder, images(1, 8), SAME),
    "bert": (BERT, tokens, classes(3)),
    "lstm": (LSTM, lambda: torch.randn(BATCH, 7, 4), classes(3)),
}


def trained_like(module):
    """Gives batch norm other values than those of a new network, which exporters merge and fold away."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.uniform_(part.bias, -0.3, 0.3)
            nn.init.uniform_(part.running_mean, -0.2, 0.2)
            nn.init.uniform_(part.running_var, 0.5, 1.5)
    return module


def export(module, x, path, mode, frozen=False):
    names = dict(input_names=["x"], output_names=["y"])
    if mode == "dynamo":
        batch = torch.export.Dim("batch")
        torch.onnx.export(
            copy.deepcopy(module).eval(), (x,), str(path), dynamo=True, external_data=True, verbose=False,
            dynamic_shapes=None if frozen else ({0: batch},), **names)
        without_traces(path)
        return
    training = {}
    if mode == "training":
        training = dict(training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False)
    module = copy.deepcopy(module).train(mode == "training")
    torch.onnx.export(
        module, (x,), str(path), dynamo=False, opset_version=OPSET[mode],
        dynamic_axes=None if frozen else {"x": {0: "batch"}, "y": {0: "batch"}}, **training, **names)


def for_inference(model):
    """The model with batch norm by its running statistics and without dropout."""
    for node in model.graph.node:
        if node.op_type == "BatchNormalization":
            del node.output[1:]
            kept = [a for a in node.attribute if a.name != "training_mode"]
            del node.attribute[:]
            node.attribute.extend(kept)
        if node.op_type == "Dropout":
            del node.input[2:]
    return model


def without_traces(path):
    """Removes where in which Python file each node came from, which dynamo notes down and differs between machines."""
    model = onnx.load(path, load_external_data=False)
    for node in model.graph.node:
        kept = [entry for entry in node.metadata_props if entry.key != "pkg.torch.onnx.stack_trace"]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    onnx.save(model, path)


def listed(name, array):
    return {"name": name, "shape": list(array.shape), "isInteger": array.dtype == np.int64, "values": array.ravel().tolist()}


def case(path, mode, x):
    model = onnx.load(path)
    if mode == "training":
        model = for_inference(model)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (y,) = session.run(["y"], {"x": x.numpy()})
    return {"inputs": [listed("x", x.numpy())], "shape": list(y.shape), "values": y.ravel().tolist()}


def step(name, module, x, kind):
    loss_name, target_of, loss_of = kind
    target = target_of(x)
    result = {"loss": loss_name, "target": listed("target", target.numpy())}
    if any(isinstance(part, nn.Dropout) and part.p > 0 for part in module.modules()):
        return result
    # The exporter ran the network once, and the file has the statistics of after that.
    path = HERE / f"{name}-training.onnx"
    file = {i.name: numpy_helper.to_array(i) for i in onnx.load(path).graph.initializer}
    module = copy.deepcopy(module).train()
    state = module.state_dict()
    for key in state:
        if key in file:
            state[key].copy_(torch.from_numpy(file[key].copy()))
    counts = {}
    for key, part in module.named_modules():
        if isinstance(part, nn.BatchNorm2d):
            part.register_forward_hook(lambda _, inputs, __, key=key: counts.update({key: inputs[0].numel() // inputs[0].shape[1]}))
    variances = {k: v.clone() for k, v in state.items() if k.endswith("running_var")}
    optimizer = torch.optim.SGD(module.parameters(), LEARNING_RATE)
    loss = loss_of(module(x), target)
    loss.backward()
    optimizer.step()
    parts, names = [], []
    for key, value in module.state_dict().items():
        if key.endswith("num_batches_tracked"):
            continue
        assert key in file, f"{name}: {key} has no initializer"
        value = value.detach().double()
        if key in variances:
            count = counts[key.removesuffix(".running_var")]
            old = 0.9 * variances[key].double()
            value = old + (value - old) * (count - 1) / count
        parts.append(value.float().numpy().ravel())
        names.append({"name": key, "count": parts[-1].size})
    np.save(HERE / f"{name}-step.npy", np.concatenate(parts))
    return result | {"lossValue": loss.item(), "learningRate": LEARNING_RATE, "variables": names}


def main():
    warnings.filterwarnings("ignore")
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir()
    files, steps = {}, {}
    for number, (name, (make, input_of, kind)) in enumerate(NETWORKS.items()):
        torch.manual_seed(number)
        torch.backends.mha.set_fastpath_enabled(False)
        module, x = trained_like(make()), input_of()
        for mode in ("dynamo", "legacy", "training"):
            path = HERE / f"{name}-{mode}.onnx"
            export(module, x[:2], path, mode)
            files[f"{name}-{mode}"] = case(path, mode, x)
        steps[name] = step(name, module, x, kind)
        if name == "lstm":
            path = HERE / "lstm-frozen.onnx"
            export(module, x, path, "legacy", frozen=True)
            files["lstm-frozen"] = case(path, "legacy", x)
    (HERE / "cases.json").write_text(json.dumps({"files": files, "networks": steps}, sort_keys=True) + "\n")
    size = sum(f.stat().st_size for f in HERE.iterdir())
    print(f"torch {torch.__version__}, onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}: "
          f"{len(files)} files, {size} bytes")


main()
