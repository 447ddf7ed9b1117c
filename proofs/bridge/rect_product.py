"""cor:rect_product_sigma_min: the smallest singular value of a dead column beside a block."""

from __future__ import annotations

import sympy
from sympy import Expr, Rational, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.proof import AtMost, Equation, Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem, random_rotation
from ddtheory.workbench.inequality import attained_check
from ddtheory.workbench.ladder import count_check, rate_check, value_check
from ddtheory.workbench.statement import printed

t = Symbol("t", positive=True)

_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(9))
_CASES = 2000


def lower_bound(rho: Expr | float, squares: Expr | float) -> Expr:
    """The bound of the statement on |a v₀ e + Bw|²: ρ times a sum of squares, or times the smaller square for a unit
    vector."""
    return rho * squares


def singular_value(power: Expr | int, radius: Expr | float) -> Expr:
    """The smallest singular value of D^p: t^p."""
    return radius**power


CLAIM = Claim(
    id="cor:rect_product_sigma_min",
    title="Smallest singular value of rectangular products",
    given=(
        r"Let $0 < t \le 1$; and let $e$ be a unit vector, $|\langle e, Bw\rangle| \le (1 - \rho)|Bw|$ and $|Bw| \ge "
        "c|w|$."
    ),
    clauses={
        "power": rf"$\sigma_{{\min}}(D^p) = {printed(singular_value(Symbol('p'), t))}$, also under conjugation.",
        "column": (
            rf"$|a v_0 e + Bw|^2 \ge {latex(lower_bound(Symbol('rho'), Symbol('mu')))}\, (v_0^2 + |w|^2)$ with $\mu = "
            r"\min(a^2, c^2)$."
        ),
    },
    source=cite("shirodkar2026dead", "cor:rect_product_sigma_min"),
    hypotheses=("0 < t ≤ 1.", "ρ > 0: the dead column is not in the image of the block."),
    expected=Verdict.CONFIRMED,
    doubts="For t > 1 the smallest singular value is 1. The constant ρ is attained at equal sizes.",
)


def derive() -> Proof:
    a, b = symbols("a b", positive=True)  # |a v₀| and |Bw|
    gap = Symbol("z", nonnegative=True)
    rho = 1 / (1 + gap)  # so that 1 − ρ has a sign by its form
    worst = a**2 + b**2 - 2 * (1 - rho) * a * b
    half, x, y = symbols("q x y", real=True)
    p = Symbol("p", integer=True, positive=True)
    turn = sympy.Matrix([[1 - half**2, -2 * half], [2 * half, 1 - half**2]]) / (1 + half**2)
    conjugate = (turn * sympy.diag(1, t**p) * turn.T).applyfunc(sympy.cancel)
    small = 1 / (1 + gap)  # t^{2p}
    return Proof(
        "Two channels and any rotation for the powers; the angle bound in the sizes |a v_0| and |Bw|.",
        (
            Equation(
                "power",
                "the conjugate of D^p on its rotated dead axis",
                (conjugate * turn[:, 1]).applyfunc(sympy.cancel),
                (singular_value(p, t) * turn[:, 1]).applyfunc(sympy.cancel),
                {
                    "on the axis itself": (conjugate[:, 1], t**p * sympy.Matrix([0, 1])),
                    "rate 2p": (t ** (2 * p) * turn[:, 1]).applyfunc(sympy.cancel),
                },
            ),
            AtMost(
                "power",
                "no vector shrinks more, with t^{2p} = 1/(1 + z): t^{2p} |v|² and |D^p v|²",
                small * (x**2 + y**2),
                x**2 + small * y**2,
                (sympy.factor(1 - small) * x**2,),
                {x: 0, y: 1, gap: 1},
                {"(t^{2p} + 1)/2 for t^{2p}": ((1 + small) / 2 * (x**2 + y**2), x**2 + small * y**2)},
            ),
            Prose(
                "Cauchy–Schwarz with the angle bound gives a² v_0² + |Bw|² − 2(1 − ρ)|a v_0||Bw|; then arithmetic "
                "and geometric mean, whose gap is a square.",
            ),
            AtMost(
                "column",
                "ρ (|a v_0|² + |Bw|²) and the least value at the angle, attained at equal sizes",
                lower_bound(rho, a**2 + b**2),
                worst,
                (sympy.factor(1 - rho) * (a - b) ** 2,),
                {a: 1, b: 1, gap: 1},
                {"2ρ": (2 * lower_bound(rho, a**2 + b**2), worst), "ρ/2": (lower_bound(rho / 2, a**2 + b**2), worst)},
            ),
        ),
    )


def _quotients() -> list[float]:
    """σ_min²/(ρ min(a², c²)) over random dead columns a e and blocks B."""
    import torch

    generator = torch.Generator().manual_seed(23)
    found = []
    for _ in range(_CASES):
        block = torch.randn(5, 3, generator=generator, dtype=torch.float64)
        column = torch.randn(5, generator=generator, dtype=torch.float64)
        size = float(torch.rand(1, generator=generator, dtype=torch.float64)) * 2 + 0.05
        column = column / column.norm()
        span = torch.linalg.qr(block).Q
        rho = 1 - float((span.mT @ column).norm())
        smallest = float(torch.linalg.svdvals(block)[-1])
        whole = float(torch.linalg.svdvals(torch.cat([size * column[:, None], block], dim=1))[-1])
        found.append(whole**2 / float(lower_bound(rho, min(size, smallest) ** 2)))
    return found


def _worst_case(rho: float, seed: int) -> Check:
    """A column a e beside a 5 × 3 block whose first column has the same size and the cosine 1 − ρ with e."""
    import torch

    size = 0.7
    e, f, g, h = random_rotation(5, 40 + seed)[:, :4].mT
    near = (1 - rho) * e + (1 - (1 - rho) ** 2) ** 0.5 * f
    whole = torch.stack([size * e, size * near, 1.1 * size * g, 2.0 * size * h], dim=1)
    smallest = float(torch.linalg.svdvals(whole)[-1]) ** 2
    return attained_check(
        f"worst case in R⁵, ρ = {rho}: the bound over σ_min²",
        float(lower_bound(rho, size**2)) / smallest,
        reason="rounding; the column and its neighbour have one size",
    )


def measure() -> Experiment:
    import torch

    from ddtheory.measure import activation_gram

    powers: list[Check] = []
    checks: list[Check] = []
    curves: list[Curve] = []
    turn = random_rotation(4, 31)
    for layers in (1, 2, 3):
        values = []
        for radius in _RADII:
            weights = [turn @ canonical(radius, 4) @ turn.mT] * (layers + 1)
            values.append(activation_gram(chain_problem(weights), str(layers + 1)).spectrum().smallest_positive ** 0.5)
        powers.append(
            rate_check(f"conjugated D^{layers}: σ_min", layers, _RADII, values, quantity="rate of a singular value")
        )
        powers.append(
            value_check(
                f"conjugated D^{layers}: σ_min over t^{layers} at t = {_RADII[0]}",
                1,
                values[0] / singular_value(layers, _RADII[0]),
                rivals=(_RADII[0], 0.5, 2),
                quantity="singular value",
            )
        )
        curves.append(Curve(f"σ_min of conjugated D^{layers}", _RADII, tuple(values), float(layers)))
    quotients = _quotients()
    checks.append(
        count_check(
            f"violations of the bound in {_CASES} random cases",
            0,
            sum(value < 1 - 1e-9 for value in quotients),
            rivals=(sum(value < 2 - 1e-9 for value in quotients),),
            reason=f"smallest quotient of σ_min² and its bound: {min(quotients):.4f}; the rival counts for 2ρ",
        )
    )
    checks += [_worst_case(rho, seed) for seed, rho in enumerate((0.5, 0.1, 0.01))]
    for rho in (Rational(1, 2), Rational(1, 10), Rational(1, 100)):
        cosine = float(1 - rho)
        pair = torch.tensor([[1.0, cosine], [0.0, (1 - cosine**2) ** 0.5]], dtype=torch.float64)
        checks.append(
            value_check(
                f"equal sizes at angle cosine 1 − ρ, ρ = {rho}: σ_min²",
                rho,
                float(torch.linalg.svdvals(pair)[-1]) ** 2,
                rivals=(2 * rho, 1 - cosine**2),
                reason="the bound is attained; rounding only",
                quantity="squared singular value",
            )
        )
    return Experiment(
        "Torch chains of conjugated canonical layers; random dead columns beside random blocks; the case of equality.",
        {"power": powers, "column": checks},
        tuple(curves),
    )


def control() -> Experiment:
    import torch

    from ddtheory.measure import activation_gram
    from ddtheory.measure.matrices.gram import GramFactor

    block = torch.randn(5, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    inside = block @ torch.tensor([0.2, -1.0, 0.4], dtype=torch.float64)
    zeros = GramFactor(torch.cat([inside[:, None], block], dim=1)).spectrum().zeros
    large = activation_gram(chain_problem([canonical(3.0, 3)] * 3), "3").spectrum()
    return Experiment(
        "A dead column in the image of the block (ρ = 0): the product is singular. And t = 3 > 1: the roles change, "
        "the smallest singular value is 1 and t^p the largest.",
        {
            "column": (
                count_check(
                    "dead column in the image: zeros", 1, zeros, rivals=(0,), reason="ρ = 0, the bound is empty"
                ),
            ),
            "power": (
                value_check(
                    "t = 3, two layers: σ_min²",
                    1,
                    large.smallest_positive,
                    rivals=(81,),
                    quantity="squared singular value",
                ),
            ),
        },
    )
