"""Certificates written by hand, with the pair of K from a source. Every rule and every kind of proof occurs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from handwriting import (
    Json,
    cofactors,
    exponents,
    germ,
    newton_data,
    node,
    of_divergence,
    of_function,
    of_ideal,
    polynomial,
    polynomials,
)


@dataclass(frozen=True)
class Example:
    certificate: Json
    lam: str | None
    m: int | None
    source: str

    @property
    def pair(self) -> tuple[Fraction | None, int | None]:
        return (None if self.lam is None else Fraction(self.lam)), self.m


def nothing(names: str = "") -> Json:
    return node("zero", germ(names), "0,1")


def regular(names: str, generator: str, variable: int, child: Json, claim: str, prior: str = "") -> Json:
    """One generator that is eliminated."""
    data = {"generator": 0, "variable": variable, "cofactors": []}
    return node("eliminate", germ(names, generator, prior=prior), claim, data, child)


def line(name: str) -> Json:
    return regular(name, name, 0, nothing(), "1,1")


def monomial(
    names: str, text: str, weights: str, multiplier: str, pair: str, prior: str = "", nonnegative: str = ""
) -> Json:
    multiplicity = int(pair.rpartition(",")[2])
    data = newton_data(names, weights, {text: multiplier}, multiplicity, {text: "monomial 0"})
    return node("newton", germ(names, text, prior=prior, nonnegative=nonnegative), pair, data)


# --- rules that change the presentation ----------------------------------------------------------------------------

ZERO = of_ideal(nothing("x"))
UNIT = of_ideal(node("unit", germ("x", "x + 2"), "infinity,1"))
SMOOTH = of_ideal(node("variables", germ("x y", "x"), "1,1", {"kept": [0]}, line("x")))

_XY_CUBE = node(
    "newton",
    germ("x y", "x*y", "x^3"),
    "1,2",
    newton_data(
        "x y",
        "1/2 1/2",
        {"x*y": "1", "x^3": "0"},
        2,
        {"x*y": "monomial 0", "x^3": "monomial 1", "x*y, x^3": "monomial 1"},
    ),
)
GENERATORS = of_ideal(
    node(
        "generators",
        germ("x y", "x*y + x^2*y", "x^3 + x*y"),
        "1,2",
        {
            "forward": [polynomials(["1", "0"], "x y"), polynomials(["-1", "1 + x"], "x y")],
            "units": polynomials(["1 + x", "1 + x"], "x y"),
            "backward": [polynomials(["1 + x", "0"], "x y"), polynomials(["1", "1"], "x y")],
            "backward_units": polynomials(["1", "1"], "x y"),
        },
        _XY_CUBE,
    )
)

_SQUARE = node(
    "power", germ("x y", "x^2"), "1/2,1", {"exponent": 2, "unit": polynomial("1", "x y")}, SMOOTH["derivation"]
)
DOUBLE_LINE = of_divergence(
    node(
        "coordinates",
        germ("x y", "x^2 - 2*x*y + y^2"),
        "1/2,1",
        {"map": polynomials(["x - y", "y"], "x y"), "units": polynomials(["1"], "x y")},
        _SQUARE,
    )
)

_PARABOLA = node(
    "eliminate",
    germ("x y z", "x + y^2", "z"),
    "2,1",
    {"generator": 0, "variable": 0, "cofactors": [polynomials(["1", "0"], "x y z")]},
    regular("y z", "z", 1, nothing("y"), "1,1"),
)
HIDDEN_PARABOLA = of_divergence(
    node(
        "squares",
        germ("x y z", "x^2 + 2*x*y^2 + y^4 + 3*z^2"),
        "1,1",
        {"coefficients": ["1", "3"]},
        _PARABOLA,
    )
)
MOVED = of_divergence(
    node("power", germ("x", "x^2"), "1/2,1", {"exponent": 2, "unit": polynomial("1", "x")}, line("x")),
    at="3",
    given=germ("x", "x^2 - 6*x + 9"),
)
SPLIT = of_divergence(
    node(
        "split",
        germ("x y", "x^2 + 2*x*y^2 + y^4 + y^6"),
        "2/3,1",
        {
            "live": [0],
            "unit": polynomial("1", "x y"),
            "cofactors": polynomials(["-1/2*x - 1/2*y^2"], "x y"),
        },
        monomial("y", "y^6", "1/6", "1/6", "1/6,1"),
    )
)


def _times_a_square(rest: Json) -> Json:
    """x²·(v² + y⁴), a crossing."""
    names = "x v y"
    return node(
        "crossing",
        germ(names, "x^2*v^2 + x^2*y^4"),
        "1/2,1",
        {
            "factors": [{"variables": [0]}, {"variables": [1, 2]}],
            "products": [{"indices": [0, 0], "unit": polynomial("1", names)}],
        },
        monomial("x", "x^2", "1/2", "1/2", "1/2,1"),
        rest,
    )


JET = of_divergence(
    node(
        "jet",
        germ("x y", "x^2 + 2*x*y^2 + 2*y^4 + x^3 + y^5"),
        "3/4,1",
        {"live": [0], "critical": polynomials(["-1*y^2"], "x y"), "degree": 5},
        monomial("y", "y^4", "1/4", "1/4", "1/4,1"),
    )
)
SQUARE = of_divergence(
    node(
        "square",
        germ("x v y", "x^2*v^2 + 2*x^3*v*y + x^4*y^2 + x^2*y^4"),
        "1/2,1",
        {
            "variable": 1,
            "monomial": [2, 0, 0],
            "unit": polynomial("1", "x v y"),
            "cofactor": polynomial("-1/2*v - 1/2*x*y", "x v y"),
        },
        _times_a_square(
            node(
                "additive",
                germ("v y", "v^2 + y^4"),
                "3/4,1",
                {"blocks": [{"variables": [0]}, {"variables": [1]}]},
                monomial("v", "v^2", "1/2", "1/2", "1/2,1"),
                monomial("y", "y^4", "1/4", "1/4", "1/4,1"),
            ),
        ),
    )
)

# --- blocks ----------------------------------------------------------------------------------------------------------


def power_of(name: str, exponent: int) -> Json:
    value = f"1/{exponent}"
    return monomial(name, f"{name}^{exponent}", value, value, f"{value},1")


SEPARABLE = of_ideal(
    node(
        "separable",
        germ("x y", "x^2", "y^3"),
        "5/6,1",
        {"blocks": [{"variables": [0], "generators": [0]}, {"variables": [1], "generators": [1]}]},
        power_of("x", 2),
        power_of("y", 3),
    )
)
ADDITIVE = of_divergence(
    node(
        "additive",
        germ("x y", "x^2 + y^4"),
        "3/4,1",
        {"blocks": [{"variables": [0]}, {"variables": [1]}]},
        power_of("x", 2),
        power_of("y", 4),
    )
)
CROSSING = of_ideal(
    node(
        "crossing",
        germ("x y", "x^2*y^2 + x^3*y^2"),
        "1/2,2",
        {
            "factors": [{"variables": [0]}, {"variables": [1]}],
            "products": [{"indices": [0, 0], "unit": polynomial("1 + x", "x y")}],
        },
        power_of("x", 2),
        power_of("y", 2),
    )
)
PRODUCT_OF_IDEALS = of_ideal(
    node(
        "crossing",
        germ("x y z", "x*z", "y*z"),
        "1,1",
        {
            "factors": [{"variables": [0, 1]}, {"variables": [2]}],
            "products": [
                {"indices": [0, 0], "unit": polynomial("1", "x y z")},
                {"indices": [1, 0], "unit": polynomial("1", "x y z")},
            ],
        },
        node(
            "separable",
            germ("x y", "x", "y"),
            "2,1",
            {"blocks": [{"variables": [0], "generators": [0]}, {"variables": [1], "generators": [1]}]},
            line("x"),
            line("y"),
        ),
        line("z"),
    )
)

# --- Newton polyhedra ------------------------------------------------------------------------------------------------

_CUSP_FACES = {"x^2": "monomial 0", "y^3": "monomial 0", "x^2, y^3": "edge"}
CUSP = of_ideal(
    node(
        "newton",
        germ("x y", "x^2 + y^3"),
        "5/6,1",
        newton_data("x y", "1/2 1/3", {"x^2": "1/2", "y^3": "1/3"}, 1, _CUSP_FACES),
    )
)
WEIGHTED = of_ideal(monomial("x y", "x^2*y^3", "1/2 0", "1/2", "1/2,2", prior="0 1/2"))
CIRCLE = of_ideal(
    node(
        "newton",
        germ("x y", "x^2 + y^2"),
        "1,1",
        newton_data(
            "x y",
            "1/2 1/2",
            {"x^2": "1/2", "y^2": "1/2"},
            1,
            {"x^2": "monomial 0", "y^2": "monomial 0", "x^2, y^2": "sign 0"},
        ),
    )
)
QUADRANT = of_ideal(
    node(
        "newton",
        germ("x y", "x + y", nonnegative="x y"),
        "2,1",
        newton_data("x y", "1 1", {"x": "1", "y": "1"}, 1, {"x": "monomial 0", "y": "monomial 0", "x, y": "sign 0"}),
    )
)
ROOTLESS_EDGE = of_divergence(
    node(
        "newton",
        germ("x y", "x^2 + x*y + y^2"),
        "1,1",
        newton_data(
            "x y",
            "1/2 1/2",
            {"x^2": "1/2", "y^2": "1/2"},
            1,
            {"x^2": "monomial 0", "y^2": "monomial 0", "x^2, x*y, y^2": "edge"},
        ),
    )
)
_THREE = "x y z"
QUADRATIC = of_divergence(
    node(
        "newton",
        germ(_THREE, "x^2 + y^2 + z^2 + x*y + y*z"),
        "3/2,1",
        newton_data(
            _THREE,
            "1/2 1/2 1/2",
            {"x^2": "1/2", "y^2": "1/2", "z^2": "1/2"},
            1,
            {
                "x^2": "monomial 0",
                "y^2": "monomial 0",
                "z^2": "monomial 0",
                "x^2, x*y, y^2": "edge",
                "y^2, y*z, z^2": "edge",
                "x^2, z^2": "sign 0",
                "x^2, y^2, z^2, x*y, y*z": cofactors(
                    _THREE, 2, "x", (0, "x", "3/4"), (0, "y", "-1/2"), (0, "z", "1/4")
                ),
            },
        ),
    )
)


BLOCK_OF_A_FACE = of_divergence(
    node(
        "newton",
        germ(_THREE, "x^2 + x*y + y^2 + z^4"),
        "5/4,1",
        newton_data(
            _THREE,
            "1/2 1/2 1/4",
            {"x^2": "1/2", "y^2": "1/2", "z^4": "1/4"},
            1,
            {
                "x^2": "monomial 0",
                "y^2": "monomial 0",
                "z^4": "monomial 0",
                "x^2, x*y, y^2": "edge",
                "x^2, z^4": "sign 0",
                "y^2, z^4": "sign 0",
                "x^2, x*y, y^2, z^4": {"kind": "additive", "exponents": [[2, 0, 0], [1, 1, 0], [0, 2, 0]]},
            },
        ),
    )
)


def signed(
    pair: str, generator: str, names: str, weights: str, multipliers: Json, m: int, faces: Json, zeros: Any, **how: str
) -> Json:
    return node(
        "newton", germ(names, generator, **how), pair, newton_data(names, weights, multipliers, m, faces, **zeros)
    )


HYPERBOLA = of_ideal(
    signed(
        "1,2",
        "x^2 - y^2",
        "x y",
        "1/2 1/2",
        {"x^2": "1/2", "y^2": "1/2"},
        1,
        {"x^2": "monomial 0", "y^2": "monomial 0", "x^2, y^2": "edge"},
        {"zeros": [{"face": 2, "points": None}]},
    )
)
LINE_BY_SIGN = of_ideal(
    signed(
        "1,1",
        "x + y",
        "x y",
        "1 1",
        {"x": "1", "y": "1"},
        1,
        {"x": "monomial 0", "y": "monomial 0", "x, y": "edge"},
        {"zero": {"face": 2, "points": [["1", "-2"], ["2", "-1"]]}},
    )
)
DIAGONAL_OF_QUADRANT = of_ideal(
    signed(
        "1,1",
        "x - y",
        "x y",
        "1 1",
        {"x": "1", "y": "1"},
        1,
        {"x": "monomial 0", "y": "monomial 0", "x, y": "edge"},
        {"zero": {"face": 2, "points": None}},
        nonnegative="x y",
    )
)
_CONE_FACES: Json = {
    "x^2": "monomial 0",
    "y^2": "monomial 0",
    "z^2": "monomial 0",
    "x^2, y^2": "sign 0",
    "x^2, z^2": "edge",
    "y^2, z^2": "edge",
    "x^2, y^2, z^2": cofactors(_THREE, 2, "x", (0, "x", "1/2")),
}
CONE = of_ideal(
    signed(
        "1,1",
        "x^2 + y^2 - z^2",
        _THREE,
        "1/2 1/2 1/2",
        {"x^2": "1/2", "y^2": "1/2", "z^2": "1/2"},
        1,
        _CONE_FACES,
        {"zeros": [{"face": 6, "points": [["1", "1", "1"], ["1", "1", "2"]]}]},
    )
)
THREE_PLANES = of_ideal(
    signed(
        "1,3",
        "x*y^2 - x*z^2",
        _THREE,
        "1 0 0",
        {"x*y^2": "1/2", "x*z^2": "1/2"},
        2,
        {"x*y^2": "monomial 0", "x*z^2": "monomial 0", "x*y^2, x*z^2": "edge"},
        {"zeros": [{"face": 2, "points": None}]},
    )
)
_DOUBLE_ROOT = {"x^2*y": "monomial 0", "y^3": "monomial 0", "x^2*y, x*y^2, y^3": "edge"}
DOUBLE_ROOT = of_ideal(
    node(
        "newton",
        germ("x y", "x^2*y - 2*x*y^2 + y^3"),
        "1/2,? < 2/3,1",
        newton_data("x y", "1/3 1/3", {"x^2*y": "1/2", "y^3": "1/6"}, 1, _DOUBLE_ROOT),
    )
)
UNKNOWN = of_ideal(
    node(
        "newton",
        germ("x y", "x^2 + y^3"),
        "0,? < 5/6,1",
        newton_data("x y", "1/2 1/3", {"x^2": "1/2", "y^3": "1/3"}, 1, {**_CUSP_FACES, "x^2, y^3": "unknown"}),
    )
)

# --- charts ----------------------------------------------------------------------------------------------------------

_SQUARE_FACES = {"x^2": "monomial 0", "y^2": "monomial 0", "x^2, x*y, y^2": "edge"}
_SQUARE_DATA = newton_data("x y", "1/2 1/2", {"x^2": "1/2", "y^2": "1/2"}, 1, _SQUARE_FACES)


def toric(generator: str, claim: str, data: Json, charts: list[Json], *children: Json, nonnegative: str = "") -> Json:
    return node("toric", germ("x y", generator, nonnegative=nonnegative), claim, {**data, "charts": charts}, *children)


TORIC = of_ideal(
    toric(
        "x^2 - 2*x*y + y^2",
        "1/2,1",
        _SQUARE_DATA,
        [{"face": 2, "matrix": [[1, 0], [1, 1]], "root": "1"}],
        monomial("t s", "t^2*s^2", "0 1/2", "1/2", "1/2,1", prior="1 0"),
    )
)
TORIC_QUADRANT = of_ideal(
    toric(
        "x^2 - 2*x*y + y^2",
        "1/2,1",
        _SQUARE_DATA,
        [{"face": 2, "matrix": [[1, 1], [1, 0]], "root": "1"}],
        monomial("t s", "t^2*s^2", "0 1/2", "1/2", "1/2,1", prior="1 0", nonnegative="t"),
        nonnegative="x y",
    )
)
TORIC_WALL = of_ideal(
    toric(
        "x^2 - 2*x*y + y^2",
        "1/2,1",
        _SQUARE_DATA,
        [{"face": 2, "matrix": [[1, 0], [1, 1]], "root": "1"}],
        monomial("t s", "t^2*s^2", "0 1/2", "1/2", "1/2,1", prior="1 0", nonnegative="t"),
        nonnegative="x",
    )
)
TORIC_EVEN_WALL = of_ideal(
    toric(
        "x^2 - 2*x*y^2 + y^4",
        "1/2,1",
        newton_data(
            "x y",
            "1/2 1/4",
            {"x^2": "1/2", "y^4": "1/4"},
            1,
            {"x^2": "monomial 0", "y^4": "monomial 0", "x^2, x*y^2, y^4": "edge"},
        ),
        [{"face": 2, "matrix": [[2, 1], [1, 1]], "root": "1"}],
        monomial("t s", "t^4*s^2", "0 1/2", "1/2", "1/2,1", prior="2 0"),
        nonnegative="x",
    )
)


def _branch(lower: str, upper: str) -> Json:
    """The chart of (x² − 2y²)² at s = c with 2c² = 1: t⁴(4cs + 2s²)²."""
    field = {"minimal_polynomial": ["-1", "0", "2"], "interval": [lower, upper]}
    names = "t s"
    data = newton_data(names, "0 1/2", {"t^4*s^2": "1/2"}, 2, {"t^4*s^2": "monomial 0"})
    found = node("newton", germ(names, "0", prior="1 0", field=field), "1/2,2", data)
    found["germ"]["generators"] = [[[[4, 2], "8"], [[4, 3], ["0", "16"]], [[4, 4], "4"]]]
    return found


TORIC_IRRATIONAL = of_ideal(
    toric(
        "x^4 - 4*x^2*y^2 + 4*y^4",
        "1/2,2",
        newton_data(
            "x y",
            "1/4 1/4",
            {"x^4": "1/4", "y^4": "1/4"},
            1,
            {"x^4": "monomial 0", "y^4": "monomial 0", "x^4, x^2*y^2, y^4": "edge"},
        ),
        [
            {"face": 2, "matrix": [[1, 0], [1, 1]], "root": branch["germ"]["field"]}
            for branch in (_branch("0", "1"), _branch("-1", "0"))
        ],
        _branch("0", "1"),
        _branch("-1", "0"),
    )
)

_SQUARE_CHART = node(
    "generators",
    germ("x y", "x^2", "x^2*y", "x^2*y^2", prior="1 0"),
    "1,1",
    {
        "forward": [polynomials(["1", "0", "0"], "x y")],
        "units": polynomials(["1"], "x y"),
        "backward": [polynomials(["1"], "x y"), polynomials(["y"], "x y"), polynomials(["y^2"], "x y")],
        "backward_units": polynomials(["1", "1", "1"], "x y"),
    },
    node(
        "variables",
        germ("x y", "x^2", prior="1 0"),
        "1,1",
        {"kept": [0]},
        monomial("x", "x^2", "1/2", "1", "1,1", prior="1"),
        parameters="y",
    ),
    parameters="y",
)
BLOWUP = of_ideal(
    node(
        "blowup",
        germ("x y", "x^2", "x*y", "y^2"),
        "1,1",
        {"centre": [0, 1], "charts": [{"variable": 0}], "symmetries": {"1": [1, 0]}},
        _SQUARE_CHART,
    )
)

_FOUR = "a b c d"
_DETERMINANT_CHART = node(
    "coordinates",
    germ(_FOUR, "a^2*d - a^2*b*c", prior="3 0 0 0"),
    "1,1",
    {
        "map": polynomials(["a", "b", "c", "d - b*c"], _FOUR),
        "inverse": polynomials(["a", "b", "c", "d + b*c"], _FOUR),
        "units": polynomials(["1"], _FOUR),
    },
    node(
        "variables",
        germ(_FOUR, "a^2*d", prior="3 0 0 0"),
        "1,1",
        {"kept": [0, 3]},
        node(
            "contract",
            germ("a d", "a^2*d", prior="3 0"),
            "1,1",
            {"degrees": [-1, 1]},
            monomial("a d", "a^2*d", "0 1", "1", "1,1", prior="3 0"),
            parameters="d",
        ),
        parameters="b c d",
    ),
    parameters="b c d",
)
DETERMINANT = of_ideal(
    node(
        "blowup",
        germ(_FOUR, "a*d - b*c"),
        "1,1",
        {
            "centre": [0, 1, 2, 3],
            "charts": [{"variable": 0}],
            "symmetries": {"1": [1, 0, 3, 2], "2": [2, 3, 0, 1], "3": [3, 1, 2, 0]},
        },
        _DETERMINANT_CHART,
    )
)
_TWO_CHARTS = node(
    "blowup",
    germ("x y", "x", "y"),
    "2,1",
    {"centre": [0, 1], "charts": [{"variable": 1}, {"variable": 0}]},
    node(
        "generators",
        germ("x y", "x*y", "y", prior="0 1"),
        "2,1",
        {
            "forward": [polynomials(["0", "1"], "x y")],
            "units": polynomials(["1"], "x y"),
            "backward": [polynomials(["x"], "x y"), polynomials(["1"], "x y")],
            "backward_units": polynomials(["1", "1"], "x y"),
        },
        node(
            "contract",
            germ("x y", "y", prior="0 1"),
            "2,1",
            {"degrees": [1, 0]},
            monomial("x y", "y", "0 1", "2", "2,1", prior="0 1"),
            parameters="x",
        ),
        parameters="x",
    ),
    node(
        "generators",
        germ("x y", "x", "x*y", prior="1 0"),
        "2,1",
        {
            "forward": [polynomials(["1", "0"], "x y")],
            "units": polynomials(["1"], "x y"),
            "backward": [polynomials(["1"], "x y"), polynomials(["y"], "x y")],
            "backward_units": polynomials(["1", "1"], "x y"),
        },
        node(
            "variables",
            germ("x y", "x", prior="1 0"),
            "2,1",
            {"kept": [0]},
            monomial("x", "x", "1", "2", "2,1", prior="1"),
            parameters="y",
        ),
        parameters="y",
    ),
)
POINT = of_ideal(_TWO_CHARTS)

# --- families: every point of a chart at once ----------------------------------------------------------------------


def at_root(child_prior: str, claim: str) -> Json:
    """The chart x of ⟨(x − y)², xz, yz⟩ with prior |x||y|, at its root y = 1: t²⟨(y − 1)², z⟩ with prior t⁴."""
    chart = node(
        "generators",
        germ(_THREE, "x^2 - 2*x^2*y + x^2*y^2", "x^2*z", "x^2*y*z", prior="4 1 0"),
        claim,
        {
            "forward": [polynomials(["1", "0", "0"], _THREE), polynomials(["0", "1", "0"], _THREE)],
            "units": polynomials(["1", "1"], _THREE),
            "backward": [
                polynomials(["1", "0"], _THREE),
                polynomials(["0", "1"], _THREE),
                polynomials(["0", "y"], _THREE),
            ],
            "backward_units": polynomials(["1", "1", "1"], _THREE),
        },
        node(
            "roots",
            germ(_THREE, "x^2 - 2*x^2*y + x^2*y^2", "x^2*z", prior="4 1 0"),
            claim,
            {"variable": 1, "factors": [polynomial("y - 1", _THREE)]},
            node(
                "contract",
                germ(_THREE, "x^2*y^2", "x^2*z", prior=f"4 {child_prior} 0"),
                claim,
                {"degrees": [-2, 1, 2]},
                node(
                    "newton",
                    germ(_THREE, "x^2*y^2", "x^2*z", prior=f"4 {child_prior} 0"),
                    claim,
                    newton_data(
                        _THREE,
                        "0 1/2 1",
                        {"x^2*y^2": str(Fraction(int(child_prior) + 1, 2)), "x^2*z": "1"},
                        1,
                        {"x^2*y^2": "monomial 0", "x^2*z": "monomial 1", "x^2*y^2, x^2*z": "monomial 0"},
                    ),
                ),
                parameters="z",
            ),
            parameters="y z",
        ),
        parameters="y z",
    )
    return chart


def _chart_of_z() -> Json:
    """The chart z of the same ideal: t²⟨(x − y)², x, y⟩ = t²⟨x, y⟩ with prior t⁴|x||y|."""
    return node(
        "generators",
        germ(_THREE, "x^2*z^2 - 2*x*y*z^2 + y^2*z^2", "x*z^2", "y*z^2", prior="1 1 4"),
        "5/2,1",
        {
            "forward": [polynomials(["0", "1", "0"], _THREE), polynomials(["0", "0", "1"], _THREE)],
            "units": polynomials(["1", "1"], _THREE),
            "backward": [
                polynomials(["x - 2*y", "y"], _THREE),
                polynomials(["1", "0"], _THREE),
                polynomials(["0", "1"], _THREE),
            ],
            "backward_units": polynomials(["1", "1", "1"], _THREE),
        },
        node(
            "crossing",
            germ(_THREE, "x*z^2", "y*z^2", prior="1 1 4"),
            "5/2,1",
            {
                "factors": [{"variables": [0, 1]}, {"variables": [2]}],
                "products": [
                    {"indices": [0, 0], "unit": polynomial("1", _THREE)},
                    {"indices": [1, 0], "unit": polynomial("1", _THREE)},
                ],
            },
            node(
                "separable",
                germ("x y", "x", "y", prior="1 1"),
                "4,1",
                {"blocks": [{"variables": [0], "generators": [0]}, {"variables": [1], "generators": [1]}]},
                *(_weighted_line(name) for name in "xy"),
                parameters="x y",
            ),
            monomial("z", "z^2", "1/2", "5/2", "5/2,1", prior="4"),
            parameters="x y",
        ),
        parameters="x y",
    )


def _weighted_line(name: str) -> Json:
    newton = monomial(name, name, "1", "2", "2,1", prior="1")
    return node("contract", germ(name, name, prior="1"), "2,1", {"degrees": [1]}, newton, parameters=name)


def around_a_root(child_prior: str, claim: str) -> Json:
    return of_ideal(
        node(
            "blowup",
            germ(_THREE, "x^2 - 2*x*y + y^2", "x*z", "y*z", prior="1 1 0"),
            claim,
            {
                "centre": [0, 1, 2],
                "charts": [{"variable": 0}, {"variable": 2}],
                "symmetries": {"1": [1, 0, 2]},
            },
            at_root(child_prior, claim),
            _chart_of_z(),
        )
    )


ROOTS = around_a_root("0", "3/2,1")

# --- closed forms ----------------------------------------------------------------------------------------------------


def arrangement(
    names: str, product: str, claim: str, forms: list[str], exponents: list[int], unit: str = "1", prior: str = ""
) -> Json:
    data = {"forms": [form.split() for form in forms], "exponents": exponents, "unit": polynomial(unit, names)}
    return node("arrangement", germ(names, product, prior=prior), claim, data)


THREE_LINES = of_ideal(arrangement("x y", "x^2*y - x*y^2", "2/3,1", ["1 0", "0 1", "1 -1"], [1, 1, 1]))
WEIGHTED_LINES = of_ideal(arrangement("x y", "x^2*y - x*y^2", "1,2", ["1 0", "0 1", "1 -1"], [1, 1, 1], prior="1 0"))
POWERS = of_ideal(arrangement("x y", "2*x^2*y^2 + 2*x^3*y^2", "1/2,2", ["1 0", "0 1"], [2, 2], unit="2 + 2*x"))
BRAID = of_ideal(
    arrangement(
        _THREE,
        "x^2*y - x^2*z - x*y^2 + x*z^2 + y^2*z - y*z^2",
        "2/3,1",
        ["1 -1 0", "0 1 -1", "1 0 -1"],
        [1, 1, 1],
    )
)
_EIGHT = "a b c d e f g h"
PRODUCT_OF_MATRICES = of_ideal(
    node(
        "matrix_product",
        germ(_EIGHT, "a*e + b*g", "a*f + b*h", "2*c*e + 2*d*g", "-c*f - d*h"),
        "3,1",
        {"widths": [2, 2, 2], "matrices": [[[4, 5], [6, 7]], [[0, 1], [2, 3]]]},  # W_1, then W_2
    )
)
PRODUCT_AT_A_POINT = of_ideal(
    node(
        "matrix_product",
        germ(_EIGHT, "a + e + a*e + b*g", "3*f + 3*a*f + 3*b*h", "c + c*e + d*g", "c*f + d*h"),
        "4,2",
        {
            "widths": [2, 2, 2],
            "matrices": [[[4, 5], [6, 7]], [[0, 1], [2, 3]]],
            "point": [[["1", "0"], ["0", "0"]], [["1", "0"], ["0", "0"]]],
        },
    )
)
SCALARS = of_ideal(
    node("matrix_product", germ(_THREE, "x*y*z"), "1,3", {"widths": [1, 1, 1, 1], "matrices": [[[0]], [[1]], [[2]]]})
)
VANDERMONDE = of_ideal(
    node(
        "vandermonde",
        germ("a b c d", "a*c + b*d", "3*a*c^3 + 3*b*d^3"),
        "4/3,1",
        {"pairs": [[0, 2], [1, 3]], "gap": 2},
    )
)
DEFINITE = of_ideal(
    node("definite", germ("x y", "-1*x^2 - x*y - 2*y^2 + x^3", "y^5", prior="1/2 0"), "5/4,1", {"generator": 0})
)
MINORS = of_ideal(
    node(
        "minors",
        germ("a b c d e f", "a*e - b*d", "a*f - c*d", "3*b*f - 3*c*e"),
        "2,1",
        {"matrix": [[0, 1, 2], [3, 4, 5]], "size": 2},
    )
)

# --- generators that change sign ----------------------------------------------------------------------------------


def saddle(of: Json, live: list[int], *arc: str, m: int = 1) -> Json:
    """The arc as polynomials in t."""
    return of_ideal(node("saddle", of, f"1,{m}", {"live": live, **({"arc": polynomials(arc, "t")} if arc else {})}))


QUADRIC = saddle(germ("x y z w", "x*y + 3*z^2 + w^5 + x*z*w", prior="0 0 0 2", nonnegative="w"), [0, 1, 2])
SADDLE = saddle(germ("x y z", "x*y + x*z^2 + y*z^3 - z^6", prior="0 0 -1/2"), [0, 1], "-1*t^3", "-1*t^2", "t")
TWO_SHEETS = saddle(germ("x y z", "-1*x^2 - x*y - y^2 + z^3", nonnegative="z"), [0, 1], "0", "0", "t")
NODES = saddle(germ("x y z", "x*y + x^2*z - y^2*z^4", prior="0 0 1"), [0, 1], m=2)

TACNODE = of_ideal(
    node(
        "suspension",
        germ("x y", "x^2 + 2*x*y^2"),
        "3/4,1",
        {"variable": 0, "unit": polynomial("2", "x y"), "cofactor": polynomial("-1*x - y^2", "x y")},
        node("power", germ("y", "-2*y^4"), "1/4,1", {"exponent": 4, "unit": polynomial("-2", "y")}, line("y")),
    )
)
TWO_SIDED = of_function(TACNODE["derivation"])
SUSPENDED_CUSP = of_ideal(
    node(
        "suspension",
        germ("x y z", "x^2 + y^3 + z^2"),
        "1,1",
        {
            "variable": 2,
            "unit": polynomial("1", "x y z"),
            "cofactor": polynomial("-1/2*z", "x y z"),
            "arc": polynomials(["0", "-1*t", "0"], "t"),
        },
        CUSP["derivation"],
    )
)
TIE = of_ideal(
    node(
        "suspension",
        germ("x y z", "x^2*y^2 - z^2"),
        "1,3 < 1,2",
        {"variable": 2, "unit": polynomial("1", "x y z"), "cofactor": polynomial("-1/2*z", "x y z")},
        monomial("x y", "x^2*y^2", "1/2 0", "1/2", "1/2,2"),
    )
)

# --- bounds ----------------------------------------------------------------------------------------------------------

_BY_ORDER = node(
    "bounds",
    germ("x y", "x^2*y - 2*x*y^2 + y^3"),
    "1/3,? < 2/3,?",
    {
        "weights": ["1", "1"],
        "order": {"generator": 0, "direction": ["2", "1"], "order": 3},
        "reason": "the cone is not closed",
    },
)
BOUNDS = of_ideal(_BY_ORDER)
BEST = of_ideal(
    node("best", germ("x y", "x^2*y - 2*x*y^2 + y^3"), "1/2,? < 2/3,1", {}, _BY_ORDER, DOUBLE_ROOT["derivation"])
)
ON_AN_AXIS = of_ideal(
    node(
        "bounds",
        germ("x", "x^3", prior="-1/2"),
        "1/6,? < 1/6,?",
        {"weights": ["1"], "order": {"generator": 0, "direction": ["2"], "order": 3}},
    )
)

# --- transversal in the torus ----------------------------------------------------------------------------------------

# y² − xz and x³ − z² meet transversally: with u = xz/y² and v = x³/z², D_x(1 − u) D_y(v − 1) − … = −6uv
_BOTH = {
    "factors": [0, 1],
    "weight": [4, 5, 6],
    "kind": "independent",
    "directions": [[1, 0, 0], [0, 1, 0]],
    "derived": [[0, 1]],
    "monomial": [4, -2, -1],
    "cofactors": [[], [], [[[0, 0, 0], "-1/6"]]],
}
SPACE_CURVE = of_ideal(
    node(
        "transversal",
        germ("x y z", "y^2 - x*z", "x^3 - z^2"),
        "17/12,1",
        {
            "weights": ["1/3", "1/2", "2/3"],
            "multipliers": ["1/2", "1", "0", "0"],
            "support": [exponents(monomial, "x y z") for monomial in ("y^2", "x*z", "x^3", "z^2")],
            "multiplicity": 2,
            "factors": polynomials(["y^2 - x*z", "x^3 - z^2"], "x y z"),
            "products": [
                {"unit": polynomial("1", "x y z"), "monomial": [0, 0, 0], "powers": [[0, 1]]},
                {"unit": polynomial("1", "x y z"), "monomial": [0, 0, 0], "powers": [[1, 1]]},
            ],
            "proofs": [
                {"factors": [0], "weight": [1, 1, 1], "kind": "edge"},
                {"factors": [1], "weight": [2, 3, 3], "kind": "edge"},
                _BOTH,
            ],
            # beside (4, 5, 6), the cones of one edge end at (2, 1, 0) and (0, 1, 2), where 2w_y = w_x + w_z, and at
            # (2, 0, 3) and (0, 1, 0), where 3w_x = 2w_z
            "cones": [
                {"weight": [1, 1, 1], "kept": [0, 1]},
                {"weight": [2, 3, 4], "kept": [0, 1]},
                {"weight": [6, 5, 9], "kept": [0, 1]},
                {"weight": [2, 3, 3], "kept": [0, 1]},
                {"weight": [4, 5, 6], "kept": [0, 1]},
            ],
            "zeros": [
                {
                    "rays": [[4, 5, 6]],
                    "kept": [0, 1],
                    "factors": [0],
                    "zero": {"point": ["1", "1", "1"], "solved": [1], "radius": "0"},
                    "memberships": {},
                }
            ],
        },
    )
)

# --- many regular coordinates ---------------------------------------------------------------------------------------


def ranked(names: str, generators: list[str], slots: list[int], claim: str, zeros: Json | None = None) -> Json:
    data = {"generators": slots, "prime": 5, "roots": [], "zeros": zeros}
    return node("rank", germ(names, *generators), claim, data)


RANK = of_ideal(ranked("x y", ["2*x + y^2", "x + y - x*y"], [0, 1], "2,1"))
BRACKET = of_ideal(ranked("x y z", ["x + y^2", "x + z^3"], [0], "1,1 < 3,1"))
CONIC = of_ideal(
    ranked(
        "x y",
        ["2*x + x^2 + y^2", "2*x^2 + x^3 + x*y^2"],
        [0],
        "1,1",
        {
            "parameters": ["t"],
            "denominators": polynomials(["1 + t^2"], "t r"),
            "coordinates": polynomials(["r - t^2*r - 1", "2*t*r"], "t r"),
            "fields": [],
        },
    )
)
ORBIT = of_ideal(
    ranked(
        "x y z",
        ["x + y + x*y", "x*z + y*z + x*y*z"],
        [0],
        "1,1",
        {
            "parameters": ["t"],
            "denominators": [],
            "coordinates": polynomials(["0", "0", "t"], "t"),
            "fields": [[[0, polynomial("1 + x", "x y z")], [1, polynomial("-1 - y", "x y z")]]],
        },
    ),
    at="1 1 0",
    given=germ("x y z", "x*y - 1", "x*y*z - z"),
)
_ROOT_TWO = {"minimal_polynomial": ["-2", "0", "1"], "interval": ["1", "2"]}
_AT_ROOT_TWO = node(
    "rank", germ("x", "x^2", field=_ROOT_TWO), "1,1", {"generators": [0], "prime": 7, "roots": [3, 4], "zeros": None}
)
_AT_ROOT_TWO["germ"]["generators"] = [[[[2], "1"], [[1], ["0", "2"]]]]
IRRATIONAL_POINT = of_ideal(_AT_ROOT_TWO, at="0", given=germ("x", "x^2 - 2", field=_ROOT_TWO))
IRRATIONAL_POINT["input"]["at"] = [["0", "1"]]
SUBSTITUTION = of_ideal(
    node(
        "substitution",
        germ("x y z", "x + x*z + y*z", "x*y + z"),
        "2,1",
        {"steps": [[0, 0]]},
        node(
            "eliminate",
            germ("y z", "z + z^2 - y^2*z"),
            "1,1",
            {"generator": 0, "variable": 1, "cofactors": []},
            nothing("y"),
        ),
    )
)

EXAMPLES: dict[str, Example] = {
    "rank": Example(RANK, "1", 1, "two coordinates"),
    "bracket": Example(BRACKET, None, None, "one coordinate of three"),
    "conic": Example(CONIC, "1/2", 1, "a conic by its rational points; the second generator is x times the first"),
    "orbit": Example(ORBIT, "1/2", 1, "a hyperbola by its scales, and a line"),
    "irrational point": Example(IRRATIONAL_POINT, "1/2", 1, "x² − 2 at √2 is a coordinate"),
    "substitution": Example(SUBSTITUTION, "1", 1, "x = −yz/(1 + z), and then z(1 + z − y²)"),
    "zero": Example(ZERO, "0", 1, "convention"),
    "smooth": Example(SMOOTH, "1/2", 1, "regular, rank 1: d/2"),
    "generators": Example(GENERATORS, "1/2", 2, "⟨xy, x³⟩: w_1 + w_2 = 1 is a segment of optimal weights"),
    "double line": Example(DOUBLE_LINE, "1/2", 1, "(x − y)², a germ that a published tool got wrong"),
    "hidden parabola": Example(HIDDEN_PARABOLA, "1", 1, "(x + y²)² + z², returned as 5/4 by a facet test"),
    "moved": Example(MOVED, "1/2", 1, "(x − 3)² at x = 3"),
    "split": Example(SPLIT, "2/3", 1, "(x + y²)² + y⁶: ½ + 1/6, the arc order"),
    "jet": Example(JET, "3/4", 1, "x = −y² + O(y⁴) leaves y⁴ + y⁵ + …: ½ + 1/4"),
    "square": Example(SQUARE, "1/2", 1, "x²((v + xy)² + y⁴), and v + xy is a coordinate: min(½, ½ + ¼)"),
    "block of a face": Example(BLOCK_OF_A_FACE, "5/4", 1, "a definite form of rank 2, and z⁴: 1 + ¼"),
    "separable": Example(SEPARABLE, "5/12", 1, "⟨x², y³⟩: (½ + 1/3)/2"),
    "additive": Example(ADDITIVE, "3/4", 1, "Brieskorn–Pham, even exponents: Σ 1/(2k)"),
    "crossing": Example(CROSSING, "1/4", 2, "K = (xy)⁴ up to a unit"),
    "product of ideals": Example(PRODUCT_OF_IDEALS, "1/2", 1, "⟨x, y⟩·⟨z⟩: min(2, 1)"),
    "cusp": Example(CUSP, "5/12", 1, "A_2: (k + 3)/(2(k + 1)) = 5/6 for |f|"),
    "weighted": Example(WEIGHTED, "1/4", 2, "∏|w|^k, prior |w|^h: min (h + 1)/k"),
    "circle": Example(CIRCLE, "1/2", 1, "x² + y² as a generator: n/d = 1"),
    "quadrant": Example(QUADRANT, "1", 1, "x + y on the closed quadrant: (2, 1) for |f| (Lin)"),
    "rootless edge": Example(ROOTLESS_EDGE, "1", 1, "a definite form of rank 2: d/2"),
    "quadratic": Example(QUADRATIC, "3/2", 1, "a definite form of rank 3: d/2"),
    "hyperbola": Example(HYPERBOLA, "1/2", 2, "x² − y² has (1, 2)"),
    "line by sign": Example(LINE_BY_SIGN, "1/2", 1, "x + y is smooth: (1, 1)"),
    "diagonal of quadrant": Example(DIAGONAL_OF_QUADRANT, "1/2", 1, "x − y on the quadrant: (1, 1) (Lin)"),
    "cone": Example(CONE, "1/2", 1, "x² + y² − z²: |f| has (1, 1) at 0"),
    "three planes": Example(THREE_PLANES, "1/2", 3, "x(y − z)(y + z): three smooth planes that cross"),
    "double root": Example(DOUBLE_ROOT, None, None, "(x − y)²y has ½; the polyhedron alone proves bounds"),
    "unknown": Example(UNKNOWN, None, None, "nothing said of one face: an upper bound"),
    "toric": Example(TORIC, "1/4", 1, "u = x − y, K = u⁴"),
    "toric quadrant": Example(TORIC_QUADRANT, "1/4", 1, "the diagonal is inside the quadrant: as without boundary"),
    "toric wall": Example(TORIC_WALL, "1/4", 1, "half of the diagonal: as without boundary"),
    "toric even wall": Example(TORIC_EVEN_WALL, "1/4", 1, "the parabola lies in x ≥ 0: as without boundary"),
    "toric irrational": Example(TORIC_IRRATIONAL, "1/4", 2, "u²v² with u, v = x ∓ √2 y"),
    "blowup": Example(BLOWUP, "1/2", 1, "⟨x, y⟩² : κ(⟨x, y⟩)/2 = 1"),
    "determinant": Example(DETERMINANT, "1/2", 1, "det of a 2 × 2 matrix: (1, 1)"),
    "point": Example(POINT, "1", 1, "regular of rank 2"),
    "three lines": Example(THREE_LINES, "1/3", 1, "xy(x − y): n/d = 2/3"),
    "weighted lines": Example(WEIGHTED_LINES, "1/2", 2, "xy(x − y), prior |x|: 1 on two lines and at the point"),
    "powers": Example(POWERS, "1/4", 2, "x²y²"),
    "braid": Example(BRAID, "1/3", 1, "braid arrangement, n = 3: (2/n, 1)"),
    "product of matrices": Example(PRODUCT_OF_MATRICES, "3/2", 1, "Aoyagi, Watanabe: (2, 2, 2), r = 0"),
    "product at a point": Example(PRODUCT_AT_A_POINT, "2", 2, "Aoyagi, Watanabe: (2, 2, 2), r = 1"),
    "scalars": Example(SCALARS, "1/2", 3, "xyz: (1, 3)"),
    "roots": Example(ROOTS, "3/4", 1, "near x = y ≠ 0 it is ⟨u², z⟩: ½ + 1, and the prior is positive there"),
    "vandermonde": Example(VANDERMONDE, "2/3", 1, "tanh, H = 2: 2/3 (Aoyagi); complex threshold 4/3"),
    "definite": Example(DEFINITE, "5/8", 1, "compares with |x|²: Σ (h + 1)/2 = 5/4 for the ideal"),
    "minors": Example(MINORS, "1", 1, "2-minors of 2 × 3: min(6/2, 2/1) = 2"),
    "quadric": Example(QUADRIC, "1/2", 1, "a quadratic part of rank 3: its values have a bounded density"),
    "saddle": Example(SADDLE, "1/2", 1, "x y + g up to coordinates, g = −z⁵ − z⁶ by hand, not 0"),
    "two sheets": Example(TWO_SHEETS, "1/2", 1, "the cone z³ = q(x, y) is smooth beside 0"),
    "nodes": Example(NODES, "1/2", 2, "a node in x, y for every z: u v"),
    "tacnode": Example(TACNODE, "3/8", 1, "A_3: (k + 3)/(2(k + 1)) = 3/4 for |f|"),
    "two-sided": Example(TWO_SIDED, "3/4", 1, "A_3: (k + 3)/(2(k + 1)) = 3/4 for |f|"),
    "suspended cusp": Example(SUSPENDED_CUSP, "1/2", 1, "x² + z² = −y³ is smooth beside 0"),
    "tie": Example(TIE, None, None, "(xy − z)(xy + z): bounds for m alone"),
    "bounds": Example(BOUNDS, None, None, "1/mult ≤ κ ≤ n/mult"),
    "best": Example(BEST, None, None, "both bounds"),
    "space curve": Example(SPACE_CURVE, "17/24", 1, "the curve (t⁴, t⁵, t⁶): (4 + 5 + 6 + 2)/12 = 17/12"),
    "on an axis": Example(ON_AN_AXIS, None, None, "x³ with prior |x|^{−1/2}: (1 − ½)/3, bounds that meet without m"),
}
