"""Makes sequence-logits/: networks that give each of T tokens a score for each of C classes, as language models of PyTorch
and Keras do, [N, T, C], and tokens with labels [N, T] to learn: each token's label follows from the token alone.

`square` has T = C = 6, so that the shapes don't tell where the classes are; `softmax` is the same with a Softmax along the
last axis; `first` has its classes along axis 1; `long` has T = 9. Needs numpy and onnx (made with 2.4.6 and 1.23.2).
"""

import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

folder = pathlib.Path(__file__).parent / "sequence-logits"
generator = np.random.default_rng(1)
CLASSES = 6


def network(name, tokens, last=None):
    embedding = generator.normal(size=(CLASSES, 8)).astype(np.float32)
    weight = (0.1 * generator.normal(size=(8, CLASSES))).astype(np.float32)
    nodes = [
        helper.make_node("Gather", ["embedding", "x"], ["tokens"], "gather"),
        helper.make_node("MatMul", ["tokens", "weight"], ["y" if last is None else "logits"], "head"),
    ]
    shape = ["N", tokens, CLASSES]
    if last == "Softmax":
        nodes.append(helper.make_node("Softmax", ["logits"], ["y"], "softmax", axis=-1))
    if last == "Transpose":
        nodes.append(helper.make_node("Transpose", ["logits"], ["y"], "transpose", perm=[0, 2, 1]))
        shape = ["N", CLASSES, tokens]
    graph = helper.make_graph(
        nodes, name,
        [helper.make_tensor_value_info("x", TensorProto.INT64, ["N", tokens])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(embedding, "embedding"), numpy_helper.from_array(weight, "weight")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, folder / f"{name}.onnx")


def data(name, tokens):
    (folder / name).mkdir(parents=True, exist_ok=True)
    x = generator.integers(0, CLASSES, size=(60, tokens))
    np.save(folder / name / "train-x.npy", x)
    np.save(folder / name / "train-y.npy", (x * 5 + 2) % CLASSES)


data("six", 6)
data("nine", 9)
network("square", 6)
network("softmax", 6, "Softmax")
network("first", 6, "Transpose")
network("long", 9)
