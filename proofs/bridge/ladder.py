"""thm:bridge: the dead diagonal of G_l climbs a ladder t^{2(L−l)}, in three classes of activation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Rational, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem, live_part, normal_inputs
from ddtheory.workbench.inequality import bound_check, excess
from ddtheory.workbench.ladder import count_check, limit_check, rate_check, value_check

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


def forward_moment(layers: Expr | int, slope: Expr | int, radius: Expr | float) -> Expr:
    """The leading term of the forward moment: c^{2L} t^{2L}."""
    return slope ** (2 * layers) * radius ** (2 * layers)


def smallest_eigenvalue(layers: Expr | int, radius: Expr | float) -> Expr:
    """The smallest positive Fisher eigenvalue: L t^{2(L − 1)}."""
    return layers * radius ** (2 * (layers - 1))


def envelope(slope: Expr | int, curvature: Expr | Rational, constant: Expr | Rational) -> Expr:
    """One step of the recursion for the constants of the quadratic class: C_{l+1} = |c| C_l + K C_l²."""
    return slope * constant + curvature * constant**2


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

    # dP is diagonal in the h² entries: (dead, dead), (dead, live), (live, live)
    layer = Symbol("l", integer=True, positive=True)
    dead_dead = sympy.summation(t ** (2 * (L - layer)) * t ** (2 * (layer - 1)), (layer, 1, L))
    dead_live = sympy.summation(t ** (2 * (L - layer)), (layer, 1, L))
    geometric = (1 - t ** (2 * L)) / (1 - t**2)
    return older_proof(
        steps=(
            Prose(
                "Linear class: with label noise v the gradient Gram is explicit.",
                r"G_l = B^\top (E E^\top + v I) B, \quad (G_l)_{dead} = t^{2(L-l)} (t^{2L} + v)",
            ),
            Prose(
                "Its local slope is 2(L − l) plus a term that dies with t; at v = 0 that term is 2L and stays.",
                r"2(L-l) + \frac{2L\,t^{2L}}{t^{2L} + v}",
            ),
            Prose(
                "Quadratic class |φ(u) − cu| ≤ K u²: the envelope passes through one more layer. With T = t^{l+1} and "
                "s = (1 + x²)^{2^l}, bound minus value is T |c| C_l s (s − 1) + T K C_l² s² (1 − T), and both terms "
                "are ≥ 0 for t ≤ 1.",
                r"|c|\, t\, a + K t^2 a^2 \le t^{l+1}(|c| C_l + K C_l^2)(1 + x^2)^{2^{l+1}}, \quad a = t^l C_l "
                r"(1+x^2)^{2^l}",
            ),
            Prose("Homogeneous class: one gate is shared by all layers, and halves.", r"t^{2(L-l)} \cdot \tfrac12"),
            Prose(
                "The derivative of the product is diagonal in its h² entries, so h²(L − 1) Fisher eigenvalues are zero "
                "at t ≠ 0, and the smallest of the others is the dead–dead one.",
                r"\sum_{l=1}^{L} t^{2(L-l)} t^{2(l-1)} = L\, t^{2(L-1)}",
            ),
        ),
        residuals={
            "dead entry": gram[1, 1] - dead_entry(gap, L, t, v),
            "live entry": gram[0, 0] - v,
            "local slope": sympy.simplify(slope - 2 * gap - 2 * L * t ** (2 * L) / (t ** (2 * L) + v)),
            "without noise the slope is 4L − 2l": sympy.simplify(slope.subs(v, 0) - (2 * gap + 2 * L)),
            "envelope minus one step, minus the slack": excess(
                power * envelope(c, curvature, constant) * s**2, step, *slack
            ),
            "half a normal": sympy.integrate(
                symbols("x") ** 2 * sympy.exp(-(symbols("x") ** 2) / 2), (symbols("x"), 0, sympy.oo)
            )
            / sympy.sqrt(2 * sympy.pi)
            - Rational(1, 2),
            "dead–dead Fisher eigenvalue": sympy.powsimp(dead_dead) - smallest_eigenvalue(L, t),
            "dead–live Fisher eigenvalue": sympy.cancel(dead_live.subs(L, 5).doit() - geometric.subs(L, 5)),
        },
        controls={
            "envelope with K/2": excess(power * envelope(c, curvature / 2, constant) * s**2, step, *slack),
            "2(L − l) at v = 0": sympy.simplify(slope.subs(v, 0) - 2 * gap),
            "dead–dead eigenvalue t^{2(L−1)}": sympy.simplify(sympy.powsimp(dead_dead) - t ** (2 * L - 2)),
        },
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

    checks: list[Check] = []
    curves: list[Curve] = []
    for layer in range(1, _LAYERS + 1):
        predicted = 2 * (_LAYERS - layer)
        noisy = _dead_entries(layer, _NOISE)
        rivals = (4 * _LAYERS - 2 * layer, predicted + 2)
        checks.append(rate_check(f"linear, label noise: layer {layer}", predicted, _RADII, noisy, rivals=rivals))
        exact = float(dead_entry(_LAYERS - layer, _LAYERS, _RADII[0], _NOISE))
        checks.append(
            value_check(
                f"linear: dead entry of G_{layer} at t = 0.1",
                exact,
                noisy[0],
                rivals=(exact / _NOISE, exact - _RADII[0] ** predicted * _NOISE),
                quantity="second moment",
            )
        )
        expected = _dead_entries(layer, None)
        checks.append(rate_check(f"linear, labels from the model: layer {layer}", predicted, _RADII, expected))
        gated = _dead_entries(layer, None, torch.relu)
        checks.append(
            limit_check(
                f"ReLU: G_{layer}/t^{predicted}",
                Rational(1, 2) if layer < _LAYERS else 1,
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
        checks.append(
            limit_check(
                f"{name}: G_1/t^{2 * (_LAYERS - 1)} → c^(2(L − 1))",
                steepest,
                _RADII,
                [value / radius ** (2 * (_LAYERS - 1)) for radius, value in zip(_RADII, backward, strict=True)],
                rivals=(2 * steepest, steepest / 2, steepest / 4),
            )
        )
        coefficient = forward_moment(_LAYERS, c, 1)
        checks.append(
            limit_check(
                f"{name}: coefficient c^(2L) of the forward moment",
                coefficient,
                radii,
                values,
                rivals=(2 * coefficient, coefficient / 2, coefficient * Rational(1, 4)),
            )
        )
    checks += [_envelope(slope, bend) for slope, bend in ((1, Rational(1, 2)), (2, Rational(1)), (1, Rational(3)))]
    radius = 0.3
    for dead in (0, 1, 2):
        spectrum = fisher_gram(chain_problem([canonical(radius, _WIDTH, dead)] * _LAYERS)).spectrum()
        zeros = _WIDTH**2 * (_LAYERS - 1)
        checks.append(
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
        checks.append(
            value_check(
                f"{dead} dead axes, t = {radius}: smallest positive Fisher eigenvalue",
                smallest,
                spectrum.smallest_positive,
                rivals=(smallest / _LAYERS, 1.0),
                quantity="Fisher eigenvalue",
            )
        )
        collapsed = fisher_gram(chain_problem([canonical(0.0, _WIDTH, dead)] * _LAYERS)).spectrum()
        checks.append(
            count_check(
                f"{dead} dead axes, t = 0: zero Fisher eigenvalues",
                zeros + dead**2,
                collapsed.zeros,
                rivals=(zeros + dead + 5, zeros - 1),
                reason="the dead–dead entries of dP vanish too: h²(L − 1) + m²",
            )
        )
    return older_experiment(
        f"Torch chains of L = {_LAYERS} layers and width {_WIDTH}, inputs with E xxᵀ = I exactly, label noise "
        f"v = {_NOISE} averaged in closed form; nothing is sampled. The scalar chains integrate over a normal input.",
        tuple(checks),
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
    for layers in (1, 2, 3):
        squared = _forward(torch.square, layers, radii)
        checks.append(
            rate_check(
                f"φ(u) = u², c = 0: {layers} layers", 2 * (2 ** (layers + 1) - 2), radii, squared, rivals=(2 * layers,)
            )
        )
    soft = _forward(torch.nn.functional.softplus, 2, radii)
    checks.append(rate_check("softplus, φ(0) ≠ 0: 2 layers", 0, radii, soft, rivals=(4,)))
    return older_experiment(
        "Hypotheses broken one at a time: the labels carry no noise, so that the residual dies too; the activation "
        "has no "
        "linear part; the activation does not vanish at zero.",
        tuple(checks),
    )


CLAIM = Claim(
    id="thm:bridge",
    title="Bridge theorem: the dead diagonal ladder of the gradient factors",
    clauses=older_statement(
        r"In the chain $W_l = \mathrm{diag}(1, \dots, 1, t)$ with label noise $v > 0$, or labels from the model, the "
        rf"dead diagonal of $G_l$, $p = L - l$, is ${latex(dead_entry(gap, L, t, v))}$ in the linear class, "
        r"$\tfrac12 t^{2(L-l)}$ with ReLU gates, and for $|\varphi(u) - cu| \le K u^2$, $c \ne 0$, the forward moment "
        rf"is ${latex(forward_moment(L, Symbol('c', positive=True), t))}$ to leading order. At $t \ne 0$ exactly "
        rf"$h^2(L-1)$ Fisher eigenvalues vanish; the smallest of the others is ${latex(smallest_eigenvalue(L, t))}$. "
        r"The envelope of the quadratic class is $|\mathrm{chain}_l| \le t^l C_l (1 + x^2)^{2^l}$, "
        r"$C_{l+1} = |c| C_l + K C_l^2$. Not covered here: the remainder of the backward chain in the quadratic class, "
        r"live mixing by matrices, and the count of eigenvalues by two subspaces."
    ),
    source=cite("shirodkar2026dead", "thm:bridge"),
    hypotheses=(
        "Canonical alignment: every layer is diagonal and scales the same axis by t.",
        "The gradients are those of labels from the model, or of labels with noise of positive variance.",
        "φ(0) = 0, and φ is linear, or has a linear part c ≠ 0 and a global quadratic remainder, or is homogeneous.",
    ),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    doubts=(
        "The constant c² + v of the paper is t^{2L} + v in the chain itself, since the residual of the dead unit is "
        "t^L x. Without noise the empirical factor has rate 4L − 2l; the Fisher proper needs no noise."
    ),
)
