"""Writes small networks whose rows are computed one by one, or together, and what ONNX Runtime predicts.

    python make_onnx_rows.py [FOLDER_OF_CASES]

For each network: NAME.onnx, and in NAME.npy its first output for 200 rows, where those for fewer are parts of
it, else those for 1, 63, 64, 65 and 200 rows one after the other. rows.json says how inputs are made (see `numbers`), and what is proved of the rows. Networks that
stand for a public report are copied from a folder of cases, where there is one; else they stay as they are.

Made with torch 2.13, onnx 1.20 and onnxruntime 1.24.
"""

import json
import pathlib
import shutil
import sys
import warnings

import numpy as np
import onnx
import onnx.parser
import onnxruntime
import torch
from torch import nn

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent
CASES = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
COUNTS = [1, 63, 64, 65, 200]
OPEN = -1

networks = []


def numbers(place, shape, kind):
    """The elements of input number `place`: the test makes the same."""
    steps = (np.arange(int(np.prod(shape)), dtype=np.int64) * 7919 + place * 104729) % 2003
    if kind == "int64":
        return (steps % 5).astype(np.int64).reshape(shape)
    return ((steps - 1001) / 1000.0).astype(np.float32).reshape(shape)


def feed(inputs, count):
    """The inputs for some rows: those of 200, cut along the axis that is open."""
    result = {}
    for place, (name, shape, kind) in enumerate(inputs):
        if OPEN not in shape:
            result[name] = numbers(place, shape, kind)
            continue
        axis = shape.index(OPEN)
        whole = numbers(place, [max(COUNTS) if size == OPEN else size for size in shape], kind)
        result[name] = np.ascontiguousarray(np.take(whole, range(count), axis=axis))
    return result


def add(name, inputs, plan):
    """A network that lies there: runs it, and notes what is expected.

    `plan` is the axis of the output along which batches are joined, or why the inputs are not cut.
    """
    session = onnxruntime.InferenceSession(
        str(HERE / f"{name}.onnx"), providers=["CPUExecutionProvider"])
    outputs = [session.run(None, feed(inputs, count))[0] for count in COUNTS]
    assert all(np.isfinite(output).all() for output in outputs), name
    if isinstance(plan, int):
        # Fewer rows give a part of what more give.
        for count, output in zip(COUNTS, outputs):
            part = np.take(outputs[-1], range(count), axis=plan)
            assert np.allclose(output, part, rtol=1e-5, atol=1e-6), (name, count)
        outputs = outputs[-1:]
    np.save(HERE / f"{name}.npy", np.concatenate([output.astype(np.float32).ravel() for output in outputs]))
    networks.append({
        "name": name,
        "inputs": [{"name": n, "shape": s, "type": k} for n, s, k in inputs],
        "shapes": [list(output.shape) for output in outputs],
        **({"axis": plan} if isinstance(plan, int) else {"reason": plan}),
    })


def written(name, text, inputs, plan, opset=17):
    """A network in ONNX's own words."""
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : {opset}]> {text}')
    for number, node in enumerate(model.graph.node):
        node.name = f"{node.op_type.lower()}{number}"
    onnx.checker.check_model(model)
    onnx.save(model, HERE / f"{name}.onnx")
    add(name, inputs, plan)


def exported(name, network, inputs, plan, dynamo=False):
    """A network of PyTorch, by one of its exporters."""
    torch.manual_seed(0)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
        if parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)
    network.eval()
    example = tuple(torch.from_numpy(value) for value in feed(inputs, 3).values())
    dims = {n: {s.index(OPEN): "rows"} for n, s, _ in inputs if OPEN in s}
    path = HERE / f"{name}.onnx"
    if dynamo:
        rows = torch.export.Dim("rows", min=2)
        torch.onnx.export(
            network, example, path, input_names=[n for n, _, _ in inputs], verbose=False,
            external_data=False, dynamo=True,
            dynamic_shapes=tuple({s.index(OPEN): rows} if OPEN in s else None for _, s, _ in inputs))
    else:
        torch.onnx.export(
            network, example, path, input_names=[n for n, _, _ in inputs], output_names=["y"],
            opset_version=17, dynamo=False, dynamic_axes=dims)
    model = onnx.load(path)
    # Where a node stands in PyTorch's source is large and nobody's business.
    for node in model.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for value in list(model.graph.value_info) + list(model.graph.output) + list(model.graph.input):
        value.ClearField("metadata_props")
    model.ClearField("functions")
    onnx.save(model, path)
    add(name, inputs, plan)


def copied(name, case, inputs, plan):
    """A network of a public report."""
    if CASES is not None:
        shutil.copyfile(CASES / case / "model.onnx", HERE / f"{name}.onnx")
        (HERE / f"{name}.onnx").chmod(0o644)
    add(name, inputs, plan)


class Layer(nn.Module):
    """A recurrent layer and a product."""

    def __init__(self, kind, batch_first, features=3, size=4, **settings):
        super().__init__()
        self.layer = kind(features, size, batch_first=batch_first, **settings)
        self.head = nn.Linear(size * (2 if settings.get("bidirectional") else 1), 2)

    def forward(self, x):
        return self.head(self.layer(x)[0])


class Attention(nn.Module):
    """Scaled dot products among the rows of the second last axis."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        scores = self.q(x) @ self.k(x).transpose(-1, -2) / 2
        return scores.softmax(-1) @ self.v(x)


class Encoder(nn.Module):
    """A class token, positions, a layer of PyTorch's transformer, and a head on the token."""

    def __init__(self):
        super().__init__()
        self.token = nn.Parameter(torch.linspace(-1, 1, 4).reshape(1, 1, 4))
        self.positions = nn.Parameter(torch.linspace(0, 1, 16).reshape(1, 4, 4))
        self.layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1) + self.positions
        return self.head(self.layer(x)[:, 0])


class Tokens(nn.Module):
    """Embeddings of tokens and of their places."""

    def __init__(self):
        super().__init__()
        self.words, self.places, self.norm = nn.Embedding(5, 4), nn.Embedding(3, 4), nn.LayerNorm(4)

    def forward(self, ids):
        places = torch.arange(ids.shape[1]).expand(ids.shape[0], -1)
        return self.norm(self.words(ids) + self.places(places)).mean(1)


class Columns(nn.Module):
    """Convolutions over an image, and its columns as the steps of a sequence: [T, N, C] in the end."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2)
        self.layer, self.head = nn.LSTM(8, 3), nn.Linear(3, 2)

    def forward(self, x):
        x = torch.relu(self.norm(self.conv(x)))
        steps = x.permute(3, 0, 1, 2).flatten(2)
        return self.head(self.layer(steps)[0]).log_softmax(-1)


class Windows(nn.Module):
    """Pieces of an image apart, as rows of their own, and together again (Swin)."""

    def __init__(self):
        super().__init__()
        self.mix = Attention()

    def forward(self, x):
        n = x.shape[0]
        pieces = x.reshape(n, 2, 2, 2, 2, 4).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, 4)
        pieces = self.mix(pieces)
        return pieces.reshape(n, 2, 2, 2, 2, 4).permute(0, 1, 3, 2, 4, 5).reshape(n, 4, 4, 4).mean((1, 2))


class First(nn.Module):
    """Another number in the place of the first of each row."""

    def forward(self, x):
        x = x.clone()
        x[:, 0] = x[:, 1] * 2
        return x


def main():
    # The fused layer can't be exported.
    torch.backends.mha.set_fastpath_enabled(False)
    rows = [("x", [OPEN, 3], "float32")]
    pairs = [("x", [OPEN, 3], "float32"), ("w", [OPEN, 3], "float32")]
    sequence = [("x", [OPEN, 5, 3], "float32")]

    # Not UNTIED_siamese, whose batch norm is in training mode: what ONNX Runtime does with the batch's own
    # statistics isn't what a network predicts.
    copied("lstm-time-first-case", "WRONG_nn_lstm_timefirst", [("x", [OPEN, 1, 6], "float32")],
           'node "/r/LSTM" (LSTM, opset 17) selects examples by their index in the batch')
    copied("reduce-over-batch-case", "WRONG_reduce_over_batch", rows,
           'node "m" (ReduceMean, opset 17) reduces the batch axis')
    copied("scalar-input", "nn_scalar_input", [("x", [OPEN, 4], "float32"), ("temperature", [], "float32")], 0)
    copied("lstm-state", "nn_lstm_state",
           [("x", [OPEN, 5, 6], "float32"), ("h", [1, OPEN, 8], "float32"), ("c", [1, OPEN, 8], "float32")],
           "the graph has inputs with different numbers of rows")

    # Rows one by one.
    written("mlp", """mlp (float[N, 3] x) => (float[N, 2] y)
        <float[3, 4] a = {0.5, -1, 0.25, 1, 2, 0.75, -0.5, 1, 1, -2, 0.125, 3}, float[4, 2] b = {1, 2, -1, 0.5, 0.25, 3, -2, 1}, float[2] c = {0.5, -0.5}>
        { h = MatMul(x, a)  r = Relu(h)  y = Gemm(r, b, c) }""", rows, 0)
    written("merged-and-back", """merged (float[N, 4, 3] x) => (float[N, 4, 2] y)
        <float[3, 2] a = {0.5, -1, 0.25, 1, 2, 0.75}, int64[2] flat = {-1, 3}, int64[3] back = {-1, 4, 2}>
        { f = Reshape(x, flat)  h = MatMul(f, a)  t = Tanh(h)  y = Reshape(t, back) }""",
            [("x", [OPEN, 4, 3], "float32")], 0)
    written("there-and-back", """there (float[N, 4, 3] x) => (float[N, 3, 4] y)
        { a = Transpose<perm = [2, 0, 1]>(x)  s = Softmax<axis = 2>(a)  c = CumSum(s, two)  y = Transpose<perm = [1, 0, 2]>(c) }"""
            .replace("=> (float[N, 3, 4] y)", "=> (float[N, 3, 4] y) <int64 two = {2}>"),
            [("x", [OPEN, 4, 3], "float32")], 0)
    written("merged-behind", """behind (float[N, 4, 3] x) => (float[4, N, 2] y)
        <float[3, 2] a = {0.5, -1, 0.25, 1, 2, 0.75}, int64[2] flat = {-1, 3}, int64[1] two = {2}>
        { t = Transpose<perm = [1, 0, 2]>(x)  s = Shape<start = 0, end = 2>(t)  f = Reshape(t, flat)  h = MatMul(f, a)
          z = Concat<axis = 0>(s, two)  y = Reshape(h, z) }""",
            [("x", [OPEN, 4, 3], "float32")], 1)
    written("doubled", """doubled (float[N, 3] x) => (float[N, 3] y)
        
        { b = Neg(x)  both = Concat<axis = 0>(x, b)  s = Sigmoid(both)  p, q = Split<axis = 0, num_outputs = 2>(s)  y = Sub(p, q) }""",
            rows, 0, opset=18)
    written("layer-norm", """norm (float[N, 3] x) => (float[N, 3] y)
        <float[3] a = {0.5, -1, 0.25}, float[3] b = {1, 2, 0.75}> { y = LayerNormalization(x, a, b) }""", rows, 0)
    written("einsum-by-row", """einsum (float[N, 3] x, float[N, 3] w) => (float[N, 3, 3] y)
        { y = Einsum<equation = "bi,bj->bij">(x, w) }""", pairs, 0)
    written("top-k-of-row", """topk (float[N, 3] x) => (float[N, 2] y) <int64[1] k = {2}>
        { y, i = TopK<axis = 1>(x, k) }""", rows, 0)
    written("gather-by-row", """gather (float[N, 3] x, int64[N, 2] i) => (float[N, 2] y)
        { y = GatherElements<axis = 1>(x, i) }""".replace("int64[N, 2] i", "float[N, 3] w")
            .replace("{ y =", "{ o = ArgMax<axis = 1, keepdims = 1>(w)  y =").replace("(x, i)", "(x, o)")
            .replace("float[N, 2] y", "float[N, 1] y"), pairs, 0)
    written("scatter-by-row", """scatter (float[N, 3] x, float[N, 3] w) => (float[N, 3] y)
        { o = ArgMin<axis = 1, keepdims = 1>(w)  m = ReduceMax<axes = [1]>(w)  y = ScatterElements<axis = 1>(x, o, m) }""",
            pairs, 0)
    exported("conv-norm", nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(8, 2)), [("x", [OPEN, 1, 4, 4], "float32")], 0)
    exported("lstm-batch-first", Layer(nn.LSTM, True), sequence, 0)
    exported("lstm-batch-first-dynamo", Layer(nn.LSTM, True), sequence, 0, dynamo=True)
    exported("gru-both-ways", Layer(nn.GRU, True, bidirectional=True), sequence, 0)
    exported("attention", Attention(), [("x", [OPEN, 5, 4], "float32")], 0)
    exported("encoder", Encoder(), [("x", [OPEN, 3, 4], "float32")], 0)
    exported("encoder-dynamo", Encoder(), [("x", [OPEN, 3, 4], "float32")], 0, dynamo=True)
    exported("tokens", Tokens(), [("ids", [OPEN, 3], "int64")], 0)
    exported("windows", Windows(), [("x", [OPEN, 4, 4, 4], "float32")], 0)
    exported("columns", Columns(), [("x", [OPEN, 1, 4, 4], "float32")], 1)

    # Rows together.
    written("centred", """centred (float[N, 3] x) => (float[N, 3] y)
        { m = ReduceMean<axes = [0], keepdims = 1>(x)  y = Sub(x, m) }""", rows,
            'node "reducemean0" (ReduceMean, opset 17) reduces the batch axis')
    written("softmax-over-rows", """softmax (float[N, 3] x) => (float[N, 3] y) { y = Softmax<axis = 0>(x) }""", rows,
            'node "softmax0" (Softmax, opset 17) normalises over the examples')
    written("cumsum-over-rows", """cumsum (float[N, 3] x) => (float[N, 3] y) <int64 zero = {0}>
        { y = CumSum(x, zero) }""", rows, 'node "cumsum0" (CumSum, opset 17) accumulates along the batch axis')
    written("top-k-of-rows", """topk (float[N, 3] x) => (float[1, 3] y) <int64[1] k = {1}>
        { y, i = TopK<axis = 0>(x, k) }""", rows, 'node "topk0" (TopK, opset 17) searches among the examples')
    written("first-row", """first (float[N, 3] x) => (float[N, 3] y) <int64[1] zero = {0}>
        { f = Gather<axis = 0>(x, zero)  y = Sub(x, f) }""", rows,
            'node "gather0" (Gather, opset 17) selects examples by their index in the batch')
    written("reversed", """reversed (float[N, 3] x) => (float[N, 3] y)
        <int64[1] s = {-1}, int64[1] e = {-9223372036854775807}, int64[1] a = {0}, int64[1] t = {-1}>
        { r = Slice(x, s, e, a, t)  y = Sub(x, r) }""", rows,
            'node "slice0" (Slice, opset 17) selects examples by their index in the batch')
    written("einsum-over-rows", """einsum (float[N, 3] x) => (float[N] y)
        { g = Einsum<equation = "ik,jk->ij">(x, x)  y = ReduceMean<axes = [1], keepdims = 0>(g) }""", rows,
            'node "einsum0" (Einsum, opset 17) multiplies each example with the others')
    written("flattened-over-rows", """flat (float[N, 3] x) => (float[N, 3] y)
        <int64[1] flat = {-1}, int64[2] back = {-1, 3}, int64 zero = {0}>
        { f = Reshape(x, flat)  s = CumSum(f, zero)  y = Reshape(s, back) }""", rows,
            'node "cumsum1" (CumSum, opset 17) accumulates along the batch axis')
    written("regrouped", """regrouped (float[N, 4, 2] x) => (float[4, N, 2] y) <int64[3] z = {4, -1, 2}>
        { s = Softmax<axis = 2>(x)  y = Reshape(s, z) }""", [("x", [OPEN, 4, 2], "float32")],
            'node "reshape1" (Reshape, opset 17) merges the batch axis with others in a way that the '
            "analysis doesn't follow")
    written("per-count", """count (float[N, 3] x) => (float[N, 3] y)
        { s = Shape<start = 0, end = 1>(x)  f = Cast<to = 1>(s)  y = Div(x, f) }""", rows,
            "the graph computes with the number of rows")
    written("numbered", """numbered (float[N, 3] x) => (float[N, 3] y) <int64 z = {0}, int64 o = {1}, int64[1] one = {1}>
        { s = Shape<start = 0, end = 1>(x)  n = Squeeze(s)  r = Range(z, n, o)  f = Cast<to = 1>(r)  u = Unsqueeze(f, one)
          y = Mul(x, u) }""", rows,
            'node "mul5" (Mul, opset 17) has a separate value for each index in the batch')
    written("total", """total (float[N, 3] x) => (float y)
        { y = ReduceSum<keepdims = 0>(x) }""", rows,
            'node "reducesum0" (ReduceSum, opset 17) reduces the batch axis')
    written("scatter-over-rows", """scatter (float[N, 3] x) => (float[N, 3] y)
        { o = ArgMax<axis = 0, keepdims = 1>(x)  m = ReduceMin<axes = [0]>(x)  y = ScatterElements<axis = 0>(x, o, m) }""",
            rows, 'node "argmax0" (ArgMax, opset 17) searches among the examples')
    exported("lstm-time-first", Layer(nn.LSTM, False), sequence,
             'node "/layer/LSTM" (LSTM, opset 17) selects examples by their index in the batch')
    exported("gru-time-first", Layer(nn.GRU, False), sequence,
             'node "/layer/GRU" (GRU, opset 17) selects examples by their index in the batch')
    exported("rnn-time-first", Layer(nn.RNN, False), sequence,
             'node "/layer/RNN" (RNN, opset 17) selects examples by their index in the batch')
    exported("attention-unbatched", Attention(), [("x", [OPEN, 4], "float32")],
             'node "/MatMul" (MatMul, opset 17) multiplies each example with the others')
    exported("assigned-part", First(), rows,
             'node "/ScatterND" (ScatterND, opset 17) replaces parts of the examples by indices')

    # One network a line.
    lines = [json.dumps(network) for network in networks]
    (HERE / "rows.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
