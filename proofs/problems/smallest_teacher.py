"""MAIS:O67: one-head softmax attention over two tokens, at a padded teacher: the smallest open case, and all v = 2."""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr, Matrix, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.certified import certified, pair_row
from ddtheory.workbench.ladder import count_check, rate_check
from ddtheory.workbench.statement import printed


def crossed(first: Expr, second: Expr, one: Expr, other: Expr) -> Expr:
    """Y, from c_1, c_2, y_1 and y_2: c_2 y_1 − c_1 y_2."""
    return second * one - first * other


def bracket(rest: Expr, beside: Expr, first: Expr, scale: Expr) -> Expr:
    """W, from S, ν, P and μ: S − ν P/μ."""
    return rest - beside * first / scale


_NARROW, _WIDER = [2, 2], [2, 1]
"""The pairs at e = 2 and at e ≥ 3, one teacher coordinate; the second one for two or more as well."""

_Y, _W = crossed(*symbols("c_1^0 c_2^0 y_1 y_2")), bracket(*symbols("S nu P mu"))


CLAIM = Claim(
    id="MAIS:O67",
    title="The smallest teachers of softmax attention",
    given=(
        r"Let $K$ be the divergence of one-head softmax attention with $v = 2$ tokens, any length $T \ge 2$ and width "
        r"$e$: $s_t = E_{x_T} Q E_{x_t}^T$, $\ell = \sum_t \operatorname{softmax}(s)_t E_{x_t} U$, labels "
        r"$\operatorname{softmax}(\ell)$, at a teacher of width $e_0 < e$ padded by zeros. Put $u = U_1 - U_2 = (\mu, "
        r"\nu)$, $E_a = (x_a, y_a)$ in teacher and student coordinates, $c_a = E_a u$ and $\delta_a = E_a Q (E_1 - "
        r"E_2)^T$."
    ),
    clauses={
        "generators": (
            r"Where $c_1 \ne c_2$ at the teacher, $K \asymp \sum_a (c_a - c_a^0)^2 + (\delta_a - \delta_a^0)^2$, for "
            r"every $T \ge 2$."
        ),
        "normal form": (
            r"For $e_0 = 1$ these four generate the ideal of three coordinates and $Y \cdot W$, with "
            rf"$Y = {printed(_Y)}$ and $W = {printed(_W)}$ in $\mathbb R^{{e-1}}$, where $(P, S) = Q (E_1 - E_2)^T$; "
            "all "
            "are independent coordinates."
        ),
        "pair": (
            rf"For $e_0 = 1$ the pair is $({_NARROW[0]}, {_NARROW[1]})$ at $e = 2$ and $({_WIDER[0]}, {_WIDER[1]})$ at "
            r"$e \ge 3$, at every teacher with $\mu\,(x_1 - x_2) \ne 0$; for $e_0 \ge 2$ it is "
            rf"$({_WIDER[0]}, {_WIDER[1]})$ at a generic one."
        ),
    },
    source=cite("levine2026", "Open problems MAIS-O66 and MAIS-O67"),
    hypotheses=("The prior is positive at the teacher, and all strings of two tokens are inputs.",),
    expected=Verdict.CONFIRMED,
    assumes=(cite("agv1985", "Section 11.1"),),
    uncovered="Three tokens and more.",
    doubts=(
        "The posed case (v, T, e, e_0) = (2, 2, 2, 1) is settled, with the exceptional teachers named: generic "
        "constancy holds with h = μ(x_1 − x_2). Lengths above 2 add no generator."
    ),
)


def _generators(width: int, teacher: int, *, tokens: Sequence[Sequence[int]], query: int, move_u: bool) -> list[Expr]:
    """c_a − c_a⁰ and δ_a − δ_a⁰ at a teacher with these tokens, Q⁰ = query·1 and u⁰ = (1, 2, …)."""
    embedding = Matrix(2, width, symbols(f"x:{2 * width}"))
    attention = Matrix(width, width, symbols(f"q:{width**2}"))
    out = Matrix(width, 1, symbols(f"u:{width}")) if move_u else sympy.zeros(width, 1)
    for i in range(teacher):
        out[i] += i + 1
        attention[i, i] += query
        for a in (0, 1):
            embedding[a, i] += tokens[a][i]
    gap = (embedding.row(0) - embedding.row(1)).T
    found = [*(embedding * out), *(embedding * attention * gap)]
    origin = {symbol: 0 for entry in found for symbol in entry.free_symbols}
    return [sympy.expand(entry - entry.subs(origin)) for entry in found]


def _pair(width: int, teacher: int, tokens: Sequence[Sequence[int]], query: int, move_u: bool = False) -> list[Expr]:
    pair = certified(generators=_generators(width, teacher, tokens=tokens, query=query, move_u=move_u))
    return pair_row(pair)


def _normal_form(width: int) -> list[Expr]:
    """λ and m of three coordinates beside Y·W."""
    product = " + ".join(f"y{i}*w{i}" for i in range(1, width))
    pair = certified(generators=["a", "b", "c", product])
    return pair_row(pair)


def derive() -> Proof:
    d, n1, n2, c1, c2 = symbols("delta n_1 n_2 c_1 c_2", positive=True)
    weight = n1 * sympy.exp(d) / (n1 * sympy.exp(d) + n2)
    logit = c1 * weight + c2 * (1 - weight)
    x1, x2, m, q = symbols("x_1 x_2 mu q", real=True)
    y1, y2, nu, r, s, z = (Matrix(symbols(f"{name}_1:3", real=True)) for name in ("y", "eta", "nu", "r", "s", "z"))
    square = Matrix(2, 2, [*z, *symbols("z_3 z_4", real=True)])
    gap, side_gap = x1 - x2, y1 - y2
    first, rest = q * gap + (r.T * side_gap)[0], s * gap + square * side_gap  # P and S
    c = [x * m + (y.T * nu)[0] for x, y in ((x1, y1), (x2, y2))]
    w = bracket(rest, nu, first, m)
    scores = [x * first + (y.T * rest)[0] for x, y in ((x1, y1), (x2, y2))]
    as_stated = [c[i] * first / m + ((y1, y2)[i].T * w)[0] for i in (0, 1)]
    at_teacher = {symbol: 0 for vector in (y1, y2, nu, r, s, square) for symbol in vector}
    normal = Matrix([*c, first / m, *(crossed(x1, x2, y1, y2) * m), *w])
    jacobian = normal.jacobian([x1, x2, q, *y1, *s]).subs(at_teacher)
    both = scores[0] * c[1] - scores[1] * c[0]
    pairs = [
        _pair(2, 1, [[1], [2]], 1, move_u=True),
        _pair(2, 1, [[0], [2]], 0, move_u=True),
        _pair(3, 1, [[1], [2]], 1),
        _pair(3, 1, [[0], [2]], 0),
        _normal_form(2),
        *(_normal_form(width) for width in (3, 4, 5)),
    ]
    wider = [
        _pair(3, 2, [[1, 0], [0, 1]], 1, move_u=True),
        _pair(2, 2, [[1, 0], [0, 1]], 1, move_u=True),
    ]
    stated = [_NARROW, _NARROW, _WIDER, _WIDER, _NARROW, _WIDER, _WIDER, _WIDER]
    return Proof(
        "Generators for any numbers of the two tokens in a string; the normal form symbolic, at e = 3; pairs by "
        "derivations that the checker accepts, at widths 2 to 5.",
        (
            Prose(
                "A string with n_1 and n_2 of the tokens and last token a has a logit difference that depends on c_1, "
                "c_2 and δ_a alone; with one token only it is c_1 or c_2.",
                r"\ell = \frac{n_1 e^{\delta} c_1 + n_2 c_2}{n_1 e^{\delta} + n_2}",
            ),
            Equation(
                "generators",
                "its derivative in δ, which is not 0 where c_1 ≠ c_2: so δ_a is a function of logits",
                sympy.diff(logit, d),
                (c1 - c2) * n1 * n2 * sympy.exp(d) / (n1 * sympy.exp(d) + n2) ** 2,
                {
                    "not 0 where c_1 = c_2": c1 * n1 * n2 * sympy.exp(d) / (n1 * sympy.exp(d) + n2) ** 2,
                    "scores alone": (c1 - c2) * weight,
                },
            ),
            Prose("GL_e acts and keeps K; where u is held fixed, the rest of an orbit is flat."),
            Equation(
                "normal form",
                "δ_1, δ_2 against c_a P/μ + y_a·W",
                Matrix(scores),
                Matrix(as_stated),
                {
                    "W = S": Matrix([c[i] * first / m + ((y1, y2)[i].T * rest)[0] for i in (0, 1)]),
                    "c_a P": Matrix([c[i] * first + ((y1, y2)[i].T * w)[0] for i in (0, 1)]),
                },
            ),
            Equation(
                "normal form",
                "c_2 δ_1 − c_1 δ_2 against Y·W, c for c⁰",
                both,
                (crossed(c[0], c[1], y1, y2).T * w)[0],
                {"c_1 y_1 − c_2 y_2": (crossed(c[1], c[0], y1, y2).T * w)[0]},
            ),
            Equation(
                "normal form",
                "Jacobian of (c_1, c_2, P/μ, Y, W) in (x_1, x_2, q, y_1, s) at the teacher, e = 3; where x_2 = 0, y_2 "
                "serves",
                jacobian.det(),
                m**3 * x2**2 * gap**3,
                {"without μ": x2**2 * gap**3, "x_1": m**3 * x1**2 * gap**3},
            ),
            Equation(
                "pair",
                "λ and m: e = 2 at teachers x = (1, 2), q = 1 and x = (0, 2), q = 0; e = 3 at the same two with u "
                "held; and the normal form for e = 2, 3, 4, 5",
                Matrix(pairs),
                Matrix(stated),
                {
                    "rank/2": Matrix([[sympy.Rational(3, 2), 1]] * len(stated)),
                    "m = 1": Matrix([[2, 1]] * len(stated)),
                    "m = 2": Matrix([[2, 2]] * len(stated)),
                },
            ),
            Equation(
                "pair",
                "e_0 = 2, tokens (1, 0), (0, 1), Q⁰ = 1, u⁰ = (1, 2): λ and m at e = 3 and e = 2",
                Matrix(wider),
                Matrix([[2, 1]] * 2),
                {"a crossing beside": Matrix([[2, 2]] * 2), "rank 3": Matrix([[sympy.Rational(3, 2), 1]] * 2)},
            ),
        ),
    )


def measure() -> Experiment:
    from ddtheory.workbench.measurements.softmax_attention import Attention

    generators: list[Check] = []
    for length, rivals in ((2, (4, 2)), (3, (4, 2)), (4, (4, 2))):
        network = Attention(2, length, 2)
        generators.append(
            count_check(
                f"rank of the logits at a teacher of width 1, e = 2, T = {length}",
                3,
                network.rank(network.padded([[1.0], [0.4]], [[0.7]], [[1.3, -0.2]])),
                rivals=rivals,
                reason="singular values above 1e-9 of the largest; four generators with one relation at first order",
            )
        )
    network = Attention(2, 3, 3)
    pairs: list[Check] = [
        count_check(
            "rank of the logits at a teacher of width 2, e = 3, T = 3: twice λ",
            4,
            network.rank(
                network.padded([[1.0, 0.2], [0.4, -0.6]], [[0.7, 0.1], [0.3, 0.5]], [[1.3, -0.2], [0.1, 0.8]])
            ),
            rivals=(3, 5),
            reason="singular values above 1e-9 of the largest; there are four generators, so the fibre is smooth",
        )
    ]
    return Experiment(
        "A torch model of all strings, float64: ranks at padded teachers; and what the regular directions leave of the "
        "misfit beside one.",
        {"generators": generators, "normal form": _crossing(), "pair": pairs},
    )


def _crossing() -> list[Check]:
    """Along y_1 and s together the misfit is of fourth order, along one of them it can be undone."""
    import torch

    from ddtheory.workbench.measurements.softmax_attention import Attention

    network = Attention(2, 2, 2)
    teacher = network.padded([[1.0], [0.4]], [[0.7]], [[1.3, -0.2]])
    side, score = network.place("E", 0, 1), network.place("Q", 1, 0)

    def misfit(places: Sequence[int], step: float) -> float:
        direction = torch.zeros(network.dimension, dtype=torch.float64)
        direction[list(places)] = 1.0
        return network.least_misfit(teacher, direction, step)

    radii = [0.08 / 2 ** (n / 2) for n in range(9)]
    alone = max(misfit([place], radii[0]) for place in (side, score))
    return [
        rate_check(
            "least squared change of the logits along y_1 and s together",
            4,
            radii,
            [misfit([side, score], radius) for radius in radii],
            rivals=(2, 6, 8),
            quantity="rate of a least square",
        ),
        Comparison(
            f"least squared change of the logits along y_1, or s, alone, at {radii[0]}",
            0,
            Interval.around(alone, 1e-20),
            (misfit([side, score], radii[0]),),
            1e-19,
            "the regular directions undo it, but for rounding",
            "least square",
        ),
    ]


def control() -> Experiment:
    import torch

    from ddtheory.workbench.measurements.softmax_attention import Attention

    network, wider = Attention(2, 2, 2), Attention(2, 3, 3)
    alike = network.padded([[1.0], [1.0]], [[0.7]], [[1.3, -0.2]])
    teacher = network.padded([[1.0], [0.4]], [[0.7]], [[1.3, -0.2]])
    direction = torch.zeros(network.dimension, dtype=torch.float64)
    direction[[network.place("E", 0, 1), network.place("Q", 0, 1)]] = 1.0  # y_1 and r, which is no part of W
    undone = network.least_misfit(teacher, direction, 0.08)
    direction[network.place("Q", 0, 1)], direction[network.place("Q", 1, 0)] = 0.0, 1.0
    left = network.least_misfit(teacher, direction, 0.08)
    return Experiment(
        "At an exceptional teacher, whose two tokens are the same, attention does not matter and the rank is two: the "
        "pair is (1, 1). And r in the place of s makes no crossing with y_1.",
        {
            "generators": (
                count_check(
                    "rank of the logits where both tokens are the same, e = 2, T = 2",
                    2,
                    network.rank(alike),
                    rivals=(3,),
                    reason="singular values above 1e-9 of the largest",
                ),
            ),
            "pair": (
                count_check(
                    "rank of the logits at a teacher of width 2 whose tokens are the same, e = 3, T = 3: twice λ",
                    2,
                    wider.rank(
                        wider.padded([[1.0, 0.2], [1.0, 0.2]], [[0.7, 0.1], [0.3, 0.5]], [[1.3, -0.2], [0.1, 0.8]])
                    ),
                    rivals=(4,),
                    reason="singular values above 1e-9 of the largest",
                ),
            ),
            "normal form": (
                Comparison(
                    "least squared change of the logits along y_1 and r together, at 0.08",
                    0,
                    Interval.around(undone, 1e-20),
                    (left,),
                    1e-19,
                    "the regular directions undo it, but for rounding",
                    "least square",
                ),
            ),
        },
    )
