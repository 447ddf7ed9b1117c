"""Cost of one call against the number of radii and of directions, as a straight line in forward passes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import torch
from harness import interleaved, paired, prepare, save, show, torch_options
from models import Case, build
from rivals import forward

from ddtheory.measure import fisher_profiles
from ddtheory.measure.setting.path import Path, ray

RADII = (1, 2, 4, 8, 16, 32)
DIRECTIONS = (1, 2, 4, 8)
SIZE = 10**6


def radii(number: int) -> list[float]:
    return [2.0 ** (-1 - n / 4) for n in range(number)]


def rays(case: Case, where: str, number: int) -> list[Path]:
    """Random directions of one kind; the first is that of the other benchmark."""
    generator = torch.Generator().manual_seed(2)
    names = list(case.direction(where))
    shapes = {name: case.problem.truth[name].shape for name in names}
    return [
        ray(case.problem, {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()})
        for _ in range(number)
    ]


def straight_line(numbers: Sequence[int], costs: Sequence[float]) -> tuple[float, float]:
    """Fixed cost and cost of one more, by least squares on relative errors."""
    weights = 1 / np.asarray(costs)
    slope, fixed = np.polyfit(np.asarray(numbers, dtype=float), np.asarray(costs), 1, w=weights)
    return float(fixed), float(slope)


def measure(
    case: Case, where: str, what: str, calls: dict[int, Callable[[], object]], device: str, clock: str, seconds: float
) -> dict:
    rivals = {"forward": lambda: forward(case)} | {str(number): call for number, call in calls.items()}
    times = interleaved(rivals, device=device, clock=clock, seconds=seconds)
    costs = {str(number): paired(times, str(number), "forward") for number in calls}
    fixed, slope = straight_line(list(calls), [cost["median"] for cost in costs.values()])
    return {
        "model": case.kind,
        "parameters": case.problem.dimension,
        "direction": where,
        "against": what,
        "passes": costs,
        "fixed": fixed,
        "one_more": slope,
        "rounds": len(times["forward"]),
    }


def rows_of(case: Case, where: str, quick: bool, device: str, clock: str) -> list[dict]:
    """Against radii on one path; against directions at one radius."""
    numbers, seconds = ((1, 2), 0.2) if quick else (RADII, 4.0)
    path = rays(case, where, 1)
    by_radii = {n: (lambda n=n: fisher_profiles(case.problem, path, radii(n))) for n in numbers}
    several = {n: rays(case, where, n) for n in (numbers if quick else DIRECTIONS)}
    by_directions = {
        n: (lambda paths=paths: fisher_profiles(case.problem, paths, [0.25])) for n, paths in several.items()
    }
    return [
        measure(case, where, "radii", by_radii, device, clock, seconds),
        measure(case, where, "directions", by_directions, device, clock, seconds),
    ]


def line(row: dict) -> list[str]:
    costs = "  ".join(f"{number}: {cost['median']:.1f}" for number, cost in row["passes"].items())
    return [
        f"{row['model']} {row['parameters']:,}",
        row["direction"],
        row["against"],
        costs,
        f"{row['fixed']:.1f}",
        f"{row['one_more']:.2f}",
    ]


COLUMNS = ("model", "direction", "number of", "cost at each number", "fixed", "one more")


def main() -> None:
    parser = torch_options(__doc__ or "", "scaling")
    parser.add_argument("--size", type=float, default=SIZE)
    chosen = parser.parse_args()
    prepare(chosen)
    warnings.filterwarnings("ignore", category=UserWarning)
    rows: list[dict] = []
    for kind in ("mlp", "transformer"):
        size, dtype = 10**4 if chosen.quick else int(chosen.size), getattr(torch, chosen.dtype)
        case = build(kind, size, device=chosen.device, dtype=dtype, scale=chosen.scale, seed=chosen.seed)
        for where in ("middle", "all"):
            rows += rows_of(case, where, chosen.quick, chosen.device, chosen.clock)
    show("Cost in forward passes, medians", COLUMNS, [line(row) for row in rows])
    save(chosen, rows)


if __name__ == "__main__":
    main()
