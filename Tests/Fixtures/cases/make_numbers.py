"""Makes soft-targets/, swallowed-numbers/, table-of-six/ and untied/: what targets and inputs hold decides what is right.

`soft-targets`: a network that scores C classes for each of T tokens, [N, T, C], and target probabilities of the same
shape: `last` sum to 1 along axis 2 alone, `first` along axis 1 alone, `both` along both. The class of a token follows
from the token. `whole` and `booleans` are one-hot whole numbers, one row an example, `places` are such for each token.

`swallowed-numbers`: `clip` replaces what isn't above 0 by 0, which a NaN isn't; `impute` replaces NaN alone. In the data
`nan`, examples 3 and 9 of 16 hold NaN; in `infinite`, example 5 holds -inf.

`table-of-six`: embeddings of six words, averaged; ids in `padded` hold -1 from example 2 on, in `beyond` a 6 in
example 4.

`untied`: two scales of one value that an exporter merged into one array, read by its own name and as a copy. Needs numpy and onnx (made with 2.4.6 and 1.23.2).
"""

import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

here = pathlib.Path(__file__).parent
generator = np.random.default_rng(7)


def save(path, nodes, inputs, output, arrays):
    path.parent.mkdir(parents=True, exist_ok=True)
    graph = helper.make_graph(
        nodes, path.stem, [helper.make_tensor_value_info(*entry) for entry in inputs],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, output)],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def data(folder, x, y):
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "train-x.npy", x)
    np.save(folder / "train-y.npy", y)


def weight(*shape):
    return (0.1 * generator.normal(size=shape)).astype(np.float32)


soft = here / "soft-targets"
for name, tokens, classes in [("wide", 4, 3), ("square", 3, 3)]:
    save(soft / f"{name}.onnx", [helper.make_node("MatMul", ["x", "weight"], ["y"], "head")],
         [("x", TensorProto.FLOAT, ["N", tokens, classes])], ["N", tokens, classes],
         {"weight": weight(classes, classes)})
words = generator.integers(0, 3, size=(40, 4))
one_hot = np.eye(3, dtype=np.float32)
# Two examples whose words differ rule the other axis out.
words[0] = [0, 0, 0, 0]
data(soft / "last", one_hot[words], one_hot[(words + 1) % 3] * 0.94 + np.float32(0.02))
columns = generator.random(size=(40, 4, 3)).astype(np.float32)
data(soft / "first", one_hot[words], columns / columns.sum(axis=1, keepdims=True))
orders = np.stack([generator.permutation(3) for _ in range(40)])
data(soft / "both", one_hot[orders], one_hot[(orders + 1) % 3])
data(soft / "places", one_hot[words], one_hot[(words + 1) % 3].astype(np.int64))
rows = words[:, 0]
data(soft / "whole", one_hot[rows], one_hot[(rows + 1) % 3].astype(np.int32))
data(soft / "booleans", one_hot[rows], one_hot[(rows + 1) % 3].astype(bool))

swallowed = here / "swallowed-numbers"
head = helper.make_node("Gemm", ["kept", "weight", "bias"], ["y"], "head")
arrays = {"zero": np.zeros([], np.float32), "weight": weight(3, 2), "bias": np.zeros(2, np.float32)}
save(swallowed / "clip.onnx",
     [helper.make_node("Greater", ["x", "zero"], ["above"]),
      helper.make_node("Where", ["above", "x", "zero"], ["kept"]), head],
     [("x", TensorProto.FLOAT, ["N", 3])], ["N", 2], arrays)
save(swallowed / "impute.onnx",
     [helper.make_node("IsNaN", ["x"], ["missing"]),
      helper.make_node("Where", ["missing", "zero", "x"], ["kept"]), head],
     [("x", TensorProto.FLOAT, ["N", 3])], ["N", 2], arrays)
x = generator.random(size=(16, 3)).astype(np.float32)
labels = (x[:, 0] > 0.5).astype(np.int64)
for name, places, value in [("nan", [(3, 1), (9, 0)], np.nan), ("infinite", [(5, 2)], -np.inf)]:
    spoilt = x.copy()
    for place in places:
        spoilt[place] = value
    data(swallowed / name, spoilt, labels)

table = here / "table-of-six"
save(table / "mean.onnx",
     [helper.make_node("Gather", ["table", "ids"], ["words"]),
      helper.make_node("ReduceMean", ["words"], ["mean"], axes=[1], keepdims=0),
      helper.make_node("Gemm", ["mean", "weight", "bias"], ["y"], "head")],
     [("ids", TensorProto.INT64, ["N", 4])], ["N", 2],
     {"table": weight(6, 5), "weight": weight(5, 2), "bias": np.zeros(2, np.float32)})
ids = generator.integers(0, 6, size=(16, 4))
padded = ids.copy()
padded[2:, 3] = -1
beyond = ids.copy()
beyond[4, 1] = 6
data(table / "padded", padded, labels)
data(table / "beyond", beyond, labels)

untied = here / "untied"
save(untied / "merged.onnx",
     [helper.make_node("Identity", ["scale"], ["copy"]),
      helper.make_node("Gemm", ["x", "first.weight", "first.bias"], ["a"], "first"),
      helper.make_node("Mul", ["a", "scale"], ["b"]),
      helper.make_node("Gemm", ["b", "second.weight", "second.bias"], ["c"], "second"),
      helper.make_node("Mul", ["c", "copy"], ["d"]),
      helper.make_node("Gemm", ["d", "third.weight", "third.bias"], ["y"], "third")],
     [("x", TensorProto.FLOAT, ["N", 3])], ["N", 2],
     {"scale": np.ones(5, np.float32), "first.weight": weight(3, 5), "first.bias": weight(5),
      "second.weight": weight(5, 5), "second.bias": weight(5), "third.weight": weight(5, 2),
      "third.bias": weight(2)})
data(untied, x, labels)
