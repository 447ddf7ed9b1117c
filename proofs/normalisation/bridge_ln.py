"""thm:bridge_ln: below a LayerNorm the dead diagonal falls with the layers up to the crossing; the spectrum not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy
from sympy import Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment, Observation
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.evidence import limit, rate

if TYPE_CHECKING:
    from torch import Tensor

_RADII = tuple(2.0**-n for n in range(4, 12))
_DEPTH, _NOISE = 5, 0.09
_ROUNDING = 1e-13
_REASON = "exact mean over the noise for 48 fixed inputs, extrapolated to t = 0; the only error is truncation"


def derive() -> Proof:
    width = 3
    y = symbols("y_1:4", real=True)
    s, d = symbols("s d", positive=True)
    mean = sum(y) / width
    centred = [value - mean for value in y]
    squares = sum(value**2 for value in centred) / width  # s²
    z = sympy.Matrix(centred) / s
    projection = sympy.eye(width) - sympy.ones(width) / width
    # quotient rule on c_i/s, with ∂s/∂y_j from ∂s²/∂y_j = 2 s ∂s/∂y_j
    jacobian = sympy.Matrix(
        width,
        width,
        lambda i, j: sympy.diff(centred[i], y[j]) / s - centred[i] * sympy.diff(squares, y[j]) / (2 * s) / s**2,
    )
    claimed = (projection - z * z.T / width) / s
    on_constants, on_z = claimed * sympy.ones(width, 1), claimed * z
    entries = [(row, column) for row in range(width) for column in range(width)]
    # the dead row, for any width: δ = live gradients with sum A and z-weighted sum Z, own gradient δ_h, own value z_h
    own, value, total, weighted = symbols("delta_h z_h A Z", real=True)
    component = (own - (own + total) / d - value * (weighted + value * own) / d) / s
    split = (1 - 1 / d - value**2 / d) * own / s - (total + value * weighted) / (d * s)
    t = Symbol("t", positive=True)
    post, pre, place = symbols("k_post k_pre q", integer=True, positive=True)
    a, b = symbols("a b", positive=True)
    layer = t**post * (b + a * t**pre)
    rms = t**post * (a * t**pre + b * t**place)
    return older_proof(
        steps=(
            Prose(
                "The Jacobian of z = Py/s, s = |Py|/√d, has the kernel spanned by 1 and z.",
                r"J = \frac1s \left(P - \tfrac1d z z^\top\right), \qquad J \mathbf 1 = J z = 0",
            ),
            Prose(
                "Its dead row mixes live gradients into the dead one: through the mean, and through z_h.",
                r"\frac1s \left(1 - \tfrac1d - \tfrac{z_h^2}d\right) \delta_h - \frac1{s d} \Big("
                r"\sum_{j \ne h} \delta_j + z_h \sum_{j \ne h} z_j \delta_j\Big)",
            ),
            Prose(
                "Live gradients do not decay, the dead one is t^{k_pre}; below the crossing both meet t^{k_post}.",
                r"t^{k_{post}} (b + a\,t^{k_{pre}}): \quad 2k_{post} \le \text{rate} \le 2(k_{post} + k_{pre})",
            ),
            Prose(
                "Without centring there is no mean, and z_h = O(t^q) behind q layers.",
                r"\text{RMSNorm}: \quad t^{k_{post}} (a\,t^{k_{pre}} + b\,t^{q}), \quad \text{rate } 2k_{post} + 2\min("
                r"k_{pre}, q)",
            ),
        ),
        residuals={
            **{f"Jacobian, entry {i + 1}, {j + 1}": jacobian[i, j] - claimed[i, j] for i, j in entries},
            **{f"J 1, entry {i + 1}": on_constants[i] for i in range(width)},
            **{
                f"J z times s⁴, entry {i + 1}": sympy.expand(on_z[i] * s**4).subs(s, sympy.sqrt(squares))
                for i in range(width)
            },
            "dead row": sympy.expand(component - split),
            "upper end, b = 0": layer.subs(b, 0) - a * t ** (post + pre),
            "RMSNorm, k_pre < q": sympy.powsimp(sympy.expand((rms / t ** (post + pre)).subs(place, pre + post)))
            - (a + b * t**post),
        },
        controls={
            **{
                f"J without the projection on z, entry {i + 1}, {j + 1}": jacobian[i, j] - projection[i, j] / s
                for i, j in ((0, 1), (2, 2))
            },
            "dead row without the mean": sympy.expand(
                component - (1 - value**2 / d) * own / s + value * weighted / (d * s)
            ),
            "RMSNorm at 2k_post": sympy.powsimp(sympy.expand(rms / t**post)).subs({pre: 1, place: 1}) - b,
        },
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
    checks: list[Check] = []
    curves: list[Curve] = []
    layer = _Chain("layer", 3)
    for probe, predicted in ((1, 4), (2, 2), (3, 0), (4, 2)):
        lower, upper = 2 * max(3 - probe, 0), 2 * (_DEPTH - probe)
        checks.append(
            _diagonal("LayerNorm behind layer 3", layer, probe, predicted, (upper, predicted + 2, predicted + 1))
        )
        if probe <= 3:
            entries = layer.dead_entries(probe)
            found = limit(_RADII, [entry / t**lower for entry, t in zip(entries, _RADII, strict=True)], 1e-9)
            mixed = layer.mixed_in()
            checks.append(
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
        checks.append(
            _diagonal("centring only", _Chain("centre", 3), probe, predicted, (2 * (_DEPTH - probe), predicted + 2))
        )
    # the upper end: noise on the dead output alone sends no live gradient that could be mixed in
    for probe in (1, 2, 3):
        upper = 2 * (_DEPTH - probe)
        checks.append(
            _diagonal(
                "LayerNorm, noise on the dead output only",
                _Chain("layer", 3, dead_noise_only=True),
                probe,
                upper,
                (2 * (3 - probe), upper - 2, upper + 2),
            )
        )
    return older_experiment(
        "Five linear torch layers of width 5, live parts orthogonal; gradient of ½‖f − y‖² with noise of variance "
        "0.09. Both ends of the bracket are attained.",
        tuple(checks),
        tuple(curves),
    )


def control() -> Experiment:
    checks: list[Check] = [
        _diagonal("no normalisation", _Chain("none", 3), probe, 2 * (_DEPTH - probe), (2 * (3 - probe),))
        for probe in (1, 2, 3)
    ]
    for crossing, probe in ((3, 1), (3, 2), (3, 3), (1, 1), (2, 1), (2, 2)):
        after = crossing - probe
        before = _DEPTH - crossing
        predicted = 2 * after + 2 * min(before, crossing)
        checks.append(
            _diagonal(f"RMSNorm behind layer {crossing}", _Chain("rms", crossing), probe, predicted, (2 * after,))
        )
    return older_experiment(
        "Without normalisation the full depth counts. RMSNorm scales without centring: its rate is 2k_post + "
        "2 min(k_pre, q), so the plateau comes from centring.",
        tuple(checks),
    )


def counterexample() -> Experiment:
    import torch

    chain = _Chain("layer", 3)
    checks: list[Check] = []
    curves: list[Curve] = []
    for probe in (1, 2):
        spectra = [torch.linalg.svdvals(chain.gradient_factor(t, probe)).flip(0) for t in _RADII]
        zeros = {int((spectrum < _ROUNDING * spectrum[-1]).sum()) for spectrum in spectra}
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
            Observation(
                f"probe at layer {probe}: exact zeros at every radius",
                "1",
                ", ".join(map(str, sorted(zeros))),
                "singular values below 1e-13 of the largest; the zero is the pull-back of the constant",
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
    return older_experiment(
        "Below a LayerNorm the spectrum does not show the plateau: the pulled-back constant is an exact null vector "
        "that tends to the dead axis, and all other eigenvalues stay.",
        tuple(checks),
        tuple(curves),
    )


CLAIM = Claim(
    id="thm:bridge_ln",
    title="LayerNorm crossing: the dead rate lies between 2k_post and 2(k_pre + k_post)",
    clauses=older_statement(
        r"With $k_{pre}$ weights above a LayerNorm and $k_{post}$ between probe and LayerNorm, the dead diagonal entry "
        r"of the gradient factor is $E[t^{2 k_{post}} (b + a\,t^{k_{pre}})^2]$, $b$ the live gradients that the "
        r"Jacobian $\frac1s (P - \frac1d z z^\top)$ mixes in: rate $2 k_{post}$ if $E b^2 > 0$, and "
        r"$2(k_{pre} + k_{post})$ if $b = 0$ and $E a^2 > 0$."
    ),
    source=cite("shirodkar2026dead", "thm:bridge_ln"),
    hypotheses=(
        "Width at least 3, and |Py| bounded away from 0.",
        "Labels carry noise, or are drawn from the model.",
        "The reading is that of the diagonal entry on the dead axis.",
    ),
    expected=Verdict.NARROWER,
    derive=derive,
    measure=measure,
    control=control,
    counterexample=counterexample,
    titled="that the dead direction below a LayerNorm is an eigenvalue with the rate of the plateau",
    doubts=(
        "D2: the plateau is visible on the diagonal only; the exact zero tends to the dead axis and every other "
        "eigenvalue is Θ(1). 2k_post is the lower end of the bracket and the value for ordinary losses; the upper end "
        "is attained when the noise touches the dead output alone. The plateau comes from centring: RMSNorm behind "
        "layer q has rate 2k_post + 2 min(k_pre, q)."
    ),
)
