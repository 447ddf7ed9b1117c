"""Germs as text for a reader. Nothing of a certificate is printed as it stands: names and texts are escaped."""

from __future__ import annotations

from collections.abc import Sequence

from ddtheory.certify.fields import Field
from ddtheory.certify.germs import Germ
from ddtheory.certify.polynomials import Exponent, Polynomial
from ddtheory.certify.scalars import Number, Scalar, shown, sign

_LONGEST = 300
_SPELLED = {
    "λ": "lambda",
    "κ": "kappa",
    "γ": "gamma",
    "∂": "d",
    "Σ": "sum of ",
    "²": "^2",
    "≍": "~",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    "−": "-",
    "·": "*",
    "…": "...",
}


def plain(text: str, longest: int = _LONGEST) -> str:
    r"""Printable characters only, on one line, and shortened; the others are escaped as in Python.

    >>> plain("new\x1b[2Jton"), plain("\ud800\u202e")
    ('new\\x1b[2Jton', '\\ud800\\u202e')
    """
    if len(text) > longest:
        return f"{plain(text[:longest], longest)}… ({len(text)} characters)"
    return "".join(c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode("ascii") for c in text)


def fitting(text: str, encoding: str) -> str:
    r"""The text as a terminal of this encoding can print it: Greek letters and signs spelled out, the rest escaped.

    >>> fitting("(λ, m) of K ≍ x²", "cp1252"), fitting("θ ≥ λ", "ascii")
    ('(lambda, m) of K ~ x²', '\\u03b8 >= lambda')
    """
    for letter, spelled in _SPELLED.items():
        if letter in text and not _fits(letter, encoding):
            text = text.replace(letter, spelled)
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _fits(letter: str, encoding: str) -> bool:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def variable_names(germ: Germ) -> tuple[str, ...]:
    """The names of the variables; in quotes where a name is no word, so that x*y cannot pass for a product."""
    return tuple(name if _is_word(name) else f'"{plain(name)}"' for name in germ.variables)


def _is_word(name: str) -> bool:
    return len(name) <= _LONGEST and name.isidentifier()


def generator_of_field(germ: Germ) -> str:
    """A name for the number c of ℚ(c) that no variable has."""
    return next(name for name in ("c", *(f"c{k}" for k in range(germ.dimension + 1))) if name not in germ.variables)


def field_text(field: Field, name: str) -> str:
    """For instance: c the root of c^2 - 2 in (1, 2]."""
    terms: Polynomial = {(k,): a for k, a in enumerate(field.polynomial) if a}
    return f"{name} the root of {_sum(terms, [name], name)} in ({shown(field.lower)}, {shown(field.upper)}]"


def number_text(number: Number, germ: Germ) -> str:
    """A rational number, or a sum of powers of the number of the field, in brackets."""
    return _number(number, generator_of_field(germ))


def polynomial_text(p: Polynomial, germ: Germ, longest: int | None = None) -> str:
    """In the notation that `rlct` reads, lowest degree first; shortened, and saying so, when it is longer than that."""
    text = _sum(p, variable_names(germ), generator_of_field(germ))
    if longest is None or len(text) <= longest:
        return text
    return f"{text[:longest].rpartition(' ')[0]} … ({len(p)} terms)"


def _number(number: Number, name: str) -> str:
    if not isinstance(number, Scalar):
        return shown(number)
    terms: Polynomial = {(k,): part for k, part in enumerate(number.parts) if part}
    text = _sum(terms, [name], name)
    return f"({text})" if len(terms) > 1 else text


def _sum(p: Polynomial, names: Sequence[str], name_of_number: str) -> str:
    terms = [_term(exponent, p[exponent], names, name_of_number) for exponent in sorted(p, key=_by_degree)]
    text = " + ".join(terms) or "0"
    return text.replace(" + -", " - ")


def _by_degree(exponent: Exponent) -> tuple[int, Exponent]:
    return sum(exponent), tuple(-e for e in exponent)


def _term(exponent: Exponent, c: Number, names: Sequence[str], name_of_number: str) -> str:
    powers = [f"{n}^{e}" if e > 1 else n for n, e in zip(names, exponent, strict=True) if e]
    if not powers:
        return _number(c, name_of_number)
    if not isinstance(c, Scalar) and abs(c) == 1:
        return "-" * (sign(c) < 0) + "*".join(powers)
    return "*".join([_number(c, name_of_number), *powers])
