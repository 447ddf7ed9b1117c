"""thm:bridge_attn: a softmax attention block carries its dead channel with amplitude t²."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import AtMost, Equation, Proof, Prose
from ddtheory.workbench.evidence import limit
from ddtheory.workbench.inequality import attained_check
from ddtheory.workbench.ladder import count_check, rate_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

_WIDTH, _HEADS, _POSITIONS = 6, 2, 4
_HEAD = _WIDTH // _HEADS
_PLACES = ((1, 0), (2, 2), (3, 1), (4, 3))  # seed and position
_RADII = tuple(2.0**-n for n in range(3, 11))
_REASON = "extrapolated to t = 0 from one exact forward pass a radius; the only error is truncation"


_RATE = 2
"""The rate of the dead output, an amplitude."""


def leading(radius: Expr | float, mean: Expr | float) -> Expr:
    """The dead output, from the mean of the dead inputs under a row of attention: t² times it."""
    return radius**_RATE * mean


def following(radius: Expr | float, covariance: Expr | float) -> Expr:
    """The next term of the output: t⁴ Cov_a(b, x)."""
    return radius ** (2 * _RATE) * covariance


def largest_factor(size: Expr | float) -> Expr:
    """By how much scores that move by at most ε move an entry of a softmax: e^{2ε}."""
    return sympy.exp(2 * size)


_T, _SIZE = symbols("t epsilon")


CLAIM = Claim(
    id="thm:bridge_attn",
    title="A softmax attention block has forward rate 2",
    given=(
        r"Let the dead channel enter Q, K, V and O through single entries $t$; let $a(t)$ be the attention row of the "
        r"dead head at a position, $a = a(0)$, and $b_j = x_i x_j / \sqrt{d_h}$ for the dead inputs $x$."
    ),
    clauses={
        "output": rf"The dead output at position $i$ is ${printed(leading(_T, 1))} \sum_j a_j(t)\, x_j$, exactly at "
        "every $t$.",
        "leading": rf"Its leading term is ${printed(leading(_T, 1))} E_a x$, an amplitude of rate ${_RATE}$.",
        "next": rf"Its next term is ${printed(following(_T, 1))}\, \mathrm{{Cov}}_a(b, x)$.",
        "moment": rf"Its second moment has the rate ${2 * _RATE}$ and the coefficient $E (E_a x)^2$.",
        "null set": (
            r"The dead inputs with $E_a x = 0$ are a hyperplane with normal $a$, of positive entries: a null set."
        ),
        "softmax": (
            r"Scores moved by at most $\epsilon$ move softmax entries by factors in "
            rf"$[{printed(largest_factor(-_SIZE))}, {printed(largest_factor(_SIZE))}]$."
        ),
    },
    source=cite("shirodkar2026dead", "thm:bridge_attn"),
    hypotheses=(
        "The dead row of O and the dead column of V have no live entries.",
        "The average of the dead inputs under the attention row at t = 0 is not zero.",
    ),
    expected=Verdict.CONFIRMED,
    doubts=(
        "The rate 2 is that of an amplitude. The register's model has no live channels in V and O; here they are "
        "there and do no harm, as long as the dead row of O does not read them: then the rate is 1."
    ),
)


def derive() -> Proof:
    t, u, y, z = symbols("t u y z", positive=True)
    weights = symbols("w_1:4", positive=True)  # e^{s_j} at t = 0; three positions
    inputs, tilts = symbols("x_1:4", real=True), symbols("b_1:4", real=True)

    def average(values: Sequence[Expr], tilt: Expr | int = 0) -> Expr:
        """Mean of values under the row that is tilted by u b_j."""
        masses = [w * sympy.exp(tilt * b) for w, b in zip(weights, tilts, strict=True)]
        return sum(mass * value for mass, value in zip(masses, values, strict=True)) / sum(masses)

    products = [b * x for b, x in zip(tilts, inputs, strict=True)]
    covariance = average(products) - average(tilts) * average(inputs)
    output = u * average(inputs, u)  # u = t²

    def coefficient(order: int) -> Expr:
        """Of t^{2 order} in the output."""
        return (sympy.diff(output, u, order) / sympy.factorial(order)).subs(u, 0) * t ** (2 * order)

    # the scores themselves, in one head of a live and a dead channel
    head, live = symbols("d_h", positive=True), symbols("q_1 k_1:4", real=True)
    query = sympy.Matrix([live[0], t * inputs[0]])
    score = [(query.T * sympy.Matrix([live[1 + j], t * inputs[j]]))[0] / sympy.sqrt(head) for j in range(3)]
    dead = sympy.diff(sum(t * (w * (t * x)) for w, x in zip(weights, inputs, strict=True)) / sum(weights), inputs[1])

    # a perturbation in [−ε, ε] moves an entry most at ±ε for itself and ∓ε for all others; e^{2ε} = 1 + z
    epsilon = sympy.log(1 + z) / 2
    share = 1 / (1 + y)

    def factor(size: Expr) -> Expr:
        return sympy.exp(size) / (share * sympy.exp(size) + (1 - share) * sympy.exp(-size))

    up, down = (sympy.together(factor(sign * epsilon)) for sign in (1, -1))
    return Proof(
        "Three positions with any scores at t = 0, any dead inputs and any tilt; one head of two channels for the "
        "scores. The bound for any number of positions, whose others act as one.",
        (
            Prose(
                "The dead entries of Q and K tilt the row.",
                r"a_j(t) = a_j e^{u b_j} \Big/ \sum_i a_i e^{u b_i}, \; u = t^2",
            ),
            Equation(
                "next",
                "scores of the first position: what t adds, over u = t²",
                sympy.Matrix([(value - value.subs(t, 0)) / t**2 for value in score]),
                sympy.Matrix([inputs[0] * x / sympy.sqrt(head) for x in inputs]),
                {
                    "without 1/√d_h": sympy.Matrix([inputs[0] * x for x in inputs]),
                    "of the key alone": sympy.Matrix([x / sympy.sqrt(head) for x in inputs]),
                    "squared": sympy.Matrix([x**2 / sympy.sqrt(head) for x in inputs]),
                },
            ),
            Equation(
                "output",
                "V and O contribute t each: weight of the second input in the dead output, for any row",
                dead,
                leading(t, weights[1] / sum(weights)),
                {
                    "t": t * weights[1] / sum(weights),
                    "the row is not normalised": t**2 * weights[1],
                    "a uniform row": t**2 / 3,
                },
            ),
            Prose(
                "The average is that of the tilted row.",
                r"\text{out}(t) = t^2 E_a x + t^4\, \mathrm{Cov}_a(b, x) + O(t^6)",
            ),
            Equation(
                "leading",
                "coefficient of t² in the output",
                coefficient(1),
                leading(t, average(inputs)),
                {
                    "amplitude t": t * average(inputs),
                    "not normalised": t**2 * average(inputs) * sum(weights),
                    "a uniform row": t**2 * sum(inputs) / 3,
                },
            ),
            Equation(
                "next",
                "coefficient of t⁴ in the output",
                coefficient(2),
                following(t, covariance),
                {
                    "without the normalisation": t**4 * average(products),
                    "half of it": t**4 * covariance / 2,
                    "of opposite sign": -(t**4) * covariance,
                },
            ),
            Equation(
                "moment",
                "leading term of the squared output",
                (sympy.diff(output**2, u, 2) / 2).subs(u, 0) * t**4,
                leading(t, average(inputs)) ** 2,
                {"rate 2": t**2 * average(inputs) ** 2, "E_a x²": t**4 * average([x**2 for x in inputs])},
            ),
            Equation(
                "null set",
                "gradient of E_a x: the normal of the set E_a x = 0",
                sympy.Matrix([sympy.diff(average(inputs), x) for x in inputs]),
                sympy.Matrix(weights) / sum(weights),
                {"a uniform row": sympy.ones(3, 1) / 3, "not normalised": sympy.Matrix(weights)},
            ),
            Equation(
                "null set",
                "its sum, which is not zero: so E_a x moves along (1, …, 1)",
                sum(sympy.diff(average(inputs), x) for x in inputs),
                sympy.Integer(1),
                {
                    "of the covariance, which is zero on constants": (
                        sum(sympy.diff(covariance, x) for x in inputs),
                        sympy.Integer(1),
                    )
                },
            ),
            Prose(
                "A perturbation of the scores of size ε moves each entry by a factor in [e^{−2ε}, e^{2ε}], and the "
                "bound is approached as a_j → 0.",
                r"\frac{e^{\varepsilon}}{a_j e^{\varepsilon} + (1 - a_j) e^{-\varepsilon}} \le e^{2\varepsilon}",
            ),
            AtMost(
                "softmax",
                "largest factor, for an entry 1/(1 + y) and e^{2ε} = 1 + z",
                up,
                largest_factor(epsilon),
                slack=((1 + z) * z / (1 + y + z),),
                attained={y: 1000, z: sympy.Rational(1, 2)},
                rivals={"e^ε": sympy.exp(epsilon)},
            ),
            AtMost(
                "softmax",
                "smallest factor, for an entry 1/(1 + y) and e^{2ε} = 1 + z",
                largest_factor(-epsilon),
                down,
                slack=(z / ((1 + z) * (1 + y + y * z)),),
                attained={y: 1000, z: sympy.Rational(1, 2)},
                rivals={"e^{−ε}": (sympy.exp(-epsilon), down)},
            ),
        ),
    )


def _live(seed: int) -> tuple[Tensor, Tensor]:
    """Live matrices of Q, K, V, O and one input sequence."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    live = 0.6 * torch.randn(4, _WIDTH - 1, _WIDTH - 1, generator=generator, dtype=torch.float64)
    return live, torch.randn(_POSITIONS, _WIDTH, generator=generator, dtype=torch.float64)


def _output(live: Tensor, sequence: Tensor, t: float, mixing: float = 0.0) -> Tensor:
    """The dead output channel of torch's own attention module, one number a position.

    With `mixing` the dead row of O also reads the live values, with weights t times that number.
    """
    import torch

    module = torch.nn.MultiheadAttention(_WIDTH, _HEADS, bias=False, batch_first=True, dtype=torch.float64)
    weights = torch.zeros(4, _WIDTH, _WIDTH, dtype=torch.float64)
    weights[:, :-1, :-1] = live
    weights[:, -1, -1] = t
    weights[3, -1, :-1] = t * mixing
    with torch.no_grad():
        module.in_proj_weight.copy_(weights[:3].flatten(0, 1))
        module.out_proj.weight.copy_(weights[3])
        return module(sequence[None], sequence[None], sequence[None], need_weights=False)[0][0, :, -1]


def _row(live: Tensor, sequence: Tensor, position: int) -> Tensor:
    """One row of attention of the dead head at t = 0, from its two live channels alone."""
    import torch

    query, key = (sequence[:, :-1] @ matrix.mT for matrix in live[:2])
    scores = query[position, -(_HEAD - 1) :] @ key[:, -(_HEAD - 1) :].mT / _HEAD**0.5
    return torch.softmax(scores, 0)


def _expansion(live: Tensor, sequence: Tensor, position: int) -> tuple[float, float]:
    """The coefficients of t² and t⁴ by the formulas of the derivation."""
    row, dead = _row(live, sequence, position), sequence[:, -1]
    tilt = dead[position] * dead / _HEAD**0.5
    mean = float(row @ dead)
    return mean, float(row @ (tilt * dead)) - float(row @ tilt) * mean


def measure() -> Experiment:
    leading: list[Check] = []
    following: list[Check] = []
    curves: list[Curve] = []
    for seed, position in _PLACES:
        live, sequence = _live(seed)
        first, second = _expansion(live, sequence, position)
        assert first and second  # a rate with coefficient zero would be vacuous
        values = [float(_output(live, sequence, t)[position]) for t in _RADII]
        plain = float(sequence[:, -1].mean())
        label = f"sequence {seed}, position {position}"
        leading += [
            rate_check(
                f"{label}: amplitude rate",
                2,
                _RADII,
                [abs(value) for value in values],
                quantity="rate of an amplitude",
            ),
            Comparison(
                f"{label}: coefficient of t²",
                first,
                limit(_RADII, [value / t**2 for value, t in zip(values, _RADII, strict=True)]),
                (plain, 0, float(sequence[position, -1])),
                1e-6,
                _REASON + "; the rivals are the unweighted average, zero and the position's own input",
                "coefficient of an amplitude",
            ),
        ]
        following.append(
            Comparison(
                f"{label}: coefficient of t⁴",
                second,
                limit(
                    _RADII[:6],
                    [(value / t**2 - first) / t**2 for value, t in zip(values, _RADII, strict=True)][:6],
                    1e-10,
                ),
                (0, -second, second * _HEAD**0.5),
                1e-3,
                _REASON + "; the rivals are no correction, its sign turned, and scores without 1/√d_h",
                "coefficient of an amplitude",
            )
        )
        curves.append(Curve(f"dead output, {label}", _RADII, tuple(abs(value) for value in values), 2.0))
    return Experiment(
        "torch.nn.MultiheadAttention with two heads of three channels, four positions, live weights and inputs "
        "Gaussian, four seeds, one dead channel, float64; softmax rows of six entries, 2000 random ones.",
        {
            "output": [_exact(seed, t) for seed, t in ((1, 0.5), (2, 1.0), (3, 2.0))],
            "leading": leading,
            "next": following,
            "moment": _moment(),
            "null set": _hyperplane(),
            "softmax": _bound(),
        },
        tuple(curves[:2]),
    )


def _exact(seed: int, t: float) -> Check:
    """The dead output at finite t, against t² times the average under the row of all three channels."""
    import torch

    live, sequence = _live(seed)
    channels = torch.cat([sequence[:, :-1], t * sequence[:, -1:]], 1)
    query, key = (
        torch.cat([channels[:, :-1] @ matrix.mT, channels[:, -1:]], 1)[:, -_HEAD:] for matrix in (live[0], live[1])
    )
    row = torch.softmax(query @ key.mT / _HEAD**0.5, 1)
    predicted = t**2 * row @ sequence[:, -1]
    found = _output(live, sequence, t)
    return Comparison(
        f"sequence {seed}, t = {t}: dead output minus t² Σ a_j(t) x_j, relative, worst position",
        0,
        Interval.around(float((found - predicted).abs().max() / predicted.abs().max()), 1e-13),
        (1e-6,),
        1e-11,
        "an identity at every t; rounding only",
        "relative defect",
    )


def _moment() -> list[Check]:
    """Second moment of the dead output over 64 positions of 16 sequences."""
    cases = [_live(seed) for seed in range(10, 26)]
    moments = [
        sum(float(_output(live, sequence, t).square().mean()) for live, sequence in cases) / len(cases) for t in _RADII
    ]
    rows = [_expansion(live, sequence, place)[0] ** 2 for live, sequence in cases for place in range(_POSITIONS)]
    coefficient = sum(rows) / len(rows)
    return [
        rate_check("16 sequences: rate of the second moment", 4, _RADII, moments),
        Comparison(
            "16 sequences: coefficient of t⁴ in the second moment",
            coefficient,
            limit(_RADII, [moment / t**4 for moment, t in zip(moments, _RADII, strict=True)]),
            (0, coefficient / 2, coefficient**0.5, 1),
            1e-3 * coefficient,
            _REASON + "; the mean of (E_a x)² by rows at t = 0",
            "coefficient of a second moment",
        ),
    ]


def _hyperplane() -> list[Check]:
    """E_a x over many draws of the dead inputs, and its derivative along (1, …, 1)."""
    import torch

    live, sequence = _live(1)
    small = 1e-4
    moved = sequence.clone()
    moved[:, -1] += 1.0
    ahead, here = (float(_output(live, inputs, small)[0]) / small**2 for inputs in (moved, sequence))
    draws = torch.randn(1000, _POSITIONS, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    averages = draws @ _row(live, sequence, 0)
    return [
        Comparison(
            "dead output/t² at t = 1e-4: change when all dead inputs grow by 1",
            1,
            Interval.around(ahead - here, 1e-6),
            (0, float(_row(live, sequence, 0)[0]), _POSITIONS),
            1e-5,
            "the next term is of order t²; rounding is below 1e-7",
            "sum of a row",
        ),
        count_check(
            "1000 draws of dead inputs: how many have E_a x = 0 up to 1e-9",
            0,
            int((averages.abs() < 1e-9).sum()),
            rivals=(1000,),
            reason="a null set is not met by draws from a density",
        ),
    ]


def _moved(size: float, sign: int) -> float:
    """The factor by which a rare softmax entry moves when its score is raised and all others are lowered."""
    import torch

    rare = torch.tensor([-30.0, 0.0, 0.0], dtype=torch.float64)
    push = sign * size * torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64)
    return float(torch.softmax(rare + push, 0)[0] / torch.softmax(rare, 0)[0])


def _bound() -> list[Check]:
    """The factor by which softmax entries move, over random rows and in a row that attains it."""
    import math

    import torch

    size = 0.3
    generator = torch.Generator().manual_seed(5)
    scores = 2 * torch.randn(2000, 6, generator=generator, dtype=torch.float64)
    moved = scores + size * (2 * torch.rand(2000, 6, generator=generator, dtype=torch.float64) - 1)
    ratio = torch.softmax(moved, 1) / torch.softmax(scores, 1)
    outside = (ratio < math.exp(-2 * size)) | (ratio > math.exp(2 * size))
    reason = "rounding of one softmax; the entry has weight e^(−30)"
    return [
        count_check(
            "2000 random rows, perturbations up to 0.3: entries whose factor lies outside of e^(±0.6)",
            0,
            int(outside.sum()),
            rivals=(1, 12000),
            reason=f"observed factors {float(ratio.min()):.3f} to {float(ratio.max()):.3f}",
        ),
        attained_check(
            "factor of a rare entry over e^{2ε}, worst perturbation",
            _moved(size, 1) / math.exp(2 * size),
            reason=reason,
        ),
        attained_check(
            "e^{−2ε} over the factor of a rare entry, worst perturbation",
            math.exp(-2 * size) / _moved(size, -1),
            reason=reason,
        ),
    ]


def control() -> Experiment:
    import math

    live, sequence = _live(1)
    position = 0
    row = _row(live, sequence, position)
    # the dead inputs are shifted along the row until their average vanishes; scores at t = 0 do not see them
    balanced = sequence.clone()
    balanced[:, -1] -= row * (row @ sequence[:, -1]) / (row @ row)
    _, second = _expansion(live, balanced, position)
    cancelled = [abs(float(_output(live, balanced, t)[position])) for t in _RADII[:6]]
    mixed = [abs(float(_output(live, sequence, t, mixing=1.0)[position])) for t in _RADII]
    alone = sequence[:1]
    one = [float(_output(live, alone, t)[0]) / t**2 for t in (0.5, 1.0)]
    return Experiment(
        "Dead inputs whose average under the row is zero leave the covariance term; a dead row of O that also reads "
        "live values carries them with amplitude t; with one position nothing can tilt; and scores that move by 2ε.",
        {
            "output": [
                value_check(
                    "one position, O reads the live values, t = 1/2: dead output",
                    0.25 * float(alone[0, -1]) + 0.5 * float((live[2] @ alone[0, :-1]).sum()),
                    float(_output(live, alone, 0.5, mixing=1.0)[0]),
                    rivals=(0.25 * float(alone[0, -1]),),
                    reason="t² x and t times the sum of the live values, by hand: a softmax of one entry is 1",
                )
            ],
            "leading": [
                rate_check("E_a x = 0: amplitude rate", 4, _RADII[:6], cancelled, quantity="rate of an amplitude"),
                rate_check(
                    "O reads the live values: amplitude rate",
                    1,
                    _RADII,
                    mixed,
                    quantity="rate of an amplitude",
                ),
            ],
            "null set": [
                Comparison(
                    "E_a x = 0: coefficient of t⁴",
                    abs(second),
                    limit(_RADII[:6], [value / t**4 for value, t in zip(cancelled, _RADII, strict=False)], 1e-9),
                    (0, 2 * abs(second)),
                    1e-3,
                    _REASON + "; what is left on the hyperplane",
                    "coefficient of an amplitude",
                )
            ],
            "moment": [
                rate_check(
                    "E_a x = 0: rate of the squared output",
                    8,
                    _RADII[:6],
                    [value**2 for value in cancelled],
                    rivals=(4,),
                ),
                rate_check(
                    "O reads the live values: rate of the squared output",
                    2,
                    _RADII,
                    [value**2 for value in mixed],
                    rivals=(4,),
                ),
            ],
            "next": [
                Comparison(
                    "one position: (out/t² at t = 1) − (out/t² at t = 1/2)",
                    0,
                    Interval.around(one[1] - one[0], 1e-12),
                    (0.75 * _tilt(sequence),),
                    1e-10,
                    "the softmax of one entry is 1; the rival is the tilt b x without its normalisation",
                    "coefficient of an amplitude",
                )
            ],
            "softmax": [
                Comparison(
                    "scores moved by 0.6: factor of a rare entry",
                    math.exp(1.2),
                    Interval.around(_moved(0.6, 1), 1e-9),
                    (math.exp(0.6),),
                    1e-6,
                    "rounding of one softmax; the rival is the bound for 0.3",
                    "factor of a softmax entry",
                )
            ],
        },
    )


def _tilt(sequence: Tensor) -> float:
    """b x of the first position, were it not normalised."""
    return float(sequence[0, -1] ** 3) / _HEAD**0.5
