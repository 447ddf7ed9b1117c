"""Text of others, names of cells and messages of estimators, as it may be shown."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""The text with escapes for what a terminal obeys and what no encoding has: controls, line ends, lone surrogates.

    >>> print(printable("λ\x1b[2J\ud800\u2028"))
    λ\x1b[2J\ud800\u2028
    """
    return "".join(
        character
        if character.isprintable()
        else character.encode("ascii", "backslashreplace").decode()
        if ord(character) > 127
        else repr(character)[1:-1]
        for character in text
    )


def encodable(text: str) -> str:
    r"""JSON text that UTF-8 can write: a lone surrogate becomes its own JSON escape.

    >>> encodable('"\ud800"')
    '"\\ud800"'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
