"""sig:rank_tracking: what ranks the cells of reduced-rank regression at the output is the noise that the fit keeps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import sympy
from sympy import Matrix, eye, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.ladder import count_check, value_check
from ddtheory.workbench.ranks import rank_correlation
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import Signatures

v, s, mu, nu = symbols("v s mu nu", positive=True)
e = Matrix(2, 2, symbols("e_1:5", real=True))

_INPUTS, _OUTPUTS, _NOISE, _SAMPLES = 10, 5, 0.1, 4**5
_CELLS = tuple((hidden, rank) for hidden in (2, 3, 4, 5) for rank in range(1, hidden + 1))
_SHOWN = ((2, 1), (3, 3), (4, 2), (5, 2))
_FIRST_ORDER = "the next term of the logarithm and of the singular vectors is below two per cent at this n"


def vanishing(outputs: sympy.Expr | int, hidden: sympy.Expr | int) -> sympy.Expr | int:
    """How many singular values of the output are zero: N − H."""
    return outputs - hidden


CLAIM = Claim(
    id="sig:rank_tracking",
    title="At the output, λ⁺ and log det⁺ of the gradients track λ across the cells of reduced-rank regression",
    given=(
        r"Let $y = BAx$ be fitted by least squares at rank $\le H$ to $y = M_0x + w$, rank $r$, with whitened inputs "
        r"and $n$ labels of noise $\sigma$. $\hat M = M_0 + E$ is the unrestricted fit, $\hat M_H$ the fit, $G$ the "
        r"Gram of the gradients at the output, $S$ that of the noise itself, and "
        r"$\kappa = n\|\hat M_H - M_0\|^2/\sigma^2$ the noise that the fit keeps."
    ),
    clauses={
        "in-sample": r"$n(\log\det G - \log\det S) = -\kappa + O(n^{-1/2})$ on the data of the fit.",
        "fresh": r"$n(\log\det G - \log\det S) = +\kappa + O(n^{-1/2})$ on fresh data.",
        "kept": (
            r"$\kappa \sigma^2/n = \|E\|^2$ less the squares of the $N - H$ smallest singular values of the block of "
            r"$E$ where $M_0$ is zero, to leading order."
        ),
        "full": r"At $H = N$, $\kappa\sigma^2/n = \|E\|^2$ whatever the rank, and $\lambda$ is not.",
        "zeros": (
            rf"The output has ${printed(vanishing(*symbols('N H')))}$ singular values that are zero, so that "
            r"$\sigma_{\min}$ ranks rounding."
        ),
    },
    source=cite("shirodkar-narayanan2026signatures", "§ 4.1", verified=False),
    hypotheses=("Whitened inputs, squared error, the maximum likelihood itself.",),
    expected=Verdict.NARROWER,
    holds="At the output, log det⁺ reads the noise that the fit keeps, with a sign that fresh data turn",
    titled="The rank correlation with λ across cells is a reading of the singularity.",
    doubts=(
        "The paper reports rank correlations with λ of about −0.98 and −0.95 at the output. What differs there between "
        "cells is −κ/n, a fraction of a per cent: how much noise is fitted. With the same fits on fresh data the sign "
        "turns. By the formula its size is between 0.38 and 0.77 over 400 draws that all cells share."
    ),
)


def _twice(value: sympy.Expr) -> sympy.Expr:
    """The coefficient of s²."""
    return sympy.expand(sympy.simplify(sympy.diff(value, s, 2).subs(s, 0) / 2))


def _kept_by_rank_one() -> tuple[sympy.Expr, sympy.Expr]:
    """‖E‖² − ‖M̂ − M̂₁‖² and ‖M̂₁ − M₀‖², to the order s², for M₀ = diag(μ, 0) and E = s e."""
    truth = Matrix([[mu, 0], [0, 0]])
    estimate = truth + s * e
    moment = estimate * estimate.T
    trace, determinant = moment.trace(), estimate.det() ** 2
    root = sympy.sqrt(trace**2 - 4 * determinant)
    larger, smaller = (trace + root) / 2, (trace - root) / 2
    cut = (moment - larger * eye(2)) * estimate / (smaller - larger)  # M̂ − M̂₁, by the projection on the second vector
    error = estimate - cut - truth
    return _twice(s**2 * e.norm() ** 2 - smaller), _twice((error * error.T).trace())


def derive() -> Proof:
    design = Matrix([[1, 1], [1, -1], [-1, 1], [-1, -1]])  # whitened: XᵀX = 4
    truth, fit = (Matrix(2, 2, symbols(f"{name}_1:5", real=True)) for name in ("m", "q"))
    noise = Matrix(4, 2, symbols("w_1:9", real=True))
    labels = design * truth.T + noise
    error, moment = noise.T * design / 4, noise.T * noise / 4
    estimate = labels.T * design / 4
    cut = estimate - fit
    residual = labels - design * fit.T
    other = Matrix([[1, 1], [1, -1], [-1, -1], [-1, 1]])
    fresh_noise = Matrix([[1, 1], [1, 1], [1, 1], [1, 1]]) * sympy.diag(*symbols("z_1:3", real=True))  # off the inputs
    fresh = other * truth.T + fresh_noise - other * fit.T
    a = Matrix(2, 2, symbols("a_1:5", real=True))
    a = a + a.T
    in_sample, kept = _kept_by_rank_one()
    by_hand = e[0, 0] ** 2 + e[0, 1] ** 2 + e[1, 0] ** 2
    whole = by_hand + e[1, 1] ** 2
    ranks = Matrix([[mu, 0], [0, 0]]), Matrix([[mu, 0], [0, nu]])
    z = symbols("z")
    outer, inner = Matrix(2, 1, symbols("b_1:3")), Matrix(1, 2, symbols("c_1:3"))
    output = outer * inner * (outer * inner).T
    full = [_twice(((truth_ + s * e) - truth_).norm() ** 2) for truth_ in ranks]
    return Proof(
        "Two inputs and outputs: any noise, truth and fit for the moments; rank one and two for what the fit keeps.",
        (
            Equation(
                "in-sample",
                "the second moment of the residual on the data of the fit, for any fit Q: S − EEᵀ + (M̂ − Q)(M̂ − Q)ᵀ",
                residual.T * residual / 4,
                moment - error * error.T + cut * cut.T,
                {
                    "E forgotten": moment + cut * cut.T,
                    "as on fresh data": moment + (fit - truth) * (fit - truth).T,
                },
            ),
            Equation(
                "fresh",
                "on whitened inputs that the noise is orthogonal to, for any fit Q: S + (Q − M₀)(Q − M₀)ᵀ",
                fresh.T * fresh / 4,
                fresh_noise.T * fresh_noise / 4 + (fit - truth) * (fit - truth).T,
                {"as in the sample": fresh_noise.T * fresh_noise / 4 - (fit - truth) * (fit - truth).T},
            ),
            *(
                Equation(
                    clause,
                    "derivative of log det(vI + sA) at s = 0",
                    sympy.diff(sympy.log((v * eye(2) + s * a).det()), s).subs(s, 0),
                    a.trace() / v,
                    {"without 1/v": a.trace(), "of the first entry": a[0, 0] / v},
                )
                for clause in ("in-sample", "fresh")
            ),
            Prose("The trace of EEᵀ − (M̂ − M̂_H)(M̂ − M̂_H)ᵀ is to leading order that of (M̂_H − M₀)(M̂_H − M₀)ᵀ:"),
            Equation(
                "kept",
                "rank one: the coefficients of s² of ‖E‖² − ‖M̂ − M̂₁‖² and of ‖M̂₁ − M₀‖²",
                Matrix([in_sample, kept]),
                Matrix([by_hand, by_hand]),
                {"all noise": Matrix([whole, whole]), "of the corner": Matrix([e[0, 0] ** 2, e[0, 0] ** 2])},
            ),
            Equation(
                "full",
                "H = N: the coefficient of s² of ‖M̂ − M₀‖² at rank one and two",
                Matrix(full),
                Matrix([whole, whole]),
                {"as at H = 1": Matrix([by_hand, whole])},
            ),
            Equation(
                "zeros",
                "one hidden unit: the characteristic polynomial of the moment of the output, BAAᵀBᵀ",
                (z * eye(2) - output).det(),
                z ** vanishing(2, 1) * (z - output.trace()),
                {"no zero": (z - output[0, 0]) * (z - output[1, 1]), "two": z**2},
            ),
        ),
    )


def _draws() -> Tensor:
    """Fifty normal numbers, the same for every cell: E = _NOISE · Z/√n. At this seed all κ differ by 2 % or more."""
    import torch

    return torch.randn(_OUTPUTS, _INPUTS, generator=torch.Generator().manual_seed(126), dtype=torch.float64)


def _kept(hidden: int, rank: int) -> float:
    """κ by its formula, from the draws."""
    import torch

    noise = _draws()
    spare = torch.linalg.svdvals(noise[rank:, rank:])[hidden - rank :]
    return float(noise.square().sum() - spare.square().sum())


@cache
def _cell(hidden: int, rank: int, *, fresh: bool, kept: bool = True) -> Signatures:
    """Signatures of a fit whose noise is fixed while n grows, on its own data or on new ones.

    Without `kept` the fit is the truth itself.
    """
    import torch
    from torch import nn

    from ddtheory.measure import Gaussian, NoisyTargets, Problem, signatures

    generator = torch.Generator().manual_seed(7 + fresh)
    shape = (_SAMPLES, _INPUTS + _OUTPUTS)
    basis = torch.linalg.qr(torch.randn(shape, generator=generator, dtype=torch.float64)).Q * math.sqrt(_SAMPLES)
    inputs = basis[:, :_INPUTS]
    truth = torch.zeros(_OUTPUTS, _INPUTS, dtype=torch.float64)
    truth[range(rank), range(rank)] = 1.0
    noise = _NOISE * _draws() / math.sqrt(_SAMPLES)
    seen = truth if fresh else truth + noise
    targets = inputs @ seen.mT + _NOISE * basis[:, _INPUTS:]
    left, values, right = torch.linalg.svd(truth + noise if kept else truth, full_matrices=False)
    root = values[:hidden].sqrt()
    first, second = nn.Linear(_INPUTS, hidden, bias=False), nn.Linear(hidden, _OUTPUTS, bias=False)
    network = nn.Sequential(first, second, nn.Identity()).double()
    with torch.no_grad():
        first.weight.copy_(root[:, None] * right[:hidden])
        second.weight.copy_(left[:, :hidden] * root)
    problem = Problem.from_module(network, inputs, Gaussian())
    return signatures(problem, ["1", "2"], labels=NoisyTargets(lambda _: targets, 0.0))


def _shift(hidden: int, rank: int, *, fresh: bool, kept: bool = True) -> float:
    """n (log det G − log det S), S the moment of the noise: σ²I + EEᵀ on the data of the fit, σ²I on new ones."""
    import torch

    found = _cell(hidden, rank, fresh=fresh, kept=kept)["1"].log_det_plus
    moment = torch.eye(_OUTPUTS, dtype=torch.float64)
    if not fresh:
        moment += _draws() @ _draws().mT / _SAMPLES
    return _SAMPLES * (found - 2 * _OUTPUTS * math.log(_NOISE) - float(torch.logdet(moment)))


def _lambdas() -> Mapping[tuple[int, int], float]:
    """λ of every cell, from the ranks: r(M + N − r)/2 regular directions, and the deepest stratum of what is left."""
    from ddtheory import cells

    found = {}
    for hidden, rank in _CELLS:
        pair = cells.reduced_rank(inputs=_INPUTS, hidden=hidden, outputs=_OUTPUTS, rank=rank).rlct
        if pair is None:
            raise ValueError(f"The catalogue has no pair for H = {hidden}, r = {rank}.")
        found[hidden, rank] = float(pair.lam)
    return found


def measure() -> Experiment:
    checks: dict[str, list[Check]] = {clause: [] for clause in CLAIM.clauses}
    for fresh, clause, sign in ((False, "in-sample", -1), (True, "fresh", 1)):
        for cell in _SHOWN:
            kappa = _kept(*cell)
            checks[clause].append(
                value_check(f"H = {cell[0]}, r = {cell[1]}: n(log det G − log det S)", sign * kappa,
                            _shift(*cell, fresh=fresh), rivals=(-sign * kappa, 0, sign * kappa / 2), error=0.02,
                            reason=_FIRST_ORDER, quantity="difference")
            )  # fmt: skip
    error = _cell_error(3, 1)
    checks["kept"].append(
        value_check("H = 3, r = 1: n‖M̂₃ − M₀‖²/σ² against the draws", _kept(3, 1), error,
                    rivals=(float(_draws().square().sum()), _kept(2, 1), _kept(1, 1)), error=0.02, reason=_FIRST_ORDER)
    )  # fmt: skip
    full = [_shift(5, rank, fresh=True) for rank in range(1, 6)]
    spread = max(full) - min(full)
    lambdas = _lambdas()
    checks["full"].append(
        value_check("H = 5: largest against smallest n(log det G − log det S) over r = 1…5", 1, max(full) / min(full),
                    rivals=(lambdas[5, 5] / lambdas[5, 1],), error=1e-3, reason=f"they differ by {spread:.1e} in all",
                    quantity="ratio")
    )  # fmt: skip
    for hidden in (2, 4):
        found = _cell(hidden, 1, fresh=False)["2"]
        checks["zeros"].append(
            count_check(f"H = {hidden}: singular values of the output that are zero", _OUTPUTS - hidden,
                        found.activation_spectrum.zeros, rivals=(0, _OUTPUTS - hidden - 1),
                        reason="to rounding, by the rank of the factor")
        )  # fmt: skip
    return Experiment(
        f"M = {_INPUTS}, N = {_OUTPUTS}, n = {_SAMPLES}, noise {_NOISE}: fits whose noise is fixed, on their data and "
        "on new ones.",
        checks,
    )


def _cell_error(hidden: int, rank: int) -> float:
    """n‖M̂_H − M₀‖²/σ², by the singular value decomposition."""
    import torch

    truth = torch.zeros(_OUTPUTS, _INPUTS, dtype=torch.float64)
    truth[range(rank), range(rank)] = 1.0
    left, values, right = torch.linalg.svd(truth + _NOISE * _draws() / math.sqrt(_SAMPLES), full_matrices=False)
    fit = left[:, :hidden] * values[:hidden] @ right[:hidden]
    return float((fit - truth).square().sum()) * _SAMPLES / _NOISE**2


def control() -> Experiment:
    kappa = _kept(3, 1)
    found = {
        "in-sample": _shift(3, 1, fresh=False, kept=False),
        "fresh": _shift(3, 1, fresh=True, kept=False),
    }
    inner = [_shift(3, rank, fresh=True) for rank in (1, 3)]
    predicted = _kept(3, 3) / _kept(3, 1)
    return Experiment(
        "With the truth in the place of the fit no noise is kept. Below full rank the rank does matter.",
        {
            "in-sample": [
                value_check("the truth on the data: n(log det G − log det S), plus 1", 1, 1 + found["in-sample"],
                            rivals=(1 - kappa, 1 + kappa), error=1e-6, reason="rounding times n")
            ],
            "fresh": [
                value_check("the truth on new data: the same", 1, 1 + found["fresh"], rivals=(1 - kappa, 1 + kappa),
                            error=1e-6, reason="rounding times n")
            ],
            "full": [
                value_check("H = 3: at r = 3 over at r = 1", predicted, inner[1] / inner[0], rivals=(1,), error=0.02,
                            reason=_FIRST_ORDER, quantity="ratio")
            ],
            "kept": [
                value_check("H = N: nothing is cut off", float(_draws().square().sum()), _cell_error(5, 1),
                            rivals=(_kept(4, 1),), reason="rounding of a singular value decomposition", error=1e-9)
            ],
            "zeros": [
                count_check("H = 5: singular values of the output that are zero", 0,
                            _cell(5, 1, fresh=False)["2"].activation_spectrum.zeros, rivals=(1, 4),
                            reason="a fit of full rank has none")
            ],
        },
    )  # fmt: skip


def counterexample() -> Experiment:
    lambdas = _lambdas()
    truth = [lambdas[cell] for cell in _CELLS]
    predicted = rank_correlation([_kept(*cell) for cell in _CELLS], truth)
    proxy = rank_correlation([float(hidden * rank) for hidden, rank in _CELLS], truth)
    checks: list[Check] = []
    for fresh, where, sign in ((False, "on the data of the fit", -1), (True, "on new data", 1)):
        found = rank_correlation([_shift(*cell, fresh=fresh) for cell in _CELLS], truth)
        checks.append(
            value_check(f"Spearman's ρ of log det⁺ with λ over {len(_CELLS)} cells, {where}", sign * predicted, found,
                        rivals=(-sign * predicted, 0), error=1e-6, quantity="correlation",
                        reason="the order of the cells is that of κ, whose gaps are wider than the next order")
        )  # fmt: skip
    return Experiment(
        f"A reading of the singularity would have one sign. This one has that of κ, ρ = {predicted:.3f} by the "
        f"formula. The number H·r, which reads no network, has {proxy:.3f}.",
        {TITLE: checks},
    )
