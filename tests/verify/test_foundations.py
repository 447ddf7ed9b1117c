"""A claim that rests on one that does not stand is marked wherever its verdict is shown."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from ddtheory.values import Verdict
from ddtheory.verify import RunResult, page, read, run, table
from ddtheory.verify.report import document

REFUTED = "lambda: Experiment('', {'order': (Comparison('order', 5, Interval(2.0, 1.9, 2.1), (), 1, ''),)})"
VAGUE = "lambda: Experiment('', {'order': (Comparison('order', 2, Interval(2.0, 1.0, 3.0), (), 1, ''),)})"


@pytest.fixture
def tower(write_claim):
    """Writes the claims top ⇒ middle ⇒ bottom, with changes of the one at the bottom, and returns their book."""

    def build(**bottom: str) -> Path:
        write_claim("bottom", **bottom)
        for name, below in (("middle", "bottom"), ("top", "middle")):
            path = write_claim(name) / "chapter" / f"{name}.py"
            text = path.read_text("utf-8").replace("hypotheses=()", f"hypotheses=(), rests_on=({below!r},)")
            path.write_text(text, "utf-8")
        return write_claim("beside")

    return build


def weak(found: RunResult) -> dict[str, list[str]]:
    return {result.record.id: [str(item) for item in result.weak] for result in found.results if result.weak}


@pytest.mark.parametrize(
    ("bottom", "state"),
    [
        ({"measure": REFUTED, "expected": "REFUTED"}, "refuted"),
        ({"measure": REFUTED}, "refuted, moved from confirmed"),
        ({"expected": "REFUTED"}, "confirmed, moved from refuted"),
        ({"measure": VAGUE, "expected": "INCONCLUSIVE"}, "inconclusive"),
        ({"measure": "None", "expected": "NOT_CHECKED"}, "not checked"),
        ({"measure": "lambda: 1 / 0"}, "which could not run"),
    ],
)
def test_all_that_rest_on_it_are_marked(tower, bottom: dict[str, str], state: str) -> None:
    found = run(read(tower(**bottom)), jobs=1)
    assert weak(found) == {name: [f"rests on bottom, {state}"] for name in ("middle", "top")}
    assert all(result.verdict is Verdict.CONFIRMED for result in found.results if result.weak)


def test_control_on_a_sound_foundation_nothing_is_marked(tower) -> None:
    found = run(read(tower()), jobs=1)
    assert weak(found) == {}
    assert "rests on" not in table.plain(found) + page.render(found)


def test_a_foundation_that_was_not_asked_for_was_not_run(tower) -> None:
    assert weak(run(read(tower()).select(["top"]), jobs=1)) == {
        "top": ["rests on bottom, not run", "rests on middle, not run"]
    }


def test_what_is_on_record_of_it_is_said(tower) -> None:
    root = tower(measure=REFUTED, expected="REFUTED")
    assert weak(run(read(root).select(["middle"]), jobs=1)) == {
        "middle": ["rests on bottom, not run, refuted on record"]
    }


def test_an_interrupted_foundation_was_not_run(tower) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    found = run(read(tower()), jobs=1, on_result=interrupt)  # after the first: "beside"
    assert weak(found)["top"] == ["rests on bottom, not run", "rests on middle, not run"]


def test_the_mark_is_in_the_table_the_page_and_the_json(tower) -> None:
    found = run(read(tower(measure=REFUTED, expected="REFUTED")), jobs=2)
    line = next(line for line in table.plain(found).splitlines() if " middle " in line)
    assert line.endswith("rests on bottom, refuted")
    console = Console(width=200)
    with console.capture() as shown:
        console.print(table.render(found))
    assert shown.get().count("rests on bottom, refuted") == 2
    assert "2 rest on what was not shown here" in table.closing_line(found, None)
    rendered = page.render(found)
    tones = re.findall(r'<details class="claim (\S+) .*?<article id="claim-([^"]*)"', rendered, re.DOTALL)
    assert {("weak", "middle"), ("confirmed", "beside")} <= set(tones)
    assert rendered.count('<span class="badge">rests on bottom, refuted</span>') == 2
    report = json.loads(json.dumps(document(found)))
    assert report["summary"]["weakly_founded"] == ["middle", "top"]
    by_id = {claim["id"]: claim["weak_foundations"] for claim in report["claims"]}
    assert by_id == {
        "beside": [],
        "bottom": [],
        "middle": [{"id": "bottom", "state": "refuted"}],
        "top": [{"id": "bottom", "state": "refuted"}],
    }


def test_a_claim_in_a_circle_is_not_its_own_weakness(write_claim) -> None:
    for name, below in (("a", "b"), ("b", "a")):
        path = write_claim(name, measure=REFUTED) / "chapter" / f"{name}.py"
        path.write_text(
            path.read_text("utf-8").replace("hypotheses=()", f"hypotheses=(), rests_on=({below!r},)"), "utf-8"
        )
    found = run(read(path.parent.parent), jobs=1)
    assert weak(found) == {
        "a": ["rests on b, refuted, moved from confirmed"],
        "b": ["rests on a, refuted, moved from confirmed"],
    }
