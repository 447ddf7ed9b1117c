"""prop:bridge_nonlinear_rot_negative: rotated ReLU layers lose the rate, at a point and not always on average."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Rational, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem, random_rotation
from ddtheory.workbench.ladder import limit_check, rate_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

t = Symbol("t", positive=True)

_COSINE, _SINE = Rational(3, 5), Rational(4, 5)
_RADII = tuple(0.02 * 2.0 ** (-n / 2) for n in range(9))
_DIRECTIONS = 100_000


def opposed(vector: tuple[Expr, Expr], layers: Expr | int) -> Expr:
    """The limit of the average for v = (c, −s): on each side of the line v·x = 0 one and the same gate stays open."""
    c, s = vector
    return (c * s) ** 2 * (c ** (4 * (layers - 2)) + s ** (4 * (layers - 2))) / 2


def at_a_point(vector: tuple[Expr, Expr]) -> Expr:
    """The limit of the reading at the input x = u, where one gate of two is open: (cs)²."""
    c, s = vector
    return (c * s) ** 2


def share(vector: tuple[Expr, Expr]) -> Expr:
    """The coefficient of t in the average for v = (c, s) and two layers: cs/π."""
    c, s = vector
    return c * s / sympy.pi


def slope_on_a_floor(power: Expr | int, floor: Expr | float, above: Expr | float) -> Expr:
    """The local slope of c₀ + b t^m, with b t^m given: m b t^m/(c₀ + b t^m)."""
    return power * above / (floor + above)


CLAIM = Claim(
    id="prop:bridge_nonlinear_rot_negative",
    title="Rotation breaks the rate in the nonlinear class",
    holds="Rotated ReLU layers lose the rate at a point; on average the printed witness has rate 1",
    given=(
        r"Let every layer be $v v^\top + t\, u u^\top$ with a unit vector $v = (c, s)$ and $u = (-s, c)$, below ReLU "
        "gates."
    ),
    clauses={
        "point": (
            rf"With $v = ({printed(_COSINE)}, {printed(_SINE)})$ the reading along $u$ at the input $x = u$ tends to "
            rf"${printed(at_a_point((_COSINE, _SINE)))}$: rate $0$."
        ),
        "opposite sign": (
            rf"For $v = (c, -s)$ with $c, s > 0$ and $L$ layers the average over a normal input tends to "
            rf"${latex(opposed(symbols('c s'), Symbol('L')))}$: rate $0$."
        ),
        "generic": "For generic rotations, of ReLU and of tanh, the rate of the average is $0$.",
        "same sign": (
            rf"For $c, s > 0$ and two layers the average over a normal input is ${printed(share(symbols('c s')))}\, "
            "t + O(t^2)$."
        ),
        "floor": (
            r"With a floor $c_0$ below $b t^m$ the local slope is "
            rf"${printed(slope_on_a_floor(Symbol('m'), Symbol('c_0'), Symbol('b') * t ** Symbol('m')))}$."
        ),
    },
    source=cite("shirodkar2026dead", "prop:bridge_nonlinear_rot_negative"),
    hypotheses=(
        "The printed witness is read at one input, x = u.",
        "On average over inputs: a rotation under which the gates differ with a probability that does not vanish as "
        "t → 0.",
    ),
    expected=Verdict.NARROWER,
    rests_on=("thm:bridge",),
    titled="At the printed witness the exponent of the gradient factor collapses to 0.",
    doubts=(
        "The gradient factor is an average over inputs, and at the printed witness its rate is 1: the collapse to 0 "
        "is that of a single input. The collapse itself is right for other rotations, which are measured."
    ),
)


def derive() -> Proof:
    c, s, floor, b, d, power = symbols("c s c_0 b d m", positive=True)
    gates = symbols("m_1 m_2", real=True)
    half = Symbol("q", positive=True)  # tan of half the angle of v, for a unit vector by its form
    unit = ((1 - half**2) / (1 + half**2), 2 * half / (1 + half**2))
    live, dead = sympy.Matrix([c, s]), sympy.Matrix([-s, c])
    overlap = (live.T * sympy.diag(*gates) * dead)[0]
    at_u = (t * dead).subs({c: _COSINE, s: _SINE})  # the pre-activation at x = u
    opened = [sympy.Heaviside(entry, 0) for entry in at_u / t]
    moment = floor + b * t**power
    slope = t * sympy.diff(moment, t) / moment
    arrived = Symbol("y", positive=True)  # b t^m
    window = slope_on_a_floor(power, floor, arrived)
    # the gates of W x, W = v vᵀ + t u uᵀ, differ where x lies between the two lines (W x)_1 = 0 and (W x)_2 = 0
    layer = live * live.T + t * dead * dead.T
    first, second = (sympy.atan(-row[0] / row[1]) for row in (layer.row(0), layer.row(1)))
    probability = (sympy.atan(t * c / s) + sympy.atan(t * s / c)) / sympy.pi
    between = sympy.diff((second - first) / sympy.pi, t)

    def unit_vector(value: Expr) -> Expr:
        return value.subs(dict(zip((c, s), unit, strict=True)))

    # at t = 0 the output is v (v·x): for v = (c, −s) one gate is open on each side of the line v·x = 0
    mirrored = sympy.Matrix([c, -s])
    side = Symbol("y", positive=True)  # |v·x|

    layers = Symbol("L", integer=True, positive=True)

    def half_plane(vector: sympy.Matrix, sign: int) -> Expr:
        """The squared overlap through the gates of v (v·x), v·x = ±y, and those of the L − 2 layers above."""
        opened = sympy.diag(*[sympy.Heaviside(sign * side * entry, 0) for entry in vector])
        passed = (vector.T * opened * vector)[0] ** (layers - 2)  # v·φ(v y) has the sign of y
        return (passed * (vector.T * opened * sympy.Matrix([-vector[1], vector[0]]))[0]) ** 2

    def both_sides(vector: sympy.Matrix) -> Expr:
        return (half_plane(vector, 1) + half_plane(vector, -1)) / 2

    return Proof(
        "Planar layers, symbolic in v and t; ‘generic rotations’ are measured only.",
        (
            Equation(
                "point",
                "overlap of v and u through two gates",
                overlap,
                (gates[1] - gates[0]) * c * s,
                {"equal gates": gates[0] * c * s, "c² − s²": (gates[1] - gates[0]) * (c**2 - s**2)},
            ),
            Equation(
                "point",
                "gates at x = u, where the pre-activation is t u, and the squared overlap there",
                sympy.Matrix(
                    [*opened, overlap.subs({c: _COSINE, s: _SINE, **dict(zip(gates, opened, strict=True))}) ** 2]
                )
                * t,
                sympy.Matrix([0, 1, at_a_point((_COSINE, _SINE))]) * t,
                {"both open": sympy.Matrix([1, 1, 0]) * t},
            ),
            Equation(
                "opposite sign",
                "v = (c, −s) at t = 0, where the output is v (v·x): squared overlap, averaged over both sides of the "
                "line v·x = 0",
                both_sides(mirrored),
                opposed((c, s), layers),
                {
                    "v = (c, s)": (both_sides(live), opposed((c, s), layers)),
                    "on one side only": (half_plane(mirrored, 1) / 2, opposed((c, s), layers)),
                    "one layer more": opposed((c, s), layers + 1),
                },
            ),
            Equation(
                "floor",
                "local slope of c₀ + b t^m",
                slope,
                slope_on_a_floor(power, floor, b * t**power),
                {"without a floor": power},
            ),
            Equation(
                "floor",
                "where it is m(1 − d), m d and m/2",
                sympy.Matrix(
                    [window.subs(arrived, place) for place in ((1 / d - 1) * floor, d * floor / (1 - d), floor)]
                ),
                sympy.Matrix([power * (1 - d), power * d, power / 2]),
                {"ends exchanged": sympy.Matrix([power * d, power * (1 - d), power / 2])},
            ),
            Prose(
                "On a normal input the gates of a same-sign v differ only on the directions between two lines; the "
                "angle between them over π is their probability, for both of its sides.",
                r"P = \tfrac1\pi\left[\arctan\tfrac{tc}{s} + \arctan\tfrac{ts}{c}\right]",
            ),
            Equation(
                "same sign",
                "speed of the angle between the lines at t = 0, and of the printed probability, for a unit vector",
                sympy.simplify(unit_vector(between).subs(t, 0)),
                sympy.simplify(unit_vector(sympy.diff(probability, t).subs(t, 0))),
                {"one side": sympy.simplify(unit_vector(sympy.diff(probability, t).subs(t, 0)) / 2)},
            ),
            Equation(
                "same sign",
                "squared overlap times that speed",
                sympy.simplify(unit_vector((c * s) ** 2 * sympy.diff(probability, t).subs(t, 0))),
                sympy.simplify(unit_vector(share((c, s)))),
                {
                    "(cs)²": sympy.simplify(unit_vector((c * s) ** 2 / sympy.pi)),
                    "half": sympy.simplify(unit_vector(c * s / (2 * sympy.pi))),
                },
            ),
        ),
    )


def _planar(angle: float, radius: float) -> Tensor:
    """v vᵀ + t u uᵀ with v at this angle."""
    import torch

    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], dtype=torch.float64)
    return turn @ canonical(radius, 2) @ turn.mT


def _dead_axis(angle: float) -> Tensor:
    import torch

    return torch.tensor([-math.sin(angle), math.cos(angle)], dtype=torch.float64)


def _arcs(weights: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """One node and one weight for each arc of directions on which no gate of a planar ReLU net changes.

    A gradient of the net is constant on the rays of an arc, so its average over a normal input is a sum over arcs.
    """
    import torch

    edges = [0.0, 2 * math.pi]
    for depth in range(len(weights)):
        found: list[float] = []
        for low, high in pairwise(edges):
            middle = (low + high) / 2
            point = torch.tensor([math.cos(middle), math.sin(middle)], dtype=torch.float64)
            linear = weights[0]
            for weight in weights[1 : depth + 1]:
                linear = weight @ (torch.diag((linear @ point > 0).double()) @ linear)
            for row in linear:
                if float(row.abs().max()) > 0:
                    zero = math.atan2(float(row[0]), -float(row[1]))
                    found += [a for k in range(-1, 5) if low < (a := zero + k * math.pi) < high]
        edges = sorted({*edges, *found})
    middles = torch.tensor([(low + high) / 2 for low, high in pairwise(edges)], dtype=torch.float64)
    widths = torch.tensor([high - low for low, high in pairwise(edges)], dtype=torch.float64)
    return math.sqrt(2) * torch.stack([middles.cos(), middles.sin()], dim=1), widths / (2 * math.pi)


def _reading(
    angle: float, radius: float, layers: int, activation: Callable[[Tensor], Tensor], inputs: Tensor | None = None
) -> float:
    """G of layer 1 along u, averaged over a normal input when no input is given (exact for ReLU)."""
    from ddtheory.measure import gradient_gram

    weights = [_planar(angle, radius)] * layers
    nodes, masses = (inputs, None) if inputs is not None else _arcs(weights)
    problem = chain_problem(weights, activation=activation, inputs=nodes, input_weights=masses)
    return gradient_gram(problem, "1").along(_dead_axis(angle))


def _haar_reading(seed: int, radius: float, inputs: Tensor, activation: Callable[[Tensor], Tensor]) -> float:
    from ddtheory.measure import gradient_gram

    turn = random_rotation(4, seed)
    weights = [turn @ canonical(radius, 4) @ turn.mT] * 4
    return gradient_gram(chain_problem(weights, activation=activation, inputs=inputs), "1").along(turn[:, -1])


def measure() -> Experiment:
    import torch

    mirrored: list[Check] = []
    generic: list[Check] = []
    curves: list[Curve] = []
    angle = math.atan2(4, 3)
    at_u = [_reading(angle, radius, 2, torch.relu, _dead_axis(angle)[None]) for radius in _RADII]
    point = [
        rate_check("ReLU at the input x = u: reading along u", 0, _RADII, at_u),
        limit_check(
            "ReLU at the input x = u: limit (12/25)²",
            at_a_point((_COSINE, _SINE)),
            _RADII,
            at_u,
            rivals=(1, 0, Rational(12, 25)),
        ),
    ]
    for layers in (2, 4):
        opposite = [_reading(-angle, radius, layers, torch.relu) for radius in _RADII]
        mirrored.append(
            rate_check(
                f"ReLU, v = (3/5, −4/5), normal input, {layers} layers", 0, _RADII, opposite, rivals=(2 * layers - 2,)
            )
        )
        exact = opposed((_COSINE, _SINE), layers)
        mirrored.append(
            limit_check(
                f"ReLU, v = (3/5, −4/5), normal input, {layers} layers: limit",
                exact,
                _RADII,
                opposite,
                rivals=(exact / 2, 2 * exact, opposed((_COSINE, _SINE), layers + 1)),
            )
        )
    generator = torch.Generator().manual_seed(2)
    inputs = torch.randn(500, 4, generator=generator, dtype=torch.float64)
    small = tuple(radius / 100 for radius in _RADII)
    for seed in range(4):
        values = [_haar_reading(seed, radius, inputs, torch.relu) for radius in small]
        generic.append(rate_check(f"ReLU, Haar rotation {seed} of width 4, 4 layers", 0, small, values, rivals=(6,)))
    plane = torch.randn(500, 2, generator=generator, dtype=torch.float64)
    for sign in (1, -1):
        bent = [_reading(sign * angle, radius, 4, torch.tanh, plane) for radius in _RADII]
        generic.append(rate_check(f"tanh, v = (3/5, {'−' * (sign < 0)}4/5), 4 layers", 0, _RADII, bent, rivals=(6,)))
    curves.append(Curve("ReLU at x = u", _RADII, tuple(at_u), 0.0))
    curves.append(Curve("ReLU, v = (3/5, −4/5), normal input", _RADII, tuple(opposite), 0.0))
    return Experiment(
        "Torch ReLU and tanh chains with every layer v vᵀ + t u uᵀ. In the plane the average over a normal input is "
        "a sum over the arcs on which no gate changes; elsewhere a fixed sample is used, whose gates stand still as "
        "t → 0.",
        {
            "point": point,
            "opposite sign": [*mirrored, _dense()],
            "generic": generic,
            "same sign": _same_sign(),
            "floor": _floor(),
        },
        tuple(curves),
    )


def _dense() -> Check:
    """The sum over arcs against the mean over many equally spaced directions, at a t where all gates count."""
    import torch

    angle, radius = -math.atan2(4, 3), 0.3
    turns = 2 * math.pi * (torch.arange(_DIRECTIONS, dtype=torch.float64) + 0.5) / _DIRECTIONS
    directions = math.sqrt(2) * torch.stack([turns.cos(), turns.sin()], dim=1)
    return value_check(
        f"ReLU, v = (3/5, −4/5), 4 layers, t = {radius}: the sum over arcs over the mean of {_DIRECTIONS} directions",
        1,
        _reading(angle, radius, 4, torch.relu) / _reading(angle, radius, 4, torch.relu, directions),
        rivals=(0.9993, 1.0007),
        error=1e-4,
        reason="a jump between two directions is off by at most their distance, 1e-5 of the circle",
        quantity="ratio",
    )


def _same_sign() -> list[Check]:
    import torch

    checks: list[Check] = []
    for cosine, sine in ((3, 4), (5, 12)):
        angle = math.atan2(sine, cosine)
        size = cosine**2 + sine**2
        values = [_reading(angle, radius, 2, torch.relu) for radius in _RADII]
        exact = float(share((Rational(cosine), Rational(sine))) / size)
        checks += [
            rate_check(f"v ∝ ({cosine}, {sine}), normal input, 2 layers", 1, _RADII, values, rivals=(0, 2)),
            limit_check(
                f"v ∝ ({cosine}, {sine}), normal input, 2 layers: reading/t → cs/π",
                exact,
                _RADII,
                [value / radius for radius, value in zip(_RADII, values, strict=True)],
                rivals=(exact / 2, exact * cosine * sine / size),
            ),
        ]
    return checks


def _floor() -> list[Check]:
    """The reading at x = u plus the linear one: c₀ + t², c₀ = 1e-4 of the former, and its local slope."""
    import torch

    angle = math.atan2(4, 3)
    checks: list[Check] = []
    level = 1e-4 * _reading(angle, 1e-3, 2, torch.relu, _dead_axis(angle)[None])
    step = 2.0 ** (1 / 64)

    def moment(radius: float) -> float:
        return level + _reading(angle, radius, 2, lambda z: z, _dead_axis(angle)[None])

    for radius in (0.002, level**0.5, 0.02):
        slope = math.log(moment(radius * step) / moment(radius / step)) / (2 * math.log(step))
        checks.append(
            value_check(
                f"floor {level:.3g} below t²: local slope at t = {radius:.2g}",
                slope_on_a_floor(2, level, radius**2),
                slope,
                rivals=(2, 0) if abs(slope - 1) < 0.5 else (1,),
                error=2e-4,
                reason="central difference over 1/32 octave",
                quantity="local slope",
            )
        )
    return checks


def control() -> Experiment:
    import torch

    aligned: list[Check] = []
    for name, angle in (("no rotation", 0.0), ("exchanged axes", -math.pi / 2)):
        values = [_reading(angle, radius, 4, torch.relu) for radius in _RADII]
        aligned.append(rate_check(f"ReLU, {name}, 4 layers", 6, _RADII, values, rivals=(0,)))
    generator = torch.Generator().manual_seed(2)
    inputs = torch.randn(50, 4, generator=generator, dtype=torch.float64)
    values = [_haar_reading(0, radius, inputs, lambda z: z) for radius in _RADII]
    ungated = rate_check("linear, Haar rotation of width 4, 4 layers", 6, _RADII, values, rivals=(0,))
    angle = math.atan2(4, 3)
    beside = [_reading(angle, radius, 2, torch.relu, _live_axis(angle)[None]) for radius in _RADII]

    def without(radius: float) -> float:
        return _reading(angle, radius, 2, lambda z: z, _dead_axis(angle)[None])

    return Experiment(
        "Gates that commute with the rotation, or none, keep the full rate 2(L − l); so does the printed witness at "
        "the input x = v, whose gates are both open. A same-sign v in a linear net has rate 2.",
        {
            "opposite sign": aligned,
            "floor": (
                value_check(
                    "no floor: local slope at t = 0.01",
                    2,
                    math.log(without(0.0101) / without(0.0099)) / math.log(0.0101 / 0.0099),
                    rivals=(1, 0),
                    error=2e-4,
                    reason="a power of t",
                    quantity="local slope",
                ),
            ),
            "generic": (ungated,),
            "point": (rate_check("ReLU at the input x = v: reading along u", 2, _RADII, beside, rivals=(0,)),),
            "same sign": (
                rate_check(
                    "v = (3/5, 4/5), linear, 2 layers",
                    2,
                    _RADII,
                    [_reading(angle, radius, 2, lambda z: z) for radius in _RADII],
                    rivals=(1,),
                ),
            ),
        },
    )


def _live_axis(angle: float) -> Tensor:
    import torch

    return torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)


def counterexample() -> Experiment:
    import torch

    checks: list[Check] = []
    curves: list[Curve] = []
    angle = math.atan2(4, 3)
    for layers in (2, 3, 4):
        values = [_reading(angle, radius, layers, torch.relu) for radius in _RADII]
        checks.append(
            rate_check(f"printed witness, normal input, {layers} layers", 1, _RADII, values, rivals=(0, 2 * layers - 2))
        )
        curves.append(Curve(f"printed witness on average, {layers} layers", _RADII, tuple(values), 1.0))
        if layers == 2:
            checks.append(
                limit_check(
                    "printed witness, normal input, 2 layers: reading/t → cs/π",
                    float(12 / (25 * sympy.pi)),
                    _RADII,
                    [value / radius for radius, value in zip(_RADII, values, strict=True)],
                    rivals=(float(Rational(144, 625)), float(12 / (25 * sympy.pi)) / 2),
                )
            )
    for radius in (0.01, 0.1):
        share = (math.atan(radius * 3 / 4) + math.atan(radius * 4 / 3)) / math.pi
        nodes, masses = _arcs([_planar(angle, radius)])
        gates = (nodes @ _planar(angle, radius).mT > 0).double().sum(dim=1)
        checks.append(
            value_check(
                f"share of normal inputs with different gates, t = {radius}",
                share,
                float(masses[gates == 1].sum()),
                rivals=(2 * share, radius),
                reason="angles of arcs",
                quantity="probability",
            )
        )
    return Experiment(
        "The printed witness v = (3/5, 4/5) with a normal input in the place of x = u: both coordinates of v have "
        "one sign, the gates differ only on a share t/(πsc) of the inputs, and the reading has rate 1, neither 0 nor "
        "2(L − l).",
        {TITLE: checks},
        tuple(curves),
    )
