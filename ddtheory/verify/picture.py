"""Turns a figure into SVG that stands inside a page: no ids that collide, no fonts, colours from the style sheet."""

from __future__ import annotations

import re
from html import escape
from io import StringIO
from typing import TYPE_CHECKING

from ddtheory.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {
    style.INK: "var(--ink)",
    style.MUTED: "var(--muted)",
    style.GRID: "var(--line)",
    style.WINDOW: "var(--series-1)",
} | {colour: f"var(--series-{number})" for number, colour in enumerate(style.SERIES, 1)}


def inline_svg(figure: Figure, name: str, description: str) -> str:
    """The figure as one SVG element.

    Args:
        name: unique in the page; every id of the drawing is put under it.
        description: what a reader who cannot see the picture is told; plain text.
    """
    import matplotlib

    stream = StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ddtheory"}):
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :].strip()
    svg = _slim(_rename(svg, name))
    for colour, variable in _COLOURS.items():
        svg = svg.replace(colour, variable)
    return re.sub(r"<svg[^>]*>", lambda found: _open(found.group(), description), svg, count=1)


def _slim(svg: str) -> str:
    """Without metadata, and without what the page says for all pictures at once: line joins and fonts."""
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r"font: (\d+(?:\.\d+)?px) [^;\"]+", r"font-size: \1", svg)
    svg = re.sub(r" font-family: [^;\"]+;", "", svg)
    return re.sub(r"\s+", " ", svg).replace("> <", "><")


def _rename(svg: str, name: str) -> str:
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg))

    def identity(found: re.Match[str]) -> str:
        return f' id="{name}-{found[1]}"' if found[1] in used else ""

    svg = re.sub(r' id="([^"]+)"', identity, svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    return re.sub(r'(?:xlink:)?href="#([^"]+)"', rf'href="#{name}-\1"', svg)


def _open(tag: str, description: str) -> str:
    box = re.search(r'viewBox="([^"]+)"', tag)
    assert box is not None, "matplotlib writes a viewBox"
    return f'<svg viewBox="{box[1]}" role="img" aria-label="{escape(description)}">'
