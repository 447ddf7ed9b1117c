"""prop:rmsnorm_no_kernel: RMSNorm has no kernel that holds for all inputs, but data can give it one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.ladder import count_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

_WIDTH = 5


def along_an_axis(weight: Expr, gain: Expr) -> Expr:
    """What one axis adds to the variance: (v_i γ_i)²."""
    return (weight * gain) ** 2


CLAIM = Claim(
    id="prop:rmsnorm_no_kernel",
    title="RMSNorm has no kernel",
    holds="RMSNorm has no kernel for all laws of the input; on a hyperplane it has one",
    given=r"Let all $\gamma_i \ne 0$ and $\mathrm{RMSNorm}(x) = \gamma \odot x\, s(x)$.",
    clauses={
        "variance": (
            r"For $x$ uniform on $\pm e_i$, $\mathrm{Var}\langle v, \mathrm{RMSNorm}(x)\rangle = \sum_i "
            rf"{printed(along_an_axis(*symbols('v_i gamma_i')))} > 0$ for every $v \ne 0$: no direction is a kernel "
            "for all laws of the input."
        ),
        "hyperplane": r"On inputs with $\langle w, x\rangle = 0$ the direction $w/\gamma$ is an exact kernel.",
    },
    source=cite("shirodkar2026dead", "prop:rmsnorm_no_kernel"),
    hypotheses=("All γ_i ≠ 0.", "For the title: the inputs are not confined to a hyperplane through 0."),
    expected=Verdict.NARROWER,
    titled="that RMSNorm has no kernel for the data at hand: on inputs in a hyperplane it has one, w/γ",
    doubts="One witness shows that no kernel is universal. It says nothing about a given law of the data.",
)


def derive() -> Proof:
    v, gamma = symbols("v_1:5", real=True), symbols("gamma_1:5", nonzero=True, real=True)
    w, x = symbols("w_1:5", real=True), symbols("x_1:5", real=True)
    scale, size = Symbol("s", positive=True), Symbol("d", integer=True, positive=True)
    axes = [[sign * sympy.Integer(place == axis) for place in range(4)] for axis in range(4) for sign in (1, -1)]

    def normalised(point: Sequence[Expr]) -> list[Expr]:
        """RMSNorm without ε."""
        root = sympy.sqrt(sum((z**2 for z in point), sympy.Integer(0)) / len(point))
        return [g * z / root for g, z in zip(gamma, point, strict=True)]

    def inner(direction: Sequence[Expr], output: Sequence[Expr]) -> Expr:
        return sum((a * b for a, b in zip(direction, output, strict=True)), sympy.Integer(0))

    place = Symbol("j", integer=True)
    squares = sympy.Sum(sympy.KroneckerDelta(1, place), (place, 1, size)).doit()  # of e_1, whose entries are 0 and 1
    readings = [inner(v, normalised(point)) for point in axes]
    mean = sum(readings, sympy.Integer(0)) / len(axes)
    variance = sum((reading**2 for reading in readings), sympy.Integer(0)) / len(axes) - mean**2
    form = sum((along_an_axis(c, g) for g, c in zip(gamma, v, strict=True)), sympy.Integer(0))
    scaled = [g * z * scale for g, z in zip(gamma, x, strict=True)]
    plane = inner(w, x)
    return Proof(
        "Symbolic in v, γ, w and x with all coordinates at d = 4; what one axis adds for any d.",
        (
            Equation(
                "variance",
                "d = 4: variance of ⟨v, RMSNorm(x)⟩ over the eight inputs ±e_i",
                variance,
                form,
                {
                    "the factor d left out": form / 4,
                    "γ left out": sum((c**2 for c in v), sympy.Integer(0)),
                },
            ),
            Equation(
                "variance",
                "any d: what the two inputs ±e_1 of 2d add, by the mean square of the d coordinates of e_1",
                2 * (v[0] * gamma[0] / sympy.sqrt(squares / size)) ** 2 / (2 * size),
                along_an_axis(v[0], gamma[0]),
                {
                    "the sum of squares for their mean": (
                        2 * (v[0] * gamma[0] / sympy.sqrt(squares)) ** 2 / (2 * size),
                        v[0] ** 2 * gamma[0] ** 2,
                    ),
                    "γ left out": v[0] ** 2,
                },
            ),
            Prose("A sum of squares with γ_i ≠ 0 is zero only for v = 0."),
            Equation(
                "hyperplane",
                "the direction w/γ behind any scale s(x)",
                inner([c / g for g, c in zip(gamma, w, strict=True)], scaled),
                scale * plane,
                {
                    "the direction w": (inner(w, scaled), scale * plane),
                    "the direction w γ": (inner([c * g for g, c in zip(gamma, w, strict=True)], scaled), scale * plane),
                },
            ),
            Prose(
                "So it vanishes where ⟨w, x⟩ does; for w = 1, centred inputs, it is the kernel of LayerNorm.",
                r"\langle w/\gamma, \gamma \odot x\, s(x)\rangle = s(x) \langle w, x\rangle = 0",
            ),
        ),
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
            count_check(
                f"width {width}: exact zeros in the spectrum",
                0,
                int((singular < 1e-13 * singular[0]).sum()),
                rivals=(1,),
                reason=f"smallest over largest {float(singular[-1] / singular[0]):.3g}, least |γ| over largest "
                f"{float(gammas.abs().min() / gammas.abs().max()):.3g}",
            )
        )
    return Experiment(
        "torch.nn.RMSNorm with ε = 0, float64, on the inputs ±e_i, widths 3, 5 and 8; and width 5 on 400 inputs "
        "orthogonal to a random w.",
        {"variance": checks, "hyperplane": _on_a_hyperplane("inputs orthogonal to w", *_confined())},
    )


def control() -> Experiment:
    import torch

    gammas = _draw(1, _WIDTH)
    zeroed = gammas.clone()
    zeroed[2] = 0.0
    outputs = _normalised(_axes(_WIDTH), zeroed)
    layer = torch.nn.functional.layer_norm(_draw(4, 200, _WIDTH), (_WIDTH,), gammas)
    kernel = 1 / gammas
    return Experiment(
        "A gain of zero gives the variance zero in its coordinate; LayerNorm has a kernel on data without any "
        "structure; and on inputs off the hyperplane w/γ has the variance that the inputs give it.",
        {
            "variance": [
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
            ],
            "hyperplane": [_off_the_hyperplane()],
        },
    )


def _off_the_hyperplane() -> Check:
    inputs, (_, w) = _draw(3, 400, _WIDTH), _confined()
    gammas = _draw(1, _WIDTH)
    along = (inputs @ w) / inputs.square().mean(1).sqrt()
    found = float((_normalised(inputs, gammas) @ (w / gammas)).var())
    return value_check(
        "inputs off the hyperplane: variance along w/γ", float(along.var()), found, rivals=(0,), quantity="variance"
    )


def _confined() -> tuple[Tensor, Tensor]:
    """Inputs orthogonal to a random w, and w."""
    import torch

    w = _draw(2, _WIDTH)
    inputs = _draw(3, 400, _WIDTH)
    return inputs - torch.outer(inputs @ w, w) / w.square().sum(), w


def _on_a_hyperplane(name: str, data: Tensor, normal: Tensor) -> list[Check]:
    import torch

    outputs = _normalised(data, _draw(1, _WIDTH))
    singular = torch.linalg.svdvals(outputs - outputs.mean(0))
    kernel = normal / _draw(1, _WIDTH)
    along = float((outputs @ (kernel / kernel.norm())).var())
    return [
        Comparison(
            f"{name}: variance along w/γ",
            0,
            Interval.around(along, 1e-25),
            (float(singular[-2] ** 2 / 400),),
            1e-20,
            "rounding; the title predicts a positive variance in every direction. The rival is the next eigenvalue",
            "variance",
        ),
        count_check(
            f"{name}: exact zeros in the spectrum",
            1,
            int((singular < 1e-13 * singular[0]).sum()),
            rivals=(0, 2),
            reason="singular values below 1e-13 of the largest; the title predicts none",
        ),
    ]


def counterexample() -> Experiment:
    import torch

    inputs = _draw(3, 400, _WIDTH)
    centred = inputs - inputs.mean(1, keepdim=True)
    ones = torch.ones(_WIDTH, dtype=torch.float64)
    return Experiment(
        "Data on a hyperplane through 0. A stream that is centred on its way, as behind another centring layer, is "
        "such a hyperplane, and RMSNorm then is LayerNorm.",
        {
            TITLE: _on_a_hyperplane("inputs orthogonal to w", *_confined())
            + _on_a_hyperplane("centred inputs", centred, ones)
        },
    )
