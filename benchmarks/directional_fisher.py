"""One directional reading against a plain forward pass, a GGN product and per-sample gradients."""

from __future__ import annotations

import warnings

import torch
from harness import interleaved, paired, prepare, save, show, spread, torch_options
from models import DIRECTIONS, WIDTHS, Case, build
from rivals import NO_CURVLINOPS, calls, check, products, reading

from ddtheory.measure import DEFAULT_RADII


def measure(case: Case, size: int, where: str, device: str, clock: str, seconds: float) -> dict[str, object]:
    """One row: costs in forward passes. `radius` is a profile at the default radii, divided by their number."""
    this = reading(case, where)
    rivals = calls(this)
    gaps = check(this, rivals)
    times = interleaved(rivals, device=device, clock=clock, seconds=seconds)
    whole = case.inputs.shape[0] / this.share
    passes = {
        "derivative": paired(times, "derivative", "forward"),
        "radius": paired(times, "profile", "forward", 1 / len(DEFAULT_RADII)),
        "single": paired(times, "reading", "forward"),
        "loop": paired(times, "loop", "forward", whole),
        "vmap": paired(times, "vmap", "forward", whole),
    }
    if "ggn" in times:
        passes["ggn"] = paired(times, "ggn", "forward")
    return {
        "model": case.kind,
        "size": size,
        "parameters": case.problem.dimension,
        "samples": case.inputs.shape[0],
        "direction": where,
        "products": products(this),
        "forward_seconds": spread(times["forward"]),
        "rounds": len(times["forward"]),
        "per_sample_methods_timed_on": this.share,
        "passes": passes,
        "relative_difference": gaps,
    }


def line(row: dict) -> list[str]:
    costs = [row["passes"].get(name) for name in ("derivative", "radius", "single", "ggn", "loop", "vmap")]
    return [
        f"{row['model']} {row['parameters']:,}",
        row["direction"],
        f"{1e3 * row['forward_seconds']['median']:.2f}",
        f"{row['products']:.2f}",
        *(f"{cost['median']:.2f} ({cost['min']:.2f}–{cost['max']:.2f})" if cost else "–" for cost in costs),
    ]


COLUMNS = ("model", "direction", "forward, ms", "products", "derivative", "a radius", "one radius alone")
RIVALS = ("GGN product", "gradient loop", "vmap(grad)")


def main() -> None:
    parser = torch_options(__doc__ or "", "directional_fisher")
    parser.add_argument("--models", nargs="+", choices=("mlp", "transformer"), default=["mlp", "transformer"])
    parser.add_argument("--sizes", nargs="+", type=float, default=[float(size) for size in WIDTHS], metavar="N")
    parser.add_argument("--directions", nargs="+", choices=DIRECTIONS, default=list(DIRECTIONS))
    parser.add_argument("--seconds", type=float, default=3.0, help="a row; at least three rounds are run")
    chosen = parser.parse_args()
    prepare(chosen)
    warnings.filterwarnings("ignore", category=UserWarning)
    sizes = [10**4] if chosen.quick else [int(size) for size in chosen.sizes]
    rows: list[dict] = []
    for kind in chosen.models:
        for size in sizes:
            dtype = getattr(torch, chosen.dtype)
            case = build(kind, size, device=chosen.device, dtype=dtype, scale=chosen.scale, seed=chosen.seed)
            for where in chosen.directions:
                seconds = 0.2 if chosen.quick else chosen.seconds
                rows.append(measure(case, size, where, chosen.device, chosen.clock, seconds))
                print(*line(rows[-1]), sep="  ", flush=True)
    show("Cost in forward passes: median (min–max)", (*COLUMNS, *RIVALS), [line(row) for row in rows])
    skipped = [] if "ggn" in rows[0]["passes"] else [NO_CURVLINOPS]
    print(*skipped, sep="\n")
    save(chosen, rows, skipped=skipped)


if __name__ == "__main__":
    main()
