"""Makes learned-preprocessing/ and what npy-kinds/ compares with: networks whose right answers are known by how they are
made, and images that are only told apart when they are prepared as crest.preprocessing of the network says.

`model.onnx` takes grey images [N, 1, 8, 8] and finds the nearest of four brightnesses; `data/` is an IDX folder whose
training images are bright, so that its own statistics are other ones. `colour.onnx` takes [N, 3, 6, 6] and says in which
channel an image is above the channel's mean; `keras.onnx` is the same for [N, 6, 6, 3], and `unsaid.onnx` is `colour.onnx`
without metadata. The training images of `first/`, `last/` and `grey/` are mostly of class 0.

Needs numpy and onnx (made with 2.4.6 and 1.23.2).
"""

import json
import pathlib
import struct

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

cases = pathlib.Path(__file__).parent
folder = cases / "learned-preprocessing"
generator = np.random.default_rng(13)


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)


def network(name, shape, nodes, arrays, outputs, layout=None, mean=(), deviation=(), classes=None):
    graph = helper.make_graph(
        nodes, name,
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N"] + shape)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["N", outputs])],
        [numpy_helper.from_array(array.astype(np.float32), key) for key, array in arrays.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if layout:
        entries = {
            "crest.classes": classes,
            "crest.preprocessing": {
                "divisor": 255, "layout": layout, "mean": list(mean), "standardDeviation": list(deviation)},
        }
        for key, value in entries.items():
            entry = model.metadata_props.add()
            entry.key, entry.value = key, json.dumps(value, separators=(",", ":"), sort_keys=True)
    onnx.checker.check_model(model)
    folder.mkdir(exist_ok=True)
    onnx.save(model, folder / f"{name}.onnx")


# Grey: which brightness is nearest, of what the network saw: (c_k - m)^2 is least where 2 c_k m - c_k^2 is greatest.
MEAN, DEVIATION = 0.35, 0.15
LEVELS = np.array([20, 90, 160, 230])
centres = (LEVELS / 255 - MEAN) / DEVIATION
flat = [helper.make_node("Flatten", ["input"], ["flat"], "flatten")]
network(
    "model", [1, 8, 8], flat + [helper.make_node("Gemm", ["flat", "weight", "bias"], ["output"], "nearest", transB=1)],
    {"weight": np.repeat(2 * centres[:, None] / 64, 64, axis=1), "bias": -(centres ** 2)}, 4,
    "channelsFirst", [MEAN], [DEVIATION], ["night", "dusk", "dawn", "day"])


def grey(labels):
    noise = generator.integers(-12, 13, size=(len(labels), 8, 8))
    return np.clip(LEVELS[labels][:, None, None] + noise, 0, 255).astype(np.uint8)


def idx(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    header = struct.pack(">i", 2051 if array.ndim == 3 else 2049) + struct.pack(f">{array.ndim}i", *array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


labels = np.arange(40) % 4
bright = np.array([3] * 28 + [2] * 8 + [1, 0, 1, 0])
images = grey(labels)
idx(folder / "data/train-images-idx3-ubyte", grey(bright))
idx(folder / "data/train-labels-idx1-ubyte", bright)
idx(folder / "data/t10k-images-idx3-ubyte", images)
idx(folder / "data/t10k-labels-idx1-ubyte", labels)
save(folder / "images.npy", images[:, None])
save(folder / "floats.npy", images[:, None].astype(np.float32))
save(folder / "labels.npy", labels)

# Colour: in which channel an image is above the channel's mean.
MEANS, DEVIATIONS = np.array([0.2, 0.5, 0.7]), np.array([0.1, 0.1, 0.2])
for name, layout, shape, axes in [("colour", "channelsFirst", [3, 6, 6], [2, 3]), ("keras", "channelsLast", [6, 6, 3], [1, 2])]:
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["means"], "means", axes=axes, keepdims=0),
        helper.make_node("Gemm", ["means", "weight", "bias"], ["output"], "channel"),
    ]
    arrays = {"weight": np.eye(3) * 4 + 0.25, "bias": np.array([0.0, 0.125, -0.125])}
    network(name, shape, nodes, arrays, 3, layout, MEANS, DEVIATIONS, ["red", "green", "blue"])
    if name == "colour":
        network("unsaid", shape, nodes, arrays, 3)


def colour(labels):
    """[N, H, W, C] with the channel of the label two deviations up."""
    raised = 2 * np.eye(3)[labels] * DEVIATIONS + MEANS
    noise = generator.integers(-8, 9, size=(len(labels), 6, 6, 3))
    return np.clip(raised[:, None, None, :] * 255 + noise, 0, 255).astype(np.uint8)


train, valid = np.array([0] * 18 + [1, 2, 1, 2, 1, 2]), np.arange(18) % 3
train_images, valid_images = colour(train), colour(valid)
for part, stored, targets in [("train", train_images, train), ("valid", valid_images, valid)]:
    save(folder / f"last/{part}-x.npy", stored)
    save(folder / f"first/{part}-x.npy", stored.transpose(0, 3, 1, 2))
    for kind in ["last", "first"]:
        save(folder / f"{kind}/{part}-y.npy", targets)

# Grey images without an axis for the channel, as Keras' mnist.npz has them, with labels in a column.
for part, count in [("train", 64), ("valid", 16)]:
    targets = np.arange(count) % 4
    save(folder / f"grey/{part}-x.npy", grey(targets))
    save(folder / f"grey/{part}-y.npy", targets.astype(np.uint8)[:, None])
    save(folder / f"floats/{part}-x.npy", grey(targets)[..., None].astype(np.float32) / 255)
    save(folder / f"floats/{part}-y.npy", targets)

# What npy-kinds/ has in other forms, as NumPy of today saves it. Python 2's header is read by NumPy too.
kinds = cases / "npy-kinds"
for name, array in [
    ("fortran", np.ascontiguousarray(np.load(kinds / "fortran/train-x.npy"))),
    ("uint16", np.load(kinds / "uint16/train-x.npy").astype(np.float32)),
    ("labels-uint16", np.load(kinds / "labels-uint16/train-x.npy")),
]:
    save(kinds / f"plain/{name}/train-x.npy", array)
    save(kinds / f"plain/{name}/train-y.npy", np.load(kinds / f"{name}/train-y.npy").astype(np.int64))
save(kinds / "plain/python2.npy", np.load(kinds / "python2.npy"))
