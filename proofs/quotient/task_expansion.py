"""prop:task_expansion_gfactor: a head that grows has the condition number of its scales; so have hidden layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Experiment, Observation
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.chain import random_rotation
from ddtheory.workbench.entrywise import entrywise
from ddtheory.workbench.inequality import bound_check, excess
from ddtheory.workbench.ladder import value_check

if TYPE_CHECKING:
    from torch import Tensor

old, new = symbols("s_old s_new", positive=True)

_WIDTH, _DRAWS = 5, 20


def condition_bound(jacobian: Expr | float, gram: Expr | float) -> Expr:
    """The bound of the statement: κ(J)² κ(G)."""
    return jacobian**2 * gram


def derive() -> Proof:
    x = symbols("x_1:5", real=True)
    jacobian, scales = symbols("j_1:4", real=True), symbols("d_1:4", positive=True)
    head = sympy.diag(old**2, old**2, new**2, new**2)
    vector = sympy.Matrix(x)
    form = (vector.T * head * vector)[0]
    length = vector.dot(vector)
    # below J = diag(j, j + e) under G = diag(g, g + f): both ends of the form, from the ends of J and of G
    j, e, g, f = (symbols(name, positive=True) for name in ("j", "e", "g", "f"))
    below = (j * x[0]) ** 2 * g + ((j + e) * x[1]) ** 2 * (g + f)
    square = x[0] ** 2 + x[1] ** 2
    over = ((j + e) ** 2 * (g + f) - j**2 * g) * x[0] ** 2
    under = ((j + e) ** 2 * (g + f) - j**2 * g) * x[1] ** 2
    hidden = sympy.diag(*jacobian).T * sympy.diag(*scales) * sympy.diag(*jacobian)
    return older_proof(
        steps=(
            Prose(
                "The form of a diagonal head differs from its ends by a sum of squares times s_new² − s_old².",
                r"x^\top G x - s_{old}^2 |x|^2 = (s_{new}^2 - s_{old}^2) |x_{new}|^2",
            ),
            Prose(
                "Both ends are attained on coordinate axes, so their ratio is the condition number.",
                r"\kappa(G) = s_{new}^2/s_{old}^2",
            ),
            Prose("A diagonal Jacobian pulls the entries back one by one.", r"(J^\top G J)_{ii} = j_i^2 d_i"),
            Prose(
                "In general |Jx|² lies between σ_min² and σ_max², and an entrywise error ε moves the form by at most "
                "ε (Σ|x_i|)² ≤ ε n |x|².",
                r"\kappa(J^\top G J) \le \kappa(J)^2 \kappa(G)",
            ),
        ),
        residuals={
            "above the lower end": sympy.expand(form - old**2 * length - (new**2 - old**2) * (x[2] ** 2 + x[3] ** 2)),
            "below the upper end": sympy.expand(new**2 * length - form - (new**2 - old**2) * (x[0] ** 2 + x[1] ** 2)),
            "lower end attained": form.subs(dict(zip(x, (1, 0, 0, 0), strict=True))) - old**2,
            "upper end attained": form.subs(dict(zip(x, (0, 0, 0, 1), strict=True))) - new**2,
            **entrywise(
                "hidden entries", hidden, sympy.diag(*[a**2 * b for a, b in zip(jacobian, scales, strict=True)])
            ),
            "below J: upper end minus form, minus the slack": excess(
                (j + e) ** 2 * (g + f) * square, below, sympy.expand(over)
            ),
            "below J: form minus lower end, minus the slack": excess(below, j**2 * g * square, sympy.expand(under)),
            "κ of the two ends is κ(J)² κ(G)": ((j + e) ** 2 * (g + f)) / (j**2 * g)
            - condition_bound((j + e) / j, (g + f) / g),
            "n|x|² − (Σx_i)² is a sum of squares": sympy.expand(
                4 * length - sum(x) ** 2 - sum((a - b) ** 2 for i, a in enumerate(x) for b in x[i + 1 :])
            ),
        },
        controls={
            "κ(J)⁴ κ(G)": ((j + e) ** 2 * (g + f)) / (j**2 * g) - condition_bound(((j + e) / j) ** 2, (g + f) / g),
            "κ = s_new/s_old": new**2 / old**2 - new / old,
            "the lower end with the new scale": sympy.expand(form - new**2 * length),
        },
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
    checks: list[Check] = []
    for first, second in ((0.5, 3.0), (1.0, 10.0)):
        gram = _gradient_gram(_scales(first, second), eye)
        checks.append(
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
        checks.append(
            value_check(
                f"s_old = {first}, s_new = {second}: last entry below a diagonal Jacobian",
                0.0625 * second**2,
                float(pulled[-1, -1]),
                rivals=(0.25 * second**2, second**2),
                error=1e-10,
                reason="j² d with j = 1/4; rounding",
                quantity="entry",
            )
        )
    worst = 0.0
    for seed in range(_DRAWS):
        jacobian = _draw(seed, _WIDTH, _WIDTH)
        scales = _draw(1000 + seed, _WIDTH).abs() + 0.1
        singular = torch.linalg.svdvals(jacobian)
        bound = condition_bound(float(singular[0] / singular[-1]), float(scales.max() / scales.min()) ** 2)
        worst = max(worst, _condition(_gradient_gram(scales, jacobian)) / float(bound))
    checks.append(
        Observation(
            f"κ(JᵀGJ)/(κ(J)² κ(G)) over {_DRAWS} random Jacobians, largest {worst:.3g}: above 1?",
            "no",
            "yes" if worst > 1 + 1e-6 else "no",
            "1e-6 for the rounding of the smallest eigenvalue",
        )
    )
    for seed in range(3):
        # the longest axis of J meets the largest scale, the shortest the smallest
        lengths, scales = torch.linspace(0.4, 2.0, _WIDTH, dtype=torch.float64), _draw(seed, _WIDTH).abs() + 0.1
        jacobian = torch.diag(lengths) @ random_rotation(_WIDTH, seed)
        scales = scales.sort().values
        bound = condition_bound(5.0, float(scales[-1] / scales[0]) ** 2)
        checks.append(
            bound_check(
                f"J and G aligned, draw {seed + 1}: κ(JᵀGJ) over κ(J)² κ(G), κ(J) = 5",
                _condition(_gradient_gram(scales, jacobian)) / float(bound),
                reason="rounding; the worst case",
                error=1e-8,
            )
        )
    perturbed = 0.0
    gram, size = _gradient_gram(_scales(0.5, 3.0), eye), 0.01
    for seed in range(_DRAWS):
        noise = size * torch.sign(_draw(seed, _WIDTH, _WIDTH)).triu()
        noise = noise + noise.triu(1).mT
        shift = torch.linalg.eigvalsh(gram + noise) - torch.linalg.eigvalsh(gram)
        perturbed = max(perturbed, float(shift.abs().max()) / (size * _WIDTH))
    ones = torch.full((_WIDTH, _WIDTH), size, dtype=torch.float64)
    attained = float(torch.linalg.eigvalsh(eye + ones)[-1] - 1) / (size * _WIDTH)
    checks += [
        Observation(
            f"shift of an eigenvalue over ε n, entrywise random errors ±ε, largest {perturbed:.3g}: above 1?",
            "no",
            "yes" if perturbed > 1 + 1e-9 else "no",
            f"{_DRAWS} draws",
        ),
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
    return older_experiment(
        "Diagonal heads over a linear layer in torch; G from the Fisher by its inputs.", tuple(checks)
    )


def control() -> Experiment:
    import torch

    eye = torch.eye(_WIDTH, dtype=torch.float64)
    swapped = _condition(_gradient_gram(_scales(3.0, 0.5), eye))
    jacobian = _draw(3, _WIDTH, _WIDTH)
    jacobian[-1] = jacobian[0]
    smallest = float(torch.linalg.eigvalsh(_gradient_gram(_scales(1.0, 2.0), jacobian))[0])
    return older_experiment(
        "The old scale above the new one: the ratio turns round. A singular Jacobian: no condition number.",
        (
            value_check(
                "s_old = 3, s_new = 1/2: κ(G)",
                36,
                swapped,
                rivals=(1 / 36, 6),
                error=1e-10,
                reason="rounding; the rival is s_new²/s_old², below one and so no condition number",
                quantity="condition number",
            ),
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
    )


CLAIM = Claim(
    id="prop:task_expansion_gfactor",
    title="Task expansion: the gradient factor has the condition number of the scales",
    clauses=older_statement(
        r"For a diagonal head with scales $s_{old} \le s_{new}$ the form of $G$ lies between $s_{old}^2 |x|^2$ and "
        r"$s_{new}^2 |x|^2$, both attained, so $\kappa(G) = s_{new}^2/s_{old}^2$. Below a Jacobian $J$: entries "
        r"$j_i^2 d_i$ when $J$ is diagonal, in general $\kappa(J^\top G J) \le "
        rf"{latex(condition_bound(*symbols('kappa_J kappa_G')))}$ with the condition numbers of $J$ and $G$; an "
        r"entrywise error $\epsilon$ moves the form by at most $\epsilon n |x|^2$."
    ),
    source=cite("shirodkar2026dead", "prop:task_expansion_gfactor"),
    hypotheses=("s_old ≤ s_new; otherwise the ratio turns round.", "J is invertible."),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    doubts="Linear algebra of two scales; it says nothing about dead directions.",
)
