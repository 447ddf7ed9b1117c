"""Every public result refuses fields of another type in one sentence, or shows itself with what it was given.

A result is made by the package, and its constructor is public all the same: whoever reads one from a file of their own,
or replaces a field, meets an error there, and not a traceback of the page or the table that shows it hours later.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
import surface
from hostile_values import hostile_values
from test_shown import EXAMPLES

from ddtheory.declared import require_declared
from ddtheory.errors import DDTheoryError, InvalidValueError
from ddtheory.shown import Shown

VALUES = hostile_values()
FIRST = {name.partition(",")[0]: name for name in reversed(EXAMPLES)}


def shows(result: Any) -> bool:
    return all(isinstance(said, str) for said in (repr(result), str(result), result.latex(), result._repr_html_()))


def became(result: Any, name: str, value: object) -> str:
    """What becomes of a result with another value in one of its fields."""
    try:
        changed = dataclasses.replace(result, **{name: value})
    except DDTheoryError as error:
        return "refused" if str(error).isprintable() and len(str(error)) < 600 else "refused at length"
    except Exception as error:
        return f"{type(error).__name__} where it is made"
    try:
        return "shown" if shows(changed) else "no text"
    except Exception as error:
        return f"{type(error).__name__} where it is shown"


ATTACKED = surface.public()
"""What has a recipe: `python tests/hostile` changes its arguments."""


_LATE = "the annotation is of a type that the room loads late: `import ddtheory` loads no sympy, `testing` no cells"
_SIZES = "of the right type, and of another length than what it belongs to"

NOT_ASKED: Mapping[tuple[str, str], str] = {
    ("ddtheory.Arc", "order"): _LATE,
    ("ddtheory.Derivation", "at"): "coordinates of several kinds of exact numbers, as many as variables",
    ("ddtheory.FiniteNSweep", "localisation"): _SIZES,
    ("ddtheory.FiniteNSweep", "values"): _SIZES,
    ("ddtheory.KLOrder", "k"): _LATE,
    ("ddtheory.KLOrder", "leading"): _LATE,
    ("ddtheory.cells.Family", "make"): "a function of no arguments, where the parameters are those of the examples",
    ("ddtheory.testing.ConformanceReport", "n"): "a whole number beyond what a float can be",
    ("ddtheory.testing.HiddenDivergence", "divergence"): _LATE,
    ("ddtheory.testing.HiddenGerm", "divergence"): _LATE,
    ("ddtheory.testing.KnownCell", "cell"): _LATE,
    ("ddtheory.testing.KnownGerm", "divergence"): _LATE,
    ("ddtheory.testing.conformance.CatalogueCell", "cell"): _LATE,
}
"""Fields that a result does not look at, or not at all of it, and why. What is shown may then fail."""


@pytest.mark.parametrize("full", [full for full in surface.results() if full not in ATTACKED])
def test_a_field_of_another_type_is_refused_or_shown(full: str) -> None:
    result = EXAMPLES[FIRST[full]]()
    if not dataclasses.is_dataclass(result):
        pytest.skip("it has no fields")
    found = Counter(
        (name, said)
        for name in (each.name for each in dataclasses.fields(result) if each.init)
        for _, value in VALUES
        if (said := became(result, name, value)) not in ("refused", "shown")
    )
    assert {name for name, _ in found} == {name for owner, name in NOT_ASKED if owner == full}, found


@dataclasses.dataclass(frozen=True, repr=False)
class _Declared(Shown):
    """One field of each kind that an annotation may say."""

    number: int = 1
    measured: float = 1.0
    text: str = ""
    truth: bool = True
    parts: tuple[int, str] = (1, "")
    items: tuple[float, ...] = ()
    table: Mapping[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    perhaps: Fraction | None = None
    chosen: Any = None
    unknown: NotLoadedYet = None  # type: ignore[name-defined]  # noqa: F821


GOOD = [
    {"number": 3, "measured": 3, "items": [1, 2.5]},
    {"parts": (2, "x"), "table": {"a": (1,), "b": []}, "perhaps": Fraction(1, 2)},
    {"measured": math.inf, "chosen": object(), "unknown": object(), "truth": False},
]
BAD = [
    {"number": 1.0},
    {"number": True},
    {"measured": "1"},
    {"measured": 10**400},
    {"text": b""},
    {"truth": 1},
    {"parts": (1,)},
    {"parts": ("", 1)},
    {"items": "12"},
    {"items": (1.0, None)},
    {"table": {"a": 1}},
    {"table": {1: (1,)}},
    {"table": [("a", (1,))]},
    {"perhaps": 0.5},
]


@pytest.mark.parametrize("fields", GOOD, ids=", ".join)
def test_what_an_annotation_says_is_taken(fields: dict[str, Any]) -> None:
    require_declared(_Declared(**fields))


@pytest.mark.parametrize("fields", BAD, ids=", ".join)
def test_what_it_does_not_say_is_refused_by_its_name(fields: dict[str, Any]) -> None:
    (name,) = fields
    with pytest.raises(InvalidValueError, match=f"^{name} of _Declared is "):
        _Declared(**fields)


def test_control_a_result_that_looks_at_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shown, "__post_init__", lambda self: None)
    row = EXAMPLES["ddtheory.reads.Row"]()
    assert became(row, "verdict", None) == "AttributeError where it is shown"
