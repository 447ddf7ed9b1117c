"""All rules of `rlct`, stage by stage, in the order in which they are tried; the solver walks this table.

To add a rule: write its function in a file of this folder, append a row here, and write its twin, which checks the step
from the certificate alone, in `ddtheory.certify.rules`. The stages are the kinds of rows in `rule`.
`tests/exact/test_rules_table.py` says what is missing.
"""

from __future__ import annotations

from fractions import Fraction

from ddtheory.exact.thresholds.rules.arrangements import linear_forms
from ddtheory.exact.thresholds.rules.blocks import additive_divergence, separable_sum, transversal_crossing
from ddtheory.exact.thresholds.rules.blow_ups import blow_up_of_a_cone, blow_ups
from ddtheory.exact.thresholds.rules.changes import smooth_factor
from ddtheory.exact.thresholds.rules.closed_forms import (
    definite_quadric,
    generic_minors,
    product_of_matrices,
    vandermonde,
)
from ddtheory.exact.thresholds.rules.general_bounds import general_bounds, strongest
from ddtheory.exact.thresholds.rules.ideals import (
    proper_power,
    spare_generators,
    sum_of_squares,
    unit_ideal,
    unused_variables,
    zero_ideal,
)
from ddtheory.exact.thresholds.rules.jets import morse_jet
from ddtheory.exact.thresholds.rules.linear import essential_forms
from ddtheory.exact.thresholds.rules.moved_zeros import moved_from_edges, moved_from_faces
from ddtheory.exact.thresholds.rules.newton import settled_on_edges, settled_on_faces
from ddtheory.exact.thresholds.rules.point_families import at_roots, contracted, smooth_factor_everywhere
from ddtheory.exact.thresholds.rules.ranks import along_zeros, rank_bracket, submersion
from ddtheory.exact.thresholds.rules.regular import completed_square, morse_coordinate, regular_generator
from ddtheory.exact.thresholds.rules.rule import (
    Alternative,
    AsWritten,
    Competition,
    Ending,
    Example,
    FamilyReduction,
    LastResort,
    Reduction,
    Rule,
    WithZeros,
)
from ddtheory.exact.thresholds.rules.saddles import saddle, suspension
from ddtheory.exact.thresholds.rules.substitution import substituted
from ddtheory.exact.thresholds.rules.toric import irrational_charts, toric_charts
from ddtheory.exact.thresholds.rules.transversal import transversal
from ddtheory.references import cite
from ddtheory.values import RLCT, Citation

_POLES = cite("watanabe2009", "Section 4.4")
_IDEALS = cite("lin2011", "Chapter 4, the threshold of an ideal", verified=False)
_BLOCKS = cite("lin2011", "Proposition 4.5")
_SPLITTING = cite("agv1985", "Section 11.1")
_NEWTON = cite("lin2011", "Theorems 4.15 and 4.18")
_SEMICONTINUITY = cite("lin2011", "Chapter 4, lower semicontinuity in the point", verified=False)
_CHARTS = cite("varchenko1976", "toric charts", verified=False)


def _pair(lam: str, m: int = 1) -> RLCT:
    return RLCT(Fraction(lam), m)


RULES: tuple[Rule, ...] = (
    # --- on K as it was written ---
    AsWritten(
        "squares",
        "K is a sum of terms c·f² with c > 0",
        _POLES,
        "ideals.squares",
        Example("(x + y^2)^2 + z^4", _pair("3/4"), "⟨x + y², z²⟩: two coordinates, 1/2 + 1/4"),
        sum_of_squares,
    ),
    # --- on generators with zeros that somebody knows ---
    WithZeros(
        "rank",
        "generators with independent differentials, and a smooth family of zeros",
        _POLES,
        "ranks.rank",
        Example(
            ("x^2 + y^2 + 2*x", "x^3 + x*y^2 + 2*x^2"),
            _pair("1/2"),
            "one regular coordinate, which divides both",
            zeros={"x": "(1 - t^2)/(1 + t^2) - 1", "y": "2*t/(1 + t^2)"},
        ),
        along_zeros,
    ),
    # --- nothing is left ---
    Ending(
        "zero",
        "the ideal is 0",
        _POLES,
        "ideals.zero",
        Example(("x + y^2",), _pair("1/2"), "one coordinate, and nothing is left"),
        zero_ideal,
    ),
    Ending(
        "unit",
        "a generator does not vanish, at any point of a family",
        _POLES,
        "ideals.unit",
        Example("(a^2 + b^2)*(a*c + b*d)^2", _pair("1/2", 2), "blow up (a, b): a⁴(1 + u²)v² with prior a, 2/4 and 1/2"),
        unit_ideal,
    ),
    # --- the first that applies is the answer ---
    Reduction(
        "variables",
        "a variable does not occur",
        _POLES,
        "ideals.variables",
        Example(("x^2 + x^2*y", "x^3"), _pair("1/4"), "⟨x²⟩, and y does not occur"),
        unused_variables,
        everywhere=True,
        over_fields=True,
    ),
    Reduction(
        "rank",
        "more than a few generators, all of them with independent differentials",
        _POLES,
        "ranks.rank",
        Example(tuple(f"x{i} + y^{i}*x{i + 1}^2" for i in range(1, 10)), _pair("9/2"), "nine coordinates"),
        submersion,
        over_fields=True,
    ),
    Reduction(
        "matrix_product",
        "the entries of W_L ⋯ W_1 − C in distinct variables, where all W_l and C have one rank",
        cite("aoyagi2024", "Theorem 2"),
        "closed_forms.matrix_product",
        Example(
            ("a*e + b*g", "a*f + b*h", "c*e + d*g", "c*f + d*h"),
            _pair("3/2"),
            "Aoyagi and Watanabe 2005: 2 × 2 times 2 × 2 at rank 0, (2·2·2·3 − 3·4)/8",
        ),
        product_of_matrices,
    ),
    Reduction(
        "substitution",
        "more than a few variables that generators of degree 1 in them determine",
        _BLOCKS,
        "ranks.substitution",
        Example(
            (*(f"x{i} + y^2*x{i + 1}" for i in range(1, 10)), "y*z + x1^2"),
            _pair("5", 2),
            "x1, …, x9 and y·z at x1 = −y²x2: (9 + 1)/2, and yz + y⁴x2² = y(z + y³x2²)",
        ),
        substituted,
        over_fields=True,
    ),
    Reduction(
        "generators",
        "the same ideal in the local ring",
        _IDEALS,
        "ideals.generators",
        Example(("x^2 + x^2*y", "x^3 + z^2"), _pair("1/2"), "⟨x², z²⟩"),
        spare_generators,
        everywhere=True,
    ),
    Reduction(
        "power",
        "one generator that is a proper power",
        _POLES,
        "ideals.power_of_one",
        Example(("(x^2 + y^3)^4",), _pair("5/48"), "(1/2 + 1/3)/8"),
        proper_power,
    ),
    Reduction(
        "eliminate",
        "a generator with a linear part in a free variable",
        _BLOCKS,
        "ideals.eliminate",
        Example(("x + y^2", "y^3 - x*z"), _pair("3/4"), "⟨x + y², y²(y + z)⟩: 1/2 + 1/4"),
        regular_generator,
    ),
    Reduction(
        "separable",
        "generators in disjoint variables",
        _BLOCKS,
        "products.separable",
        Example(("x^2", "y*z"), _pair("3/4", 2), "Lin 2011, Proposition 4.5: λ adds, and so does m − 1"),
        separable_sum,
        everywhere=True,
    ),
    Reduction(
        "additive",
        "K ≥ 0 a sum in disjoint variables",
        _BLOCKS,
        "products.additive",
        Example("x^2 + 2*x*y^2 + y^4 + y^6 + z^2", _pair("7/6"), "(x + y²)² + y⁶ + z²: 1/2 + 1/6 + 1/2"),
        additive_divergence,
    ),
    Reduction(
        "crossing",
        "a product in disjoint variables",
        _BLOCKS,
        "products.crossing",
        Example(("x^2*y*z",), _pair("1/4"), "the least of 1/4, 1/2 and 1/2"),
        transversal_crossing,
        everywhere=True,
    ),
    Reduction(
        "coordinates",
        "lowest forms that depend on few linear forms",
        _POLES,
        "ideals.coordinates",
        Example(("(x - 2*y)^3 + y^5",), _pair("4/15"), "⟨u³ + y⁵⟩: (1/3 + 1/5)/2"),
        essential_forms,
    ),
    Reduction(
        "jet",
        "K ≥ 0 with a definite Hessian in free variables, and a polyhedron below a degree over the critical points",
        _SPLITTING,
        "jets.jet",
        Example(
            "x^2 + 2*x*y^2 + 2*y^4 + x^3 + x^2*y^3 + x^4*y + y^6*(x - y)^4 + x*z^7 + (y^2 + z^2)^2 + x^5*z",
            _pair("1"),
            "x = −y² + … leaves y⁴ + (y² + z²)² + …, and a definite form of degree 4: 1/2 + 2/4",
        ),
        morse_jet,
    ),
    Reduction(
        "split",
        "K ≥ 0 with a positive second derivative in a free variable",
        _SPLITTING,
        "ideals.split",
        Example("x^2 + 2*x*y^2 + y^4 + y^6", _pair("2/3"), "(x + y²)² + y⁶: 1/2 + 1/6"),
        morse_coordinate,
    ),
    Reduction(
        "square",
        "a monomial times g ≥ 0 with a positive second derivative in a free variable",
        _SPLITTING,
        "ideals.square",
        Example("x^2*((y - x)^2 + z^4)", _pair("1/2"), "x² (u² + z⁴): the least of 1/2 and 3/4"),
        completed_square,
    ),
    Reduction(
        "coordinates",
        "a factor of a generator with a linear part in a free variable",
        _POLES,
        "ideals.coordinates",
        Example(("x^2 - y^4",), _pair("3/8"), "u = x − y²: ⟨u² + 2uy²⟩ with weights (1/2, 1/4), and simple zeros"),
        smooth_factor,
    ),
    Reduction(
        "arrangement",
        "one generator, a product of real linear forms",
        cite("mustata2006", "Corollary 0.3"),
        "closed_forms.arrangement",
        Example(("x*y*(x - y)",), _pair("1/3"), "Mustață 2006: three lines through a point, κ = min(1, 2/3)"),
        linear_forms,
    ),
    Reduction(
        "definite",
        "a generator with definite quadratic part in all variables",
        _POLES,
        "closed_forms.definite",
        Example(("x^2 + x*y + y^2 + z^2 + z^3",), _pair("3/4"), "|x|² in three variables"),
        definite_quadric,
    ),
    Reduction(
        "minors",
        "all minors of one size of a matrix of distinct variables",
        cite("docampo2013", "Theorem D", verified=False),
        "closed_forms.generic_minors",
        Example(
            ("a*e - b*d", "a*f - c*d", "b*f - c*e"),
            _pair("1"),
            "Docampo 2013: min((2·3)/2, (1·2)/1) = 2 for the 2-minors of 2 × 3, halved",
        ),
        generic_minors,
    ),
    Reduction(
        "vandermonde",
        "power sums Σ a_i b_i^{1 + jQ}",
        cite("aoyagi2019", "Section 4"),
        "closed_forms.vandermonde",
        Example(("a*b + c*d", "a*b^3 + c*d^3"), _pair("2/3"), "Aoyagi 2009: two tanh units, κ = 4/3"),
        vandermonde,
    ),
    Reduction(
        "saddle",
        "one generator of both signs, with a quadratic part of rank 2 or more in free variables",
        _SPLITTING,
        "saddles.saddle",
        Example(
            ("x*y + (z^2 - w^3)^3",),
            _pair("1/2"),
            "beside 0 the zero set is smooth, and κ of x y + c is 1 for c ≠ 0, up to a factor log 1/|c|",
        ),
        saddle,
    ),
    # --- the same at all points of an exceptional divisor ---
    FamilyReduction(
        "coordinates",
        "a factor a·x + q(others), a constant, with a free variable x",
        _POLES,
        "ideals.coordinates",
        Example(
            ("(a*d - b*c)*((a*d - b*c)^2 - a^2*e^3)",),
            _pair("5/18"),
            "blow up (a, b): a³·v(v² − e³), v = d − uc, with prior a: the least of 2/3 and (1/2 + 1/3)/(3/2)",
        ),
        smooth_factor_everywhere,
    ),
    FamilyReduction(
        "roots",
        "a parameter that occurs only in factors of its own",
        _SEMICONTINUITY,
        "point_families.at_roots",
        Example(
            ("(b*d - a*c)^2 - b^2*e^3", "a*b*e^3"),
            _pair("5/12"),
            "blow up (a, b): a²⟨(c − ud)², u·e³⟩ with prior a, worst at u = 0: 1/2 + 1/3",
        ),
        at_roots,
    ),
    FamilyReduction(
        "contract",
        "generators that are homogeneous for degrees that are positive on the parameters",
        _SEMICONTINUITY,
        "point_families.contract",
        Example(
            ("(a*d - b*c)^2 - a^2*e^3",),
            _pair("5/12"),
            "blow up (a, b): a²((d − uc)² − e³) with prior a: the least of 2/2 and 1/2 + 1/3",
        ),
        contracted,
    ),
    # --- the first exact one is the answer, otherwise all compete ---
    Alternative(
        "rank",
        "generators with independent differentials",
        _POLES,
        "ranks.rank",
        Example(("x + y^2", "y + z^3"), _pair("1"), "two coordinates", depth=1),
        rank_bracket,
        alone=True,
        over_fields=True,
    ),
    # zeros on edges are cheap to find; larger faces are settled once the edges are
    Alternative(
        "newton",
        "no zero on an edge that matters, and no other on a larger face at first sight",
        _NEWTON,
        "newton.newton",
        Example(
            ("x^4", "x^2*y", "x*y^2", "y^4"), _pair("1/3"), "the ray (t, t) meets the edge of x²y and xy² in (3/2, 3/2)"
        ),
        settled_on_edges,
        over_fields=True,
    ),
    Alternative(
        "toric",
        "two variables, zeros on the edges, one of them irrational, and all of them real algebraic",
        _CHARTS,
        "toric.toric",
        Example(
            ("(x^2 - 2*y^2)^3 + y^7",),
            _pair("1/6", 2),
            "at x = ±√2 y, t⁶((±2√2 s + s²)³ + t) with prior t: weights (1/6, 0) and (1/7, 1/21)",
        ),
        irrational_charts,
    ),
    Alternative(
        "blowup",
        "more forms of one degree than two-sided variables",
        cite("watanabe2009", "Section 3.5"),
        "blow_ups.blowup",
        Example(
            ("a*c - b^2", "b*d - c^2", "a*d - b*c", "a^2 - a*d + b*c", "b^2 - a*d"),
            _pair("1"),
            "order 2 at the vertex, 4/2, and beside it, at (0, 0, 0, 1), ⟨a, b, c³⟩ with 2 + 1/3",
        ),
        blow_up_of_a_cone,
    ),
    Alternative(
        "transversal",
        "factors of the generators that are smooth and transversal in the torus, over every cone of weights",
        cite("khovanskii1977", "resolution of nondegenerate systems", verified=False),
        "transversal.transversal",
        Example(
            ("x*z - y^2", "x^3 - z^2"),
            _pair("17/24"),
            "the curve (t⁴, t⁵, t⁶): order 10 at the weights (4, 5, 6) with order 2 along the first: (15 + 2)/12",
        ),
        transversal,
        alone=True,
    ),
    Alternative(
        "suspension",
        "one generator of any sign, with a second derivative in a free variable",
        _SPLITTING,
        "saddles.suspension",
        Example(
            ("x^2 - (y^3 + z^3)^3",),
            _pair("13/36"),
            "the cube of a form of degree 3 in two variables with one simple zero: (1/2 + (2/3)/3)/2",
        ),
        suspension,
    ),
    Alternative(
        "coordinates",
        "zeros on an edge that a shift, a symmetry or a rational point moves away",
        _POLES,
        "ideals.coordinates",
        Example(("(x + y^2)^2 + z^2",), _pair("1/2"), "u = x + y²: ⟨u² + z²⟩, a definite quadric"),
        moved_from_edges,
    ),
    Alternative(
        "newton",
        "no zero on a compact face that matters",
        _NEWTON,
        "newton.newton",
        Example("x^4 + y^4 + z^4 + x^2*y*z", _pair("3/4"), "|x²yz| ≤ (2x⁴ + y⁴ + z⁴)/4, so K ≍ x⁴ + y⁴ + z⁴: 3/4"),
        settled_on_faces,
    ),
    Alternative(
        "coordinates",
        "unsettled zeros on a larger face that a shift, a symmetry or a rational point moves away",
        _POLES,
        "ideals.coordinates",
        Example(("(x - z^2)^4 + (y - z^2)^4 + z^9",), _pair("11/36"), "⟨u⁴ + v⁴ + z⁹⟩: (1/4 + 1/4 + 1/9)/2"),
        moved_from_faces,
    ),
    Alternative(
        "toric",
        "two variables, zeros on the edges that are rational or, over ℚ, real algebraic",
        _CHARTS,
        "toric.toric",
        Example(
            ("(y^2 - x^3)^2 - x^5*y",),
            _pair("23/52"),
            "on the cusp x = t², y = t³s: ⟨t¹²(s² − t)⟩ with prior t¹⁰, at the weights (1/13, 1/26): 11/13 + 1/26",
            prior={"x": 3},
        ),
        toric_charts,
        over_fields=True,
    ),
    Alternative(
        "blowup",
        "two or more two-sided variables",
        cite("watanabe2009", "Section 3.5"),
        "blow_ups.blowup",
        Example(
            ("(a*d - b*c)^2 - a^2*e^3",),
            _pair("5/12"),
            "blow up (a, b): a²((d − uc)² − e³) with prior a: the least of 2/2 and 1/2 + 1/3",
        ),
        blow_ups,
    ),
    # --- when none is exact ---
    LastResort(
        "bounds",
        "none",
        cite("ddtheory2026", "weights from above, sublevel sets of one variable from below"),
        "products.bounds",
        Example("x^2 + 2*x*y^2 + y^4 + y^6", None, "the search may not go deep", depth=1),
        general_bounds,
    ),
    Competition(
        "best",
        "none",
        cite("ddtheory2026", "two derivations of one pair"),
        "products.best",
        Example(("(a*d - b*c)^2 - a^2*e^3",), None, "one way gives the lower bound, another the upper", depth=4),
        strongest,
    ),
)

_SOURCES = {rule.name: rule.source for rule in RULES}


def citation_of(name: str) -> Citation:
    """The source of a rule by the name that stands in derivations."""
    return _SOURCES[name]
