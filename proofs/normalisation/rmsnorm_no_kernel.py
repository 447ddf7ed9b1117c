"""prop:rmsnorm_no_kernel: RMSNorm has no kernel that holds for all inputs, but data can give it one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Experiment, Observation
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose

if TYPE_CHECKING:
    from torch import Tensor

_WIDTH = 5


def derive() -> Proof:
    size = Symbol("d", integer=True, positive=True)
    # x = ±e_i has root mean square 1/√d, so the normalised input is ±√d e_i, each with probability 1/(2d)
    v, gamma = symbols("v_1:5", real=True), symbols("gamma_1:5", nonzero=True, real=True)
    width = len(v)
    values = [sign * sympy.sqrt(width) * g * c for g, c in zip(gamma, v, strict=True) for sign in (1, -1)]
    mean = sum(values) / (2 * width)
    variance = sum(value**2 for value in values) / (2 * width) - mean**2
    one = (sympy.sqrt(size)) ** 2 * 2 / (2 * size)  # weight of (v_i γ_i)² for any d
    w = symbols("w_1:5", real=True)
    x = symbols("x_1:5", real=True)
    scale = Symbol("s", positive=True)
    output = [g * z * scale for g, z in zip(gamma, x, strict=True)]
    kernel = [c / g for g, c in zip(gamma, w, strict=True)]
    inner = sum(k * o for k, o in zip(kernel, output, strict=True))
    plane = sum(c * z for c, z in zip(w, x, strict=True))
    return older_proof(
        steps=(
            Prose("Inputs ±e_i, all equally likely, have root mean square 1/√d.", r"\mathrm{RMS}(\pm e_i) = 1/\sqrt d"),
            Prose(
                "The variance of any inner product is a sum of squares, zero only for v = 0.",
                r"\mathrm{Var}\langle v, \mathrm{RMSNorm}(x)\rangle = \sum_i (v_i \gamma_i)^2",
            ),
            Prose(
                "If the inputs lie in the hyperplane ⟨w, x⟩ = 0, the direction w/γ is an exact kernel; for w = 1, "
                "centred inputs, it is the one of LayerNorm.",
                r"\langle w/\gamma, \gamma \odot x\, s(x)\rangle = s(x) \langle w, x\rangle = 0",
            ),
        ),
        residuals={
            "variance, width 4": sympy.expand(variance - sum((g * c) ** 2 for g, c in zip(gamma, v, strict=True))),
            "weight for any width": sympy.simplify(one - 1),
            "hyperplane": sympy.expand(inner - scale * plane),
        },
        controls={
            "without the factor d": sympy.expand(
                variance / width - sum((g * c) ** 2 for g, c in zip(gamma, v, strict=True))
            ),
            "any direction on the hyperplane": sympy.expand(sum(output)).subs(
                {gamma[0]: 1, gamma[1]: 2, gamma[2]: 1, gamma[3]: 1, x[0]: 1, x[1]: -1, x[2]: 0, x[3]: 0}
            ),
        },
    )


def _module(gammas: Tensor) -> object:
    import torch

    module = torch.nn.RMSNorm(gammas.shape[0], eps=0.0, dtype=torch.float64)
    with torch.no_grad():
        module.weight.copy_(gammas)
    return module


def _draw(seed: int, *shape: int) -> Tensor:
    import torch

    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _normalised(inputs: Tensor, gammas: Tensor) -> Tensor:
    import torch

    module = _module(gammas)
    assert isinstance(module, torch.nn.RMSNorm)
    with torch.no_grad():
        return module(inputs)


def _axes(width: int) -> Tensor:
    import torch

    eye = torch.eye(width, dtype=torch.float64)
    return torch.cat([eye, -eye])


def measure() -> Experiment:
    import torch

    checks: list[Check] = []
    for width in (3, _WIDTH, 8):
        gammas = _draw(width, width)
        v = _draw(10 + width, width)
        outputs = _normalised(_axes(width), gammas)
        predicted = float((v * gammas).square().sum())
        found = float((outputs @ v).var(correction=0))
        checks.append(
            Comparison(
                f"width {width}: Var⟨v, RMSNorm(x)⟩ over ±e_i",
                predicted,
                Interval.around(found, 1e-12 * predicted),
                (0, predicted / width, float(v.square().sum())),
                1e-10 * predicted,
                "a finite sum; rounding only. The rivals are no variance, the factor d left out, and γ left out",
                "variance",
            )
        )
        singular = torch.linalg.svdvals(outputs - outputs.mean(0))
        checks.append(
            Observation(
                f"width {width}: exact zeros in the spectrum",
                "0",
                str(int((singular < 1e-13 * singular[0]).sum())),
                f"smallest over largest {float(singular[-1] / singular[0]):.3g}, least |γ| over largest "
                f"{float(gammas.abs().min() / gammas.abs().max()):.3g}",
            )
        )
    return older_experiment("torch.nn.RMSNorm with ε = 0, float64, on the inputs ±e_i.", tuple(checks))


def control() -> Experiment:
    import torch

    gammas = _draw(1, _WIDTH)
    zeroed = gammas.clone()
    zeroed[2] = 0.0
    outputs = _normalised(_axes(_WIDTH), zeroed)
    layer = torch.nn.functional.layer_norm(_draw(4, 200, _WIDTH), (_WIDTH,), gammas)
    kernel = 1 / gammas
    return older_experiment(
        "A gain of zero gives the variance zero in its coordinate; and LayerNorm has a kernel on data without any "
        "structure.",
        (
            Comparison(
                "γ_3 = 0: variance of that coordinate",
                0,
                Interval.around(float(outputs[:, 2].var()), 1e-25),
                (float(gammas[2] ** 2),),
                1e-20,
                "exact",
                "variance",
            ),
            Comparison(
                "LayerNorm on Gaussian data: variance along γ^{−1}",
                0,
                Interval.around(float((layer @ kernel).var()), 1e-20),
                (float(_normalised(_draw(4, 200, _WIDTH), gammas).matmul(kernel).var()),),
                1e-18,
                "rounding; the rival is the same variance behind RMSNorm",
                "variance",
            ),
        ),
    )


def counterexample() -> Experiment:
    import torch

    gammas, w = _draw(1, _WIDTH), _draw(2, _WIDTH)
    inputs = _draw(3, 400, _WIDTH)
    confined = inputs - torch.outer(inputs @ w, w) / w.square().sum()
    centred = inputs - inputs.mean(1, keepdim=True)
    checks: list[Check] = []
    for name, data, normal in (
        ("inputs orthogonal to w", confined, w),
        ("centred inputs", centred, torch.ones(_WIDTH, dtype=torch.float64)),
    ):
        outputs = _normalised(data, gammas)
        singular = torch.linalg.svdvals(outputs - outputs.mean(0))
        kernel = normal / gammas
        along = float((outputs @ (kernel / kernel.norm())).var())
        checks.append(
            Comparison(
                f"{name}: variance along w/γ",
                0,
                Interval.around(along, 1e-25),
                (float(singular[-2] ** 2 / 400),),
                1e-20,
                "rounding; the title predicts a positive variance in every direction. The rival is the next eigenvalue",
                "variance",
            )
        )
        checks.append(
            Observation(
                f"{name}: exact zeros in the spectrum",
                "1",
                str(int((singular < 1e-13 * singular[0]).sum())),
                "singular values below 1e-13 of the largest; named w/γ",
            )
        )
    return older_experiment(
        "Data on a hyperplane through 0. A stream that is centred on its way, as behind another centring layer, is "
        "such a hyperplane, and RMSNorm then is LayerNorm.",
        tuple(checks),
    )


CLAIM = Claim(
    id="prop:rmsnorm_no_kernel",
    title="RMSNorm has no kernel",
    clauses=older_statement(
        r"For $x$ uniform on $\pm e_i$ and all $\gamma_i \ne 0$, $\mathrm{Var}\langle v, \mathrm{RMSNorm}(x)\rangle = "
        r"\sum_i (v_i \gamma_i)^2 > 0$ for every $v \ne 0$: no direction is a kernel for all laws of the input."
    ),
    source=cite("shirodkar2026dead", "prop:rmsnorm_no_kernel"),
    hypotheses=("The inputs are not confined to a hyperplane through 0.", "All γ_i ≠ 0."),
    expected=Verdict.NARROWER,
    derive=derive,
    measure=measure,
    control=control,
    counterexample=counterexample,
    titled="that RMSNorm has no kernel for the data at hand: on inputs in a hyperplane it has one, w/γ",
    doubts="One witness shows that no kernel is universal. It says nothing about a given law of the data.",
)
