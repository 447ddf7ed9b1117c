"""cor:rect_lambda_min: the dead entry as smallest eigenvalue, and the exact zeros of narrow layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.chain import chain_problem
from ddtheory.workbench.ladder import count_check, limit_check, rate_check

if TYPE_CHECKING:
    from ddtheory.measure import GramFactor

t = Symbol("t", positive=True)

_RADII = tuple(0.05 * 2.0 ** (-n / 2) for n in range(9))


def derive() -> Proof:
    g, c, b, x, y = symbols("g c b x y", real=True)
    gram = sympy.Matrix([[c, b], [b, g]])
    form = (sympy.Matrix([x, y]).T * gram * sympy.Matrix([x, y]))[0]
    completed = c * (x + b * y / c) ** 2 + (g - b**2 / c) * y**2
    coupling, p = symbols("s p", positive=True)
    equal = sympy.Matrix([[1, coupling * t**p], [coupling * t**p, t ** (2 * p)]])
    # width 3 through width 2: the Gram of the inner product form has a zero determinant for all entries
    entries = [[Symbol(f"w_{i}{j}", real=True) for j in range(3)] for i in range(2)]
    narrow = sympy.Matrix(entries)
    through = narrow.T * narrow
    return older_proof(
        steps=(
            Prose(
                "Complete the live part to a square: the form is at least its Schur complement.",
                r"v^\top G v \ge (g - |b|^2/c)\, v_0^2",
            ),
            Prose(
                "At equal order, b = s t^p beside g = t^{2p}, the bound is of the order of g with another constant.",
                r"\lambda_{\min}/t^{2p} \to 1 - s^2",
            ),
            Prose(
                "A layer of width a above a probe of width h has rank at most a, so h − a eigenvalues are zero at "
                "every t.",
                r"\dim\ker G_l \ge h - a",
            ),
        ),
        residuals={
            "completed square": sympy.expand(sympy.simplify(form - completed)),
            "equal order": sympy.simplify(equal.det() / t ** (2 * p) - (1 - coupling**2)),
            "a narrow layer: the determinant of the product vanishes": sympy.expand(through.det()),
        },
        controls={"the smallest eigenvalue is the dead entry": sympy.simplify(equal.det() / t ** (2 * p) - 1)},
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

    checks: list[Check] = []
    profile = spectra_along(lambda radius: _gram(radius, 0.0).spectrum(), _RADII)
    entries = [_gram(radius, 0.0).entry(4) for radius in _RADII]
    checks.append(rate_check("diagonal slice: dead entry", 4, _RADII, entries))
    checks.append(rate_check("diagonal slice: smallest positive eigenvalue", 4, _RADII, profile.smallest_positive))
    checks.append(
        limit_check(
            "diagonal slice: smallest positive eigenvalue over the dead entry",
            1,
            _RADII,
            [value / entry for value, entry in zip(profile.smallest_positive, entries, strict=True)],
            rivals=(0.5, 2, 0),
        )
    )
    for radius, zeros in ((_RADII[0], profile.zeros[0]), (_RADII[-1], profile.zeros[-1])):
        checks.append(
            count_check(
                f"widths 5 → 3 → 5, t = {radius:.2g}: zero eigenvalues",
                2,
                zeros,
                rivals=(0, 1, 3),
                reason="rank of the bottleneck; counted from singular values, not read as small ones",
            )
        )
    return older_experiment(
        "Torch linear chain with widths 5 → 3 → 5, the dead axis through the bottleneck; labels from the model.",
        tuple(checks),
        (Curve("smallest positive eigenvalue", _RADII, profile.smallest_positive, 4.0),),
    )


def control() -> Experiment:
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
                1 - coupling**2,
                _RADII,
                ratios,
                rivals=(1, coupling**2),
            )
        )
    aligned = _gram(0.05, 1.0).spectrum()
    checks.append(
        count_check(
            "coupling 1, |b|² = g c: zero eigenvalues",
            3,
            aligned.zeros,
            rivals=(2,),
            reason="the lower bound is zero, and the dead eigenvalue is gone at every t",
        )
    )
    return older_experiment(
        "A dead column that leans on a live one, with a cross entry of the order √g: the smallest eigenvalue is the "
        "Schur "
        "complement and no longer the dead entry; at full alignment it is an exact zero.",
        tuple(checks),
    )


CLAIM = Claim(
    id="cor:rect_lambda_min",
    title="Smallest eigenvalue at rectangular widths",
    clauses=older_statement(
        r"On the diagonal slice the dead entry is eventually $\lambda^+_{\min}$; with cross entries $b$ and live "
        r"block $\ge "
        r"c$, $v^\top G v \ge (g - |b|^2/c) v_0^2$. A layer of width $a$ above a probe of width $h > a$ makes $h - a$ "
        r"eigenvalues exactly zero at all $t$."
    ),
    source=cite("shirodkar2026dead", "cor:rect_lambda_min"),
    hypotheses=("The cross entries are of higher order than √g, or the constant is the Schur complement.",),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("thm:bridge_rect",),
    doubts="At equal order the bound keeps the rate and changes the constant; at |b|² = gc it is empty.",
)
