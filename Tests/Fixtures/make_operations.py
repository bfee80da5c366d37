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


def flat(*values):
    return torch.cat([value.flatten() for value in values])


def reorder(value, order):
    """Gates of ONNX's order in PyTorch's."""
    parts = value.chunk(len(order), 0)
    return torch.cat([parts[place] for place in order], 0)


def torch_recurrent(kind, order, x, w, r, b, states, **options):
    """PyTorch's own layer on ONNX weights [D, G * H, ...]; all steps and last states in one vector."""
    layer = kind(x.shape[2], r.shape[2], bidirectional=len(w) == 2, dtype=x.dtype, **options)
    parameters = {}
    for direction, suffix in enumerate(["", "_reverse"][: len(w)]):
        biases = b[direction].chunk(2)
        for name, value in [
            ("weight_ih", w[direction]), ("weight_hh", r[direction]), ("bias_ih", biases[0]),
            ("bias_hh", biases[1]),
        ]:
            parameters[f"{name}_l0{suffix}"] = reorder(value, order)
    steps, last = torch.func.functional_call(layer, parameters, (x, states))
    # [T, B, D * H] as ONNX's [T, D, B, H]
    steps = steps.unflatten(2, (len(w), -1)).transpose(1, 2)
    return flat(steps, *(last if isinstance(last, tuple) else [last]))


def by_sequence(step, x, lengths, states, backward):
    """A recurrent layer one sequence at a time: [T, B, H] with zeros after the end, and states."""
    outputs, lasts = [], []
    for number, length in enumerate(lengths):
        state = [value[number] for value in states]
        own = [torch.zeros_like(state[0])] * len(x)
        for time in reversed(range(length)) if backward else range(length):
            state = step(x[time, number], state)
            own[time] = state[0]
        outputs.append(torch.stack(own))
        lasts.append(state)
    return torch.stack(outputs, 1), [torch.stack(parts) for parts in zip(*lasts)]


def full_lstm(x, w, r, b, p, h, c):
    """Both directions, peepholes, a clip, a coupled forget gate, and sequences of 3, 1 and 2 steps."""
    results = []
    for direction in range(2):
        wi, wo, _, wc = w[direction].chunk(4)
        ri, ro, _, rc = r[direction].chunk(4)
        bi, bo, _, bc = sum(b[direction].chunk(2)).chunk(4)
        pi, po, _ = p[direction].chunk(3)

        def step(value, state):
            hidden, cell = state

            def held(value):
                return value.clamp(-0.7, 0.7)

            entry = torch.sigmoid(held(wi @ value + ri @ hidden + pi * cell + bi))
            cell = (1 - entry) * cell + entry * torch.tanh(held(wc @ value + rc @ hidden + bc))
            exit = torch.sigmoid(held(wo @ value + ro @ hidden + po * cell + bo))
            # As ONNX Runtime, which does not clip the state on its way out.
            return [exit * torch.tanh(cell), cell]

        results.append(
            by_sequence(step, x, [3, 1, 2], [h[direction], c[direction]], direction == 1)
        )
    steps = torch.stack([result[0] for result in results], 1)
    return flat(
        steps, *(torch.stack([result[1][number] for result in results]) for number in range(2))
    )


def onnx_gru(x, w, r, b):
    """The reset before the linear part, batch first, backward, from a state of zeros."""
    wz, wr, wh = w[0].chunk(3)
    rz, rr, rh = r[0].chunk(3)
    bz, br, bh = sum(b[0].chunk(2)).chunk(3)

    def step(value, state):
        hidden = state[0]
        update = torch.sigmoid(wz @ value + rz @ hidden + bz)
        reset = torch.sigmoid(wr @ value + rr @ hidden + br)
        new = torch.tanh(wh @ value + rh @ (reset * hidden) + bh)
        return [(1 - update) * new + update * hidden]

    zeros = x.new_zeros(x.shape[0], r.shape[2])
    steps, last = by_sequence(step, x.transpose(0, 1), [x.shape[1]] * x.shape[0], [zeros], True)
    return flat(steps.transpose(0, 1), last[0])


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
    "erf": (torch.erf, [fixed([-3, -0.5, 0, 1e-3, 2])]),
    "leakyRelu": (lambda x: F.leaky_relu(x, 0.1), [fixed([-2, -0.5, 0, 3])]),
    "parametricRelu": (torch.ops.aten.prelu.default, [draw(2, 3, 2), draw(3)]),
    "elu": (lambda x: F.elu(x, 0.5), [fixed([-800, -2, -1e-3, 0, 3, 800])]),
    "selu": (F.selu, [fixed([-800, -2, -1e-3, 0, 3, 800])]),
    "celu": (lambda x: F.celu(x, 0.5), [fixed([-800, -2, -1e-3, 0, 3, 800])]),
    "thresholdedRelu": (lambda x: F.threshold(x, 0.5, 0), [fixed([-2, 0, 0.5, 0.6, 3])]),
    "hardSigmoid": (lambda x: (x / 6 + 0.5).clamp(0, 1), [fixed([-5, -2, 0, 1.5, 4])]),
    "hardSwish": (F.hardswish, [fixed([-5, -2, 0, 1.5, 4])]),
    "softsign": (F.softsign, [fixed([-5, -2, 0, 1.5, 4])]),
    "mish": (F.mish, [fixed([-5, -2, 0, 1.5, 4])]),
    "gelu": (F.gelu, [fixed([-5, -2, 0, 1.5, 4])]),
    "geluTanh": (lambda x: F.gelu(x, approximate="tanh"), [fixed([-5, -2, 0, 1.5, 4])]),
    "clipped": (lambda x: x.clamp(-1, 0.5), [fixed([-3, -1, 0, 0.5, 2])]),
    "layerNormalized": (
        lambda x, s, b: F.layer_norm(x, (3, 2), s, b, 1e-3), [draw(2, 3, 2), draw(3, 2), draw(3, 2)],
    ),
    "instanceNormalized": (
        lambda x, s, b: F.instance_norm(x, weight=s, bias=b, eps=1e-3),
        [draw(2, 3, 2, 2), draw(3), draw(3)],
    ),
    "groupNormalized": (
        lambda x, s, b: F.group_norm(x, 2, s, b, 1e-3), [draw(2, 4, 3), draw(4), draw(4)],
    ),
    "gathered": (lambda x: F.embedding(torch.tensor([[1, 3], [1, 0]]), x), [draw(4, 3)]),
    "gatheredElements": (
        lambda x: torch.gather(x, 1, torch.tensor([[0, 2, 2], [1, 1, 0]])), [draw(2, 3)],
    ),
    "split": (lambda x: x.split([1, 3], 1)[1], [draw(2, 4)]),
    "convTransposed": (
        lambda x, w, b: F.conv_transpose2d(
            x, w, b, stride=(2, 3), padding=(1, 0), output_padding=(1, 2), groups=2,
            dilation=(1, 2),
        ),
        [draw(1, 4, 3, 2), draw(4, 3, 2, 3), draw(6)],
    ),
    "convTransposed1": (
        lambda x, w: F.conv_transpose1d(x, w, stride=2, padding=1), [draw(2, 3, 4), draw(3, 2, 3)],
    ),
    "tiled": (lambda x: x.repeat(2, 3), [draw(2, 3)]),
    "cumulativeSum": (lambda x: x.cumsum(1), [draw(2, 4)]),
    "lowerTriangle": (lambda x: x.tril(-1), [draw(2, 3, 4)]),
    "upperTriangle": (lambda x: x.triu(1), [draw(3, 2)]),
    "lstm": (
        lambda x, w, r, b, h, c: torch_recurrent(
            torch.nn.LSTM, [0, 2, 3, 1], x, w, r, b, (h, c)
        ),
        [
            draw(3, 2, 4), draw(2, 12, 4), draw(2, 12, 3), draw(2, 24), draw(2, 2, 3),
            draw(2, 2, 3),
        ],
    ),
    "lstmWithEverything": (
        full_lstm,
        [
            draw(3, 3, 2), draw(2, 8, 2), draw(2, 8, 2), draw(2, 16), draw(2, 6), draw(2, 3, 2),
            draw(2, 3, 2),
        ],
    ),
    "gru": (
        lambda x, w, r, b, h: torch_recurrent(torch.nn.GRU, [1, 0, 2], x, w, r, b, h),
        [draw(3, 2, 4), draw(1, 9, 4), draw(1, 9, 3), draw(1, 18), draw(1, 2, 3)],
    ),
    "gruResetFirst": (onnx_gru, [draw(2, 3, 4), draw(1, 6, 4), draw(1, 6, 2), draw(1, 12)]),
    "rnn": (
        lambda x, w, r, b, h: torch_recurrent(
            torch.nn.RNN, [0], x, w, r, b, h, nonlinearity="relu"
        ),
        [draw(4, 2, 3), draw(2, 2, 3), draw(2, 2, 2), draw(2, 4), draw(2, 2, 2)],
    ),
    "l1Norm": (lambda x: x.norm(1, 1), [fixed([[1, 0, -2], [0, 0, 0]])]),
    "l2Norm": (lambda x: x.norm(2, 1), [fixed([[1, 0, -2], [0, 0, 0]])]),
    "sumOfSquares": (lambda x: (x * x).sum((0, 2), keepdim=True), [draw(2, 3, 2)]),
    "logSum": (lambda x: x.sum(1).log(), [draw(2, 3, low=0.1)]),
    "logSumExp": (lambda x: x.logsumexp((0, 2)), [draw(2, 3, 2)]),
    "globalMaxPool": (lambda x: F.adaptive_max_pool2d(x, 1), [draw(2, 2, 2, 3)]),
    "remainder": (torch.fmod, [draw(2, 3, low=-9), draw(3, low=0.5)]),
    "reflected": (
        lambda x: F.pad(x, (2, 1, 0, 1), mode="reflect"), [draw(1, 2, 3, 4)],
    ),
    "repeatedEdges": (
        lambda x: F.pad(x, (2, -1, 0, 1), mode="replicate"), [draw(1, 2, 3, 4)],
    ),
    "likelihood": (
        lambda x: F.nll_loss(x, torch.tensor([[2, -100], [0, 1]]), fixed([0.5, 2, 1.25])),
        [draw(2, 3, 2)],
    ),
    "likelihoodEach": (
        lambda x: F.nll_loss(
            x, torch.tensor([2, 0, 1]), fixed([0.5, 2, 1.25]), ignore_index=1, reduction="none"
        ),
        [draw(3, 3)],
    ),
    "softmaxCrossEntropy": (
        lambda x: F.cross_entropy(x, torch.tensor([2, 0, 1]), reduction="sum"), [draw(3, 3)],
    ),
    "wrapped": (lambda x: F.pad(x, (2, 1, 1, 0), mode="circular"), [draw(1, 2, 3, 4)]),
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
