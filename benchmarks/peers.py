"""Samplers of other packages on cells with exact answers: a table of verdicts, with versions.

    pip install '.[testing,samplers,diagnosis]'
    python benchmarks/peers.py              # a few minutes on two cores
    python benchmarks/peers.py --table      # the table in peers.md, from the kept results

Each sampler runs with the calibration that it brings. NUTS tunes itself, and pays for it out of the same budget. SGLD
brings none, so it gets the step size that came nearest on another cell, the regular x² under γ = 1, and its row says
so. What is not installed is left out, and the script says it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from environment import environment, version
from page import markdown, put
from peer_samplers import BlackjaxNUTS, PosteriorsSGLD

import ddtheory
from ddtheory import cells
from ddtheory.testing.conformance import check_estimator, conformance_cells, from_cell, metropolis
from ddtheory.testing.conformance.devinterp_sgld import DevinterpSGLD

PAGE = Path(__file__).with_name("peers.md")
RESULTS = Path(__file__).parent / "results" / "peers.json"

OURS = ("x² + y⁴, γ = 1", "(xy)²", "(xy)², γ = 1", "(x−y²)² + y⁶")
CALIBRATION = "x², γ = 1"
STEPS = (1e-4, 3e-4, 1e-3)

PEERS: dict[str, tuple[str, Callable[..., Any], tuple[float, ...]]] = {
    "blackjax NUTS": ("blackjax", BlackjaxNUTS, ()),
    "devinterp SGLD": ("devinterp", DevinterpSGLD, STEPS),
    "posteriors SGLD": ("posteriors", PosteriorsSGLD, STEPS),
}
"""Name → (package, estimator, step sizes to choose from, none where it tunes itself)."""


def calibrated(make: Callable[..., Any], steps: tuple[float, ...], budget: int) -> tuple[Any, str]:
    """The estimator, and what it was given."""
    if not steps:
        return make(), "tunes itself"
    [cell] = [cell for cell in conformance_cells() if cell.name == CALIBRATION]
    off = {}
    for step in steps:
        [found] = check_estimator(make(step), [cell], budget, jobs=1, time_limit=None, progress=False).results
        off[step] = abs(found.estimate.value - float(found.target)) if found.estimate else float("inf")
    best = min(off, key=off.__getitem__)
    return make(best), f"step {best:g}, the nearest of {len(steps)} on {CALIBRATION}"


def compare(budget: int, only: list[str] | None, results: Path) -> None:
    """Writes each row as soon as it is there."""
    known = {cell.name: cell for cell in conformance_cells()}
    chosen = [
        *(known[name] for name in OURS),
        from_cell(cells.node_death("tanh")),
        from_cell(cells.reduced_rank(inputs=2, hidden=2, outputs=2)),
    ]
    estimators: dict[str, tuple[Any, str]] = {}
    if not only or "ddtheory" in only:
        estimators["Metropolis (ours)"] = (metropolis, "proposals of many scales, nothing to tune")
    for name, (package, make, steps) in PEERS.items():
        if only and package not in only:
            continue
        if find_spec(package) is None:
            print(f"{package} is not installed: its row is left out.", file=sys.stderr)
            continue
        estimators[name] = calibrated(make, steps, budget)
    for name, (estimator, given) in estimators.items():
        found = check_estimator(estimator, chosen, budget, jobs=1, time_limit=None, name=name, progress=False)
        print(found.explain(), end="\n\n", flush=True)
        keep(results, budget, name, {"given": given, "report": found.document()})


def keep(results: Path, budget: int, name: str, row: dict[str, Any]) -> None:
    """Adds a row to those of other samplers at the same budget and with the same versions."""
    packages = ("blackjax", "devinterp", "posteriors", "jax", "torch", "numpy", "arviz-stats")
    now = environment() | {name: version(name) for name in packages} | {"ddtheory": ddtheory.__version__}
    samplers: dict[str, Any] = {}
    if results.exists():
        before = json.loads(results.read_text(encoding="utf-8"))
        same = all(before["environment"].get(name) == now[name] for name in (*packages, "ddtheory"))
        if same and before["budget"] == budget:
            samplers = before["samplers"]
    content = {"environment": now, "budget": budget, "samplers": samplers | {name: row}}
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def table(content: dict[str, Any]) -> str:
    signs = {"agrees": "✓", "too wide": "?", "biased": "✗", "failed": "!"}
    first = next(iter(content["samplers"].values()))["report"]["cells"]
    heads = ["sampler", "calibration", *(cell["name"] for cell in first)]
    exact = ["exact λ(579)", "", *(f"{float(cell['target']['midpoint']):.4f}" for cell in first)]
    rows = [exact]
    for name in ("Metropolis (ours)", *PEERS):
        row = content["samplers"].get(name)
        if row is None:
            rows.append([name, "not run", *([""] * len(first))])
            continue
        entries = []
        for cell in row["report"]["cells"]:
            found = cell["estimate"]
            text = f" {found['value']:.3f} ± {found['standard_error']:.3f}" if found else ""
            entries.append(signs[cell["verdict"]] + text)
        rows.append([name, row["given"], *entries])
    versions = ", ".join(
        f"{name} {content['environment'][name]}" for name in ("blackjax", "devinterp", "posteriors", "jax")
    )
    return f"{content['budget']:,} passes a cell, one seed. Versions: {versions}.\n\n{markdown(heads, rows)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=int, default=40_000)
    parser.add_argument("--only", nargs="+", metavar="PACKAGE", help="run these packages; other rows stay as they are")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="only write the table of the kept results")
    chosen = parser.parse_args()
    if chosen.table:
        put(PAGE, table(json.loads(chosen.out.read_text(encoding="utf-8"))))
        return
    compare(chosen.budget, chosen.only, chosen.out)


if __name__ == "__main__":
    main()
