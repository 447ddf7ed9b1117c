"""cond:rescaling_chains: DDCAdam commutes with all scales of a network at once; their balance holds to first order."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.ladder import gap_check, limit_check, rate_check, value_check
from ddtheory.workbench.statement import part, printed

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from ddtheory.gauges import Gauge

    Make = Callable[[nn.Module], torch.optim.Optimizer]

eta = sympy.Symbol("eta", positive=True)

_STEPS, _RATE = 20, 0.02
_RATES = tuple(0.1 / 2**n for n in range(8))
_SAME = 1e-11  # rounding of twenty steps, from starts that are moved by factors up to 8


def drift_of(rate: Expr, turning: Expr, other: Expr) -> Expr:
    """The leading term of the change of log(ρ/ρ*) in a step: ½ η² (|u|² − |u*|²)."""
    return rate**2 * (turning**2 - other**2) / 2


_TURNS = part("|u|"), part("|u^*|")


CLAIM = Claim(
    id="cond:rescaling_chains",
    title="DDCAdam and the positive scales of a network",
    given=(
        r"Maps $W_i$ with positively homogeneous functions between have the gauge "
        r"$W_i \mapsto C_i W_i C_{i-1}^{-1}$, $C_i > 0$ diagonal. Let $f_0 = 1$, "
        r"$f_i$ the norms of the rows of $W_i \operatorname{diag}(f_{i-1})$, which are the blocks of a step."
    ),
    clauses={
        "frames": r"$f_i \mapsto C_i f_i$.",
        "invariants": r"What enters the state maps, $\hat g$ and $\rho_j (g_{jk}/f_k)_{\tan}$, does not change.",
        "step": r"The step goes to $C_i \cdot \text{step} \cdot C_{i-1}^{-1}$, all $C$ at once, in exact arithmetic.",
        "places": (
            r"The same step commutes with the scales of LayerNorm, of queries and keys, of values and outputs, which "
            r"are such chains."
        ),
        "balance": (
            r"For the two blocks of a channel $\log(\rho/\rho^*)$ changes in a step by "
            rf"${printed(drift_of(eta, *_TURNS))} + O(\eta^3)$: to first order it is conserved."
        ),
    },
    source=cite("shirodkar2026conditioners", "equivariance under chains", verified=False),
    hypotheses=(
        "No block is zero; decay is decoupled and the same for all blocks.",
        "The two blocks of a channel take their radial step from ĝ, which is the same for both (Noether).",
    ),
    expected=Verdict.CONFIRMED,
    rests_on=("prop:ddcadam_equivariance",),
    doubts=(
        "The paper has the step of one gauge; the frames, by which a matrix between two gauges is stepped, are ours. "
        "Exact is the equivariance, at any rate; the balance of norms, that a representative stays where it is along "
        "its orbit, holds to first order only."
    ),
)


def derive() -> Proof:
    weights = sympy.Matrix(2, 2, symbols("w_1:5", positive=True))
    gradient = sympy.Matrix(2, 2, symbols("g_1:5", real=True))
    mapped = sympy.Matrix(2, 2, symbols("u_1:5", real=True))  # whatever the state maps return
    growth = symbols("r_1:3", real=True)
    frame = symbols("f_1:3", positive=True)
    c, d = symbols("c_1:3", positive=True), symbols("d_1:3", positive=True)
    moved = sympy.Matrix(2, 2, lambda j, k: c[j] * weights[j, k] / d[k])
    pulled = sympy.Matrix(2, 2, lambda j, k: d[k] * gradient[j, k] / c[j])
    carried = tuple(d[k] * frame[k] for k in range(2))
    ones = (sympy.Integer(1),) * 2

    def norms(w: sympy.Matrix, f: Sequence[Expr]) -> list[Expr]:
        return [sympy.sqrt(sympy.Add(*[(w[j, k] * f[k]) ** 2 for k in range(2)])) for j in range(2)]

    def along(w: sympy.Matrix, g: sympy.Matrix) -> list[Expr]:
        return [sympy.Add(*[w[j, k] * g[j, k] for k in range(2)]) for j in range(2)]

    def fed(w: sympy.Matrix, g: sympy.Matrix, f: Sequence[Expr]) -> sympy.Matrix:
        rho, inner = norms(w, f), along(w, g)
        return sympy.Matrix(2, 2, lambda j, k: rho[j] * (g[j, k] / f[k] - inner[j] * w[j, k] * f[k] / rho[j] ** 2))

    def stepped(w: sympy.Matrix, f: Sequence[Expr]) -> sympy.Matrix:
        rho = norms(w, f)
        turned = [sympy.Add(*[mapped[j, k] * w[j, k] * f[k] for k in range(2)]) for j in range(2)]

        def entry(j: int, k: int) -> Expr:
            tangential = mapped[j, k] - turned[j] * w[j, k] * f[k] / rho[j] ** 2
            return sympy.exp(growth[j]) * w[j, k] - eta * rho[j] / f[k] * tangential

        return sympy.Matrix(2, 2, entry)

    expected = stepped(weights, frame)
    gain, normal, read = symbols("gamma n v", positive=True)
    slope, bend = symbols("l m", positive=True)

    def seen(product: Expr) -> Expr:
        """Any loss, to the second order."""
        return slope * product + bend * product**2

    def chained(
        outer: Expr, inner: Sequence[Expr], product: Expr, scale: Expr, *, inwards: bool = True
    ) -> sympy.Matrix:
        """Gradients of F(product) by both blocks at (scale · outer, inner/scale), times what carries them back."""
        there = {outer: scale * outer} | ({each: each / scale for each in inner} if inwards else {})
        factors = [scale, *[1 / scale for _ in inner]]
        by = [sympy.diff(seen(product), each) for each in (outer, *inner)]
        return sympy.Matrix([f * g.subs(there, simultaneous=True) for f, g in zip(factors, by, strict=True)])

    across, dual, state = symbols("u u_* A", positive=True)

    def size(turning: Expr) -> Expr:
        """log of the growth of a block, of its radial step −ηA/√2 and of what turns it."""
        radial = -eta * state / sympy.sqrt(2)
        return sympy.log(sympy.exp(2 * radial) + eta**2 * turning**2) / 2

    drift = size(across) - size(dual)
    return Proof(
        "A matrix of two rows and two columns between two gauges, symbolic in its entries, in the frame, in both "
        "scales and in what the state maps return.",
        (
            Equation(
                "frames",
                "norms of the rows of W diag(f) at the moved W and f",
                sympy.Matrix(norms(moved, carried)),
                sympy.Matrix([c[j] * rho for j, rho in enumerate(norms(weights, frame))]),
                {"a frame of ones": (sympy.Matrix(norms(moved, ones)),
                                     sympy.Matrix([c[j] * rho for j, rho in enumerate(norms(weights, ones))]))},
            ),
            Equation(
                "invariants",
                "ĝ of both rows",
                sympy.Matrix(along(moved, pulled)),
                sympy.Matrix(along(weights, gradient)),
                {"gradients that move as weights do": (sympy.Matrix(along(moved, moved)),
                                                       sympy.Matrix(along(weights, weights)))},
            ),
            Equation(
                "invariants",
                "the tangential part",
                fed(moved, pulled, carried),
                fed(weights, gradient, frame),
                {"a frame of ones": (fed(moved, pulled, ones), fed(weights, gradient, ones))},
            ),
            Equation(
                "step",
                "from C W D⁻¹",
                stepped(moved, carried),
                sympy.Matrix(2, 2, lambda j, k: c[j] * expected[j, k] / d[k]),
                {
                    "a frame of ones": (
                        stepped(moved, ones),
                        sympy.Matrix(2, 2, lambda j, k: c[j] * stepped(weights, ones)[j, k] / d[k]),
                    ),
                    "C alone": sympy.Matrix(2, 2, lambda j, k: c[j] * expected[j, k]),
                },
            ),
            Prose("The frame of a layer needs those of earlier layers only, so all layers follow by induction."),
            Prose(
                "A scale γ of a LayerNorm and the column v that reads it enter as γ n v, a channel of queries and keys "
                "as ⟨q, x⟩⟨k, y⟩, one of values and outputs as o ⟨v, x⟩: chains of two blocks, by their gradients."
            ),
            Equation(
                "places",
                "∂F/∂γ and ∂F/∂v of F(γ n v) at (cγ, v/c), times c and 1/c",
                chained(gain, (read,), gain * normal * read, c[0]),
                chained(gain, (read,), gain * normal * read, sympy.Integer(1)),
                {"v left in place": chained(gain, (read,), gain * normal * read, c[0], inwards=False)},
            ),
            Equation(
                "places",
                "∂F/∂q and ∂F/∂k of F(q ⟨k, y⟩) at (cq, k/c), times c and 1/c",
                chained(gain, frame, gain * (frame[0] * normal + frame[1] * read), c[0]),
                chained(gain, frame, gain * (frame[0] * normal + frame[1] * read), sympy.Integer(1)),
                {"k left in place": chained(gain, frame, gain * (frame[0] * normal + frame[1] * read), c[0],
                                            inwards=False)},
            ),
            Equation(
                "balance",
                "change of log(ρ/ρ*) in a step: its value and first derivative at η = 0, and half the second",
                sympy.Matrix([sympy.simplify(sympy.diff(drift, eta, order).subs(eta, 0)) for order in (0, 1)]
                             + [sympy.simplify(sympy.diff(drift, eta, 2).subs(eta, 0)) / 2]),
                sympy.Matrix([0, 0, drift_of(sympy.Integer(1), across, dual)]),
                {"twice that": sympy.Matrix([0, 0, across**2 - dual**2]),
                 "radial steps of one side": sympy.Matrix([0, -state / sympy.sqrt(2), (across**2 - dual**2) / 2])},
            ),
        ),
    )  # fmt: skip


class _Case:
    """A model with its data, and the gauges of positive scales that it has."""

    def __init__(self, name: str, make: Callable[[], nn.Module], shape: tuple[int, ...]) -> None:
        import torch

        from ddtheory.gauges import Group, find_gauges

        generator = torch.Generator().manual_seed(2)

        def draw(*size: int) -> Tensor:
            return torch.randn(*size, generator=generator, dtype=torch.float64)

        self.name = name
        self.model = make().double()
        with torch.no_grad():
            for parameter in self.model.parameters():
                parameter.copy_(0.4 * draw(*parameter.shape) + 0.1)
        self.inputs = draw(*shape)
        self.targets = draw(*self.seen(self.model).shape)
        found = find_gauges(self.model, self.inputs).gauges
        self.gauges = [gauge for gauge in found if gauge.group is Group.POSITIVE]

    def seen(self, model: nn.Module) -> Tensor:
        found: Tensor = model(self.inputs)
        return found

    def there(self, gauges: Sequence[Gauge]) -> dict[str, Tensor]:
        """The parameters moved along several gauges, one after the other."""
        from ddtheory.gauges import Motion, moved

        found = {name: value.detach() for name, value in self.model.named_parameters()}
        for number, gauge in enumerate(gauges):
            found = moved(gauge, found, Motion(5 + number))
        return found

    def gap(self, make: Make, steps: int = _STEPS) -> float:
        from ddtheory.workbench.measurements.orbits import function_gap

        return function_gap(
            self.model, self.there(self.gauges), make, self.seen, lambda f: (f - self.targets).square().mean(), steps
        )

    def ours(self, gauges: Sequence[Gauge]) -> Make:
        from ddtheory.optim import DDCAdam

        return lambda model: DDCAdam(model, _RATE, weight_decay=0.1, gauges=gauges)


def _cases() -> list[_Case]:
    import torch
    from torch import nn

    def three() -> nn.Module:
        return nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 5), nn.LeakyReLU(), nn.Linear(5, 2))

    class Normalised(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.norm, self.second = nn.Linear(3, 5), nn.LayerNorm(5), nn.Linear(5, 2)

        def forward(self, x: Tensor) -> Tensor:
            found: Tensor = self.second(self.norm(self.first(x)))
            return found

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.query, self.key, self.value, self.out = (nn.Linear(6, 6) for _ in range(4))

        def forward(self, x: Tensor) -> Tensor:
            q, k, v = (each(x).unflatten(-1, (2, 3)).transpose(1, 2) for each in (self.query, self.key, self.value))
            mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v)
            found: Tensor = self.out(mixed.transpose(1, 2).flatten(-2))
            return found

    return [
        _Case("three layers, both gauges at once", three, (16, 3)),
        _Case("the scales of a LayerNorm", Normalised, (16, 3)),
        _Case("query–key and value–output scales", Attention, (3, 4, 6)),
    ]


def _adam(model: nn.Module) -> torch.optim.Optimizer:
    import torch

    return torch.optim.Adam(model.parameters(), _RATE)


def _descent(model: nn.Module) -> torch.optim.Optimizer:
    import torch

    return torch.optim.SGD(model.parameters(), _RATE)


def measure() -> Experiment:
    from ddtheory.gauges import Group

    layers, *places = _cases()
    assert all(gauge.group is Group.POSITIVE for case in (layers, *places) for gauge in case.gauges)
    drifts = [_drift(rate) for rate in _RATES]
    frames = _frames(layers)
    return Experiment(
        f"DDCAdam at η = {_RATE:g}, decay 0.1, {_STEPS} steps in float64 from two starts, moved by factors from 1/8 to "
        "8 of each channel of all gauges at once. Balance: one step of a chain of one channel.",
        {
            "frames": frames,
            "invariants": [_same(layers, ": functions after one step", 1)],
            "step": [_same(layers, f": functions after {_STEPS} steps", _STEPS)],
            "places": [_same(case, f": functions after {_STEPS} steps", _STEPS) for case in places],
            "balance": [
                rate_check("change of log(ρ/ρ*) in a step against η", 2, _RATES, drifts, quantity="power of η"),
                limit_check(
                    "change of log(ρ/ρ*) over η²",
                    (_TURN - _DUAL_TURN) / 2,
                    _RATES,
                    [drift / rate**2 for drift, rate in zip(drifts, _RATES, strict=True)],
                    rivals=(_TURN - _DUAL_TURN, 0, -(_TURN - _DUAL_TURN) / 2),
                    relative_error=1e-6,
                ),
            ],
        },
    )


def _same(case: _Case, label: str, steps: int) -> Check:
    found, rival = case.gap(case.ours(case.gauges), steps), case.gap(_adam, steps)
    return Comparison(
        case.name + label,
        0,
        Interval.around(found, _SAME),
        (rival,),
        2.01 * _SAME,
        "rounding, relative to the largest output; the rival is what Adam leaves from the same two starts",
        "gap of functions",
    )


def _outer_norm(case: _Case) -> tuple[float, float]:
    """By how much the norm of a row of the second layer moves, without a frame; and the scale, from its bias."""
    there = case.there(case.gauges)
    here = {name: value.detach() for name, value in case.model.named_parameters()}
    moved, unmoved = (float(weights["2.weight"][0].norm()) for weights in (there, here))
    return moved / unmoved, float(there["2.bias"][0] / here["2.bias"][0])


def _below_undone(case: _Case) -> float:
    """The same factor from the scales of both gauges: W_2 becomes C_2 W_2 C_1⁻¹."""
    there = case.there(case.gauges)
    here = {name: value.detach() for name, value in case.model.named_parameters()}
    first, second = (there[name] / here[name] for name in ("0.bias", "2.bias"))
    row = here["2.weight"][0]
    return float(second[0] * (row / first).norm() / row.norm())


def _inner_gap(case: _Case, decay: float) -> float:
    """The largest difference of ĝ of the rows of the first layer at both starts, with decay · |W|²/2 in the loss."""
    import copy

    import torch

    def inner(weights: dict[str, Tensor]) -> Tensor:
        model = copy.deepcopy(case.model)
        with torch.no_grad():
            for name, value in weights.items():
                model.get_parameter(name).copy_(value)
        first, bias = model.get_parameter("0.weight"), model.get_parameter("0.bias")
        with torch.enable_grad():
            loss = (case.seen(model) - case.targets).square().mean() + decay * first.square().sum() / 2
        by_first, by_bias = torch.autograd.grad(loss, [first, bias])
        return (first.detach() * by_first).sum(1) + bias.detach() * by_bias

    here = {name: value.detach() for name, value in case.model.named_parameters()}
    return float((inner(case.there(case.gauges)) - inner(here)).abs().max())


def _frames(case: _Case) -> list[Check]:
    """The frame of the second gauge, from the weights of torch at both starts."""
    there = case.there(case.gauges)
    here = {name: value.detach() for name, value in case.model.named_parameters()}

    def frame(weights: dict[str, Tensor]) -> Tensor:
        return (weights["2.weight"] * weights["0.weight"].norm(dim=1)).norm(dim=1)

    alone, scale = _outer_norm(case)
    return [
        value_check(
            "three layers: the frame of the second gauge, moved over unmoved, against its scale",
            scale,
            float((frame(there) / frame(here))[0]),
            rivals=(1.0, alone),
            error=1e-12,
            reason="the scale is read from a bias; the rivals are no change, and norms without the first frame",
            quantity="factor",
        )
    ]


_TURN, _DUAL_TURN = 1.96, 0.0
"""|u|² of W = (3, 4) with g = (1, 0), by hand: signs (1, −1), less their part along W, and of a scalar."""


def _drift(rate: float, kind: str = "ours") -> float:
    """Change of log(ρ/ρ*) in one step from W = (3, 4) and W* = 1, with gradients of one ĝ = 3."""
    import torch
    from torch import nn

    from ddtheory.gauges import Gauge, Group, Leg
    from ddtheory.optim import DDCAdam

    model = nn.ParameterDict({"a": torch.tensor([[3.0, 4.0]]), "b": torch.ones(1, 1)}).double()
    gauge = Gauge("chain", Group.POSITIVE, 1, (Leg("a"), Leg("b", 1, dual=True)))
    optimizer = (
        DDCAdam(model, rate, eps=1e-12, gauges=[gauge])
        if kind == "ours"
        else torch.optim.Adam(model.parameters(), rate, eps=1e-12)
    )
    model["a"].grad = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    model["b"].grad = torch.tensor([[3.0]], dtype=torch.float64)
    optimizer.step()
    return math.log(float(model["a"].detach().norm()) / 5) - math.log(float(model["b"].detach()))


def control() -> Experiment:
    layers, normalised, _ = _cases()
    exact = layers.gap(layers.ours(layers.gauges))
    one = layers.gap(layers.ours(layers.gauges[:1]))
    first_order = [_drift(rate, "Adam") for rate in _RATES]
    alone, scale = _outer_norm(layers)
    plain, decayed = (_inner_gap(layers, decay) for decay in (0.0, 1.0))
    return Experiment(
        "DDCAdam that is told one of the two gauges, and so has no frames for the other; gradient descent and Adam. "
        "Norms of rows without the frame below; a decay in the loss, which sees the weights by themselves.",
        {
            "frames": [
                value_check(
                    "three layers, norms without the first frame: moved over unmoved",
                    _below_undone(layers),
                    alone,
                    rivals=(scale,),
                    error=1e-12,
                    reason="a row whose columns are divided by the scales of the first gauge, read from its biases; "
                    "the rival is the scale of the second gauge",
                    quantity="factor",
                )
            ],
            "invariants": [
                gap_check("three layers, |W|²/2 in the loss: ĝ of the first rows at both starts", decayed, exact=plain)
            ],
            "step": [
                gap_check("three layers, DDCAdam told of one gauge: functions of the two runs", one, exact=exact),
                gap_check("three layers, Adam: functions of the two runs", layers.gap(_adam), exact=exact),
                gap_check("three layers, descent: functions of the two runs", layers.gap(_descent), exact=exact),
            ],
            "places": [gap_check("LayerNorm, Adam: functions of the two runs", normalised.gap(_adam), exact=exact)],
            "balance": [
                rate_check("Adam: change of log(ρ/ρ*) against η", 1, _RATES, first_order, quantity="power of η"),
                limit_check(
                    "Adam: change of log(ρ/ρ*) over η",
                    1 - 3 / 25,  # log b falls by η, and |W| by η ⟨(1, 0), W⟩/|W| = 3η/5, so log |W| by 3η/25
                    _RATES,
                    [drift / rate for drift, rate in zip(first_order, _RATES, strict=True)],
                    rivals=(0, 1, 1 + 3 / 25),
                    relative_error=1e-6,
                ),
            ],
        },
    )
