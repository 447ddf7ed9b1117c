"""The read of a checkpoint: gauges, one pass over all units, then paths for the candidates only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from ddtheory.arguments import list_of
from ddtheory.errors import DDTheoryError, InvalidValueError, MeasurementError, shown
from ddtheory.gauges.finding import FoundGauges
from ddtheory.measure.borrowed import borrowed
from ddtheory.measure.doors import count
from ddtheory.measure.heads.heads import Categorical, Head
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.matrices.layers import submodules
from ddtheory.measure.orders.ladder import order_along
from ddtheory.measure.setting.problem import Problem
from ddtheory.reads.bracket import Bracket, counted_ranks, fewer_rows
from ddtheory.reads.evidence import MILLION, Costs, Evidence, along_orbit, is_flat, measured
from ddtheory.reads.explained import drawn
from ddtheory.reads.flow import Flow, flows
from ddtheory.reads.gauge_finding import gauges_of
from ddtheory.reads.joint import JointSet, together
from ddtheory.reads.orbit import fitting
from ddtheory.reads.proposal import Proposal
from ddtheory.reads.result import Census, LayerSummary, Reading, Row
from ddtheory.reads.survey import Survey, survey
from ddtheory.reads.table import DETECTORS, Detector
from ddtheory.reads.verdicts import CHEAP, DEAR, Standing, judged
from ddtheory.values import Interval

PLAINLY = 10.0 * DEAR
"""n·K to second order beyond which a unit is live, and nothing more is measured of it."""

PLAINLY_BETWEEN = (10.0 * CHEAP, DEAR / 10.0)
"""n·K to second order that lies between the scales by a factor of ten on both sides, which is enough for a network so
large that a forward pass for each unit takes minutes."""

MOST_PROPOSALS = 1_000_000


def read(
    model: Any,
    inputs: Any = None,
    *,
    head: Head | None = None,
    n: int | None = None,
    detectors: Iterable[Detector] | None = None,
    output: str | int | None = None,
    batch_size: int | None = None,
    weights: Tensor | None = None,
    mask: str | Tensor | None = None,
    per: str = "sample",
) -> Reading:
    r"""The singular structure near the parameters of a network: what is gauge, what is dead, to which order.

    Every candidate of the detectors is repaired, so that a singular point θ* near θ0 is reached; its direction u is
    *dead of order k at sample size n* when n·K(θ0 ‖ θ*) ≤ 0.01, the order at θ* along u is k ≥ 2, and the reading from
    both sides, F*(t) = √(F(t)F(−t)) at θ0, has slope 2(k − 1) ± 0.15 over three octaves. A direction along which K
    vanishes at θ* is dead and "flat" when n·K stays below 0.01 from θ0 up to |t| = 1/2. One that the orbits of gauges
    explain, K being zero along the orbit, is gauge. n·K ≥ 10 is live, in between is between scales; cheap candidates
    that are not read from θ0 are pre-asymptotic, at a distance s. The network is its own teacher, on these inputs.

    Beside the census stands the bracket rank J/2 ≤ λ ≤ (d − s)/2; of more than 2048 parameters 1024 rows of J are
    read, of more than a million 64, which keeps the lower side true, and s is counted in parts that hang together.
    Gauges of more than a million parameters are measured at two points of their orbits, and not read along paths.

    Magnitudes of all units come from one forward pass and four reverse ones; only units with n·K < 100 to second order
    are candidates. Of more than a million parameters, units with n·K between 0.1 and 1 to second order are counted as
    plainly between the scales, and a cheap one with s > 1/2 is pre-asymptotic with no order read.

    Args:
        model: a torch module in evaluation mode, or a `measure.Problem` made from one; it is not changed.
        inputs, head, output, batch_size, weights, mask, per: as in `Problem.from_module`; left out with a problem.
        n: the sample size of the question, which need not be the number of inputs.
        detectors: those of `ddtheory.reads.DETECTORS` when left out.

    Raises:
        InvalidValueError: no n, no head, detectors that are none or stand twice, arguments beside a problem.
        MeasurementError: see `Problem.from_module`; logits of one class.

    Source: reading off canonical alignment, Shirodkar 2026, Measuring Dead Directions; the definition is ours.

    >>> import torch
    >>> from ddtheory.measure import Gaussian
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh(), torch.nn.Linear(2, 1)).double()
    >>> with torch.no_grad():
    ...     for value, numbers in zip(net.parameters(), ([[1.0, 0.5], [0, 0]], [0.5, 0], [[1.0, 0]], [0.0])):
    ...         _ = value.copy_(torch.tensor(numbers))
    >>> reading = read(net, torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]]), head=Gaussian(), n=1000)
    >>> [str(row) for row in reading.dead]                          # tanh has order 1 at 0
    ['0 unit 1, node death: dead (2 [2.000, 2.000])']
    >>> reading.bracket.lower, reading.bracket.upper       # 3 samples; 9 parameters, and a gauge of signs has no orbit
    (Fraction(3, 2), Fraction(9, 2))
    """
    problem = _problem(model, inputs, head, output, batch_size, weights, mask, per)
    _law_says_something(problem)
    if n is None:
        raise InvalidValueError(
            "Say n=… (--n on the command line), the sample size: a direction is dead or live at a sample size, not by "
            "itself."
        )
    n = count("n", n)
    chosen = list(DETECTORS.values()) if detectors is None else list_of(detectors, "The detectors")
    for detector in chosen:
        if not isinstance(detector, Detector):
            raise InvalidValueError(f"A detector is {shown(detector)}; give values of ddtheory.reads.DETECTORS.")
    if len(set(map(id, chosen))) < len(chosen):
        raise InvalidValueError("A detector stands twice in the list, and would propose all twice. Give it once.")
    found = gauges_of(problem)
    every = flows(found.gauges)
    seen = survey(problem)
    rows = [_gauge_row(problem, flow, number) for number, flow in enumerate(every)]
    rows = [row for row in rows if row is not None]
    candidates: list[tuple[Proposal, Evidence]] = []
    live: Counter[str] = Counter()
    between: Counter[str] = Counter()
    costs = Costs(problem)
    surveyed: Counter[str] = Counter()
    first, large = len(rows), problem.dimension > MILLION
    for detector in chosen:
        for proposal in proposals(detector, seen):
            surveyed[proposal.layer] += 1
            price = None if proposal.magnitude is None else n * proposal.magnitude
            if price is not None and price >= PLAINLY:
                live[proposal.layer] += 1
            elif price is not None and large and PLAINLY_BETWEEN[0] <= price <= PLAINLY_BETWEEN[1]:
                between[proposal.layer] += 1
            else:
                candidates.append((proposal, measured(problem, proposal, every, CHEAP / n, costs=costs)))
    kept = [replace(row, number=i) for i, row in enumerate(rows) if row is not None]
    kept += [_row(first + i, proposal, evidence, n) for i, (proposal, evidence) in enumerate(candidates)]
    return Reading(
        f"{type(submodules(problem)['']).__name__} with {type(problem.head).__name__} outputs",
        problem.dimension,
        n,
        Census(tuple(kept)),
        _layers(kept, surveyed, live, between),
        _joint(problem, kept[first:], candidates, n),
        found,
        *_bracketed(problem, found),
        seen.unsurveyed,
    )


def _bracketed(problem: Problem, found: FoundGauges) -> tuple[Bracket | None, str]:
    """The bracket of λ from the gauges that were found, as many as can be counted, or why there is none."""
    gauges = fitting(found.gauges, problem.truth)
    try:
        return counted_ranks(problem, gauges, None, fewer_rows(problem), seed=0, sought=True), ""
    except (InvalidValueError, MeasurementError) as error:
        return None, str(error)


def _problem(
    model: Any, inputs: Any, head: Any, output: Any, batch_size: Any, weights: Any, mask: Any, per: Any
) -> Problem:
    if isinstance(model, Problem):
        if any(given is not None for given in (inputs, head, output, batch_size, weights, mask)) or not (
            type(per) is str and per == "sample"
        ):
            raise InvalidValueError(
                "A problem has its inputs, head, weights and mask already. Give the problem and n alone, or a module."
            )
        submodules(model)
        return model
    if inputs is None:
        raise InvalidValueError("There are no inputs, and a read is on data. Give read(model, inputs, head=…, n=…).")
    if head is None:
        raise InvalidValueError(
            "Say head=…, the law of the label: measure.Gaussian(variance) for regression, measure.Categorical() for "
            "logits."
        )
    return Problem.from_module(
        model, inputs, head, output=output, batch_size=batch_size, weights=weights, mask=mask, per=per
    )


def proposals(detector: Detector, seen: Survey) -> list[Proposal]:
    """What a detector proposes.

    Raises:
        MeasurementError: it fails.
        InvalidValueError: what it proposes are no proposals.
    """
    with borrowed(f"The detector {detector.name!r} fails", "It gets a survey, and returns proposals."):
        made = detector.find(seen)
        found = list_of(made, f"What the detector {detector.name!r} proposes", MOST_PROPOSALS)
    for proposal in found:
        if not isinstance(proposal, Proposal):
            raise InvalidValueError(f"The detector {detector.name!r} proposes {shown(proposal)}; give a Proposal.")
    return found


def _law_says_something(problem: Problem) -> None:
    """Refuse a law of one class: K = 0 whatever the parameters are, and everything would read as flat."""
    with measuring():
        inputs, _ = next(problem.batches())
        shape = tuple(problem.truth_outputs(inputs).shape)
    if isinstance(problem.head, Categorical) and shape[-1] < 2:
        raise MeasurementError(
            f"The outputs have shape {shape}: one class along the last axis, which has probability 1 whatever the "
            "parameters are. Give logits of two classes or more, or measure.Bernoulli() for one logit."
        )


def _row(number: int, proposal: Proposal, found: Evidence, n: int) -> Row:
    verdict = judged(found, n)
    law, floor = found.law, 0.0 if found.sides is None else found.sides.divergence_floor
    ray = (
        "not read"
        if found.sides is None
        else ("no law over three octaves" if law is None else f"order {law.k} from both sides")
    )
    orbit = f"{found.share:.2g} of the direction" if found.share > 1e-12 else "no part of the direction"
    if found.orbit is not None:
        orbit += f", {found.orbit.status.value if found.orbit.k is None else f'order {found.orbit.k}'} along it"
    same = law is not None and law.k == verdict.order
    interval = None if found.repaired is None or found.repaired.k is None else _interval(found)
    return Row(
        number,
        proposal.layer,
        proposal.place,
        proposal.type,
        verdict.verdict,
        verdict.order,
        verdict.flat,
        interval if verdict.order is not None else None,
        law.window if law is not None and same else None,
        found.distance,
        priced(found.cost, floor, n),
        ray,
        orbit if found.sides is not None else "not read",
        verdict.why,
        found.sides,
    )


def priced(cost: float, floor: float, n: int) -> Interval:
    """n·K with its rounding: K is a square, whose root is known to √floor.

    >>> priced(4.0, 1.0, 1)
    Interval(estimate=4.0, lower=1.0, upper=9.0)
    """
    root, error = cost**0.5, floor**0.5
    return Interval(n * cost, n * min(cost, max(0.0, root - error) ** 2), n * max(cost, (root + error) ** 2))


def _interval(found: Evidence) -> Interval | None:
    reading = found.repaired
    assert reading is not None
    return reading.below.interval if hasattr(reading, "below") else reading.interval


def _gauge_row(problem: Problem, flow: Flow, number: int) -> Row | None:
    """A drawn direction along the orbit of a gauge: what the straight ray says, and what the orbit says."""
    way = drawn(flow, problem.truth, number)
    if not any(bool(block.any()) for block in way.tangent.values()):
        return None
    place = ", ".join(flow.gauge.parameters)
    if problem.dimension > MILLION:
        why = "the function stays to 1e-11 at two points of the orbit; of a million parameters no paths are read"
        return _plain(flow, place, Standing.GAUGE, "not read", "not read", why)
    try:
        straight, along = order_along(problem, dict(way.tangent)), along_orbit(problem, way)
    except DDTheoryError as error:
        return _plain(flow, place, Standing.UNDECIDED, "not read", "not read", str(error))
    ray = f"order {straight.k}" if straight.k is not None else straight.status.value
    orbit = f"order {along.k}" if along.k is not None else along.status.value
    if is_flat(along):
        return _plain(flow, place, Standing.GAUGE, ray, orbit, "K = 0 along the orbit; the table has the rule")
    return _plain(flow, place, Standing.UNDECIDED, ray, orbit, f"along the orbit: {along}")


def _plain(flow: Flow, place: str, verdict: Standing, ray: str, orbit: str, why: str) -> Row:
    layer = place.split(", ")[0].rpartition(".")[0] or place
    flat = verdict is Standing.GAUGE
    zero = Interval(0.0, 0.0, 0.0)
    return Row(0, layer, place, f"gauge: {flow.rule}", verdict, None, flat, None, None, 0.0, zero, ray, orbit, why)


def _layers(
    rows: Sequence[Row], surveyed: Counter[str], live: Counter[str], between: Counter[str]
) -> tuple[LayerSummary, ...]:
    verdicts: dict[str, Counter[Standing]] = {name: Counter() for name in surveyed}
    for row in rows:
        verdicts.setdefault(row.layer, Counter())[row.verdict] += 1
    return tuple(
        LayerSummary(name, surveyed[name], live[name], found, between[name]) for name, found in verdicts.items()
    )


def _joint(
    problem: Problem, rows: Sequence[Row], candidates: Sequence[tuple[Proposal, Evidence]], n: int
) -> tuple[JointSet, ...]:
    def chosen(*verdicts: Standing) -> list[tuple[int, Proposal, float, bool]]:
        return [
            (row.number, proposal, found.cost, row.flat)
            for row, (proposal, found) in zip(rows, candidates, strict=True)
            if row.verdict in verdicts
        ]

    dead, cheap = chosen(Standing.DEAD), chosen(Standing.DEAD, Standing.PRE_ASYMPTOTIC)
    sets = [together("dead", problem, dead, n)]
    if len(cheap) > len(dead):
        sets.append(together("dead or pre-asymptotic", problem, cheap, n))
    return tuple(each for each in sets if each is not None)
