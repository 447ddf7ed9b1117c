"""cor:bridge_g2: m directions that die alike give exactly m small eigenvalues."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import sympy
from sympy import Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem, random_rotation
from ddtheory.workbench.ladder import count_check, rate_check

if TYPE_CHECKING:
    from ddtheory.measure import GramFactor, Spectrum
    from ddtheory.measure.heads import Head

t, p = Symbol("t", positive=True), Symbol("p", integer=True, positive=True)

_LAYERS, _WIDTH = 4, 5
_RADII = tuple(0.05 * 2.0 ** (-n / 2) for n in range(9))


def derive() -> Proof:
    a, b, d, x, y = symbols("a b d x y", real=True)
    # one live and one dead block, as numbers: the form with the live part completed to a square
    gram = sympy.Matrix([[a, b * t**p], [b * t**p, d * t ** (2 * p)]])
    vector = sympy.Matrix([x, y])
    form = (vector.T * gram * vector)[0]
    completed = a * (x + b * t**p * y / a) ** 2 + (d - b**2 / a) * t ** (2 * p) * y**2
    return older_proof(
        steps=(
            Prose(
                "Complete the live part to a square: what is left of the form on the dead block carries t^{2p}.",
                r"v^\top G v = a\,(x + \tfrac{b}{a} t^p y)^2 + (d - \tfrac{b^2}{a})\, t^{2p} y^2",
            ),
            Prose(
                "So the form is at most a constant times t^{2p} on an m-space and at least a constant on a "
                "complement; by "
                "the minimax principle exactly m eigenvalues are small.",
                r"\lambda_{h-m} \ge c, \quad \lambda_{h-m+1} \le C t^{2p}",
            ),
            Prose("The volume counts them.", r"\log\det G = 2pm \log t + \log\det S"),
        ),
        residuals={
            "completed square": sympy.expand(sympy.simplify(form - completed)),
            "determinant": sympy.expand(gram.det() - t ** (2 * p) * (a * d - b**2)),
        },
        controls={"without the live part": sympy.expand(form - d * t ** (2 * p) * y**2)},
    )


def _gram(radius: float, dead: int, layer: int, head: Head | None = None) -> GramFactor:
    import torch

    from ddtheory.measure import gradient_gram

    spread = torch.diag(torch.linspace(0.7, 1.4, _WIDTH, dtype=torch.float64))
    last = torch.eye(_WIDTH, dtype=torch.float64) if head else random_rotation(_WIDTH, 8) @ spread
    if head is None:
        last = last @ random_rotation(_WIDTH, 9)
    problem = chain_problem([canonical(radius, _WIDTH, dead)] * _LAYERS + [last], head=head)
    return gradient_gram(problem, str(layer))


def _spectrum(radius: float, dead: int, layer: int) -> Spectrum:
    return _gram(radius, dead, layer).spectrum()


def _below(factor: GramFactor, bar: float) -> int:
    spectrum = factor.spectrum()
    return sum(value < bar for value in spectrum.eigenvalues)


def measure() -> Experiment:
    from ddtheory.measure import spectra_along

    checks: list[Check] = []
    curves: list[Curve] = []
    small = _RADII[-1]
    for dead in (1, 2, 3, 4):
        for layer in (1, 3):
            power = 2 * (_LAYERS - layer)
            profile = spectra_along(partial(_spectrum, dead=dead, layer=layer), _RADII)
            checks.append(
                count_check(
                    f"m = {dead}, layer {layer}: eigenvalues below √(t^{power}) at t = {small:.2g}",
                    dead,
                    _below(_gram(small, dead, layer), small ** (power / 2)),
                    rivals=(dead - 1, dead + 1),
                    reason="the live ones are of order one; there are no zeros",
                )
            )
            for index in (_WIDTH - dead, _WIDTH - 1):
                checks.append(
                    rate_check(
                        f"m = {dead}, layer {layer}: eigenvalue {index + 1}", power, _RADII, profile.eigenvalue(index)
                    )
                )
            checks.append(
                rate_check(
                    f"m = {dead}, layer {layer}: eigenvalue {_WIDTH - dead}",
                    0,
                    _RADII,
                    profile.eigenvalue(_WIDTH - dead - 1),
                )
            )
            checks.append(
                rate_check(
                    f"m = {dead}, layer {layer}: det⁺",
                    power * dead,
                    _RADII,
                    profile.det_plus,
                    rivals=(power,) if dead > 1 else (),
                    quantity="rate of det⁺",
                )
            )
        curves.append(Curve(f"det⁺, m = {dead}", _RADII, profile.det_plus, float(power * dead)))
    return older_experiment(
        f"Torch linear chains with {_LAYERS} layers of width {_WIDTH} and m dead axes, below a general output map; "
        f"Gaussian "
        "head, labels from the model.",
        tuple(checks),
        tuple(curves),
    )


def control() -> Experiment:
    from ddtheory.measure import Categorical

    checks: list[Check] = []
    small = _RADII[4]
    for dead in (1, 2, 3):
        factor = _gram(small, dead, 1, Categorical())
        spectrum = factor.spectrum()
        checks.append(
            count_check(
                f"softmax head, m = {dead}: small positive eigenvalues",
                dead - 1,
                _below(factor, small**3),
                rivals=(dead,),
                reason=f"one of them is exactly zero: the head does not see a common shift ({spectrum.zeros} zero)",
            )
        )
    return older_experiment(
        "A cross-entropy head: S is singular along the shift of all logits, and one of the m dead eigenvalues becomes "
        "an "
        "exact zero. A single dead direction leaves no small eigenvalue at all.",
        tuple(checks),
    )


CLAIM = Claim(
    id="cor:bridge_g2",
    title="Uniform approach: exactly m small eigenvalues",
    clauses=older_statement(
        r"If $m$ directions die with weight $t$ in every layer, exactly $m$ eigenvalues of $G_l$ have rate $2(L-l)$ "
        r"and the "
        r"other $h - m$ are $\Theta(1)$; $\log\det G_l$ has slope $2m(L-l)$."
    ),
    source=cite("shirodkar2026dead", "cor:bridge_g2"),
    hypotheses=(
        "The second moment S of the output gradients is positive definite: a Gaussian head, not cross-entropy.",
    ),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("thm:bridge_multi",),
    doubts="Counts are counts for small t only: near t = 1 nothing separates the two groups.",
)
