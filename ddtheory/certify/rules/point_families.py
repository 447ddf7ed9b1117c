"""Germs at many points at once: some variables, the parameters of a family, stand for arbitrary real values.

The claim of such a node is the dominating pair over all the points where the other variables are 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from ddtheory.certify import strict_json
from ddtheory.certify.bounds import Bounds, united
from ddtheory.certify.germs import Germ, Node
from ddtheory.certify.polynomials import Exponent, Polynomial, multiply, power, proportional, pruned, variable
from ddtheory.certify.refusal import require
from ddtheory.certify.rules.rule import rule
from ddtheory.certify.scalars import Number, sign
from ddtheory.certify.sturm import Univariate, derivative, divided, gcd, roots, trimmed


@rule("contract", keeps_sign=True, parametric=True)
def contract(node: Node) -> Bounds:
    """Every generator is quasi-homogeneous for integer degrees that are positive on the parameters: the scaling
    x_i → s^{a_i} x_i, s → 0, keeps the pair and brings every point in question to the origin, where the pair dominates
    all those nearby (the pair is semicontinuous). So the origin stands for all of them.
    """
    data = node.have("degrees")
    degrees = [
        strict_json.integer(a, "a degree") for a in strict_json.items(data["degrees"], "degrees", node.germ.dimension)
    ]
    require(all(degrees[index] > 0 for index in node.parameters), "the degree of a parameter is not positive")
    for number, f in enumerate(node.germ.generators):
        weights = {sum(a * e for a, e in zip(degrees, exponent, strict=True)) for exponent in f}
        require(len(weights) <= 1, f"generator {number} is not homogeneous for these degrees")
    child = node.only_child()
    child.must_be(node.germ)
    return child.claim


@rule("roots", keeps_sign=True, parametric=True)
def at_roots(node: Node) -> Bounds:
    """A parameter v with f_j = p_j(v)·g_j, g_j free of v. Where every p_j(v) ≠ 0 the ideal is ⟨g_j⟩; at a real root c
    it is the smaller ⟨(v − c)^{e_j} g_j⟩, which dominates. So one child for every system (e_j) of multiplicities that
    occurs, with v^{e_j} g_j at v = 0, and ⟨g_j⟩ alone when there is no real root.

    The prior |v|^h belongs to the root 0 only: at every other root the weight of v is 0.
    """
    data = node.have("variable", "factors")
    germ = node.germ
    v = strict_json.integer(data["variable"], "the variable", 0, germ.dimension)
    require(v in node.parameters and not germ.nonnegative[v], "the variable is no parameter of both signs")
    split = [own_factor(f, v) for f in germ.generators if f]
    require(len(split) == len(germ.generators), "a generator is 0")
    factors = [_in_one(node.polynomial(f, "a factor"), v) for f in strict_json.items(data["factors"], "factors")]
    left = node.parameters - {v}
    if not factors:
        require(all(roots(own) == 0 for own, _ in split), "a real root is left out")
        child = node.only_child()
        _must_be(child, _weightless(germ, v), [rest for _, rest in split], left)
        return child.claim
    require(len(factors) == len(node.children), "there is not one child for every factor")
    seen: Univariate = [1]
    for factor, child in zip(factors, node.children, strict=True):
        require(roots(factor) > 0, "a factor has no real root")
        require(len(gcd(factor, derivative(factor))) == 1, "a factor has a multiple root")
        require(len(gcd(factor, seen)) == 1, "two factors have a common root")
        seen = _product(seen, factor)
        powers = [_multiplicity(own, factor) for own, _ in split]
        moved = [
            multiply(rest, power(variable(germ.dimension, v), e, germ.dimension))
            for e, (_, rest) in zip(powers, split, strict=True)
        ]
        at_zero = len(factor) == 2 and sign(factor[0]) == 0
        require(at_zero or germ.prior[v] == 0 or sign(factor[0]) != 0, "the root 0, which has a weight, needs a factor")
        _must_be(child, germ if at_zero else _weightless(germ, v), moved, left)
    for own, _ in split:
        require(roots(own) == roots(gcd(own, seen)), "a real root is left out")
    return united([child.claim for child in node.children])


def _weightless(germ: Germ, v: int) -> Germ:
    return replace(germ, prior=tuple(Fraction(0) if i == v else h for i, h in enumerate(germ.prior)))


def own_factor(f: Polynomial, v: int) -> tuple[Univariate, Polynomial]:
    """p(v) and g with f = p(v)·g, g free of v, up to a constant."""
    slices: dict[Exponent, dict[int, Number]] = {}
    for exponent, c in f.items():
        rest = tuple(0 if i == v else e for i, e in enumerate(exponent))
        slices.setdefault(rest, {})[exponent[v]] = c
    first = next(iter(slices.values()))
    lead = max(first)
    for other in slices.values():
        same = other.keys() == first.keys() and all(
            sign(other[e] * first[lead] - first[e] * other[lead]) == 0 for e in first
        )
        require(same, "the parameter does not occur in a factor of its own")
    own = trimmed([first.get(e, 0) for e in range(lead + 1)])
    return own, pruned({rest: other[lead] for rest, other in slices.items()})


def _in_one(f: Polynomial, v: int) -> Univariate:
    require(
        bool(f) and all(not any(exponent[:v] + exponent[v + 1 :]) for exponent in f), "a factor has other variables"
    )
    return trimmed(
        [f.get(tuple(e if i == v else 0 for i in range(len(next(iter(f))))), 0) for e in range(1 + _degree(f, v))]
    )


def _degree(f: Polynomial, v: int) -> int:
    return max(exponent[v] for exponent in f)


def _multiplicity(own: Univariate, factor: Univariate) -> int:
    """The e with own = factor^e · rest, rest without a root of the factor."""
    found = 0
    while True:
        quotient, rest = divided(own, factor) if len(own) >= len(factor) else ([], own)
        if rest:
            break
        own, found = quotient, found + 1
    require(len(gcd(own, factor)) == 1, "the roots of a factor have different multiplicities")
    return found


def _product(p: Univariate, q: Univariate) -> Univariate:
    found: Univariate = [0] * (len(p) + len(q) - 1)
    for i, a in enumerate(p):
        for j, b in enumerate(q):
            found[i + j] = found[i + j] + a * b
    return found


def _must_be(child: Node, germ: Germ, generators: Sequence[Polynomial], parameters: frozenset[int]) -> None:
    """The child is this germ, its generators up to constants."""
    child.must_be(germ.with_generators(child.germ.generators), parameters)
    theirs = child.germ.generators
    same = len(theirs) == len(generators) and all(map(proportional, theirs, generators))
    require(same, f"the child at {child.path} is not the germ at the roots")
