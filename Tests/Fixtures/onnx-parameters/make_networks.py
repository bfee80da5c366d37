"""Which arrays of networks exported by PyTorch are parameters: graphs with their weights cut out, and a table.

    python make_networks.py [NETWORK|FILE…]

exports each network of `networks.py` with both exporters (`NAME-dynamo.onnx`, `NAME-legacy.onnx`; some in training mode
as `NAME-training.onnx`, some with the weights that a new network has as `NAME-fresh-…`), and writes `table.json`: for
each file

    arrays      each array of floats by name: "parameter", "buffer" (running statistics are buffers) or "constant";
                which it is is measured: an array is a parameter's if it differs when only the parameters are drawn
                anew before another export, a buffer's if it differs when only the buffers are, else a constant
    from        the parameters whose numbers each array consists of, where they are there as they are, whatever their order
    derived     the parameters that the exporter has computed with
    untouched   of a new network: how many numbers the parameters have that its output depends on
    dropped     the parameters that no array has: nothing in the network's forward reads them

Arrays of more than eight numbers that parameters make are cut out of the file: they are said to lie in `weights.data`,
each at a place of its own, which the tests fill with random numbers; all others are in the file.
"""
import copy
import json
import pathlib
import sys
import warnings

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from networks import FRESH, NETWORKS, TRAINING

HERE = pathlib.Path(__file__).resolve().parent
MODULES = "pkg.torch.onnx.name_scopes"
FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE)


def draw(tensors, seed, spread):
    """New numbers, all different, of about the size that they had."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in tensors:
        if not tensor.is_floating_point():
            continue
        noise = torch.rand(tensor.shape, generator=generator) - 0.5
        is_scale = "norm" in name.lower() and tensor.dim() == 1 or "running_var" in name or tensor.numel() == 1
        tensor.data = (noise * spread + (1.0 if is_scale else 0.0)).to(tensor.dtype)


def export(module, inputs, mode):
    path = HERE / "export.tmp.onnx"
    module = copy.deepcopy(module).train(mode == "training")
    names = [f"x{i}" for i in range(len(inputs))]
    if mode == "dynamo":
        options = dict(dynamo=True, external_data=False, verbose=False, input_names=names, output_names=["y"])
        batch = torch.export.Dim.DYNAMIC
        try:
            # The networks of `Wrapped` take any number of inputs.
            shapes = tuple({0: batch} for _ in inputs)
            shapes = (shapes,) if type(module).__name__ == "Wrapped" else shapes
            torch.onnx.export(module, inputs, str(path), dynamic_shapes=shapes, **options)
        except Exception:
            torch.onnx.export(module, inputs, str(path), **options)
    else:
        training = dict(training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False) if mode == "training" else {}
        torch.onnx.export(
            module, inputs, str(path), dynamo=False, opset_version=17, input_names=names, output_names=["y"],
            dynamic_axes={name: {0: "batch"} for name in names + ["y"]}, **training)
    model = onnx.load(path)
    path.unlink()
    return model


def arrays(model):
    """The arrays of floats by name, of initializers and `Constant` nodes."""
    found = {i.name: i for i in model.graph.initializer}
    for node in model.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.name == "value":
                found[node.output[0]] = attribute.t
    return {name: tensor for name, tensor in found.items() if tensor.data_type in FLOATS}


def values(tensor):
    return numpy_helper.to_array(tensor)


def differing(model, other):
    a, b = arrays(model), arrays(other)
    assert list(a) == list(b), sorted(set(a) ^ set(b))
    return {name for name in a if values(a[name]).shape != values(b[name]).shape or not np.array_equal(values(a[name]), values(b[name]), equal_nan=True)}


def statistics(module):
    return [(n, b) for n, b in module.named_buffers() if "running_" in n]


def table(module, inputs, mode):
    # What a buffer computes is a constant to both, but for running statistics, which no network has as they are.
    draw(statistics(module), 1, 0.5)
    draw(module.named_parameters(), 2, 0.8)
    model = export(module, inputs, mode)
    other = copy.deepcopy(module)
    draw(other.named_parameters(), 3, 0.8)
    learned = differing(model, export(other, inputs, mode))
    other = copy.deepcopy(module)
    generator = torch.Generator().manual_seed(4)
    for _, buffer in other.named_buffers():
        if buffer.is_floating_point():
            buffer.data = buffer + torch.rand(buffer.shape, generator=generator) + 0.1
    try:
        buffers = differing(model, export(other, inputs, mode)) - learned
    except AssertionError:
        buffers = set()
    # Training mode moves running statistics by what the parameters made of the example.
    running = {n for n, _ in statistics(module)}
    buffers |= {n for n in learned if n in running}
    learned -= running
    owners = {}
    for name, parameter in module.named_parameters():
        for number in parameter.detach().float().numpy().ravel().tolist():
            owners.setdefault(number, name)
    sources, kinds = {}, {}
    for name, tensor in arrays(model).items():
        kinds[name] = "parameter" if name in learned else "buffer" if name in buffers else "constant"
        if name in learned:
            found = [owners.get(number) for number in values(tensor).astype(np.float32).ravel().tolist()]
            if all(found):
                sources[name] = sorted(set(found))
    reached = {owner for found in sources.values() for owner in found}
    rest = [(n, p) for n, p in module.named_parameters() if n not in reached]
    derived, dropped = [], []
    for name, parameter in rest:
        other = copy.deepcopy(module)
        dict(other.named_parameters())[name].data += 0.25
        (derived if differing(model, export(other, inputs, mode)) - running else dropped).append(name)
    return model, {"arrays": kinds, "from": sources, "derived": derived, "dropped": dropped}


def fresh(module, inputs, mode):
    model = export(module, inputs, mode)
    module(*inputs).sum().backward()
    parameters = [p for _, p in module.named_parameters() if p.grad is not None]
    known = {number for p in parameters for number in p.detach().float().numpy().ravel().tolist()} - {0.0, 1.0}
    learned = {n for n, t in arrays(model).items() if known.issuperset(values(t).astype(np.float32).ravel().tolist())}
    return model, {"untouched": sum(p.numel() for p in parameters), "learned": sorted(learned)}


def cut(model, learned, keeps_modules):
    """Takes the numbers of the arrays named out of a model."""
    place = 0
    for name, tensor in arrays(model).items():
        array = values(tensor)
        if name not in learned or array.size <= 8 or len(np.unique(array)) == 1:
            continue
        tensor.ClearField("raw_data")
        tensor.ClearField("float_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", "weights.data"), ("offset", str(place)), ("length", str(array.nbytes))):
            tensor.external_data.add(key=key, value=value)
        place += array.nbytes
    for message in [model.graph] + list(model.graph.node):
        # Of what new networks' files say besides, the module of each node is looked at.
        kept = [entry for entry in message.metadata_props if keeps_modules and entry.key == MODULES]
        del message.metadata_props[:]
        message.metadata_props.extend(kept)
        message.doc_string = ""
    for message in list(model.graph.initializer) + list(model.graph.input) + list(model.graph.output):
        message.doc_string = ""
        del message.metadata_props[:]
    del model.graph.value_info[:]
    del model.metadata_props[:]
    return model


def main():
    warnings.filterwarnings("ignore")
    torch.backends.mha.set_fastpath_enabled(False)
    wanted = sys.argv[1:]
    path = HERE / "table.json"
    found = json.loads(path.read_text()) if path.exists() and sys.argv[1:] else {}
    for name, (make, inputs) in NETWORKS.items():
        modes = ["dynamo", "legacy"] + (["training"] if name in TRAINING else [])
        jobs = [(f"{name}-{mode}", table, mode) for mode in modes]
        if name in FRESH:
            # Without training mode batch norm is folded into convolutions.
            is_folded = name in ("resnet", "densenet", "mobilenet")
            jobs += [(f"{name}-fresh-{mode}", fresh, mode) for mode in ["training"] + ([] if is_folded else ["dynamo"])]
        for file, job, mode in jobs:
            if wanted and name not in wanted and file not in wanted:
                continue
            torch.manual_seed(len(file))
            try:
                model, row = job(make(), inputs(), mode)
            except Exception as error:
                print(f"{file}: not exported: {type(error).__name__}: {str(error).splitlines()[0][:200]}", flush=True)
                continue
            learned = row.pop("learned", None) or [n for n, kind in row["arrays"].items() if kind == "parameter"]
            onnx.save(cut(model, learned, "untouched" in row), HERE / f"{file}.onnx")
            found[file] = row
            print(file, {kind: list(row.get("arrays", {}).values()).count(kind) for kind in ("parameter", "buffer", "constant")}, row.get("dropped"), flush=True)
        rows = [f"{json.dumps(file)}: {json.dumps(row, sort_keys=True)}" for file, row in sorted(found.items())]
        path.write_text("{\n" + ",\n".join(rows) + "\n}\n")
    print(f"torch {torch.__version__}, onnx {onnx.__version__}: {len(found)} files")


if __name__ == "__main__":
    main()
