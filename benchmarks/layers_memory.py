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
    """Layer by layer again, keeping spectra alone."""
    found = []
    for layer in case.layers[-4:]:  # one block: what is held at once does not grow with the number of layers
        factors = kronecker_factors(case.problem, layer)
        found += [factors.activation.spectrum().smallest_positive, factors.gradient.spectrum().smallest_positive]
    return found


CALLS: dict[str, Callable[[Case], object]] = {
    "forward pass": lambda case: case.module(case.inputs),
    "training step": lambda case: training_step(case)(),
    "one block, spectra kept": spectra_only,
    "factors, layer by layer": by_layer,
    "factors, one shared pass": shared_factors,
    "dense Grams, one shared pass": dense_grams,
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
    CALLS[name](build(1, 8, classes=CLASSES))  # code is loaded and kernels are chosen now, on a small model
    case = build(depth, width, classes=CLASSES)
    print(growth_on_processor(lambda: CALLS[name](case)))


if __name__ == "__main__":
    worker(sys.argv[1], *map(int, sys.argv[2:]))
