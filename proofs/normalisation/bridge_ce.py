"""thm:bridge_ce: under a cross-entropy head the dead diagonal keeps its rate, and one dead eigenvalue is absorbed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment, Observation
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.entrywise import entrywise
from ddtheory.workbench.evidence import limit, rate
from ddtheory.workbench.inequality import bound_check

if TYPE_CHECKING:
    from torch import Tensor

_RADII = tuple(2.0**-n for n in range(3, 11))
_CLASSES, _ABOVE = 5, 3  # classes, and layers between the probe and the logits
_ROUNDING = 1e-13  # singular values below this part of the largest are exact zeros
_REASON = (
    "expected Fisher, exact over labels; squared singular values of the factor, extrapolated to t = 0; one t^6 is "
    "1e-9 in the factor, far above its rounding"
)


def derive() -> Proof:
    p1, p2, p3, p4 = symbols("p_1:5", positive=True)
    v = sympy.Matrix(symbols("v_1:5", real=True))
    t = Symbol("t", positive=True)
    power, classes = symbols("p C", integer=True, positive=True)
    shares = sympy.Matrix([p1, p2, p3, p4])
    head = sympy.diag(*shares) - shares * shares.T
    last = 1 - p1 - p2 - p3
    mean = shares.dot(v)
    variance = sum(p * (x - mean) ** 2 for p, x in zip(shares, v, strict=True))
    ones = sympy.ones(4, 1)
    # live product of the layers above: here the identity; dead entry t^p
    chain = sympy.diag(1, 1, 1, t**power)
    null = sympy.Matrix([t**power, t**power, t**power, 1])
    # the dead axis and its centred part, and the head at the uniform law
    axis = sympy.Matrix([0, 0, 0, 1])
    centred = axis - ones / 4
    uniform = head.subs(dict.fromkeys(shares, sympy.Rational(1, 4)))
    # the product of the positive eigenvalues: the sum of the 3 × 3 principal minors, x = t^p in m of 4 channels
    x = Symbol("x", positive=True)

    def positive_part(dead: int) -> Expr:
        scale = sympy.diag(*[1] * (4 - dead), *[x] * dead)
        gram = scale * head * scale
        return sympy.Add(*[gram.minor(i, i) for i in range(4)]).subs(p4, last)

    def claimed_part(dead: int, kept: int) -> Expr:
        powers = dead * x ** (2 * kept) + (4 - dead) * x ** (2 * kept + 2)
        return (p1 * p2 * p3 * p4).subs(p4, last) * powers

    # two dead channels: their difference sees both probabilities
    two = sympy.diag(1, 1, t**power, t**power)
    difference = sympy.Matrix([0, 0, 1, -1])
    # a 0/1 gate that is open with probability q, and a squared gradient that is D_1 or D_2 with probabilities r, 1 − r
    q, r, first, second = symbols("q r D_1 D_2", positive=True)
    states = [(gate, square) for gate in (0, 1) for square in (first, second)]
    chances = {0: 1 - q, 1: q, first: r, second: 1 - r}
    gated = sum(gate * square * chances[gate] * chances[square] for gate, square in states)
    return older_proof(
        steps=(
            Prose("The Fisher of the logits is a variance.", r"v^\top H v = \mathrm{Var}_p(v), \qquad H \mathbf 1 = 0"),
            Prose(
                "H does not see constants, so its dead entry is the form at the centred axis u = e_h − 1/C, of squared "
                "length 1 − 1/C: if H ≥ c₀ off the constants it is at least c₀(1 − 1/C). At p = 1/C, H u = u/C, and "
                "this is an equality.",
                r"H_{hh} \ge c_0 (1 - \tfrac1C), \qquad G_{l,hh} \ge c_0 (1 - \tfrac1C)\, t^{2(L-l)}",
            ),
            Prose(
                "The kernel is pulled back through the layers above: an exact zero at every t, which turns to the "
                "dead axis.",
                r"G_l\, (t^p, \dots, t^p, 1)^\top = 0, \qquad p = L - l",
            ),
            Prose(
                "With m dead channels m − 1 differences are left, of rate 2(L − l): the product of the positive "
                "eigenvalues has rate 2p(m − 1), and those of live channels do not decay.",
                r"\prod \lambda^+ = \Big(\prod_i p_i\Big) \left(m\, t^{2p(m-1)} + (C - m)\, t^{2pm}\right), \qquad "
                r"(e_h - e_{h'})^\top G_l\, (e_h - e_{h'}) = t^{2p}\, \mathrm{Var}_p(e_h - e_{h'})",
            ),
        ),
        residuals={
            "variance": sympy.expand(((v.T * head * v)[0] - variance).subs(p4, last)),
            "kernel of H": sympy.simplify((head * ones).subs(p4, last).norm()),
            "dead entry of H is its form at the centred axis": (
                (axis.T * head * axis)[0] - (centred.T * head * centred)[0]
            ).subs(p4, last),
            "squared length of the centred axis, C = 4": centred.dot(centred) - sympy.Rational(3, 4),
            **entrywise("uniform law: H u = u/C", uniform * centred, centred / 4),
            "uniform law: dead entry is c₀(1 − 1/C)": uniform[3, 3] - sympy.Rational(1, 4) * sympy.Rational(3, 4),
            "dead entry of G": (chain * head * chain)[3, 3] - t ** (2 * power) * head[3, 3],
            **{
                f"{dead} dead of 4: product of the positive eigenvalues": positive_part(dead)
                - claimed_part(dead, dead - 1)
                for dead in (1, 2, 3)
            },
            "squared length of the centred axis": (1 - 1 / classes) ** 2
            + (classes - 1) / classes**2
            - (1 - 1 / classes),
            "kernel of G": sympy.simplify((chain * head * chain * null).subs(p4, last).norm()),
            "two dead channels": sympy.simplify(
                (difference.T * two * head * two * difference)[0] - t ** (2 * power) * (p3 + p4 - (p3 - p4) ** 2)
            ),
            "independent gate: E g d² = q E d²": sympy.expand(gated - q * (r * first + (1 - r) * second)),
        },
        controls={
            "2 dead of 4: all keep the rate": positive_part(2) - claimed_part(2, 2),
            "uniform law: dead entry is c₀": uniform[3, 3] - sympy.Rational(1, 4),
            "squared error: no kernel": (chain * chain * null).dot(ones),
            "the dead axis itself is the kernel": (chain * head * chain * sympy.Matrix([0, 0, 0, 1]))[3].subs(
                {p4: sympy.Rational(1, 4)}
            ),
        },
    )


def _factor(
    t: float, dead: int, *, head: str = "softmax", unembed: int = 0, masked: bool = False, size: float = 1.0
) -> Tensor:
    """M with MᵀM = G_l, the expected Fisher of the pre-activations below three linear layers of width 5.

    With `unembed` the layers feed a fixed linear map to that many classes; `size` scales the inputs.
    """
    import torch

    generator = torch.Generator().manual_seed(10 + dead)
    alive = _CLASSES - dead

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    layers = [torch.nn.Linear(_CLASSES, _CLASSES, bias=False, dtype=torch.float64) for _ in range(_ABOVE)]
    for layer in layers:
        weight = torch.zeros(_CLASSES, _CLASSES, dtype=torch.float64)
        weight[:alive, :alive] = torch.linalg.qr(draw(alive, alive))[0]
        weight[alive:, alive:] = t * torch.eye(dead, dtype=torch.float64)
        layer.weight = torch.nn.Parameter(weight, requires_grad=False)
    network = torch.nn.Sequential(*layers)
    if unembed:
        last = torch.nn.Linear(_CLASSES, unembed, bias=False, dtype=torch.float64)
        last.weight = torch.nn.Parameter(draw(unembed, _CLASSES), requires_grad=False)
        network.append(last)
    inputs = size * draw(40, _CLASSES)
    logits = network(inputs)
    if masked:
        logits[:, 0] = -torch.inf
    jacobian = network(torch.eye(_CLASSES, dtype=torch.float64)).mT
    if head == "square":
        return jacobian
    probabilities = torch.softmax(logits, 1)
    # H = FᵀF with F = diag(√p)(I − 1pᵀ)
    centred = jacobian[None] - (probabilities @ jacobian)[:, None]
    return (probabilities.sqrt()[..., None] * centred).flatten(0, 1) / inputs.shape[0] ** 0.5


def _spectrum(t: float, dead: int, **options: object) -> tuple[list[float], int]:
    """Eigenvalues of G_l from small to large, without exact zeros, and how many of those there were."""
    import torch

    singular = torch.linalg.svdvals(_factor(t, dead, **options)).flip(0)  # type: ignore[arg-type]
    zeros = int((singular < _ROUNDING * singular[-1]).sum())
    return [float(value) ** 2 for value in singular[zeros:]], zeros


def _rates(label: str, predicted: tuple[int, ...], zeros: int, dead: int, **options: object) -> list[Check]:
    """The rates of all positive eigenvalues, from small to large, and the number of exact zeros."""
    spectra = [_spectrum(t, dead, **options) for t in _RADII]
    counts = {count for _, count in spectra}
    checks: list[Check] = []
    for number, expected in enumerate(predicted):
        values = [spectrum[number] for spectrum, _ in spectra]
        checks.append(
            Comparison(
                f"{label}: rate of positive eigenvalue {number + 1}",
                expected,
                rate(_RADII, values),
                (2 * _ABOVE if expected == 0 else 0, expected + 2, expected + 1),
                0.2,
                _REASON,
                "rate of an eigenvalue",
            )
        )
    return [
        *checks,
        Observation(
            f"{label}: exact zeros at every radius",
            str(zeros),
            ", ".join(map(str, sorted(counts))),
            "singular values below 1e-13 of the largest; the first zero is the pull-back of the shift of all logits",
        ),
    ]


def measure() -> Experiment:
    import torch

    checks: list[Check] = []
    curves: list[Curve] = []
    for dead in (1, 2, 3):
        entries = [_factor(t, dead)[:, -1].square().sum().item() for t in _RADII]
        at_zero = limit(_RADII, [entry / t ** (2 * _ABOVE) for entry, t in zip(entries, _RADII, strict=True)], 1e-9)
        checks.append(
            Comparison(
                f"m = {dead}: rate of the dead diagonal entry",
                2 * _ABOVE,
                rate(_RADII, entries),
                (0, 2 * _ABOVE - 2, 2 * _ABOVE + 2, _ABOVE),
                0.1,
                _REASON,
                "rate of a second moment",
            )
        )
        head = _mean_head(dead)
        least = float(torch.linalg.eigvalsh(head)[1])
        checks += [
            Comparison(
                f"m = {dead}: coefficient of the dead diagonal entry",
                float(head[-1, -1]),
                at_zero,
                (0, 1, least * (1 - 1 / _CLASSES)),
                1e-3 * float(head[-1, -1]),
                _REASON + "; predicted as E p_h(1 − p_h) at t = 0; a rival is the lower bound c₀(1 − 1/C)",
                "coefficient of a second moment",
            ),
            Observation(
                f"m = {dead}: is the coefficient {at_zero.estimate:.4f} at least c₀(1 − 1/C) = "
                f"{least * (1 - 1 / _CLASSES):.4f}?",
                "yes",
                "yes" if at_zero.lower >= least * (1 - 1 / _CLASSES) else "no",
                f"c₀ = {least:.4f} is the second eigenvalue of E H",
            ),
            _sharp(dead),
        ]
        slow = (2 * _ABOVE,) * (dead - 1)
        checks += _rates(f"m = {dead}", (*slow, *(0,) * (_CLASSES - dead)), 1, dead)
        curves.append(Curve(f"dead diagonal, m = {dead}", _RADII, tuple(entries), 2.0 * _ABOVE))
    below = tuple(_spectrum(t, 2)[0][0] for t in _RADII)
    curves.append(Curve("smallest positive eigenvalue, m = 2", _RADII, below, 2.0 * _ABOVE))
    null = torch.linalg.svd(_factor(_RADII[-1], 1))[2][-1]
    checks.append(
        Comparison(
            "m = 1: overlap of the null vector with the dead axis at t = 2^−10",
            1,
            Interval.around(abs(float(null[-1])), 1e-12),
            (1 / _CLASSES**0.5, 0),
            1e-9,
            "1 − O(t^6)",
            "cosine",
        )
    )
    checks += _rates("m = 1, unembedding to 8 classes", (2 * _ABOVE, *(0,) * (_CLASSES - 1)), 0, 1, unembed=8)
    return older_experiment(
        "Three linear torch layers of width 5 above the probe, live parts orthogonal, and softmax over 5 classes; "
        "also with a random unembedding to 8 classes, whose range does not hold the constant, so that nothing is "
        "absorbed.",
        tuple(checks),
        tuple(curves),
    )


def _sharp(dead: int) -> Comparison:
    """The bound where it is nearly attained: inputs of size 1/20, so that all laws are nearly uniform."""
    import torch

    size, radius = 0.05, _RADII[-1]
    entry = _factor(radius, dead, size=size)[:, -1].square().sum().item() / radius ** (2 * _ABOVE)
    least = float(torch.linalg.eigvalsh(_mean_head(dead, size))[1])
    return bound_check(
        f"m = {dead}, inputs of size {size}: c₀(1 − 1/C) over the coefficient of the dead entry",
        least * (1 - 1 / _CLASSES) / entry,
        error=1e-4,
        reason="t^6 truncation; at the uniform law the bound is an equality",
    )


def _mean_head(dead: int, size: float = 1.0) -> Tensor:
    """E[diag p − ppᵀ] at t = 0, from the factor below no dead weight at all; `size` scales the inputs."""
    import torch

    generator = torch.Generator().manual_seed(10 + dead)
    alive = _CLASSES - dead
    product = torch.eye(alive, dtype=torch.float64)
    for _ in range(_ABOVE):
        raw = torch.randn(alive, alive, generator=generator, dtype=torch.float64)
        product = torch.linalg.qr(raw)[0] @ product
    inputs = size * torch.randn(40, _CLASSES, generator=generator, dtype=torch.float64)
    logits = torch.zeros(40, _CLASSES, dtype=torch.float64)
    logits[:, :alive] = inputs[:, :alive] @ product.mT
    probabilities = torch.softmax(logits, 1)
    return (torch.diag_embed(probabilities) - probabilities[:, :, None] * probabilities[:, None, :]).mean(0)


def control() -> Experiment:
    squares = [_spectrum(t, 1, head="square") for t in _RADII]
    return older_experiment(
        "A squared-error head has no kernel, and its smallest eigenvalue has the dead rate. A class of probability "
        "zero adds a second zero.",
        (
            Comparison(
                "squared error, m = 1: rate of the smallest eigenvalue",
                2 * _ABOVE,
                rate(_RADII, [spectrum[0] for spectrum, _ in squares]),
                (0,),
                0.1,
                _REASON,
                "rate of an eigenvalue",
            ),
            Observation(
                "squared error, m = 1: exact zeros", "0", str(squares[0][1]), "no shift of the outputs is free"
            ),
            *_rates("one class masked, m = 2", (2 * _ABOVE, 0, 0), 2, 2, masked=True),
        ),
    )


def counterexample() -> Experiment:
    return older_experiment(
        "One dead channel under softmax: the exact zero takes the dead eigenvalue with it. The smallest positive "
        "eigenvalue does not decay, and nothing in the spectrum shows the rate.",
        tuple(_rates("m = 1", (0, 0, 0, 0), 1, 1)),
        (Curve("smallest positive eigenvalue, m = 1", _RADII, tuple(_spectrum(t, 1)[0][0] for t in _RADII), 0.0),),
    )


CLAIM = Claim(
    id="thm:bridge_ce",
    title="Cross-entropy head: the dead gradient keeps rate 2(L − l)",
    clauses=older_statement(
        r"$H = \mathrm{diag}(p) - p p^\top$ has $v^\top H v = \mathrm{Var}_p(v)$ and kernel $\mathbf 1$. If "
        r"$E H \ge c_0$ off the constants, the dead diagonal entry of $G_l$ is at least "
        r"$c_0 (1 - 1/C)\, t^{2(L-l)}$. Where the constant lies in the range of the layers above, $G_l$ has an exact "
        r"kernel that tends to the dead axis, and of $m$ dead channels $m - 1$ eigenvalues keep the rate. Not covered "
        r"here: the gated chain with a constant $q$ for gates that depend on the gradient."
    ),
    source=cite("shirodkar2026dead", "thm:bridge_ce"),
    hypotheses=(
        "All classes have positive probability.",
        "Labels are drawn from the model (expected Fisher).",
        "The layers above are as wide as there are classes, or their unembedding has the constant in its range.",
    ),
    expected=Verdict.NARROWER,
    derive=derive,
    measure=measure,
    control=control,
    counterexample=counterexample,
    titled="that the spectrum of G_l shows the dead direction under cross-entropy: with one dead channel it does not",
    doubts=(
        "D2: “one dead eigenvalue fewer” means none for a single dead channel; the diagonal entry shows the rate, the "
        "smallest positive eigenvalue reads 0. With an unembedding to more classes than channels the constant is out "
        "of range: then nothing is absorbed, and the smallest eigenvalue has the dead rate again."
    ),
)
