"""The second format, in which exponents may be sparse: the same answers, and every spoiled entry is rejected."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sympy
from handwritten import EXAMPLES
from mutations import at, places, replaced

import ddtheory as dd
from ddtheory.certify import check
from ddtheory.errors import InvalidValueError

CERTIFICATES = {name: json.loads(json.dumps(example.certificate)) for name, example in EXAMPLES.items()}
SPARSE = "ddtheory-derivation/2"


def sparse(certificate: Any) -> Any:
    """The same certificate in the second format, with the generators of all germs sparse."""
    found = replaced(certificate, ("format",), SPARSE)
    for place, value in list(places(found)):
        if place and place[-1] == "generators" and isinstance(value, list) and "prior" in at(found, place[:-1]):
            at(found, place[:-1])["generators"] = [
                [[{str(i): e for i, e in enumerate(exponents) if e}, c] for exponents, c in f] for f in value
            ]
    return found


def exponents(certificate: Any) -> Iterator[tuple[tuple[str | int, ...], dict[str, int]]]:
    """Every sparse list of exponents, with its place."""
    for place, value in places(certificate):
        if isinstance(value, dict) and len(place) > 3 and place[-4] == "generators":
            yield place, value


@pytest.mark.parametrize("name", CERTIFICATES)
def test_the_same_report_in_both_formats(name: str) -> None:
    dense, thin = check(CERTIFICATES[name]), check(sparse(CERTIFICATES[name]))
    assert thin.accepted
    assert str(thin.statement) == str(dense.statement)
    assert [(step.rule, step.lower, step.upper) for step in thin.checked] == [
        (step.rule, step.lower, step.upper) for step in dense.checked
    ]


def test_the_first_format_has_no_sparse_exponents() -> None:
    one = sparse(CERTIFICATES["cusp"])
    assert not check(replaced(one, ("format",), "ddtheory-derivation/1")).accepted
    assert not check(replaced(one, ("format",), "ddtheory-derivation/3")).accepted
    assert check(replaced(CERTIFICATES["cusp"], ("format",), SPARSE)).accepted  # the second has dense ones too


@pytest.mark.parametrize("name", ["cusp", *(name for name in list(CERTIFICATES)[:9] if name != "zero")])
def test_every_exponent_matters(name: str) -> None:
    """Each power and each place is changed, each entry dropped and each absent one added: nothing is accepted."""
    certificate, tried = sparse(CERTIFICATES[name]), 0
    for place, value in exponents(certificate):
        wrong: list[dict[str, Any]] = [{**value, key: power + 1} for key, power in value.items()]
        wrong += [{**value, key: bad} for key in value for bad in (0, -1, True, "1", None, 1.0)]
        wrong += [{other: e for other, e in value.items() if other != key} for key in value]
        wrong += [{**value, str(new): 1} for new in (0, 1, 99) if str(new) not in value]
        wrong += [{f"0{key}": e for key, e in value.items()}, {f"+{key}": e for key, e in value.items()}]
        for spoiled in wrong:
            if spoiled != value or any(isinstance(e, bool) for e in spoiled.values()):
                tried += 1
                assert not check(replaced(certificate, place, spoiled)).accepted, (place, spoiled)
    assert tried > 10


def test_places_come_in_order() -> None:
    certificate = sparse(CERTIFICATES["cusp"])
    germ = {**certificate["input"]["germ"], "generators": [[[{"1": 1, "0": 1}, "1"]]]}
    report = check(replaced(certificate, ("input", "germ"), germ))
    assert report.rejection is not None
    assert "in order" in str(report.rejection)


def test_one_place_twice_is_no_json() -> None:
    text = json.dumps(sparse(CERTIFICATES["cusp"]))
    assert '{"0": 2}' in text
    with pytest.raises(InvalidValueError, match="one entry twice"):
        check(text.replace('{"0": 2}', '{"0": 1, "0": 2}', 1))


def test_many_variables_are_written_sparse() -> None:
    names = sympy.symbols("x10:50")
    certificate = dd.rlct(generators=[*(x + x**2 for x in names[2:]), names[0] * names[1]]).to_json()
    assert certificate["format"] == SPARSE
    assert certificate["input"]["germ"]["generators"][0][0][0] == {"2": 2}
    assert check(certificate).accepted
    assert len(json.dumps(certificate)) < 60_000  # dense exponents alone are 40 numbers a term
    few = dd.rlct("x^2 + y^4").to_json()["input"]["germ"]["generators"]
    assert [term[0] for term in few[0]] == [[0, 4], [2, 0]]
