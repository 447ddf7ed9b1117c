"""thm:bridge_attn: a softmax attention block carries its dead channel with amplitude t²."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment, Observation
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.evidence import limit, rate

if TYPE_CHECKING:
    from torch import Tensor

_WIDTH, _HEADS, _POSITIONS = 6, 2, 4
_HEAD = _WIDTH // _HEADS
_RADII = tuple(2.0**-n for n in range(3, 11))
_REASON = "extrapolated to t = 0 from one exact forward pass a radius; the only error is truncation"


def derive() -> Proof:
    t, u, epsilon = symbols("t u epsilon", positive=True)
    share = sympy.Symbol("a_j", positive=True)
    mean, tilt, joint, m0, m1 = symbols("X B Y m_0 m_1", real=True)
    # Σ_j a_j e^{u b_j} and Σ_j a_j x_j e^{u b_j} for any number of positions; u = t²
    total = 1 + u * tilt + u**2 * m0
    weighted = mean + u * joint + u**2 * m1
    average = weighted / total
    covariance = joint - tilt * mean
    # perturbations in [−ε, ε]: the ratio of a softmax entry is largest at +ε for itself and −ε for all others
    largest = sympy.exp(epsilon) / (share * sympy.exp(epsilon) + (1 - share) * sympy.exp(-epsilon))
    slack = sympy.exp(2 * epsilon) * share * (sympy.exp(2 * epsilon) - 1) / (share * sympy.exp(2 * epsilon) + 1 - share)
    return older_proof(
        steps=(
            Prose(
                "The dead entries of Q and K add t² x_i x_j/√d_h to the scores, so entry j of a row is tilted by "
                "u b_j with u = t².",
                r"a_j(t) = a_j e^{u b_j} \Big/ \sum_i a_i e^{u b_i}, \qquad b_j = x_i x_j / \sqrt{d_h}",
            ),
            Prose(
                "V and O contribute t each; the average is that of the tilted row.",
                r"\text{out}(t) = t^2 \sum_j a_j(t)\, x_j = t^2\, E_a x + t^4\, \mathrm{Cov}_a(b, x) + O(t^6)",
            ),
            Prose(
                "A perturbation of the scores of size ε moves each entry by a factor in [e^{−2ε}, e^{2ε}], and the "
                "bound is attained as a_j → 0.",
                r"\frac{e^{\varepsilon}}{a_j e^{\varepsilon} + (1 - a_j) e^{-\varepsilon}} \le e^{2\varepsilon}",
            ),
        ),
        residuals={
            "coefficient of t²": average.subs(u, 0) - mean,
            "coefficient of t⁴": sympy.diff(average, u).subs(u, 0) - covariance,
            "slack of the bound, which is positive": sympy.simplify(sympy.exp(2 * epsilon) - largest - slack),
            "the bound is sharp": sympy.limit(largest, share, 0, "+") - sympy.exp(2 * epsilon),
        },
        controls={
            "t⁴ without the normalisation": sympy.diff(average, u).subs(u, 0) - joint,
            "factor e^ε": sympy.limit(largest, share, 0, "+") - sympy.exp(epsilon),
            "moment rate 2 for amplitude rate 2": (t**2 * mean) ** 2 - t**2 * mean**2,
        },
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
    checks: list[Check] = []
    curves: list[Curve] = []
    for seed, position in ((1, 0), (2, 2)):
        live, sequence = _live(seed)
        first, second = _expansion(live, sequence, position)
        assert first and second  # a rate with coefficient zero would be vacuous
        values = [float(_output(live, sequence, t)[position]) for t in _RADII]
        plain = float(sequence[:, -1].mean())
        label = f"sequence {seed}, position {position}"
        checks += [
            Comparison(
                f"{label}: amplitude rate",
                2,
                rate(_RADII, [abs(value) for value in values]),
                (1, 3, 4),
                0.1,
                _REASON,
                "rate of an amplitude",
            ),
            Comparison(
                f"{label}: rate of the second moment",
                4,
                rate(_RADII, [value**2 for value in values]),
                (2, 3, 6),
                0.1,
                _REASON,
                "rate of a second moment",
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
            ),
        ]
        curves.append(Curve(f"dead output, {label}", _RADII, tuple(abs(value) for value in values), 2.0))
    return older_experiment(
        "torch.nn.MultiheadAttention with two heads of three channels, live weights Gaussian, one dead channel.",
        (*checks, *_bound()),
        tuple(curves),
    )


def _bound() -> tuple[Check, ...]:
    """The factor by which softmax entries move, over random rows and in a row that attains it."""
    import math

    import torch

    size = 0.3
    generator = torch.Generator().manual_seed(5)
    scores = 2 * torch.randn(2000, 6, generator=generator, dtype=torch.float64)
    moved = scores + size * (2 * torch.rand(2000, 6, generator=generator, dtype=torch.float64) - 1)
    ratio = torch.softmax(moved, 1) / torch.softmax(scores, 1)
    inside = math.exp(-2 * size) <= float(ratio.min()) and float(ratio.max()) <= math.exp(2 * size)
    rare = torch.tensor([-30.0, 0.0, 0.0], dtype=torch.float64)
    push = size * torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64)
    attained = float(torch.softmax(rare + push, 0)[0] / torch.softmax(rare, 0)[0])
    return (
        Observation(
            "2000 random rows, perturbations up to 0.3",
            "inside",
            "inside" if inside else "outside",
            f"observed factors {float(ratio.min()):.3f} to {float(ratio.max()):.3f}, bounds e^(±0.6)",
        ),
        Comparison(
            "factor of a rare entry under the worst perturbation",
            math.exp(2 * size),
            Interval.around(attained, 1e-9),
            (math.exp(size), 1),
            1e-6,
            "rounding of one softmax; the entry has weight e^(−30)",
            "factor of a softmax entry",
        ),
    )


def control() -> Experiment:
    import torch

    live, sequence = _live(1)
    position = 0
    row = _row(live, sequence, position)
    # the dead inputs are shifted along the row until their average vanishes; scores at t = 0 do not see them
    balanced = sequence.clone()
    balanced[:, -1] -= row * (row @ sequence[:, -1]) / (row @ row)
    _, second = _expansion(live, balanced, position)
    cancelled = [abs(float(_output(live, balanced, t)[position])) for t in _RADII[:6]]
    mixed = [abs(float(_output(live, sequence, t, mixing=1.0)[position])) for t in _RADII]
    assert torch.isfinite(balanced).all()
    return older_experiment(
        "Dead inputs whose average under the row is zero leave the covariance term; and a dead row of O that also "
        "reads live values carries them with amplitude t.",
        (
            Comparison(
                "E_a x = 0: amplitude rate",
                4,
                rate(_RADII[:6], cancelled),
                (2, 3),
                0.1,
                _REASON,
                "rate of an amplitude",
            ),
            Comparison(
                "E_a x = 0: coefficient of t⁴",
                abs(second),
                limit(_RADII[:6], [value / t**4 for value, t in zip(cancelled, _RADII, strict=False)], 1e-9),
                (0, 2 * abs(second)),
                1e-3,
                _REASON,
                "coefficient of an amplitude",
            ),
            Comparison(
                "O reads the live values: amplitude rate",
                1,
                rate(_RADII, mixed),
                (2,),
                0.1,
                _REASON,
                "rate of an amplitude",
            ),
        ),
    )


CLAIM = Claim(
    id="thm:bridge_attn",
    title="A softmax attention block has forward rate 2",
    clauses=older_statement(
        r"Let the dead channel enter Q, K, V and O through single entries $t$. Then the dead output at a position is "
        r"$t^2 \sum_j a_j(t) x_j = t^2 E_a x + t^4\, \mathrm{Cov}_a(b, x) + O(t^6)$ with $a$ the attention row of the "
        r"dead head at $t = 0$, an amplitude; its second moment has rate $4$. Scores moved by at most $\varepsilon$ "
        r"move softmax entries by factors in $[e^{-2\varepsilon}, e^{2\varepsilon}]$. Not covered here: that the "
        r"inputs whose average vanishes are a null set."
    ),
    source=cite("shirodkar2026dead", "thm:bridge_attn"),
    hypotheses=(
        "The dead row of O and the dead column of V have no live entries.",
        "The average of the dead inputs under the attention row at t = 0 is not zero.",
    ),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    doubts=(
        "The rate 2 is that of an amplitude. The register's model has no live channels in V and O; here they are "
        "there and do no harm, as long as the dead row of O does not read them: then the rate is 1."
    ),
)
