"""Every place in the source of the checker that says no has a wrong certificate that it refuses.

`wrong_certificates.json` names for each place a certificate, the entries that are changed in it, and what becomes of it
in a checker without this place: it is accepted (and many of these claim a false pair), the checker breaks, or
another place refuses it too. Who adds a requirement adds a row, and where no changed entry is enough, a certificate in
`wrong.py`.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from derived import derived_again
from handwritten import EXAMPLES
from refusals import Refusal, outcome, refusals, spoiled, watched, without
from wrong import KEPT, certificate

from ddtheory.certify import check, matrices
from ddtheory.certify.fields import Field
from ddtheory.certify.polyhedra import Polyhedron
from ddtheory.certify.refusal import Refused
from ddtheory.certify.series import Arithmetic, Series
from ddtheory.errors import InvalidValueError, NotADivergenceError

ROWS: dict[str, Any] = json.loads((Path(__file__).parent / "wrong_certificates.json").read_text(encoding="utf-8"))
PLACES = {place.name: place for place in refusals()}


class _Broken(Mapping[str, Any]):
    def __getitem__(self, key: str) -> Any:
        raise RuntimeError

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError

    def __len__(self) -> int:
        return 1


NO_JSON: dict[str, Any] = {
    "strict_json.py plain: f'A certificate cannot be read: it raises {type(error).__name__}.'": _Broken(),
    "strict_json.py plain: A certificate has an entry whose name is no text, which JSON does not have.": {1: 2},
    "strict_json.py plain: "
    "f'A certificate holds {shown(value)}, which JSON does not have. Give what to_json() gives.'": {"format": object()},
}


def _two_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    two, three = (Field((-square, 0, 1), Fraction(1), Fraction(2)).element([0, 1]) for square in (2, 3))
    two + three


def _one_formula_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrices, "_closed_form", lambda widths: (Fraction(1), 1))
    matrices.deep_linear([2, 2, 2])


def _the_programme_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Polyhedron, "optimum", lambda self, tau: (Fraction(1), 1))
    report = check(EXAMPLES["vandermonde"].certificate)
    assert report.rejection is not None
    raise Refused(report.rejection.reason)


def _an_unknown_value(monkeypatch: pytest.MonkeyPatch) -> None:
    Arithmetic(1, 2).value(Series({}, ((0,),)))


def _a_point_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    statement = check(EXAMPLES["zero"].certificate).statement
    assert statement is not None
    replace(statement, at=())


UNREACHABLE: dict[str, tuple[str, str, Callable[[pytest.MonkeyPatch], None]]] = {
    "fields.py Element._read: numbers of two different fields meet": (
        "germs are compared, fields before generators, before their numbers meet; sums in two fields would be nonsense",
        "two different fields",
        _two_fields,
    ),
    "matrices.py deep_linear: f'the two formulas for widths {list(widths)} disagree: {closed} and {counted}'": (
        "two formulas for one number: only a fault in one of them is seen here",
        "disagree",
        _one_formula_wrong,
    ),
    "rules/closed_forms.py vandermonde: the two ways to compute the pair disagree": (
        "two formulas for one number: only a fault in one of them is seen here",
        "disagree",
        _the_programme_wrong,
    ),
    "series.py Arithmetic.value: the value of a series at the point is not known": (
        "no operation of `Arithmetic` leaves 1 in a rest; a new one that does would make wrong series",
        "not known",
        _an_unknown_value,
    ),
    "statement.py Statement.__post_init__: "
    "f'The point has {len(self.at)} coordinates, and the germ {self.germ.dimension}.'": (
        "what is read from a certificate has been counted; a statement by hand has not",
        "coordinates",
        _a_point_elsewhere,
    ),
}


def test_every_refusal_has_a_wrong_certificate() -> None:
    having = [*ROWS, *NO_JSON, *UNREACHABLE]
    assert [name for name in PLACES if name not in having] == [], "no certificate is refused there; see the docstring"
    assert [name for name in having if name not in PLACES] == [], "no such place is left"
    assert len(having) == len(set(having)) == len(PLACES) > 350


def test_what_is_spoiled_is_right() -> None:
    """The certificates that were not wrong before an entry was changed are accepted; those by hand are wrong."""
    for name in KEPT:
        assert check(KEPT[name]).accepted, name
    for name in {row["certificate"] for row in ROWS.values() if not row["edits"]}:
        assert not check(certificate(name)).accepted, name


@pytest.mark.parametrize("file", sorted({PLACES[name].file for name in ROWS}))
def test_each_refuses_and_without_it_something_else_happens(file: str) -> None:
    for name, row in ROWS.items():
        place = PLACES[name]
        if place.file == file:
            document = spoiled(certificate(row["certificate"]), row["edits"])
            assert name in _reached(document)
            assert _without(place, document) == row["without"] != name, name


def _reached(document: Any) -> list[str]:
    with watched() as watch:
        try:
            report = check(document)
        except InvalidValueError:
            return watch.reached
    assert report.outcome == "rejected"
    return watch.reached


def _without(place: Refusal, document: Any) -> str:
    with without(place):
        return outcome(document)


def test_most_wrong_certificates_are_stopped_by_one_requirement_alone() -> None:
    kinds = Counter(row["without"] if row["without"] in ("accepted", "breaks") else "another" for row in ROWS.values())
    assert kinds["accepted"] > 240 > 60 > kinds["another"]


@pytest.mark.slow
def test_many_would_prove_a_false_pair() -> None:
    """The exact side, asked about the germ alone, excludes what these certificates claim."""
    false = set()
    for row in ROWS.values():
        if row["without"] == "accepted":
            document = spoiled(certificate(row["certificate"]), row["edits"])
            if _derived_bounds_exclude(document):
                false.add(json.dumps(document))
    assert len(false) > 60


def _derived_bounds_exclude(document: Any) -> bool:
    if not isinstance(document, dict) or "reading" in document or document["input"]["germ"]["field"] is not None:
        return False
    asked = document["input"]
    try:
        found = derived_again(asked["germ"], asked["kind"], asked["at"], 5).rlct
    except (InvalidValueError, NotADivergenceError, LookupError, ValueError):  # of no format, or no divergence
        return False
    if found is None:
        return False
    (low, most), (high, least) = document["lower"], document["upper"]
    below, above = (math.inf if value == "infinity" else Fraction(value) for value in (low, high))
    more = found.lam == below and most is not None and found.m > most
    fewer = found.lam == above and least is not None and found.m < least
    return not below <= found.lam <= above or more or fewer


@pytest.mark.parametrize("name", NO_JSON)
def test_what_is_no_json_is_refused_where_it_is_read(name: str) -> None:
    assert name in _seen(NO_JSON[name])


def _seen(document: Any) -> list[str]:
    with watched() as watch, pytest.raises(InvalidValueError):
        check(document)
    return watch.reached


@pytest.mark.parametrize(
    ("text", "why"), [('{"lambda": 0.5}', "0.5 is no integer"), ('{"lambda": "1", "lambda": "2"}', "one entry twice")]
)
def test_what_the_reader_of_json_would_let_pass(text: str, why: str) -> None:
    with pytest.raises(InvalidValueError, match=why):
        check(text)


@pytest.mark.parametrize("name", UNREACHABLE)
def test_what_no_certificate_reaches_refuses_when_it_is_called(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reason, said, call = UNREACHABLE[name]
    assert reason
    with pytest.raises((Refused, InvalidValueError), match=said):
        call(monkeypatch)
