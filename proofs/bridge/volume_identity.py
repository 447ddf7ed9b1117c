"""The volume identity of Dead-Direction Signatures: the slope of log det⁺ counts what dies, λ⁺ does not."""

from __future__ import annotations

from fractions import Fraction

import numpy
import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof
from ddtheory.workbench.chain import axis_inputs, canonical, chain_problem, live_part
from ddtheory.workbench.evidence import rate
from ddtheory.workbench.ladder import count_check, rate_check, value_check
from ddtheory.workbench.statement import printed

t, v = symbols("t v", positive=True)
L, gap, m = symbols("L p m", integer=True, positive=True)

_LAYERS, _WIDTH, _LAYER = 4, 20, 1
_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(8))
_WINDOW = tuple(float(radius) for radius in numpy.geomspace(0.02, 1.0, 25))
_PUBLISHED = (6.9, 13.8, 21.0, 27.8)


def volume_rate(dead: Expr | int, above: Expr | int) -> Expr:
    """The slope of log det⁺ for t → 0: 2r(L − l)."""
    return 2 * dead * above


def volume(dead: Expr | int, one: Expr) -> Expr:
    """What r dead axes make of the logarithm of λ⁺, or of its slope: r times it."""
    return dead * one


_PRINTED_LIMITS = ", ".join(str(volume_rate(dead, _LAYERS - _LAYER)) for dead in (1, 2, 3, 4))


CLAIM = Claim(
    id="dds:volume_identity",
    title="Volume identity: the slope of log det⁺ counts the dead directions",
    holds="With r dead axes that share one t the slope of log det⁺ is r times that of λ⁺, by construction",
    given=r"Let $r$ dead axes share one $t$ in a deep linear chain with a Gaussian head and label noise $v$.",
    clauses={
        "ratio": (
            rf"$\log(\det^+ G_l / v^{{h-r}}) = {printed(volume(*symbols('r l')))}$ with $l = \log \lambda^+$, so its "
            r"slope is $r$ times that of $\lambda^+$ in every window."
        ),
        "limit": (
            rf"That slope is ${printed(volume_rate(Symbol('r'), Symbol('L') - Symbol('l')))}$ for $t \to 0$: "
            rf"{_PRINTED_LIMITS} at $L = {_LAYERS}$, $l = {_LAYER}$."
        ),
        "blind": r"$\lambda^+$ does not depend on $r$.",
    },
    source=cite("shirodkar-narayanan2026signatures", "Figure 4"),
    hypotheses=(
        "The dead axes die at one rate.",
        "A Gaussian head with label noise.",
        "t → 0; any window for the ratios.",
    ),
    expected=Verdict.NARROWER,
    rests_on=("cor:bridge_g2",),
    titled="That the slope of log det⁺ counts dead directions, whatever their rates and whatever the head.",
    doubts=(
        "The ratio r holds by construction, since the r axes share one t: every axis has the same eigenvalue. Axes "
        "that die at different rates have other ratios, and a cross-entropy head takes one away. The published "
        "slopes 6.9, 13.8, 21.0, 27.8 are one number times r; many windows and noises give it, among them one line "
        "over 0.02 ≤ t ≤ 1 at v = 0.0025. The limit is 6."
    ),
)


def derive() -> Proof:
    def gram(dead: int) -> sympy.Matrix:
        """G_l of one live and `dead` dead axes: the layers above, the error of the output, and the noise."""
        above = sympy.diag(1, *[t**gap] * dead)
        error = sympy.diag(0, *[t**L] * dead)
        return above * (error * error.T + v * sympy.eye(dead + 1)) * above

    def slope(value: Expr) -> Expr:
        return t * sympy.diff(sympy.log(value), t)

    single = t ** (2 * gap) * (t ** (2 * L) + v)
    return Proof(
        "Symbolic in L, l, v and t, one to three dead axes beside a live one.",
        (
            *(
                Equation(
                    "ratio",
                    f"{dead} dead: slope of log det G, the live eigenvalue being v",
                    slope(gram(dead).det() / v),
                    volume(dead, slope(single)),
                    {"λ⁺ counts too": slope(single) if dead > 1 else 2 * slope(single)},
                )
                for dead in (1, 2, 3)
            ),
            Equation(
                "blind",
                "two and three dead axes: their last eigenvalue",
                sympy.Matrix([gram(dead)[dead, dead] for dead in (2, 3)]),
                sympy.Matrix([single, single]),
                {"r times it": sympy.Matrix([2 * single, 3 * single])},
            ),
            Equation(
                "limit",
                "slope of λ⁺",
                slope(single),
                volume_rate(1, gap) + 2 * L * t ** (2 * L) / (t ** (2 * L) + v),
                {"2p": 2 * gap},
            ),
            Equation(
                "limit",
                "its ends: t → 0 and t = 1, at L = 4",
                sympy.Matrix(
                    [
                        sympy.limit((slope(single) - 2 * gap).subs(L, 4), t, 0) + 2 * gap,
                        slope(single).subs({t: 1, L: 4}),
                    ]
                ),
                sympy.Matrix([2 * gap, 2 * gap + 8 / (1 + v)]),
                {"one slope in every window": sympy.Matrix([2 * gap, 2 * gap])},
            ),
        ),
    )


def _profile(radii: tuple[float, ...], dead: int, noise: float) -> tuple[list[float], list[float]]:
    """λ⁺ and log det⁺ of G at the first layer."""
    from ddtheory.measure import NoisyTargets, gradient_gram

    labels = NoisyTargets(live_part(dead), noise)
    inputs = axis_inputs(_WIDTH)
    smallest, volume = [], []
    for radius in radii:
        problem = chain_problem([canonical(radius, _WIDTH, dead)] * _LAYERS, inputs=inputs)
        spectrum = gradient_gram(problem, str(_LAYER), labels=labels).spectrum()
        smallest.append(spectrum.smallest_positive)
        volume.append(spectrum.log_det_plus)
    return smallest, volume


def _fitted(radii: tuple[float, ...], logs: list[float]) -> float:
    """Slope of a straight line, with its intercept, through log values against log t."""
    return float(numpy.polyfit(numpy.log(radii), logs, 1)[0])


def measure() -> Experiment:
    limits: list[Check] = []
    blind: list[Check] = []
    ratios: list[Check] = []
    curves: list[Curve] = []
    power = 2 * (_LAYERS - _LAYER)
    for dead in (1, 2, 3, 4):
        smallest, volume = _profile(_RADII, dead, 0.01)
        # the live eigenvalues are v, so det⁺ is taken in units of v for each of them
        scaled = [float(numpy.exp(value - (_WIDTH - dead) * numpy.log(0.01))) for value in volume]
        limits.append(
            rate_check(
                f"r = {dead}: det⁺",
                volume_rate(dead, _LAYERS - _LAYER),
                _RADII,
                scaled,
                rivals=tuple(power * other for other in (1, 2, 3, 4) if other != dead),
                quantity="rate of det⁺",
            )
        )
        blind.append(
            rate_check(
                f"r = {dead}: λ⁺, blind to r", power, _RADII, smallest, rivals=(power * dead,) if dead > 1 else ()
            )
        )
        ratios.append(
            value_check(
                f"r = {dead}, t = {_RADII[0]}, v = 0.01: det⁺ over v^(h − r) and over (λ⁺)^r",
                1,
                scaled[0] / smallest[0] ** dead,
                rivals=(smallest[0], 1 / smallest[0], 0.01, 100),
                quantity="quotient",
            )
        )
        curves.append(Curve(f"det⁺ over v^(h − r), r = {dead}", _RADII, tuple(scaled), float(power * dead)))
    single = _fitted(_WINDOW, _profile(_WINDOW, 1, 0.0025)[1])
    for dead in (2, 3, 4):
        slope = _fitted(_WINDOW, _profile(_WINDOW, dead, 0.0025)[1])
        ratios.append(
            value_check(
                f"r = {dead}: one straight line over 0.02 ≤ t ≤ 1 at v = 0.0025, slope over that of r = 1",
                dead,
                slope / single,
                rivals=tuple(other for other in (1, 2, 3, 4) if other != dead),
                error=1e-6,
                reason="the ratio is exact in any window, since the axes share one t",
                quantity="ratio of slopes",
            )
        )
    return Experiment(
        f"Torch linear chain of L = {_LAYERS} layers and width {_WIDTH} (the published cell), r dead axes, gradient "
        "factor of the first layer, label noise averaged in closed form.",
        {"ratio": ratios, "limit": limits, "blind": blind},
        tuple(curves),
    )


def control() -> Experiment:
    from ddtheory.measure import NoisyTargets, gradient_gram

    checks: list[Check] = []
    for dead in (1, 2):
        silent = []
        for radius in _RADII:
            problem = chain_problem([canonical(radius, _WIDTH, dead)] * _LAYERS, inputs=axis_inputs(_WIDTH))
            factor = gradient_gram(problem, str(_LAYER), labels=NoisyTargets(live_part(dead), 0.0))
            silent.append(float(numpy.exp(factor.spectrum().log_det_plus)))
        slope = (4 * _LAYERS - 2 * _LAYER) * dead
        checks.append(rate_check(f"no label noise, r = {dead}: det⁺", slope, _RADII, silent, rivals=(6 * dead,)))
    apart = _unequal(tuple(0.2 * 2.0 ** (-n / 4) for n in range(8)))
    return Experiment(
        "Without label noise every direction carries 4L − 2l = 14. Axes that die as t and t²: λ⁺ is that of the "
        "faster one, and the ratio is 3/2.",
        {"limit": checks, "blind": apart[1:2], "ratio": apart[2:]},
    )


def counterexample() -> Experiment:
    from ddtheory.measure import Categorical, gradient_gram

    checks: list[Check] = []
    radii = tuple(0.05 * 2.0 ** (-n / 2) for n in range(8))
    for dead in (1, 2, 3):
        spectra = [
            gradient_gram(chain_problem([canonical(r, 5, dead)] * _LAYERS, head=Categorical()), str(_LAYER)).spectrum()
            for r in radii
        ]
        values = [float(numpy.exp(spectrum.log_det_plus)) for spectrum in spectra]
        checks.append(
            rate_check(f"cross-entropy head, r = {dead}: det⁺", 6 * (dead - 1), radii, values, rivals=(6 * dead,))
        )
        checks.append(
            count_check(
                f"cross-entropy head, r = {dead}: exact zeros",
                1,
                spectra[-1].zeros,
                rivals=(0, 2),
                reason="the head does not see a shift of all logits",
            )
        )
    checks += _unequal(tuple(0.2 * 2.0 ** (-n / 4) for n in range(8)))
    published = sum(slope / dead for dead, slope in enumerate(_PUBLISHED, start=1)) / len(_PUBLISHED)
    for low, high, noise in ((0.02, 1.0, 0.0025), (0.05, 1.0, 0.01), (0.1, 0.4, 1e-4)):
        window = tuple(float(radius) for radius in numpy.geomspace(low, high, 25))
        checks.append(
            value_check(
                f"{low} ≤ t ≤ {high}, noise {noise}: slope of log det⁺ at r = 1, against a published slope over its r",
                published,
                _fitted(window, _profile(window, 1, noise)[1]),
                rivals=(6, 14),
                error=0.02,
                reason="the published four slopes are one number times r within 2 %, and so are those of three windows "
                "and noises that have nothing in common: they do not say which was used",
                quantity="slope",
            )
        )
    return Experiment(
        "Behind a cross-entropy head one dead eigenvalue is an exact zero, so the slope counts r − 1. Where two axes "
        "die as t and t², the slope over that of λ⁺ is 3/2, which counts nothing: the ratio r holds because the r "
        "axes share one t.",
        {TITLE: checks},
    )


def _unequal(radii: tuple[float, ...]) -> list[Check]:
    """Two dead axes, scaled by t and by t² in every layer: det⁺ has rate 6 + 12, λ⁺ has 12."""
    import torch

    from ddtheory.measure import gradient_gram

    spectra = []
    for radius in radii:
        layer = torch.diag(torch.tensor([1.0, 1.0, 1.0, radius, radius**2], dtype=torch.float64))
        spectra.append(gradient_gram(chain_problem([layer] * _LAYERS), str(_LAYER)).spectrum())
    power = 2 * (_LAYERS - _LAYER)
    volume = [float(numpy.exp(spectrum.log_det_plus)) for spectrum in spectra]
    smallest = [spectrum.smallest_positive for spectrum in spectra]
    quotient = rate(radii, volume).estimate / rate(radii, smallest).estimate
    return [
        rate_check(
            "axes t and t²: det⁺", 3 * power, radii, volume, rivals=(2 * power, 4 * power), quantity="rate of det⁺"
        ),
        rate_check("axes t and t²: λ⁺", 2 * power, radii, smallest, rivals=(power,)),
        value_check(
            "axes t and t²: slope of log det⁺ over that of λ⁺",
            Fraction(3, 2),
            quotient,
            rivals=(1, 2),
            error=1e-3,
            reason="extrapolated slopes; the title predicts the number of dead directions, 2",
            quantity="ratio of slopes",
        ),
    ]
