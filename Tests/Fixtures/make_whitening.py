"""Writes whitening.json: patches of images whitened by PyTorch, as airbench does.

    python Tests/Fixtures/make_whitening.py

(KellerJordan/cifar10-airbench, `init_whitening_conv`; each eigenvector's largest component is made positive.)
"""

import json
import pathlib

import torch

generator = torch.Generator().manual_seed(5)
noise = torch.randn(6, 3, 6, 5, generator=generator, dtype=torch.float64)
mixing = torch.tensor([[1.0, 0.8, 0.7], [0.0, 0.5, 0.2], [0.0, 0.0, 0.3]], dtype=torch.float64)
images = torch.einsum("nchw,cd->ndhw", noise, mixing)
images = (images + images.roll(1, 3) * 0.9 + images.roll(1, 2) * 0.6).float()

patches = images.double().unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 1, 4, 5).reshape(-1, 12)
values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
values, vectors = values.flip(0), vectors.T.flip(0)
signs = vectors.gather(1, vectors.abs().argmax(1, keepdim=True)).sign()
filters = signs * vectors / torch.sqrt(values + 5e-4)[:, None]
filters = torch.cat((filters, -filters))

json.dump(
    {
        "shape": list(images.shape),
        "images": images.flatten().tolist(),
        "eigenvalues": values.tolist(),
        "filters": filters.flatten().tolist(),
    },
    open(pathlib.Path(__file__).parent / "whitening.json", "w"),
)
