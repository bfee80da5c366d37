"""Writes augmentations.json: small images, and what Pillow, torchvision and PyTorch make of them.

    python Tests/Fixtures/make_augmentations.py

Operations on bytes are torchvision's of Pillow images (`_apply_op`), colours torchvision's of tensors, and geometry is
PyTorch's `grid_sample` with `align_corners=True` at the places that fastai's formulas give.
"""

import base64
import json
import math
import pathlib

import numpy
import torch
from PIL import Image
from torchvision.transforms import functional as F
from torchvision.transforms.autoaugment import RandAugment, TrivialAugmentWide, _apply_op
from torchvision.transforms.functional import InterpolationMode

NAMES = {
    "ShearX": "shearX", "ShearY": "shearY", "TranslateX": "translateX", "TranslateY": "translateY",
    "Rotate": "rotate", "Brightness": "brightness", "Color": "colour", "Contrast": "contrast",
    "Sharpness": "sharpness", "Posterize": "posterize", "Solarize": "solarize",
    "AutoContrast": "autoContrast", "Equalize": "equalize", "Identity": "identity",
}


def pattern(channels, height, width, low=0, high=255):
    y, x = numpy.mgrid[0:height, 0:width]
    planes = [(x * (17 + 5 * c) + y * (11 + 7 * c) + x * y * (c + 1)) % (high - low + 1) + low for c in range(channels)]
    return numpy.stack(planes, -1).astype(numpy.uint8)


def planes(picture):
    array = numpy.asarray(picture)
    array = array[..., None] if array.ndim == 2 else array
    return base64.b64encode(numpy.ascontiguousarray(array.transpose(2, 0, 1)).tobytes()).decode()


def picture(array):
    return Image.fromarray(array if array.shape[2] == 3 else array[..., 0])


def floats(tensor):
    return [float(f"{value:.8g}") for value in tensor.flatten().tolist()]


small, square, dark = pattern(3, 8, 11), pattern(3, 9, 9), pattern(1, 20, 28, 40, 200)
images = {"small": small, "square": square, "dark": dark}

wide = TrivialAugmentWide()._augmentation_space(31)
moderate = RandAugment()._augmentation_space(31, (8, 11))


def magnitude(space, name, step):
    values, signed = space[name]
    return (float(values[step].item()) if values.ndim > 0 else 0.0), signed


operations = []
for name in NAMES:
    for image, array in images.items():
        if image == "dark" and name not in ["Posterize", "Solarize", "AutoContrast", "Equalize", "Contrast"]:
            continue
        if image == "square" and name not in ["Rotate", "ShearX"]:
            continue
        for step in [4, 20, 30] if wide[name][0].ndim else [0]:
            value, signed = magnitude(wide, name, step)
            for sign in [1, -1] if signed and image == "small" else [1]:
                result = _apply_op(picture(array), name, sign * value, InterpolationMode.NEAREST, None)
                operations.append({
                    "operation": NAMES[name], "image": image, "magnitude": sign * value, "pixels": planes(result),
                })

strengths = [
    {
        "operation": NAMES[name], "space": space,
        "magnitudes": [magnitude(table, name, step)[0] for step in range(31)], "isSigned": table[name][1],
    }
    for space, table in [("wide", wide), ("moderate", moderate)]
    for name in NAMES
]

fractions = torch.from_numpy(small.transpose(2, 0, 1).copy()).float() / 255
grey = fractions[:1]
colours = []


def colour(name, factor, result, channels=3):
    colours.append({"change": name, "factor": factor, "channels": channels, "values": floats(result)})


for factor in [0.6, 1.35]:
    colour("brightness", factor, F.adjust_brightness(fractions, factor))
    colour("contrast", factor, F.adjust_contrast(fractions, factor))
    colour("contrast", factor, F.adjust_contrast(grey, factor), 1)
    colour("saturation", factor, F.adjust_saturation(fractions, factor))
for turn in [-0.31, 0.12, 0.5]:
    colour("hue", turn, F.adjust_hue(fractions, turn))
colour("greyscale", 0, F.rgb_to_grayscale(fractions, 3))
for deviation in [0.1, 1.7]:
    colour("blur", deviation, F.gaussian_blur(fractions, [5, 5], [deviation, deviation]))


def logit(x):
    return -(1 / x.clamp(1e-7, 1 - 1e-7) - 1).log()


def fastai_grey(x):
    return (x * torch.tensor([0.2989, 0.5870, 0.1140])[:, None, None]).sum(0, keepdim=True)


for level in [0.42, 0.59]:
    colour("logit brightness", level, torch.sigmoid(logit(fractions) + math.log(level / (1 - level))))
for factor in [0.8, 1.25]:
    colour("logit contrast", factor, torch.sigmoid(factor * logit(fractions)))
    x = logit(fractions)
    colour("logit saturation", factor, torch.sigmoid(factor * x + (1 - factor) * fastai_grey(x)))

EYE = torch.eye(3, dtype=torch.float64)


def rotation(degrees):
    angle = math.radians(degrees)
    return torch.tensor([
        [math.cos(angle), math.sin(angle), 0], [-math.sin(angle), math.cos(angle), 0], [0, 0, 1],
    ], dtype=torch.float64)


def zoom(factor, x, y):
    scale = 1 / factor
    return torch.tensor([
        [scale, 0, (1 - scale) * (2 * x - 1)], [0, scale, (1 - scale) * (2 * y - 1)], [0, 0, 1],
    ], dtype=torch.float64)


def warp(a, b):
    corners = [(-1, -1), (-1, 1), (1, -1), (1, 1)]
    targets = [(-1 - b, -1 - a), (-1 + b, 1 + a), (1 + b, -1 + a), (1 - b, 1 - a)]
    rows, values = [], []
    for (x, y), (u, v) in zip(targets, corners):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    solution = torch.linalg.solve(torch.tensor(rows, dtype=torch.float64), torch.tensor(values, dtype=torch.float64))
    return torch.cat([solution, torch.ones(1, dtype=torch.float64)]).reshape(3, 3)


def shown(image, affine, perspective, padding):
    _, height, width = image.shape
    affine = affine.clone()
    affine[0, 1] *= height / width
    affine[1, 0] *= width / height
    grid = torch.nn.functional.affine_grid(affine[None, :2], (1, 1, height, width), align_corners=True)
    points = torch.cat([grid, torch.ones_like(grid[..., :1])], -1) @ perspective.T
    grid = points[..., :2] / points[..., 2:]
    return torch.nn.functional.grid_sample(
        image[None].double(), grid, mode="bilinear", padding_mode=padding, align_corners=True)[0].float()


squares = torch.from_numpy(square.transpose(2, 0, 1).copy()).float() / 255
ramp = (torch.arange(16) / 16).reshape(1, 4, 4)
sources = {"small": fractions, "square": squares, "ramp": ramp}
geometry = []
for image, padding, steps in [
    ("ramp", "reflection", [("rotate", [30])]),
    ("ramp", "reflection", [("zoom", [1.5, 0.5, 0.5])]),
    ("ramp", "reflection", [("warp", [0.2, 0])]),
    ("small", "reflection", [("rotate", [-37])]),
    ("small", "zeros", [("rotate", [-37])]),
    ("small", "border", [("rotate", [-37])]),
    ("small", "zeros", [("zoom", [0.7, 0.2, 0.9])]),
    ("small", "border", [("warp", [-0.13, 0.18])]),
    ("square", "reflection", [("warp", [0.1, -0.15]), ("rotate", [8]), ("zoom", [1.1, 0.3, 0.8])]),
    ("square", "zeros", [("warp", [0.1, -0.15]), ("rotate", [170]), ("zoom", [0.4, 0.3, 0.8])]),
]:
    affine, perspective = EYE, EYE
    for name, values in steps:
        if name == "warp":
            perspective = warp(*values)
        else:
            affine = affine @ {"rotate": rotation, "zoom": zoom}[name](*values)
    geometry.append({
        "image": image, "padding": padding, "steps": [{"name": name, "values": values} for name, values in steps],
        "values": floats(shown(sources[image], affine, perspective, padding)),
    })

crops = []
for part in [(1, 2, 5, 7), (0, 0, 8, 11), (3, 4, 2, 3), (7, 10, 1, 1)]:
    top, left, height, width = part
    result = picture(small).crop((left, top, left + width, top + height)).resize((11, 8), Image.BILINEAR)
    crops.append({"part": [left, top, width, height], "pixels": planes(result)})

file = pathlib.Path(__file__).parent / "augmentations.json"
file.write_text(json.dumps({
    "images": {
        name: {"channels": array.shape[2], "height": array.shape[0], "width": array.shape[1], "pixels": planes(array)}
        for name, array in images.items()
    },
    "operations": operations, "strengths": strengths, "colours": colours, "geometry": geometry, "crops": crops,
}, indent=0) + "\n")
