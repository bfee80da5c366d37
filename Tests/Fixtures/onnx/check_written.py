"""What others make of the files that Crest writes.

    python check_written.py CREST

trains each model in `exports/` and `models/`, and each built-in network, for an epoch on random numbers with the command
CREST, has it written, and asks the newest `onnx.checker` (full_check) and ONNX Runtime about the result. Prints a line for
each file with the largest difference between `crest predict` and ONNX Runtime; fails when one is refused, or differs by
more than 1e-5 of the largest output.
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
EXAMPLES = 24
# The rows of the embeddings of models that read tokens.
TOKENS = {"bert": 11, "transformer": 27}
BUILT_IN = {
    "mlp": (1, 8, 8), "small-cnn": (3, 9, 7), "lenet": (1, 28, 28),
    "resnet20": (3, 32, 32), "resnet56": (3, 32, 32), "resnet110": (3, 32, 32)}


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run(*arguments):
    result = subprocess.run([str(a) for a in arguments], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(map(str, arguments))}: {result.stderr}")


def data(folder, model, chance):
    """Random examples and targets for a model, and what the command must be told about them."""
    if model in BUILT_IN:
        x = chance.standard_normal((EXAMPLES, *BUILT_IN[model]), np.float32)
        shape, batch = (EXAMPLES, 4), 8
    else:
        source = session(model)
        (value,) = source.get_inputs()
        size = (EXAMPLES, *value.shape[1:])
        name = pathlib.Path(model).stem.split("-")[0]
        x = chance.integers(0, TOKENS[name], size) if name in TOKENS else chance.random(size, np.float32)
        batch = value.shape[0] if isinstance(value.shape[0], int) else 8
        shape = (EXAMPLES, *source.run(None, {value.name: x[:batch]})[0].shape[1:])
    classes = len(shape) == 2
    y = np.arange(EXAMPLES) % shape[1] if classes else chance.random(shape, np.float32)
    np.save(folder / "train-x.npy", x)
    np.save(folder / "train-y.npy", y)
    return x, batch


def check(crest, model, folder, chance):
    x, batch = data(folder, model, chance)
    trained = folder / "trained.onnx"
    run(crest, "train", "--model", model, "--data", folder, "--epochs", 1, "--max-lr", 0.01, "--batch-size", batch,
        "--no-shuffle", "--export", trained)
    onnx.checker.check_model(trained, full_check=True)
    run(crest, "predict", "--model", trained, "--input", folder / "train-x.npy", "--output", folder / "y.npy")
    ours, runtime = np.load(folder / "y.npy"), session(trained)
    name = runtime.get_inputs()[0].name
    theirs = np.concatenate([runtime.run(None, {name: x[i:i + batch]})[0] for i in range(0, EXAMPLES, batch)])
    delta, scale = float(np.abs(ours - theirs).max()), max(1, float(np.abs(theirs).max()))
    file = onnx.load(trained, load_external_data=False)
    opset = next(o.version for o in file.opset_import if not o.domain)
    label = model if model in BUILT_IN else pathlib.Path(model).resolve().relative_to(ROOT)
    print(f"{str(label):56} opset {opset}  IR {file.ir_version:2}  max |Δ| {delta:.1e}  max |y| {scale:.3g}", flush=True)
    return delta / scale


def main():
    (crest,) = sys.argv[1:]
    files = [*sorted((HERE / "exports").glob("*.onnx")), *sorted((ROOT / "models").glob("*.onnx"))]
    chance = np.random.default_rng(0)
    worst = 0
    for model in [*files, *BUILT_IN]:
        with tempfile.TemporaryDirectory() as folder:
            worst = max(worst, check(crest, model, pathlib.Path(folder), chance))
    print(f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}: {len(files) + len(BUILT_IN)} files accepted, "
          f"differences up to {worst:.1e} of the largest output")
    if worst > 1e-5:
        sys.exit("expected at most 1e-05")


main()
