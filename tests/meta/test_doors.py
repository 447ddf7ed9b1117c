"""The rules by which every door reads what it is given: lists, mappings, names of files, numbers, text, messages."""

from __future__ import annotations

import itertools
import types
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import ddtheory as dd
from ddtheory.arguments import as_name, exact_fraction, list_of, pairs_of, parameter_name, path_of, read_fraction
from ddtheory.errors import DDTheoryError, InvalidValueError, place
from ddtheory.fields import Told, require, require_mapping
from ddtheory.visible import one_line


def throw(*_: object) -> Any:
    raise RuntimeError("code of somebody else")


class OddList(list):  # type: ignore[type-arg]
    __iter__ = __len__ = __repr__ = throw


class OddDict(dict):  # type: ignore[type-arg]
    items = __iter__ = __repr__ = throw


class OddText(str):
    split = strip = __len__ = __repr__ = __str__ = __format__ = throw


@pytest.mark.parametrize(
    "read",
    [
        lambda: list_of(OddList([1]), "it"),
        lambda: list_of(itertools.count(), "it"),
        lambda: list_of({"x": 1}, "it"),
        lambda: pairs_of(OddDict(x=1), "it"),
        lambda: pairs_of([("x", 1)], "it"),
        lambda: pairs_of(types.MappingProxyType(OddDict(x=1)), "it"),
        lambda: path_of("\ud800", "it"),
        lambda: path_of("a\0b", "it"),
        lambda: path_of(5, "it"),
        lambda: exact_fraction(10**5_000, "it"),
        lambda: as_name(5, "it"),
        lambda: as_name("", "it"),
        lambda: as_name("a\udfff", "it"),
        lambda: parameter_name("a..weight", "it"),
        lambda: parameter_name("a.", "it"),
        lambda: exact_fraction(0.5, "it"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(read: Callable[[], object]) -> None:
    with pytest.raises(InvalidValueError, match="it ") as refused:
        read()
    assert str(refused.value).isprintable()


def test_control_what_can_be_read_is() -> None:
    assert list_of(iter([1, 2]), "it") == [1, 2]
    assert pairs_of(types.MappingProxyType({"x": 1}), "it") == [("x", 1)]
    assert path_of(OddText("a"), "it") == Path("a")
    assert exact_fraction(3, "it") == Fraction(3)
    assert type(parameter_name(OddText("a.weight"), "it")) is str
    assert as_name("λ 𝔸.", "it") == "λ 𝔸."
    assert read_fraction("1e-3") == Fraction(1, 1000) and read_fraction("1e999999999") is None


def test_a_message_is_cut_and_no_terminal_obeys_it() -> None:
    said = str(DDTheoryError("\x1b[31m" + "x" * 10**6))
    assert len(said) < 3_000 and said.startswith("\\u001b") and said.endswith("…")
    assert place("a/b") == "a/b" and place("\ud800").isascii() and len(place("x" * 1_000)) < 50
    assert one_line("a\n\x1bb") == "a \\u001bb"


@dataclass(frozen=True, repr=False)
class Example(Told):
    name: str
    values: Any

    def __post_init__(self) -> None:
        require(self, str, "name")


def test_fields_are_plain_and_say_themselves_whatever_they_hold() -> None:
    found = Example(OddText("a"), 10**5_000)
    assert type(found.name) is str
    assert repr(found) == "Example(name='a', values=an integer of 16610 bits)"
    assert repr(Example("a", OddList())) == "Example(name='a', values=an OddList)"
    with pytest.raises(InvalidValueError, match="name of Example"):
        Example(5, 1)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="cannot be read"):
        require_mapping(Example("a", OddDict(x=1)), str, int, "values")


@pytest.mark.parametrize("digits", [5_000, -5_000])
def test_an_enclosure_prints_numbers_that_python_does_not(digits: int) -> None:
    found = dd.Enclosure(Fraction(10) ** digits, Fraction(10) ** (digits - 10))
    assert str(found).startswith("1" + "0" * 5_000 if digits > 0 else "1.00000000")
    assert digits > 0 or str(found) == "1.00000000000e-5000 ± 1.0e-5010"
    with pytest.raises(InvalidValueError, match="more digits than Python prints"):
        dd.RLCT(Fraction(10**5_000))
