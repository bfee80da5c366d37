"""Tiny ONNX models for the importer, and what ONNX Runtime makes of them.

    python make_import.py

writes `import/NAME.onnx` beside this script and `import/cases.json`: for each model that can be run, a batch of three
examples for each input and the first output, as flat lists with shapes. `broken/` holds models that must be refused.
Operations that changed their form between opsets are there once in each form.
"""
import json
import pathlib
import shutil

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

HERE = pathlib.Path(__file__).resolve().parent / "import"
BATCH = 3
cases = {}


def tensor(name, values, dtype=np.float32):
    return numpy_helper.from_array(np.asarray(values, dtype=dtype), name)


def build(nodes, inputs, opset, initializers=(), ir=8, outputs=("y",), domains=()):
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info(n, t, ["N", *s]) for n, t, s in inputs],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs],
        list(initializers))
    opsets = [helper.make_opsetid("", opset), *[helper.make_opsetid(d, 1) for d in domains]]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir, producer_name="make_import.py")


def data(shape, dtype):
    count = int(np.prod(shape))
    if dtype == TensorProto.INT64:
        return (np.arange(count) * 7 % 5).astype(np.int64).reshape(shape)
    return (((np.arange(count) * 37 + 11) % 41 - 20) / 8).astype(np.float32).reshape(shape)


def runtime(model):
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def case(name, nodes, inputs, opset, initializers=(), judge=runtime, **more):
    model = build(nodes, inputs, opset, initializers, **more)
    onnx.save(model, HERE / f"{name}.onnx")
    given = {n: data([BATCH, *s], t) for n, t, s in inputs}
    y = judge(model).run(["y"], given)[0]
    cases[name] = {
        "inputs": [{"name": n, "shape": list(v.shape), "isInteger": v.dtype == np.int64, "values": v.ravel().tolist()}
                   for n, v in given.items()],
        "shape": list(y.shape), "values": np.asarray(y, np.float64).ravel().tolist()}


def broken(name, model):
    data = model if isinstance(model, bytes) else model.SerializeToString()
    (HERE / "broken" / f"{name}.onnx").write_bytes(data)


F, I = TensorProto.FLOAT, TensorProto.INT64
N = helper.make_node
ints = lambda name, values: tensor(name, values, np.int64)
X = [("x", F, [2, 4])]
IMAGE = [("x", F, [2, 5, 5])]


def run():
    for opset in (7, 11, 13):
        case(f"softmax-{opset}", [N("Softmax", ["x"], ["y"], axis=1)], X, opset)
        case(f"logsoftmax-{opset}", [N("LogSoftmax", ["x"], ["y"])], X, opset)
    for opset in (8, 11):
        case(f"squeeze-{opset}", [N("Unsqueeze", ["x"], ["a"], axes=[1, 3]), N("Squeeze", ["a"], ["y"], axes=[3])], X, opset)
    case("squeeze-13", [N("Unsqueeze", ["x", "u"], ["a"]), N("Squeeze", ["a", "s"], ["y"])], X, 13,
         [ints("u", [1, -1]), ints("s", [-1])])
    for opset in (7, 11):
        case(f"reduce-{opset}", [N("ReduceSum", ["x"], ["a"], axes=[2], keepdims=0), N("ReduceMean", ["a"], ["y"], axes=[1])], X, opset)
    case("reduce-13", [N("ReduceSum", ["x", "axes"], ["a"], keepdims=0), N("ReduceMean", ["a"], ["y"], axes=[1])], X, 13, [ints("axes", [2])])
    case("reduce-18", [N("ReduceMax", ["x", "axes"], ["a"], keepdims=0), N("ReduceMean", ["a", "one"], ["b"]),
                       N("ReduceSum", ["b"], ["y"], noop_with_empty_axes=1)], X, 18, [ints("axes", [2]), ints("one", [1])])
    case("pad-7", [N("Pad", ["x"], ["y"], pads=[0, 1, 0, 0, 0, 2], value=1.5)], X, 7)
    case("pad-11", [N("Pad", ["x", "p", "v"], ["y"])], X, 11, [ints("p", [0, 1, 0, 0, -1, 2]), tensor("v", 1.5)])
    case("pad-18", [N("Pad", ["x", "p", "", "axes"], ["y"])], X, 18, [ints("p", [1, 2]), ints("axes", [-1])])
    case("slice-7", [N("Slice", ["x"], ["y"], starts=[1], ends=[1000], axes=[2])], X, 7)
    case("slice-10", [N("Slice", ["x", "s", "e", "a", "t"], ["y"])], X, 10,
         [ints("s", [-1]), ints("e", [-1000]), ints("a", [2]), ints("t", [-2])])
    case("clip-7", [N("Clip", ["x"], ["y"], min=-1.0, max=0.5)], X, 7)
    case("clip-11", [N("Clip", ["x", "", "max"], ["y"])], X, 11, [tensor("max", 0.5)])
    case("dropout-7", [N("Dropout", ["x"], ["y"], ratio=0.25)], X, 7)
    case("dropout-13", [N("Dropout", ["x", "r", "t"], ["y"])], X, 13, [tensor("r", 0.25), tensor("t", False, bool)])
    norm = [tensor("s", [1.5, 0.5]), tensor("b", [0.25, -1]), tensor("m", [0.5, -0.5]), tensor("v", [2, 0.5])]
    for opset in (7, 9, 14, 15):
        case(f"batchnorm-{opset}", [N("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"], epsilon=0.01, momentum=0.75)], IMAGE, opset, norm)
    case("split-7", [N("Split", ["x"], ["a", "b"], axis=2, split=[1, 3]), N("Concat", ["b", "a"], ["y"], axis=2)], X, 7)
    case("split-13", [N("Split", ["x", "n"], ["a", "b"], axis=2), N("Concat", ["b", "a"], ["y"], axis=2)], X, 13, [ints("n", [1, 3])])
    case("split-18", [N("Split", ["x"], ["a", "b", "c"], axis=2, num_outputs=3), N("Concat", ["b", "a"], ["y"], axis=2)],
         [("x", F, [2, 5])], 18)
    for name, attributes in {
        "same-upper": dict(auto_pad="SAME_UPPER", strides=[2, 2]), "same-lower": dict(auto_pad="SAME_LOWER", strides=[2, 2]),
        "valid": dict(auto_pad="VALID"), "pads": dict(pads=[1, 0, 0, 1], dilations=[1, 2])}.items():
        case(f"conv-{name}", [N("Conv", ["x", "w", "b"], ["y"], **attributes)], IMAGE, 13,
             [tensor("w", data([3, 2, 2, 2], F)), tensor("b", [1, 2, 3])])
    case("convtranspose-shape", [N("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2], output_shape=[10, 9])], IMAGE, 13,
         [tensor("w", data([2, 3, 3, 3], F))])
    case("maxpool-ceil", [N("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)], IMAGE, 12)
    case("averagepool-count", [N("AveragePool", ["x"], ["y"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)], IMAGE, 11)
    case("shape-arithmetic", [
        N("Shape", ["x"], ["sh"]), N("Gather", ["sh", "zero"], ["n"]), N("Unsqueeze", ["n"], ["n1"], axes=[0]),
        N("Concat", ["n1", "rest"], ["to"], axis=0), N("Reshape", ["x", "to"], ["a"]),
        N("Size", ["a"], ["size"]), N("Div", ["size", "n"], ["per"]), N("Cast", ["per"], ["count"], to=F), N("Div", ["a", "count"], ["y"])],
        X, 11, [ints("zero", 0), ints("rest", [8])])
    case("mask-where", [N("Equal", ["x", "zero"], ["m"]), N("Where", ["m", "a", "b"], ["y"])], [("x", I, [4])], 13,
         [ints("zero", 0), tensor("a", 1.5), tensor("b", -2)])
    case("embedding", [N("Gather", ["table", "x"], ["e"]), N("ReduceMean", ["e"], ["y"], axes=[1], keepdims=0)], [("x", I, [4])], 13,
         [tensor("table", data([5, 3], F))])
    case("whole-product", [N("MatMul", ["x", "k"], ["p"]), N("Cast", ["p"], ["f"], to=F), N("Gemm", ["f", "w"], ["y"])], [("x", I, [4])], 13,
         [tensor("k", [[1, -2], [0, 1], [2, 0], [-1, 1]], np.int64), tensor("w", data([2, 3], F))])
    case("two-inputs", [N("Gemm", ["a", "w"], ["p"]), N("Add", ["p", "b"], ["y"])], [("b", F, [3]), ("a", F, [2])], 13,
         [tensor("w", data([2, 3], F))])
    case("unsorted", [N("Relu", ["a"], ["y"]), N("Neg", ["x"], ["a"])], X, 13)
    case("ir3", [N("MatMul", ["x", "w"], ["y"])], [("x", F, [4])], 8, [tensor("w", data([4, 2], F))])
    lstm = [tensor("w", data([2, 12, 2], F) / 2), tensor("r", data([2, 12, 3], F) / 2), tensor("b", data([2, 24], F) / 4),
            tensor("p", data([2, 9], F))]
    case("lstm-clip", [N("Transpose", ["x"], ["s"], perm=[1, 0, 2]),
                       N("LSTM", ["s", "w", "r", "b", "", "", "", "p"], ["", "l"], direction="bidirectional", hidden_size=3, clip=0.5),
                       N("Transpose", ["l"], ["y"], perm=[1, 0, 2])], [("x", F, [4, 2])], 14, lstm)
    case("groupnorm-21", [N("GroupNormalization", ["x", "s", "b"], ["y"], num_groups=2)], [("x", F, [4, 3])], 21,
         [tensor("s", [1, 2, 3, 4]), tensor("b", [0.5, -1, 0, 1])], ir=10)
    for name, attributes in {
        "linear": dict(mode="linear", antialias=1), "cubic": dict(mode="cubic", antialias=1, cubic_coeff_a=-0.5),
        "larger": dict(mode="linear", keep_aspect_ratio_policy="not_smaller"),
        "smaller": dict(mode="nearest", keep_aspect_ratio_policy="not_larger", nearest_mode="floor")}.items():
        # Of the policies ONNX Runtime 1.31 takes no notice where axes are named.
        case(f"resize-{name}", [N("Resize", ["x", "", "", "n"], ["y"], axes=[2, 3], **attributes)], IMAGE, 18, [ints("n", [3, 4])],
             judge=ReferenceEvaluator if "keep_aspect_ratio_policy" in attributes else runtime)
    case("resize-symmetric", [N("Resize", ["x", "", "n"], ["y"], mode="linear", coordinate_transformation_mode="half_pixel_symmetric")],
         IMAGE, 19, [tensor("n", [1, 1, 1.3, 0.7])], ir=9)
    case("einsum", [N("Einsum", ["x", "m", "x"], ["y"], equation="bij, jkk, b...->bk...")], [("x", F, [3, 4])], 13,
         [tensor("m", data([4, 2, 2], F))])
    case("gelu-20", [N("Gelu", ["x"], ["y"], approximate="tanh")], X, 20, ir=9)
    case("tied", [N("Gather", ["w", "x"], ["e"]), N("ReduceMean", ["e"], ["m"], axes=[1], keepdims=0),
                  N("Transpose", ["w"], ["t"]), N("MatMul", ["m", "t"], ["y"])], [("x", I, [4])], 13, [tensor("w", data([5, 3], F))])
    case("merged", [N("Gemm", ["x", "w1", "zeros"], ["a"]), N("Relu", ["a"], ["r"]), N("Gemm", ["r", "w2", "zeros"], ["y"])],
         [("x", F, [4])], 13, [tensor("w1", data([4, 4], F)), tensor("w2", data([4, 4], F) * 0.5), tensor("zeros", np.zeros(4))])
    case("final-softmax", [N("Gemm", ["x", "w", "b"], ["a"]), N("Softmax", ["a"], ["y"], axis=1)], [("x", F, [4])], 13,
         [tensor("w", data([4, 3], F)), tensor("b", [0.5, -0.25, 0])])


def frozen():
    """Batch norm and dropout in training mode, and a batch size that a reshape wires in: Crest runs them, and ONNX
    Runtime would do something else."""
    norm = [tensor("s", [1.5, 0.5]), tensor("b", [0.25, -1]), tensor("m", [3.5, -0.5]), tensor("v", [2, 0.5])]
    model = build([
        N("Gemm", ["x", "w"], ["a"]), N("Dropout", ["a", "r", "on"], ["d"]),
        N("BatchNormalization", ["d", "s", "b", "m", "v"], ["y", "m1", "v1"], training_mode=1, momentum=0.9)],
        [("x", F, [4])], 15, [tensor("w", data([4, 2], F)), tensor("r", 0.25), tensor("on", True, bool), *norm])
    onnx.save(model, HERE / "training-mode.onnx")
    graph = helper.make_graph(
        [N("Reshape", ["x", "to"], ["a"]), N("MatMul", ["a", "w"], ["y"])], "g",
        [helper.make_tensor_value_info("x", F, [4, 2, 3])], [helper.make_tensor_value_info("y", F, [4, 2])],
        [ints("to", [4, 6]), tensor("w", data([6, 2], F))])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), HERE / "frozen-batch.onnx")


def refuse():
    x = [("x", F, [4])]
    broken("unsupported", build([N("NonMaxSuppression", ["x", "x"], ["a"], name="nms"), N("Foo", ["a"], ["b"], domain="com.example"),
                                 N("Relu", ["b"], ["y"])], x, 17, domains=("com.example",)))
    broken("opset-0", build([N("Relu", ["x"], ["y"])], x, 0))
    broken("opset-99", build([N("Relu", ["x"], ["y"])], x, 99))
    broken("broadcast", build([N("Add", ["x", "b"], ["y"], name="a")], x, 6, [tensor("b", [1, 2, 3, 4])]))
    broken("resize", build([N("Resize", ["x"], ["y"], name="r")], x, 13))
    broken("equation", build([N("Einsum", ["x"], ["y"], name="e")], x, 13))
    broken("scalar", build([N("Cast", ["x"], ["a"], to=I), N("LeakyRelu", ["a"], ["y"], name="l")], x, 17))
    without = build([N("Relu", ["x"], ["y"])], x, 17)
    without.ClearField("opset_import")
    broken("no-opset", without)
    broken("twice", build([N("Relu", ["x"], ["y"]), N("Neg", ["x"], ["y"])], x, 17))
    broken("undefined", build([N("Relu", ["z"], ["y"], name="r")], x, 17))
    broken("cycle", build([N("Add", ["x", "b"], ["a"], name="first"), N("Relu", ["a"], ["b"]), N("Neg", ["b"], ["y"])], x, 17))
    broken("attribute", build([N("Relu", ["x"], ["y"], name="r", alpha=0.5)], x, 17))
    broken("kind", build([N("LeakyRelu", ["x"], ["y"], name="l", alpha=3)], x, 17))
    broken("arity", build([N("Add", ["x"], ["y"], name="a")], x, 17))
    broken("shape", build([N("MatMul", ["x", "w"], ["y"], name="m")], x, 17, [tensor("w", np.ones((3, 2)))]))
    broken("stride", build([N("MaxPool", ["x"], ["y"], name="p", kernel_shape=[2, 2], strides=[0, 1])], [("x", F, [2, 4, 4])], 17))
    broken("data-shape", build([N("Cast", ["x"], ["n"], to=I), N("Reshape", ["x", "n"], ["y"], name="r")], x, 17))
    broken("huge", build([N("Expand", ["x", "n"], ["y"], name="e")], x, 17, [ints("n", [1 << 40, 1, 4])]))
    broken("open-size", build([N("Relu", ["x"], ["y"])], [("x", F, ["length"])], 17))
    broken("output", build([N("Relu", ["x"], ["a"])], x, 17))


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    (HERE / "broken").mkdir(parents=True)
    run()
    frozen()
    refuse()
    (HERE / "cases.json").write_text(json.dumps(cases, indent=None, sort_keys=True) + "\n")
    print(f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}: {len(cases)} cases")


main()
