"""Checks a derivation of a real log canonical threshold, node by node, from the certificate alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from ddtheory.certify import strict_json
from ddtheory.certify.bounds import Bound, Bounds
from ddtheory.certify.germs import Germ, Malformed, Node, read_germ, read_node
from ddtheory.certify.polyhedra import Polyhedron
from ddtheory.certify.refusal import Refused, require
from ddtheory.certify.report import Rejection, Report, Step
from ddtheory.certify.rules.ideals import check_translated
from ddtheory.certify.rules.table import RULES
from ddtheory.certify.scalars import sign
from ddtheory.errors import InvalidValueError, OutputError

FORMAT = "ddtheory-derivation/1"
NONNEGATIVE = "K >= 0 near the point"

_TOP = ("format", "input", "hypotheses", "derivation", "lambda", "multiplicity", "status", "lower", "upper")


def check(certificate: Mapping[str, Any] | str) -> Report:
    """Check a derivation of (λ, m) of K; an object, or its JSON text.

    Every rule is checked again from its data, by code that shares nothing with what produced the certificate. What is
    accepted is proven, under the hypotheses that the report lists. λ is that of K itself (one generator K ≥ 0, or
    K ≍ Σ f_j² for several), local at the point, over the reals, with the stated prior and boundaries.

    Raises:
        InvalidValueError: the text is not JSON, or not an object. A wrong certificate raises nothing: it is rejected.

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
    >>> print(check({**certificate, "multiplicity": 1}))
    rejected: multiplicity: the derivation proves 2, not 1
    """
    if isinstance(certificate, str):
        certificate = _parsed(certificate)
    if not isinstance(certificate, Mapping):
        raise InvalidValueError(
            "A certificate is a JSON object. Give the object, or its text, as to_json() returns it."
        )
    steps: list[Step] = []
    try:
        return _checked(certificate, steps)
    except Malformed as wrong:
        rejection = Rejection(wrong.path, wrong.rule, wrong.reason)
    except RecursionError:
        rejection = Rejection("", "", "it is nested too deeply to be checked")
    return Report(False, checked=tuple(steps), rejection=rejection)


def _checked(certificate: Mapping[str, Any], steps: list[Step]) -> Report:
    try:
        top = strict_json.entries(certificate, "the certificate", _TOP)
        require(top["format"] == FORMAT, f"the format is {top['format']!r}, not {FORMAT!r}")
    except Refused as refused:
        raise Malformed("", "", str(refused)) from None
    divergence, germ = _input(top["input"], top["hypotheses"])
    keeps_sign = frozenset(rule.name for rule in RULES.values() if rule.keeps_sign)
    root = read_node(top["derivation"], "derivation", divergence, keeps_sign)
    try:
        require(not root.parameters, "the root of a derivation has no parameters")
        at = strict_json.rationals(top["input"]["at"], "at", germ.dimension)
        check_translated(germ, at, root.germ)
        if divergence:
            _not_contradicted(root.germ)
    except Refused as refused:
        raise Malformed("input", "", str(refused)) from None
    for node in _nodes(root):
        _check_node(node)
        steps.append(Step(node.path, node.rule, node.claim.lower, node.claim.upper))
    return _conclusion(top, root.claim if divergence else root.claim.over(2), tuple(steps))


def _input(value: Any, hypotheses: Any) -> tuple[bool, Germ]:
    """Whether the input is one divergence K ≥ 0, and its germ before its point is moved to the origin."""
    try:
        found = strict_json.entries(value, "the input", ("kind", "germ", "at"))
        require(found["kind"] in ("divergence", "generators"), "the input is neither a divergence nor generators")
        divergence = found["kind"] == "divergence"
        germ = read_germ(found["germ"])
        require(not divergence or len(germ.generators) == 1, "a divergence is one generator")
        expected = [NONNEGATIVE] if divergence else []
        require(hypotheses == expected, f"the hypotheses must be {expected}")
        return divergence, germ
    except Refused as refused:
        raise Malformed("input", "", str(refused)) from None


def _not_contradicted(germ: Germ) -> None:
    """K ≥ 0 is assumed, not proven; but on a vertex of its Newton polyhedron, K is the sign of one monomial."""
    K = germ.generators[0]
    if not K or any(not any(exponent) for exponent in K):
        return
    for face in Polyhedron.of(K).compact_faces:
        if len(face) == 1:
            (vertex,) = face
            even = all(e % 2 == 0 or one for e, one in zip(vertex, germ.nonnegative, strict=True))
            require(even and sign(K[vertex]) > 0, f"K takes negative values, by its term with exponents {list(vertex)}")


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


def _conclusion(top: Mapping[str, Any], proven: Bounds, steps: tuple[Step, ...]) -> Report:
    exact = proven.is_exact
    status = "exact" if exact else "bounds"
    pair = proven.lower if exact else Bound(None)
    value = "infinity" if exact and pair.value is None else None if pair.value is None else str(pair.value)
    expected: Sequence[tuple[str, Any]] = (
        ("lower", proven.lower),
        ("upper", proven.upper),
        ("status", status),
        ("lambda", value),
        ("multiplicity", pair.multiplicity),
    )
    for key, wanted in expected:
        try:
            stated = strict_json.bound(top[key], key) if key in ("lower", "upper") else top[key]
            same_type = isinstance(stated, type(wanted)) and not isinstance(stated, bool)
            require(same_type and stated == wanted, f"the derivation proves {wanted}, not {stated}")
        except Refused as refused:
            raise Malformed(key, "", str(refused)) from None
    if not exact and proven.upper.value is None:
        raise Malformed("upper", "", "a derivation without an upper bound proves too little")
    hypotheses = tuple(top["hypotheses"])
    return Report(True, pair.value, pair.multiplicity, status, proven.lower, proven.upper, hypotheses, steps)


def _parsed(text: str) -> Mapping[str, Any]:
    """JSON without floats and without an entry given twice."""
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


def certify_file(path: str | Path, as_json: bool = False) -> tuple[int, str]:
    """The exit code and the text of `ddtheory certify FILE`: 0 accepted, 1 rejected. "-" reads the standard input.

    Raises:
        OutputError: the file cannot be read.
        InvalidValueError: it holds no JSON object.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(
            f"{path} cannot be read: {error}. Give a file with the JSON of a derivation, or - for stdin."
        ) from None
    report = check(text)
    shown = json.dumps(report.document(), indent=2, sort_keys=True, ensure_ascii=False) if as_json else str(report)
    return (0 if report.accepted else 1), shown
