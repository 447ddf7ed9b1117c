"""Text that others wrote is shown, and never obeyed: in a page, on a terminal, in JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pages import EVERYTHING_HOSTILE, HOSTILE, hidden, obeyed
from rich.console import Console

from ddtheory.verify import RunResult, html, page, read, run, table
from ddtheory.verify.report import document, to_json
from ddtheory.verify.typeset import formula, typeset
from ddtheory.visible import visible, written_out

CLAIM = """
from sympy import Symbol
from ddtheory.values import Citation, Interval, Verdict
from ddtheory.verify import Claim, Comparison, Curve, Experiment, Equation, Observation, Proof, Prose

T = {text!r}

def reading():
    checks = (
        Comparison(T, Symbol(T), Interval(2.0, 1.9, 2.1), (Symbol(T),), 0.5, T, T) if {symbolic} else
        Comparison(T, 2, Interval(2.0, 1.9, 2.1), (1,), 0.5, T, T),
        Observation(T, T, T, T),
    )
    return Experiment(T, {{T: checks}}, (Curve(T, (0.1, 0.01), (1.0, 0.1), 1.0, (0.01, 0.1)),))

class Hostile(Exception):
    pass

def fails():
    raise Hostile(T)

CLAIM = Claim(
    id=T, title=T, given=T, clauses={{T: T}}, source=Citation(T, T, T), hypotheses=(T,), expected=Verdict.NARROWER,
    derive=lambda: Proof(T, (Prose(T, T), Equation(T, T, 1, 1, {{T: Symbol(T)}}))),
    measure={measure}, control=reading, counterexample=reading,
    assumes=(Citation(T, T, "javascript:alert(1)"),), titled=T, holds=T, uncovered=T, doubts=T,
)
"""


def book(folder: Path, text: str, **changes: Any) -> Path:
    chapter = folder / "book" / "chapter"
    chapter.mkdir(parents=True)
    values = {"text": text, "measure": "reading", "symbolic": False} | changes
    (chapter / "hostile.py").write_text(CLAIM.format(**values), "utf-8")
    (chapter / "broken.py").write_text(f"raise ValueError({text!r})", "utf-8")
    return chapter.parent


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return run(read(book(tmp_path_factory.mktemp("all"), EVERYTHING_HOSTILE)), jobs=1)


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return run(read(book(tmp_path_factory.mktemp("fails"), EVERYTHING_HOSTILE, measure="fails")), jobs=1)


@pytest.mark.parametrize("which", ["everything", "failing"])
def test_no_field_of_a_claim_is_obeyed_by_the_page(which: str, request: pytest.FixtureRequest) -> None:
    rendered = page.render(request.getfixturevalue(which))
    assert obeyed(rendered) == []
    assert rendered.count("&lt;script&gt;") > 20


@pytest.mark.parametrize("which", ["everything", "failing"])
def test_no_field_of_a_claim_is_obeyed_by_a_terminal(which: str, request: pytest.FixtureRequest) -> None:
    found: RunResult = request.getfixturevalue(which)
    console = Console(width=200, force_terminal=False)
    with console.capture() as shown:
        console.print(table.render(found))
        table.close(found, None, console)
    text = shown.get() + table.plain(found)
    assert hidden(text) == []
    assert r"\u001b[31mred" in text
    assert len(table.plain(found).splitlines()) == 1 + len(found.results)


def test_the_json_keeps_the_text(everything: RunResult) -> None:
    found = json.loads(to_json(everything))
    assert found["claims"][0]["title"] == EVERYTHING_HOSTILE
    assert json.loads(visible(to_json(everything))) == document(everything)


def test_a_symbol_with_a_hostile_name(tmp_path: Path) -> None:
    found = run(read(book(tmp_path, HOSTILE[0], symbolic=True)), jobs=1)
    assert obeyed(page.render(found)) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_typeset(text: str) -> None:
    assert obeyed(str(typeset(text)) + str(formula(text)) + str(formula(text, display=True))) == []


def test_what_a_template_is_given_is_escaped_and_made_visible() -> None:
    template = html.environment("ddtheory.verify").from_string('<p title="{{ text }}">{{ text }}{{ 1 }}{{ none }}</p>')
    found = template.render(text=EVERYTHING_HOSTILE, none=None)
    assert obeyed(found) == []
    assert found.endswith("1None</p>")


def test_control_the_reader_sees_what_is_obeyed() -> None:
    assert obeyed("<p><script>1</script></p>") == ["script"]
    assert obeyed('<svg onload="1"></svg>') == ["svg onload"]
    assert obeyed('<a href="javascript:1">\x1b\u202e</a>') == ["a javascript:1", "escape", "override"]


def test_visible_keeps_what_is_text() -> None:
    text = "λ ≥ ½, Größe, 中文, عربي, line\n\tend\u00a0."
    assert visible(text) is not None and visible(text) == text
    assert visible("\u200b\u2028\ud800\x7f") == r"\u200b\u2028\ud800\u007f"


def test_written_out_reads_back_as_json() -> None:
    for character in ("≥", "𝔸", "\x1b", "\U000e0001"):
        assert json.loads(f'"{written_out(character)}"') == character
