"""The catalogue: a page for every family of cells, and a list of all cells that can be searched."""

from __future__ import annotations

from typing import Any

from ddtheory.cells import catalogue, families
from ddtheory.cells.shared.document import document
from ddtheory.gallery.page import STATUS_MEANING, shown
from ddtheory.values import UNVERIFIED
from website.pages import render


def pages() -> dict[str, str]:
    """The pages by file name."""
    groups: dict[str, list[dict[str, Any]]] = {name: [] for name in families()}
    for cell in catalogue():
        groups[cell.family].append(shown(cell, document(cell)))
    summaries = {name: family.summary for name, family in families().items()}
    meaning = STATUS_MEANING
    return {"index.md": render("cells.md.jinja", groups=groups, summaries=summaries, meaning=meaning)} | {
        f"{name}.md": render(
            "family.md.jinja", name=name, cells=group, summary=summaries[name], meaning=meaning, unverified=UNVERIFIED
        )
        for name, group in groups.items()
    }
