"""cond:linear_group: DDCMuon commutes with the linear group of each head, which rotary positions make smaller."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import sympy
from sympy import symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.ladder import gap_check, value_check

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from ddtheory.gauges import Gauge

    Make = Callable[[nn.Module], torch.optim.Optimizer]

a, b, c = symbols("a b c", real=True)  # of the polynomial of the orthogonaliser

_STEPS, _RATE = 15, 0.02
_WIDTH, _HEADS, _TOKENS = 8, 2, 5
_SAME = 1e-10  # rounding of fifteen steps, from starts that are moved by matrices of condition up to 16
_POLYNOMIAL = (3.4445, -4.7750, 2.0315)


CLAIM = Claim(
    id="cond:linear_group",
    title="DDCMuon and the linear group of the heads of an attention",
    given=(
        r"Let a loss see $W_Q, W_K$ of a head through $W_Q^\top W_K$ alone. One step is "
        r"$W \leftarrow \delta W - \eta s\, L\, O(L M)$, $L = (W W^\top)^{1/2}$, $M \leftarrow \beta M + G$, $O$ "
        r"rounds of $X \leftarrow aX + (b\,XX^\top + c\,(XX^\top)^2) X$ from $X/\|X\|$."
    ),
    clauses={
        "gradients": r"Under $(W_Q, W_K) \mapsto (A W_Q, A^{-\top} W_K)$ they become $A^{-\top} G_Q$ and $A\,G_K$.",
        "metric": r"$L$ becomes $A L U$ with $U$ orthogonal, for every invertible $A$.",
        "step": r"$O(U^\top X) = U^\top O(X)$, so the step becomes $A$ times the step; the momentum stays as it is.",
        "rotary": (
            r"With rotary positions a loss sees $W_Q^\top R_\theta W_K$ for several angles: of $A$ there remain those "
            r"that commute with $R_\theta$, a rotation and one scale for each plane."
        ),
    },
    source=cite("shirodkar2026conditioners", "Muon as the base for rotations", verified=False),
    hypotheses=("The rows of the head are independent, so that $L$ has an inverse.", "Exact arithmetic."),
    expected=Verdict.CONFIRMED,
    doubts=(
        "The metric and the order of the factors are ours, built from the law of transformation; the paper's are not "
        "public. DDCAdam, which works entry by entry, does not commute with rotations."
    ),
)


def derive() -> Proof:
    a_matrix = sympy.Matrix(2, 2, symbols("A_1:5", positive=True))
    inverse = a_matrix.inv()
    queries = sympy.Matrix(2, 2, symbols("q_1:5", real=True))
    keys = sympy.Matrix(2, 2, symbols("k_1:5", real=True))
    pulled = sympy.Matrix(2, 2, symbols("s_1:5", real=True))  # of the loss by W_Qᵀ W_K

    def gradients(q: sympy.Matrix, k: sympy.Matrix) -> sympy.Matrix:
        """By W_Q, above that by W_K, of tr(Pᵀ W_Qᵀ W_K) at constant P."""
        score = (pulled.T * q.T * k).trace()
        names = sympy.Matrix(2, 2, symbols("x_1:5")), sympy.Matrix(2, 2, symbols("y_1:5"))
        general = (pulled.T * names[0].T * names[1]).trace()
        at = dict(zip([*names[0], *names[1]], [*q, *k], strict=True))
        assert sympy.expand(general.subs(at, simultaneous=True) - score) == 0
        by = [sympy.Matrix(2, 2, [sympy.diff(general, x) for x in name]).subs(at, simultaneous=True) for name in names]
        return by[0].col_join(by[1])

    here, there = gradients(queries, keys), gradients(a_matrix * queries, inverse.T * keys)

    # polar decomposition of the weights: W = L V, L symmetric and V a rotation given by the tangent of half its angle
    metric = sympy.Matrix([[2, 1], [1, 3]])
    tangent = symbols("t", real=True)
    turn = sympy.Matrix([[1 - tangent**2, -2 * tangent], [2 * tangent, 1 - tangent**2]]) / (1 + tangent**2)
    fixed = turn.subs(tangent, sympy.Rational(1, 3))
    weights = metric * turn

    def spread(square: sympy.Matrix, factor: sympy.Matrix) -> sympy.Matrix:
        """U Uᵀ of U = factor⁻¹ L', from the square of L'."""
        return factor.inv() * square * factor.inv().T

    moved = a_matrix * weights
    numbers = sympy.Matrix([[2, 1], [sympy.Rational(1, 2), 3]])  # an A
    momentum = sympy.Matrix([[1, -2], [sympy.Rational(1, 3), 1]])

    def polar(x: sympy.Matrix) -> sympy.Matrix:
        square = x * x.T
        return a * x + (b * square + c * square * square) * x

    def step(left: sympy.Matrix, x: sympy.Matrix) -> sympy.Matrix:
        return left * polar(x)

    plain = sympy.Matrix([[2, 0], [0, 1]])
    p, q = symbols("p q", real=True)
    angle = symbols("theta", positive=True)
    rotary = sympy.Matrix([[sympy.cos(angle), -sympy.sin(angle)], [sympy.sin(angle), sympy.cos(angle)]])
    similar = sympy.Matrix([[p, -q], [q, p]])
    entries = sympy.Matrix(2, 2, symbols("A_1:5", positive=True))
    moves = entries * rotary - rotary * entries
    carried = turn.T * momentum
    return Proof(
        "Heads of two channels and two inputs, symbolic in A, weights and gradients; the polynomial symbolic in U; "
        "the step at matrices of numbers, symbolic in the polynomial.",
        (
            Equation(
                "gradients",
                "by W_Q, above that by W_K, of a loss of W_Qᵀ W_K",
                there,
                (inverse.T * here[:2, :]).col_join(a_matrix * here[2:, :]),
                {
                    "both by A": (a_matrix * here[:2, :]).col_join(a_matrix * here[2:, :]),
                    "A⁻¹ in the place of A⁻ᵀ": (inverse * here[:2, :]).col_join(a_matrix * here[2:, :]),
                },
            ),
            Prose("Momenta are sums of gradients, and A does not change with time."),
            Equation(
                "metric",
                "U Uᵀ of U = (A L)⁻¹ L', with L'² = A W Wᵀ Aᵀ",
                sympy.simplify(spread(moved * moved.T, a_matrix * metric)),
                sympy.eye(2),
                {
                    "W Wᵀ in the place of its root": sympy.simplify(
                        spread(moved * moved.T, a_matrix * metric * metric)
                    ),
                    "A left out": sympy.simplify(spread(moved * moved.T, metric)),
                },
            ),
            Equation(
                "step",
                "the polynomial at Uᵀ X, and the norm by which X is divided",
                polar(carried).col_join(sympy.Matrix([[(carried.T * carried).trace(), 0]])),
                (turn.T * polar(momentum)).col_join(sympy.Matrix([[(momentum.T * momentum).trace(), 0]])),
                {
                    "a scale in the place of a rotation": (
                        polar(plain * momentum).col_join(sympy.Matrix([[0, 0]])),
                        (plain * polar(momentum)).col_join(sympy.Matrix([[0, 0]])),
                    )
                },
            ),
            Equation(
                "step",
                "L' O(L' A⁻ᵀ M) with L' = A L U = Uᵀ L Aᵀ, against A L O(L M)",
                step(numbers * metric * fixed, fixed.T * metric * numbers.T * numbers.inv().T * momentum),
                numbers * step(metric, metric * momentum),
                {
                    "momentum that moves as weights do": (
                        step(numbers * metric * fixed, fixed.T * metric * numbers.T * numbers * momentum),
                        numbers * step(metric, metric * momentum),
                    ),
                    "L = 1": (polar(numbers.inv().T * momentum), numbers * polar(momentum)),
                },
            ),
            Equation(
                "rotary",
                "A R − R A for a rotation and a scale of the plane",
                similar * rotary,
                rotary * similar,
                {"two scales": (sympy.diag(p, q) * rotary, rotary * sympy.diag(p, q))},
            ),
            Equation(
                "rotary",
                "for any A it is sin θ times what vanishes for those alone",
                moves,
                sympy.sin(angle)
                * sympy.Matrix(
                    [
                        [entries[0, 1] + entries[1, 0], entries[1, 1] - entries[0, 0]],
                        [entries[1, 1] - entries[0, 0], -entries[0, 1] - entries[1, 0]],
                    ]
                ),
                {"for symmetric A": sympy.sin(angle) * sympy.Matrix([[0, 0], [0, 0]])},
            ),
        ),
    )


class _Attention:
    """Two heads on five tokens, with or without rotary positions, and the gauge of their queries and keys."""

    def __init__(self, rotary: bool) -> None:
        import torch
        from torch import nn

        from ddtheory.gauges import Gauge, Group, Leg

        class Heads(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.query, self.key, self.value, self.out = (nn.Linear(_WIDTH, _WIDTH, bias=False) for _ in range(4))

            def forward(self, x: Tensor) -> Tensor:
                q, k, v = (
                    each(x).unflatten(-1, (_HEADS, -1)).transpose(1, 2) for each in (self.query, self.key, self.value)
                )
                if rotary:
                    q, k = _turned(q), _turned(k)
                mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v)
                found: Tensor = self.out(mixed.transpose(1, 2).flatten(-2))
                return found

        generator = torch.Generator().manual_seed(3)

        def draw(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=generator, dtype=torch.float64)

        self.model = Heads().double()
        with torch.no_grad():
            for parameter in self.model.parameters():
                parameter.copy_(0.6 * draw(*parameter.shape))
        self.inputs = draw(3, _TOKENS, _WIDTH)
        self.targets = draw(3, _TOKENS, _WIDTH)
        legs = (Leg("query.weight"), Leg("key.weight", dual=True))
        self.gauge: Gauge = Gauge("query–key", Group.ROTATION, _WIDTH, legs, _HEADS)

    def moved(self, *, similar: bool) -> dict[str, Tensor]:
        """A W_Q and A⁻ᵀ W_K, by a drawn A for each head: of condition 16, or a rotation and a scale for each plane."""
        import torch

        generator = torch.Generator().manual_seed(4)
        size = _WIDTH // _HEADS
        found = []
        for _ in range(_HEADS):
            if similar:
                planes = torch.randn(size // 2, 2, generator=generator, dtype=torch.float64)
                matrix = torch.zeros(size, size, dtype=torch.float64)
                for first, (p, q) in enumerate(planes.tolist()):
                    second = first + size // 2  # the other channel of the plane
                    matrix[first, first] = matrix[second, second] = p
                    matrix[first, second], matrix[second, first] = -q, q
            else:
                normal = torch.randn(2, size, size, generator=generator, dtype=torch.float64)
                left, right = torch.linalg.qr(normal).Q
                matrix = left @ torch.diag(torch.logspace(-2, 2, size, base=2, dtype=torch.float64)) @ right
            found.append(matrix)
        whole: Tensor = torch.block_diag(*found)  # type: ignore[no-untyped-call]
        here = {name: value.detach() for name, value in self.model.named_parameters()}
        return {
            "query.weight": whole @ here["query.weight"],
            "key.weight": torch.linalg.inv(whole).mT @ here["key.weight"],
        }

    def gap(self, make: Make, steps: int = _STEPS, *, similar: bool = False) -> float:
        from ddtheory.workbench.measurements.orbits import function_gap

        return function_gap(
            self.model,
            self.moved(similar=similar),
            make,
            lambda model: model(self.inputs),
            lambda f: (f - self.targets).square().mean(),
            steps,
        )

    def muon(self, model: nn.Module) -> torch.optim.Optimizer:
        from ddtheory.optim import DDCMuon

        return DDCMuon(model, _RATE, weight_decay=0.1, gauges=[self.gauge])


def _turned(x: Tensor) -> Tensor:
    """Queries or keys with rotary positions: channels i and i + size/2 are a plane."""
    import torch

    half = x.shape[-1] // 2
    speeds = 0.5 ** torch.arange(half, dtype=x.dtype)
    angles = torch.arange(x.shape[-2], dtype=x.dtype)[:, None] * speeds
    first, second = x[..., :half], x[..., half:]
    return torch.cat([first * angles.cos() - second * angles.sin(), first * angles.sin() + second * angles.cos()], -1)


def _plain_muon(model: nn.Module) -> torch.optim.Optimizer:
    from ddtheory.optim import DDCMuon

    return DDCMuon(model, _RATE, weight_decay=0.1, gauges=[])


def _adam(model: nn.Module) -> torch.optim.Optimizer:
    import torch

    return torch.optim.Adam(model.parameters(), _RATE)


def measure() -> Experiment:
    plain, rotary = _Attention(False), _Attention(True)
    rival = plain.gap(_plain_muon)
    return Experiment(
        f"Attention of {_HEADS} heads of {_WIDTH // _HEADS} channels on {_TOKENS} tokens, float64, DDCMuon at η = "
        f"{_RATE:g}, decay 0.1, {_STEPS} steps; A of each head is drawn, of condition 16.",
        {
            "gradients": _gradients(plain),
            "metric": [_metric()],
            "step": [
                _same(f"no positions: functions after {_STEPS} steps", plain.gap(plain.muon), rival),
                _one_by_one(),
            ],
            "rotary": [
                _same("rotary, A of rotations and scales of planes: functions at the start",
                      rotary.gap(rotary.muon, 0, similar=True), rotary.gap(rotary.muon, 0)),
                _same(f"the same: functions after {_STEPS} steps", rotary.gap(rotary.muon, similar=True),
                      rotary.gap(_plain_muon, similar=True)),
            ],
        },
    )  # fmt: skip


def _same(label: str, found: float, rival: float) -> Comparison:
    return Comparison(
        label,
        0,
        Interval.around(found, _SAME),
        (rival,),
        2.01 * _SAME,
        "rounding, relative to the largest output; the rival is the gap without the metric, or for any A at the start",
        "gap of functions",
    )


def _of_queries(case: _Attention, decay: float = 0.0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A⁻ᵀ g, the gradient at the moved start, A g, and g, the gradient by W_Q; with decay · |W_Q|²/2 in the loss."""
    import copy

    import torch

    def gradient(weights: dict[str, Tensor]) -> Tensor:
        model = copy.deepcopy(case.model)
        with torch.no_grad():
            for name, value in weights.items():
                model.get_parameter(name).copy_(value)
        query = model.get_parameter("query.weight")
        with torch.enable_grad():
            ((model(case.inputs) - case.targets).square().mean() + decay * query.square().sum() / 2).backward()
        assert query.grad is not None
        return query.grad

    there = case.moved(similar=False)
    here = {name: value.detach() for name, value in case.model.named_parameters()}
    whole = there["query.weight"] @ torch.linalg.inv(here["query.weight"])
    found = gradient(here)
    return torch.linalg.inv(whole).mT @ found, gradient(there), whole @ found, found


def _gradients(case: _Attention) -> list[Check]:
    """Of queries, at both starts, by torch."""
    expected, found, plain, here = _of_queries(case)
    return [
        Comparison(
            "gradient by W_Q at the moved start, less A⁻ᵀ that at the start",
            0,
            Interval.around(float((found - expected).norm() / expected.norm()), 1e-12),
            (float((found - plain).norm() / expected.norm()), float((found - here).norm() / expected.norm())),
            2.01e-12,
            "rounding; the rivals are A, and no change",
            "relative distance",
        )
    ]


def _metric() -> Check:
    """W = diag(3, 4): L is W itself, and that of AW with A = ((1, 1), (0, 1)) by hand."""
    import torch

    w = torch.diag(torch.tensor([3.0, 4.0], dtype=torch.float64))
    moved = torch.tensor([[1.0, 1.0], [0.0, 1.0]], dtype=torch.float64) @ w
    values, vectors = torch.linalg.eigh(moved @ moved.mT)
    root = (vectors * values.sqrt()) @ vectors.mT
    # (AW)(AW)ᵀ = ((25, 16), (16, 16)), of determinant 144: its root is (P + 12)/√(tr P + 24)
    turn = torch.linalg.inv(moved) @ root
    return value_check(
        "W = diag(3, 4), A a shear: the first entry of L' and det U, summed",
        37 / math.sqrt(65) + 1,
        float(root[0, 0] + torch.linalg.det(turn)),
        rivals=(5 + 1, 25 + 1),
        error=1e-12,
        reason="the root of a matrix of two rows by hand; rivals: the norm of the row, the square",
        quantity="entry",
    )


def _one_by_one() -> Check:
    """Down w_1 w_2 from (2, 1/2): L = |w|, and both steps are relative, by the polynomial at 1."""
    import torch
    from torch import nn

    from ddtheory.gauges import Gauge, Group, Leg
    from ddtheory.optim import DDCMuon

    model = nn.ParameterDict({"q": torch.full((1, 1), 2.0), "k": torch.full((1, 1), 0.5)}).double()
    gauge = Gauge("pair", Group.ROTATION, 1, (Leg("q"), Leg("k", dual=True)))
    optimizer = DDCMuon(model, _RATE, gauges=[gauge])
    with torch.enable_grad():
        (model["q"] * model["k"]).sum().backward()
    optimizer.step()
    return value_check(
        "heads of one channel: w_1 w_2 after one step down w_1 w_2 from (2, 1/2)",
        (1 - _RATE * _value()) ** 2,
        float((model["q"] * model["k"]).detach()),
        rivals=((2 - _RATE * _value()) * (0.5 - _RATE * _value()), (1 - _RATE) ** 2),
        error=1e-12,
        reason="the polynomial five times from 1, by hand; rivals: without the metric, a perfect polar factor",
        quantity="product",
    )


def _value() -> float:
    """The polynomial, five times, from 1."""
    x = 1.0
    for _ in range(5):
        x = _POLYNOMIAL[0] * x + _POLYNOMIAL[1] * x**3 + _POLYNOMIAL[2] * x**5
    return x


def control() -> Experiment:
    import torch
    from torch import nn

    from ddtheory.optim import DDCMuon

    plain, rotary = _Attention(False), _Attention(True)
    exact = plain.gap(plain.muon)
    model = nn.ParameterDict({"q": torch.full((1, 1), 2.0), "k": torch.full((1, 1), 0.5)}).double()
    optimizer = DDCMuon(model, _RATE, gauges=[])
    with torch.enable_grad():
        (model["q"] * model["k"]).sum().backward()
    optimizer.step()
    decayed, found, *_ = _of_queries(plain, decay=1.0)
    moved = torch.tensor([[1.0, 1.0], [0.0, 1.0]], dtype=torch.float64) @ torch.diag(torch.tensor([3.0, 4.0])).double()
    return Experiment(
        "The same step without the metric, Adam, and the full linear group under rotary positions; a decay in the "
        "loss, which sees W_Q by itself; W Wᵀ in the place of its root.",
        {
            "gradients": [
                gap_check(
                    "|W_Q|²/2 in the loss: gradient by W_Q at the moved start, and A⁻ᵀ that at the start",
                    float((found - decayed).norm() / decayed.norm()),
                    exact=1e-15,
                )
            ],
            "metric": [
                value_check(
                    "W = diag(3, 4), A a shear, W Wᵀ in the place of its root: |det U|",
                    12,
                    float(torch.linalg.det(torch.linalg.inv(moved) @ (moved @ moved.mT)).abs()),
                    rivals=(1,),
                    error=1e-12,
                    reason="det W of the moved W; the rival is that of an orthogonal U",
                    quantity="determinant",
                )
            ],
            "step": [
                gap_check("L = 1: functions of the two runs", plain.gap(_plain_muon), exact=exact),
                gap_check("Adam: functions of the two runs", plain.gap(_adam), exact=exact),
                value_check(
                    "heads of one channel, L = 1: w_1 w_2 after one step down w_1 w_2 from (2, 1/2)",
                    (2 - _RATE * _value()) * (0.5 - _RATE * _value()),
                    float((model["q"] * model["k"]).detach()),
                    rivals=((1 - _RATE * _value()) ** 2,),
                    error=1e-12,
                    reason="by hand; the rival is the same step from (1, 1)",
                    quantity="product",
                ),
            ],
            "rotary": [gap_check("rotary, any A: functions at the start", rotary.gap(rotary.muon, 0), exact=exact)],
        },
    )
