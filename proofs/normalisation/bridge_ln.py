"""thm:bridge_ln: below a LayerNorm the dead diagonal falls with the layers up to the crossing; the spectrum not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import limit, rate
from ddtheory.workbench.ladder import count_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

_RADII = tuple(2.0**-n for n in range(4, 12))
_DEPTH, _NOISE = 5, 0.09
_ROUNDING = 1e-13
_REASON = "exact mean over the noise for 48 fixed inputs, extrapolated to t = 0; the only error is truncation"
t = Symbol("t", positive=True)


def jacobian(projection: Expr, outer: Expr, width: Expr | int, deviation: Expr) -> Expr:
    """The Jacobian of LayerNorm, from P and z zᵀ: (P − z zᵀ/d)/s."""
    return (projection - outer / width) / deviation


def mixed(value: Expr, dead: Expr, gradient: Expr) -> Expr:
    """What one live gradient adds to −s d b: (1 + z_j z_h) δ_j."""
    return (1 + value * dead) * gradient


def entry(below: Expr, above: Expr, own: Expr, live: Expr) -> Expr:
    """The dead entry of the gradient: t^{k_post} (b + a t^{k_pre})."""
    return t**below * (live + own * t**above)


def plateau_rate(below: Expr | int) -> Expr:
    """The rate where live gradients mix in: 2 k_post."""
    return 2 * below


def full_rate(below: Expr | int, above: Expr | int) -> Expr:
    """The rate where they do not: 2(k_pre + k_post)."""
    return 2 * (above + below)


def rms_rate(below: Expr | int, above: Expr | int, place: Expr | int) -> Expr:
    """The rate below an RMSNorm behind q layers: 2 k_post + 2 min(k_pre, q)."""
    return 2 * below + 2 * sympy.Min(above, place)


_WEIGHTS = symbols("k_post k_pre")
_FORMS = Symbol("P"), Symbol(r"z z^\top"), Symbol("d"), Symbol("s")


CLAIM = Claim(
    id="thm:bridge_ln",
    title="LayerNorm crossing: the dead rate lies between 2k_post and 2(k_pre + k_post)",
    holds=(
        "LayerNorm crossing: the dead diagonal has a rate from 2k_post to 2(k_pre + k_post), and no eigenvalue shows it"
    ),
    given=(
        "Let $k_{pre}$ weights $t$ lie above a LayerNorm $z = Py/s$ of $d$ channels and $k_{post}$ between the probe "
        "and it; $a$ and $b$ the dead and the live gradients that meet in the dead channel."
    ),
    clauses={
        "Jacobian": rf"$J = {printed(jacobian(*_FORMS))}$, with $J \mathbf 1 = J z = 0$.",
        "mixing": (
            f"The dead entry of the gradient is ${printed(entry(*_WEIGHTS, *symbols('a b')))}$, with $b = "
            r"-\frac{1}{sd} "
            rf"\sum_{{j \ne h}} {printed(mixed(*symbols('z_j z_h delta_j')))}$."
        ),
        "plateau": rf"If $E b^2 > 0$ the dead diagonal has rate ${printed(plateau_rate(_WEIGHTS[0]))}$.",
        "full depth": rf"If $b = 0$ and $E a^2 > 0$ it has rate ${printed(full_rate(*_WEIGHTS))}$.",
        "RMSNorm": (
            "Behind $q$ layers RMSNorm has $b = O(t^q)$, and the rate is "
            f"${printed(rms_rate(_WEIGHTS[0], _WEIGHTS[1], Symbol('q')))}$."
        ),
    },
    source=cite("shirodkar2026dead", "thm:bridge_ln"),
    hypotheses=(
        "Width at least 3, and |Py| bounded away from 0.",
        "Labels carry noise, or are drawn from the model.",
        "The reading is that of the diagonal entry on the dead axis.",
    ),
    expected=Verdict.NARROWER,
    titled="that the dead direction below a LayerNorm is an eigenvalue with the rate of the plateau",
    doubts=(
        "D2: the plateau is visible on the diagonal only; the exact zero tends to the dead axis and every other "
        "eigenvalue is Θ(1). 2k_post is the lower end of the bracket and the value for ordinary losses; the upper "
        "end is attained when the noise touches the dead output alone. The plateau comes from centring: RMSNorm "
        "behind layer q has rate 2k_post + 2 min(k_pre, q)."
    ),
)


def derive() -> Proof:
    width = 3
    y = sympy.Matrix(symbols("y_1:4", real=True))
    ones = sympy.ones(width, 1)
    projection = sympy.eye(width) - sympy.ones(width) / width
    centred = projection * y
    deviation = sympy.sqrt(centred.dot(centred) / width)
    z = centred / deviation
    derivative = z.jacobian(y)
    claimed = jacobian(projection, z * z.T, width, deviation)
    zeros = sympy.zeros(width, 1)
    # the dead row behind the gradients δ of the three outputs, dead entry last
    s = Symbol("s", positive=True)
    values, delta = (sympy.Matrix(symbols(f"{name}_1:4", real=True)) for name in ("z", "delta"))
    row = ((projection - values * values.T / width) / s * delta)[2]
    live = sympy.Add(*[mixed(values[j], values[2], delta[j]) for j in (0, 1)])
    own = (1 - sympy.Rational(1, width) - values[2] ** 2 / width) * delta[2] / s
    post, pre, place = symbols("k_post k_pre q", integer=True, positive=True)
    a, b, c = symbols("a b c", positive=True)

    def through(weights: Expr, gradient: Expr) -> Expr:
        """A gradient pulled back through that many layers of weight t."""
        return t**weights * gradient

    met = through(post, b + through(pre, a))
    rms = through(post, b * t**place + through(pre, a))
    return Proof(
        "J by differentiating Py/s at d = 3, symbolic in y; the rates symbolic in k_pre, k_post and q.",
        (
            Equation(
                "Jacobian",
                "derivative of z = Py/s, s = |Py|/√d, in all nine entries",
                derivative,
                claimed,
                {
                    "without the projection on z": projection / deviation,
                    "z zᵀ for z zᵀ/d": (projection - z * z.T) / deviation,
                    "without centring": (sympy.eye(width) - z * z.T / width) / deviation,
                },
            ),
            Equation(
                "Jacobian",
                "J on the constants",
                claimed * ones,
                zeros,
                {"J on e_1": (claimed * sympy.eye(width)[:, 0], zeros)},
            ),
            Equation("Jacobian", "J on z", claimed * z, zeros, {"P/s on z": (projection * z / deviation, zeros)}),
            Prose("Its dead row mixes live gradients into the dead one: through the mean, and through z_h."),
            Equation(
                "mixing",
                "the dead row of J, d = 3, against gradients δ: own part and b",
                row,
                own - live / (width * s),
                {
                    "without the mean": own
                    - sympy.Add(*[values[j] * values[2] * delta[j] for j in (0, 1)]) / (width * s),
                    "without z_h": own - (delta[0] + delta[1]) / (width * s),
                    "no mixing": own,
                },
            ),
            Equation(
                "mixing",
                "live gradients do not decay, the dead one is a t^{k_pre}; below the crossing both meet t^{k_post}",
                met,
                entry(post, pre, a, b),
                {"both above the crossing": t ** (post + pre) * (a + b), "the dead one alone": a * t ** (post + pre)},
            ),
            Equation(
                "plateau",
                "b ≠ 0: the leading term, the limit of the entry over t^{k_post} at k_pre = 2",
                sympy.limit((met / t**post).subs(pre, 2), t, 0) * t**post,
                b * t ** (plateau_rate(post) / 2),
                {"rate of the full depth": b * t ** (post + 2), "a for b": a * t**post},
            ),
            Equation(
                "full depth",
                "b = 0",
                met.subs(b, 0),
                a * t ** (full_rate(post, pre) / 2),
                {"k_post only": a * t**post, "b ≠ 0": (met, a * t ** (pre + post))},
            ),
            *(
                Equation(
                    "RMSNorm",
                    f"{name}: the limit of the entry over t^(k_post + min(k_pre, q))",
                    sympy.limit(
                        rms.subs({post: 1, pre: above, place: below}) / t ** (rms_rate(1, above, below) / 2), t, 0
                    )
                    * c,
                    expected * c,
                    {
                        "a constant mixed in": (
                            sympy.limit(met.subs({post: 1, pre: above}) / t, t, 0) * c,
                            expected * c * t,
                        )
                    },
                )
                for name, above, below, expected in (
                    ("k_pre = 1 < q = 3", 1, 3, a),
                    ("k_pre = 3 > q = 2", 3, 2, b),
                    ("k_pre = q = 2", 2, 2, a + b),
                )
            ),
        ),
    )


@dataclass(frozen=True)
class _Chain:
    """Linear torch layers with one dead channel, a normalisation behind layer `crossing`, and label noise."""

    kind: str  # "layer", "centre", "rms" or "none"
    crossing: int
    width: int = 5
    dead_noise_only: bool = False

    def gradient_factor(self, t: float, probe: int) -> Tensor:
        """M with MᵀM = E[δδᵀ] at the output of layer `probe`, the mean over the noise being exact."""
        import torch

        layers, inputs = self._drawn()
        at = self._run(inputs, layers, t, 0, probe).requires_grad_()
        output = self._run(at, layers, t, probe, _DEPTH)
        rows = [torch.autograd.grad(output[:, i].sum(), at, retain_graph=True)[0] for i in range(self.width)]
        jacobian = torch.stack(rows, 1)  # (batch, output, probe)
        error = (output - self._run(inputs, layers, 0.0, 0, _DEPTH)).detach()
        spread = torch.eye(self.width, dtype=torch.float64)
        if self.dead_noise_only:
            spread[:-1] = 0.0
            error = error * spread[-1]
        noise = _NOISE**0.5 * spread @ jacobian
        return torch.cat([noise, error[:, None] @ jacobian], 1).flatten(0, 1) / inputs.shape[0] ** 0.5

    def _drawn(self) -> tuple[list[Tensor], Tensor]:
        """Orthogonal live parts of the layers, and inputs."""
        import torch

        generator = torch.Generator().manual_seed(self.width)
        layers: list[Tensor] = []
        for _ in range(_DEPTH):
            raw = torch.randn(self.width - 1, self.width - 1, generator=generator, dtype=torch.float64)
            layers.append(torch.linalg.qr(raw)[0])
        return layers, torch.randn(48, self.width, generator=generator, dtype=torch.float64)

    def mixed_in(self, centred: float = 1.0, scaled: float = 1.0) -> float:
        """E b² of the statement by hand: the noise times the live part of the dead column of J at t = 0.

        The live layers above are orthogonal, so only Σ_{j ≠ h} J_jh² counts, J_jh = −(1 + z_j z_h)/(d s). The factors
        of its two terms are 1; others make rivals.
        """
        import torch

        layers, inputs = self._drawn()
        live = inputs[:, :-1]
        for layer in layers[: self.crossing]:
            live = live @ layer.mT
        stream = torch.cat([live, torch.zeros(len(live), 1, dtype=torch.float64)], 1)
        moved = stream - stream.mean(1, keepdim=True)
        deviation = moved.square().mean(1, keepdim=True).sqrt()
        z = moved / deviation
        column = (centred + scaled * z[:, :-1] * z[:, -1:]) / (self.width * deviation)
        return float(_NOISE * column.square().sum(1).mean())

    def _run(self, stream: Tensor, layers: list[Tensor], t: float, start: int, stop: int) -> Tensor:
        """Layers start + 1 … stop; the normalisation belongs to the layer that follows the crossing."""
        import torch

        for number in range(start, stop):
            if number == self.crossing:
                stream = self._normalise(stream)
            weight = torch.zeros(self.width, self.width, dtype=torch.float64)
            weight[:-1, :-1] = layers[number]
            weight[-1, -1] = t
            stream = torch.nn.functional.linear(stream, weight)
        return stream

    def _normalise(self, stream: Tensor) -> Tensor:
        import torch

        if self.kind == "layer":
            return torch.nn.functional.layer_norm(stream, (self.width,), eps=0.0)
        if self.kind == "rms":
            return torch.nn.functional.rms_norm(stream, (self.width,), eps=0.0)
        return stream - stream.mean(1, keepdim=True) if self.kind == "centre" else stream

    def dead_entries(self, probe: int, radii: tuple[float, ...] = _RADII) -> list[float]:
        """The dead diagonal entry of the gradient factor."""
        return [self.gradient_factor(t, probe)[:, -1].square().sum().item() for t in radii]


def _diagonal(label: str, chain: _Chain, probe: int, predicted: int, rivals: tuple[int, ...]) -> Comparison:
    return Comparison(
        f"{label}, probe at layer {probe}: rate of the dead diagonal",
        predicted,
        rate(_RADII, chain.dead_entries(probe)),
        tuple(rival for rival in rivals if rival != predicted),
        0.1,
        _REASON,
        "rate of a second moment",
    )


def measure() -> Experiment:
    plateau: list[Check] = []
    mixing: list[Check] = []
    depth: list[Check] = []
    curves: list[Curve] = []
    layer = _Chain("layer", 3)
    for probe, predicted in ((1, 4), (2, 2), (3, 0), (4, 2)):
        lower, upper = 2 * max(3 - probe, 0), 2 * (_DEPTH - probe)
        (plateau if probe <= 3 else depth).append(
            _diagonal("LayerNorm behind layer 3", layer, probe, predicted, (upper, predicted + 2, predicted + 1))
        )
        if probe <= 3:
            entries = layer.dead_entries(probe)
            found = limit(_RADII, [entry / t**lower for entry, t in zip(entries, _RADII, strict=True)], 1e-9)
            mixed = layer.mixed_in()
            mixing.append(
                Comparison(
                    f"LayerNorm, probe at layer {probe}: coefficient of t^{lower}",
                    mixed,
                    Interval(found.estimate, found.lower - 1e-9 * mixed, found.upper + 1e-9 * mixed),
                    (
                        0,
                        layer.mixed_in(scaled=0.0),
                        layer.mixed_in(centred=0.0),
                        layer.mixed_in(scaled=-1.0),
                        2 * mixed,
                    ),
                    1e-4 * mixed,
                    _REASON + "; predicted from the entries of J in closed form. Rivals leave out the mean or z_h, or "
                    "turn the sign of one: with a coefficient of zero the rate would be vacuous",
                    "coefficient of a second moment",
                )
            )
        curves.append(Curve(f"LayerNorm, layer {probe}", _RADII, tuple(layer.dead_entries(probe)), float(predicted)))
    for probe, predicted in ((1, 4), (2, 2), (3, 0)):
        plateau.append(
            _diagonal("centring only", _Chain("centre", 3), probe, predicted, (2 * (_DEPTH - probe), predicted + 2))
        )
    # the upper end: noise on the dead output alone sends no live gradient that could be mixed in
    for probe in (1, 2, 3):
        upper = 2 * (_DEPTH - probe)
        depth.append(
            _diagonal(
                "LayerNorm, noise on the dead output only",
                _Chain("layer", 3, dead_noise_only=True),
                probe,
                upper,
                (2 * (3 - probe), upper - 2, upper + 2),
            )
        )
    return Experiment(
        "Five linear torch layers of width 5, live parts orthogonal; gradient of ½‖f − y‖² with noise of variance "
        "0.09. Both ends of the bracket are attained.",
        {
            "Jacobian": _jacobian(),
            "mixing": mixing,
            "plateau": plateau,
            "full depth": depth,
            "RMSNorm": _root_mean_square(),
        },
        tuple(curves),
    )


def _jacobian() -> list[Check]:
    """Torch's derivative of LayerNorm against the closed form, and on the constants and on z."""
    import torch

    y = torch.randn(5, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    found = torch.func.jacrev(lambda x: torch.nn.functional.layer_norm(x, (5,), eps=0.0))(y)
    centred = y - y.mean()
    deviation = centred.square().mean().sqrt()
    z = centred / deviation
    projection = torch.eye(5, dtype=torch.float64) - 0.2
    closed = (projection - torch.outer(z, z) / 5) / deviation
    others = (projection / deviation, (projection - torch.outer(z, z)) / deviation)
    return [
        Comparison(
            "derivative of torch's LayerNorm less the closed form: largest entry",
            0,
            Interval.around(float((found - closed).abs().max()), 1e-14),
            tuple(float((found - other).abs().max()) for other in others),
            1e-12,
            "rounding; the rivals leave out z zᵀ, or its factor 1/d",
            "entry",
        ),
        *(
            Comparison(
                f"derivative of torch's LayerNorm on {name}: largest entry",
                0,
                Interval.around(float((found @ vector).abs().max()), 1e-14),
                (float(found.abs().max()),),
                1e-12,
                "rounding; the rival is the largest entry of the derivative",
                "entry",
            )
            for name, vector in (("the constants", torch.ones(5, dtype=torch.float64)), ("z", z))
        ),
    ]


def _root_mean_square() -> list[Check]:
    """RMSNorm behind layer `crossing`: its rate is 2 k_post + 2 min(k_pre, q), q = crossing."""
    return [
        _diagonal(
            f"RMSNorm behind layer {crossing}",
            _Chain("rms", crossing),
            probe,
            2 * (crossing - probe) + 2 * min(_DEPTH - crossing, crossing),
            (2 * (crossing - probe), 2 * (_DEPTH - probe)),
        )
        for crossing, probe in ((3, 1), (3, 2), (3, 3), (1, 1), (2, 1), (2, 2))
    ]


def control() -> Experiment:
    import torch

    checks: list[Check] = [
        _diagonal("no normalisation", _Chain("none", 3), probe, 2 * (_DEPTH - probe), (2 * (3 - probe),))
        for probe in (1, 2, 3)
    ]
    depth = [
        _diagonal("noise on all outputs", _Chain("layer", 3), probe, 2 * (3 - probe), (2 * (_DEPTH - probe),))
        for probe in (1, 2)
    ]
    y = torch.randn(5, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    scaled = torch.func.jacrev(lambda x: torch.nn.functional.rms_norm(x, (5,), eps=0.0))(y)
    lone = _Chain("layer", 3, dead_noise_only=True).dead_entries(2)
    none = limit(_RADII, [entry / t**2 for entry, t in zip(lone, _RADII, strict=True)], 1e-9)
    return Experiment(
        "Without normalisation the full depth counts; with noise on all outputs, which is mixed in, it does not; and "
        "with centring in the place of RMSNorm there is the plateau. RMSNorm has the input itself in its kernel, and "
        "not the constants; noise on the dead output alone leaves nothing that is mixed in.",
        {
            "Jacobian": [
                value_check(
                    "RMSNorm: its derivative on the constants, squared norm",
                    float((1 - y * y.mean() / y.square().mean()).square().sum() / y.square().mean()),
                    float((scaled @ torch.ones(5, dtype=torch.float64)).square().sum()),
                    rivals=(0, 5 / float(y.square().mean())),
                    reason="rounding; predicted by hand. The rivals are the kernel of LayerNorm, and no z zᵀ",
                    quantity="squared norm",
                )
            ],
            "mixing": [
                Comparison(
                    "noise on the dead output only, probe at layer 2: coefficient of t²",
                    0,
                    none,
                    (_Chain("layer", 3).mixed_in(),),
                    1e-3,
                    _REASON + "; the rival has noise on all outputs",
                    "coefficient of a second moment",
                )
            ],
            "plateau": checks,
            "full depth": depth,
            "RMSNorm": [_diagonal("centring", _Chain("centre", 3), 1, 4, (8, 6))],
        },
    )


def counterexample() -> Experiment:
    import torch

    chain = _Chain("layer", 3)
    checks: list[Check] = []
    curves: list[Curve] = []
    for probe in (1, 2):
        spectra = [torch.linalg.svdvals(chain.gradient_factor(t, probe)).flip(0) for t in _RADII]
        smallest = [float(spectrum[1]) ** 2 for spectrum in spectra]
        checks += [
            Comparison(
                f"probe at layer {probe}: rate of the smallest positive eigenvalue",
                0,
                rate(_RADII, smallest),
                (2 * (3 - probe), 2 * (_DEPTH - probe)),
                0.1,
                _REASON + "; the title predicts the plateau",
                "rate of an eigenvalue",
            ),
            *(
                count_check(
                    f"probe at layer {probe}, t = {radius:.2g}: exact zeros",
                    1,
                    int((spectrum < _ROUNDING * spectrum[-1]).sum()),
                    rivals=(0, 2),
                    reason="singular values below 1e-13 of the largest; the zero is the pull-back of the constant",
                )
                for radius, spectrum in ((_RADII[0], spectra[0]), (_RADII[-1], spectra[-1]))
            ),
        ]
        curves.append(Curve(f"smallest positive eigenvalue, layer {probe}", _RADII, tuple(smallest), 0.0))
    null = torch.linalg.svd(chain.gradient_factor(_RADII[-1], 1))[2][-1]
    checks.append(
        Comparison(
            "overlap of the null vector with the dead axis, layer 1, t = 2^−11",
            1,
            Interval.around(abs(float(null[-1])), 1e-9),
            (1 / 5**0.5, 0),
            1e-6,
            "1 − O(t⁴)",
            "cosine",
        )
    )
    narrow = _Chain("layer", 3, width=2)
    entry = narrow.dead_entries(2, (0.25,))[0]
    checks.append(
        Comparison(
            "width 2: dead diagonal below the LayerNorm",
            0,
            Interval.around(entry, 1e-20),
            (0.25**2 * _NOISE, 0.25**6 * _NOISE),
            1e-18,
            "rounding; a LayerNorm of two channels is a sign, and the bracket has no rate to hold",
            "second moment",
        )
    )
    return Experiment(
        "Below a LayerNorm the spectrum does not show the plateau: the pulled-back constant is an exact null vector "
        "that tends to the dead axis, and all other eigenvalues stay.",
        {TITLE: checks},
        tuple(curves),
    )
