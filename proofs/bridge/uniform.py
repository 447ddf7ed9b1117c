"""cor:bridge_g2: m directions that die alike give exactly m small eigenvalues."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem, random_rotation
from ddtheory.workbench.ladder import count_check, rate_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from ddtheory.measure import GramFactor, Spectrum
    from ddtheory.measure.heads.heads import Head

t, p = Symbol("t", positive=True), Symbol("p", integer=True, positive=True)

_LAYERS, _WIDTH = 4, 5
_RADII = tuple(0.05 * 2.0 ** (-n / 2) for n in range(9))


def rate(above: Expr | int) -> Expr:
    """The rate of a small eigenvalue below so many layers: 2p."""
    return 2 * above


def volume_slope(dead: Expr | int, above: Expr | int) -> Expr:
    """The slope of log det G with so many directions dead: 2mp."""
    return dead * rate(above)


CLAIM = Claim(
    id="cor:bridge_g2",
    title="Uniform approach: exactly m small eigenvalues",
    given=r"Let $m$ directions die with weight $t$ in every layer, and $p = L - l$.",
    clauses={
        "small": rf"Exactly $m$ eigenvalues of $G_l$ have rate ${printed(rate(p))}$.",
        "live": r"The other $h - m$ are $\Theta(1)$.",
        "volume": rf"$\log\det G_l$ has slope ${printed(volume_slope(Symbol('m'), p))}$.",
    },
    source=cite("shirodkar2026dead", "cor:bridge_g2"),
    hypotheses=(
        "The second moment S of the output gradients is positive definite: a Gaussian head, not cross-entropy.",
    ),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:bridge_multi",),
    doubts="Counts are counts for small t only: near t = 1 nothing separates the two groups.",
)


def derive() -> Proof:
    # one live channel and two dead ones: the form with the live part completed to a square
    entries = sympy.Matrix(3, 3, lambda i, j: Symbol(f"s_{min(i, j) + 1}{max(i, j) + 1}", real=True))
    grade = sympy.diag(1, t**p, t**p)
    gram = grade * entries * grade
    vector = sympy.Matrix(symbols("x y_1 y_2", real=True))
    form = (vector.T * gram * vector)[0]
    live, coupling = entries[0, 0], entries[0, 1:]
    dead = vector[1:, :]
    schur = entries[1:, 1:] - coupling.T * coupling / live
    square = live * (vector[0] + (coupling * dead)[0] * t**p / live) ** 2
    remaining = t ** rate(p) * (dead.T * schur * dead)[0]

    def slope(dead_channels: int, channels: int) -> Expr:
        """t d/dt of log det of the graded Hilbert matrix of so many channels, of which those are dead."""
        whole = sympy.Matrix(channels, channels, lambda i, j: sympy.Rational(1, i + j + 1))
        graded = sympy.diag(*[1] * (channels - dead_channels), *[t**p] * dead_channels)
        determinant = (graded * whole * graded).det()
        return sympy.simplify(t * sympy.diff(determinant, t) / determinant)

    sizes = [(m, h) for h in (2, 3, 4) for m in range(1, h)]
    slopes = sympy.Matrix([slope(m, h) for m, h in sizes])
    return Proof(
        "One live and two dead channels, symbolic S and p; that exactly m eigenvalues are small follows by the "
        "minimax principle, in prose.",
        (
            Equation(
                "small",
                "the form of G: the live part completed to a square, and what is left on the dead block, t^{2p} "
                "times a Schur complement of S",
                form,
                square + remaining,
                {
                    "the dead block of S itself": square + t ** (2 * p) * (dead.T * entries[1:, 1:] * dead)[0],
                    "rate p": square + remaining / t**p,
                },
            ),
            Equation(
                "live",
                "on the live axis the form is s_11 x², free of t",
                form.subs(dict.fromkeys(dead, 0)),
                live * vector[0] ** 2,
                {"dying as well": t ** (2 * p) * live * vector[0] ** 2},
            ),
            Prose(
                "So the form is at most a constant times t^{2p} on an m-space and at least a constant on a "
                "complement; by the minimax principle exactly m eigenvalues are small.",
                r"\lambda_{h-m} \ge c, \quad \lambda_{h-m+1} \le C t^{2p}",
            ),
            Equation(
                "volume",
                "determinant of two dead channels of three",
                gram.det(),
                t ** volume_slope(2, p) * entries.det(),
                {"one dead channel": t ** (2 * p) * entries.det(), "S_11 for det S": t ** (4 * p) * live},
            ),
            Equation(
                "volume",
                "slope of the log-determinant with m of h channels dead, (m, h) = " + ", ".join(map(str, sizes)),
                slopes,
                sympy.Matrix([volume_slope(m, p) for m, _ in sizes]),
                {
                    "h for m": sympy.Matrix([2 * h * p for _, h in sizes]),
                    "m p": sympy.Matrix([m * p for m, _ in sizes]),
                },
            ),
        ),
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

    small_ones: list[Check] = []
    live: list[Check] = []
    volume: list[Check] = []
    curves: list[Curve] = []
    small = _RADII[-1]
    for dead in (1, 2, 3, 4):
        for layer in (1, 3):
            power = rate(_LAYERS - layer)
            profile = spectra_along(partial(_spectrum, dead=dead, layer=layer), _RADII)
            small_ones.append(
                count_check(
                    f"m = {dead}, layer {layer}: eigenvalues below √(t^{power}) at t = {small:.2g}",
                    dead,
                    _below(_gram(small, dead, layer), small ** (power / 2)),
                    rivals=(dead - 1, dead + 1),
                    reason="the live ones are of order one; there are no zeros",
                )
            )
            for index in (_WIDTH - dead, _WIDTH - 1):
                small_ones.append(
                    rate_check(
                        f"m = {dead}, layer {layer}: eigenvalue {index + 1}", power, _RADII, profile.eigenvalue(index)
                    )
                )
            live.append(
                rate_check(
                    f"m = {dead}, layer {layer}: eigenvalue {_WIDTH - dead}",
                    0,
                    _RADII,
                    profile.eigenvalue(_WIDTH - dead - 1),
                )
            )
            volume.append(
                rate_check(
                    f"m = {dead}, layer {layer}: det⁺",
                    volume_slope(dead, _LAYERS - layer),
                    _RADII,
                    profile.det_plus,
                    rivals=(power,) if dead > 1 else (),
                    quantity="rate of det⁺",
                )
            )
        curves.append(Curve(f"det⁺, m = {dead}", _RADII, profile.det_plus, float(power * dead)))
    return Experiment(
        f"Torch linear chains with {_LAYERS} layers of width {_WIDTH} and m dead axes, below a general output map; "
        "Gaussian head, labels from the model.",
        {"small": small_ones, "live": live, "volume": volume},
        tuple(curves),
    )


def _softmax(dead: int, radius: float) -> Spectrum:
    from ddtheory.measure import Categorical

    return _gram(radius, dead, 1, Categorical()).spectrum()


def control() -> Experiment:
    from ddtheory.measure import Categorical, spectra_along

    checks: list[Check] = []
    volumes: list[Check] = []
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
        values = spectra_along(partial(_softmax, dead), _RADII).det_plus
        volumes.append(
            rate_check(
                f"softmax head, m = {dead}: det⁺",
                6 * (dead - 1),
                _RADII,
                values,
                rivals=(6 * dead,),
                quantity="rate of det⁺",
            )
        )
    whole = [_gram(radius, _WIDTH, 1).spectrum().eigenvalues[0] for radius in _RADII]
    return Experiment(
        "A cross-entropy head: S is singular along the shift of all logits, and one of the m dead eigenvalues "
        "becomes an exact zero. A single dead direction leaves no small eigenvalue at all.",
        {
            "small": checks,
            "volume": volumes,
            "live": [rate_check(f"m = h = {_WIDTH}, layer 1: largest eigenvalue", 6, _RADII, whole, rivals=(0,))],
        },
    )
