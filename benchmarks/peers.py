"""Samplers of other packages on cells with exact answers: a table of verdicts, with versions.

    pip install '.[testing,samplers,diagnosis]'
    python benchmarks/peers.py              # ten minutes of processor time
    python benchmarks/peers.py --table      # the table in peers.md, from the kept results

Each sampler has a calibration of its own, on the cell at hand and paid for out of the same budget: NUTS tunes itself
while it warms up; SGLD brings none, so `calibration.Plateau` looks for a step size as people do with a sweep. What is
not installed is left out, and the script says it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from calibration import Plateau
from environment import command, environment, version
from page import markdown, put
from peer_samplers import BlackjaxNUTS, CanonicalSGLD, NumpyroNUTS, PosteriorsSGLD

import ddtheory
from ddtheory import cells
from ddtheory.testing.conformance import (
    CatalogueCell,
    ConformanceCell,
    check_estimator,
    conformance_cells,
    from_cell,
    metropolis,
)
from ddtheory.testing.conformance.devinterp_sgld import DevinterpSGLD

PAGE = Path(__file__).with_name("peers.md")
RESULTS = Path(__file__).parent / "results" / "peers.json"

OWN = ("x² + y⁴, γ = 1", "(xy)², γ = 1", "(xyz)², γ = 1")
STEPS = (3e-5, 1e-4, 3e-4, 1e-3)

OURS = "Metropolis (ours)"
TUNES_ITSELF = "its own warm-up"
PLATEAU = f"{len(STEPS)} steps ε from {STEPS[0]:g} to {STEPS[-1]:g}, the largest of the plateau"

VERSIONS = ("blackjax", "numpyro", "devinterp", "canonical-interp", "posteriors", "jax")

PEERS: dict[str, tuple[str, Callable[[], Any], str]] = {
    "blackjax NUTS": ("blackjax", BlackjaxNUTS, TUNES_ITSELF),
    "numpyro NUTS": ("numpyro", NumpyroNUTS, TUNES_ITSELF),
    "devinterp SGLD": ("devinterp", partial(Plateau, DevinterpSGLD, STEPS), PLATEAU),
    "canonical-interp SGLD": ("canonical-interp", partial(Plateau, CanonicalSGLD, STEPS), PLATEAU),
    # Δu = ε ∇ log p + N(0, 2ε): its ε is half of that of the other two
    "posteriors SGLD": ("posteriors", partial(Plateau, PosteriorsSGLD, tuple(e / 2 for e in STEPS)), PLATEAU),
}
"""Name → (package, its estimator, its calibration)."""


def compared() -> list[ConformanceCell | CatalogueCell]:
    """The cells of the table: three of the kit's own, and four models of the catalogue."""
    known = {cell.name: cell for cell in conformance_cells()}
    return [
        *(known[name] for name in OWN),
        from_cell(cells.node_death("tanh")),
        from_cell(cells.reduced_rank(inputs=2, hidden=2, outputs=2)),
        from_cell(cells.minors(rows=3, columns=3, size=3)),
        from_cell(cells.attention_product(kind="value-output", width=3, head=2)),
    ]


def compare(budget: int, only: list[str] | None, results: Path) -> None:
    """Writes each row as soon as it is there."""
    estimators: dict[str, tuple[Any, str]] = {}
    if not only or "ddtheory" in only:
        estimators[OURS] = (metropolis, "proposals of many scales, nothing to tune")
    for name, (package, make, given) in PEERS.items():
        if only and package not in only:
            continue
        if find_spec(package.replace("-", "_")) is None:
            print(f"{package} is not installed: its row is left out.", file=sys.stderr)
            continue
        estimators[name] = (make(), given)
    for name, (estimator, given) in estimators.items():
        start = time.process_time()
        found = check_estimator(estimator, compared(), budget, jobs=1, time_limit=None, name=name, progress=False)
        spent = time.process_time() - start
        print(found.explain(), end="\n\n", flush=True)
        row = {"command": command(), "given": given, "processor_seconds": round(spent, 1)}
        keep(results, budget, name, row | {"report": found.document()})


def keep(results: Path, budget: int, name: str, row: dict[str, Any]) -> None:
    """Adds a row to those of other samplers at the same budget and with the same versions."""
    packages = (*VERSIONS, "torch", "numpy", "arviz-stats")
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
    """A row a cell, a column a sampler."""
    signs = {"agrees": "✓", "too wide": "?", "biased": "✗", "failed": "–"}
    samplers = content["samplers"]
    names = [name for name in (OURS, *PEERS) if name in samplers]
    first = samplers[names[0]]["report"]["cells"]
    rows = [["calibration", "", *(samplers[name]["given"] for name in names)]]
    for number, cell in enumerate(first):
        row = [cell["name"], f"{float(cell['target']['midpoint']):.4f}"]
        for name in names:
            entry = samplers[name]["report"]["cells"][number]
            found = entry["estimate"]
            text = f" {found['value']:.3f} ± {found['standard_error']:.3f}" if found else ""
            row.append(signs[entry["verdict"]] + text)
        rows.append(row)
    rows.append(["agree, wide, biased, no answer", "", *(_counts(samplers[name]["report"]["cells"]) for name in names)])
    rows.append(["processor seconds", "", *(f"{samplers[name]['processor_seconds']:.0f}" for name in names)])
    where = content["environment"]
    versions = ", ".join(f"{name} {where[name]}" for name in VERSIONS)
    absent = [name for name in (OURS, *PEERS) if name not in samplers]
    left_out = f" Not run: {', '.join(absent)}." if absent else ""
    return (
        f"{content['budget']:,} passes a cell, one seed, on {where['day']}, Python {where['python']}. "
        f"Versions: {versions}.{left_out}\n\n{markdown(['cell', 'exact λ(579)', *names], rows)}"
    )


def _counts(found: list[dict[str, Any]]) -> str:
    verdicts = [cell["verdict"] for cell in found]
    return ", ".join(str(verdicts.count(name)) for name in ("agrees", "too wide", "biased", "failed"))


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
