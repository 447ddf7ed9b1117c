r"""A head's two methods against each other: the divergence must have the metric for its second derivative.

With δ = εv, D(f, f + δ) = ½ε² vᵀG(f)v + O(ε³) and ‖whitened(f, v)‖² = vᵀG(f)v, so that

    D(f, f + εv) / ε²  →  ½ ‖whitened(f, v)‖²   as ε → 0.

The left side is a power series in ε. It is read at six neighbouring steps ε, 2ε … 32ε and extrapolated to 0 by the
polynomial through them, which leaves O(ε⁶); the error of the limit is twice the change when the largest or the smallest
step is left out, plus the rounding of the steps carried through. From ε = 2⁻¹⁵ on, the last six steps whose limit is
known to a millionth of the metric are used: small enough to be about the limit, large enough to be clear of rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ddtheory.errors import DDTheoryError, InvalidValueError, MeasurementError
from ddtheory.measure.doors import count, seed_number, unreadable
from ddtheory.measure.extrapolation import SPREAD_SAFETY, Extrapolation
from ddtheory.measure.heads.head import Head, per_sample
from ddtheory.measure.heads.losses import as_head
from ddtheory.measure.hygiene import measuring
from ddtheory.shown import Shown, counted, decimal
from ddtheory.values import Interval

STEPS = tuple(2.0**-i for i in range(15, -1, -1))  # increasing
WINDOW = 6
AGREEMENT = 1e-6  # share of the metric by which the two methods may differ and be called the same
SETTLED = 1e-2  # an error bar beyond this share of the metric is no limit
LINEAR = 1e-9  # share of the norm that rounding may take from linearity
STEP_ROUNDING = 16.0  # rounding of f + δ, in ε(machine) of the outputs, that a divergence carries
ZERO_ROUNDING = 1e3  # the same for a divergence near zero: a sum of terms of the size of the outputs
UNSEEN = 1e-280  # a smaller metric is lost to underflow

_MOST_DIRECTIONS = 10_000


@dataclass(frozen=True, repr=False)
class HeadCheck(Shown):
    """The two methods of a head agree.

    Attributes:
        head: the name of its class.
        samples: how many of the samples have a metric that is not zero, and so say something.
        directions: tangents tried at each sample.
        gap: lim D/ε² − ½‖whitened‖² where it is largest, in units of the largest metric of that sample; it holds 0.
    """

    head: str
    samples: int
    directions: int
    gap: Interval

    def __str__(self) -> str:
        tried = f"{counted(self.samples, 'sample')}, {counted(self.directions, 'direction')} each"
        return f"{self.head}: both methods agree at {tried}, gap in [{self.gap.lower:.1e}, {self.gap.upper:.1e}]"

    def latex(self) -> str:
        gap = rf"[{decimal(self.gap.lower)}, {decimal(self.gap.upper)}]"
        return rf"\lim_{{\varepsilon \to 0}} D/\varepsilon^2 - \tfrac12 \|\text{{whitened}}\|^2 \in {gap}"

    def rows(self) -> Mapping[str, str]:
        return {
            "head": self.head,
            "samples": str(self.samples),
            "directions": str(self.directions),
            "gap": f"{self.gap.estimate:.1e} in [{self.gap.lower:.1e}, {self.gap.upper:.1e}]",
        }


def check_head(head: Head, outputs: Tensor, *, directions: int = 8, seed: int = 0) -> HeadCheck:
    r"""Check that `divergence` and `whitened` of a head belong together, at given outputs f.

    At random tangents v (normal, all entries at once, so that a missing cross term is seen; in units of the metric
    where that is large, so that narrow laws are stepped within)

    - D(f, f + εv)/ε² → ½‖whitened(f, v)‖², to a millionth of the largest metric of the sample;
    - whitened(f, au + bv) = a whitened(f, u) + b whitened(f, v);
    - D ≥ 0, and D(f, f) = 0;
    - shapes and dtype: whitened (batch, …), divergence (batch,), both float64 and finite.

    It cannot see an error that both methods share, such as a wrong variance, nor whether D is KL(q ‖ p) or KL(p ‖ q),
    which have one metric.

    Args:
        head: any object with the methods of `Head`; batches may have any size.
        outputs: shape (batch, …), float64. Take typical outputs and extreme ones.
        directions: tangents for each sample, at least two.
        seed: of the tangents.

    Raises:
        InvalidValueError: outputs that are not a finite float64 tensor with a batch, or fewer than two directions.
        MeasurementError: the methods disagree, or one of them fails; the message says where and by how much.

    >>> from ddtheory.measure import ExponentialFamily, Gaussian
    >>> zero = torch.zeros(1, 1, dtype=torch.float64)
    >>> check_head(ExponentialFamily(torch.exp), zero).gap.contains(0.0)     # (e^ε − 1 − ε)/ε² → 1/2, variance 1
    True
    >>> class Doubled(Gaussian):
    ...     def divergence(self, truth_outputs, outputs):                     # forgets the ½ of ‖f − f0‖²/(2σ²)
    ...         return 2 * super().divergence(truth_outputs, outputs)
    >>> try:
    ...     check_head(Doubled(), zero)
    ... except MeasurementError as error:
    ...     "2 times" in str(error)
    True
    """
    as_head(head)
    _check_input(outputs)
    directions, seed = count("directions", directions, 2, _MOST_DIRECTIONS), seed_number(seed)
    name, samples = type(head).__name__, outputs.shape[0]
    at = outputs.detach().repeat(directions, *[1] * (outputs.ndim - 1))  # direction by direction, samples within
    drawn = torch.randn(at.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(at.device)
    with measuring():
        size = per_sample(_whitened(head, at, drawn, name).square()).sqrt()
        tangents = drawn / size.clamp_min(1.0).reshape(-1, *[1] * (at.ndim - 1))
        whitened = _whitened(head, at, tangents, name)
        _check_linear(head, at, tangents, whitened, samples, name)
        values = _quotients(head, at, tangents, samples, name)
    half = 0.5 * per_sample(whitened.square())
    # a metric that is wrongly zero must be seen, and a quotient that grows without bound must not set the scale
    lowest = values.abs().nan_to_num(nan=torch.inf).amin(dim=0).nan_to_num(posinf=0.0)
    scale = torch.maximum(half, lowest).reshape(directions, samples).amax(dim=0).repeat(directions)
    seen = scale > UNSEEN
    if not bool(seen.any()):
        raise MeasurementError(
            f"{name}: metric and divergence vanish at all of these outputs in every direction, so nothing is compared. "
            "Give outputs at which the law of the label moves."
        )
    limit, error = _limits(values, _rounding(at, tangents), scale)
    unsettled = seen & ~(error <= SETTLED * scale)
    if bool(unsettled.any()):
        index = int(unsettled.nonzero()[0])
        shown = ", ".join(f"{float(values[i, index]):.4g} at ε = {STEPS[i]:.2g}" for i in range(0, len(values), 5))
        raise MeasurementError(
            f"{name}: at sample {index % samples}, D(f, f + εv)/ε² has no limit as ε → 0: it is {shown}. A divergence "
            "is quadratic in small steps: look for a kink, for cancellation, or for a domain that ends here."
        )
    gap, allowed = (limit - half) / scale, error / scale + AGREEMENT
    wrong = seen & (gap.abs() > allowed)
    if bool(wrong.any()):
        raise MeasurementError(f"{name}: {_disagreement(limit, error, half, wrong, samples)}")
    worst = int(torch.where(seen, gap.abs(), 0.0).argmax())
    found = Interval.around(float(gap[worst]), float(allowed[worst]))
    return HeadCheck(name, int(seen[:samples].sum()), directions, found)


def _check_input(outputs: Tensor) -> None:
    dense = isinstance(outputs, Tensor) and not unreadable(outputs)
    if not dense or outputs.dtype != torch.float64 or outputs.ndim == 0 or outputs.numel() == 0:
        given = f"{tuple(outputs.shape)} {outputs.dtype}" if isinstance(outputs, Tensor) else type(outputs).__name__
        raise InvalidValueError(f"The outputs are {given}; give a float64 tensor (batch, …), such as outputs.double().")
    if not bool(torch.isfinite(outputs).all()):
        raise InvalidValueError("The outputs are NaN or infinite. Give those of a model that stands in its domain.")


def _called(method: Callable[[Tensor, Tensor], Tensor], first: Tensor, second: Tensor, what: str) -> Tensor:
    try:
        found = method(first, second)
    except DDTheoryError:
        raise
    except Exception as error:  # somebody else's code: whatever it raises, the head is named
        raise MeasurementError(f"{what} fails on outputs of shape {tuple(first.shape)}: {error}") from error
    if not isinstance(found, Tensor):
        raise MeasurementError(f"{what} returns {type(found).__name__}, not a tensor.")
    if found.dtype != torch.float64:
        raise MeasurementError(f"{what} turns float64 into {found.dtype}. Keep the dtype of the outputs.")
    return found


def _whitened(head: Head, outputs: Tensor, tangents: Tensor, name: str) -> Tensor:
    found = _called(head.whitened, outputs, tangents, f"{name}.whitened")
    if found.shape[:1] != outputs.shape[:1]:
        raise MeasurementError(
            f"{name}.whitened returns shape {tuple(found.shape)} for outputs {tuple(outputs.shape)}. Return one row a "
            "sample, shape (batch, …), whose squared norm is the metric."
        )
    if not bool(torch.isfinite(found).all()):
        raise MeasurementError(f"{name}.whitened is NaN or infinite at these outputs.")
    return found


def _divergence(head: Head, truth: Tensor, outputs: Tensor, name: str) -> Tensor:
    found = _called(head.divergence, truth, outputs, f"{name}.divergence")
    if found.shape != outputs.shape[:1]:
        raise MeasurementError(
            f"{name}.divergence returns shape {tuple(found.shape)} for outputs {tuple(outputs.shape)}. Return one "
            "number a sample, shape (batch,): the sum over everything but the samples."
        )
    if bool((found < -_slack(outputs)).any()):
        raise MeasurementError(f"{name}.divergence is {float(found.min()):.4g} < 0. A divergence has one sign.")
    return found


def _slack(terms: Tensor) -> float:
    """What rounding makes of zero where it is a sum of terms of the size of these."""
    return ZERO_ROUNDING * torch.finfo(torch.float64).eps * (1.0 + float(terms.abs().max()))


def _check_linear(head: Head, outputs: Tensor, tangents: Tensor, whitened: Tensor, samples: int, name: str) -> None:
    """whitened(½u − 2v) against its parts; u and v are the tangents of neighbouring directions."""
    found = _whitened(head, outputs, 0.5 * tangents - 2.0 * tangents.roll(samples, 0), name)
    other = whitened.roll(samples, 0)
    size = per_sample(whitened.square() + other.square()).sqrt()
    off = per_sample((found - (0.5 * whitened - 2.0 * other)).square()).sqrt()
    excess = off - LINEAR * size - _slack(tangents)
    if bool((excess > 0).any()):
        index = int(excess.argmax())
        raise MeasurementError(
            f"{name}.whitened is not linear in the tangents: at sample {index % samples} it sends ½u − 2v to something "
            f"{float(off[index]):.3g} away from ½ whitened(u) − 2 whitened(v), of norms {float(size[index]):.3g}."
        )


def _quotients(head: Head, outputs: Tensor, tangents: Tensor, samples: int, name: str) -> Tensor:
    """D(f, f + εv)/ε², one row a step, from the smallest on; a large step may leave the domain of the law."""
    at_truth = _divergence(head, outputs, outputs, name)
    if not bool((at_truth <= _slack(outputs)).all()):
        raise MeasurementError(
            f"{name}.divergence of a law to itself is {float(at_truth.max()):.4g}, not 0, at sample "
            f"{int(at_truth.argmax()) % samples}."
        )
    rows: list[Tensor] = []
    for step in STEPS:
        try:
            rows.append(_divergence(head, outputs, outputs + step * tangents, name) / step**2)
        except MeasurementError:
            if len(rows) < WINDOW:
                raise
            break
    return torch.stack(rows)


def _rounding(outputs: Tensor, tangents: Tensor) -> Tensor:
    """The relative rounding of each quotient: that of f + εv − f, one row a step."""
    ratio = outputs.reshape(len(outputs), -1).abs().amax(1) / tangents.reshape(len(outputs), -1).abs().amax(1)
    return STEP_ROUNDING * torch.finfo(torch.float64).eps * torch.stack([1.0 + ratio / step for step in STEPS])


def _limits(values: Tensor, rounding: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """The limit of each column for ε → 0 and its error, from the last window that knows it well, or the best one."""
    rule = Extrapolation(STEPS[:WINDOW])
    full, most, least = (
        torch.tensor(weights, dtype=values.dtype, device=values.device)
        for weights in (rule.full, [*rule.without_largest, 0.0], [0.0, *rule.without_smallest])
    )
    windows = values.unfold(0, WINDOW, 1)
    limits = windows @ full
    spread = torch.maximum((limits - windows @ most).abs(), (limits - windows @ least).abs())
    carried = (windows.abs() * rounding[: len(values)].unfold(0, WINDOW, 1)) @ full.abs()
    errors = (SPREAD_SAFETY * spread + carried).nan_to_num(nan=torch.inf)
    good = errors <= AGREEMENT * scale
    last = len(errors) - 1 - good.flip(0).int().argmax(dim=0)  # the larger the steps, the less rounding
    chosen = torch.where(good.any(dim=0), last, errors.argmin(dim=0)).unsqueeze(0)
    return limits.gather(0, chosen)[0], errors.gather(0, chosen)[0]


def _disagreement(limit: Tensor, error: Tensor, half: Tensor, wrong: Tensor, samples: int) -> str:
    index = int(wrong.nonzero()[0])
    ratios = limit[wrong] / half[wrong]
    told = (
        f"at sample {index % samples}, D(f, f + εv)/ε² → {float(limit[index]):.8g} ± {float(error[index]):.1g}, but "
        f"½‖whitened(f, v)‖² = {float(half[index]):.8g}"
    )
    if bool(((ratios - ratios[0]).abs() <= 1e-3 * ratios[0].abs()).all()):
        return (
            f"{told}: {float(ratios[0]):.4g} times as much in every direction. A factor is missing in one of the two: "
            "the divergence is ½ vᵀGv to leading order, in nats, and whitened has the root of G."
        )
    return (
        f"{told}, and the ratio changes with the direction. Look for a cross term between outputs that one of the two "
        "leaves out, for a divergence lost in rounding, or for methods of two different laws."
    )
