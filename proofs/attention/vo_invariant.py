"""prop:attn_VO_invariant: from the output of O to the dead value channel the moment gains t², if A is regular."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import sympy
from sympy import symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment, Observation
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.evidence import rate
from ddtheory.workbench.inequality import bound_check, excess

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.workbench.attention_chain import AttentionChain

_RADII = tuple(2.0**-n for n in range(4, 12))
_NOISE = 0.09
_REASON = "exact mean over the noise, forward-mode derivatives, extrapolated to t = 0; the only error is truncation"


def derive() -> Proof:
    t = sympy.Symbol("t", positive=True)
    d1, d2, q = symbols("delta_1 delta_2 q", real=True)
    a, b = symbols("a b", positive=True)  # rows (a, 1 − a) and (b, 1 − b)
    attention = sympy.Matrix([[a, 1 - a], [b, 1 - b]])
    delta = sympy.Matrix([d1, d2])
    v1, v2 = symbols("v_1 v_2", real=True)
    written = t * attention * sympy.Matrix([v1, v2])  # the dead channel behind O
    loss = (delta.T * written)[0]
    by_value = sympy.Matrix([sympy.diff(loss, v1), sympy.diff(loss, v2)])
    gram = attention * attention.T
    # |Aᵀδ|² − s|δ|² = δᵀ(AAᵀ − s)δ, which has one sign at both ends of the spectrum of AAᵀ: with AAᵀ = diag(m², (m+e)²)
    # in the basis of its eigenvectors
    s = sympy.Symbol("s", real=True)
    form = (attention.T * delta).dot(attention.T * delta) - s * delta.dot(delta)
    m, e = symbols("m e", positive=True)
    stretched, length = (m * d1) ** 2 + ((m + e) * d2) ** 2, d1**2 + d2**2
    gain = sympy.expand((m + e) ** 2 - m**2)
    uniform = attention.subs({a: sympy.Rational(1, 2), b: sympy.Rational(1, 2)})
    centred = sympy.Matrix([q, -q])
    return older_proof(
        steps=(
            Prose(
                "The dead value channel meets one weight t and one average.",
                r"\delta_V = t\, A^\top \delta_O \quad \text{exactly, at every } t",
            ),
            Prose(
                "The square lies between the extreme squared singular values of A, so the moment rate moves by "
                "exactly 2 where σ_min(A) > 0 at t = 0.",
                r"t^2 \sigma_{\min}^2 |\delta_O|^2 \le |\delta_V|^2 \le t^2 \sigma_{\max}^2 |\delta_O|^2",
            ),
            Prose(
                "Uniform attention has rank one: it kills every gradient whose sum over positions is zero.",
                r"A = \tfrac1N \mathbf 1 \mathbf 1^\top: \quad A^\top \delta = \tfrac1N \left(\textstyle\sum \delta_i"
                r"\right) \mathbf 1",
            ),
        ),
        residuals={
            "δ_V − t Aᵀδ_O": sympy.simplify((by_value - t * attention.T * delta).norm()),
            "|Aᵀδ|² − s|δ|² is the form AAᵀ − s": (delta.T * (gram - s * sympy.eye(2)) * delta)[0] - form,
            "lower end: |Aᵀδ|² − σ_min² |δ|², minus the slack": excess(stretched, m**2 * length, gain * d2**2),
            "upper end: σ_max² |δ|² − |Aᵀδ|², minus the slack": excess((m + e) ** 2 * length, stretched, gain * d1**2),
            "det A": sympy.expand(attention.det() - (a - b)),
            "uniform attention on centred gradients": (uniform.T * centred).norm(),
        },
        controls={
            "lower end with σ_min⁴": excess(stretched, m**4 * length, gain * d2**2),
            "A for Aᵀ": sympy.simplify((by_value - t * attention * delta).dot(sympy.Matrix([1, 0]))),
            "A regular on centred gradients": (attention.T * centred)[0],
        },
    )


def _gradients(chain: AttentionChain, t: float, below: int, readout: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Gradients at the dead output of O and at the dead value channel of block `below`, (positions, batch, …).

    The last axes are what the noise multiplies: outputs, or their contrast `readout` over positions.
    """
    from ddtheory.workbench.attention_chain import by_position

    weights = chain.weights(t)[below - 1]
    before = chain.stream(t, below - 1)
    attention = chain.attention(before, weights)
    onward = chain.onward(t, below)

    def from_values(values: Tensor) -> Tensor:
        return onward(chain.mixed(attention, values) @ weights[3].mT)

    by_output = chain.sensitivity(t, below)
    by_value = by_position(from_values, before @ weights[2].mT)
    if readout is None:
        return by_output, by_value
    return tuple((readout[:, None] * found).sum(-2, keepdim=True) for found in (by_output, by_value))  # type: ignore[return-value]


def _moments(gradients: tuple[Tensor, Tensor]) -> tuple[float, float]:
    output, value = (_NOISE * found.square().sum((-1, -2)).mean().item() for found in gradients)
    return output, value


def measure() -> Experiment:
    import torch

    from ddtheory.workbench.attention_chain import attention_chain

    checks: list[Check] = []
    curves: list[Curve] = []
    for k in (0, 1, 2):
        chain = attention_chain(blocks=2 + k, seed=4)
        below = 2
        moments = [_moments(_gradients(chain, t, below)) for t in _RADII]
        shift = [value / output for output, value in moments]
        checks.append(
            Comparison(
                f"k = {k}: α_V − α_O",
                2,
                rate(_RADII, shift),
                (0, 1, 3, 4),
                0.1,
                _REASON,
                "difference of moment rates",
            )
        )
        curves += [Curve(f"E[δ_V²]/E[δ_O²], k = {k}", _RADII, tuple(shift), 2.0)]
    # sample by sample, for gradients towards every output coordinate, small gains and saturated ones alike
    worst_low, worst_high, defect = float("inf"), 0.0, 0.0
    for gain in (0.9, 3.0):
        chain = attention_chain(blocks=3, gain=gain, seed=4)
        for t in (0.3, 0.1, 0.01):
            output, value = _gradients(chain, t, 2)
            attention = chain.attention(chain.stream(t, 1), chain.weights(t)[1])[:, -1]
            singular = torch.linalg.svdvals(attention)
            expected = t * torch.einsum("boi,obnd->ibnd", attention, output)
            defect = max(defect, ((value - expected).abs().max() / expected.abs().max()).item())
            ratio = value.square().sum(0).sum((-1, -2)) / (t**2 * output.square().sum(0).sum((-1, -2)))
            worst_low = min(worst_low, (ratio / singular[:, -1] ** 2).min().item())
            worst_high = max(worst_high, (ratio / singular[:, 0] ** 2).max().item())
    checks += [
        Comparison(
            "|δ_V − t Aᵀδ_O| relative to its size",
            0,
            Interval.around(defect, 1e-12),
            (1e-6,),
            1e-11,
            "an identity at every t, also for saturated softmax; rounding only",
            "relative defect",
        ),
        Observation(
            "|δ_V|²/(t²|δ_O|²), gains 0.9 and 3, t = 0.3, 0.1, 0.01: outside [σ_min², σ_max²] of A?",
            "no",
            "no" if worst_low >= 1 - 1e-9 and worst_high <= 1 + 1e-9 else "yes",
            f"smallest ratio to the lower end {worst_low:.3g}, largest to the upper end {worst_high:.3g}",
        ),
        *_ends(),
    ]
    return older_experiment(
        "Chains of two-head softmax attention, probe at block 2 with k blocks above, attention of full rank.",
        tuple(checks),
        tuple(curves),
    )


def _ends() -> list[Check]:
    """Both ends of the interval, by losses whose gradient at O is a singular vector of A over positions."""
    import torch

    from ddtheory.workbench.attention_chain import attention_chain

    chain, t = attention_chain(blocks=2, seed=4), 0.3
    output, value = _gradients(chain, t, 2)
    attention = chain.attention(chain.stream(t, 1), chain.weights(t)[1])[:, -1]
    left, singular, _ = torch.linalg.svd(attention)
    samples = attention.shape[0]
    by_output, by_value = (found.transpose(0, 1).reshape(samples, found.shape[0], -1) for found in (output, value))
    found = []
    for index in (-1, 0):
        # the combination of outputs of the network whose gradient at O is that vector
        weights = torch.linalg.pinv(by_output) @ left[:, :, index, None]
        ratio = (by_value @ weights).square().sum((1, 2)) / (t**2 * (by_output @ weights).square().sum((1, 2)))
        found.append((ratio / singular[:, index] ** 2).mean().item())
    reason = "rounding; a loss along a singular vector of A, mean over samples"
    return [
        bound_check("t² σ_min² |δ_O|² over |δ_V|²", 1 / found[0], reason=reason, error=1e-6),
        bound_check("|δ_V|² over t² σ_max² |δ_O|²", found[1], reason=reason, error=1e-6),
    ]


def control() -> Experiment:
    from ddtheory.workbench.attention_chain import attention_chain

    chain = attention_chain(blocks=2, follow=(1.0, 1.0, 0.0, 1.0), seed=4)
    plain = [_moments(_gradients(chain, t, 2)) for t in _RADII]
    constant = replace(attention_chain(blocks=2, seed=4), follow=(1.0, 1.0, 1.0, 0.0))
    one = [value for _, value in (_moments(_gradients(_held(constant), t, 2)) for t in _RADII)]
    return older_experiment(
        "The shift belongs to the weight of O: a dead entry of V that is zero changes nothing, and an entry of O held "
        "at 1 removes the shift.",
        (
            Comparison(
                "dead entry of V zero: α_V − α_O",
                2,
                rate(_RADII, [value / output for output, value in plain]),
                (0, 4),
                0.1,
                _REASON,
                "difference of moment rates",
            ),
            Comparison(
                "dead entry of O held at 1: α_V − α_O",
                0,
                rate(_RADII, one),
                (2,),
                0.1,
                _REASON,
                "difference of moment rates",
            ),
        ),
    )


def _held(chain: AttentionChain) -> AttentionChain:
    """The same chain in a version whose dead entry of O is 1 at every t."""
    from ddtheory.workbench.attention_chain import AttentionChain

    class Held(AttentionChain):
        def weights(self, t: float) -> Tensor:
            found = super().weights(t)
            found[:, 3, -1, -1] = 1.0
            return found

    return Held(chain.live, chain.inputs, chain.heads, chain.follow, chain.residual)


def counterexample() -> Experiment:
    import torch

    from ddtheory.workbench.attention_chain import attention_chain

    chain = attention_chain(blocks=1, heads=2, seed=4)
    live = chain.live.clone()
    live[:, 0] = 0.0  # live queries zero: the attention at t = 0 is uniform
    uniform = replace(chain, live=live)
    contrast = torch.tensor([1.0, -1.0, 0.0, 0.0], dtype=torch.float64)
    everything = [_moments(_gradients(uniform, t, 1)) for t in _RADII]
    contrasted = [_moments(_gradients(uniform, t, 1, contrast)) for t in _RADII]
    singular = torch.linalg.svdvals(uniform.attention(uniform.inputs, uniform.weights(0.0)[0])[:, -1])[:, 1]
    return older_experiment(
        "Queries that are dead in their live part as well: the attention at t = 0 is uniform and has rank one. A loss "
        "on the difference of two positions sends a centred gradient, which it kills; only the t² deviation from "
        "uniform attention passes it on.",
        (
            Comparison(
                "uniform attention, loss on a difference of positions: α_V − α_O",
                6,
                rate(_RADII, [value / output for output, value in contrasted]),
                (2, 4),
                0.1,
                _REASON + "; the title predicts 2",
                "difference of moment rates",
            ),
            Comparison(
                "uniform attention, loss on all positions: α_V − α_O",
                2,
                rate(_RADII, [value / output for output, value in everything]),
                (4, 6),
                0.1,
                _REASON,
                "difference of moment rates",
            ),
            Comparison(
                "second singular value of the attention at t = 0",
                0,
                Interval.around(float(singular.max()), 1e-14),
                (0.1,),
                1e-12,
                "rounding; three exact zeros in each of sixteen matrices",
                "singular value",
            ),
        ),
        (
            Curve(
                "E[δ_V²]/E[δ_O²], uniform, contrast",
                _RADII,
                tuple(value / output for output, value in contrasted),
                6.0,
            ),
        ),
    )


CLAIM = Claim(
    id="prop:attn_VO_invariant",
    title="α_V − α_O = 2 at every depth",
    clauses=older_statement(
        r"$\delta_{V} = t\, A^\top \delta_{O}$ along the dead channel, exactly. So $E\delta_V^2 / E\delta_O^2$ lies in "
        r"$t^2 [\sigma_{\min}^2(A), \sigma_{\max}^2(A)]$, and if the attention $A$ is invertible at $t = 0$ the moment "
        r"rates differ by exactly $2$."
    ),
    source=cite("shirodkar2026dead", "prop:attn_VO_invariant"),
    hypotheses=("The attention of the dead head is invertible at t = 0.",),
    expected=Verdict.NARROWER,
    derive=derive,
    measure=measure,
    control=control,
    counterexample=counterexample,
    rests_on=("thm:bridge_attn",),
    titled=(
        "that the difference is 2 for every attention pattern: for uniform attention it is 6 under a loss on "
        "differences of positions"
    ),
    doubts=(
        "“Invertible A” fails exactly where attention is uniform. The difference is then still 2 for gradients that "
        "have a component along the constant, and larger for those that have none."
    ),
)
