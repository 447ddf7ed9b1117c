"""What a reader of a report learns: what was proved, of which K, where; and nothing that a file can forge."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from handwriting import germ, node, of_ideal
from handwritten import EXAMPLES
from hypothesis import given
from hypothesis import strategies as st
from mutations import places, replaced

from ddtheory.certify import certify_file, check
from ddtheory.certify.germs import read_germ
from ddtheory.certify.notation import fitting, plain, polynomial_text
from ddtheory.certify.refusal import Refused

CERTIFICATES = {name: json.loads(json.dumps(example.certificate)) for name, example in EXAMPLES.items()}

NASTY = ["\x1b[2J\x1b[32maccepted", "\ud800", "\u202eloot", "a\nb", "x\x00", "\u2028", "\x9b31m", "é\u0301\u200b"]


def is_plain(text: str) -> bool:
    """Printable, one line at a time, and encodable."""
    text.encode("utf-8")
    return all(line.isprintable() for line in text.split("\n"))


def test_a_divergence_is_stated() -> None:
    assert str(check(CERTIFICATES["moved"])).splitlines() == [
        "accepted: (λ, m) = (1/2, 1); 3 steps: power, eliminate, zero",
        "K = 9 - 6*x + x^2",
        "near x = 3",
        "prior: 1",
        "domain: no boundary",
        "proven as well: K >= 0 near the point",
    ]


def test_generators_prior_and_boundaries_are_stated() -> None:
    weighted = check(CERTIFICATES["weighted"])
    assert "K ≍ the sum of the squares of\n" in str(weighted) and "prior: |" in str(weighted)
    one_sided = check(CERTIFICATES["toric quadrant"])
    assert "domain: x >= 0, y >= 0" in str(one_sided)
    document = check(CERTIFICATES["on an axis"]).document()["statement"]
    assert document == {
        "kind": "generators",
        "generators": ["x^3"],
        "at": {"x": "0"},
        "prior": {"x": "-1/2"},
        "nonnegative": [],
        "field": None,
        "asked": None,
    }


def test_two_statements_differ_when_the_germs_do() -> None:
    """Whatever is changed in the input changes the text: the example is followed through all its places."""
    for name in ("moved", "weighted", "toric quadrant", "toric irrational", "cusp"):
        certificate = CERTIFICATES[name]
        found = check(certificate).statement
        assert found is not None
        for place, value in places(certificate["input"]):
            if isinstance(value, bool | int) or (isinstance(value, str) and place[-1] != "kind"):
                other = not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else "7"
                germ_of = replaced(certificate["input"], place, other)
                try:
                    read = read_germ(germ_of["germ"])
                except Refused:
                    continue
                point = tuple(map(type(found.at[0]), germ_of["at"]))
                changed = type(found)(found.kind, read, point)
                assert changed.document() != found.document() and str(changed) != str(found), place


def test_a_coefficient_in_a_field_is_stated() -> None:
    found = CERTIFICATES["toric irrational"]["derivation"]["children"][0]["germ"]
    written = read_germ(found)
    assert polynomial_text(written.generators[0], written) == "8*t^4*s^2 + 16*c*t^4*s^3 + 4*t^4*s^4"
    report = check(of_ideal(node("zero", {**germ("c"), "field": found["field"]}, "0,1")))
    assert "with c0 the root of -1 + 2*c0^2 in (" in str(report)


def test_what_is_long_is_shortened_and_says_so() -> None:
    names = " ".join(f"x{k}" for k in range(60))
    many = of_ideal(node("zero", germ(names, *["0"] * 40), "0,1"))
    text = str(check(many))
    assert "and 20 more (all of them with --json)" in text and "and 10 more (all of them with --json)" in text
    assert len(check(many).document()["statement"]["generators"]) == 40


@pytest.mark.parametrize("nasty", NASTY)
@pytest.mark.parametrize("name", ["cusp", "moved"])
def test_text_from_the_file_is_escaped(name: str, nasty: str) -> None:
    """In every place where the format has text, or a key."""
    certificate = CERTIFICATES[name]
    for place, value in places(certificate):
        mutants = []
        if isinstance(value, str):
            mutants.append(replaced(certificate, place, nasty))
        if isinstance(value, dict):
            mutants.append(replaced(certificate, place, {**value, nasty: 1}))
        for mutant in mutants:
            report = check(json.loads(json.dumps(mutant)))
            assert is_plain(str(report)), place
            assert all(is_plain(text) for _, text in places(report.document()) if isinstance(text, str))


def test_a_name_that_is_no_word_stands_in_quotes() -> None:
    """A variable that is called x*y is no product."""
    report = check(of_ideal(node("zero", germ("x"), "0,1")))
    named = json.loads(json.dumps(of_ideal(node("zero", germ("x"), "0,1"))).replace('"x"', '"x*y^2 + 1"'))
    assert 'near "x*y^2 + 1" = 0' in str(check(named)) and "near x = 0" in str(report)


@given(st.text(st.characters(), max_size=30))
def test_escaped_text_is_printable_and_says_which_text_it_was(text: str) -> None:
    assert is_plain(plain(text))
    assert plain(text).encode("latin-1", "backslashreplace").decode("unicode_escape") == text


@pytest.mark.long
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8", "shift_jis"])
def test_the_report_fits_every_terminal(encoding: str, tmp_path: Path) -> None:
    """In a process whose standard output has the encoding: no traceback, and the Greek letters are spelled out."""
    path = tmp_path / "good.json"
    path.write_text(json.dumps(CERTIFICATES["moved"]), encoding="utf-8")
    code = "import sys; from ddtheory.certify import certify_file; print(certify_file(sys.argv[1])[1])"
    ended = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
    )
    text = ended.stdout.decode(encoding)
    letter = "lambda" if encoding in ("ascii", "cp1252", "latin-1") else "λ"
    assert text.startswith(f"accepted: ({letter}, m) = (1/2, 1)")
    for report in (check(CERTIFICATES["cusp"]), check({**CERTIFICATES["cusp"], "multiplicity": 2})):
        fitting(str(report), encoding).encode(encoding)
    assert certify_file(path, as_json=True)[1].isascii()
