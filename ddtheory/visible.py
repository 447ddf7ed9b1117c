"""Text that a terminal or a page would obey, or hide, as text that a reader sees."""

from __future__ import annotations

import unicodedata

_OBEYED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control, format (also bidirectional), surrogates, line ends
_KEPT = frozenset("\n\t")


def visible(text: str) -> str:
    r"""The text with control and format characters written out, as JSON writes them; line ends and tabs stay.

    A title can then neither colour the terminal nor turn the direction of the line, and JSON stays JSON.

    >>> print(visible("red: \x1b[31m, turned: \u202e, kept: λ ≥ 1/2"))
    red: \u001b[31m, turned: \u202e, kept: λ ≥ 1/2
    """
    text = str.__str__(text)  # not the text of somebody else's kind
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        written_out(character) if unicodedata.category(character) in _OBEYED and character not in _KEPT else character
        for character in text
    )


def one_line(text: str) -> str:
    r"""The same on one line, with single spaces.

    >>> one_line("a title\n  in two lines")
    'a title in two lines'
    """
    return visible(" ".join(str.__str__(text).split()))


def written_out(character: str) -> str:
    r"""A character as JSON writes it in ASCII.

    >>> print(written_out("≥"), written_out("𝔸"))
    \u2265 \ud835\udd38
    """
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    return f"\\u{0xD800 + (code - 0x10000 >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
