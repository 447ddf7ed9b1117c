"""Estimators of the local learning coefficient on cells with exact answers, and what each answer costs.

    python benchmarks/conformance.py --budget 10000
    python benchmarks/conformance.py --table          # the table in conformance.md, from the kept results

devinterp's SGLD at several step sizes, Metropolis with the same budget, and for comparison the directional-Fisher
reading. Without devinterp 1.3.2 its rows are left out, and the script says so.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import torch
from environment import command, environment, version
from page import markdown, put
from torch import Tensor

import ddtheory
from ddtheory import measure
from ddtheory.testing.conformance import ConformanceReport, check_estimator, conformance_cells, metropolis
from ddtheory.testing.conformance.devinterp_sgld import DevinterpSGLD
from ddtheory.testing.conformance.posterior import PolynomialPosterior

PAGE = Path(__file__).with_name("conformance.md")

# the blocks of each cell as (number of directions that the ray stands for, ray): λ is read as Σ codimension/(2k)
RAYS: Mapping[str, tuple[tuple[int, tuple[float, ...]], ...]] = {
    "x²": ((1, (1,)),),
    "x² + y⁴": ((1, (1, 0)), (1, (0, 1))),
    "(xy)²": ((2, (1, 1)),),
    "x², γ = 1": ((1, (1,)),),
    "x⁴, γ = 1": ((1, (1,)),),
    "x² + y⁴, γ = 1": ((1, (1, 0)), (1, (0, 1))),
    "(xy)², γ = 1": ((2, (1, 1)),),
    "(xyz)², γ = 1": ((3, (1, 1, 1)),),
    "(xy)² + z⁴, γ = 1": ((2, (1, 1, 0)), (1, (0, 0, 1))),
    "x²(1−x)⁴ near 0": ((1, (1,)),),
    "x⁴y² near (1, 0)": ((1, (1, 0)), (1, (0, 1))),
    "(x−y²)² + y⁶": ((1, (1, 0)), (1, (0, 1))),
}


def reading(posterior: PolynomialPosterior, rays: tuple[tuple[int, tuple[float, ...]], ...]) -> dict[str, object]:
    """λ by directional Fisher, and how often the model was evaluated for it."""
    plain = posterior.problem()
    calls = 0

    def counted(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return plain.model(parameters, inputs)

    problem = measure.Problem(counted, plain.truth, plain.inputs, plain.head)
    orders: list[str] = []
    total: float | None = 0.0
    for codimension, ray in rays:
        found = measure.order(measure.fisher_along(problem, {"w": torch.tensor(ray, dtype=torch.float64)}))
        orders.append(str(found.k) if found.k is not None else found.status.value)
        if found.k is not None and total is not None:
            total += codimension / (2 * found.k)
        elif found.status.value != "flat":
            total = None
    return {"lambda": total, "orders": orders, "evaluations": calls}


def estimates(chosen: argparse.Namespace) -> list[ConformanceReport]:
    cells = [cell for cell in conformance_cells() if cell.name in RAYS]
    estimators = {"Metropolis": metropolis}
    if find_spec("devinterp") is None:
        print("devinterp is not installed: its rows are left out. pip install devinterp==1.3.2", file=sys.stderr)
    else:
        for step in chosen.steps:
            estimators[f"devinterp SGLD, ε = {step:g}"] = DevinterpSGLD(step)  # type: ignore[assignment]
    found = []
    for number, (name, estimator) in enumerate(estimators.items()):
        keep = chosen.keep / f"{number}.jsonl" if chosen.keep else None
        found.append(check_estimator(estimator, cells, chosen.budget, jobs=chosen.jobs, keep=keep, name=name))
        print(found[-1].explain(), end="\n\n", flush=True)
    return found


def table(content: dict) -> str:
    """Estimates by cell and estimator, with the verdicts, and the directional-Fisher reading beside them."""
    reports = content["reports"]
    signs = {"agrees": "✓", "too wide": "?", "biased": "✗", "failed": "!"}
    heads = ["cell", "λ, m", "exact λ(579)", *[report["estimator"] for report in reports]]
    heads += ["λ by directional Fisher", "its evaluations"]
    rows = []
    for index, first in enumerate(reports[0]["cells"]):
        row = [
            first["name"],
            f"{first['lambda']}, {first['multiplicity']}",
            f"{float(first['target']['midpoint']):.4f}",
        ]
        for cell in (report["cells"][index] for report in reports):
            found = cell["estimate"]
            text = f"{found['value']:.3f} ± {found['standard_error']:.3f}" if found else "none"
            row.append(f"{signs[cell['verdict']]} {text}")
        found = content["directional_fisher"][first["name"]]
        row += [f"{found['lambda']} (k = {', '.join(found['orders'])})", str(found["evaluations"])]
        rows.append(row)
    return markdown(heads, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=float, nargs="+", default=[1e-4, 3e-4, 3e-5])
    parser.add_argument("--budget", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=None)
    parser.add_argument("--keep", type=Path, help="folder of finished estimates, to go on after an interruption")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "conformance.json")
    parser.add_argument("--table", action="store_true", help="only write the table of the kept results")
    chosen = parser.parse_args()
    if chosen.table:
        put(PAGE, table(json.loads(chosen.out.read_text(encoding="utf-8"))))
        return
    cells = {cell.name: cell for cell in conformance_cells()}
    readings = {name: reading(cells[name].posterior, rays) for name, rays in RAYS.items()}
    reports = estimates(chosen)
    for name, found in readings.items():
        print(f"{name:20} λ = {cells[name].rlct.lam}  directional Fisher: {found}")
    content = {
        "command": command(),
        "environment": environment() | {"devinterp": version("devinterp"), "ddtheory": ddtheory.__version__},
        "reports": [report.document() for report in reports],
        "directional_fisher": readings,
    }
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
