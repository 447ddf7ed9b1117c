"""cor:rect_product_sigma_min: the smallest singular value of a dead column beside a block."""

from __future__ import annotations

import sympy
from sympy import Expr, Rational, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem, random_rotation
from ddtheory.workbench.inequality import bound_check, excess
from ddtheory.workbench.ladder import count_check, rate_check, value_check

t = Symbol("t", positive=True)

_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(9))
_CASES = 2000


def lower_bound(rho: Expr | float, squares: Expr | float) -> Expr:
    """The bound of the statement on |a v₀ e + Bw|²: ρ times a sum of squares, or times the smaller square for a unit
    vector."""
    return rho * squares


def derive() -> Proof:
    a, b = symbols("a b", positive=True)  # |a v₀| and |Bw|
    rho = 1 / (1 + Symbol("z", nonnegative=True))  # so that 1 − ρ has a sign by its form
    worst = a**2 + b**2 - 2 * (1 - rho) * a * b
    slack = sympy.factor(1 - rho) * (a - b) ** 2
    angle = Symbol("alpha", real=True)
    p = Symbol("p", integer=True, positive=True)
    turn = sympy.Matrix([[sympy.cos(angle), -sympy.sin(angle)], [sympy.sin(angle), sympy.cos(angle)]])
    conjugate = turn * sympy.diag(1, t**p) * turn.T
    image = conjugate * turn[:, 1] - t**p * turn[:, 1]
    return older_proof(
        steps=(
            Prose(
                "D^p has smallest singular value t^p for t ≤ 1, and so has every conjugate of it.",
                r"\sigma_{\min} = t^p",
            ),
            Prose(
                "Cauchy–Schwarz with the angle bound, then arithmetic and geometric mean.",
                r"|a v_0 e + B w|^2 \ge a^2 v_0^2 + |Bw|^2 - 2(1 - \rho) |a v_0| |Bw| \ge \rho\,(a^2 v_0^2 + |Bw|^2)",
            ),
            Prose("The gap of the last step is a square, so it is attained.", r"(1 - \rho)(|a v_0| - |Bw|)^2"),
        ),
        residuals={
            "value minus its bound, minus the slack": excess(worst, lower_bound(rho, a**2 + b**2), slack),
            "attained at equal sizes": worst.subs(b, a) - lower_bound(rho, 2 * a**2),
            "conjugate": sum((sympy.trigsimp(sympy.expand(entry)) ** 2 for entry in image), sympy.Integer(0)),
            "determinant of the conjugate": sympy.trigsimp(sympy.expand(conjugate.det())) - t**p,
        },
        controls={
            "the bound with 2ρ": worst.subs(b, a) - 2 * lower_bound(rho, 2 * a**2),
            "the bound with ρ/2 is not attained": worst.subs(b, a) - lower_bound(rho / 2, 2 * a**2),
        },
    )


def _smallest_quotient() -> float:
    """Smallest σ_min²/(ρ min(a², c²)) over random dead columns a e and blocks B."""
    import torch

    generator = torch.Generator().manual_seed(23)
    worst = float("inf")
    for _ in range(_CASES):
        block = torch.randn(5, 3, generator=generator, dtype=torch.float64)
        column = torch.randn(5, generator=generator, dtype=torch.float64)
        size = float(torch.rand(1, generator=generator, dtype=torch.float64)) * 2 + 0.05
        column = column / column.norm()
        span = torch.linalg.qr(block).Q
        rho = 1 - float((span.mT @ column).norm())
        smallest = float(torch.linalg.svdvals(block)[-1])
        whole = float(torch.linalg.svdvals(torch.cat([size * column[:, None], block], dim=1))[-1])
        worst = min(worst, whole**2 / float(lower_bound(rho, min(size, smallest) ** 2)))
    return worst


def _worst_case(rho: float, seed: int) -> Check:
    """A column a e beside a 5 × 3 block whose first column has the same size and the cosine 1 − ρ with e."""
    import torch

    size = 0.7
    e, f, g, h = random_rotation(5, 40 + seed)[:, :4].mT
    near = (1 - rho) * e + (1 - (1 - rho) ** 2) ** 0.5 * f
    whole = torch.stack([size * e, size * near, 1.1 * size * g, 2.0 * size * h], dim=1)
    smallest = float(torch.linalg.svdvals(whole)[-1]) ** 2
    return bound_check(
        f"worst case in R⁵, ρ = {rho}: the bound over σ_min²",
        float(lower_bound(rho, size**2)) / smallest,
        reason="rounding; the column and its neighbour have one size",
    )


def measure() -> Experiment:
    import torch

    from ddtheory.measure import activation_gram

    checks: list[Check] = []
    curves: list[Curve] = []
    turn = random_rotation(4, 31)
    for layers in (1, 2, 3):
        values = []
        for radius in _RADII:
            weights = [turn @ canonical(radius, 4) @ turn.mT] * (layers + 1)
            values.append(activation_gram(chain_problem(weights), str(layers + 1)).spectrum().smallest_positive ** 0.5)
        checks.append(
            rate_check(f"conjugated D^{layers}: σ_min", layers, _RADII, values, quantity="rate of a singular value")
        )
        curves.append(Curve(f"σ_min of conjugated D^{layers}", _RADII, tuple(values), float(layers)))
    worst = _smallest_quotient()
    checks.append(
        count_check(
            f"violations of the bound in {_CASES} random cases",
            0,
            int(worst < 1 - 1e-9),
            rivals=(1,),
            reason=f"smallest quotient of σ_min² and its bound: {worst:.4f}",
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
    return older_experiment(
        "Torch chains of conjugated canonical layers; random dead columns beside random blocks; the case of equality.",
        tuple(checks),
        tuple(curves),
    )


def control() -> Experiment:
    import torch

    from ddtheory.measure import activation_gram
    from ddtheory.measure.gram import GramFactor

    block = torch.randn(5, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    inside = block @ torch.tensor([0.2, -1.0, 0.4], dtype=torch.float64)
    zeros = GramFactor(torch.cat([inside[:, None], block], dim=1)).spectrum().zeros
    large = activation_gram(chain_problem([canonical(3.0, 3)] * 3), "3").spectrum()
    return older_experiment(
        "A dead column in the image of the block (ρ = 0): the product is singular. And t = 3 > 1: the roles change, "
        "the "
        "smallest singular value is 1 and t^p the largest.",
        (
            count_check("dead column in the image: zeros", 1, zeros, rivals=(0,), reason="ρ = 0, the bound is empty"),
            value_check(
                "t = 3, two layers: σ_min²", 1, large.smallest_positive, rivals=(81,), quantity="squared singular value"
            ),
        ),
    )


CLAIM = Claim(
    id="cor:rect_product_sigma_min",
    title="Smallest singular value of rectangular products",
    clauses=older_statement(
        r"$\sigma_{\min}(D^p) = t^p$ on $0 < t \le 1$, also under conjugation. If $|\langle e, Bw\rangle| \le (1 - "
        r"\rho)|Bw|$ and $|Bw| \ge c|w|$ then $|a v_0 e + Bw|^2 \ge "
        rf"{latex(lower_bound(Symbol('rho'), Symbol('mu')))}\, (v_0^2 + |w|^2)$ with $\mu = \min(a^2, c^2)$."
    ),
    source=cite("shirodkar2026dead", "cor:rect_product_sigma_min"),
    hypotheses=("0 < t ≤ 1.", "ρ > 0: the dead column is not in the image of the block."),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    doubts="For t > 1 the smallest singular value is 1. The constant ρ is attained at equal sizes.",
)
