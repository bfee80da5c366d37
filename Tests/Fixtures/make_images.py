"""Writes images/: small PNG and JPEG files of every kind, and what Pillow makes of them.

    python Tests/Fixtures/make_images.py

Pillow up to version 12, whose resize filters columns first; later ones sometimes filter rows first. Of 16-bit PNGs the
expected bytes are round(v / 257), where Pillow clips grey and cuts colours.
"""

import base64
import io
import json
import pathlib

import numpy
import PIL
from PIL import Image

assert int(PIL.__version__.split(".")[0]) < 13, PIL.__version__
folder = pathlib.Path(__file__).parent / "images"
folder.mkdir(exist_ok=True)


def pattern(channels, height=9, width=13):
    y, x = numpy.mgrid[0:height, 0:width]
    planes = [(x * (17 + 5 * c) + y * (11 + 7 * c) + x * y * (c + 1)) % 256 for c in range(channels)]
    return numpy.stack(planes, -1).astype(numpy.uint8)


def image(mode, **size):
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}[mode]
    array = pattern(channels, **size)
    return Image.fromarray(array if channels > 1 else array[..., 0], mode)


files = {}


def save(name, picture, **options):
    buffer = io.BytesIO()
    picture.save(buffer, "PNG" if name.endswith("png") else "JPEG", **options)
    files[name] = buffer.getvalue()


for mode in ["L", "LA", "RGB", "RGBA"]:
    save(f"{mode.lower()}.png", image(mode))
save("palette.png", image("RGB").quantize(16))
transparent = image("RGB").quantize(16)
save("palette-alpha.png", transparent, transparency=3)
save("one-bit.png", image("L").convert("1"))
save("two-bit.png", image("RGB").quantize(4), bits=2)
grey16 = (pattern(1)[..., 0].astype(numpy.uint16) * 257 + numpy.arange(13, dtype=numpy.uint16) * 9) & 0xFFFF
save("grey-16.png", Image.fromarray(grey16))
for mode in ["L", "RGB", "CMYK"]:
    save(f"{mode.lower()}.jpg", image(mode, height=23, width=29), quality=85)
    save(f"{mode.lower()}-progressive.jpg", image(mode, height=23, width=29), quality=70, progressive=True)
save("halved.jpg", image("RGB", height=23, width=29), quality=85, subsampling=2)
save("wide.jpg", image("RGB", height=23, width=29), quality=85, subsampling=1)
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    save(f"orientation-{orientation}.jpg", image("RGB", height=8, width=16), quality=90, exif=exif)
save("orientation-6.png", image("RGB"), exif=exif)


def opened(name):
    from PIL import ImageOps

    if name == "grey-16.png":
        return Image.fromarray(numpy.round(grey16 / 257).astype(numpy.uint8))
    return ImageOps.exif_transpose(Image.open(io.BytesIO(files[name])))


def array(picture, channels):
    # Grey from colours, as from arrays: of a file libjpeg would give its own.
    picture = picture.convert("RGB") if channels == 3 else picture if picture.mode == "L" else picture.convert("RGB").convert("L")
    return numpy.asarray(picture).reshape(picture.height, picture.width, channels)


def text(values):
    return base64.b64encode(values.tobytes()).decode()


cases = []
for name in sorted(files):
    for channels in [1, 3]:
        pixels = array(opened(name), channels)
        cases.append({"file": name, "channels": channels, "height": pixels.shape[0], "width": pixels.shape[1], "pixels": text(pixels)})

filters = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}
resized = []
for name, channels in [("rgb.jpg", 3), ("l.png", 1)]:
    picture = Image.fromarray(array(opened(name), channels).squeeze())
    for filter, number in filters.items():
        for height, width in [(8, 8), (5, 21), (40, 7)]:
            across, down = picture.width / width, picture.height / height
            scale = min(across, down)
            box = (max(int(scale * width), 1), max(int(scale * height), 1))
            left, top = (picture.width - box[0]) // 2, (picture.height - box[1]) // 2
            middle = picture.crop((left, top, left + box[0], top + box[1]))
            scale = max(across, down)
            size = max(int(scale * width), picture.width), max(int(scale * height), picture.height)
            before = (size[0] - picture.width) // 2, (size[1] - picture.height) // 2
            pads = [(before[1], size[1] - picture.height - before[1]), (before[0], size[0] - picture.width - before[0])]
            padded = Image.fromarray(numpy.pad(numpy.asarray(picture), pads + [(0, 0)] * (channels > 1), mode="reflect"))
            for fit, source in [("squish", picture), ("crop", middle), ("pad", padded)]:
                pixels = numpy.asarray(source.resize((width, height), Image.Resampling(number)))
                resized.append({"file": name, "channels": channels, "filter": filter, "fit": fit, "height": height, "width": width, "pixels": text(pixels)})

for name, data in files.items():
    (folder / name).write_bytes(data)
json.dump({"pillow": PIL.__version__, "decoded": cases, "resized": resized}, open(folder / "pillow.json", "w"), indent=0)
print(PIL.__version__, len(files), len(cases), len(resized), sum(map(len, files.values())))
