"""Kept checkpoints: small files of the package, made by a command and read only when their digest is the right one.

    python -m ddtheory.testbeds.keep             trains every bed with seed 0 and writes its file and the digests

The files are safetensors, which hold numbers and text and no code.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save

from ddtheory.errors import InvalidValueError
from ddtheory.testbeds.checkpoint import Checkpoint

FOLDER = Path(__file__).parent / "checkpoints"
DIGESTS = FOLDER / "digests.toml"


def read(name: str, settings: Mapping[str, Any]) -> tuple[Checkpoint, ...] | None:
    """The checkpoints that are kept for a bed at exactly these settings; None when there are none.

    Raises:
        InvalidValueError: the file is not the one that the digest belongs to.
    """
    path = _file(name)
    expected = tomllib.loads(DIGESTS.read_text("utf-8")).get(path.name) if DIGESTS.exists() else None
    if expected is None:
        return None
    content = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(content).hexdigest() != expected:
        raise InvalidValueError(
            f"The kept checkpoints {path.name} are not those that their digest belongs to; the file may be damaged. "
            "Install the package again, or train the bed."
        )
    with safe_open(str(path), framework="pt") as file:
        told = file.metadata()
        if json.loads(told["settings"]) != dict(settings):
            return None
        return tuple(
            Checkpoint(
                each["step"],
                {name: file.get_tensor(f"{each['step']}/{name}") for name in each["parameters"]},
                each["measured"],
            )
            for each in json.loads(told["checkpoints"])
        )


def write(name: str, settings: Mapping[str, Any], checkpoints: Sequence[Checkpoint]) -> str:
    """Writes the file of a bed; its digest."""
    told = [{"step": c.step, "parameters": sorted(c.parameters), "measured": dict(c.measured)} for c in checkpoints]
    content = save(
        {f"{c.step}/{name}": value.contiguous() for c in checkpoints for name, value in c.parameters.items()},
        {"settings": json.dumps(dict(settings)), "checkpoints": json.dumps(told)},
    )
    FOLDER.mkdir(exist_ok=True)
    _file(name).write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def _file(name: str) -> Path:
    return FOLDER / f"{name}.safetensors"
