"""What the scripts share: options, interleaved timing, results on disk, tables in the terminal."""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
import types
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import torch
from environment import command, environment

RESULTS = Path(__file__).parent / "results"
SHORTEST = 3e-3  # seconds; faster calls are repeated until one timing lasts as long

Timing = dict[str, list[float]]

CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}

if find_spec("lazy_loader") is None:
    # A machine with torch and numpy alone: `ddtheory` itself then offers no names, `ddtheory.measure` all of them.
    print("lazy-loader is not installed: only ddtheory.measure can be used.", file=sys.stderr)
    sys.modules["lazy_loader"] = types.ModuleType("lazy_loader")
    sys.modules["lazy_loader"].attach_stub = lambda *_: (None, None, [])  # type: ignore[attr-defined]


def options(description: str, name: str) -> argparse.ArgumentParser:
    """The options of every script; `name` is that of the results file."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS / f"{name}.json", help="results file")
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds: does it run at all")
    return parser


def torch_options(description: str, name: str) -> argparse.ArgumentParser:
    parser = options(description, name)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--dtype", choices=("float64", "float32"), default="float64")
    parser.add_argument("--threads", type=int, default=0, help="torch threads; 0 leaves torch's own choice")
    parser.add_argument(
        "--clock",
        choices=tuple(CLOCKS),
        default="wall",
        help="processor time ignores others on the machine; use one thread",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", type=int, default=1, help="this many times the samples of a batch")
    return parser


def prepare(chosen: argparse.Namespace) -> None:
    """Threads and seed; refuses a device that is not there."""
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    if chosen.device == "cuda" and not torch.cuda.is_available():
        sys.exit("There is no CUDA device here. Leave --device out.")
    if chosen.device == "cuda" and chosen.clock == "processor":
        sys.exit("Processor time says nothing about a CUDA device. Leave --clock out.")
    torch.manual_seed(chosen.seed)


def deadlines_of_the_processor(*rooms: str) -> None:
    """Every deadline in these packages ignores others on the machine: their modules look at the processor's clock.

    A derivation that takes a tenth of its limit alone runs into it where ten others run, and is then no longer exact.
    """
    for name, module in list(sys.modules.items()):
        if name.startswith(rooms) and vars(module).get("time") is time:
            module.time = types.SimpleNamespace(monotonic=time.process_time)  # type: ignore[attr-defined]


def synchronise(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def timed(call: Callable[[], object], repeats: int, device: str, clock: str = "wall") -> float:
    """Seconds a call, the device's queue empty before and after."""
    now = CLOCKS[clock]
    synchronise(device)
    start = now()
    for _ in range(repeats):
        call()
    synchronise(device)
    return (now() - start) / repeats


def interleaved(
    rivals: Mapping[str, Callable[[], object]],
    *,
    device: str = "cpu",
    clock: str = "wall",
    seconds: float = 4.0,
    least: int = 3,
    most: int = 15,
    repeats: Mapping[str, int] | None = None,
) -> Timing:
    """Rivals one after the other, round after round, so that a busy machine slows all of them alike.

    With `repeats`, calls a timing, nothing runs before the clock does: for calls of minutes.
    """
    repeats = dict(repeats or {})
    for name, call in rivals.items():
        if name in repeats:
            continue
        first = timed(call, 1, device, clock)  # allocates and chooses kernels
        repeats[name] = 1 if first > 1.0 else max(1, math.ceil(SHORTEST / timed(call, 1, device, clock)))
    times: Timing = {name: [] for name in rivals}
    start = time.perf_counter()
    for done in range(most):
        if done >= least and time.perf_counter() - start > seconds:
            break
        for name, call in rivals.items():
            times[name].append(timed(call, repeats[name], device, clock))
    return times


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, smallest, largest."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def paired(times: Timing, name: str, unit: str, factor: float = 1.0) -> dict[str, float]:
    """How many `unit` calls one `name` call costs, round by round."""
    return spread([factor * a / b for a, b in zip(times[name], times[unit], strict=True)])


def save(chosen: argparse.Namespace, rows: Sequence[Mapping[str, object]], **more: object) -> None:
    """Results, command and environment as JSON. Where rows of other commands stay, each names its own."""
    device = getattr(chosen, "device", "cpu")
    settings = {key: value for key, value in vars(chosen).items() if isinstance(value, str | int | float | list)}
    about = {"command": command(), "environment": environment(device), "settings": settings}
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(about | more | {"rows": list(rows)}, indent=1, ensure_ascii=False) + "\n")


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table in the terminal; plain text where rich is missing."""
    if find_spec("rich") is None:
        print(f"\n{title}", *("  ".join(row) for row in (columns, *rows)), sep="\n")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 140).print(table)
