"""What may stand in a page, whoever wrote the text that is shown in it."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser

VOID = frozenset({"meta", "br", "input"})

RUNS = frozenset({"script", "iframe", "object", "embed", "img", "image", "link", "base", "form", "button"})

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></title></math><script>alert(1)</script>",
    r"$\text{<script>alert(1)</script>}$",
    r"$\text{</mtext></math><img src=x onerror=alert(1)>}$",
    r"$\href{javascript:alert(1)}{x} \class{a}{y} \style{x:expression(1)}{z}$",
    r"$$\mathrm{<svg onload=alert(1)>}$$ \(\text{&lt;script&gt;}\)",
    "\x1b[31mred \u202eturned\u2066 \x9b2J \x00",
)
"""Text that a page or a terminal must show, and must not obey."""

EVERYTHING_HOSTILE = " ".join(HOSTILE)


_CELL, _ROW = frozenset({"td", "th"}), frozenset({"td", "th", "tr"})
ENDS: Mapping[str, frozenset[str]] = {
    "td": _CELL,
    "th": _CELL,
    "tr": _ROW,
    "tbody": _ROW | {"thead", "tbody"},
    "li": frozenset({"li", "p"}),
    "p": frozenset({"p"}),
    "dt": frozenset({"dt", "dd"}),
    "dd": frozenset({"dt", "dd"}),
}
"""What a start of these ends without a word, as HTML has it; the end of what holds them does too."""

MAY_STAY_OPEN = frozenset().union(*ENDS.values())


class Reader(HTMLParser):
    """Collects tags and ids, and checks that every element is closed, but for those that HTML closes by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        while self.open and self.open[-1] in ENDS.get(tag, ()):
            self.open.pop()
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self.open[-1] != tag and self.open[-1] in MAY_STAY_OPEN:
            self.open.pop()
        assert self.open.pop() == tag


def _is_filter(given: dict[str, str | None]) -> bool:
    """A box of the page's own that hides claims by the style sheet alone, and sends nothing."""
    return given.keys() == {"class", "type", "id", "checked"} and given["type"] == "checkbox"


def obeyed(page: str) -> list[str]:
    """Elements and attributes that run or load something, and characters that hide or turn text; none is wanted."""
    reader = Reader(page)
    assert reader.open == []
    found = [tag for tag, _ in reader.tags if tag in RUNS]
    found += ["input" for tag, given in reader.tags if tag == "input" and not _is_filter(given)]
    for tag, attributes in reader.tags:
        found += [f"{tag} {name}" for name in attributes if name.startswith("on") or name in ("src", "srcdoc")]
        values = [value or "" for value in attributes.values()]
        found += [f"{tag} {value}" for value in values if value.strip().lower().startswith("javascript:")]
        found += [f"{tag} style" for name in attributes if name == "style" and tag.startswith("m")]  # of a formula
    return found + hidden(page)


def hidden(text: str) -> list[str]:
    """Characters that a terminal obeys, or that turn or hide text."""
    named = {"\x1b": "escape", "\x9b": "control", "\x00": "null", "\u202e": "override", "\u2066": "isolate"}
    return [name for character, name in named.items() if character in text]
