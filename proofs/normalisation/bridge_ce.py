"""thm:bridge_ce: under a cross-entropy head the dead diagonal keeps its rate, and one dead eigenvalue is absorbed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import limit, rate
from ddtheory.workbench.inequality import bound_check
from ddtheory.workbench.ladder import count_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

_RADII = tuple(2.0**-n for n in range(3, 11))
_CLASSES, _ABOVE = 5, 3  # classes, and layers between the probe and the logits
_ROUNDING = 1e-13  # singular values below this part of the largest are exact zeros
_REASON = (
    "expected Fisher, exact over labels; squared singular values of the factor, extrapolated to t = 0; one t^6 is "
    "1e-9 in the factor, far above its rounding"
)


def dead_rate(above: Expr | int) -> Expr:
    """The rate of the dead entry below so many layers: 2(L − l)."""
    return 2 * above


def lower_bound(least: Expr | int, classes: Expr | int) -> Expr:
    """The bound of the statement on the dead entry of E H: c₀ (1 − 1/C)."""
    return least * (1 - sympy.Integer(1) / classes)


def left_over(dead: Expr | int) -> Expr:
    """How many eigenvalues keep the rate: m − 1."""
    return dead - 1


_RATE = dead_rate(Symbol("L") - Symbol("l"))


CLAIM = Claim(
    id="thm:bridge_ce",
    title="Cross-entropy head: the dead gradient keeps rate 2(L − l)",
    holds="Cross-entropy head: the dead diagonal keeps rate 2(L − l), and the spectrum has one dead eigenvalue fewer",
    given=(
        r"Let $H = \mathrm{diag}(p) - p p^\top$ be the Fisher of the logits of $C$ classes, and $G_l$ that of layer "
        "$l$ of a linear chain with $m$ dead channels of weight $t$ above it."
    ),
    clauses={
        "kernel": r"$v^\top H v = \mathrm{Var}_p(v)$, and $H \mathbf 1 = 0$.",
        "diagonal": (
            r"If $E H \ge c_0$ off the constants, the dead diagonal entry of $G_l$ is "
            f"${printed(Symbol('t') ** _RATE)}$ times that of $E H$, which is at least "
            f"${printed(lower_bound(*symbols('c_0 C')))}$."
        ),
        "absorbed": (
            "Where the constant lies in the range of the layers above, $G_l$ has an exact kernel that tends to the "
            "dead axis."
        ),
        "left over": (
            f"Of $m$ dead channels ${printed(left_over(Symbol('m')))}$ eigenvalues have rate ${printed(_RATE)}$, and "
            "those of live "
            "channels rate $0$."
        ),
    },
    source=cite("shirodkar2026dead", "thm:bridge_ce"),
    hypotheses=(
        "All classes have positive probability.",
        "Labels are drawn from the model (expected Fisher).",
        "The layers above are as wide as there are classes, or their unembedding has the constant in its range.",
    ),
    expected=Verdict.NARROWER,
    titled="that the spectrum of G_l shows the dead direction under cross-entropy: with one dead channel it does not",
    uncovered=(
        "The gated chain with a constant q for gates that depend on the gradient; for independent gates q is a factor."
    ),
    doubts=(
        "D2: “one dead eigenvalue fewer” means none for a single dead channel; the diagonal entry shows the rate, the "
        "smallest positive eigenvalue reads 0. With an unembedding to more classes than channels the constant is out "
        "of range: then nothing is absorbed, and the smallest eigenvalue has the dead rate again."
    ),
)


def derive() -> Proof:
    p1, p2, p3 = symbols("p_1:4", positive=True)
    last = 1 - p1 - p2 - p3
    v = sympy.Matrix(symbols("v_1:5", real=True))
    t, x = symbols("t x", positive=True)
    power, classes = symbols("p C", integer=True, positive=True)
    shares = sympy.Matrix([p1, p2, p3, last])
    head = sympy.diag(*shares) - shares * shares.T
    mean = shares.dot(v)
    variance = sympy.Add(*[p * (a - mean) ** 2 for p, a in zip(shares, v, strict=True)])
    ones, zeros = sympy.ones(4, 1), sympy.zeros(4, 1)
    # live product of the layers above: here the identity; dead entry t^p
    chain = sympy.diag(1, 1, 1, t**power)
    pulled_back = chain * head * chain
    null = sympy.Matrix([t**power, t**power, t**power, 1])
    # the dead axis and its centred part, and the head at the uniform law
    axis = sympy.Matrix([0, 0, 0, 1])
    centred = axis - ones / 4
    uniform = head.subs(dict.fromkeys((p1, p2, p3), sympy.Rational(1, 4)))

    def positive_part(dead: int) -> Expr:
        """The product of the positive eigenvalues: the sum of the 3 × 3 principal minors, x = t^p in `dead` of 4."""
        scale = sympy.diag(*[1] * (4 - dead), *[x] * dead)
        gram = scale * head * scale
        return sympy.Add(*[gram.minor(i, i) for i in range(4)])

    def claimed_part(dead: int, kept: int) -> Expr:
        powers = dead * x ** (2 * kept) + (4 - dead) * x ** (2 * kept + 2)
        return p1 * p2 * p3 * last * powers

    # two dead channels: their difference sees both probabilities
    two = sympy.diag(1, 1, t**power, t**power)
    difference = sympy.Matrix([0, 0, 1, -1])
    # a 0/1 gate that is open with probability q, and a squared gradient that is D_1 or D_2 with probabilities r, 1 − r
    q, r, first, second = symbols("q r D_1 D_2", positive=True)
    states = [(gate, square) for gate in (0, 1) for square in (first, second)]
    chances = {0: 1 - q, 1: q, first: r, second: 1 - r}
    gated = sympy.Add(*[gate * square * chances[gate] * chances[square] for gate, square in states])
    square = r * first + (1 - r) * second
    return Proof(
        "Symbolic in p, t and the number of layers above; C = 4 classes, live product the identity; the length of "
        "the centred axis for any C.",
        (
            Equation(
                "kernel",
                "the form of H",
                (v.T * head * v)[0],
                variance,
                {"second moment, not centred": sympy.Add(*[p * a**2 for p, a in zip(shares, v, strict=True)])},
            ),
            Equation(
                "kernel",
                "H on the constants",
                head * ones,
                zeros,
                {"without ppᵀ": (sympy.diag(*shares) * ones, zeros), "on the dead axis": (head * axis, zeros)},
            ),
            Equation(
                "diagonal",
                "dead entry of G",
                pulled_back[3, 3],
                t ** dead_rate(power) * head[3, 3],
                {"rate p for 2p": t**power * head[3, 3], "rate 0": head[3, 3]},
            ),
            Equation(
                "diagonal",
                "H does not see constants: its dead entry is its form at the centred axis u = e_h − 1/C",
                head[3, 3],
                (centred.T * head * centred)[0],
                {"squared error": (sympy.eye(4)[3, 3], (centred.T * centred)[0])},
            ),
            Equation(
                "diagonal",
                "squared length of the centred axis, any C: one entry 1 − 1/C and C − 1 entries −1/C",
                (1 - 1 / classes) ** 2 + (classes - 1) * (-1 / classes) ** 2,
                lower_bound(1, classes),
                {"one": sympy.Integer(1), "1 − 2/C": 1 - 2 / classes},
            ),
            Prose("So H ≥ c₀ off the constants gives c₀ (1 − 1/C). At p = 1/C it is an equality:"),
            Equation(
                "diagonal",
                "uniform law: H u = u/C",
                uniform * centred,
                centred / 4,
                {"H e_h = e_h/C": (uniform * axis, axis / 4)},
            ),
            Equation(
                "diagonal",
                "uniform law: dead entry is c₀(1 − 1/C)",
                t * uniform[3, 3],
                t * lower_bound(sympy.Rational(1, 4), 4),
                {"c₀": t * sympy.Rational(1, 4)},
            ),
            Equation(
                "absorbed",
                "the kernel pulled back through the layers above: G (t^p, …, t^p, 1)",
                pulled_back * null,
                zeros,
                {
                    "squared error": (chain * chain * null, zeros),
                    "the dead axis itself": (pulled_back * axis, zeros),
                    "powers the wrong way round": (pulled_back * sympy.Matrix([1, 1, 1, t**power]), zeros),
                },
            ),
            *(
                Equation(
                    "left over",
                    f"{dead} dead of 4, x = t^p: product of the positive eigenvalues",
                    positive_part(dead),
                    claimed_part(dead, left_over(dead)),
                    {"all keep the rate": claimed_part(dead, dead)},
                )
                for dead in (1, 2, 3)
            ),
            Equation(
                "left over",
                "two dead channels: the form of G at their difference",
                (difference.T * two * head * two * difference)[0],
                t ** dead_rate(power) * (p3 + last - (p3 - last) ** 2),
                {"independent": t ** (2 * power) * (p3 + last)},
            ),
            Equation(
                "diagonal",
                "an independent gate that is open with probability q: E g d² = q E d²",
                gated,
                q * square,
                {"q² for q": q**2 * square},
            ),
        ),
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


def _rates(label: str, predicted: tuple[int, ...], dead: int, **options: object) -> list[Check]:
    """The rates of all positive eigenvalues, from small to large."""
    spectra = [_spectrum(t, dead, **options) for t in _RADII]
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
    return checks


def _zeros(label: str, predicted: int, dead: int, **options: object) -> list[Check]:
    """The number of exact zeros at the largest and at the smallest radius."""
    return [
        count_check(
            f"{label}, t = {t:.3g}: exact zeros",
            predicted,
            _spectrum(t, dead, **options)[1],
            rivals=tuple({0, 1, 2, 3} - {predicted}),
            reason=(
                "singular values below 1e-13 of the largest; the first zero is the pull-back of the shift of all logits"
            ),
        )
        for t in (_RADII[0], _RADII[-1])
    ]


def measure() -> Experiment:
    import torch

    diagonal: list[Check] = []
    absorbed: list[Check] = []
    left: list[Check] = []
    curves: list[Curve] = []
    for dead in (1, 2, 3):
        entries = [_factor(t, dead)[:, -1].square().sum().item() for t in _RADII]
        at_zero = limit(_RADII, [entry / t ** (2 * _ABOVE) for entry, t in zip(entries, _RADII, strict=True)], 1e-9)
        diagonal.append(
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
        diagonal += [
            Comparison(
                f"m = {dead}: coefficient of the dead diagonal entry",
                float(head[-1, -1]),
                at_zero,
                (0, 1, least * (1 - 1 / _CLASSES)),
                1e-3 * float(head[-1, -1]),
                _REASON + "; predicted as E p_h(1 − p_h) at t = 0; a rival is the lower bound c₀(1 − 1/C)",
                "coefficient of a second moment",
            ),
            _sharp(dead),
        ]
        slow = (dead_rate(_ABOVE),) * left_over(dead)
        left += _rates(f"m = {dead}", (*slow, *(0,) * (_CLASSES - dead)), dead)
        absorbed += _zeros(f"m = {dead}", 1, dead)
        curves.append(Curve(f"dead diagonal, m = {dead}", _RADII, tuple(entries), 2.0 * _ABOVE))
    below = tuple(_spectrum(t, 2)[0][0] for t in _RADII)
    curves.append(Curve("smallest positive eigenvalue, m = 2", _RADII, below, 2.0 * _ABOVE))
    null = torch.linalg.svd(_factor(_RADII[-1], 1))[2][-1]
    absorbed.append(
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
    return Experiment(
        "Three linear torch layers of width 5 above the probe, live parts orthogonal, and softmax over 5 classes; 40 "
        "Gaussian inputs, labels from the model.",
        {"kernel": _forms(), "diagonal": diagonal, "absorbed": absorbed, "left over": left},
        tuple(curves),
    )


def _forms() -> list[Check]:
    """The Hessian of torch's cross-entropy, whatever the label, as a form and on the constants."""
    import torch

    generator = torch.Generator().manual_seed(3)
    logits, v = torch.randn(2, _CLASSES, generator=generator, dtype=torch.float64)

    def loss(moved: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(moved[None], torch.tensor([1]))

    hessian = torch.func.hessian(loss)(logits)
    p = torch.softmax(logits, 0)
    mean = float(p @ v)
    second = float(p @ v.square())
    return [
        value_check(
            "Hessian of the cross-entropy at random logits: form at a random v",
            sum(float(a) * (float(b) - mean) ** 2 for a, b in zip(p, v, strict=True)),
            float(v @ hessian @ v),
            rivals=(second, mean**2),
            reason="rounding; the rivals are the second moment and the squared mean",
            quantity="variance",
        ),
        Comparison(
            "Hessian of the cross-entropy on the constants: largest entry",
            0,
            Interval.around(float((hessian @ torch.ones(_CLASSES, dtype=torch.float64)).abs().max()), 1e-15),
            (float(hessian.abs().max()),),
            1e-13,
            "rounding; the rival is the largest entry of the Hessian",
            "entry",
        ),
    ]


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
    import torch

    squares = [_spectrum(t, 1, head="square") for t in _RADII]
    entries = [_factor(t, 1, head="square")[:, -1].square().sum().item() / t ** (2 * _ABOVE) for t in _RADII]
    wide = {"unembed": 8}
    generator = torch.Generator().manual_seed(3)
    logits, v = torch.randn(2, _CLASSES, generator=generator, dtype=torch.float64)
    square = torch.func.hessian(lambda moved: (moved - logits).square().sum() / 2)(logits)
    p = torch.softmax(logits, 0)
    return Experiment(
        "A squared-error head has no kernel, its smallest eigenvalue has the dead rate, and its dead entry the "
        "coefficient 1. A class of probability zero adds a second zero. A random unembedding to 8 classes, whose "
        "range does not hold the constant: nothing is absorbed.",
        {
            "kernel": (
                value_check(
                    "squared error: form of the Hessian at a random v",
                    float(v.square().sum()),
                    float(v @ square @ v),
                    rivals=(float(p @ v.square() - (p @ v) ** 2),),
                    reason="rounding; the rival is the variance",
                    quantity="form",
                ),
                value_check(
                    "squared error: form of the Hessian on the constants",
                    _CLASSES,
                    float(square.sum()),
                    rivals=(0,),
                    reason="rounding; the rival is that of a kernel",
                    quantity="form",
                ),
            ),
            "left over": (
                Comparison(
                    "squared error, m = 1: rate of the smallest eigenvalue",
                    2 * _ABOVE,
                    rate(_RADII, [spectrum[0] for spectrum, _ in squares]),
                    (0,),
                    0.1,
                    _REASON,
                    "rate of an eigenvalue",
                ),
                *_rates("m = 1, unembedding to 8 classes", (2 * _ABOVE, *(0,) * (_CLASSES - 1)), 1, **wide),
                *_rates("one class masked, m = 2", (2 * _ABOVE, 0, 0), 2, masked=True),
            ),
            "absorbed": (
                *_zeros("squared error, m = 1", 0, 1, head="square"),
                *_zeros("m = 1, unembedding to 8 classes", 0, 1, **wide),
                *_zeros("one class masked, m = 2", 2, 2, masked=True),
            ),
            "diagonal": (
                Comparison(
                    "squared error, m = 1: coefficient of the dead entry",
                    1,
                    limit(_RADII, entries, 1e-9),
                    (float(_mean_head(1)[-1, -1]),),
                    1e-3,
                    _REASON + "; the rival is the coefficient under cross-entropy",
                    "coefficient of a second moment",
                ),
            ),
        },
    )


def counterexample() -> Experiment:
    return Experiment(
        "One dead channel under softmax: the exact zero takes the dead eigenvalue with it. The smallest positive "
        "eigenvalue does not decay, and nothing in the spectrum shows the rate.",
        {TITLE: _rates("m = 1", (0, 0, 0, 0), 1)},
        (Curve("smallest positive eigenvalue, m = 1", _RADII, tuple(_spectrum(t, 1)[0][0] for t in _RADII), 0.0),),
    )
