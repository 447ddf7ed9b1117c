"""Text with LaTeX between dollar signs, as HTML with MathML.

Everything else in the text is escaped. Of plain text indices and exponents are lowered and raised: t^{k−1}, λ_min.
"""

from __future__ import annotations

import re
import unicodedata
import xml.etree.ElementTree as ElementTree
from html import unescape
from xml.etree.ElementTree import Element

from markupsafe import Markup, escape

from ddtheory.visible import visible

_MATH = re.compile(
    r"\$\$(?P<display>.+?)\$\$"
    r"|\\\[(?P<bracket>.+?)\\\]"
    r"|(?<!\\)\$(?P<inline>[^$]+?)(?<!\\)\$"
    r"|\\\((?P<paren>.+?)\\\)",
    re.DOTALL,
)

# fmt: off
_KEPT_ATTRIBUTES = frozenset((
    "accent", "accentunder", "columnalign", "columnlines", "columnspacing", "depth", "display", "displaystyle", "fence",
    "form", "height", "largeop", "linethickness", "lspace", "mathvariant", "maxsize", "minsize", "movablelimits",
    "notation", "rowlines", "rowspacing", "rspace", "scriptlevel", "separator", "stretchy", "symmetric", "voffset",
    "width",
))
# fmt: on


_BRACKETS = {
    bracket: {"stretchy": "true", "fence": "true", "form": form}
    for form, brackets in (("prefix", "([{"), ("postfix", ")]}"))
    for bracket in brackets
}
"""What is true of a bracket anyway, at the ends of a row."""

_ROWS = frozenset(("math", "mtd", "msqrt", "mstyle", "menclose", "mpadded", "mphantom"))
"""Elements whose content is a row without saying so."""

_TALL = frozenset(
    ("mfrac", "mtable", "munder", "mover", "munderover", "msqrt", "mroot", "mstyle", "mpadded", "menclose")
)
"""Elements beside which a bracket stretches; beside letters and their indices it hardly does."""


_SIGN = r"[0-9A-Za-z\u0370-\u03ff]"
_SCRIPT = re.compile(
    rf"\^(?:\{{(?P<braced>[^{{}}\\]+)\}}|\((?P<round>(?:[^()]|\([^()]*\))+)\)|(?P<raised>[−-]?{_SIGN}+))"
    rf"|(?<![^\W\d])(?P<letter>[^\W\d_])_(?:\{{(?P<low>[^{{}}\\]+)\}}|(?P<index>{_SIGN}+)(?!_|{_SIGN}))"
)
"""An exponent, or an index of a single letter: names of functions and files have more letters before their dash."""

_RAISED, _LOWERED = (str.maketrans("0123456789", digits) for digits in ("⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉"))

_POWER = re.compile(r"\*\*(?:\(((?:[^()]|\([^()]*\))*)\)|([\w.]+))")
_NAME = re.compile(r"[A-Za-z]+(?:_[A-Za-z0-9]+)?")
_GREEK = {
    name: unicodedata.lookup(f"GREEK SMALL LETTER {name.replace('lambda', 'lamda').upper()}")
    for name in (
        *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu"),
        *("xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"),
    )
}

_STYLES = {"bold": "BOLD", "double-struck": "DOUBLE-STRUCK", "script": "SCRIPT", "fraktur": "FRAKTUR"}


def typeset(text: str) -> Markup:
    r"""The text with its formulas as MathML, and its indices and exponents lowered and raised.

    >>> typeset("a < b, λ_min is of order M^{−1/2}, and t^(2k) by node_death")
    Markup('a &lt; b, λ<sub>min</sub> is of order M<sup>−1/2</sup>, and t<sup>2k</sup> by node_death')
    """
    parts: list[Markup] = []
    end = 0
    for found in _MATH.finditer(text):
        parts.append(_prose(text[end : found.start()]))
        display = found["display"] or found["bracket"]
        parts.append(formula(display or found["inline"] or found["paren"], display=bool(display)))
        end = found.end()
    parts.append(_prose(text[end:]))
    return Markup("").join(parts)


def formula(latex: str, *, display: bool = False) -> Markup:
    """One formula as MathML, or as code when its LaTeX is not understood."""
    from latex2mathml.converter import convert_to_element

    source = visible(latex).strip().strip("$")
    try:
        # Its elements, not its text: what stands in \text{…} goes into that text unescaped.
        root = convert_to_element(source, display="block" if display else "inline")
    except Exception:  # the converter raises errors of many kinds, and a report must still come out
        return Markup("<code>{}</code>").format(source)
    if any((node.text or "").startswith("\\") for node in root.iter()):
        return Markup("<code>{}</code>").format(source)
    for node in list(root.iter()):
        node.text = unescape(node.text) if node.text else node.text  # "&#x0003C;" for an operator "<"
        if node.text and node.get("mathvariant") in _STYLES:
            node.text = _styled(node.text, _STYLES[node.attrib.pop("mathvariant")])
        for name in set(node.attrib) - _KEPT_ATTRIBUTES:  # no links, no styles, no scripts
            del node.attrib[name]
    _lighten(root)
    if not display:
        del root.attrib["display"]
    return Markup(ElementTree.tostring(root, encoding="unicode").replace(" />", "/>"))  # in a text > is &gt;


def _styled(text: str, style: str) -> str:
    """Letters of that style, which browsers no longer make of plain ones: ℝ, 𝟏.

    >>> _styled("R1", "DOUBLE-STRUCK"), _styled("λ", "BOLD")
    ('ℝ𝟙', '𝛌')
    """
    return "".join(_letter(sign, style) for sign in text)


def _letter(sign: str, style: str) -> str:
    plain = unicodedata.name(sign, "").replace("LATIN ", "").replace("GREEK ", "").replace(" LETTER", "")
    for name in (f"MATHEMATICAL {style} {plain}", f"{style.replace('FRAKTUR', 'BLACK-LETTER')} {plain}"):
        try:
            return unicodedata.lookup(name)
        except KeyError:
            continue
    return sign


def _lighten(node: Element) -> None:
    """Leaves out what a browser takes for granted: half of a page is MathML."""
    for index, child in enumerate(node):
        _lighten(child)
        while child.tag == "mrow" and len(child) == 1:  # a row of one is that one
            node[index] = child = child[0]
    if node.tag in _ROWS and len(node) == 1 and node[0].tag == "mrow":
        node[:] = list(node[0])
    if not any(part.tag in _TALL for part in node.iter() if part is not node):
        _flatten(node)
    for child in node:
        if child.tag == "mo" and child.attrib == _BRACKETS.get(child.text or ""):
            child.attrib.clear()


def _flatten(row: Element) -> None:
    """A row of low elements: brackets need not be told how high they are, nor stand in a row of their own."""
    for child in row:
        if child.attrib == {"stretchy": "false"}:
            child.attrib.clear()
    if row.tag in (*_ROWS, "mrow"):
        parts = [list(child) if _is_bracketed(child) else [child] for child in row]
        row[:] = [part for each in parts for part in each]


def _is_bracketed(node: Element) -> bool:
    ends = [node[0], node[-1]] if node.tag == "mrow" and len(node) > 1 else []
    return bool(ends) and all(end.tag == "mo" and end.text in _BRACKETS for end in ends)


def _prose(text: str) -> Markup:
    return Markup(_SCRIPT.sub(_script, escape(visible(text.replace(r"\$", "$")))))


def _script(found: re.Match[str]) -> str:
    high = found["braced"] or found["round"] or found["raised"]
    return raised(_SCRIPT.sub(_script, high)) if high else f"{found['letter']}{lowered(found['low'] or found['index'])}"


def raised(text: str) -> str:
    """An exponent: digits as signs of their own, which are lighter than tags."""
    return text.translate(_RAISED) if text.isdecimal() else f"<sup>{text}</sup>"


def lowered(text: str) -> str:
    """An index, likewise."""
    return text.translate(_LOWERED) if text.isdecimal() else f"<sub>{text}</sub>"


def on_a_line(text: str) -> Markup:
    """What sympy prints, with raised powers and without stars: a tenth of the same as MathML.

    >>> on_a_line("2*sqrt(A)*t**(k - 1)/sigma_1**2")
    Markup('<var>2 √(A) t<sup>k − 1</sup>/σ₁²</var>')
    """
    shown, powers = str(escape(visible(text))).replace("Matrix([", "(["), 1
    while powers:
        shown, powers = _POWER.subn(lambda found: raised(found[1] or found[2]), shown)
    parts = re.split("(<[^>]*>|&[^;]*;)", shown)
    parts[::2] = [_NAME.sub(_named, part).replace("*", " ").replace("-", "−") for part in parts[::2]]
    return Markup("<var>{}</var>").format(Markup("".join(parts)))


def _named(found: re.Match[str]) -> str:
    name, _, index = found[0].partition("_")
    if name == "sqrt" and not index:
        return "√"
    return _GREEK.get(name, name) + (lowered(_GREEK.get(index, index)) if index else "")
