"""thm:bridge: the dead diagonal of G_l climbs a ladder t^{2(L−l)}, in three classes of activation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Rational, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.proof import AtMost, Equation, Proof
from ddtheory.workbench.chain import canonical, chain_problem, live_part, normal_inputs
from ddtheory.workbench.inequality import bound_check
from ddtheory.workbench.ladder import count_check, limit_check, rate_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

t, v = symbols("t v", positive=True)
L = Symbol("L", integer=True, positive=True)
gap = Symbol("p", integer=True, nonnegative=True)  # L − l

_LAYERS, _WIDTH, _NOISE = 4, 3, 0.01
_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(8))


def dead_entry(above: Expr | int, layers: Expr | int, radius: Expr | float, noise: Expr | float) -> Expr:
    """The dead entry of G_l in the linear class: t^{2(L − l)} (t^{2L} + v)."""
    return radius ** (2 * above) * (radius ** (2 * layers) + noise)


def gated_entry(above: Expr | int, radius: Expr | float) -> Expr:
    """The dead entry of G_l with ReLU gates: ½ t^{2(L − l)}."""
    return radius ** (2 * above) / 2


def forward_moment(layers: Expr | int, slope: Expr | int, radius: Expr | float) -> Expr:
    """The leading term of the forward moment: c^{2L} t^{2L}."""
    return slope ** (2 * layers) * radius ** (2 * layers)


def flat_count(width: Expr | int, layers: Expr | int) -> Expr:
    """How many Fisher eigenvalues vanish at t ≠ 0: h²(L − 1)."""
    return width**2 * (layers - 1)


def smallest_eigenvalue(layers: Expr | int, radius: Expr | float) -> Expr:
    """The smallest positive Fisher eigenvalue: L t^{2(L − 1)}."""
    return layers * radius ** (2 * (layers - 1))


def envelope(slope: Expr | int, curvature: Expr | Rational, constant: Expr | Rational) -> Expr:
    """One step of the recursion for the constants of the quadratic class: C_{l+1} = |c| C_l + K C_l²."""
    return slope * constant + curvature * constant**2


CLAIM = Claim(
    id="thm:bridge",
    title="Bridge theorem: the dead diagonal ladder of the gradient factors",
    given=(
        r"Let $W_l = \mathrm{diag}(1, \dots, 1, t)$ in a chain of $L$ layers of width $h$, $p = L - l$, with label "
        "noise $v > 0$ or labels from the model."
    ),
    clauses={
        "linear": rf"In the linear class the dead diagonal of $G_l$ is ${latex(dead_entry(gap, L, t, v))}$.",
        "homogeneous": (
            rf"With ReLU gates and labels from the model it is ${printed(gated_entry(gap, t))}$ for $p \ge 1$."
        ),
        "quadratic": (
            r"For $|\varphi(u) - cu| \le K u^2$, $c \ne 0$, the forward moment is "
            f"${latex(forward_moment(L, Symbol('c', positive=True), t))}$ to leading order, and the dead diagonal "
            f"${printed(forward_moment(gap, Symbol('c', positive=True), t))}$ with labels from the model."
        ),
        "envelope": (
            r"In that class $|\mathrm{chain}_l| \le t^l C_l (1 + x^2)^{2^l}$ with "
            rf"$C_{{l+1}} = {printed(envelope(Symbol('|c|'), *symbols('K C_l')))}$."
        ),
        "Fisher": (
            rf"At $t \ne 0$ exactly ${printed(flat_count(Symbol('h'), L))}$ Fisher eigenvalues vanish; the smallest of "
            "the others is "
            f"${latex(smallest_eigenvalue(L, t))}$."
        ),
    },
    source=cite("shirodkar2026dead", "thm:bridge"),
    hypotheses=(
        "Canonical alignment: every layer is diagonal and scales the same axis by t.",
        "The gradients are those of labels from the model, or of labels with noise of positive variance.",
        "φ(0) = 0, and φ is linear, or has a linear part c ≠ 0 and a global quadratic remainder, or is homogeneous.",
    ),
    expected=Verdict.CONFIRMED,
    uncovered=(
        "The remainder of the backward chain in the quadratic class, live mixing by matrices, and the count of "
        "eigenvalues by two subspaces."
    ),
    doubts=(
        "The constant c² + v of the paper is t^{2L} + v in the chain itself, since the residual of the dead unit is "
        "t^L x. Without noise the empirical factor has rate 4L − 2l; the Fisher proper needs no noise."
    ),
)


def derive() -> Proof:
    # two channels, one live and one dead; powers of diag(1, t) are diag(1, t^n)
    above, error = sympy.diag(1, t**gap), sympy.diag(0, t**L)
    gram = above.T * (error * error.T + v * sympy.eye(2)) * above
    slope = t * sympy.diff(gram[1, 1], t) / gram[1, 1]

    # quadratic class: |chain_l| ≤ t^l C_l s with s = (1 + x²)^{2^l} ≥ 1, one step of the induction; T = t^{l+1} ≤ 1
    c, constant, curvature = symbols("c C K", positive=True)
    above_one, below_one = symbols("q z", nonnegative=True)
    s, power = 1 + above_one, 1 / (1 + below_one)
    step = c * power * constant * s + curvature * (power * constant * s) ** 2
    slack = (
        power * c * constant * s * above_one,
        power * curvature * constant**2 * s**2 * sympy.factor(1 - power),
    )
    # three layers of φ(u) = cu + K u², leading terms of the chain and of its derivative
    x = Symbol("x", real=True)
    chain: Expr = x
    for _ in range(3):
        chain = c * t * chain + curvature * (t * chain) ** 2
    forward, backward = (
        sympy.Poly(sympy.expand(value), t).coeff_monomial(t**3) for value in (chain, sympy.diff(chain, x))
    )
    half_normal = sympy.integrate(x**2 * sympy.exp(-(x**2) / 2), (x, 0, sympy.oo)) / sympy.sqrt(2 * sympy.pi)
    gate = sympy.integrate(sympy.exp(-(x**2) / 2), (x, 0, sympy.oo)) / sympy.sqrt(2 * sympy.pi)

    # dP = Σ t^{…} W above dW below is diagonal in the h² entries: here for L = 3 layers of width 2
    entries = sympy.Matrix(symbols("d_1:13", real=True))
    moves = [sympy.Matrix(2, 2, list(entries[4 * n : 4 * n + 4])) for n in range(3)]
    canonical_layer = sympy.diag(1, t)
    change = sympy.zeros(2)
    for number, move in enumerate(moves):
        change += canonical_layer ** (2 - number) * move * canonical_layer**number
    jacobian = sympy.Matrix(list(change)).jacobian(list(entries))
    layer = Symbol("l", integer=True, positive=True)
    dead_dead = sympy.summation(t ** (2 * (L - layer)) * t ** (2 * (layer - 1)), (layer, 1, L))
    live_sum = 1 + t**2 + t**4
    return Proof(
        "Symbolic in L, l, t and v; the quadratic class step by step, and in full for three layers; the Fisher for L "
        "= 3 layers of width 2, its smallest eigenvalue for any L.",
        (
            Equation(
                "linear",
                "G_l = Bᵀ (E Eᵀ + v I) B with the layers B above and the error E of the output",
                gram,
                sympy.diag(v, dead_entry(gap, L, t, v)),
                {
                    "without the error": sympy.diag(v, v * t ** (2 * gap)),
                    "c² + v with c = 1": sympy.diag(v, t ** (2 * gap) * (1 + v)),
                    "rate p": sympy.diag(v, dead_entry(gap / 2, L, t, v)),
                },
            ),
            Equation(
                "linear",
                "its local slope is 2p plus a term that dies with t",
                slope,
                2 * gap + 2 * L * t ** (2 * L) / (t ** (2 * L) + v),
                {"2p": 2 * gap},
            ),
            Equation(
                "linear",
                "hypothesis: at v = 0 that term is 2L and stays",
                slope.subs(v, 0),
                2 * gap + 2 * L,
                {"2p": 2 * gap},
            ),
            Equation(
                "homogeneous",
                "one gate is shared by all layers: its mass for the gradient, and the half of the moment that passes "
                "it",
                sympy.Matrix([gate, half_normal]) * t ** (2 * gap),
                sympy.Matrix([gated_entry(gap, t), gated_entry(gap, t)]),
                {"a gate a layer": sympy.Matrix([gate, half_normal]) * t ** (2 * gap) / 2},
            ),
            Equation(
                "quadratic",
                "three layers of φ(u) = cu + K u²: squares of the leading terms of the chain and of its derivative, "
                "over x²",
                sympy.Matrix([forward**2 / x**2, backward**2]) * t**6,
                sympy.Matrix([forward_moment(3, c, t), forward_moment(3, c, t)]),
                {
                    "c^L": sympy.Matrix([c**3 * t**6, c**3 * t**6]),
                    "with K": sympy.Matrix([(c + curvature) ** 6 * t**6, c**6 * t**6]),
                },
            ),
            AtMost(
                "envelope",
                "one layer more, T = t^{l+1} = 1/(1 + z) and s = (1 + x²)^{2^l} = 1 + q: |c| t a + K t² a² at a = "
                "t^l C_l s",
                step,
                power * envelope(c, curvature, constant) * s**2,
                slack,
                {c: 1, constant: 1, curvature: 1, above_one: 0, below_one: 0},
                {"K/2": power * envelope(c, curvature / 2, constant) * s**2},
            ),
            Equation(
                "Fisher",
                "L = 3, width 2: dP dPᵀ over the twelve weights is diagonal in the four entries of P",
                jacobian * jacobian.T,
                sympy.diag(3, live_sum, live_sum, smallest_eigenvalue(3, t)),
                {"t⁴ for 3t⁴": sympy.diag(3, live_sum, live_sum, t**4)},
            ),
            Equation(
                "Fisher",
                "at t ≠ 0 it has rank h², so that h²(L − 1) = 8 of the 12 weights are left",
                12 - jacobian.subs(t, Rational(1, 2)).rank(),
                flat_count(2, 3),
                {"at t = 0": (12 - jacobian.subs(t, 0).rank(), flat_count(2, 3))},
            ),
            Equation(
                "Fisher",
                "dead–dead eigenvalue, any L: the sum over the layers",
                dead_dead,
                smallest_eigenvalue(L, t),
                {"without L": smallest_eigenvalue(L, t) / L, "rate 2L": smallest_eigenvalue(L, t) * t**2},
            ),
            AtMost(
                "Fisher",
                "it is the smallest, L = 3, t = 1/(1 + z): 3t⁴ ≤ 1 + t² + t⁴",
                smallest_eigenvalue(3, power),
                live_sum.subs(t, power),
                (sympy.factor(1 - power**4), power**2 * sympy.factor(1 - power**2)),
                {below_one: 0},
            ),
        ),
    )


def _dead_entries(layer: int, noise: float | None, activation: Callable[[Tensor], Tensor] | None = None) -> list[float]:
    from ddtheory.measure import NoisyTargets, gradient_gram

    labels = None if noise is None else NoisyTargets(live_part(), noise)
    values = []
    for radius in _RADII:
        problem = chain_problem([canonical(radius, _WIDTH)] * _LAYERS, activation=activation)
        values.append(gradient_gram(problem, str(layer), labels=labels).entry(_WIDTH - 1))
    return values


def _forward(activation: Callable[[Tensor], Tensor], layers: int, radii: tuple[float, ...]) -> list[float]:
    """E of the squared dead output of a scalar chain with t in every layer and φ after every layer."""
    import torch

    x, weights = normal_inputs()
    found = []
    for radius in radii:
        matrices = [torch.full((1, 1), radius, dtype=torch.float64)] * layers
        problem = chain_problem(matrices, activation=activation, inputs=x, activate_last=True)
        found.append(float((weights * problem.truth_outputs(x)[:, 0].square()).sum()))
    return found


def _envelope(slope: int, curvature: Rational) -> Check:
    """|chain_l| over t^l C_l, C_0 = 1, for φ(u) = cu + K u² at x = 1: the worst case of its class."""
    import torch

    radius, layers = 0.995, 3
    problem = chain_problem(
        [torch.full((1, 1), radius, dtype=torch.float64)] * layers,
        activation=lambda u: slope * u + float(curvature) * u.square(),
        inputs=torch.ones(1, 1, dtype=torch.float64),
        activate_last=True,
    )
    constant: Expr = Rational(1)
    for _ in range(layers):
        constant = envelope(slope, curvature, constant)
    reached = float(problem.truth_outputs(torch.ones(1, 1, dtype=torch.float64))[0, 0])
    return bound_check(
        f"φ(u) = {slope}u + {curvature} u², {layers} layers, x = 1, t = {radius}: chain over t^{layers} C_{layers}",
        reached / (radius**layers * float(constant)),
        reason="rounding; the envelope of one sign, so that nothing cancels",
    )


def measure() -> Experiment:
    import torch

    from ddtheory.measure import fisher_gram

    linear: list[Check] = []
    homogeneous: list[Check] = []
    quadratic: list[Check] = []
    fisher: list[Check] = []
    curves: list[Curve] = []
    for layer in range(1, _LAYERS + 1):
        predicted = 2 * (_LAYERS - layer)
        noisy = _dead_entries(layer, _NOISE)
        rivals = (4 * _LAYERS - 2 * layer, predicted + 2)
        linear.append(rate_check(f"linear, label noise: layer {layer}", predicted, _RADII, noisy, rivals=rivals))
        exact = float(dead_entry(_LAYERS - layer, _LAYERS, _RADII[0], _NOISE))
        linear.append(
            value_check(
                f"linear: dead entry of G_{layer} at t = 0.1",
                exact,
                noisy[0],
                rivals=(exact / _NOISE, exact - _RADII[0] ** predicted * _NOISE),
                quantity="second moment",
            )
        )
        expected = _dead_entries(layer, None)
        linear.append(rate_check(f"linear, labels from the model: layer {layer}", predicted, _RADII, expected))
        gated = _dead_entries(layer, None, torch.relu)
        homogeneous.append(
            limit_check(
                f"ReLU: G_{layer}/t^{predicted}",
                gated_entry(_LAYERS - layer, Rational(1)) if layer < _LAYERS else 1,
                _RADII,
                [value / radius**predicted for radius, value in zip(_RADII, gated, strict=True)],
                rivals=(Rational(1, 4), 2),
            )
        )
        curves.append(Curve(f"dead entry of G_{layer}", _RADII, tuple(noisy), float(predicted)))
    slopes = {"tanh": Rational(1), "SiLU": Rational(1, 2), "2 sin": Rational(2)}
    functions: dict[str, Callable[[Tensor], Tensor]] = {
        "tanh": torch.tanh,
        "SiLU": torch.nn.functional.silu,
        "2 sin": lambda u: 2 * torch.sin(u),
    }
    radii = tuple(0.05 * 2.0 ** (-n / 2) for n in range(8))
    for name, c in slopes.items():
        values = [
            value / float(forward_moment(_LAYERS, 1, radius))
            for radius, value in zip(radii, _forward(functions[name], _LAYERS, radii), strict=True)
        ]
        backward = _dead_entries(1, None, functions[name])
        steepest = c ** (2 * (_LAYERS - 1))
        quadratic.append(
            limit_check(
                f"{name}: G_1/t^{2 * (_LAYERS - 1)} → c^(2(L − 1))",
                steepest,
                _RADII,
                [value / radius ** (2 * (_LAYERS - 1)) for radius, value in zip(_RADII, backward, strict=True)],
                rivals=(2 * steepest, steepest / 2, steepest / 4),
            )
        )
        coefficient = forward_moment(_LAYERS, c, 1)
        quadratic.append(
            limit_check(
                f"{name}: coefficient c^(2L) of the forward moment",
                coefficient,
                radii,
                values,
                rivals=(2 * coefficient, coefficient / 2, coefficient * Rational(1, 4)),
            )
        )
    envelopes = [_envelope(slope, bend) for slope, bend in ((1, Rational(1, 2)), (2, Rational(1)), (1, Rational(3)))]
    radius = 0.3
    for dead in (0, 1, 2):
        spectrum = fisher_gram(chain_problem([canonical(radius, _WIDTH, dead)] * _LAYERS)).spectrum()
        zeros = flat_count(_WIDTH, _LAYERS)
        fisher.append(
            count_check(
                f"{dead} dead axes, t = {radius}: zero Fisher eigenvalues",
                zeros,
                spectrum.zeros,
                rivals=(zeros + dead**2 + (dead == 0), _WIDTH**2, zeros - 1),
                reason="singular values of the per-sample score factor; the smallest that was kept is "
                f"{spectrum.separation:.1g} times the largest that was not",
            )
        )
        smallest = float(smallest_eigenvalue(_LAYERS, radius if dead else 1.0))
        fisher.append(
            value_check(
                f"{dead} dead axes, t = {radius}: smallest positive Fisher eigenvalue",
                smallest,
                spectrum.smallest_positive,
                rivals=(smallest / _LAYERS, 1.0),
                quantity="Fisher eigenvalue",
            )
        )
        collapsed = fisher_gram(chain_problem([canonical(0.0, _WIDTH, dead)] * _LAYERS)).spectrum()
        fisher.append(
            count_check(
                f"{dead} dead axes, t = 0: zero Fisher eigenvalues",
                zeros + dead**2,
                collapsed.zeros,
                rivals=(zeros + dead + 5, zeros - 1),
                reason="the dead–dead entries of dP vanish too: h²(L − 1) + m²",
            )
        )
    return Experiment(
        f"Torch chains of L = {_LAYERS} layers and width {_WIDTH}, inputs with E xxᵀ = I exactly, label noise v = "
        f"{_NOISE} averaged in closed form; nothing is sampled. The scalar chains integrate over a normal input.",
        {
            "linear": linear,
            "homogeneous": homogeneous,
            "quadratic": quadratic,
            "envelope": envelopes,
            "Fisher": fisher,
        },
        tuple(curves),
    )


def control() -> Experiment:
    import torch

    checks: list[Check] = []
    for layer in range(1, _LAYERS + 1):
        silent = _dead_entries(layer, 0.0)
        predicted = 4 * _LAYERS - 2 * layer
        checks.append(
            rate_check(
                f"no label noise: layer {layer}", predicted, _RADII, silent, rivals=(2 * (_LAYERS - layer), 2 * _LAYERS)
            )
        )
    radii = tuple(0.2 * 2.0 ** (-n / 2) for n in range(8))
    bent: list[Check] = []
    for layers in (1, 2, 3):
        squared = _forward(torch.square, layers, radii)
        bent.append(
            rate_check(
                f"φ(u) = u², c = 0: {layers} layers", 2 * (2 ** (layers + 1) - 2), radii, squared, rivals=(2 * layers,)
            )
        )
    soft = _forward(torch.nn.functional.softplus, 2, radii)
    bent.append(rate_check("softplus, φ(0) ≠ 0: 2 layers", 0, radii, soft, rivals=(4,)))
    return Experiment(
        "Hypotheses broken one at a time: the labels carry no noise, so that the residual dies too; the activation "
        "has no linear part; the activation does not vanish at zero. A leaky gate passes more; a cubic remainder "
        "leaves its envelope; a layer that is not aligned has fewer zeros.",
        {
            "linear": checks,
            "quadratic": bent,
            "homogeneous": [_leaky()],
            "envelope": [_outside()],
            "Fisher": [_rectangular()],
        },
    )


def _leaky() -> Check:
    """Leaky ReLU with slope 1/2 in every layer: E of the square of the shared slope is (1 + 4^{−p})/2."""
    import torch

    values = _dead_entries(2, None, lambda u: torch.nn.functional.leaky_relu(u, 0.5))
    return limit_check(
        "leaky ReLU, slope 1/2: G_2/t⁴",
        Rational(17, 32),
        _RADII,
        [value / radius**4 for radius, value in zip(_RADII, values, strict=True)],
        rivals=(Rational(1, 2), 1),
    )


def _outside() -> Check:
    """φ(u) = u + u²/2 + 10 u³ is not of the class with K = 1/2: the chain leaves the envelope."""
    import torch

    one = torch.ones(1, 1, dtype=torch.float64)
    problem = chain_problem([one], activation=lambda u: u + u.square() / 2 + 10 * u**3, inputs=one, activate_last=True)
    return value_check(
        "φ(u) = u + u²/2 + 10 u³ at x = t = 1: chain over C_1 of K = 1/2",
        Rational(23, 3),
        float(problem.truth_outputs(one)[0, 0]) / 1.5,
        rivals=(1,),
        quantity="value over its bound",
    )


def _rectangular() -> Check:
    """Widths 3, 2, 3: the map has rank 2, and its derivative rank 3·2 + 2·3 − 2·2 = 8 of 12."""
    import torch

    from ddtheory.measure import fisher_gram

    weights = [torch.tensor([[1.0, 0, 0], [0, 0.3, 0]], dtype=torch.float64)]
    weights.append(weights[0].mT.contiguous())
    spectrum = fisher_gram(chain_problem(weights)).spectrum()
    return count_check(
        "widths 3, 2, 3, t = 0.3: zero Fisher eigenvalues",
        4,
        spectrum.zeros,
        rivals=(3, 9),
        reason="tangent space of matrices of rank 2; the rivals are 12 − 3² and 3²",
    )
