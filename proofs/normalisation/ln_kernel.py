"""prop:ln_kernel: behind a LayerNorm the direction γ^{−1} has no variance, for any input; it is a gauge, not dead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Kind, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Experiment, Observation
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import order_check
from ddtheory.workbench.ladder import count_check, value_check

if TYPE_CHECKING:
    from torch import Tensor

_WIDTH, _SAMPLES = 7, 500

CLAIM = Claim(
    id="prop:ln_kernel",
    title="LayerNorm has the kernel γ^{−1}",
    given=(
        r"Let $\mathrm{LN}(x) = \gamma \odot s(x) P x + \beta$ with any scalar $s(x)$, $P$ the centring of $d$ inputs."
    ),
    clauses={
        "constant": (
            r"If all $\gamma_i \ne 0$ then $\langle \gamma^{-1}, \mathrm{LN}(x)\rangle = \langle \gamma^{-1}, "
            r"\beta\rangle$ for every $x$, so $\mathrm{Cov}(\mathrm{LN}(x))\,\gamma^{-1} = 0$."
        ),
        "zero gain": r"If $\gamma_i = 0$ the kernel contains $e_i$.",
        "gauge": (
            r"In the next layer the direction $(\gamma^{-1}, -\langle\gamma^{-1}, \beta\rangle)$ of weights and bias "
            r"is flat, $K \equiv 0$; without the bias it is regular, $k = 1$."
        ),
    },
    source=cite("shirodkar2026dead", "prop:ln_kernel"),
    hypotheses=("The covariance is that of centred samples, taken directly behind the affine map.",),
    expected=Verdict.CONFIRMED,
    doubts=(
        "A statement about an affine map, whatever the data, and not about a singularity: the parameter direction "
        "that it induces in the next layer reads flat when the bias compensates, a gauge without KL order, and "
        "regular (order 1) when it does not. The title of a companion paper calls the kernel a dead direction; in "
        "the sense of KL orders it is none."
    ),
)


def derive() -> Proof:
    size = Symbol("d", integer=True, positive=True)
    total, scale, bias = symbols("X s b", real=True)  # X = Σ x_i, b = ⟨γ^{−1}, β⟩
    gammas = sympy.Matrix(symbols("gamma_1:5", nonzero=True, real=True))
    betas, inputs, weights = (sympy.Matrix(symbols(f"{name}_1:5", real=True)) for name in ("beta", "x", "w"))
    offset, tau = symbols("c tau", real=True)
    centring = sympy.eye(4) - sympy.ones(4) / 4
    output = sympy.diag(*gammas) * centring * inputs * scale + betas
    kernel = gammas.applyfunc(lambda gain: 1 / gain)
    uncentred = sympy.diag(*gammas) * inputs * scale + betas
    batch = sympy.diag(*gammas) * sympy.Matrix([x * scale * (place + 1) for place, x in enumerate(inputs)]) + betas
    closed = output.subs(gammas[0], 0)

    def next_layer(moved: Expr, compensation: Expr) -> Expr:
        """The next layer's output after a step along γ^{−1}."""
        return (weights + moved * kernel).dot(output) + offset + compensation

    step = -tau * kernel.dot(betas)
    return Proof(
        "Symbolic in s, γ, β and x; for any width d by the sum of the inputs, and with all coordinates at d = 4.",
        (
            Prose(
                "The gains cancel against γ^{−1}, and centred coordinates sum to zero.",
                r"\langle \gamma^{-1}, \gamma \odot s(x) P x + \beta\rangle = s(x)\, \mathbf 1^\top P x + \langle "
                r"\gamma^{-1}, \beta\rangle",
            ),
            Equation(
                "constant",
                "any width: Σ γ_i^{−1} (γ_i s (x_i − X/d) + β_i), with X = Σ x_i and b = ⟨γ^{−1}, β⟩",
                scale * (total - size * (total / size)) + bias,
                bias,
                {
                    "not centred": scale * total + bias,
                    "centred by X/(d + 1)": (scale * (total - size * total / (size + 1)) + bias, bias),
                },
            ),
            Equation(
                "constant",
                "width 4: ⟨γ^{−1}, LN(x)⟩ for the matrix of the centring",
                kernel.dot(output),
                kernel.dot(betas),
                {
                    "the direction γ": (gammas.dot(output), gammas.dot(betas)),
                    "RMSNorm": (kernel.dot(uncentred), kernel.dot(betas)),
                    "BatchNorm, a scale for each coordinate": (kernel.dot(batch), kernel.dot(betas)),
                },
            ),
            Prose(
                "So the inner product is a constant, whatever x and whatever the scalar s(x), ε included.",
                r"\mathrm{Cov}(\mathrm{LN}(x))\, \gamma^{-1} = 0",
            ),
            Equation(
                "zero gain",
                "γ_1 = 0: the first coordinate of the output",
                closed[0],
                betas[0],
                {"the second coordinate": (closed[1], betas[1]), "γ_1 ≠ 0": (output[0], betas[0])},
            ),
            Prose(
                "The next layer's weights can move along γ^{−1} if its bias makes up for the constant: the map stays "
                "the same, so K ≡ 0.",
                r"(W + \tau\, e \gamma^{-\top},\; c - \tau \langle \gamma^{-1}, \beta\rangle\, e)",
            ),
            Equation(
                "gauge",
                "the next layer's output after a step τ along (γ^{−1}, −⟨γ^{−1}, β⟩)",
                next_layer(tau, step),
                next_layer(sympy.Integer(0), sympy.Integer(0)),
                {"bias kept": (next_layer(tau, sympy.Integer(0)), next_layer(sympy.Integer(0), sympy.Integer(0)))},
            ),
        ),
    )


def _inputs() -> Tensor:
    """Correlated inputs with a shift, so that no symmetry of the data helps."""
    import torch

    generator = torch.Generator().manual_seed(1)
    mixing = torch.randn(_WIDTH, _WIDTH, generator=generator, dtype=torch.float64)
    shift = torch.randn(_WIDTH, generator=generator, dtype=torch.float64)
    return torch.randn(_SAMPLES, _WIDTH, generator=generator, dtype=torch.float64) @ mixing + 2 * shift


def _affine() -> tuple[Tensor, Tensor]:
    import torch

    generator = torch.Generator().manual_seed(2)
    gammas = torch.randn(_WIDTH, generator=generator, dtype=torch.float64)
    return torch.sign(gammas) * (0.3 + gammas.abs()), torch.randn(_WIDTH, generator=generator, dtype=torch.float64)


def _layer_norm(inputs: Tensor, epsilon: float) -> Tensor:
    import torch

    gammas, betas = _affine()
    module = torch.nn.LayerNorm(_WIDTH, eps=epsilon, dtype=torch.float64)
    with torch.no_grad():
        module.weight.copy_(gammas)
        module.bias.copy_(betas)
        return module(inputs)


def _centred_spectrum(outputs: Tensor) -> tuple[list[float], float]:
    """Singular values of the centred samples over the largest, and |cosine| of the last right vector with γ^{−1}."""
    import torch

    _, singular, right = torch.linalg.svd(outputs - outputs.mean(0), full_matrices=False)
    kernel = 1 / _affine()[0]
    return (singular / singular[0]).tolist(), abs(float(right[-1] @ kernel / kernel.norm()))


def measure() -> Experiment:
    checks: list[Check] = []
    for epsilon in (0.0, 1e-5, 1.0):
        spectrum, cosine = _centred_spectrum(_layer_norm(_inputs(), epsilon))
        zeros = sum(value < 1e-13 for value in spectrum)
        checks += [
            Comparison(
                f"ε = {epsilon}: smallest singular value of the centred samples/largest",
                0,
                Interval.around(spectrum[-1], 1e-14),
                (spectrum[-2],),
                1e-12,
                "rounding of 500 samples; the rival is the next singular value",
                "singular value",
            ),
            Comparison(
                f"ε = {epsilon}: cosine of its vector with γ^{{−1}}",
                1,
                Interval.around(cosine, 1e-12),
                (1 / _WIDTH**0.5,),
                1e-10,
                "rounding; the rival is the overlap of a random direction",
                "cosine",
            ),
            count_check(
                f"ε = {epsilon}: exact zeros",
                1,
                zeros,
                rivals=(0, 2),
                reason="singular values below 1e-13 of the largest",
            ),
        ]
    flat, tilted = _parameter_directions()
    directions = [
        Observation(
            "next layer: weights along γ^{−1}, bias compensated",
            Kind.FLAT.value,
            flat,
            "the map does not change: a gauge of the parameters, which has no KL order, and no dead direction",
        ),
        tilted,
    ]
    return Experiment(
        "torch.nn.LayerNorm of width 7 in float64, gains of both signs, on correlated shifted inputs; and the linear "
        "layer behind it, moved along γ^{−1}. The coordinate of a gain of zero.",
        {"constant": checks, "gauge": directions, "zero gain": [_zeroed()]},
    )


def _parameter_directions(outputs: Tensor | None = None) -> tuple[str, Check]:
    """Kind of the direction (γ^{−1}, −⟨γ^{−1}, β⟩) of the layer behind a LayerNorm, and the order without the bias."""
    import torch

    from ddtheory import measure as reading

    gammas, betas = _affine()
    generator = torch.Generator().manual_seed(3)

    def model(parameters: Mapping[str, Tensor], normalised: Tensor) -> Tensor:
        return normalised @ parameters["weight"] + parameters["bias"]

    truth = {
        "weight": torch.randn(_WIDTH, generator=generator, dtype=torch.float64),
        "bias": torch.zeros(1, dtype=torch.float64),
    }
    below = _layer_norm(_inputs(), 1e-5) if outputs is None else outputs
    problem = reading.Problem(model, truth, below, reading.Gaussian())
    kernel = 1 / gammas
    compensated = {"weight": kernel, "bias": -(kernel @ betas).reshape(1)}
    found = reading.order(reading.fisher_along(problem, compensated))
    alone = reading.order(reading.fisher_along(problem, {"weight": kernel}))
    return (
        found.kind.value if found.kind else found.status.value,
        order_check("next layer: weights along γ^{−1}, bias kept: order", 1, alone, rivals=(2,)),
    )


def _zeroed() -> Check:
    """Behind γ_3 = 0: the coordinate itself is the kernel."""
    import torch

    gammas, betas = _affine()
    gammas[2] = 0.0
    outputs = torch.nn.functional.layer_norm(_inputs(), (_WIDTH,), gammas, betas)
    return Comparison(
        "γ_3 = 0: variance of that coordinate",
        0,
        Interval.around(float(outputs[:, 2].var()), 1e-20),
        (float(outputs[:, 1].var()),),
        1e-18,
        "the kernel is the coordinate itself; the rival is the variance of another one",
        "variance",
    )


def _single_precision() -> list[Check]:
    """The kernel in float32, with and without a true variation of relative size 1e-9 along it."""
    import math

    import torch

    gammas, _ = _affine()
    kernel = (1 / gammas) / (1 / gammas).norm()
    draws = torch.randn(_SAMPLES, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    double = _layer_norm(_inputs(), 1e-5)
    basis, singular, _ = torch.linalg.svd(double - double.mean(0), full_matrices=False)
    fresh = draws - draws.mean() - basis[:, :-1] @ (basis[:, :-1].mT @ draws)  # uncorrelated with what varies already
    along = 1e-9 * float(singular[0]) * fresh[:, None] / float(fresh.norm()) * kernel
    found = {
        (name, true): _centred_spectrum((double + along * true).to(precision).double())[0][-1]
        for name, precision in (("float64", torch.float64), ("float32", torch.float32))
        for true in (0, 1)
    }
    bits = math.log2(found["float32", 0] / found["float64", 0])
    return [
        Comparison(
            "float64: singular value of a true variation of relative size 1e-9 along γ^{−1}",
            1e-9,
            Interval.around(found["float64", 1], 1e-13),
            (0, found["float64", 0]),
            1e-12,
            "rounding is 1e-16",
            "singular value over the largest",
        ),
        Comparison(
            "float32: the kernel with that variation over the kernel without",
            1,
            Interval.around(found["float32", 1] / found["float32", 0], 0.05),
            (found["float64", 1] / found["float64", 0],),
            0.2,
            f"the variation is below rounding, which reads {found['float32', 0]:.1g} of the largest; the rival is the "
            "same quotient in float64",
            "quotient of singular values",
        ),
        Comparison(
            "kernel in float32 over float64, in bits",
            math.log2(torch.finfo(torch.float32).eps / torch.finfo(torch.float64).eps),
            Interval.around(bits, 3.0),
            (0, 53),
            6.1,
            "a kernel by algebra reads rounding, 2^−24 against 2^−53; 3 bits for the number of operations. A true "
            "direction would read the same in both",
            "bits",
        ),
    ]


def control() -> Experiment:
    import torch

    inputs = _inputs()
    gammas, betas = _affine()
    rms = torch.nn.functional.rms_norm(inputs, (_WIDTH,), gammas, eps=0.0)
    batch = torch.nn.functional.batch_norm(inputs, None, None, gammas, betas, training=True)
    stream = inputs + _layer_norm(inputs, 1e-5)
    kernel = 1 / gammas
    # ⟨γ^{−1}, output⟩ up to a constant, from the inputs alone
    along = {
        "RMSNorm": (rms, inputs.sum(1) / inputs.square().mean(1).sqrt()),
        "BatchNorm": (batch, ((inputs - inputs.mean(0)) / (inputs.var(0, correction=0) + 1e-5).sqrt()).sum(1)),
        "behind the residual add": (stream, inputs @ kernel),
    }
    checks: list[Check] = []
    for name, (outputs, combination) in along.items():
        centred = outputs - outputs.mean(0)
        total = float(centred.square().sum() * kernel.square().sum())
        spectrum, cosine = _centred_spectrum(outputs)
        predicted = float((combination - combination.mean()).square().sum()) / total
        checks.append(
            Comparison(
                f"{name}: share of the variance along γ^{{−1}}",
                predicted,
                Interval.around(float((centred @ kernel).square().sum()) / total, 1e-9 * predicted),
                (0,),
                1e-7 * predicted,
                f"predicted from the inputs alone; least singular value/largest {spectrum[-1]:.2g}, cosine of its "
                f"vector with γ^{{−1}} {cosine:.2f}",
                "share of variance",
            )
        )
    checks += _single_precision()
    gains = gammas.clone()
    gains[2] = 1e-3
    small = float(torch.nn.functional.layer_norm(inputs, (_WIDTH,), gains, betas)[:, 2].var())
    whole = float(torch.nn.functional.layer_norm(inputs, (_WIDTH,))[:, 2].var())
    return Experiment(
        "The same data through other normalisations, behind the residual add, and in float32. A gain that is small and "
        "not zero; and the direction γ^{−1} behind RMSNorm, where no bias compensates it.",
        {
            "constant": checks,
            "zero gain": [
                value_check(
                    "γ_3 = 1e-3: variance of that coordinate",
                    1e-6 * whole,
                    small,
                    rivals=(0, whole),
                    reason="rounding; the rivals are a kernel, and the gain left out",
                    quantity="variance",
                )
            ],
            "gauge": [_parameter_directions(rms)[1], _not_flat(rms)],
        },
    )


def _not_flat(outputs: Tensor) -> Check:
    """The compensated direction behind another normalisation."""
    state = _parameter_directions(outputs)[0]
    return Observation(
        "behind RMSNorm: weights along γ^{−1}, bias compensated",
        Kind.REGULAR.value,
        state,
        "the outputs vary along γ^{−1}, so the map changes",
    )
