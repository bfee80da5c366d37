"""Writes layers/layers.json: layers, their gradients and initial values as PyTorch has them, in float64.

Needs torch. Run it as `python3 Tests/Fixtures/make_layers.py`; the test is LayerFixtureTests.
"""

import json
import math
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(7)
cases = []


def given(*shape, scale=1.0):
    """Values that float32 represents exactly."""
    return (torch.randn(*shape) * scale).float().double()


def listed(tensor):
    return [float(value) for value in tensor.detach().reshape(-1)]


def case(name, inputs, parameters, compute):
    """compute(inputs, parameters) gives y; its gradient is that of the sum of y · cos(index)."""
    for value in list(parameters.values()) + [x for x in inputs if x.is_floating_point()]:
        value.requires_grad_(True)
    y = compute(*inputs, **{key.replace(".", "_"): value for key, value in parameters.items()})
    weights = torch.cos(torch.arange(y.numel()).double()).reshape(y.shape)
    (y * weights).sum().backward()
    cases.append({
        "name": name,
        "inputs": [
            {"shape": list(x.shape), "type": str(x.dtype).split(".")[1], "values": listed(x),
             "gradient": listed(x.grad if x.grad is not None else torch.zeros_like(x))
             if x.is_floating_point() else []}
            for x in inputs],
        "parameters": {
            key: {"shape": list(value.shape), "values": listed(value),
                  "gradient": listed(value.grad if value.grad is not None else torch.zeros_like(value))}
            for key, value in parameters.items()},
        "shape": list(y.shape), "output": listed(y)})


def module_case(name, inputs, module, scope, names=None, call=None):
    """A module whose parameters get new values; Crest's are called as PyTorch's, in a scope."""
    module.eval()
    for parameter in module.parameters():
        parameter.data = given(*parameter.shape, scale=0.4)
    own = dict(module.named_parameters())
    used = {f"{scope}.{(names or {}).get(key, key)}": value for key, value in own.items()}
    case(name, inputs, used, lambda *x, **_: module(*x) if call is None else call(module, *x))


# Activations.
x = torch.tensor([-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 8.0]).reshape(2, 4)
for name, function in [
    ("SiLU", F.silu), ("Mish", F.mish), ("HardSwish", F.hardswish), ("HardSigmoid", F.hardsigmoid),
    ("ReLU6", F.relu6), ("SELU", F.selu), ("Softplus", F.softplus), ("Softsign", F.softsign),
    ("LeakyReLU", lambda v: F.leaky_relu(v, 0.2)), ("ELU", lambda v: F.elu(v, 0.7)),
]:
    # Away from the places where slopes jump, of which either is right.
    values = x + 0.125 if name in ("HardSwish", "HardSigmoid", "ReLU6", "LeakyReLU", "SELU", "ELU") else x
    case(name, [values.clone()], {}, lambda v, f=function: f(v))
module_case("PReLU", [given(2, 3, 4)], nn.PReLU(3), "prelu")
module_case("PReLU of all channels", [given(2, 3, 4)], nn.PReLU(1), "prelu")
for gate, function in [("sigmoid", torch.sigmoid), ("linear", lambda b: b), ("relu", F.relu),
                       ("gelu", F.gelu), ("silu", F.silu)]:
    case(f"GLU of {gate}", [given(3, 6)], {},
         lambda v, f=function: v[:, :3] * f(v[:, 3:]))
case("GLU of axis 1", [given(2, 4, 3)], {}, lambda v: F.glu(v, dim=1))

# Tables and norms.
module_case("Embedding", [torch.tensor([[0, 3, 3], [6, 1, 0]])], nn.Embedding(7, 4), "embedding")
module_case("LayerNorm", [given(2, 3, 5)], nn.LayerNorm(5), "layer_norm")
module_case("LayerNorm of two axes", [given(2, 3, 5)], nn.LayerNorm([3, 5], eps=1e-3), "layer_norm")
module_case("LayerNorm without bias", [given(2, 5)], nn.LayerNorm(5, bias=False), "layer_norm")
module_case("RMSNorm", [given(2, 3, 5)], nn.RMSNorm(5, eps=1e-6), "rms_norm")
module_case("InstanceNorm", [given(2, 3, 4, 5)], nn.InstanceNorm2d(3, affine=True), "instance_norm")
module_case("InstanceNorm of sequences", [given(2, 3, 6)], nn.InstanceNorm1d(3, affine=True), "instance_norm")
module_case("GroupNorm", [given(2, 6, 3)], nn.GroupNorm(3, 6), "group_norm")
case("InstanceNorm without parameters", [given(2, 3, 6)], {}, lambda v: F.instance_norm(v))

# Convolutions.
module_case("Conv1D", [given(2, 3, 9)], nn.Conv1d(3, 4, 3), "conv1d")
module_case("Conv1D, all of it", [given(2, 4, 11)],
            nn.Conv1d(4, 6, 3, stride=2, padding=2, dilation=2, groups=2, bias=False), "conv1d")
module_case("Conv1D, causal", [given(2, 3, 6)], nn.Conv1d(3, 2, 3, dilation=2), "conv1d",
            call=lambda m, v: m(F.pad(v, (4, 0))))
module_case("Conv1D, same", [given(2, 3, 6)], nn.Conv1d(3, 2, 4), "conv1d",
            call=lambda m, v: m(F.pad(v, (1, 2))))
module_case("Conv3D", [given(2, 2, 4, 5, 3)], nn.Conv3d(2, 3, (2, 3, 2), stride=(1, 2, 1), padding=1), "conv3d")
module_case("ConvTranspose1D", [given(2, 3, 5)], nn.ConvTranspose1d(3, 2, 4, stride=2), "convtranspose1d")
module_case("ConvTranspose1D, same", [given(2, 3, 5)], nn.ConvTranspose1d(3, 2, 4, stride=2, padding=1),
            "convtranspose1d")
module_case("ConvTranspose2D", [given(2, 4, 3, 4)],
            nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2), "convtranspose2d")
module_case("DepthwiseConv2D", [given(2, 3, 5, 5)], nn.Conv2d(3, 6, 3, padding=1, groups=3), "depthwise_conv2d")


class Separable(nn.Module):
    def __init__(self):
        super().__init__()
        self.depthwise = nn.Conv2d(3, 3, 3, stride=2, groups=3, bias=False)
        self.pointwise = nn.Conv2d(3, 4, 1)

    def forward(self, v):
        return self.pointwise(self.depthwise(v))


module_case("SeparableConv2D", [given(2, 3, 7, 7)], Separable(), "separable_conv2d")

# Pools.
case("MaxPool1D", [given(2, 3, 8)], {}, lambda v: F.max_pool1d(v, 3, 2, 1))
case("AveragePool1D", [given(2, 3, 8)], {}, lambda v: F.avg_pool1d(v, 3, 2, 1))
case("AdaptiveAveragePool", [given(2, 2, 7, 5)], {}, lambda v: F.adaptive_avg_pool2d(v, (3, 2)))
case("AdaptiveMaxPool", [given(2, 2, 7, 5)], {}, lambda v: F.adaptive_max_pool2d(v, (3, 2)))
case("AdaptiveConcatPool", [given(2, 2, 7, 5)], {},
     lambda v: torch.cat([F.adaptive_max_pool2d(v, 1), F.adaptive_avg_pool2d(v, 1)], 1))
case("GlobalMaxPool", [given(2, 3, 4, 2)], {}, lambda v: v.amax((2, 3)))
case("GlobalAveragePool of sequences", [given(2, 3, 5)], {}, lambda v: v.mean(2))

# Images made larger, and elements moved.
for mode, arguments in [("nearest", {}), ("linear", {"mode": "bilinear", "align_corners": False}),
                        ("linearAlignedCorners", {"mode": "bilinear", "align_corners": True}),
                        ("cubic", {"mode": "bicubic", "align_corners": False})]:
    case(f"Upsample, {mode}", [given(2, 2, 3, 4)], {},
         lambda v, a=arguments: F.interpolate(v, scale_factor=(2, 3), **a))
case("PixelShuffle", [given(2, 8, 2, 3)], {}, lambda v: F.pixel_shuffle(v, 2))
case("ZeroPad2D", [given(2, 2, 2, 3)], {}, lambda v: F.pad(v, (2, 4, 1, 3)))
case("Permute", [given(2, 3, 4)], {}, lambda v: v.permute(0, 2, 1))
case("Reshape", [given(2, 3, 4)], {}, lambda v: v.reshape(2, 2, 6))


class Squeeze(nn.Module):
    def __init__(self):
        super().__init__()
        self.reduce = nn.Conv2d(4, 2, 1)
        self.expand = nn.Conv2d(2, 4, 1)

    def forward(self, v):
        return v * torch.sigmoid(self.expand(F.relu(self.reduce(v.mean((2, 3), keepdim=True)))))


module_case("SqueezeExcitation", [given(2, 4, 3, 3)], Squeeze(), "squeeze_excitation")

# Recurrent layers.
for kind, cell in [("LSTM", nn.LSTM), ("GRU", nn.GRU), ("RNN", nn.RNN)]:
    scope = kind.lower()
    module_case(f"{kind}, all steps", [given(2, 5, 3)], cell(3, 4, batch_first=True), scope,
                call=lambda m, v: m(v)[0])

    def last(m, v):
        hidden = m(v)[1]
        hidden = hidden[0] if isinstance(hidden, tuple) else hidden
        return torch.cat([hidden[-2], hidden[-1]], 1) if m.bidirectional else hidden[-1]

    module_case(f"{kind}, last step", [given(3, 4, 2)], cell(2, 3, batch_first=True), scope, call=last)
    module_case(f"{kind}, two layers, both directions", [given(2, 4, 3)],
                cell(3, 2, num_layers=2, bidirectional=True, batch_first=True), scope, call=last)

    def packed(m, v, lengths):
        rows = nn.utils.rnn.pack_padded_sequence(v, lengths, batch_first=True, enforce_sorted=False)
        return nn.utils.rnn.pad_packed_sequence(m(rows)[0], batch_first=True, total_length=5)[0]

    module_case(f"{kind}, with lengths", [given(3, 5, 2), torch.tensor([5, 2, 3])],
                cell(2, 3, bidirectional=True, batch_first=True), scope, call=packed)
module_case("RNN of ReLU", [given(2, 4, 3)], nn.RNN(3, 4, nonlinearity="relu", batch_first=True), "rnn",
            call=lambda m, v: m(v)[0])

# Attention.
module_case("MultiHeadAttention", [given(2, 5, 8)], nn.MultiheadAttention(8, 2, batch_first=True), "attention",
            call=lambda m, v: m(v, v, v, need_weights=False)[0])
module_case("MultiHeadAttention, causal, without bias", [given(2, 5, 8)],
            nn.MultiheadAttention(8, 4, bias=False, batch_first=True), "attention",
            call=lambda m, v: m(v, v, v, attn_mask=torch.ones(5, 5).triu(1).bool(), need_weights=False)[0])
module_case("MultiHeadAttention to others", [given(2, 3, 8), given(2, 5, 8)],
            nn.MultiheadAttention(8, 2, batch_first=True), "attention",
            call=lambda m, v, w: m(v, w, w, need_weights=False)[0])
module_case("MultiHeadAttention with a mask",
            [given(2, 4, 8), torch.tensor([[True, True, False, True], [True, False, False, False]])],
            nn.MultiheadAttention(8, 2, batch_first=True), "attention",
            call=lambda m, v, k: m(v, v, v, key_padding_mask=~k, need_weights=False)[0])


def rotated(v, interleaved):
    steps, size = v.shape[-2:]
    angles = torch.arange(steps)[:, None] * 10000.0 ** (-torch.arange(0, size, 2) / size)[None]
    cos, sin = angles.cos(), angles.sin()
    if interleaved:
        a, b = v[..., 0::2], v[..., 1::2]
        return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)
    a, b = v[..., :size // 2], v[..., size // 2:]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def grouped(v, heads, key_heads, interleaved, **weights):
    n, t, e = v.shape
    size = e // heads
    y = v @ weights["attention_in_proj_weight"].T + weights["attention_in_proj_bias"]
    q, k, w = y.split([e, key_heads * size, key_heads * size], -1)
    q = q.reshape(n, t, heads, size).transpose(1, 2)
    k, w = (z.reshape(n, t, key_heads, size).transpose(1, 2) for z in (k, w))
    if interleaved is not None:
        q, k = rotated(q, interleaved), rotated(k, interleaved)
    k, w = (z.repeat_interleave(heads // key_heads, 1) for z in (k, w))
    a = (q @ k.transpose(-1, -2) / math.sqrt(size)).softmax(-1) @ w
    return a.transpose(1, 2).reshape(n, t, e) @ weights["attention_out_proj_weight"].T \
        + weights["attention_out_proj_bias"]


def attention_weights(rows):
    return {"attention.in_proj_weight": given(rows, 8, scale=0.4), "attention.in_proj_bias": given(rows, scale=0.4),
            "attention.out_proj.weight": given(8, 8, scale=0.4), "attention.out_proj.bias": given(8, scale=0.4)}


case("MultiHeadAttention of grouped heads", [given(2, 3, 8)], attention_weights(16),
     lambda v, **w: grouped(v, 4, 2, None, **w))
case("MultiHeadAttention, turned by halves", [given(2, 3, 8)], attention_weights(24),
     lambda v, **w: grouped(v, 2, 2, False, **w))
case("MultiHeadAttention, turned by neighbours", [given(2, 3, 8)], attention_weights(24),
     lambda v, **w: grouped(v, 2, 2, True, **w))

for first in (True, False):
    name = "norm first" if first else "norm last"
    module_case(f"TransformerEncoderBlock, {name}", [given(2, 3, 8)],
                nn.TransformerEncoderLayer(8, 2, 12, 0.0, "gelu" if first else "relu", batch_first=True,
                                           norm_first=first), "encoder_block")
    module_case(f"TransformerDecoderBlock, {name}", [given(2, 3, 8), given(2, 4, 8)],
                nn.TransformerDecoderLayer(8, 2, 12, 0.0, batch_first=True, norm_first=first), "decoder_block",
                call=lambda m, v, w: m(v, w, tgt_mask=torch.ones(3, 3).triu(1).bool(), tgt_is_causal=True))
module_case("TransformerEncoderBlock with a mask",
            [given(2, 3, 8), torch.tensor([[True, True, False], [True, True, True]])],
            nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True), "encoder_block",
            call=lambda m, v, k: m(v, src_key_padding_mask=~k))
positions = torch.zeros(5, 6)
places = torch.arange(5)[:, None] / 10000.0 ** (torch.arange(0, 6, 2) / 6)
positions[:, 0::2], positions[:, 1::2] = places.sin(), places.cos()
case("SinusoidalPositions", [given(2, 5, 6)], {}, lambda v: v + positions)
case("LearnedPositions", [given(2, 5, 6)], {"positions.weight": given(5, 6)},
     lambda v, positions_weight: v + positions_weight)

# How parameters start: the mean, deviation and bounds of many draws.
torch.set_default_dtype(torch.float32)
starts = []


def start(name, module, scope):
    draws = {}
    for seed in range(20):
        torch.manual_seed(seed)
        for key, value in module().named_parameters():
            draws.setdefault(f"{scope}.{key}", []).append(value.detach().double().reshape(-1))
    for key, values in draws.items():
        values = torch.cat(values)
        starts.append({"layer": name, "parameter": key, "mean": values.mean().item(),
                       "deviation": values.std(unbiased=False).item(), "least": values.min().item(),
                       "most": values.max().item()})


start("Embedding", lambda: nn.Embedding(50, 40), "embedding")
start("LayerNorm", lambda: nn.LayerNorm(16), "layer_norm")
start("LSTM", lambda: nn.LSTM(20, 30, batch_first=True), "lstm")
start("GRU", lambda: nn.GRU(20, 30, batch_first=True), "gru")
start("RNN", lambda: nn.RNN(20, 30, batch_first=True), "rnn")
start("MultiHeadAttention", lambda: nn.MultiheadAttention(32, 4, batch_first=True), "attention")
start("PReLU", lambda: nn.PReLU(8), "prelu")

folder = pathlib.Path(__file__).parent / "layers"
folder.mkdir(exist_ok=True)
with open(folder / "layers.json", "w") as file:
    file.write('{"torch": "%s", "cases": [\n' % torch.__version__.split("+")[0])
    file.write(",\n".join(json.dumps(each) for each in cases))
    file.write('\n], "starts": [\n' + ",\n".join(json.dumps(each) for each in starts) + "\n]}\n")
print(len(cases), "cases,", len(starts), "starts")
