"""All rules, in the order in which they are tried: each with its hypothesis and its source.

To add a rule, write a function from a germ to a derivation, or to None where its hypothesis fails, and append it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ddtheory.exact.thresholds.ideal import IdealGerm
from ddtheory.exact.thresholds.nodes import Node
from ddtheory.exact.thresholds.rules.arrangements import linear_forms
from ddtheory.exact.thresholds.rules.blocks import additive_divergence, separable_sum, transversal_crossing
from ddtheory.exact.thresholds.rules.changes import smooth_factor
from ddtheory.exact.thresholds.rules.closed_forms import definite_quadric, generic_minors, two_factors, vandermonde
from ddtheory.exact.thresholds.rules.ideals import proper_power, spare_generators, trivial_ideal, unused_variables
from ddtheory.exact.thresholds.rules.linear import essential_forms
from ddtheory.exact.thresholds.rules.regular import completed_square, morse_coordinate, regular_generator
from ddtheory.values import Citation

Solve = Callable[[IdealGerm], Node]

_WATANABE = Citation("Watanabe 2009, Algebraic Geometry and Statistical Learning Theory", "learning coefficients")
_LIN = Citation("Lin 2011, Algebraic Methods for Evaluating Integrals in Bayesian Statistics", "chapter 4")
_AGV = Citation("Arnold, Gusein-Zade, Varchenko, Singularities of Differentiable Maps II", "oscillatory integrals")


@dataclass(frozen=True)
class Rule:
    """A rule: its name, what must hold, where it comes from, and the function that applies it."""

    name: str
    hypothesis: str
    source: Citation
    apply: Callable[[IdealGerm, Solve], Node | None]


REDUCTIONS: tuple[Rule, ...] = (
    Rule("zero, unit", "the ideal is 0, or a generator does not vanish", _WATANABE, trivial_ideal),
    Rule("variables", "a variable does not occur", _WATANABE, unused_variables),
    Rule("generators", "the same ideal in the local ring", _LIN, spare_generators),
    Rule("power", "one generator that is a proper power", _WATANABE, proper_power),
    Rule("eliminate", "a generator with a linear part in a free variable", _LIN, regular_generator),
    Rule("separable", "generators in disjoint variables", _LIN, separable_sum),
    Rule("additive", "K ≥ 0 a sum in disjoint variables", _LIN, additive_divergence),
    Rule("crossing", "a product in disjoint variables", _LIN, transversal_crossing),
    Rule("coordinates", "lowest forms that depend on few linear forms", _AGV, essential_forms),
    Rule("split", "K ≥ 0 with a positive second derivative in a free variable", _AGV, morse_coordinate),
    Rule(
        "square", "a monomial times g ≥ 0 with a positive second derivative in a free variable", _AGV, completed_square
    ),
    Rule("coordinates", "a factor of a generator with a linear part in a free variable", _WATANABE, smooth_factor),
    Rule(
        "arrangement",
        "one generator, a product of real linear forms",
        Citation("Mustaţă 2006, Multiplier ideals of hyperplane arrangements", "thresholds from flats"),
        linear_forms,
    ),
    Rule("definite", "a generator with definite quadratic part in all variables", _WATANABE, definite_quadric),
    Rule(
        "matrix_product",
        "the entries of a product of two matrices of distinct variables",
        Citation(
            "Aoyagi and Watanabe 2005, Neural Networks 18",
            "reduced-rank regression",
            "doi:10.1016/j.neunet.2005.03.014",
        ),
        two_factors,
    ),
    Rule(
        "minors",
        "all minors of one size of a matrix of distinct variables",
        Citation("Johnson 2003; Docampo 2013, Arcs on determinantal varieties", "thresholds of determinantal ideals"),
        generic_minors,
    ),
    Rule(
        "vandermonde",
        "power sums Σ a_i b_i^{1 + jQ}",
        Citation("Aoyagi 2010; restated in Entropy 2019", "Vandermonde matrix type singularities, one input"),
        vandermonde,
    ),
)

TERMINALS: dict[str, Citation] = {
    "newton": Citation("Arnold, Gusein-Zade, Varchenko II; Lin 2011", "Newton polyhedra, all compact faces"),
    "toric": Citation("Varchenko 1976, Newton polyhedra and estimation of oscillating integrals", "toric charts"),
    "squares": _WATANABE,
    "blowup": Citation("Hironaka 1964; Watanabe 2009", "blow-ups, all points of the exceptional divisor"),
    "contract": Citation("Lin 2011; Lau et al. 2025", "lower semicontinuity of λ in the point"),
    "roots": Citation("Lin 2011; Lau et al. 2025", "lower semicontinuity of λ in the point"),
    "best": Citation("two derivations of one pair"),
    "bounds": Citation("van der Corput's sublevel estimate; weights are divisorial valuations"),
}

_SOURCES: dict[str, Citation] = {
    **{name: rule.source for rule in REDUCTIONS for name in rule.name.split(", ")},
    **TERMINALS,
}


def citation_of(rule: str) -> Citation:
    """The source of a rule by the name that stands in derivations."""
    return _SOURCES[rule]
