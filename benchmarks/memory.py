"""Peak memory of one call above what the model and the data already take, each call in a fresh process.

On a processor: growth of the resident set, with large tensors given back to the system at once, so that what is free
is not counted. The high-water mark is put back to zero before the call where the system lets a process do so (Linux);
elsewhere it is `ru_maxrss` after the call less before. On CUDA: torch's own count of allocated bytes.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from harness import prepare, save, show, synchronise, torch_options
from models import Case, build
from rivals import RADIUS, calls, derivative, forward, reading
from scaling import radii

from ddtheory.measure import fisher_along

MEBIBYTE = 2**20
READINGS = {"reading, 1 radius": 1, "reading, 4 radii": 4, "reading, 16 radii": 16}
RIVALS = {"GGN product": "ggn", "gradient loop": "loop", "vmap(grad)": "vmap"}
CALLS = ("forward", "derivative", *READINGS, *RIVALS)


def resident(field: str) -> int:
    """A line of /proc/self/status in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"The system does not say {field}.")


def growth_on_processor(call: Callable[[], object]) -> int:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        call()
        unit = 1 if sys.platform == "darwin" else 1024
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit
    before = resident("VmRSS")
    call()
    return resident("VmHWM") - before


def growth_on_device(call: Callable[[], object]) -> int:
    synchronise("cuda")
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    call()
    synchronise("cuda")
    return torch.cuda.max_memory_allocated() - before


def chosen_call(name: str, case: Case, where: str) -> Callable[[], object] | None:
    this = reading(case, where)
    if name == "forward":
        return lambda: forward(case)
    if name == "derivative":
        return lambda: derivative(this)
    if name in READINGS:
        chosen = [RADIUS] if READINGS[name] == 1 else radii(READINGS[name])
        return lambda: fisher_along(case.problem, this.path, chosen)
    return calls(this).get(RIVALS[name])


def worker(chosen: argparse.Namespace) -> None:
    """Measure one call and print its peak in bytes."""
    prepare(chosen)
    warnings.filterwarnings("ignore", category=UserWarning)
    dtype = getattr(torch, chosen.dtype)
    warm_up = chosen_call(chosen.call, build(chosen.model, 10**4, device=chosen.device, dtype=dtype), chosen.direction)
    if warm_up is None:
        print(json.dumps(None))
        return
    warm_up()  # code is loaded and kernels are chosen now, on a small model
    case = build(chosen.model, chosen.size, device=chosen.device, dtype=dtype, scale=chosen.scale, seed=chosen.seed)
    call = chosen_call(chosen.call, case, chosen.direction)
    assert call is not None
    print(json.dumps(growth_on_device(call) if chosen.device == "cuda" else growth_on_processor(call)))


def in_fresh_process(chosen: argparse.Namespace, model: str, size: int, name: str) -> int | None:
    command = [sys.executable, __file__, "--call", name, "--model", model, "--size", str(size)]
    for option in ("device", "dtype", "threads", "seed", "scale", "direction"):
        command += [f"--{option}", str(getattr(chosen, option))]
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    answer: int | None = json.loads(done.stdout.splitlines()[-1])
    return answer


def measure(chosen: argparse.Namespace, model: str, size: int) -> dict:
    peaks = {name: in_fresh_process(chosen, model, size, name) for name in CALLS}
    return {"model": model, "size": size, "direction": chosen.direction, "peak_bytes": peaks}


def line(row: dict) -> list[str]:
    cells = ["–" if peak is None else f"{peak / MEBIBYTE:.0f}" for peak in row["peak_bytes"].values()]
    return [f"{row['model']} {row['size']:,}", *cells]


COLUMNS = ("model", *CALLS)


def main() -> None:
    parser = torch_options((__doc__ or "").splitlines()[0], "memory")
    parser.add_argument("--sizes", nargs="+", type=float, default=[1e7], metavar="N")
    parser.add_argument("--direction", default="all")
    parser.add_argument("--call", choices=CALLS, help=argparse.SUPPRESS)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.call:
        worker(chosen)
        return
    prepare(chosen)
    sizes = [10**4] if chosen.quick else [int(size) for size in chosen.sizes]
    rows = [measure(chosen, model, size) for model in ("mlp", "transformer") for size in sizes]
    show("Peak memory above model and data, MiB", COLUMNS, [line(row) for row in rows])
    save(chosen, rows)


if __name__ == "__main__":
    main()
