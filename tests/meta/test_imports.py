"""What an import loads, and the contracts between the rooms of the house."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from imports import ROOT, imported, loaded_after

HEAVY = {"torch", "sympy", "matplotlib", "numpy", "flint", "jinja2", "rich", "click"}


@pytest.mark.parametrize(
    "statement",
    [
        "import ddtheory",
        "import ddtheory.values, ddtheory.errors",
        "from ddtheory import RLCT, Interval; RLCT(1, 2); Interval(1, 0, 2)",
        "import ddtheory.verify",
    ],
)
def test_nothing_heavy_is_loaded(statement: str) -> None:
    assert not loaded_after(statement) & HEAVY


@pytest.mark.long
def test_the_check_sees_what_is_loaded() -> None:
    assert "sympy" in loaded_after("from ddtheory import kl_order; kl_order")
    assert "torch" in loaded_after("import ddtheory.measure")


@pytest.mark.long
@pytest.mark.parametrize("side", ["exact", "measure"])
def test_each_side_of_the_wall_loads_alone(side: str) -> None:
    foreign, heavy = {"exact": ("measure", {"torch"}), "measure": ("exact", {"sympy", "flint"})}[side]
    loaded = loaded_after(f"import ddtheory.{side}")
    assert not loaded & heavy
    assert not [name for name in loaded if name.startswith(f"ddtheory.{foreign}")]


@pytest.mark.parametrize(
    "module",
    [
        "visible",
        "errors",
        "declared",
        "shown",
        "arguments",
        "digits",
        "values",
        "fields",
        "references",
        "tabled",
        "schemas",
    ],
)
def test_what_everybody_uses_imports_the_standard_library_only(module: str) -> None:
    names = imported((ROOT / "ddtheory" / f"{module}.py").read_text(encoding="utf-8"), at_import=True)
    below = {
        "visible": set(),
        "errors": {"ddtheory.visible"},
        "declared": {"ddtheory.errors"},
        "shown": {"ddtheory.declared", "ddtheory.visible"},
        "arguments": {"ddtheory.errors"},
        "digits": {"ddtheory.arguments"},
        "fields": {
            "ddtheory.arguments",
            "ddtheory.errors",
            "ddtheory.shown",
            "ddtheory.values",
            "ddtheory.visible",
        },
        "values": {"ddtheory.arguments", "ddtheory.digits", "ddtheory.errors", "ddtheory.shown"},
        "references": {"ddtheory.errors", "ddtheory.shown", "ddtheory.values"},
        "tabled": {"ddtheory.extras", "ddtheory.shown"},
        "schemas": set(),
    }
    allowed: set[str] = below[module]
    assert not {name for name in names - allowed if name.split(".")[0] not in sys.stdlib_module_names}


# --- contracts ------------------------------------------------------------------------------------------------------

CONTRACTS = {
    contract["id"]: contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
}


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    environment = {**os.environ, "PYTHONPATH": str(root), "COLUMNS": "200"}
    return subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True)


def names(report: str, outcome: str) -> set[str]:
    """Ids of the contracts that a report calls KEPT or BROKEN."""
    return {
        identifier
        for identifier, name in CONTRACTS.items()
        if any(line.startswith(name) and f" {outcome}" in line for line in report.splitlines())
    }


def test_the_contracts_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout
    assert names(done.stdout, "KEPT") == set(CONTRACTS)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The house without its furniture: source and contracts, to be broken."""
    root = tmp_path_factory.mktemp("house")
    for package in ("ddtheory", "proofs"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


BREACHES = [
    (
        "ddtheory/measure/orders/rate.py",
        "from ddtheory.exact.orders.ray import kl_order",
        {"measure-is-blind", "wall", "storeys"},
    ),
    (
        "ddtheory/measure/orders/window.py",
        "def peek():\n    import ddtheory.cells",
        {"measure-is-blind", "measure-storeys", "wall", "storeys"},
    ),
    (
        "ddtheory/exact/thresholds/germs/ideal.py",
        "def peek():\n    from ddtheory.exact.thresholds.polyhedra import faces",
        {"threshold-storeys"},
    ),
    (
        "ddtheory/measure/heads/heads.py",
        "def peek():\n    from ddtheory.measure.setting import problem",
        {"measure-storeys"},
    ),
    ("ddtheory/measure/signatures/trajectory.py", "from ddtheory import testbeds", {"measure-is-blind", "storeys"}),
    ("ddtheory/measure/heads/heads.py", "import sympy", {"measure-is-blind", "the-bracket-is-measured"}),
    ("ddtheory/reads/rank.py", "import sympy", {"the-bracket-is-measured"}),
    ("ddtheory/workbench/measurements/rescaling.py", "from ddtheory import cells", {"measure-is-blind"}),
    ("ddtheory/workbench/measurements/curvature.py", "from ddtheory.workbench import ladder", {"measure-is-blind"}),
    ("ddtheory/workbench/measurements/line_posterior.py", "import proofs", {"measure-is-blind", "storeys"}),
    ("ddtheory/workbench/fluctuation_excess.py", "import torch", {"exact-is-exact"}),
    ("ddtheory/workbench/fluctuation_forms.py", "from ddtheory import measure", {"exact-is-exact"}),
    ("ddtheory/exact/orders/ray.py", "import torch", {"exact-is-exact"}),
    ("ddtheory/values.py", "import numpy", {"values-are-plain", "exact-is-exact"}),
    ("ddtheory/references.py", "import sympy", {"values-are-plain"}),
    ("ddtheory/values.py", "def peek():\n    from ddtheory.references import cite", {"storeys"}),
    ("ddtheory/cells/shared/cell.py", "def peek():\n    from ddtheory.verify import load", {"storeys"}),
    ("ddtheory/verify/claim.py", "import ddtheory.cli", {"storeys", "verdicts-take-no-side"}),
    ("ddtheory/verify/page.py", "def peek():\n    from ddtheory.exact import kl_order", {"verdicts-take-no-side"}),
    ("ddtheory/verify/picture.py", "import ddtheory.measure", {"verdicts-take-no-side"}),
    ("ddtheory/certify/check.py", "import sympy", {"the-checker-stands-alone"}),
    ("ddtheory/gauges/tape.py", "import ddtheory.exact", {"gauges-are-shared", "the-bracket-is-measured"}),
    ("ddtheory/networks/terms.py", "import ddtheory.measure", {"networks-are-derived"}),
    ("ddtheory/serving/server.py", "from ddtheory.exact import kl_order", {"servers-wait"}),
]


def test_every_contract_is_broken_by_one_of_these() -> None:
    assert set().union(*(broken for _, _, broken in BREACHES)) == set(CONTRACTS)


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    BREACHES,
    ids=lambda value: value.split("\n")[-1].strip() if isinstance(value, str) else "",
)
def test_the_contracts_can_fail(copy: Path, module: str, line: str, broken: set[str]) -> None:
    path = copy / module
    before = path.read_text(encoding="utf-8")
    path.write_text(f"{before}\n\n{line}\n", encoding="utf-8")
    try:
        done = lint(copy)
    finally:
        path.write_text(before, encoding="utf-8")
    assert done.returncode == 1, done.stdout
    assert names(done.stdout, "BROKEN") == broken, done.stdout
