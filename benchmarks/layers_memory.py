"""Peak memory of the routes of `layers.py`, each in a fresh process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import torch
from layers_model import CLASSES, Case, build, training_step
from layers_routes import by_layer, dense_grams, shared_factors
from memory import growth_on_processor

from ddtheory.measure import kronecker_factors


def spectra_only(case: Case) -> list[float]:
    """The four layers of the first block, whose gradients run back through all others; nothing is kept but numbers."""
    found = []
    for layer in case.layers[:4]:
        factors = kronecker_factors(case.problem, layer)
        found += [factors.activation.spectrum().smallest_positive, factors.gradient.spectrum().smallest_positive]
    return found


CALLS: dict[str, Callable[[Case], Callable[[], object]]] = {
    "forward pass": lambda case: lambda: case.module(case.inputs),
    "training step, gradients and AdamW included": training_step,
    "first block, spectra kept": lambda case: lambda: spectra_only(case),
    "factors, layer by layer": lambda case: lambda: by_layer(case),
    "factors, one shared pass": lambda case: lambda: shared_factors(case),
    "dense Grams, one shared pass": lambda case: lambda: dense_grams(case),
}


def peaks(size: tuple[int, int], threads: int) -> dict[str, object]:
    """Bytes above model and data at the peak of each call."""
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    found = {}
    for name in CALLS:
        command = [sys.executable, __file__, name, *map(str, size), str(threads or torch.get_num_threads())]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        found[name] = json.loads(done.stdout.splitlines()[-1])
    return {"depth": size[0], "width": size[1], "peak_bytes": found}


def worker(name: str, depth: int, width: int, threads: int) -> None:
    torch.set_num_threads(threads)
    CALLS[name](build(1, 8, classes=CLASSES))()  # code is loaded and kernels are chosen now, on a small model
    call = CALLS[name](build(depth, width, classes=CLASSES))
    print(growth_on_processor(call))


if __name__ == "__main__":
    worker(sys.argv[1], *map(int, sys.argv[2:]))
