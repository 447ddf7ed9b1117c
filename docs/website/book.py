"""The book of claims: a page for every chapter, from the JSON report of `ddtheory verify`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ddtheory.errors import InvalidValueError
from ddtheory.references import WORKS
from ddtheory.values import Citation, Verdict
from ddtheory.verify.report import SCHEMA
from ddtheory.verify.verdicts import GLYPH, MEANING
from website.pages import render

Report = Mapping[str, Any]


def pages(report: Report) -> dict[str, str]:
    """The pages by file name.

    Raises:
        InvalidValueError: a report in another format, or one in which a verdict moved or a claim could not run.
    """
    if report.get("schema") != SCHEMA:
        raise InvalidValueError(f"The report says {report.get('schema')!r}, and pages are made of {SCHEMA!r}.")
    if report["summary"]["exit_code"]:
        raise InvalidValueError("The report is no clean one: a verdict moved, or a claim could not run.")
    chapters: dict[str, list[dict[str, Any]]] = {}
    for claim in report["claims"]:
        chapters.setdefault(claim["chapter"], []).append(claim | {"source": Citation(**claim["source"])})
    shared = {
        "chapters": chapters,
        "place": {claim["id"]: claim["chapter"] for claim in report["claims"]},
        "glyph": {verdict.value: glyph for verdict, glyph in GLYPH.items()},
        "meaning": {verdict.value: what for verdict, what in MEANING.items()},
        "tone": {verdict.value: verdict.value.replace(" ", "-") for verdict in Verdict},
        "mark": {"agrees": "✓", "contradicts": "✗", "inconclusive": "?", "raised": "!", "missing": "–"},
    }
    keys = {citation["key"] for claim in report["claims"] for citation in claim["assumes"]}
    keys |= {claim["source"]["key"] for claim in report["claims"]}
    works = [WORKS[key] for key in sorted(keys & WORKS.keys())]
    return {"index.md": render("book.md.jinja", **shared, counts=report["summary"]["verdicts"], works=works)} | {
        f"{chapter}.md": render("chapter.md.jinja", **shared, chapter=chapter, claims=claims)
        for chapter, claims in chapters.items()
    }
