"""Tiny ONNX files in every form the wire reader must know, and what Python's onnx reads in them.

    python make_wire.py [FOLDER...]

writes `wire/` beside this script: models made by onnx (and, for encodings that it never writes, by hand), and
`expected.json` with what it finds in each. Each FOLDER of models given is summarised as well, under its last
component, into `models.json`: `python make_wire.py ../../../../shared/parity SITE-PACKAGES/onnx/backend/test/data`.

In a summary a tensor is its name, type, shape and zlib's CRC-32 of its elements as they lie in memory, row-major and
little-endian, or None for types that Crest has no tensors of; `models.json` has the CRC-32 of each list's lines. Counts run over sub-graphs and functions, too. `spliced/` holds what a
model must be, byte by byte, after its tensor `weight` got the elements 0.5, 1.5, 2.5 …; onnx checks each.
"""
import json
import pathlib
import shutil
import struct
import sys
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
WIRE = HERE / "wire"
SUPPORTED = ["FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16", "INT8", "INT16", "INT32", "INT64", "UINT8", "BOOL"]
NAMES = {"FLOAT": "float32", "DOUBLE": "float64"}


# --- the wire form by hand ---------------------------------------------------------------------------------

def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def tagged(number, wire_type, body):
    return varint(number << 3 | wire_type) + body


def message(number, body):
    return tagged(number, 2, varint(len(body)) + body)


# --- tensors in every storage form -------------------------------------------------------------------------

FIELDS = {"float_data": (4, "<f", 5), "double_data": (10, "<d", 1), "int32_data": (5, None, 0), "int64_data": (7, None, 0)}


def values_of(kind):
    if kind == "BOOL":
        return [1, 0, 1, 1, 0, 0]
    if kind == "UINT8":
        return [0, 1, 127, 128, 200, 255]
    if kind.startswith("INT"):
        bits = int(kind[3:])
        return [0, 1, -1, 2 ** (bits - 1) - 1, -(2 ** (bits - 1)), 42]
    return [0.0, -0.0, 1.5, -2.25, float("inf"), 3.0]


def stored(kind):
    """The typed field and its numbers, as onnx stores this kind."""
    tensor = helper.make_tensor("t", getattr(TensorProto, kind), [2, 3], values_of(kind))
    field = next(f for f in FIELDS if len(getattr(tensor, f)))
    return field, list(getattr(tensor, field))


def by_hand(kind, name, form):
    """A TensorProto whose numbers stand one by one, or in runs mixed with single ones."""
    field, numbers = stored(kind)
    number, pattern, single = FIELDS[field]
    encode = (lambda v: struct.pack(pattern, v)) if pattern else varint
    head = TensorProto(name=name, data_type=getattr(TensorProto, kind), dims=[2, 3]).SerializeToString()
    if form == "single":
        return head + b"".join(tagged(number, single, encode(v)) for v in numbers)
    return (message(number, b"".join(map(encode, numbers[:2]))) + head + tagged(number, single, encode(numbers[2]))
            + message(number, b"") + message(number, b"".join(map(encode, numbers[3:]))))


def storage_model():
    tensors = []
    for kind in SUPPORTED:
        element = getattr(TensorProto, kind)
        typed = helper.make_tensor(f"{kind}-packed", element, [2, 3], values_of(kind))
        raw = TensorProto(name=f"{kind}-raw", data_type=element, dims=[2, 3], raw_data=numpy_helper.to_array(typed).tobytes())
        tensors += [typed.SerializeToString(), raw.SerializeToString()]
        tensors += [by_hand(kind, f"{kind}-{form}", form) for form in ["single", "mixed"]]
        tensors.append(TensorProto(name=f"{kind}-nothing", data_type=element, dims=[2, 0]).SerializeToString())
    tensors.append(helper.make_tensor("scalar", TensorProto.FLOAT, [], [7.0]).SerializeToString())
    tensors.append(TensorProto(name="empty-raw", data_type=1, dims=[0], raw_data=b"").SerializeToString())
    # `dims` packed, which proto2 writers don't do and proto3 writers do.
    packed = message(1, varint(2) + varint(300)) + TensorProto(name="packed-dims", data_type=3, raw_data=bytes(600)).SerializeToString()
    tensors.append(packed)
    for kind, values in [("UINT16", [1, 2]), ("UINT32", [1, 2]), ("UINT64", [1, 2]), ("COMPLEX64", [1j, 2]),
                         ("COMPLEX128", [1j, 2]), ("STRING", [b"a", b"bc"]), ("FLOAT8E4M3FN", [1, 2]), ("INT4", [1, 2]),
                         ("UINT4", [1, 2]), ("FLOAT4E2M1", [1, 2])]:
        tensors.append(helper.make_tensor(kind, getattr(TensorProto, kind), [2], values).SerializeToString())
    model = simple_model(8, 17).SerializeToString()
    return with_graph_fields(model, [message(5, t) for t in tensors])


def with_graph_fields(model, fields):
    """The model with more fields at the end of its graph."""
    parsed = onnx.load_from_string(model)
    graph = parsed.graph.SerializeToString()
    parsed.ClearField("graph")
    return parsed.SerializeToString() + message(7, graph + b"".join(fields))


# --- models -------------------------------------------------------------------------------------------------

def simple_model(ir, opset, initializers=(), **more):
    nodes = [helper.make_node("Relu", ["x"], ["y"], name="relu")]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])]
    graph = helper.make_graph(nodes, "g", inputs, outputs, initializer=list(initializers), **more)
    return helper.make_model(graph, ir_version=ir, opset_imports=[helper.make_opsetid("", opset)], producer_name="make_wire")


def attributes_model():
    inner = helper.make_graph([helper.make_node("Relu", ["x"], ["z"])], "inner", [], [helper.make_tensor_value_info("z", 1, [1])])
    tensor = helper.make_tensor("t", TensorProto.FLOAT, [2], [1, 2])
    indices = helper.make_tensor("i", TensorProto.INT64, [1], [3])
    sparse = helper.make_sparse_tensor(helper.make_tensor("s", TensorProto.FLOAT, [1], [5]), indices, [8])
    type_proto = helper.make_tensor_type_proto(1, [2])
    node = helper.make_node("Everything", ["x", ""], ["y", ""], domain="test.crest", name="all", f=1.5, i=-7, s="text", t=tensor,
                            g=inner, floats=[1.0, -2.0], ints=[1, -1, 1 << 40], strings=["a", "bc"], tensors=[tensor, tensor],
                            graphs=[inner, inner], sparse=sparse, sparses=[sparse], tp=type_proto, tps=[type_proto, type_proto])
    empty = helper.make_node("Empty", ["y"], ["y2"], domain="test.crest")
    for name, kind in [("floats", 6), ("ints", 7), ("strings", 8), ("i", 2), ("f", 1), ("s", 3)]:
        empty.attribute.add(name=name, type=kind)  # proto3 writers leave out zeros and empty lists
    single = onnx.NodeProto()
    single.ParseFromString(empty.SerializeToString())
    single.output[0] = "y3"
    single.ClearField("attribute")
    body = single.SerializeToString() + message(5, message(1, b"ints") + tagged(20, 0, b"\x07") + b"".join(
        tagged(8, 0, varint(v)) for v in [5, -5])) + message(5, message(1, b"floats") + tagged(20, 0, b"\x06") + message(
            7, struct.pack("<ff", 1, 2)))
    model = simple_model(8, 17)
    model.graph.node.extend([node, empty])
    return with_graph_fields(model.SerializeToString(), [message(1, body)])


def functions_model():
    model = simple_model(10, 20)
    node = helper.make_node("LeakyRelu", ["a"], ["b"])
    node.attribute.add(name="alpha", type=1, ref_attr_name="slope")
    function = helper.make_function("test.crest", "Leaky", ["a"], ["b"], [node], [helper.make_opsetid("", 20)],
                                    attributes=["slope"], attribute_protos=[helper.make_attribute("bias", 0.5)], overload="one")
    model.functions.append(function)
    model.graph.node.append(helper.make_node("Leaky", ["y"], ["z"], domain="test.crest", overload="one", slope=0.1))
    model.opset_import.append(helper.make_opsetid("test.crest", 1))
    model.training_info.add().algorithm.name = "a"
    return model.SerializeToString()


def shapes_model():
    model = simple_model(8, 17)
    add = model.graph.value_info.add
    make = helper.make_tensor_value_info
    model.graph.value_info.extend([
        make("scalar", 1, []), make("rankless", 1, None), make("mixed", 7, ["batch", 0, -1, None, 5]), make("strings", 8, [2]),
        helper.make_value_info("sequence", helper.make_sequence_type_proto(helper.make_tensor_type_proto(1, [2]))),
        helper.make_value_info("optional", helper.make_optional_type_proto(helper.make_tensor_type_proto(1, [2]))),
        helper.make_value_info("map", helper.make_map_type_proto(7, helper.make_tensor_type_proto(1, [2]))),
        helper.make_value_info("sparse", helper.make_sparse_tensor_type_proto(1, [2])),
    ])
    add(name="untyped")
    return model.SerializeToString()


def metadata_model():
    model = simple_model(10, 20, doc_string="documentation of the graph, ünïcode")
    model.producer_version, model.domain, model.model_version, model.doc_string = "1.2", "test.crest", 3, "documentation"
    for holder in [model, model.graph, model.graph.node[0], model.graph.input[0]]:
        holder.metadata_props.add(key="classes", value='["cat", "dog"]')
        holder.metadata_props.add(key="empty", value="")
    return model.SerializeToString()


def sparse_model():
    values = helper.make_tensor("sparse", TensorProto.FLOAT, [2], [1, 2])
    indices = helper.make_tensor("at", TensorProto.INT64, [2], [3, 5])
    return simple_model(8, 17, sparse_initializer=[helper.make_sparse_tensor(values, indices, [4, 4])]).SerializeToString()


def unknown_model():
    """Fields of no known number, of all wire types, in every message on the way to a tensor."""
    strange = (tagged(900, 0, varint(1 << 63)) + tagged(901, 1, bytes(8)) + tagged(902, 5, bytes(4))
               + message(903, b"not a message \xff") + tagged(536870911, 0, b"\x05"))
    tensor = helper.make_tensor("weight", TensorProto.FLOAT, [4], [1, 2, 3, 4]).SerializeToString() + strange
    attribute = helper.make_attribute("alpha", 0.25).SerializeToString() + strange
    node = helper.make_node("LeakyRelu", ["y"], ["z"]).SerializeToString() + strange + message(5, attribute)
    value = helper.make_tensor_value_info("z", 1, ["N"]).SerializeToString() + strange
    model = with_graph_fields(simple_model(8, 17).SerializeToString(), [
        strange, message(5, tensor), message(1, node), strange, message(13, value)])
    return model + strange


def external_model():
    model = simple_model(10, 20)
    first = np.arange(6, dtype=np.float32).reshape(2, 3)
    second = np.arange(4, dtype=np.int64)
    third = np.array([True, False, True])
    (WIRE / "external.data").write_bytes(first.tobytes() + bytes(40) + second.tobytes())
    (WIRE / "sub").mkdir(exist_ok=True)
    (WIRE / "sub" / "flags.bin").write_bytes(third.tobytes())
    for name, array, entries in [
            ("weight", first, [("location", "external.data"), ("offset", 0), ("length", 24), ("checksum", "ab")]),
            ("second", second, [("location", "./external.data"), ("offset", 64), ("length", 32)]),
            ("flags", third, [("location", "sub/flags.bin")])]:
        tensor = model.graph.initializer.add(name=name, dims=array.shape, data_location=TensorProto.EXTERNAL,
                                             data_type=helper.np_dtype_to_tensor_dtype(array.dtype))
        for key, value in entries:
            tensor.external_data.add(key=key, value=str(value))
    return model.SerializeToString()


# --- what onnx finds ----------------------------------------------------------------------------------------

def type_name(number):
    name = TensorProto.DataType.Name(number)
    return NAMES.get(name, name.lower())


def tensor_summary(tensor, folder):
    known = TensorProto.DataType.Name(tensor.data_type) in SUPPORTED
    crc = None
    if known:
        crc = zlib.crc32(numpy_helper.to_array(tensor, base_dir=str(folder)).tobytes())
    return f"{tensor.name}: {type_name(tensor.data_type)} {list(tensor.dims)} {crc}"


def value_summary(value):
    kind = value.type.WhichOneof("value")
    if kind is None:
        return f"{value.name}: unknown"
    if kind != "tensor_type":
        return f"{value.name}: {kind}"
    tensor = value.type.tensor_type
    sizes = "?"
    if tensor.HasField("shape"):
        parts = {"dim_value": lambda d: str(d.dim_value), "dim_param": lambda d: d.dim_param, None: lambda d: "_"}
        sizes = "[" + ", ".join(parts[d.WhichOneof("value")](d) for d in tensor.shape.dim) + "]"
    return f"{value.name}: {type_name(tensor.elem_type)} {sizes}"


def walk(nodes, folder, total):
    for node in nodes:
        total["nodes"] += 1
        total["inputs"] += len(node.input)
        total["outputs"] += len(node.output)
        total["operations"][node.op_type] = total["operations"].get(node.op_type, 0) + 1
        for attribute in node.attribute:
            total["attributes"] += 1
            total["ints"] += len(attribute.ints)
            total["floats"] += len(attribute.floats)
            total["strings"] += len(attribute.strings)
            for tensor in [attribute.t] * attribute.HasField("t") + list(attribute.tensors):
                total["tensors"].append(tensor_summary(tensor, folder))
            for graph in [attribute.g] * attribute.HasField("g") + list(attribute.graphs):
                walk(graph.node, folder, total)


def summary(path):
    model = onnx.load(path, load_external_data=False)
    total = {"nodes": 0, "inputs": 0, "outputs": 0, "attributes": 0, "ints": 0, "floats": 0, "strings": 0, "operations": {},
             "tensors": []}
    walk(model.graph.node, path.parent, total)
    for function in model.functions:
        walk(function.node, path.parent, total)
    total["operations"] = ", ".join(f"{k} {v}" for k, v in sorted(total["operations"].items()))
    return {
        "ir": model.ir_version, "opsets": [f"{o.domain}:{o.version}" for o in model.opset_import],
        "producer": f"{model.producer_name} {model.producer_version}",
        "metadata": [f"{e.key}={e.value}" for e in model.metadata_props],
        "functions": [f"{f.domain}.{f.name}.{f.overload}" for f in model.functions], "graph": model.graph.name,
        "graphInputs": [value_summary(v) for v in model.graph.input],
        "graphOutputs": [value_summary(v) for v in model.graph.output],
        "values": [value_summary(v) for v in model.graph.value_info],
        "initializers": [tensor_summary(t, path.parent) for t in model.graph.initializer],
        "sparseInitializers": [t.values.name for t in model.graph.sparse_initializer], **total}


def digest(found):
    """A summary with its lists as their lengths and CRC-32s, since the models of others are large."""
    lists = {k: f"{len(v)} lines, {zlib.crc32(chr(10).join(v).encode())}" for k, v in found.items() if isinstance(v, list)}
    return found | lists


def dump(path, content):
    path.write_text(json.dumps({"onnx": onnx.__version__, "models": content}, indent=1, sort_keys=True) + "\n")


# --- replaced weights ---------------------------------------------------------------------------------------

def write_spliced():
    """A weight in each storage that stays what it is, and the file after its replacement."""
    (WIRE / "spliced").mkdir(exist_ok=True)
    array = np.arange(200, dtype=np.float32).reshape(10, 20)
    new = array + 0.5
    for form in ["raw", "float_data", "double_data"]:
        kind = TensorProto.DOUBLE if form == "double_data" else TensorProto.FLOAT
        dtype = helper.tensor_dtype_to_np_dtype(kind)
        make = lambda a: helper.make_tensor("weight", kind, a.shape, a.astype(dtype).tobytes() if form == "raw" else a, raw=form == "raw")
        bias = numpy_helper.from_array(np.ones(3, dtype=np.float32), "bias")
        before = simple_model(8, 17, [bias, make(array), bias])
        after = onnx.ModelProto()
        after.CopyFrom(before)
        after.graph.initializer[1].CopyFrom(make(new))
        assert np.array_equal(numpy_helper.to_array(after.graph.initializer[1]), new.astype(dtype))
        for name, model in [(f"splice-{form}.onnx", before), (f"spliced/splice-{form}.onnx", after)]:
            (WIRE / name).write_bytes(model.SerializeToString())


def drafted_model():
    """The model that the tests write from scratch; both must have the same bytes."""
    make, info = helper.make_node, helper.make_tensor_value_info
    weight = TensorProto(name="weight", data_type=1, dims=[3, 4], raw_data=np.arange(12, dtype=np.float32).tobytes())
    flag = TensorProto(data_type=9, dims=[], raw_data=b"\x01")
    branches = [helper.make_graph([make("Constant", [], [name], value_floats=[1.5, -2.0])], name, [], [info(name, 1, [2])])
                for name in ["then", "else"]]
    nodes = [
        make("Gemm", ["x", "weight"], ["h"], name="dense", alpha=0.5, transB=1), make("Relu", ["h"], ["y"]),
        make("Constant", [], ["flag"], value=flag), make("If", ["flag"], ["c"], then_branch=branches[0], else_branch=branches[1]),
        make("Constant", [], ["ints"], value_ints=[1, -1, 1 << 40]), make("Constant", [], ["word"], value_string="ünïcode"),
        make("Constant", [], ["words"], value_strings=["a", "bc"]), make("Scaler", ["y"], ["z"], domain="ai.onnx.ml", scale=[2.0], offset=[0.0]),
    ]
    graph = helper.make_graph(nodes, "drafted", [info("x", 1, ["N", 4])], [info("z", 1, ["N", 3]), info("c", 1, [2])], [weight],
                              value_info=[info("y", 1, [None, 3]), info("ints", 7, [3])])
    model = helper.make_model(graph, ir_version=8, producer_name="crest", producer_version="1.0",
                              opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)])
    model.metadata_props.add(key="classes", value='["cat", "dog"]')
    for node in graph_nodes(model.graph):
        ordered = sorted(node.attribute, key=lambda a: a.name)
        assert list(node.attribute) == ordered
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def graph_nodes(graph):
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from graph_nodes(attribute.g)


def main():
    shutil.rmtree(WIRE, ignore_errors=True)
    (WIRE / "versions").mkdir(parents=True)
    models = {"storage": storage_model(), "attributes": attributes_model(), "functions": functions_model(), "shapes": shapes_model(),
              "metadata": metadata_model(), "sparse": sparse_model(), "unknown": unknown_model(), "external": external_model(),
              "drafted": drafted_model()}
    for name, content in models.items():
        (WIRE / f"{name}.onnx").write_bytes(content)
    weight = helper.make_tensor("weight", TensorProto.FLOAT, [1], [1])
    for opset in range(7, onnx.defs.onnx_opset_version() + 1):
        ir = max(3, helper.OP_SET_ID_VERSION_MAP[("ai.onnx", opset)])
        model = simple_model(ir, opset, [weight])
        if ir == 3:
            model.graph.input.append(helper.make_tensor_value_info("weight", TensorProto.FLOAT, [1]))
        (WIRE / "versions" / f"opset-{opset:02}-ir-{ir:02}.onnx").write_bytes(model.SerializeToString())
    write_spliced()
    dump(WIRE / "expected.json", {str(p.relative_to(WIRE)): summary(p) for p in sorted(WIRE.rglob("*.onnx"))})
    if sys.argv[1:]:
        folders = [pathlib.Path(a).resolve() for a in sys.argv[1:]]
        dump(HERE / "models.json", {f"{f.name}/{p.relative_to(f)}": digest(summary(p)) for f in folders for p in sorted(f.rglob("*.onnx"))})


main()
