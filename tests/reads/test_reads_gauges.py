"""Gauges: what they explain of a direction, by a second computation; and that none of them is called dead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import planted
import pytest
import torch
from torch import Tensor, nn

from ddtheory.gauges import Gauge, Group, Kernel, Leg, Motion, Taker, find_gauges, moved
from ddtheory.measure import Gaussian, Problem
from ddtheory.measure.setting.parameters import flatten
from ddtheory.reads import DETECTORS, Detector, Proposal, Standing, read
from ddtheory.reads.evidence import measured
from ddtheory.reads.explained import drawn, explained, orbit
from ddtheory.reads.flow import TRANSLATING, Flow, flows, generators, tangent
from ddtheory.reads.verdicts import judged


def rescaled(size: float = 1.0) -> tuple[nn.Module, Tensor]:
    plant = planted.hidden_layer("relu", size)
    return plant.model, plant.inputs


def two_linear() -> tuple[nn.Module, Tensor]:
    draw = planted.Draw(2)
    return draw.fill(nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 2))), draw(32, 3)


def attention() -> tuple[nn.Module, Tensor]:
    draw = planted.Draw(3)
    model = planted.Block()
    draw.fill(model)
    return model, torch.randint(0, 7, (16, 4), generator=draw.generator)


def shared_heads() -> tuple[nn.Module, Tensor]:
    plant = planted.shared_heads(1.0, rotary=True)
    return plant.model, plant.inputs


def interleaved() -> tuple[nn.Module, Tensor]:
    plant = planted.shared_heads(1.0, interleaved=True)
    return plant.model, plant.inputs


class Residual(nn.Module):
    """A map from a stream to itself, square, so that a rotation of the stream acts on both of its sides."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.inner, self.last = (nn.Linear(3, 3, bias=False) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        stream = self.first(x)
        found: Tensor = self.last(stream + self.inner(stream))
        return found


def residual() -> tuple[nn.Module, Tensor]:
    draw = planted.Draw(4)
    return draw.fill(Residual()), draw(20, 3)


def groups() -> tuple[nn.Module, Tensor]:
    plant = planted.grouped(1.0)
    return plant.model, plant.inputs


MODELS = {
    "rescaling": rescaled,
    "two linear maps": two_linear,
    "attention": attention,
    "rotary, shared heads": shared_heads,
    "rotary, interleaved": interleaved,
    "residual stream": residual,
    "groups, a centre": groups,
}


def all_tangents(flow: Flow, parameters: dict[str, Tensor]) -> Iterator[Tensor]:
    """The tangent vectors of one gauge, generator by generator."""
    for generator in generators(flow, parameters):
        step = tangent(flow, generator, parameters)
        yield flatten({name: step.get(name, torch.zeros_like(value)) for name, value in parameters.items()})


@pytest.mark.parametrize("model", MODELS)
def test_the_part_along_orbits_is_that_of_least_squares(model: str) -> None:
    """One gauge after another, in eigenbases, against one dense least-squares problem of all tangent vectors."""
    network, inputs = MODELS[model]()
    parameters = {name: value.detach() for name, value in network.named_parameters()}
    every = [flow for flow in flows(find_gauges(network, inputs).gauges) if flow.gauge.group is not Group.SHIFT]
    assert every
    basis = torch.stack([vector for flow in every for vector in all_tangents(flow, parameters)], dim=1)
    draw = planted.Draw(5)
    for along in (0.0, 1.0):
        unit = draw(basis.shape[0]) * (1 - along) + basis @ draw(basis.shape[1]) * along
        unit = unit / unit.norm()
        expected = float((basis @ torch.linalg.lstsq(basis, unit[:, None], driver="gelsd").solution).norm() ** 2)
        found = explained(every, parameters, dict(unflat(unit, parameters)))
        assert found.share == pytest.approx(expected, abs=1e-9)
        assert (found.share > 1 - 1e-6) is bool(along)


@pytest.mark.parametrize("blocks", [1, 2])
def test_the_part_along_rotations_alone(blocks: int) -> None:
    """A rotation without scales, as beside a norm without gain: antisymmetric generators, by least squares."""
    draw = planted.Draw(7)
    parameters = {"a": draw(4, 3), "b": draw(2, 4)}
    (flow,) = flows([Gauge("turn", Group.ROTATION, 4, (Leg("a"), Leg("b", 1, dual=True)), blocks)])
    basis = torch.stack(list(all_tangents(flow, parameters)), dim=1)
    assert basis.shape[1] == {1: 6, 2: 2}[blocks]
    for unit in (draw(20), basis @ draw(basis.shape[1])):
        unit = unit / unit.norm()
        expected = float((basis @ torch.linalg.lstsq(basis, unit[:, None]).solution).norm() ** 2)
        assert explained([flow], parameters, dict(unflat(unit, parameters))).share == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    "gauge",
    [
        Gauge("shift", Group.SHIFT, 3, (Leg("w", 1),)),
        Gauge("bias", Group.TRANSLATION, 2, (Leg("bias"), Leg("w", 0, dual=True))),
        Gauge("kernel", Group.KERNEL, 3, (Leg("w", 1),), kernel=Kernel("gain", "offset", "bias")),
        Gauge("kernel without offset", Group.KERNEL, 3, (Leg("w", 1),), kernel=Kernel("gain")),
        Gauge("taken up", Group.BIAS, 2, (Leg("bias"),), takers=(Taker(Leg("v", 1), "gain"),)),
    ],
    ids=lambda gauge: gauge.rule,
)
def test_the_part_along_what_adds(gauge: Gauge) -> None:
    """By least squares; and the orbit is the straight line that `moved` goes along."""
    draw = planted.Draw(8)
    parameters = {"w": draw(2, 3), "bias": draw(2), "gain": draw(3), "offset": draw(3), "v": draw(3, 2)}
    (flow,) = flows([gauge])
    basis = torch.stack(list(all_tangents(flow, parameters)), dim=1)
    assert basis.shape[1] == 2
    for unit in (draw(20), basis @ draw(2)):
        unit = unit / unit.norm()
        expected = float((basis @ torch.linalg.lstsq(basis, unit[:, None]).solution).norm() ** 2)
        assert explained([flow], parameters, dict(unflat(unit, parameters))).share == pytest.approx(expected, abs=1e-12)
    step = flatten(moved(gauge, parameters)) - flatten(parameters)
    assert step.norm() > 0.1 and (step - basis @ torch.linalg.lstsq(basis, step[:, None]).solution[:, 0]).norm() < 1e-12
    way = drawn(flow, parameters, 0)
    there = orbit(way, parameters)(torch.tensor(0.5, dtype=torch.float64))
    length = flatten({name: way.tangent[name] for name in way.tangent}).norm()
    assert all(torch.allclose(there[name], parameters[name] + 0.5 * way.tangent[name] / length) for name in there)


def unflat(vector: Tensor, like: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    place = 0
    for name, value in like.items():
        yield name, vector[place : place + value.numel()].reshape(value.shape)
        place += value.numel()


@pytest.mark.parametrize("model", MODELS)
def test_the_orbit_leaves_the_function_in_place_and_the_ray_does_not(model: str) -> None:
    network, inputs = MODELS[model]()
    parameters = {name: value.detach() for name, value in network.named_parameters()}
    here = network(inputs).detach()
    for flow in flows(find_gauges(network, inputs).gauges):
        way = drawn(flow, parameters, 0)
        t = torch.tensor(0.25, dtype=torch.float64)
        length = sum(float(block.square().sum()) for block in way.tangent.values()) ** 0.5
        for curved in (True, False):
            straight = {name: parameters[name] + t * block / length for name, block in way.tangent.items()}
            there = orbit(way, parameters)(t) if curved else straight
            gap = (torch.func.functional_call(network, {**parameters, **there}, inputs) - here).abs().max()
            stays = curved or flow.gauge.group in TRANSLATING  # whose orbits are straight
            assert float(gap) < 1e-11 if stays else float(gap) > 1e-5


def along_gauges() -> Detector:
    """The false friend: directions along the orbits, at the checkpoint itself."""

    def find(survey):  # type: ignore[no-untyped-def]
        problem = survey.problem
        for flow in flows(find_gauges(problem.model.module, problem.inputs).gauges):
            way = drawn(flow, problem.truth, 1)
            yield Proposal("along a gauge", "everywhere", flow.rule, lambda theta: {}, lambda way=way: way.tangent)

    return Detector("along gauges", "none", "false friends", "the checkpoint", "along orbits", find)


@pytest.mark.parametrize("model", ["rescaling", "two linear maps"])
def test_no_gauge_is_called_dead(model: str) -> None:
    network, inputs = MODELS[model]()
    reading = read(network, inputs, head=Gaussian(), n=1000, detectors=[along_gauges()])
    rows = [row for row in reading.census if row.type == "along a gauge"]
    assert rows and {row.verdict for row in rows} == {Standing.GAUGE} and all(row.flat for row in rows)
    assert not reading.dead
    own = [row for row in reading.census if row.type.startswith("gauge: ")]
    straight = {"gauge: bias shift": "flat"}  # whose orbit is the ray
    assert own and all(row.ray == straight.get(row.type, "order 2") and row.orbit == "flat" for row in own)


def test_without_the_orbit_it_would_be_called_dead() -> None:
    """Control: the same direction, with nothing known of the gauge."""
    network, inputs = rescaled()
    problem = Problem.from_module(network, inputs, Gaussian())
    (flow,) = flows(find_gauges(network, inputs).gauges)
    way = drawn(flow, problem.truth, 1)
    proposal = Proposal("along a gauge", "0", "all", lambda theta: {}, lambda: way.tangent)
    found = measured(problem, proposal, [flow], 1e-6)
    assert judged(found, 1000).verdict is Standing.GAUGE
    blind = judged(replace(found, share=0.0, orbit=None), 1000)
    assert blind.verdict in (Standing.DEAD, Standing.PRE_ASYMPTOTIC) and blind.order == 2


@pytest.mark.parametrize("size", [1e-8, 1e-4])
def test_dead_units_stay_dead_along_the_orbit(size: float) -> None:
    """Every channel is rescaled by a factor between 1/8 and 8: the census is the same."""
    plant = planted.hidden_layer("relu", size)
    (gauge,) = (g for g in find_gauges(plant.model, plant.inputs).gauges if g.group is Group.POSITIVE)
    there = moved(gauge, {n: v.detach() for n, v in plant.model.named_parameters()}, Motion(3, 8.0))
    plant.model.load_state_dict(there)
    reading = read(plant.model, plant.inputs, head=Gaussian(), n=10_000, detectors=[DETECTORS["node death"]])
    assert {(row.layer, row.place) for row in reading.dead} == plant.dead
    assert {row.order for row in reading.dead} == {2}


def test_one_shift_of_values_for_all_heads_that_hear_them() -> None:
    """Two heads of queries hear each head of values: b' − (W₁ + W₂)v takes up what its bias gets."""
    network, inputs = shared_heads()
    found = [each for each in find_gauges(network, inputs).gauges if each.rule == "bias shift"]
    assert [[leg.start for leg in each.legs] for each in found] == [[0], [2]]
    assert [[taker.weight.start for taker in each.takers] for each in found] == [[0, 2], [4, 6]]
    parameters = {name: value.detach() for name, value in network.named_parameters()}
    here = network(inputs).detach()
    there = moved(found[1], parameters, Motion(1, 2.0))
    shift = (there["value.bias"] - parameters["value.bias"])[2:]
    weight = parameters["output.weight"]
    taken = parameters["output.bias"] - (weight[:, 4:6] + weight[:, 6:8]) @ shift
    assert shift.abs().min() > 1e-2 and torch.allclose(there["output.bias"], taken)
    for bias, moves in ((taken, False), (parameters["output.bias"] - weight[:, 4:6] @ shift, True)):
        gap = (torch.func.functional_call(network, {**there, "output.bias": bias}, inputs) - here).abs().max()
        assert gap > 1e-3 if moves else gap < 1e-12


def test_scales_and_rotations_of_one_place_are_one_flow() -> None:
    legs = (Leg("a"), Leg("b", 1, dual=True))
    scale, turn = (Gauge(group.value, group, 3, legs) for group in (Group.POSITIVE, Group.ROTATION))
    assert flows([scale, turn]) == (Flow(turn, True),) and flows([scale]) == (Flow(scale, False),)
    swapped = Gauge("again", Group.ROTATION, 3, legs[::-1])
    assert flows([scale, turn, swapped, turn]) == (Flow(turn, True),) and flows([turn]) == (Flow(turn, False),)
    assert flows([Gauge("p", Group.PERMUTATION, 3, legs)]) == ()
