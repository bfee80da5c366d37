"""Makes python.safetensors with the library that most files come from: pip install safetensors numpy torch.

Values are 0, 1, 2, … over the elements, less 2 where a type has negative numbers; of bool, whether they are odd.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

TYPES = {
    "float64": torch.float64,
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "int64": torch.int64,
    "int32": torch.int32,
    "int16": torch.int16,
    "int8": torch.int8,
    "uint8": torch.uint8,
    "bool": torch.bool,
}


def values(name, dtype):
    numbers = torch.arange(6)
    if name == "bool":
        numbers = numbers % 2
    elif name != "uint8":
        numbers = numbers - 2
    return numbers.to(dtype).reshape(2, 3)


tensors = {name: values(name, dtype) for name, dtype in TYPES.items()}
tensors["empty"] = torch.zeros(4, 0, 2)
tensors["scalar"] = torch.tensor(1.5)
save_file(tensors, Path(__file__).parent / "python.safetensors", metadata={"é\"\\\n": "text"})
