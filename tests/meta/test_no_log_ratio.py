"""log F / log t is no estimator of a rate: with F = c t^p it is off by log c / log t, which hardly decays.

Slopes are differences of logarithms. Here is that no code divides two bare logarithms, and that a constant factor of
any size does not move a reading.
"""

from __future__ import annotations

import ast
import math
from pathlib import Path

import pytest

import ddtheory.measure
import ddtheory.workbench
from ddtheory.measure import Profile, order
from ddtheory.values import ReadingStatus
from ddtheory.workbench.evidence import rate

FILES = [
    *sorted(Path(ddtheory.measure.__path__[0]).rglob("*.py")),
    *sorted(Path(ddtheory.workbench.__path__[0]).rglob("*.py")),
]

LOGARITHMS = {"log", "log2", "log10", "log1p"}


def is_bare_log(node: ast.expr, bound: dict[str, ast.expr]) -> bool:
    """A logarithm of one thing: not a difference of logarithms, not the logarithm of a quotient."""
    if isinstance(node, ast.Name) and node.id in bound:
        return is_bare_log(bound[node.id], {name: value for name, value in bound.items() if name != node.id})
    if isinstance(node, ast.UnaryOp):
        return is_bare_log(node.operand, bound)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return is_bare_log(node.left, bound) or is_bare_log(node.right, bound)
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name == "abs" and node.args:
        return is_bare_log(node.args[0], bound)
    if name not in LOGARITHMS:
        return False
    argument = node.args[0] if node.args else node.func
    return not (isinstance(argument, ast.BinOp) and isinstance(argument.op, ast.Div))


def log_ratios(source: str) -> list[int]:
    """Lines in which a bare logarithm is divided by a bare logarithm, also through a local name."""
    tree = ast.parse(source)
    bound = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Div)
        and is_bare_log(node.left, bound)
        and is_bare_log(node.right, bound)
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_logarithm_is_divided_by_a_logarithm(file: Path) -> None:
    assert log_ratios(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("k = math.log(f) / math.log(t)", True),
        ("k = torch.log(f) / torch.log(t)", True),
        ("k = 0.5 * f.log() / log(t)", True),
        ("k = -math.log(f) / abs(math.log(t))", True),
        ("a = math.log(f)\nb = math.log(t)\nk = a / b", True),
        ("k = (math.log(f) - math.log(g)) / math.log(t / s)", False),
        ("k = math.log(f / g) / math.log(t / s)", False),
        ("k = math.log(f) / n", False),
    ],
)
def test_the_search_would_find_one(source: str, found: bool) -> None:
    assert bool(log_ratios(source)) is found


RADII = tuple(2.0 ** (-n / 2) for n in range(2, 21))


@pytest.mark.parametrize("coefficient", [1e-6, 1e-2, 0.5, 3.0, 1e2, 1e6])
@pytest.mark.parametrize("k", [1, 2, 4])
def test_a_constant_factor_does_not_bias_a_reading(k: int, coefficient: float) -> None:
    """N(√c t^k, 1): F = c k² t^{2k−2}. The forbidden estimator at the smallest radius is off, no reading is."""
    fisher = tuple(coefficient * k * k * t ** (2 * k - 2) for t in RADII)
    divergence = tuple(coefficient * t ** (2 * k) / 2 for t in RADII)
    reading = order(Profile(RADII, fisher, divergence, fisher_floor=0.0, divergence_floor=0.0))
    assert (reading.status, reading.k) == (ReadingStatus.ORDER, k)
    assert reading.interval is not None and reading.interval.width < 1e-6
    forbidden = 1 + math.log(fisher[-1]) / math.log(RADII[-1]) / 2
    if coefficient * k * k != 1:
        assert abs(forbidden - k) > 0.01
        assert not reading.interval.contains(forbidden)
        assert all(not found.contains(forbidden) for found in reading.readings.values())


@pytest.mark.parametrize("radius", [0.5, 1e-2, 1e-4])
def test_one_radius_is_no_reading(radius: float) -> None:
    profile = Profile((radius,), (400 * radius**2,), (50 * radius**4,), fisher_floor=0.0, divergence_floor=0.0)
    reading = order(profile)
    assert (reading.status, reading.k, reading.interval) == (ReadingStatus.BELOW_FLOOR, None, None)


def test_the_slopes_of_the_report_are_differences_too() -> None:
    found = rate(RADII, [1e6 * t**3 for t in RADII])
    assert found.contains(3) and found.width < 1e-3
