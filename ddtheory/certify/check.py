"""Checks a derivation of a real log canonical threshold, node by node, from the certificate alone."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from ddtheory.certify import strict_json
from ddtheory.certify.bounds import Bound, Bounds
from ddtheory.certify.germs import Germ, Malformed, Node, read_germ, read_node
from ddtheory.certify.limits import MEGABYTES, MOST_BYTES_OF_TEXT, SECONDS, Budget, limited, share, spend, within
from ddtheory.certify.notation import plain
from ddtheory.certify.reading import checked_reading
from ddtheory.certify.refusal import Exceeded, Refused, require
from ddtheory.certify.report import NONNEGATIVE, Rejection, Report, Step, Undecided
from ddtheory.certify.rules.ideals import check_translated
from ddtheory.certify.rules.table import RULES
from ddtheory.certify.scalars import Number, shown
from ddtheory.certify.signs import is_proven, refute
from ddtheory.certify.statement import KINDS, Statement
from ddtheory.errors import InvalidValueError

DENSE, SPARSE = FORMATS = ("ddtheory-derivation/1", "ddtheory-derivation/2")

_SHARE_OF_SIGNS = 0.5
_LONGEST_READING = 2_000  # characters that the report quotes

_TOP = ("format", "input", "hypotheses", "derivation", "lambda", "multiplicity", "status", "lower", "upper")


def check(certificate: Mapping[str, Any] | str, *, seconds: float = SECONDS, megabytes: float = MEGABYTES) -> Report:
    """Check a derivation of (λ, m) of K; an object, or its JSON text.

    Every rule is checked again from its data, by code that shares nothing with what produced the certificate. What is
    accepted is proven, under the hypotheses that the report lists. λ is that of K itself (one generator K ≥ 0, or
    K ≍ Σ f_j² for several) or, two-sided, of |f|; local at the point, over the reals, with the stated prior and
    boundaries. K ≥ 0 is proven or refuted where the steps allow it, and otherwise a hypothesis.

    The steps are about the polynomials of the certificate. Where these stand for expressions with functions, `reading`
    may prove it by power series, and the statement of the report names the expressions. Without it (irrational
    constants, parameters, …) the certificate says in `read_as` how they were read; that is on trust, and the report
    quotes it as such.

    Whoever wrote the certificate, the check ends: after so many seconds, before the process holds so many megabytes
    (10⁶ bytes) more than now, or at one of the sizes in `limits.py`. It is then neither accepted nor rejected. Windows
    does not say what a process holds: there only time and sizes are limited.

    Raises:
        InvalidValueError: the text is not JSON, or not an object, or a limit is no positive number. A wrong certificate
            raises nothing: it is rejected.

    >>> germ = {"variables": ["x", "y"], "prior": ["0", "0"], "nonnegative": [False, False], "field": None,
    ...         "generators": [[[[1, 1], "1"]]]}
    >>> node = {"rule": "newton", "germ": germ, "lower": ["1", 2], "upper": ["1", 2], "children": [], "data": {
    ...     "weights": ["1", "0"], "multipliers": ["1"], "support": [[1, 1]], "multiplicity": 2,
    ...     "faces": [{"exponents": [[1, 1]], "proof": {"kind": "monomial", "generator": 0}}]}}
    >>> certificate = {"format": "ddtheory-derivation/1", "hypotheses": [], "derivation": node,
    ...     "input": {"kind": "generators", "germ": germ, "at": ["0", "0"]}, "lambda": "1/2", "multiplicity": 2,
    ...     "status": "exact", "lower": ["1/2", 2], "upper": ["1/2", 2]}
    >>> print(check(certificate))
    accepted: (λ, m) = (1/2, 2); 1 step: newton
    K ≍ the sum of the squares of
      x*y
    near x = y = 0
    prior: 1
    domain: no boundary
    >>> print(check({**certificate, "multiplicity": 1}))
    rejected: multiplicity: the derivation proves 2, not 1
    """
    budget = Budget(seconds, megabytes)
    steps: list[Step] = []
    place = Place()
    try:
        with limited(budget):
            document = _parsed(str.__str__(certificate)) if isinstance(certificate, str) else certificate
            if not isinstance(document, Mapping):
                raise InvalidValueError(
                    "A certificate is a JSON object. Give the object, or its text, as to_json() returns it."
                )
            return _checked(document if document is not certificate else strict_json.plain(document), steps, place)
    except Malformed as wrong:
        rejection = Rejection(wrong.path, plain(wrong.rule), plain(wrong.reason, 2_000))
        return Report(False, checked=tuple(steps), rejection=rejection)
    except Exceeded as exceeded:
        limit = str(exceeded)
    except MemoryError:
        limit = "limit of the memory of this process"
    except RecursionError:
        limit = "limit of nested calls"
    return Report(False, checked=tuple(steps), undecided=Undecided(limit, place.doing, place.rule))


@dataclass
class Place:
    """Where a check is."""

    doing: str = "while reading"
    rule: str = ""


def _checked(certificate: Mapping[str, Any], steps: list[Step], place: Place) -> Report:
    try:
        top = strict_json.entries(certificate, "the certificate", _TOP, ("read_as", "reading"))
        form = top["format"]
        require(form in FORMATS, f"the format is {strict_json.quoted(form)}, not {' or '.join(map(repr, FORMATS))}")
    except Refused as refused:
        raise Malformed("", "", str(refused)) from None
    with strict_json.exponents_may_be_sparse(form == SPARSE):
        return _followed(top, steps, place)


def _followed(top: Mapping[str, Any], steps: list[Step], place: Place) -> Report:
    kind, germ = _input(top["input"], top["hypotheses"])
    trusted = _trusted(top)
    divergence = kind == "divergence"
    keeps_sign = frozenset(rule.name for rule in RULES.values() if rule.keeps_sign)
    root = read_node(top["derivation"], "derivation", divergence, keeps_sign)
    place.doing = "at the root"
    try:
        require(not root.parameters, "the root of a derivation has no parameters")
        listed = strict_json.items(top["input"]["at"], "at", germ.dimension)
        at = [strict_json.number(value, "an entry of at", germ.field) for value in listed]
        check_translated(germ, at, root.germ)
    except Refused as refused:
        raise Malformed("input", "", str(refused)) from None
    place.doing = "while reading the expressions"
    asked = _reading(top["reading"], kind, root.germ, at) if "reading" in top else ("", ())
    nodes = list(_nodes(root))
    for number, node in enumerate(nodes, 1):
        place.doing, place.rule = f"in step {number} of {len(nodes)}", node.rule
        _check_node(node)
        steps.append(Step(node.path, node.rule, node.claim.lower, node.claim.upper))
    place.doing, place.rule = f"after all {len(nodes)} steps, over the sign of K", ""
    proven = divergence and _sign_is_proven(root, at, stated=not top["hypotheses"])
    if divergence and not proven and not top["hypotheses"]:
        raise Malformed("hypotheses", "", f"{NONNEGATIVE!r} is neither proven by the steps nor stated")
    bounds = root.claim.over(2) if kind == "generators" else root.claim
    found = _conclusion(top, bounds, Statement(kind, germ, tuple(at), *asked), proven, tuple(steps))
    return found if "reading" in top else replace(found, trusted=trusted)


def _sign_is_proven(root: Node, at: Sequence[Number], *, stated: bool) -> bool:
    """Whether the steps prove K ≥ 0; where they do not, K itself is looked at too, and may be refuted.

    What the steps refute is refuted in the coordinates of K, if it can be seen there.
    """
    try:
        proven = _is_proven_in_time(root, stated=stated)
    except Malformed:
        _look_at(root.germ, at)
        raise
    if not proven:
        _look_at(root.germ, at)
    return proven


def _is_proven_in_time(root: Node, *, stated: bool) -> bool:
    """Where the certificate only assumes K ≥ 0, the proof gets a share of the time left.

    What takes longer stays assumed, as the certificate says. One that says it is proven is checked to the end.
    """
    if stated:
        return is_proven(root)
    try:
        with share(_SHARE_OF_SIGNS):
            return is_proven(root)
    except Exceeded:
        spend()  # the time of the whole check may be over
        return False


def _look_at(germ: Germ, at: Sequence[Number]) -> None:
    with contextlib.suppress(Exceeded), share(_SHARE_OF_SIGNS):
        refute(germ, at)
    spend()


def _input(value: Any, hypotheses: Any) -> tuple[str, Germ]:
    """What the input is, and its germ before its point is moved to the origin."""
    try:
        found = strict_json.entries(value, "the input", ("kind", "germ", "at"))
        kind = strict_json.text(found["kind"], "the kind of the input")
        require(kind in KINDS, "the input is neither a divergence nor generators, nor a function for a two-sided pair")
        germ = read_germ(found["germ"])
        require(kind == "generators" or len(germ.generators) == 1, f"a {KINDS[kind]} is one generator")
        known = [[], [NONNEGATIVE]] if kind == "divergence" else [[]]
        require(hypotheses in known, f"the hypotheses must be {' or '.join(map(str, known))}")
        return kind, germ
    except Refused as refused:
        raise Malformed("input", "", str(refused)) from None


def _trusted(top: Mapping[str, Any]) -> str:
    """How the polynomials were read from other expressions, in the words of the certificate; empty for polynomials."""
    try:
        return plain(strict_json.text(top.get("read_as", ""), "read_as"), _LONGEST_READING)
    except Refused as refused:
        raise Malformed("read_as", "", str(refused)) from None


def _reading(value: Any, kind: str, germ: Germ, at: Sequence[Number]) -> tuple[str, tuple[str, ...]]:
    """The expressions for which the polynomials are proven to stand."""
    try:
        return checked_reading(value, kind, germ, at)
    except Refused as refused:
        raise Malformed("reading", "", str(refused)) from None


def _nodes(node: Node) -> Iterator[Node]:
    """Parents before children."""
    yield node
    for child in node.children:
        yield from _nodes(child)


def _check_node(node: Node) -> None:
    rule = RULES.get(node.rule)
    try:
        if rule is None:
            raise Refused(f"there is no rule named {node.rule!r}")
        require(not node.parameters or rule.parametric, "the rule says nothing of a germ with parameters")
        proven = rule.check(node)
        for side, found, stated in (
            ("lower", proven.lower, node.claim.lower),
            ("upper", proven.upper, node.claim.upper),
        ):
            require(found == stated, f"the rule proves the {side} bound {found}, not {stated}")
        require(proven.is_consistent, f"the bounds {proven.lower} and {proven.upper} contradict each other")
    except Refused as refused:
        raise Malformed(node.path, node.rule, str(refused)) from None


def _conclusion(
    top: Mapping[str, Any], found: Bounds, statement: Statement, nonnegative: bool, steps: tuple[Step, ...]
) -> Report:
    exact = found.is_exact
    status = "exact" if exact else "bounds"
    pair = found.lower if exact else Bound(None)
    value = "infinity" if exact and pair.value is None else None if pair.value is None else shown(pair.value)
    expected: Sequence[tuple[str, Any]] = (
        ("lower", found.lower),
        ("upper", found.upper),
        ("status", status),
        ("lambda", value),
        ("multiplicity", pair.multiplicity),
    )
    for key, wanted in expected:
        try:
            stated = strict_json.bound(top[key], key) if key in ("lower", "upper") else top[key]
            same_type = isinstance(stated, type(wanted)) and not isinstance(stated, bool)
            other = str(stated) if isinstance(stated, Bound | str) else strict_json.quoted(stated)
            require(same_type and stated == wanted, f"the derivation proves {wanted}, not {other}")
        except Refused as refused:
            raise Malformed(key, "", str(refused)) from None
    if not exact and found.upper.value is None:
        raise Malformed("upper", "", "a derivation without an upper bound proves too little")
    fact = (NONNEGATIVE,) if statement.kind == "divergence" else ()
    proven, hypotheses = (fact, ()) if nonnegative else ((), fact)
    return Report(
        True,
        statement,
        pair.value,
        pair.multiplicity,
        status,
        found.lower,
        found.upper,
        proven,
        hypotheses,
        checked=steps,
    )


def _parsed(text: str) -> Mapping[str, Any]:
    """JSON without floats and without an entry given twice."""
    within(len(text), MOST_BYTES_OF_TEXT, "characters of text")
    try:
        return json.loads(text, parse_float=_no_float, parse_constant=_no_float, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        raise InvalidValueError(
            f"This is no JSON text of a certificate: {error}. Give the text that to_json() of a derivation returns."
        ) from None


def _no_float(text: str) -> NoReturn:
    raise ValueError(f"the number {text} is no integer (rationals are strings)")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has one entry twice")
    return found
