"""cor:sigma-min-res-all: with skips everywhere the forward rate is 0, and σ_min grows when branches are paired."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Matrix, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Curve, Experiment, Observation
from ddtheory.verify.proof import AtMost, Equation, Proof, Prose
from ddtheory.workbench.evidence import limit
from ddtheory.workbench.inequality import bound_check
from ddtheory.workbench.ladder import count_check, limit_check, rate_check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

_RADII = tuple(2.0**-n for n in range(3, 12))
_SAMPLES, _WIDTH, _DEPTH = 2000, 5, 8
_NETWORKS, _SMALL = 40, 1e-4


CLAIM = Claim(
    id="cor:sigma-min-res-all",
    title="All layers wrapped: σ_min does not decay with depth",
    holds="With skips everywhere the forward rate is 0, and σ_min grows when branches are paired",
    given=r"Let every block stand beside a skip of weight $1$, and $X_l$ be the samples at node $l$, $N$ rows.",
    clauses={
        "rate": r"$K^{\text{fwd}} = 0$ at every node: the dead channel has the forward rate $0$.",
        "coefficient": r"It has the forward coefficient $1$.",
        "growth": (
            r"If every branch is linear with positive semidefinite symmetric part then "
            r"$\sigma_{\min}(X_l)/\sigma_{\min}(X_0) \ge 1$ at all depths $l$."
        ),
        "samples": (
            r"The sample Gram is $N$ times the normalised one, $X^\top X = N \cdot X^\top X / N$, so the ratio does "
            r"not depend on how often a sample is counted."
        ),
    },
    source=cite("shirodkar2026dead", "cor:sigma-min-res-all"),
    hypotheses=(
        "Every block is wrapped by a skip of weight 1, and no normalisation stands on the stream.",
        "For the inequality: linear branches with positive semidefinite symmetric part.",
    ),
    expected=Verdict.NARROWER,
    rests_on=("thm:bridge_res", "cor:res_all", "cor:sigma-min-res"),
    titled="that σ_min(X_l)/σ_min(X_0) ≥ 1 holds at every depth because K is 0 everywhere",
    doubts=(
        "The rate in t is 0, as claimed. The ratio by depth is another matter: it needs paired branches, and ordinary "
        "ones lower σ_min."
    ),
)


def derive() -> Proof:
    t, c = symbols("t c", positive=True)
    layers, samples = symbols("l N", integer=True, positive=True)
    x, c1, c2, c3 = symbols("x c_1 c_2 c_3", positive=True)
    v1, v2, w, y, a11, a12, a22 = symbols("v_1 v_2 w y a_11 a_12 a_22", real=True)
    smallest = symbols("sigma", positive=True)
    r1, r2, q1, q2 = symbols("r_1 r_2 q_1 q_2", real=True)

    node = x
    for slope in (c1, c2, c3):
        node = node + slope * t * node
    moment = sympy.expand(node**2)
    slope_of = t * sympy.diff(sympy.log(node**2), t)

    def square(vector: Matrix) -> Expr:
        return (vector.T * vector)[0]

    turn = sympy.Matrix([[0, 1], [-1, 0]])
    v, first, second = sympy.Matrix([v1, v2]), sympy.Matrix([r1, r2]), sympy.Matrix([q1, q2])
    # samples with X₀ᵀX₀ = σ² + AᵀA, so that σ_min(X₀) ≥ σ; a branch B acts on rows, X ↦ X (I + B)ᵀ
    spread = sympy.Matrix([[a11, a12], [0, a22]])
    lower, upper = first * first.T + w * turn, second * second.T + y * turn

    def gram(vector: Matrix) -> Expr:
        return smallest**2 * square(vector) + square(spread * vector)

    one = v + lower.T * v
    above = v + upper.T * v
    growing = first * first.T  # the lower branch of two, without its skew part
    two = above + growing.T * above
    quiet = dict.fromkeys((r1, r2, q1, q2, a11, a12, a22), 0)
    few = sympy.Matrix(3, 2, symbols("x_1:7", real=True))
    normalised = few / sympy.sqrt(samples)
    twice = sympy.Matrix.vstack(few, few)
    return Proof(
        "Forward with three blocks of unequal slopes, and l blocks of equal ones. The ratio for two dimensions, any "
        "sample Gram, a branch r rᵀ + w J with J the quarter turn, and one more behind r rᵀ; deeper ones by induction.",
        (
            Prose(
                "The skip passes the dead channel at order 0 to every node.",
                r"z_{l,\text{dead}} = (1 + c\,t)^l x \to x",
            ),
            Equation(
                "rate",
                "local slope of the dead second moment behind three blocks, to first order in t",
                slope_of.subs(t, 0) + sympy.diff(slope_of, t).subs(t, 0) * t,
                2 * (c1 + c2 + c3) * t,
                {"rate 6, without skips": sympy.Integer(6), "an amplitude": (c1 + c2 + c3) * t},
            ),
            Equation(
                "coefficient",
                "dead second moment behind three blocks at t = 0",
                moment.subs(t, 0),
                x**2,
                {
                    "without skips": (((c1 * c2 * c3 * t**3 * x) ** 2).subs(t, 0), x**2),
                    "four, a skip and a branch of weight 1": 4 * x**2,
                },
            ),
            Equation(
                "coefficient",
                "and behind l equal blocks",
                ((1 + c * t) ** layers * x).subs(t, 0),
                x,
                {"l routes": layers * x},
            ),
            Prose(
                "Ratios of neighbouring nodes telescope, each at least 1 for paired branches.",
                r"\frac{\sigma_{\min}(X_l)}{\sigma_{\min}(X_0)} = \prod_i \frac{\sigma_{\min}(X_i)}"
                r"{\sigma_{\min}(X_{i-1})} \ge 1",
            ),
            AtMost(
                "growth",
                "one branch: σ² |v|² and |X₁ v|²",
                smallest**2 * square(v),
                gram(one),
                slack=(
                    2 * smallest**2 * first.dot(v) ** 2,
                    smallest**2 * square(lower.T * v),
                    square(spread * one),
                ),
                attained={**quiet, v1: 1, v2: 0, smallest: 1, w: sympy.Rational(1, 4)},
                rivals={"a branch −r rᵀ": (smallest**2 * square(v), gram(v - first * first.T * v))},
            ),
            AtMost(
                "growth",
                "two branches: σ² |v|² and |X₂ v|²",
                smallest**2 * square(v),
                gram(two),
                slack=(
                    2 * smallest**2 * second.dot(v) ** 2,
                    smallest**2 * square(upper.T * v),
                    2 * smallest**2 * first.dot(above) ** 2,
                    smallest**2 * square(growing.T * above),
                    square(spread * two),
                ),
                attained={**quiet, v1: 1, v2: 0, smallest: 1, y: sympy.Rational(1, 4)},
                rivals={"the upper branch −q qᵀ": (smallest**2 * square(v), gram(v - second * second.T * v))},
            ),
            Equation(
                "samples",
                "N times the Gram of the samples over √N, and the Gram of the samples",
                samples * normalised.T * normalised,
                few.T * few,
                {"√N": sympy.sqrt(samples) * few.T * few, "unnormalised": (samples * few.T * few, few.T * few)},
            ),
            Equation(
                "samples",
                "every sample counted twice: the Gram is doubled, so σ_min² of every node is too",
                twice.T * twice,
                2 * few.T * few,
                {"the Gram stays": few.T * few},
            ),
        ),
    )


def _inputs(samples: int = _SAMPLES) -> Tensor:
    import torch

    generator = torch.Generator().manual_seed(2)
    mixing = torch.eye(_WIDTH, dtype=torch.float64) + 0.2 * torch.randn(
        _WIDTH, _WIDTH, generator=generator, dtype=torch.float64
    )
    return torch.randn(samples, _WIDTH, generator=generator, dtype=torch.float64) @ mixing


def _smallest(matrix: Tensor) -> float:
    import torch

    return float(torch.linalg.svdvals(matrix)[-1])


def measure() -> Experiment:
    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    graph = residual_graph(depth=4, skips=[(0, 2), (2, 4)], batch=_SAMPLES, width=_WIDTH, activation=torch.tanh)
    second = graph.inputs[:, -1].square().mean().item()
    rates: list[Check] = []
    coefficients: list[Check] = []
    curves: list[Curve] = []
    for node in (2, 4):
        smallest = [_smallest(graph.nodes(t)[node]) ** 2 / _SAMPLES for t in _RADII]
        dead = [graph.nodes(t)[node][:, -1].square().mean().item() for t in _RADII]
        rates += [
            rate_check(
                f"node {node}: rate of λ_min(XᵀX/N) in t",
                0,
                _RADII,
                smallest,
                rivals=(4,),
                quantity="rate of an eigenvalue",
            ),
            rate_check(f"node {node}: forward rate of the dead second moment", 0, _RADII, dead, rivals=(4, 2 * node)),
        ]
        coefficients.append(
            Comparison(
                f"node {node}: second moment of the dead channel at t = 0",
                second,
                limit(_RADII, dead),
                (0, 4 * second),
                1e-4,
                "2000 fixed samples, extrapolated to t = 0; coefficient 1 times that of the input",
                "coefficient of a second moment",
            )
        )
        curves.append(Curve(f"λ_min at node {node}", _RADII, tuple(smallest), 0.0))
    generator = torch.Generator().manual_seed(3)
    branches = []
    for _ in range(_DEPTH):
        raw, turn = 0.4 * torch.randn(2, _WIDTH, _WIDTH, generator=generator, dtype=torch.float64)
        branches.append(raw @ raw.mT + turn - turn.mT)
    quiet = [0.02 * (turn - turn.mT) for turn in torch.randn(_DEPTH, _WIDTH, _WIDTH, generator=generator).double()]
    growth: list[Check] = []
    for samples in (_SAMPLES, 7, _WIDTH):
        ratios = _ratios(_inputs(samples), branches)
        steps = [after / before for before, after in zip([1.0, *ratios], ratios, strict=False)]
        growth.append(
            count_check(
                f"{_DEPTH} paired linear branches, N = {samples}: at how many depths σ_min falls",
                0,
                sum(step < 1 - 1e-12 for step in steps),
                rivals=(1, _DEPTH),
                reason=f"a count; the smallest ratio of neighbouring nodes is {min(steps):.4f}",
            )
        )
    growth.append(
        bound_check(
            f"σ_min(X_0)/σ_min(X_{_DEPTH}), small skew branches",
            1 / _ratios(_inputs(), quiet)[-1],
            reason="skew branches of size 1/50 are nearly the worst case",
        )
    )
    start = _inputs(7)
    repeated = start.repeat(3, 1)
    return Experiment(
        "A tanh network of width 5 and depth 4 in which every block is wrapped, 2000 Gaussian inputs; and linear "
        "stacks of depth 8 whose branches have positive semidefinite symmetric part, 2000, 7 and 5 samples.",
        {
            "rate": rates,
            "coefficient": coefficients,
            "growth": growth,
            "samples": [
                Comparison(
                    "7 samples, each counted three times: σ_min(X)²",
                    3 * _smallest(start) ** 2,
                    Interval.around(_smallest(repeated) ** 2, 1e-10),
                    (_smallest(start) ** 2, 9 * _smallest(start) ** 2),
                    1e-8,
                    "an identity; rounding only",
                    "squared singular value",
                ),
                Comparison(
                    f"7 samples, each counted three times: σ_min(X_{_DEPTH})/σ_min(X_0)",
                    _ratios(start, branches)[-1],
                    Interval.around(_ratios(repeated, branches)[-1], 1e-9),
                    (3 * _ratios(start, branches)[-1], _ratios(_inputs(), branches)[-1]),
                    1e-7,
                    "an identity; the rivals are a factor of three, and other samples",
                    "ratio of singular values",
                ),
            ],
        },
        tuple(curves),
    )


def _ratios(start: Tensor, branches: Sequence[Tensor]) -> list[float]:
    """σ_min(X_l)/σ_min(X_0) at all depths of a linear residual stack."""
    stream, found = start, []
    for branch in branches:
        stream = stream + stream @ branch.mT
        found.append(_smallest(stream) / _smallest(start))
    return found


def control() -> Experiment:
    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    against = [-0.2 * torch.eye(_WIDTH, dtype=torch.float64)] * _DEPTH
    bare = residual_graph(depth=2, skips=[], batch=_SAMPLES, width=_WIDTH)
    smallest = [_smallest(bare.nodes(t)[2]) ** 2 for t in _RADII[:6]]
    dead = [bare.nodes(t)[2][:, -1].square().mean().item() for t in _RADII]
    start = _inputs(7)
    weighted = torch.cat([start, 2 * start])
    return Experiment(
        "A branch −I/5 decays with depth; without skips σ_min² decays with t, and nothing arrives at t = 0. A copy of "
        "the samples that is twice as large counts four times.",
        {
            "growth": [
                Comparison(
                    f"branch −I/5, depth {_DEPTH}: σ_min ratio",
                    0.8**_DEPTH,
                    Interval.around(_ratios(_inputs(), against)[-1], 1e-10),
                    (1,),
                    1e-8,
                    "exact",
                    "ratio of singular values",
                )
            ],
            "rate": [
                rate_check(
                    "two layers without skips: rate of λ_min in t",
                    4,
                    _RADII[:6],
                    smallest,
                    rivals=(0,),
                    quantity="rate of an eigenvalue",
                )
            ],
            "coefficient": [
                limit_check(
                    "two layers without skips: second moment of the dead channel at t = 0",
                    0,
                    _RADII,
                    dead,
                    rivals=(bare.inputs[:, -1].square().mean().item(),),
                    width=1e-3,
                ),
                limit_check(
                    "two layers without skips: that moment over t⁴",
                    bare.inputs[:, -1].square().mean().item(),
                    _RADII,
                    [moment / t**4 for moment, t in zip(dead, _RADII, strict=True)],
                    rivals=(0, 2 * bare.inputs[:, -1].square().mean().item()),
                ),
            ],
            "samples": [
                Comparison(
                    "7 samples and their doubles: σ_min(X)²",
                    5 * _smallest(start) ** 2,
                    Interval.around(_smallest(weighted) ** 2, 1e-10),
                    (2 * _smallest(start) ** 2,),
                    1e-8,
                    "an identity; the rival counts them as copies",
                    "squared singular value",
                )
            ],
        },
    )


def counterexample() -> Experiment:
    import torch

    generator = torch.Generator().manual_seed(11)
    start = _inputs()
    one_of_two = 0
    ratios = []
    for _ in range(_NETWORKS):
        stream = start
        for _ in range(_DEPTH):
            first, second = torch.randn(2, _WIDTH, _WIDTH, generator=generator, dtype=torch.float64) / _WIDTH**0.5
            stream = stream + torch.tanh(stream @ first.mT) @ second.mT
        ratios.append(_smallest(stream) / _smallest(start))
        branch = _SMALL * torch.tanh(start @ first.mT) @ second.mT
        falls = [_smallest(start + sign * branch) < _smallest(start) for sign in (1, -1)]
        one_of_two += falls[0] is not falls[1]
    normalised = torch.nn.functional.layer_norm(stream, (_WIDTH,))
    singular = torch.linalg.svdvals(normalised - normalised.mean(0))
    sizes = [2.0**-n for n in range(3, 11)]
    shrunk = [_smallest(start - torch.tanh(size * start) / (2 * size)) / _smallest(start) for size in sizes]
    return Experiment(
        "Every layer has its skip, so K = 0 everywhere; the branches are two-layer tanh networks. One that undoes half "
        "of its input halves σ_min as its inner weights shrink. A small branch and its negative move σ_min in opposite "
        "directions, so one of the two lowers it, whatever the weights; and σ_min(X_8) falls below σ_min(X_0) for "
        "Gaussian weights of ordinary size. Behind a LayerNorm it is zero.",
        {
            TITLE: [
                limit_check(
                    "branch −tanh(s x)/(2s), s → 0: σ_min(X_1)/σ_min(X_0)",
                    0.5,
                    sizes,
                    shrunk,
                    rivals=(1,),
                    quantity="ratio of singular values",
                ),
                count_check(
                    f"{_NETWORKS} pairs of branches ±s B tanh(A x), s = {_SMALL:g}: where exactly one lowers σ_min",
                    _NETWORKS,
                    one_of_two,
                    rivals=(0, _NETWORKS // 2),
                    reason="to first order the change of σ_min is odd in B; the title predicts 0",
                ),
                Observation(
                    f"{_NETWORKS} Gaussian networks of depth {_DEPTH}: smallest σ_min(X_{_DEPTH})/σ_min(X_0)",
                    "below 1/2",
                    "below 1/2" if min(ratios) < 0.5 else f"{min(ratios):.3f}",
                    f"it is {min(ratios):.3f}; the title says that none is below 1",
                ),
                Comparison(
                    "behind a LayerNorm: smallest singular value of the centred samples/largest",
                    0,
                    Interval.around(float(singular[-1] / singular[0]), 1e-13),
                    (float(singular[-2] / singular[0]),),
                    1e-12,
                    "rounding; one exact zero, the direction 1 (γ = 1); the rival is the next singular value",
                    "singular value",
                ),
            ]
        },
    )
