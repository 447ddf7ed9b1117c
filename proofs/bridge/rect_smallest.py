"""cor:rect_lambda_min: the dead entry as smallest eigenvalue, and the exact zeros of narrow layers."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.proof import AtMost, Equation, Proof
from ddtheory.workbench.chain import chain_problem
from ddtheory.workbench.inequality import attained_check
from ddtheory.workbench.ladder import count_check, limit_check, rate_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from ddtheory.measure import GramFactor

t = Symbol("t", positive=True)

_RADII = tuple(0.05 * 2.0 ** (-n / 2) for n in range(9))


def lower_bound(own: Expr | float, cross: Expr | float, live: Expr | float) -> Expr:
    """The bound of the statement for v_0 = 1, from |b|²: g − |b|²/c."""
    return own - cross / live


def at_equal_order(coupling: Expr | float) -> Expr:
    """The limit of λ_min/t^{2p} for b = s t^p: 1 − s²."""
    return 1 - coupling**2


def lost(width: Expr | int, narrow: Expr | int) -> Expr:
    """How many eigenvalues a layer of width a above a probe of width h makes zero: h − a."""
    return width - narrow


CLAIM = Claim(
    id="cor:rect_lambda_min",
    title="Smallest eigenvalue at rectangular widths",
    given=r"Let $G$ have the dead entry $g$, cross entries $b$ and a live block $\ge c$.",
    clauses={
        "diagonal slice": r"With $b = 0$ the dead entry is eventually $\lambda^+_{\min}$.",
        "bound": (
            r"$v^\top G v \ge \left("
            rf"{printed(lower_bound(Symbol('g'), Symbol('|b|') ** 2, Symbol('c')))}\right) v_0^2$."
        ),
        "equal order": (
            r"For $b = s\,t^p$ beside $g = t^{2p}$, $c = 1$: "
            rf"$\lambda_{{\min}}/t^{{2p}} \to {printed(at_equal_order(Symbol('s')))}$."
        ),
        "narrow layers": (
            rf"A layer of width $a$ above a probe of width $h > a$ makes ${printed(lost(*symbols('h a')))}$ "
            "eigenvalues exactly zero at all $t$."
        ),
    },
    source=cite("shirodkar2026dead", "cor:rect_lambda_min"),
    hypotheses=("The cross entries are of higher order than √g, or the constant is the Schur complement.",),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:bridge_rect",),
    doubts="At equal order the bound keeps the rate and changes the constant; at |b|² = gc it is empty.",
)


def derive() -> Proof:
    g, x = symbols("g x", real=True)
    c = Symbol("c", positive=True)
    cross, live = (sympy.Matrix(symbols(f"{name}_1:3", real=True)) for name in ("b", "w"))
    form = g * x**2 + 2 * x * cross.dot(live) + c * live.dot(live)
    shifted = live + cross * x / c
    s, p, u = symbols("s p u", positive=True)
    equal = sympy.Matrix([[1, s * t**p], [s * t**p, t ** (2 * p)]])
    eigenvalue = u * t ** (2 * p)
    # width 3 through width 2: MᵀM for a 2 × 3 map with all entries free, and a vector in its kernel
    narrow = sympy.Matrix(2, 3, lambda i, j: Symbol(f"w_{i}{j}", real=True))
    through = narrow.T * narrow
    kernel = narrow.row(0).T.cross(narrow.row(1).T)
    below_one = Symbol("z", nonnegative=True)
    small = 1 / (1 + below_one)
    return Proof(
        "Two live channels; equal order with one; a layer of width 2 above a probe of width 3.",
        (
            AtMost(
                "bound",
                "completed square: the bound and the form",
                lower_bound(g, cross.dot(cross), c) * x**2,
                form,
                tuple(c * entry**2 for entry in shifted),
                {x: 1, g: 2, c: 1, cross[0]: 1, cross[1]: 0, live[0]: -1, live[1]: 0},
                {"|b|²/2c": ((g - cross.dot(cross) / (2 * c)) * x**2, form), "g": (g * x**2, form)},
            ),
            AtMost(
                "diagonal slice",
                "b = 0 and live block 1, g = t^{2p} = 1/(1 + z): the dead entry is the smallest",
                small * (x**2 + live[0] ** 2),
                small * x**2 + live[0] ** 2,
                (sympy.factor(1 - small) * live[0] ** 2,),
                {x: 1, live[0]: 0, below_one: 1},
                {"the mean of both entries": ((1 + small) / 2 * (x**2 + live[0] ** 2), small * x**2 + live[0] ** 2)},
            ),
            Equation(
                "equal order",
                "characteristic polynomial at u t^{2p}, over t^{2p}: 1 − s² − u, and a term of order t^{2p}",
                (equal - eigenvalue * sympy.eye(2)).det() / t ** (2 * p),
                at_equal_order(s) - u + (u**2 - u) * t ** (2 * p),
                {
                    "the dead entry": 1 - u + (u**2 - u) * t ** (2 * p),
                    "s for s²": 1 - s - u + (u**2 - u) * t ** (2 * p),
                },
            ),
            Equation(
                "narrow layers",
                "MᵀM has a zero determinant for all entries: beside that of M Mᵀ",
                through.det() + (narrow * narrow.T).det(),
                (narrow * narrow.T).det(),
                {
                    "a square layer": (
                        (narrow[:, :2].T * narrow[:, :2]).det() + (narrow * narrow.T).det(),
                        (narrow * narrow.T).det(),
                    )
                },
            ),
            Equation(
                "narrow layers",
                "h less the rank of that map",
                sympy.Integer(3 - narrow.rank()),
                sympy.sympify(lost(3, 2)),
                {"a square layer": (sympy.Integer(2 - narrow[:, :2].rank()), sympy.sympify(lost(3, 2)))},
            ),
            Equation(
                "narrow layers",
                "the cross product of its rows is in the kernel",
                through * kernel + kernel,
                kernel,
                {"its first row": (through * narrow.row(0).T + kernel, kernel)},
            ),
        ),
    )


def _gram(radius: float, coupling: float) -> GramFactor:
    """Width 5 → 3 → 5 with the dead axis through the bottleneck, below a map whose dead column leans on a live one."""
    import torch

    from ddtheory.measure import gradient_gram

    narrow = torch.zeros(3, 5, dtype=torch.float64)
    narrow[0, 0] = narrow[1, 1] = 1.0
    narrow[2, 4] = radius
    wide = torch.zeros(5, 3, dtype=torch.float64)
    wide[0, 0] = wide[1, 1] = 1.0
    wide[0, 2], wide[4, 2] = coupling, radius if coupling == 0 else (1 - coupling**2) ** 0.5
    return gradient_gram(chain_problem([torch.eye(5, dtype=torch.float64), narrow, wide]), "1")


def measure() -> Experiment:
    from ddtheory.measure import spectra_along

    sliced: list[Check] = []
    narrow: list[Check] = []
    profile = spectra_along(lambda radius: _gram(radius, 0.0).spectrum(), _RADII)
    entries = [_gram(radius, 0.0).entry(4) for radius in _RADII]
    sliced.append(rate_check("diagonal slice: dead entry", 4, _RADII, entries))
    sliced.append(rate_check("diagonal slice: smallest positive eigenvalue", 4, _RADII, profile.smallest_positive))
    sliced.append(
        limit_check(
            "diagonal slice: smallest positive eigenvalue over the dead entry",
            1,
            _RADII,
            [value / entry for value, entry in zip(profile.smallest_positive, entries, strict=True)],
            rivals=(0.5, 2, 0),
        )
    )
    for radius, zeros in ((_RADII[0], profile.zeros[0]), (_RADII[-1], profile.zeros[-1])):
        narrow.append(
            count_check(
                f"widths 5 → 3 → 5, t = {radius:.2g}: zero eigenvalues",
                lost(5, 3),
                zeros,
                rivals=(0, 1, 3),
                reason="rank of the bottleneck; counted from singular values, not read as small ones",
            )
        )
    return Experiment(
        "Torch linear chain with widths 5 → 3 → 5, the dead axis through the bottleneck; labels from the model. A "
        "dead column that leans on a live one with 0.6 and 0.8.",
        {"diagonal slice": sliced, "narrow layers": narrow, "equal order": _leaning(), "bound": _bound()},
        (Curve("smallest positive eigenvalue", _RADII, profile.smallest_positive, 4.0),),
    )


def _leaning() -> list[Check]:
    checks: list[Check] = []
    for coupling in (0.6, 0.8):
        ratios, smallest = [], []
        for radius in _RADII:
            found = _gram(radius, coupling)
            smallest.append(found.spectrum().smallest_positive)
            ratios.append(smallest[-1] / found.entry(4))
        checks.append(
            rate_check(f"coupling {coupling} at equal order: smallest positive eigenvalue", 2, _RADII, smallest)
        )
        checks.append(
            limit_check(
                f"coupling {coupling} at equal order: smallest positive eigenvalue over the dead entry → 1 − s²",
                at_equal_order(coupling),
                _RADII,
                ratios,
                rivals=(1, coupling**2),
            )
        )
    return checks


def _bound() -> list[Check]:
    """g − |b|²/c of the measured factor over its least value on v_0 = 1, which is one over an entry of its inverse."""
    import torch

    checks: list[Check] = []
    for coupling in (0.6, 0.8):
        factor = _gram(0.05, coupling).triangle
        gram = (factor.mT @ factor)[[0, 1, 4]][:, [0, 1, 4]]
        bound = lower_bound(gram[2, 2], gram[2, :2].square().sum(), torch.linalg.eigvalsh(gram[:2, :2])[0])
        checks.append(
            attained_check(
                f"coupling {coupling}, t = 0.05: g − |b|²/c over the least value of the form",
                float(bound * torch.linalg.inv(gram)[2, 2]),
                reason="rounding; the live block is the identity here",
            )
        )
    return checks


def control() -> Experiment:
    import torch

    aligned = _gram(0.05, 1.0).spectrum()
    leaning = [_gram(radius, 0.8) for radius in _RADII]
    square = _square(0.3)
    block = torch.tensor([[4.0, 1.0, 1.0], [1.0, 3.0, 1.0], [1.0, 1.0, 2.0]], dtype=torch.float64)
    checks: list[Check] = [
        count_check(
            "coupling 1, |b|² = g c: zero eigenvalues",
            3,
            aligned.zeros,
            rivals=(2,),
            reason="the lower bound is zero, and the dead eigenvalue is gone at every t",
        )
    ]
    return Experiment(
        "A dead column that leans on a live one, with a cross entry of the order √g: the smallest eigenvalue is the "
        "Schur complement and no longer the dead entry; at full alignment it is an exact zero.",
        {
            "bound": [
                value_check(
                    "live block [[3, 1], [1, 2]], b = (1, 1), g = 4: least value of the form",
                    Fraction(17, 5),
                    1 / float(torch.linalg.inv(block)[0, 0]),
                    rivals=(Fraction(10, 3), 3),
                    reason=(
                        "g − bᵀ C⁻¹ b = 4 − 3/5 by hand; rounding. The rivals are g − |b|²/c for the larger and the "
                        "smaller diagonal entry, which are no eigenvalues"
                    ),
                    quantity="least value",
                )
            ],
            "equal order": checks,
            "diagonal slice": [
                limit_check(
                    "coupling 0.8: smallest positive eigenvalue over the dead entry",
                    0.36,
                    _RADII,
                    [each.spectrum().smallest_positive / each.entry(4) for each in leaning],
                    rivals=(1,),
                )
            ],
            "narrow layers": [
                count_check("widths 5 → 5 → 5: zero eigenvalues", 0, square, rivals=(2,), reason="no bottleneck")
            ],
        },
    )


def _square(radius: float) -> int:
    import torch

    from ddtheory.measure import gradient_gram

    layer = torch.diag(torch.tensor([1.0, 1.0, 1.0, 1.0, radius], dtype=torch.float64))
    identity = torch.eye(5, dtype=torch.float64)
    return gradient_gram(chain_problem([identity, layer, identity]), "1").spectrum().zeros
