"""The ONNX files of this folder: new networks, exported from PyTorch so that they can be trained.

    pip install -r requirements.txt
    python make.py

The exporter is PyTorch's older one (dynamo=False), in training mode and without folding, which keeps batch norm and dropout
as they are. The same versions give the same bytes.
"""
import hashlib
import io
import pathlib
import warnings

import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).resolve().parent
OPSET = 17


class MLP(nn.Sequential):
    """64, 128, 64 and 10 units with ReLU between, and dropout."""

    def __init__(self):
        super().__init__(
            nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))


class LeNet(nn.Module):
    """LeCun et al. 1998, "Gradient-based learning applied to document recognition", with max pools and ReLU."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc3(F.relu(self.fc2(x)))


class Block(nn.Module):
    """Two convolutions and the shortcut around them, which subsamples and pads with zeros (option A)."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.more = stride, outputs - inputs

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.more:
            half = self.more // 2
            x = F.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, half, self.more - half))
        return F.relu(y + x)


class ResNet(nn.Module):
    """He et al. 2016, "Deep residual learning for image recognition", section 4.2: 6 · blocks + 2 layers."""

    def __init__(self, blocks):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(16)
        stages = [(16, 16, 1), (16, 32, 2), (32, 64, 2)]
        self.blocks = nn.Sequential(*[
            Block(before if i == 0 else after, after, stride if i == 0 else 1)
            for before, after, stride in stages for i in range(blocks)])
        self.fc = nn.Linear(64, 10)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight)

    def forward(self, x):
        x = self.blocks(F.relu(self.bn(self.conv(x))))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Transformer(nn.Module):
    """A text classifier: tokens and places embedded, two encoder layers of pre-norm, padding (token 0) masked and left
    out of the mean."""

    def __init__(self, tokens=27, length=16, width=64, heads=4, layers=2, classes=2):
        super().__init__()
        self.token, self.place = nn.Embedding(tokens, width), nn.Embedding(length, width)
        layer = nn.TransformerEncoderLayer(
            width, heads, 2 * width, dropout=0.1, activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(width), enable_nested_tensor=False)
        self.head = nn.Linear(width, classes)

    def forward(self, ids):
        padding = ids == 0
        x = self.encoder(self.token(ids) + self.place.weight, src_key_padding_mask=padding)
        kept = (~padding).unsqueeze(-1).to(x.dtype)
        return self.head((x * kept).sum(1) / kept.sum(1))


class LSTM(nn.Module):
    """Reads an image row by row, in both directions."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 32, batch_first=True, bidirectional=True)
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        rows, _ = self.lstm(x.squeeze(1))
        return self.head(rows.mean(1))


def image(channels, size):
    return torch.zeros(2, channels, size, size)


MODELS = {
    "mlp": (MLP, image(1, 8)),
    "lenet": (LeNet, image(1, 28)),
    "resnet20": (lambda: ResNet(3), image(3, 32)),
    "resnet56": (lambda: ResNet(9), image(3, 32)),
    "transformer": (Transformer, torch.ones(2, 16, dtype=torch.int64)),
    "lstm": (LSTM, image(1, 8)),
}


def export(module, x):
    file = io.BytesIO()
    torch.onnx.export(
        module.train(), (x,), file, dynamo=False, opset_version=OPSET,
        training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False,
        input_names=["input"], output_names=["output"],
        dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}})
    model = onnx.load_from_string(file.getvalue())
    # The exporter ran the network once, which moved its running statistics.
    for tensor in model.graph.initializer:
        fresh = {"running_mean": torch.zeros, "running_var": torch.ones}.get(tensor.name.rsplit(".", 1)[-1])
        if fresh:
            tensor.CopyFrom(numpy_helper.from_array(fresh(*tensor.dims).numpy(), tensor.name))
    return model


def main():
    warnings.filterwarnings("ignore")
    for name, (make, x) in MODELS.items():
        torch.manual_seed(0)
        module = make()
        path = HERE / f"{name}.onnx"
        onnx.save(export(module, x), path)
        data = path.read_bytes()
        count = sum(p.numel() for p in module.parameters())
        print(f"{name}: {count:,} parameters, {len(data):,} bytes, sha256 {hashlib.sha256(data).hexdigest()[:16]}")


main()
