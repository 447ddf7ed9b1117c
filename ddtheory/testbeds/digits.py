"""Handwritten digits for a bed, kept in the package so that it needs nothing else: eight by eight pixels, 512 images.

    python -m ddtheory.testbeds.digits           takes them from scikit-learn and writes the file

They are the first of its `load_digits`: the test part of "Optical Recognition of Handwritten Digits" by E. Alpaydin and
C. Kaynak, in the machine learning repository of UCI, under CC BY 4.0.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import Tensor

from ddtheory.errors import InvalidValueError

FILE = Path(__file__).parent / "data" / "digits.safetensors"
DIGEST = "97fb8645cd7955fc41667d865239f40540dacf58be615cb67aa0ee782aac94e3"
SAMPLES = 512


def digits() -> tuple[Tensor, Tensor]:
    """Four patches of four by four pixels between 0 and 1, (512, 4, 16) in float64, and the classes, (512,).

    Raises:
        InvalidValueError: the file is not the one that the digest belongs to.
    """
    content = FILE.read_bytes() if FILE.exists() else b""
    if hashlib.sha256(content).hexdigest() != DIGEST:
        raise InvalidValueError(f"{FILE.name} is not what its digest belongs to; it may be damaged. Install again.")
    found = load(content)
    images = found["pixels"].double().reshape(-1, 2, 4, 2, 4) / 16
    return images.transpose(2, 3).reshape(-1, 4, 16), found["classes"].long()


def main() -> None:
    """Writes the file and prints its digest."""
    from sklearn.datasets import load_digits  # type: ignore[import-not-found,import-untyped,unused-ignore]

    pixels, classes = load_digits(return_X_y=True)
    content = save(
        {
            "pixels": torch.tensor(pixels[:SAMPLES], dtype=torch.uint8),
            "classes": torch.tensor(classes[:SAMPLES], dtype=torch.uint8),
        }
    )
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(content)
    print(hashlib.sha256(content).hexdigest())


if __name__ == "__main__":
    main()
