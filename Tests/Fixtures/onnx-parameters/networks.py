"""The networks that `make_networks.py` exports: small configurations with random weights."""
import math

import torch
from torch import nn
from torch.nn import functional as F

register_fake = torch.library.register_fake


def without_missing(name, *arguments, **options):
    """torchvision's own operators, which nothing here uses, may be missing beside a PyTorch of another build."""
    if isinstance(name, str) and name.startswith("torchvision::"):
        return lambda function: function
    return register_fake(name, *arguments, **options)


torch.library.register_fake = without_missing
import timm  # noqa: E402
import torchvision  # noqa: E402
import transformers  # noqa: E402

torch.library.register_fake = register_fake


class InputNormalization(nn.Module):
    """An input's mean and deviation as buffers, per channel, before anything learned."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.conv, self.head = nn.Conv2d(3, 6, 3), nn.Linear(6, 4)

    def forward(self, x):
        return self.head(F.relu(self.conv((x - self.mean) / self.std)).mean((2, 3)))


class InputAffine(nn.Module):
    """An input's normalisation as a scale and a shift, under names that say nothing."""

    def __init__(self):
        super().__init__()
        self.register_buffer("a", torch.rand(6) + 0.5)
        self.register_buffer("b", torch.rand(6))
        self.head = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))

    def forward(self, x):
        return self.head(x * self.a + self.b)


class OutputScaling(nn.Module):
    """A target's mean and deviation as buffers, after all that is learned."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
        self.register_buffer("target_mean", torch.rand(3))
        self.register_buffer("target_std", torch.rand(3) + 0.5)

    def forward(self, x):
        return self.body(x) * self.target_std + self.target_mean


class ClassToken(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, 4)
        self.token = nn.Parameter(torch.zeros(1, 1, 8))
        self.place = nn.Parameter(torch.zeros(1, 17, 8))
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.place
        return self.head(self.layer(x)[:, 0])


class Sinusoidal(nn.Module):
    """PyTorch's tutorial on transformers: a table of sines as a buffer, a causal mask, an embedding."""

    def __init__(self):
        super().__init__()
        self.token = nn.Embedding(11, 8)
        place, rate = torch.arange(12).unsqueeze(1), torch.exp(torch.arange(0, 8, 2) * (-math.log(10000.0) / 8))
        table = torch.zeros(1, 12, 8)
        table[0, :, 0::2], table[0, :, 1::2] = torch.sin(place * rate), torch.cos(place * rate)
        self.register_buffer("table", table)
        self.register_buffer("mask", torch.triu(torch.full((6, 6), float("-inf")), 1))
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True)
        self.head = nn.Linear(8, 11)

    def forward(self, ids):
        x = self.token(ids) * math.sqrt(8) + self.table[:, :6]
        return self.head(self.layer(x, src_mask=self.mask))


class EinsumAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value = (nn.Parameter(torch.randn(2, 8, 4)) for _ in range(3))
        self.out = nn.Parameter(torch.randn(2, 4, 8))
        self.temperature = nn.Parameter(torch.tensor(1.0))

    def forward(self, x):
        q, k, v = (torch.einsum("btd,hde->bhte", x, w) for w in (self.query, self.key, self.value))
        weights = torch.softmax(torch.einsum("bhte,bhse->bhts", q, k) / self.temperature, -1)
        return torch.einsum("bhte,hed->btd", torch.einsum("bhts,bhse->bhte", weights, v), self.out)


class Rotary(nn.Module):
    """Su et al. 2021: frequencies as a buffer."""

    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Linear(8, 24), nn.Linear(8, 8)
        self.register_buffer("frequencies", 1 / 10000 ** (torch.arange(0, 8, 2) / 8))

    def forward(self, x):
        angle = torch.outer(torch.arange(x.shape[1], device=x.device).float(), self.frequencies)
        sin, cos = angle.sin().repeat(1, 2), angle.cos().repeat(1, 2)
        q, k, v = self.qkv(x).chunk(3, -1)

        def turn(t):
            a, b = t.chunk(2, -1)
            return t * cos + torch.cat([-b, a], -1) * sin

        return self.out(torch.softmax(turn(q) @ turn(k).transpose(1, 2) / math.sqrt(8), -1) @ v)


class RotaryTables(Rotary):
    """The same with tables of sines and cosines as buffers."""

    def __init__(self):
        super().__init__()
        angle = torch.outer(torch.arange(16).float(), self.frequencies)
        del self.frequencies
        self.register_buffer("cosines", angle.cos().repeat(1, 2))
        self.register_buffer("sines", angle.sin().repeat(1, 2))

    def forward(self, x):
        sin, cos = self.sines[: x.shape[1]], self.cosines[: x.shape[1]]
        q, k, v = self.qkv(x).chunk(3, -1)

        def turn(t):
            a, b = t.chunk(2, -1)
            return t * cos + torch.cat([-b, a], -1) * sin

        return self.out(torch.softmax(turn(q) @ turn(k).transpose(1, 2) / math.sqrt(8), -1) @ v)


class Siamese(nn.Module):
    """One branch for two inputs, batch norm included, and a normalisation of the inputs."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.arange(6).float())
        self.register_buffer("std", torch.arange(6).float() + 1)
        self.branch = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU())
        self.head = nn.Linear(16, 3)

    def forward(self, a, b):
        a, b = (self.branch((x - self.mean) / self.std) for x in (a, b))
        return self.head(torch.cat([a, b], 1))


class PointNet(nn.Module):
    """Qi et al. 2017: a learned transform beside an identity matrix, and layers shared by two clouds."""

    def __init__(self):
        super().__init__()
        self.transform = nn.Sequential(nn.Conv1d(3, 8, 1), nn.BatchNorm1d(8), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(8, 9))
        self.body = nn.Sequential(nn.Conv1d(3, 8, 1), nn.BatchNorm1d(8), nn.ReLU(), nn.Conv1d(8, 12, 1), nn.BatchNorm1d(12))
        self.head = nn.Linear(24, 4)

    def forward(self, a, b):
        def features(x):
            turn = self.transform(x).view(-1, 3, 3) + torch.eye(3, device=x.device)
            return self.body(turn @ x).amax(2)

        return self.head(torch.cat([features(a), features(b)], 1))


class EyeBuffer(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("eye", torch.eye(6))
        self.gate, self.head = nn.Linear(6, 36), nn.Linear(6, 3)

    def forward(self, x):
        mix = torch.sigmoid(self.gate(x)).view(-1, 6, 6) * (1 - self.eye) + self.eye
        return self.head((mix @ x.unsqueeze(2)).squeeze(2))


class MadeInForward(nn.Module):
    """Tensors that the program makes while it runs."""

    def __init__(self):
        super().__init__()
        self.first, self.head = nn.Linear(4, 6), nn.Linear(6, 3)

    def forward(self, x):
        weights = torch.tensor([0.9, 0.8, 0.7, 0.61, 0.53, 0.4])
        mix = torch.tensor([[0.31, -0.2, 0.55], [0.12, 0.7, -0.9], [0.8, 0.15, 0.44]])
        return self.head(F.relu(self.first(x)) * weights) @ mix


class Masked(nn.Module):
    """Masked autoencoding: a learned token where the input is 0, a causal mask of 0 and 1, a grid of places."""

    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Linear(4, 8), nn.Linear(10, 4)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, 8))
        self.register_buffer("past", torch.tril(torch.ones(5, 5)))
        self.register_buffer("grid", torch.stack([torch.arange(5).float(), torch.arange(5).float() ** 2], 1))

    def forward(self, x):
        hidden = torch.where(x.abs().sum(2, keepdim=True) == 0, self.mask_token, self.embed(x))
        scores = (hidden @ hidden.transpose(1, 2)).exp() * self.past
        mixed = scores / scores.sum(2, keepdim=True) @ hidden
        return self.head(torch.cat([mixed, self.grid.expand(len(x), -1, -1)], 2))


class InitialState(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.cell = kind(4, 5, batch_first=True)
        self.h = nn.Parameter(torch.zeros(1, 1, 5))
        self.c = nn.Parameter(torch.zeros(1, 1, 5)) if kind is nn.LSTM else None
        self.head = nn.Linear(5, 3)

    def forward(self, x):
        h = self.h.expand(-1, len(x), -1).contiguous()
        state = h if self.c is None else (h, self.c.expand(-1, len(x), -1).contiguous())
        return self.head(self.cell(x, state)[0][:, -1])


class Recurrent(nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        self.cell = kind(4, 5, batch_first=True, **options)
        self.head = nn.Linear(5 * (2 if options.get("bidirectional") else 1), 3)

    def forward(self, x):
        return self.head(self.cell(x)[0][:, -1])


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.GroupNorm(2, 4), nn.ReLU())
        self.bottom = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, padding=1), nn.InstanceNorm2d(6, affine=True), nn.PReLU(6))
        self.up = nn.ConvTranspose2d(6, 4, 2, 2)
        self.head = nn.Sequential(nn.Conv2d(8, 4, 3, padding=1), nn.PReLU(), nn.Conv2d(4, 1, 1))

    def forward(self, x):
        x = self.down(x)
        return self.head(torch.cat([x, self.up(self.bottom(x))], 1))


class Autoencoder(nn.Module):
    """A variational autoencoder's means."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(12, 8), nn.ReLU())
        self.fc_mean, self.fc_variance = nn.Linear(8, 3), nn.Linear(8, 3)
        self.decoder = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 12), nn.Sigmoid())

    def forward(self, x):
        x = self.encoder(x)
        mean, variance = self.fc_mean(x), self.fc_variance(x)
        return self.decoder(mean + 0.1 * torch.exp(variance / 2))


class SqueezeExcite(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.SiLU())
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 2, 1), nn.ReLU(), nn.Conv2d(2, 8, 1), nn.Sigmoid())
        self.p = nn.Parameter(torch.tensor([3.0]))
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        x = self.conv(x)
        x = (x * self.gate(x)).clamp(min=1e-6).pow(self.p).mean((2, 3)).pow(1 / self.p)
        return self.head(x)


class WeightNormalized(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.utils.parametrizations.weight_norm(nn.Conv1d(2, 6, 3))
        self.head = nn.utils.parametrizations.weight_norm(nn.Linear(6, 4))

    def forward(self, x):
        return self.head(F.relu(self.first(x)).mean(2))


class WeightStandardized(nn.Module):
    """Qiao et al. 2019, with a gain as in normaliser-free networks."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 6, 3), nn.Linear(6, 4)
        self.gain = nn.Parameter(torch.ones(6, 1, 1, 1))

    def forward(self, x):
        w = self.conv.weight
        w = (w - w.mean((1, 2, 3), keepdim=True)) / (w.var((1, 2, 3), keepdim=True) + 1e-5).sqrt() * self.gain
        return self.head(F.relu(F.conv2d(x, w, self.conv.bias)).mean((2, 3)))


class LowRank(nn.Module):
    """Hu et al. 2022: a weight with a product of two small ones beside it."""

    def __init__(self):
        super().__init__()
        self.weight, self.a, self.b = (nn.Parameter(torch.randn(s)) for s in ((6, 5), (2, 5), (6, 2)))
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        return self.head(F.relu(x @ (self.weight + self.b @ self.a).t()))


class FrozenNormalization(nn.Module):
    """Batch norm written out, all of it buffers, as torchvision has it in detection."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 6, 3, bias=False), torchvision.ops.FrozenBatchNorm2d(6)
        self.head = nn.Linear(6, 4)

    def forward(self, x):
        return self.head(F.relu(self.norm(self.conv(x))).mean((2, 3)))


class Blur(nn.Module):
    """Zhang 2019: a fixed filter, the same for each channel."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 6, 3), nn.Linear(6, 4)
        row = torch.tensor([1.0, 2.0, 1.0])
        self.register_buffer("filter", (row[:, None] * row / 16).expand(6, 1, 3, 3).contiguous())

    def forward(self, x):
        return self.head(F.conv2d(F.relu(self.conv(x)), self.filter, stride=2, groups=6).mean((2, 3)))


class Frequencies(nn.Module):
    """A step's number seen at fixed frequencies, as in diffusion, and learned ones, as in SIREN."""

    def __init__(self):
        super().__init__()
        self.register_buffer("rates", torch.exp(-math.log(100.0) * torch.arange(4) / 4))
        self.learned, self.head = nn.Parameter(torch.randn(1, 4)), nn.Linear(12, 3)

    def forward(self, t):
        fixed, learned = t * self.rates, t @ self.learned
        return self.head(torch.cat([fixed.sin(), fixed.cos(), learned.sin()], 1))


class Reversible(nn.Module):
    """Kim et al. 2022: the input by its own mean and deviation, with a learned scale and shift."""

    def __init__(self):
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.ones(3)), nn.Parameter(torch.zeros(3))
        self.body = nn.Linear(8, 4)

    def forward(self, x):
        mean, deviation = x.mean(1, keepdim=True), (x.var(1, keepdim=True, unbiased=False) + 1e-5).sqrt()
        x = (x - mean) / deviation * self.scale + self.shift
        x = self.body(x.transpose(1, 2)).transpose(1, 2)
        return (x - self.shift) / (self.scale + 1e-10) * deviation + mean


class Queries(nn.Module):
    """Carion et al. 2020: learned queries that look at the input, and a bias by distance."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(4, 8)
        self.queries = nn.Parameter(torch.randn(3, 8))
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.bias = nn.Embedding(9, 1)
        self.register_buffer("distance", torch.arange(5)[None] - torch.arange(5)[:, None] + 4)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        x = self.embed(x)
        x = torch.softmax(x @ x.transpose(1, 2) + self.bias(self.distance).squeeze(2), -1) @ x
        queries = self.queries.unsqueeze(0).expand(len(x), -1, -1)
        return self.head(self.attention(queries, x, x)[0])


class StateSpace(nn.Module):
    """Decays as exponentials of learned numbers, and a learned skip."""

    def __init__(self):
        super().__init__()
        self.a_log = nn.Parameter(torch.log(torch.arange(1, 5).float()).repeat(3, 1))
        self.b, self.skip = nn.Linear(3, 4), nn.Parameter(torch.ones(3))
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        state, rate = 0, torch.exp(-torch.exp(self.a_log))
        for t in range(4):
            state = state * rate + x[:, t, :, None] * self.b(x[:, t])[:, None]
        return self.head(state.sum(2) + x[:, -1] * self.skip)


class Stack(nn.Module):
    """A transformer whose layers are copies, as `nn.TransformerEncoder` makes them."""

    def __init__(self):
        super().__init__()
        self.token, self.place = nn.Embedding(11, 8), nn.Embedding(6, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(8), enable_nested_tensor=False)
        self.head = nn.Linear(8, 3)

    def forward(self, ids):
        return self.head(self.encoder(self.token(ids) + self.place(torch.arange(6)))[:, 0])


class Tied(nn.Module):
    """An embedding that is also the head."""

    def __init__(self):
        super().__init__()
        self.token, self.layer = nn.Embedding(11, 8), nn.Linear(8, 8)

    def forward(self, ids):
        return self.layer(self.token(ids)) @ self.token.weight.t()


class Wrapped(nn.Module):
    """One output of a network from the library of transformers."""

    def __init__(self, network, pick, *names, **others):
        super().__init__()
        self.network, self.pick, self.names, self.others = network, pick, names, others

    def forward(self, *inputs):
        return getattr(self.network(**dict(zip(self.names, inputs)), **self.others), self.pick)


def transformer(config, model, pick="last_hidden_state", names=("input_ids",), part=None, **options):
    def make():
        settings = getattr(transformers, config)(**options)
        settings._attn_implementation = "eager"
        network = getattr(transformers, model)(settings)
        network = network if part is None else getattr(network, part)
        others = {} if part else {"use_cache": False} if config in ("GPT2Config", "LlamaConfig", "BloomConfig", "T5Config") else {}
        return Wrapped(network, pick, *names, **others)

    return make


def small(name, **options):
    """A network of timm."""

    def make():
        module, maker = name.rsplit(".", 1)
        return getattr(__import__("timm.models." + module, fromlist=[maker]), maker)(**options)

    return make


def images(size, channels=3):
    return lambda: (torch.rand(2, channels, size, size),)


def tokens(length=6, limit=11):
    return lambda: (torch.randint(1, limit, (2, length)),)


def rows(*shape):
    return lambda: (torch.randn(2, *shape),)


def pairs(*shape):
    return lambda: (torch.randn(2, *shape), torch.randn(2, *shape))


def torchvision_convnext():
    from torchvision.models.convnext import CNBlockConfig, ConvNeXt
    return ConvNeXt([CNBlockConfig(8, 16, 1), CNBlockConfig(16, None, 1)], num_classes=4)


def torchvision_efficientnet():
    from torchvision.models.efficientnet import EfficientNet, MBConvConfig
    settings = [MBConvConfig(1, 3, 1, 8, 8, 1), MBConvConfig(3, 3, 2, 8, 12, 2)]
    return EfficientNet(settings, dropout=0.1, num_classes=4, last_channel=16)


def torchvision_regnet():
    from torchvision.models.regnet import BlockParams, RegNet
    return RegNet(BlockParams([1, 1], [8, 16], [4, 4], [1, 1], [2, 2], 0.25), num_classes=4, stem_width=4)


BERT = dict(vocab_size=11, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16, max_position_embeddings=12)

NETWORKS = {
    "input-normalization": (InputNormalization, images(8)),
    "input-affine": (InputAffine, rows(6)),
    "output-scaling": (OutputScaling, rows(6)),
    "class-token": (ClassToken, images(16)),
    "sinusoidal": (Sinusoidal, tokens()),
    "einsum-attention": (EinsumAttention, rows(5, 8)),
    "rotary": (Rotary, rows(5, 8)),
    "rotary-tables": (RotaryTables, rows(5, 8)),
    "siamese": (Siamese, pairs(6)),
    "pointnet": (PointNet, pairs(3, 7)),
    "eye-buffer": (EyeBuffer, rows(6)),
    "made-in-forward": (MadeInForward, rows(4)),
    "masked": (Masked, rows(5, 4)),
    "lstm-state": (lambda: InitialState(nn.LSTM), rows(4, 4)),
    "gru-state": (lambda: InitialState(nn.GRU), rows(4, 4)),
    "lstm": (lambda: Recurrent(nn.LSTM, num_layers=2, bidirectional=True), rows(4, 4)),
    "gru": (lambda: Recurrent(nn.GRU), rows(4, 4)),
    "rnn": (lambda: Recurrent(nn.RNN), rows(3, 4)),
    "unet": (UNet, images(8, 1)),
    "autoencoder": (Autoencoder, rows(12)),
    "squeeze-excite": (SqueezeExcite, images(8)),
    "weight-norm": (WeightNormalized, rows(2, 7)),
    "weight-standardization": (WeightStandardized, images(8)),
    "low-rank": (LowRank, rows(5)),
    "frozen-normalization": (FrozenNormalization, images(8)),
    "blur": (Blur, images(10)),
    "frequencies": (Frequencies, rows(1)),
    "reversible": (Reversible, rows(8, 3)),
    "queries": (Queries, rows(5, 4)),
    "state-space": (StateSpace, rows(4, 3)),
    "stack": (Stack, tokens()),
    "tied": (Tied, tokens()),
    "conv3d": (lambda: nn.Sequential(nn.Conv3d(1, 4, 3), nn.BatchNorm3d(4), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3)), rows(1, 4, 4, 4)),
    "conv1d": (lambda: nn.Sequential(nn.Conv1d(2, 4, 3), nn.BatchNorm1d(4), nn.LeakyReLU(), nn.Conv1d(4, 5, 3), nn.AdaptiveAvgPool1d(1), nn.Flatten()), rows(2, 9)),
    "resnet": (small("resnet.ResNet", block=timm.models.resnet.BasicBlock, layers=(1, 1, 1, 1), channels=(8, 8, 12, 12), stem_width=8, num_classes=4), images(16)),
    "densenet": (lambda: torchvision.models.DenseNet(4, (2, 2), 8, num_classes=4), images(32)),
    "mobilenet": (lambda: torchvision.models.MobileNetV2(4, 0.1, [[1, 16, 1, 1], [3, 24, 2, 2]]), images(16)),
    "convnext": (torchvision_convnext, images(32)),
    "efficientnet": (torchvision_efficientnet, images(16)),
    "regnet": (torchvision_regnet, images(16)),
    "vit": (lambda: torchvision.models.VisionTransformer(16, 4, 2, 2, 16, 32, num_classes=4), images(16)),
    "swin": (lambda: torchvision.models.SwinTransformer([2, 2], 8, [2, 2], [2, 2], [2, 2], num_classes=4), images(8)),
    "deit": (small("deit.VisionTransformerDistilled", img_size=16, patch_size=4, embed_dim=16, depth=2, num_heads=2, num_classes=4), images(16)),
    "layer-scale": (small("vision_transformer.VisionTransformer", img_size=16, patch_size=4, embed_dim=16, depth=2, num_heads=2, num_classes=4, init_values=0.1, reg_tokens=2), images(16)),
    "mixer": (small("mlp_mixer.MlpMixer", img_size=16, patch_size=4, num_blocks=2, embed_dim=16, num_classes=4), images(16)),
    "resmlp": (small("mlp_mixer.MlpMixer", img_size=16, patch_size=4, num_blocks=2, embed_dim=16, num_classes=4, mlp_ratio=4, block_layer=timm.models.mlp_mixer.ResBlock, norm_layer=timm.models.mlp_mixer.Affine), images(16)),
    "beit": (small("beit.Beit", img_size=16, patch_size=4, embed_dim=16, depth=2, num_heads=2, num_classes=4, use_abs_pos_emb=False, use_rel_pos_bias=True, init_values=0.1), images(16)),
    "xcit": (small("xcit.Xcit", img_size=32, patch_size=16, embed_dim=16, depth=1, num_heads=2, num_classes=4, eta=1.0), images(32)),
    "eva": (small("eva.Eva", img_size=16, patch_size=4, embed_dim=16, depth=2, num_heads=2, num_classes=4, use_rot_pos_emb=True), images(16)),
    "bert": (transformer("BertConfig", "BertModel", **BERT), tokens()),
    "distilbert": (transformer("DistilBertConfig", "DistilBertModel", vocab_size=11, dim=8, n_layers=2, n_heads=2, hidden_dim=16, max_position_embeddings=12, sinusoidal_pos_embds=True), tokens()),
    "albert": (transformer("AlbertConfig", "AlbertModel", **(BERT | dict(embedding_size=6))), tokens()),
    "gpt2": (transformer("GPT2Config", "GPT2LMHeadModel", "logits", vocab_size=11, n_positions=12, n_embd=8, n_layer=2, n_head=2), tokens()),
    "llama": (transformer("LlamaConfig", "LlamaForCausalLM", "logits", vocab_size=11, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=12), tokens()),
    "bloom": (transformer("BloomConfig", "BloomModel", vocab_size=11, hidden_size=16, n_layer=2, n_head=4), tokens()),
    "t5": (transformer("T5Config", "T5EncoderModel", vocab_size=11, d_model=8, d_kv=4, d_ff=16, num_layers=2, num_heads=2, relative_attention_num_buckets=8), tokens()),
    "whisper": (transformer("WhisperConfig", "WhisperModel", names=("input_features",), part="encoder", vocab_size=11, d_model=8, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, num_mel_bins=4, max_source_positions=6, max_target_positions=6, pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1), rows(4, 12)),
    "clip": (transformer("CLIPVisionConfig", "CLIPVisionModel", "pooler_output", ("pixel_values",), hidden_size=8, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=16, patch_size=4), images(16)),
}

# Which are exported in training mode by the older exporter too, and which as they are when they are new.
TRAINING = ["input-normalization", "siamese", "pointnet", "resnet", "densenet", "mobilenet", "lstm", "weight-norm", "unet", "bert", "vit", "frequencies"]
FRESH = ["siamese", "pointnet", "resnet", "densenet", "mobilenet", "stack", "albert", "vit", "convnext", "unet", "tied", "lstm"]
