"""A measurement cannot see the prediction."""

import pathlib
import sys

from imports import imported

import ddtheory.measure
import ddtheory.workbench.measurements

ROOMS = (ddtheory.measure, ddtheory.workbench.measurements)
FILES = sorted(file for room in ROOMS for file in pathlib.Path(room.__path__[0]).rglob("*.py"))
OWN = (
    "ddtheory.measure",
    "ddtheory.workbench.measurements",
    "ddtheory.arguments",
    "ddtheory.values",
    "ddtheory.errors",
    "ddtheory.extras",
    "ddtheory.offered",
    "ddtheory.shown",
    "ddtheory.tabled",
)


def forbidden(name: str) -> bool:
    allowed = name.split(".")[0] in {"torch", "numpy", *sys.stdlib_module_names}
    return not (allowed or any(name == own or name.startswith(own + ".") for own in OWN))


def test_imports_stay_behind_the_wall():
    assert FILES
    for file in FILES:
        assert not [name for name in imported(file.read_text("utf-8")) if forbidden(name)], file.name


def test_the_check_would_notice():
    for line in (
        "from ddtheory.exact import kl_order",
        "from ddtheory.workbench import chain",
        "import sympy",
        "from ddtheory import cells",
        "from . import x",
    ):
        assert any(forbidden(name) for name in imported(line)), line


def test_modules_stay_small():
    assert all(len(file.read_text("utf-8").splitlines()) < 300 for file in FILES)
