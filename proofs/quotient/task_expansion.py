"""prop:task_expansion_gfactor: a head that grows has the condition number of its scales; so have hidden layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Experiment
from ddtheory.verify.proof import AtMost, Equation, Proof, Prose
from ddtheory.workbench.chain import random_rotation
from ddtheory.workbench.inequality import attained_check
from ddtheory.workbench.ladder import count_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

old = symbols("s_old", positive=True)

_WIDTH, _DRAWS = 5, 20


def head_condition(new: Expr, old_scale: Expr) -> Expr:
    """κ of the head: s_new²/s_old²."""
    return new**2 / old_scale**2


def below_diagonal(jacobian: Expr, entry: Expr) -> Expr:
    """An entry below a diagonal Jacobian: j² d."""
    return jacobian**2 * entry


def error_bound(error: Expr | int, size: Expr | int, square: Expr) -> Expr:
    """How far an entrywise error moves the form: ε n |x|²."""
    return error * size * square


def condition_bound(jacobian: Expr | float, gram: Expr | float) -> Expr:
    """The bound of the statement: κ(J)² κ(G)."""
    return jacobian**2 * gram


CLAIM = Claim(
    id="prop:task_expansion_gfactor",
    title="Task expansion: the gradient factor has the condition number of the scales",
    given=r"Let a diagonal head have scales $s_{old} \le s_{new}$, and $G$ be its gradient factor.",
    clauses={
        "head": (
            r"$s_{old}^2 |x|^2 \le x^\top G x \le s_{new}^2 |x|^2$, both attained: $\kappa(G) = "
            rf"{printed(head_condition(*symbols('s_new s_old')))}$."
        ),
        "diagonal Jacobian": (
            rf"Below a diagonal Jacobian the entries are ${printed(below_diagonal(*symbols('j_i d_i')))}$."
        ),
        "Jacobian": (
            r"Below an invertible Jacobian $J$, $\kappa(J^\top G J) \le "
            rf"{latex(condition_bound(*symbols('kappa_J kappa_G')))}$ with the condition numbers of $J$ and $G$."
        ),
        "error": (
            rf"An entrywise error $\epsilon$ moves the form by at most "
            rf"${printed(error_bound(Symbol('epsilon'), Symbol('n'), Symbol('|x|') ** 2))}$."
        ),
    },
    source=cite("shirodkar2026dead", "prop:task_expansion_gfactor"),
    hypotheses=("s_old ≤ s_new; otherwise the ratio turns round.", "J is invertible."),
    expected=Verdict.CONFIRMED,
    doubts="Linear algebra of two scales; it says nothing about dead directions.",
)


def derive() -> Proof:
    x = symbols("x_1:5", real=True)
    jacobian, scales = symbols("j_1:4", real=True), symbols("d_1:4", positive=True)
    more = Symbol("e_s", nonnegative=True)
    vector = sympy.Matrix(x)
    head = sympy.diag(old, old, old + more, old + more) ** 2
    form = (vector.T * head * vector)[0]
    length = vector.dot(vector)
    gap = (old + more) ** 2 - old**2
    axes = [dict(zip(x, sympy.eye(4)[i, :], strict=True)) for i in (0, 3)]
    # below J = diag(j, j + e) under G = diag(g, g + f): both ends of the form, from the ends of J and of G
    j, e, g, f = symbols("j e g f", positive=True)
    below = (j * x[0]) ** 2 * g + ((j + e) * x[1]) ** 2 * (g + f)
    square = x[0] ** 2 + x[1] ** 2
    spread = sympy.expand((j + e) ** 2 * (g + f) - j**2 * g)
    hidden = sympy.diag(*jacobian).T * sympy.diag(*scales) * sympy.diag(*jacobian)
    pairs = [(a - b) ** 2 for i, a in enumerate(x) for b in x[i + 1 :]]
    even = {old: 1, more: 1}
    return Proof(
        "Symbolic in the scales; four outputs for the head, two for the general Jacobian, in its singular basis.",
        (
            AtMost(
                "head",
                "lower end of the form, attained on an old axis; s_new = s_old + e_s",
                old**2 * length,
                form,
                (gap * x[2] ** 2, gap * x[3] ** 2),
                {**axes[0], **even},
                {"with the new scale": ((old + more) ** 2 * length, form)},
            ),
            AtMost(
                "head",
                "upper end of the form, attained on a new axis",
                form,
                (old + more) ** 2 * length,
                (gap * x[0] ** 2, gap * x[1] ** 2),
                {**axes[1], **even},
                {"with the old scale": old**2 * length},
            ),
            Equation(
                "head",
                "ratio of the form on a new and on an old axis",
                form.subs(axes[1]) / form.subs(axes[0]),
                head_condition(old + more, old),
                {"s_new/s_old": (old + more) / old},
            ),
            Equation(
                "diagonal Jacobian",
                "JᵀGJ, all entries",
                hidden,
                sympy.diag(*[below_diagonal(a, b) for a, b in zip(jacobian, scales, strict=True)]),
                {"j d": sympy.diag(*[a * b for a, b in zip(jacobian, scales, strict=True)])},
            ),
            AtMost(
                "Jacobian",
                "upper end below J: σ_max(J)² times that of G",
                below,
                (j + e) ** 2 * (g + f) * square,
                (spread * x[0] ** 2,),
                {x[0]: 0, x[1]: 1, j: 1, e: 1, g: 1, f: 1},
                {"σ_max(J)": (j + e) * (g + f) * square},
            ),
            AtMost(
                "Jacobian",
                "lower end below J: σ_min(J)² times that of G",
                j**2 * g * square,
                below,
                (spread * x[1] ** 2,),
                {x[0]: 1, x[1]: 0, j: 1, e: 1, g: 1, f: 1},
                {"σ_min(J)": (j * g * square, below)},
            ),
            Equation(
                "Jacobian",
                "κ of the two ends",
                ((j + e) ** 2 * (g + f)) / (j**2 * g),
                condition_bound((j + e) / j, (g + f) / g),
                {
                    "κ(J)⁴ κ(G)": condition_bound(((j + e) / j) ** 2, (g + f) / g),
                    "κ(J) κ(G)": (j + e) / j * (g + f) / g,
                },
            ),
            Prose("An entrywise error ε moves the form by at most ε (Σ|x_i|)², and"),
            AtMost(
                "error",
                "(Σ x_i)² against n |x|², n = 4, attained by equal entries",
                sympy.Add(*x) ** 2,
                error_bound(1, 4, length),
                tuple(pairs),
                dict.fromkeys(x, 1),
                {"√n": 2 * length},
            ),
        ),
    )


def _draw(seed: int, *shape: int) -> Tensor:
    import torch

    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _gradient_gram(scales: Tensor, jacobian: Tensor) -> Tensor:
    """G before a linear layer with the Jacobian J under a diagonal head, from the Fisher of the torch model."""
    import torch

    from ddtheory.measure import Gaussian, Problem, fisher_matrix

    size = len(scales)
    problem = Problem(
        lambda p, inputs: (scales * (jacobian @ p["h"])).expand(inputs.shape[0], -1),
        {"h": torch.zeros(size, dtype=torch.float64)},
        torch.zeros(1, 1, dtype=torch.float64),
        Gaussian(),
    )
    return fisher_matrix(problem)


def _condition(gram: Tensor) -> float:
    import torch

    values = torch.linalg.eigvalsh(gram)
    return float(values[-1] / values[0])


def _scales(first: float, second: float) -> Tensor:
    import torch

    return torch.tensor([first] * 3 + [second] * 2, dtype=torch.float64)


def measure() -> Experiment:
    import torch

    eye = torch.eye(_WIDTH, dtype=torch.float64)
    head: list[Check] = []
    diagonal: list[Check] = []
    general: list[Check] = []
    for first, second in ((0.5, 3.0), (1.0, 10.0)):
        gram = _gradient_gram(_scales(first, second), eye)
        head.append(
            value_check(
                f"s_old = {first}, s_new = {second}: κ(G) of the head",
                (second / first) ** 2,
                _condition(gram),
                rivals=(second / first, (second / first) ** 4),
                error=1e-10,
                reason="a diagonal matrix; rounding",
                quantity="condition number",
            )
        )
        entries = torch.tensor([0.5, 1.0, 2.0, -1.5, 0.25], dtype=torch.float64)
        pulled = _gradient_gram(_scales(first, second), torch.diag(entries))
        squares = (0.25, 1.0, 4.0, 2.25, 0.0625)
        for place, square in enumerate(squares):
            scale = first if place < 3 else second
            diagonal.append(
                value_check(
                    f"s_old = {first}, s_new = {second}: entry {place + 1} below a diagonal Jacobian",
                    square * scale**2,
                    float(pulled[place, place]),
                    rivals=(square * (first + second - scale) ** 2, square**2 * scale**2 + (square == 1.0)),
                    error=1e-10,
                    reason="j² d, by hand; rounding. The rivals have the other scale, and j⁴",
                    quantity="entry",
                )
            )
    found: list[float] = []
    bounds: list[float] = []
    better: list[float] = []
    for seed in range(_DRAWS):
        jacobian = _draw(seed, _WIDTH, _WIDTH)
        scales = _draw(1000 + seed, _WIDTH).abs() + 0.1
        singular = torch.linalg.svdvals(jacobian)
        of_jacobian, of_head = float(singular[0] / singular[-1]), float(scales.max() / scales.min()) ** 2
        found.append(_condition(_gradient_gram(scales, jacobian)))
        bounds.append(float(condition_bound(of_jacobian, of_head)))
        better.append(of_jacobian * of_head)
    general.append(_exceeding("κ(J)² κ(G), random Jacobians; rival κ(J) κ(G)", found, bounds, better))
    for seed in range(3):
        # the longest axis of J meets the largest scale, the shortest the smallest
        lengths, scales = torch.linspace(0.4, 2.0, _WIDTH, dtype=torch.float64), _draw(seed, _WIDTH).abs() + 0.1
        jacobian = torch.diag(lengths) @ random_rotation(_WIDTH, seed)
        scales = scales.sort().values
        bound = condition_bound(5.0, float(scales[-1] / scales[0]) ** 2)
        general.append(
            attained_check(
                f"J and G aligned, draw {seed + 1}: κ(JᵀGJ) over κ(J)² κ(G), κ(J) = 5",
                _condition(_gradient_gram(scales, jacobian)) / float(bound),
                reason="rounding; the worst case",
                error=1e-8,
            )
        )
    shifts: list[float] = []
    gram, size = _gradient_gram(_scales(0.5, 3.0), eye), 0.01
    for seed in range(_DRAWS):
        noise = size * torch.sign(_draw(seed, _WIDTH, _WIDTH)).triu()
        noise = noise + noise.triu(1).mT
        shifts.append(float((torch.linalg.eigvalsh(gram + noise) - torch.linalg.eigvalsh(gram)).abs().max()))
    ones = torch.full((_WIDTH, _WIDTH), size, dtype=torch.float64)
    attained = float(torch.linalg.eigvalsh(eye + ones)[-1] - 1) / (size * _WIDTH)
    errors = [
        _exceeding("ε n, errors ±ε; rival ε", shifts, [size * _WIDTH] * _DRAWS, [size] * _DRAWS),
        Comparison(
            "the same for all errors +ε on the identity",
            1,
            Interval.around(attained, 1e-10),
            (1 / _WIDTH, 1 / _WIDTH**0.5),
            1e-9,
            "the bound is attained; the rivals are ε and ε√n",
            "ratio",
        ),
    ]
    return Experiment(
        "Diagonal heads over a linear layer of width 5 in torch; G from the Fisher by its inputs.",
        {"head": head, "diagonal Jacobian": diagonal, "Jacobian": general, "error": errors},
    )


def _exceeding(label: str, values: Sequence[float], bounds: Sequence[float], better: Sequence[float]) -> Comparison:
    """In how many draws a value exceeds its bound: in none; a bound that would be better is exceeded in some."""
    return count_check(
        f"draws of {len(values)} that exceed {label}",
        0,
        sum(value > bound * (1 + 1e-6) for value, bound in zip(values, bounds, strict=True)),
        rivals=(sum(value > bound * (1 + 1e-6) for value, bound in zip(values, better, strict=True)),),
        reason="1e-6 for the rounding of the smallest eigenvalue; the rival is the count for the better bound",
    )


def control() -> Experiment:
    import torch

    eye = torch.eye(_WIDTH, dtype=torch.float64)
    swapped = _condition(_gradient_gram(_scales(3.0, 0.5), eye))
    jacobian = _draw(3, _WIDTH, _WIDTH)
    jacobian[-1] = jacobian[0]
    smallest = float(torch.linalg.eigvalsh(_gradient_gram(_scales(1.0, 2.0), jacobian))[0])
    sheared = torch.eye(_WIDTH, dtype=torch.float64)
    sheared[0, -1] = 1.0  # x_1 + x_5 in the place of x_1
    mixed = float(_gradient_gram(_scales(0.5, 3.0), sheared)[-1, -1])
    return Experiment(
        "The old scale above the new one: the ratio turns round. A singular Jacobian: no condition number. A Jacobian "
        "with "
        "one entry beside the diagonal: both scales in one entry.",
        {
            "head": (
                value_check(
                    "s_old = 3, s_new = 1/2: κ(G)",
                    36,
                    swapped,
                    rivals=(1 / 36, 6),
                    error=1e-10,
                    reason="rounding; the rival is s_new²/s_old², below one and so no condition number",
                    quantity="condition number",
                ),
            ),
            "diagonal Jacobian": (
                value_check(
                    "J = 1 with J_15 = 1, s_old = 1/2, s_new = 3: last entry of JᵀGJ",
                    9.25,
                    mixed,
                    rivals=(9, 0.25),
                    error=1e-10,
                    reason="s_old² + s_new², by hand; rounding. The rivals are one scale alone",
                    quantity="entry",
                ),
            ),
            "Jacobian": (
                Comparison(
                    "two equal rows in J: smallest eigenvalue of JᵀGJ",
                    0,
                    Interval.around(smallest, 1e-12),
                    (1.0,),
                    1e-11,
                    "rounding",
                    "eigenvalue",
                ),
            ),
            "error": (_off_diagonal(),),
        },
    )


def _off_diagonal() -> Check:
    """Errors of size ε in one row only: the shift is that of a star, ε √(n − 1) for zero on the diagonal."""
    import torch

    errors = torch.zeros(_WIDTH, _WIDTH, dtype=torch.float64)
    errors[0, 1:] = errors[1:, 0] = 0.01
    shift = float(torch.linalg.eigvalsh(torch.eye(_WIDTH, dtype=torch.float64) + errors)[-1] - 1)
    return value_check(
        "errors +ε in the first row and column off the diagonal: shift over ε",
        2,
        shift / 0.01,
        rivals=(_WIDTH,),
        reason="a star of four edges has the eigenvalue √4; rounding",
        quantity="ratio",
    )
