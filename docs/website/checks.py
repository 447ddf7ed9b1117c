"""What must be true of the built site: nothing comes from a network, no link is dead, nothing public is missing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ddtheory.cells import catalogue
from ddtheory.exact.thresholds.rules.table import RULES
from website.names import rooms
from website.pages import slug

_FROM_STYLES = re.compile(r"""(?:url\(\s*['"]?|@import\s+['"]?)(?:https?:)?//""")
_FROM_SCRIPTS = re.compile(r"""(?:fetch|import|open)\s*\(\s*['"`](?:https?:)?//""")


class _Page(HTMLParser):
    """The anchors of a page, where it leads, and what a browser loads to show it."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if "id" in given:
            self.anchors.add(given["id"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") not in ("index", "search", "next", "prev", "canonical", "author"):
            self.loads.append(given["href"])
        self.loads += [given[name] for name in ("src", "srcset", "poster") if name in given]
        self.loads += [given["style"]] if "url(" in given.get("style", "") else []


def complaints(site: Path) -> list[str]:
    """What is wrong with the site in a folder, a line each; none where all is well."""
    pages = read(site)
    report = json.loads((site / "report" / "report.json").read_text(encoding="utf-8"))
    return [
        *network(site, pages),
        *dead(site, pages),
        *missing(site, pages, expected(report)),
    ]


def read(site: Path) -> dict[Path, _Page]:
    """Every page of a folder."""
    return {path: _Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


def network(site: Path, pages: Mapping[Path, _Page]) -> Iterator[str]:
    """What would be loaded from a network."""
    for path, page in pages.items():
        for address in page.loads:
            if re.match(r"(https?:)?//", address) or "url(http" in address:
                yield f"{path.relative_to(site)} loads {address}"
    for path in sorted([*site.rglob("*.css"), *site.rglob("*.js")]):
        text = path.read_text(encoding="utf-8")
        if (_FROM_STYLES if path.suffix == ".css" else _FROM_SCRIPTS).search(text):
            yield f"{path.relative_to(site)} loads something from a network"


def dead(site: Path, pages: Mapping[Path, _Page]) -> Iterator[str]:
    """Links inside the site that lead nowhere."""
    for path, page in pages.items():
        for link in page.links:
            place, _, anchor = link.partition("#")
            if re.match(r"[a-zA-Z]+:", place):
                continue
            target = (path.parent / unquote(place)).resolve() if place else path
            if not target.is_file():
                yield f"{path.relative_to(site)} leads to {link}, which is not there"
            elif target in pages and anchor and unquote(anchor) not in pages[target].anchors:
                yield f"{path.relative_to(site)} leads to {link}, an anchor that is not there"


def missing(site: Path, pages: Mapping[Path, _Page], wanted: Mapping[str, set[str]]) -> Iterator[str]:
    """Anchors that a page does not have."""
    for name, anchors in wanted.items():
        page = pages.get(site / name)
        if page is None:
            yield f"{name} is not there"
            continue
        for anchor in sorted(anchors - page.anchors):
            yield f"{name} lacks {anchor}"


def expected(report: Mapping[str, Any]) -> dict[str, set[str]]:
    """Page → what has to stand there: public names, claims, cells, rules."""
    found = {f"generated/api/{room}.html": {f"{room}.{name}" for name in names} for room, names in rooms().items()}
    for claim in report["claims"]:
        found.setdefault(f"generated/book/{claim['chapter']}.html", set()).add(slug(claim["id"]))
    for cell in catalogue():
        found.setdefault(f"generated/cells/{cell.family}.html", set()).add(slug(cell.name))
    return found | {"generated/rules/index.html": {f"rule-{number}" for number, _ in enumerate(RULES, start=1)}}
