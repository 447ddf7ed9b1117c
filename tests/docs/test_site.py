"""The pages that are made by command, and the checks of the built site: what is left out or loaded is named."""

from __future__ import annotations

import doctest
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import surface
from website import api, book, cells, checks, examples, formulas, names, rules
from website.docstrings import restructured
from website.pages import markdown, slug

import ddtheory
from ddtheory import verify
from ddtheory.cells import catalogue
from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.rules.rule import Example
from ddtheory.exact.thresholds.rules.table import RULES
from ddtheory.verify.report import document

EXAMPLE_BOOK = Path(__file__).parents[1] / "verify" / "book"


@pytest.mark.parametrize("module", ["website.docstrings", "website.links", "website.pages"])
def test_the_examples_of_the_makers(module: str) -> None:
    found = doctest.testmod(import_module(module))
    assert found.attempted and not found.failed


# --- the reference ----------------------------------------------------------------------------------------------------


def test_every_public_name_stands_in_the_reference() -> None:
    """Against the list by which the attack on the package finds its doors, which is made by import."""
    in_reference = {f"{room}.{name}" for room, given in names.rooms().items() for name in given}
    assert {full for full, _ in surface.named()} - in_reference - {f"{room}" for room in names.rooms()} == set()
    assert set(surface.ROOMS) == set(names.rooms()), "a room of the reference that is not attacked, or the other way"
    lazy = {name for name in ddtheory.__all__ if f"ddtheory.{name}" not in names.rooms()}
    assert lazy - set(names.rooms()["ddtheory"]) == {"gallery"}  # which gives no name away
    for room, text in api.pages().items():
        for name in names.rooms().get(room.removesuffix(".rst"), []):
            assert f".{name}\n" in text or f".. py:data:: {name}\n" in text


@pytest.mark.parametrize("room", names.rooms())
def test_every_name_of_the_reference_says_something(room: str) -> None:
    for name in names.rooms()[room]:
        value = getattr(import_module(room), name)
        head, *text = api.entry(room, name, value).split("\n\n")
        said = "".join(text) if head.startswith(".. py:data") else value.__doc__
        assert (said or "").strip(), f"{room}.{name} has no docstring"


ALONE = """
import json, os, sys, traceback
import sympy, torch  # none of ours, and a second of every fork that loads them
import ddtheory as dd

def said(lines):
    try:
        exec(lines)
    except BaseException:
        return traceback.format_exc()
    return "reached"

answers = {}
for room, lines in json.load(sys.stdin).items():
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.write(writing, said(lines).encode())
        os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        answers[room] = pipe.read()
    os.wait()
print(json.dumps(answers))
"""


def reached(rooms: dict[str, list[str]]) -> dict[str, str]:
    """What a fork for each room says of these lines, of an interpreter that has imported the package alone."""
    given = json.dumps({room: "\n".join(lines) for room, lines in rooms.items()})
    command = [sys.executable, "-c", ALONE]
    return json.loads(subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout)


@pytest.mark.long
def test_every_room_and_its_names_are_attributes_of_what_is_imported() -> None:
    """`import ddtheory as dd` and a dot are enough, for rooms within rooms too, and dir shows them on the way."""
    lines = {"control": ["dd.exact.nothing"]}
    for room in set(names.rooms()) - {"ddtheory"}:
        outer, _, inner = room.rpartition(".")
        path = room.replace("ddtheory", "dd", 1)
        lines[room] = [f"assert {inner!r} in dir({outer.replace('ddtheory', 'dd', 1)})"]
        lines[room] += [f"{path}.{name}" for name in names.rooms()[room]]
        lines[room] += [f"assert {name!r} in dir({path})" for name in names.rooms()[room]]
    said = reached(lines)
    assert "AttributeError" in said.pop("control")
    assert said == {room: "reached" for room in lines if room != "control"}


def beside_what_is_public(room: str) -> set[str]:
    """What `dir` shows of a room beside the names and rooms that its source gives away, and what it does not show."""
    within = {other.rpartition(".")[2] for other in names.rooms() if other.rpartition(".")[0] == room}
    return set(dir(import_module(room))) ^ within ^ set(names.rooms()[room])


@pytest.mark.parametrize("room", names.rooms())
def test_dir_shows_what_is_public_and_nothing_else(room: str) -> None:
    assert beside_what_is_public(room) == ({"gallery"} if room == "ddtheory" else set())


def test_control_a_module_and_a_helper_in_dir_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its `__dir__` a package shows the modules that it loaded, and what it imported for itself."""
    monkeypatch.delattr("ddtheory.gauges.__dir__")
    assert {"tape", "_need"} <= beside_what_is_public("ddtheory.gauges")
    assert dir(import_module("ddtheory.gallery")) == []


def in_no_list(pages: Iterable[str], notebooks: Iterable[str], lists: str) -> list[str]:
    """The pages that somebody wrote, and the notebooks, that no table of contents leads to."""
    listed = set()
    for block in re.findall(r"^```\{toctree\}\n(.*?)^```", lists, flags=re.DOTALL | re.MULTILINE):
        listed |= {re.sub(r".*<(.*)>", r"\1", line) for line in block.splitlines()}
    wanted = [*pages, *(f"generated/notebooks/{name}" for name in notebooks)]
    return sorted(set(wanted) - listed - {"index"})


def test_every_page_and_notebook_stands_in_a_list() -> None:
    root = EXAMPLE_BOOK.parents[2]
    pages, notebooks = ([path.stem for path in root.glob(glob)] for glob in ("docs/*.md", "notebooks/*.py"))
    lists = "".join((root / "docs" / name).read_text(encoding="utf-8") for name in ("index.md", "more.md"))
    assert in_no_list(pages, notebooks, lists) == [], "add a line to docs/index.md or docs/more.md"
    assert in_no_list([*pages, "mine"], [*notebooks, "own"], lists) == ["generated/notebooks/own", "mine"]


def test_text_of_a_docstring_is_shown_as_it_is() -> None:
    lines = ["Of |x|*2 and a_ *real trap*, `a|b`.", "- one", "- two", "Args:", "    n_beta: of `**k`."]
    assert list(restructured(lines)) == [
        r"Of \|x\|\*2 and a\_ *real trap*, ``a|b``.",
        "",
        "- one",
        "- two",
        "Args:",
        "    n_beta: of ``**k``.",
    ]


# --- examples to copy ----------------------------------------------------------------------------------------------


def test_every_file_of_an_example_is_read_and_downloaded() -> None:
    root = Path(examples.__file__).parents[2]
    listed = subprocess.run(["git", "ls-files", "examples"], capture_output=True, text=True, check=True, cwd=root)
    pages = examples.pages()
    kept = [Path(line) for line in listed.stdout.splitlines()]
    for file in kept:
        page, place = f"{file.parts[1]}.md", f"../../../{file.as_posix()}"
        way = "{include}" if file.name == "README.md" else "{literalinclude}"
        assert f"{way} {place}\n" in pages[page]
        assert (f"{{download}}`{'/'.join(file.parts[2:])} <{place}>`" in pages[page]) is (file.name != "README.md")
    assert {file.parts[1] for file in kept} == {name.removesuffix(".md") for name in pages} - {"index"}
    assert all(f"\n{name.removesuffix('.md')}\n" in pages["index.md"] for name in pages if name != "index.md")


# --- formulas ---------------------------------------------------------------------------------------------------------


def test_formulas_of_an_output_are_mathml(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(formulas, "warn", lambda latex, where: warned.append(latex))
    shown = formulas.in_output("<td>$a &lt; b$</td><td>5 $</td>")
    assert shown == "<td><math><mi>a</mi><mo>&lt;</mo><mi>b</mi></math></td><td>5 $</td>" and not warned
    formulas.in_output(r"<td>$\nonsense{a}$</td>")
    assert warned == [r"\nonsense{a}"]


# --- the book ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return json.loads(json.dumps(document(verify.run(verify.load(EXAMPLE_BOOK), jobs=1))))


def test_every_claim_stands_in_its_chapter_with_verdict_clauses_and_source(report: dict[str, Any]) -> None:
    report["summary"]["exit_code"] = 0
    pages = book.pages(report)
    assert Counter(claim["verdict"] for claim in report["claims"]).keys() > {"confirmed", "refuted", "narrower"}
    for claim in report["claims"]:
        text = pages[f"{claim['chapter']}.md"]
        part = text.partition(f"({slug(claim['id'])})=")[2].partition(")=\n## ")[0]
        assert f"{claim['verdict']}</span> <code>{claim['id']}</code>" in part
        assert all(f"<small>{clause['name']}</small>" in part for clause in claim["clauses"])
        assert claim["source"]["paper"] in part
        assert f"{claim['chapter']}.html#{slug(claim['id'])}" in pages["index.md"]


@pytest.mark.parametrize("change", [{"schema": "ddtheory.report/1"}, {"summary": {"exit_code": 1}}])
def test_a_report_that_is_not_clean_makes_no_book(report: dict[str, Any], change: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        book.pages(report | change)


def test_what_a_claim_says_is_shown_and_not_obeyed(report: dict[str, Any]) -> None:
    claim = report["claims"][0] | {"title": "<script>a*b</script>", "given": "<img src=x>", "reason": "~~~~~~\n# x"}
    summary = report["summary"] | {"exit_code": 0}
    pages = book.pages(report | {"claims": [claim], "summary": summary})
    assert r"## \<script\>a\*b\</script\>" in pages[f"{claim['chapter']}.md"]
    assert not any("<script" in text.replace(r"\<", "") or "<img" in text for text in pages.values())


# --- cells and rules --------------------------------------------------------------------------------------------------


def test_every_cell_is_listed_and_has_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    few = [next(cell for cell in catalogue() if cell.family == name) for name in ("node_death", "brieskorn")]
    monkeypatch.setattr(cells, "catalogue", lambda: few)
    pages = cells.pages()
    for cell in few:
        assert f'<div id="{slug(cell.name)}">' in pages[f"{cell.family}.md"]
        assert f"{cell.family}.html#{slug(cell.name)}" in pages["index.md"]
        assert f"λ = {cell.truth.rlct.lam}, m = {cell.truth.rlct.m}" in pages[f"{cell.family}.md"]


@pytest.mark.long
def test_every_cell_has_an_anchor_of_its_own() -> None:
    places = [(cell.family, slug(cell.name)) for cell in catalogue()]
    assert len(set(places)) == len(places)


@pytest.mark.long
def test_every_rule_is_shown_with_statement_and_derivation() -> None:
    (page,) = rules.pages().values()
    for number, rule in enumerate(RULES, start=1):
        assert f'id="rule-{number}"' in page and f"### {number}. {rule.name.replace('_', ' ')}: " in page
        assert str(markdown(rule.hypothesis)) in page and str(rule.source) in page


def test_control_a_rule_whose_example_is_not_accepted_stops_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refused:
        accepted = False

    monkeypatch.setattr(rules, "RULES", RULES[:1])
    monkeypatch.setattr(ddtheory.certify, "check", lambda text: Refused())
    with pytest.raises(AssertionError, match=RULES[0].name):
        rules.pages()


def test_the_derivation_of_an_example_is_that_of_its_germ() -> None:
    example = Example("x^2*y^4", None, "by hand")
    assert str(rules.derived(example).rlct.lam) == "1/4"
    assert str(rules.derived(replace(example, given=("x*y", "x^3"), prior={"x": 1})).rlct.lam) == "2/3"


# --- the checks of the built site -------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Two pages that are well."""
    (tmp_path / "a.html").write_text('<h1 id="top">A</h1><a href="sub/b.html#part">b</a> <a href="https://x.org">x</a>')
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.html").write_text('<p id="part"><a href="../a.html">a</a><script src="../own.js"></script>')
    (tmp_path / "own.js").write_text("const link = 'https://x.org';")
    (tmp_path / "own.css").write_text("p { background: url(own.png) }")
    return tmp_path


def found(site: Path) -> list[str]:
    pages = checks.read(site)
    return [*checks.network(site, pages), *checks.dead(site, pages), *checks.missing(site, pages, {"a.html": {"top"}})]


def test_a_site_that_is_well_has_no_complaints(site: Path) -> None:
    assert found(site) == []


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("a.html", '<b id="top"></b><img src="https://x.org/a.png">', "loads https://x.org/a.png"),
        ("a.html", '<b id="top"></b><link rel="stylesheet" href="//x.org/a.css">', "loads //x.org/a.css"),
        ("a.html", '<b id="top" style="background: url(https://x.org/a.png)"></b>', "loads background"),
        ("own.css", "@import 'https://x.org/a.css';", "own.css loads"),
        ("own.css", "p { background: url( //x.org/a.png) }", "own.css loads"),
        ("own.js", "fetch('https://x.org/a.json')", "own.js loads"),
        ("a.html", '<b id="top"></b><a href="c.html">c</a>', "leads to c.html"),
        ("a.html", '<b id="top"></b><a href="sub/b.html#other">c</a>', "an anchor that is not there"),
        ("a.html", "<b></b>", "a.html lacks top"),
    ],
)
def test_what_is_wrong_is_named(site: Path, file: str, text: str, says: str) -> None:
    (site / file).write_text(text)
    assert any(says in line for line in found(site))


def test_a_page_that_is_not_there_is_named(site: Path) -> None:
    assert list(checks.missing(site, {}, {"c.html": {"x"}})) == ["c.html is not there"]


def test_what_must_stand_there_is_everything(report: dict[str, Any]) -> None:
    wanted = checks.expected(report)
    assert "ddtheory.measure.order" in wanted["generated/api/ddtheory.measure.html"]
    assert sum(len(found) for page, found in wanted.items() if "/cells/" in page) == len(catalogue())
    assert sum(len(found) for page, found in wanted.items() if "/book/" in page) == len(report["claims"])
    assert len(wanted["generated/rules/index.html"]) == len(RULES)
