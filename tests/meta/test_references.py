"""One bibliography: every citation and every mention leads to a work of the table, and every work is cited."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ddtheory.cells import catalogue
from ddtheory.errors import InvalidValueError, UnknownNameError
from ddtheory.exact.thresholds.rules.table import RULES
from ddtheory.references import WORKS, Work, bibtex, cite
from ddtheory.values import Citation
from ddtheory.verify import load

ROOT = Path(__file__).resolve().parents[2]

FILES = sorted(
    path
    for folder in ("ddtheory", "proofs")
    for path in (ROOT / folder).rglob("*.py")
    if path != ROOT / "ddtheory" / "references.py"
)

# --- the table ------------------------------------------------------------------------------------------------------


def _table_faults(works: dict[str, Work]) -> Iterator[str]:
    seen: dict[str, str] = {}
    given_names: dict[tuple[str, str], str] = {}
    for key, work in works.items():
        if str(work.year) not in key or re.search(r"[^a-z0-9-]", key):
            yield f"{key}: a key is lower case letters, the year, and a word"
        if not re.fullmatch(r"|doi:10\.\d{4,}/\S+|arXiv:(math/\d{7}|\d{4}\.\d{4,5})", work.identifier):
            yield f"{key}: {work.identifier} is no DOI and no arXiv identifier"
        if work.called and not work.title.startswith(work.called) and work.authors != ("ddtheory",):
            yield f"{key}: {work.called} does not start its title"
        for text in filter(None, (work.identifier, work.title.casefold(), work.name)):
            if seen.setdefault(text, key) != key:
                yield f"{key} and {seen[text]}: {text}"
        for author in work.authors:
            family, _, given = author.partition(", ")
            if given and given_names.setdefault((family, given[0]), given) != given:
                yield f"{key}: {author} is elsewhere {family}, {given_names[family, given[0]]}"


def test_the_table_is_consistent() -> None:
    assert not list(_table_faults(dict(WORKS)))


@pytest.mark.parametrize(
    ("key", "spoiled"),
    [
        ("lin2012", WORKS["lin2011"]),
        ("Lin2011", WORKS["lin2011"]),
        ("twice2024", WORKS["aoyagi2024"]),
        ("other2024", replace(WORKS["aoyagi2024"], title="Another title", year=2025)),
        ("other2010", replace(WORKS["howald2001"], title="MULTIPLIER IDEALS OF MONOMIAL IDEALS", year=2010)),
        ("watanabe2018", Work(("Watanabe, S.",), 2018, "Mathematical theory of Bayesian statistics", "CRC Press")),
        ("nobody2020", Work(("Nobody, A.",), 2020, "A title", "preprint", "https://example.org")),
        ("nobody2020", Work(("Nobody, A.",), 2020, "A title", "preprint", called="Another")),
    ],
)
def test_a_fault_of_the_table_is_seen(key: str, spoiled: Work) -> None:
    assert list(_table_faults({**WORKS, key: spoiled}))


def test_the_bibliography_for_latex_has_every_work_once() -> None:
    text = bibtex()
    assert re.findall(r"^@misc\{(.*),$", text, re.MULTILINE) == sorted(WORKS)
    assert text.count("{") == text.count("}")
    assert "  eprint = {math/0402232},\n  archiveprefix = {arXiv},\n" in text
    assert "  author = {Elhage, Nelson and others},\n" in text


# --- citations ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["", " ", "chapter 4", "Chapter IV", "Chapters 4", "ch. 4", " chapter 4 "])
def test_no_place_and_a_whole_chapter_are_refused(place: str) -> None:
    with pytest.raises(InvalidValueError, match="lin2011"):
        cite("lin2011", place)


def test_an_unknown_work_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean watanabe2009"):
        cite("watanabe2008", "Theorem 6.7")


def test_a_place_that_was_not_compared_has_a_dagger() -> None:
    assert str(cite("docampo2013", "Theorem D", verified=False)) == "Docampo 2013, Theorem D †"
    assert str(cite("docampo2013", "Theorem D")) == "Docampo 2013, Theorem D"


STATEMENT = re.compile(
    r"(Main )?(Theorem|Theorems|Proposition|Propositions|Corollary|Lemma|Definition|Example|Section|Sections|Figure"
    r"|Anchor|Remark) [A-Z]?[IVX\d.]*.*"
    r"|Open problems? MAIS-O\d+.*"
    r"|Main Theorem|(thm|prop|cor|lem|rem|def):\S+(, negative control)?|[DX]\d"
)


def _citation_faults(citation: Citation) -> Iterator[str]:
    if citation.key not in WORKS:
        yield f"{citation} has no work in the table"
        return
    try:
        again = cite(citation.key, citation.label, verified=citation.verified)
    except InvalidValueError as error:
        yield str(error)
        return
    if again != citation:
        yield f"{citation} is not the citation that the table makes: {again}"
    if citation.verified and citation.key != "ddtheory2026" and not STATEMENT.fullmatch(citation.label):
        yield f"{citation}: a place without a number cannot have been compared; cite it with verified=False"


def _book() -> Iterator[Citation]:
    for entry in load():
        yield entry.claim.source
        yield from entry.claim.assumes


def _cells() -> Iterator[Citation]:
    return (cell.source for cell in catalogue())


def _rules() -> Iterator[Citation]:
    return (rule.source for rule in RULES)


@pytest.mark.parametrize("citations", [_book, _cells, _rules])
def test_every_citation_comes_from_the_table(citations: Callable[[], Iterable[Citation]]) -> None:
    found = list(citations())
    assert len(found) > 20
    assert not [fault for citation in found for fault in _citation_faults(citation)]


@pytest.mark.parametrize(
    "citation",
    [
        Citation("Lin 2011", "Proposition 4.5"),
        Citation("Lin 2011", "chapter 4", key="lin2011"),
        Citation("Lin 2011", "", key="lin2011"),
        Citation("Lin 2011, thesis", "Proposition 4.5", key="lin2011"),
        Citation("Watanabe 2009", "Theorem 6.7", "doi:10.1000/1", "watanabe2009"),
        Citation("Lin 2011", "Newton polyhedra", key="lin2011"),
    ],
)
def test_a_fault_of_a_citation_is_seen(citation: Citation) -> None:
    assert list(_citation_faults(citation))


# --- mentions in docstrings and comments ----------------------------------------------------------------------------

MENTION = re.compile(r"[A-ZÀ-Ž][\w'’-]+(?: (?:and|&) [A-ZÀ-Ž][\w-]+| et al\.)?,? \(?(?:18|19|20)\d\d\b")


def _prose(source: str) -> str:
    """The text of a file on one line, comment signs dropped."""
    return " ".join(re.sub(r"^\s*# ?", "", source, flags=re.MULTILINE).split())


def _without_works(text: str) -> str:
    """The text without the names of works, the longest first; "Nobody and Lin 2011" is not Lin 2011."""
    for name in sorted((work.name for work in WORKS.values()), key=len, reverse=True):
        text = re.sub(rf"(?<!\D and )(?<!\D & ){re.escape(name)}\b", "", text)
    return text


def _mention_faults(source: str) -> Iterator[str]:
    text = _without_works(_prose(source))
    for found in MENTION.finditer(text):
        yield f"{found.group()!r} is no work of the table"
    for found in re.finditer(r"\b(?:arXiv|doi)\W{1,2}(?:10\.)?\d{4}\S*", text):
        yield f"{found.group()!r}: name the work, the table has its identifier"
    families = {family for work in WORKS.values() for family in work.families}
    for paragraph in re.findall(r"Sources?:.*?(?:\n *\n|\"\"\"|$)", source, re.DOTALL):
        rest = _without_works(_prose(paragraph))
        for family in sorted(families):
            if re.search(rf"\b{family}\b(?!['’]s)", rest):
                yield f"{family} without a year, in {_prose(paragraph)!r}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_mention_is_a_work_of_the_table(path: Path) -> None:
    assert not list(_mention_faults(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "text",
    [
        "Source: Nobody 1999.",
        "after Nobody (1999)",
        "Source: Aoyagi & Watanabe 2005.",
        "Source: Aoyagi, Watanabe 2005.",
        "Source: Watanabe 2005.",
        "Source: Hayashi and Watanabe 2009.",
        "Source: Shirodkar 2026, thm:fisher_decay.",
        "Source: Arnold, Gusein-Zade, Varchenko, volume II.",
        "# see Lin\n# 2012",
        "Source: Shirodkar arXiv 2606.05957.",
        "the directional rate (arXiv:2606.05957)",
        "Sources: Watanabe 2009;\n    Docampo.",
    ],
)
def test_a_mention_outside_the_table_is_seen(text: str) -> None:
    assert list(_mention_faults(text))


@pytest.mark.parametrize(
    "text",
    [
        "Source: Aoyagi and\n    Watanabe 2005, Main Theorem; Watanabe 2009, Section 3.5.",
        "Source: Shirodkar 2026, Dead Directions, thm:fisher_decay.",
        "# after Trefethen and\n# Weideman 2014, Theorem 5.1",
        "Watanabe's theory, Sturm's chain",
        "Source: Sturm's theorem; Varchenko's charts.",
    ],
)
def test_a_mention_of_the_table_is_not(text: str) -> None:
    assert not list(_mention_faults(text))


# --- every work is cited --------------------------------------------------------------------------------------------


def _keys_cited(source: str) -> set[str]:
    """The first arguments of `cite` in a file."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and node.args)
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "cite" and isinstance(call.args[0], ast.Constant)
    }


def _uncited(works: Iterable[str], sources: Iterable[str]) -> set[str]:
    left = set(works)
    for source in sources:
        prose = _prose(source)
        left -= _keys_cited(source) | {key for key in left if WORKS[key].name in prose}
    return left


def test_every_work_is_cited() -> None:
    assert not _uncited(WORKS, (path.read_text(encoding="utf-8") for path in FILES))


def test_a_work_that_nobody_cites_is_seen() -> None:
    sources = ['cite("lin2011", "Proposition 4.5")', '"""After Aoyagi\n2024."""']
    assert _uncited(["lin2011", "aoyagi2024", "watanabe2009"], sources) == {"watanabe2009"}
