"""Opens checkpoints with Python's safetensors and compares every tensor, bit for bit.

    compare_arrays.py FOLDER

FOLDER holds NAME.safetensors and, for each, the folder NAME with arrays.txt (a tensor's name a line) and 0.npy,
1.npy, … in that order, as state-campaign write-arrays leaves them. Needs pip install safetensors numpy.
"""

import sys
from pathlib import Path

import numpy
from safetensors import safe_open

folder = Path(sys.argv[1])
files = tensors = 0
for path in sorted(folder.glob("*.safetensors")):
    arrays = path.with_suffix("")
    names = (arrays / "arrays.txt").read_text(encoding="utf-8").splitlines()
    with safe_open(path, framework="numpy") as opened:
        assert sorted(opened.keys()) == sorted(names), path
        assert opened.metadata()["crest.format"] == "2", path
        for number, name in enumerate(names):
            got = opened.get_tensor(name)
            expected = numpy.load(arrays / f"{number}.npy")
            assert got.dtype == expected.dtype and got.shape == expected.shape, (path, name)
            assert got.tobytes() == expected.tobytes(), (path, name)
            tensors += 1
    files += 1
assert files > 0, "no checkpoints"
print(f"passed python-safetensors: files {files}, tensors {tensors}, different 0")
