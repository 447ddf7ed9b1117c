"""The checker as a thing: what it imports, what it does with rubbish, and its face on the command line."""

from __future__ import annotations

import dataclasses
import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest
from handwritten import EXAMPLES
from hypothesis import given
from hypothesis import strategies as st
from imports import imported, loaded_after
from mutations import places, replaced

import ddtheory as dd
import ddtheory.certify
from ddtheory.certify import Report, certify_file, check
from ddtheory.errors import InvalidValueError, OutputError

SOURCES = sorted(Path(ddtheory.certify.__path__[0]).rglob("*.py"))
CUSP = json.loads(json.dumps(EXAMPLES["cusp"].certificate))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_nothing_but_the_standard_library_and_what_says_errors_and_results(path: Path) -> None:
    around = {"ddtheory.errors", "ddtheory.shown", "ddtheory.offered"}
    assert all(name.startswith("ddtheory.certify") or name in around for name in foreign(path))


def test_what_says_errors_and_results_knows_nothing_else() -> None:
    package = Path(ddtheory.certify.__path__[0]).parent
    assert foreign(package / "offered.py") == set() and foreign(package / "visible.py") == set()
    assert foreign(package / "errors.py") == {"ddtheory.visible"}
    assert foreign(package / "shown.py") == {"ddtheory.declared", "ddtheory.visible"}
    assert foreign(package / "declared.py") == {"ddtheory.errors"}


def foreign(path: Path) -> set[str]:
    """What a file imports beside the standard library."""
    names = imported(path.read_text(encoding="utf-8"))
    return {name for name in names if name.split(".")[0] not in sys.stdlib_module_names}


def test_a_fresh_interpreter_loads_nothing_heavy() -> None:
    loaded = loaded_after("import ddtheory.certify")
    assert not {name.split(".")[0] for name in loaded} & {"sympy", "flint", "torch", "numpy", "matplotlib", "click"}
    assert not {name for name in loaded if name.startswith("ddtheory.exact")}


def test_a_report_is_frozen_and_plain() -> None:
    report = check(CUSP)
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.accepted = False  # type: ignore[misc]
    document = report.document()
    assert json.loads(json.dumps(document)) == document
    assert (document["lambda"], document["multiplicity"], document["status"]) == ("5/12", 1, "exact")
    assert document["rules"] == ["newton"] and document["rejection"] is None
    refused = check({**CUSP, "lambda": "1/2"}).document()
    assert refused["lambda"] is None and refused["rejection"]["path"] == "lambda"


@pytest.mark.parametrize(
    "text", ["", "{", "[1, 2]", "null", '"text"', '{"a": 1.5}', '{"a": NaN}', '{"a": 1, "a": 1}', "[" * 5_000]
)
def test_what_is_no_certificate_at_all_is_an_error(text: str) -> None:
    with pytest.raises(InvalidValueError, match="certificate"):
        check(text)


def test_what_is_nested_too_deeply_is_rejected() -> None:
    deep: Any = CUSP["derivation"]
    for _ in range(3_000):
        deep = {**CUSP["derivation"], "rule": "best", "data": {}, "children": [deep]}
    assert "deep" in str(check({**CUSP, "derivation": deep}))


@pytest.mark.long
@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("derivation", "germ", "generators", 0, 0, 0), [10**9, 0]),
        (("derivation", "germ", "generators", 0, 0, 1), "1" * 5_000),
        (("derivation", "germ", "field"), {"minimal_polynomial": ["1"] * 300, "interval": ["0", "1"]}),
        (("derivation", "data", "faces"), [[]] * 300_000),
    ],
    ids=["power", "digits", "degree", "length"],
)
def test_what_is_too_large_is_rejected(place: tuple, value: Any) -> None:
    assert not check(replaced(CUSP, place, value)).accepted


rubbish = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "1", "1/2", "x", "newton", "infinity"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["rule", "kind", "face", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from(sorted(EXAMPLES)), st.integers(0, 10**6), rubbish)
def test_rubbish_in_any_place_never_breaks_the_checker(name: str, seed: int, value: Any) -> None:
    certificate = json.loads(json.dumps(EXAMPLES[name].certificate))
    everything = [place for place, _ in places(certificate) if place]
    place = random.Random(seed).choice(everything)
    assert isinstance(check(replaced(certificate, place, value)), Report)


@given(rubbish)
def test_rubbish_alone_never_breaks_the_checker(value: Any) -> None:
    if isinstance(value, dict):
        assert not check(value).accepted
    else:
        with pytest.raises(InvalidValueError):
            check(value)


def test_the_command_line(tmp_path: Path) -> None:
    good, bad, broken = (tmp_path / name for name in ("good.json", "bad.json", "broken.json"))
    good.write_text(json.dumps(CUSP), encoding="utf-8")
    bad.write_text(json.dumps({**CUSP, "multiplicity": 2}), encoding="utf-8")
    broken.write_text("{", encoding="utf-8")
    code, text = certify_file(good)
    assert code == 0 and text.startswith("accepted: (λ, m) = (5/12, 1); 1 step: newton\n")
    assert certify_file(bad) == (1, "rejected: multiplicity: the derivation proves 1, not 2")
    code, text = certify_file(bad, as_json=True)
    assert code == 1 and json.loads(text)["accepted"] is False
    with pytest.raises(InvalidValueError, match="no JSON"):
        certify_file(broken)
    with pytest.raises(OutputError, match="cannot be read"):
        certify_file(tmp_path / "missing.json")


def test_how_polynomials_were_read_is_on_trust_where_no_series_is_rational() -> None:
    """log Γ(1 + xy) + γxy ≍ (xy)² is a step before the certificate, which is about xy: the report quotes it."""
    certificate = dd.rlct("loggamma(1 + x*y) - x*y*digamma(1)").to_json()
    report = check(certificate)
    assert report.accepted
    assert "loggamma(x*y + 1)" in report.trusted
    assert str(report).splitlines()[-1] == f"on trust, checked by no step here: {report.trusted}"
    assert report.document()["trusted"] == report.trusted
    assert check(dd.rlct(generators=["x*y"]).to_json()).trusted == ""
    assert "on trust" not in str(check(dd.rlct(generators=["x*y"]).to_json()))


def test_what_is_on_trust_is_text_that_a_terminal_prints() -> None:
    certificate = dd.rlct("loggamma(1 + x*y) - x*y*digamma(1)").to_json()
    report = check({**certificate, "read_as": "all is proven\x1b[2J\naccepted: (λ, m) = (9, 9)" + "!" * 9_000})
    assert report.accepted
    assert "\x1b" not in report.trusted and "\n" not in report.trusted and len(report.trusted) < 2_200
    assert "read_as is no string" in str(check({**certificate, "read_as": ["nothing"]}))
