"""Planted networks: the census is known by construction, and the read must find it, all of it, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import planted
import pytest
import torch
from planted import ACTIVATIONS, READABLE, SIZES, Planted
from torch import nn

from ddtheory.measure import Categorical, Gaussian
from ddtheory.reads import DETECTORS, Reading, Row, Standing, read

N = 10_000


def places(rows: Iterable[Row]) -> set[tuple[str, str]]:
    return {(row.layer, row.place) for row in rows}


@cache
def hidden_layer(activation: str, size: float) -> tuple[Planted, Reading]:
    plant = planted.hidden_layer(activation, size)
    return plant, read(plant.model, plant.inputs, head=Gaussian(), n=N)


def row_of(reading: Reading, place: tuple[str, str]) -> Row:
    (found,) = (row for row in reading.census if (row.layer, row.place) == place and "gauge" not in row.type)
    return found


def removal_costs(plant: Planted, unit: int) -> float:
    """K without the unit: half the mean square of what it adds, by a forward pass written out here."""
    first, function, second = plant.model  # type: ignore[misc]
    with torch.no_grad():
        hidden = function(plant.inputs @ first.weight[unit] + first.bias[unit])
        added = hidden[:, None] * second.weight[:, unit]
    return float(added.square().sum(1).mean()) / 2


@pytest.mark.xdist_group("hidden layers")  # these two read the same thirty networks
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_node_deaths(activation: str, size: float) -> None:
    plant, reading = hidden_layer(activation, size)
    for place in plant.dead:
        row = row_of(reading, place)
        unit = int(place[1].split()[1])
        assert row.distance == pytest.approx(plant.distances[place], rel=1e-9, abs=1e-300)
        cost = removal_costs(plant, unit)
        assert row.price.estimate == pytest.approx(
            N * cost, rel=1e-6, abs=row.price.upper - row.price.estimate + 1e-300
        )
        if N * cost <= 0.01:
            assert row.verdict in (Standing.DEAD, Standing.PRE_ASYMPTOTIC) and row.order == plant.order
        else:
            assert row.verdict is (Standing.LIVE if N * cost >= 10 else Standing.BETWEEN)
        if size <= READABLE:
            assert row.verdict is Standing.DEAD
            assert row.interval is not None and row.interval.contains(plant.order)
            assert row.scale is not None and row.scale[0] >= 2 * row.distance and row.scale[1] >= 8 * row.scale[0]
    assert places(reading.dead) <= plant.dead  # no living unit


@pytest.mark.xdist_group("hidden layers")
def test_precision_and_recall() -> None:
    """Over all activations and sizes: what is called dead is planted, and all that is readable is called."""
    called = right = readable = found = 0
    for activation in ACTIVATIONS:
        for size in SIZES:
            plant, reading = hidden_layer(activation, size)
            dead = places(reading.dead)
            called, right = called + len(dead), right + len(dead & plant.dead)
            if size <= READABLE:
                readable, found = readable + len(plant.dead), found + len(dead & plant.dead)
    print(f"precision {right}/{called}, recall {found}/{readable} at sizes up to {READABLE}")
    assert right == called and found == readable == 2 * len(ACTIVATIONS) * 4


def test_a_larger_sample_sees_what_a_smaller_one_does_not() -> None:
    """The verdict is at n: the same unit of size 0.1 is cheap for ten samples and live for a million."""
    plant = planted.hidden_layer("tanh", 0.1)
    few, many = (read(plant.model, plant.inputs, head=Gaussian(), n=n) for n in (10, 10**7))
    assert {row_of(few, place).verdict for place in plant.dead} <= {Standing.PRE_ASYMPTOTIC, Standing.DEAD}
    assert not places(many.dead) and not places(many.census.of(Standing.PRE_ASYMPTOTIC))


@pytest.mark.parametrize("size", [0.0, 1e-6, 1e-3])
def test_rank_deficiency_in_a_rotated_basis(size: float) -> None:
    plant = planted.rotated_product(size)
    reading = read(plant.model, plant.inputs, head=Gaussian(), n=N)
    assert places(reading.dead) == plant.dead
    assert {row.order for row in reading.dead} == {2}
    # the planted point is one of rank 1, and no nearer one can be farther away
    assert all(row.distance <= size * 6**0.5 * (1 + 1e-6) + 1e-12 for row in reading.dead)


def test_a_product_of_full_rank_is_no_singular_point() -> None:
    """Control: two channels too many, and the product has all the rank that its sizes allow."""
    draw = planted.Draw(0)
    model = draw.fill(nn.Sequential(nn.Linear(2, 4, bias=False), nn.Linear(4, 3)))
    turn = torch.linalg.qr(draw(4, 4)).Q
    first, second = torch.eye(4, 2).double(), torch.eye(3, 4).double()
    with torch.no_grad():
        second[:, 2:] = 0
        model[0].weight.copy_(turn @ first)  # type: ignore[index]
        model[1].weight.copy_(second @ turn.T)  # type: ignore[index]
    assert not read(model, draw(32, 2), head=Gaussian(), n=N).dead


@pytest.mark.parametrize("size", [0.0, 1e-6, 1e-3])
@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu"])
def test_duplicated_units(activation: str, size: float) -> None:
    """Unit 3 is unit 1 up to this size; tanh has the opposite one, ReLU twice the other one."""
    draw = planted.Draw(1)
    model = draw.fill(nn.Sequential(nn.Linear(3, 4), ACTIVATIONS[activation][0](), nn.Linear(4, 1)))
    first, last = model[0], model[2]  # type: ignore[index]
    factor = {"tanh": -1.0, "relu": 2.0, "gelu": 1.0}[activation]
    with torch.no_grad():
        first.weight[:3] = 1.5 * torch.eye(3)
        first.weight[3] = factor * first.weight[1] + size * draw(3)
        first.bias[:3] = 0.1
        first.bias[3] = factor * first.bias[1]
        last.weight.copy_(torch.tensor([[1.0, 1.1, -0.9, 0.8 if factor > 0 else -0.8]]))
    reading = read(model, draw(48, 3), head=Gaussian(), n=1000)
    assert places(reading.dead) == {("0", "units 1 and 3")}
    out = next(row for row in reading.dead if row.type.endswith("out"))
    assert out.flat and out.order is None
    inner = [row for row in reading.census if row.type.endswith("in")]
    if activation != "relu":  # between the two, where the first order of the difference cancels: K ~ size⁴
        assert all(row.price.estimate <= 1e5 * size**4 + 1e-20 for row in inner)
    assert [row.order for row in inner] == ([] if activation == "relu" else [2])  # φ''/2 times dw²
    assert all(row.verdict is Standing.DEAD for row in inner) or size == READABLE


def twins(difference: float) -> tuple[nn.Module, torch.Tensor]:
    """Three units, of which the last two differ by this much in one weight, with outputs 1 and 0.5."""
    draw = planted.Draw(1)
    model = draw.fill(nn.Sequential(nn.Linear(3, 3), nn.GELU(), nn.Linear(3, 1)))
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(3))  # type: ignore[index]
        model[0].weight[2] = model[0].weight[1] + torch.tensor([difference, 0.0, 0.0])  # type: ignore[index]
        model[0].bias.fill_(0.3)  # type: ignore[index]
        model[2].weight.copy_(torch.tensor([[1.0, 1.0, 0.5]]))  # type: ignore[index]
    return model, draw(48, 3)


@pytest.mark.parametrize(("difference", "verdict"), [(0.003, Standing.DEAD), (0.03, Standing.PRE_ASYMPTOTIC)])
def test_an_exchange_is_flat_where_the_checkpoint_does_not_see_it(difference: float, verdict: Standing) -> None:
    """n·K at |t| = 1/2 along (1, −1)/√2, by a forward pass: ½·mean of (t/√2 (φ(w₁x) − φ(w₂x)))²."""
    model, inputs = twins(difference)
    with torch.no_grad():
        hidden = model[1](model[0](inputs))  # type: ignore[index]
        reach = float((0.5 / 2**0.5 * (hidden[:, 1] - hidden[:, 2])).square().mean()) / 2
    (row,) = (row for row in read(model, inputs, head=Gaussian(), n=1000).census if row.type.endswith("out"))
    assert (1000 * reach <= 0.01) is (verdict is Standing.DEAD)
    assert row.verdict is verdict and row.flat and row.price.estimate <= 0.01


def test_units_that_are_only_alike_are_not_called() -> None:
    """Control: a third of a unit of difference."""
    draw = planted.Draw(1)
    model = draw.fill(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)))
    with torch.no_grad():
        model[0].weight[:3] = 0.5 * torch.eye(3)  # type: ignore[index]
        model[0].weight[3] = model[0].weight[1] + torch.tensor([0.0, 0.0, 0.1])  # type: ignore[index]
        model[0].bias[3] = model[0].bias[1]  # type: ignore[index]
    assert not read(model, draw(48, 3), head=Gaussian(), n=1000).dead


@pytest.mark.long
@pytest.mark.parametrize("size", [0.0, 1e-5, 1e-3])
def test_a_convolutional_network(size: float) -> None:
    plant = planted.images(size)
    reading = read(plant.model, plant.inputs, head=Gaussian(), n=N)
    assert places(reading.dead) == plant.dead or size == READABLE  # γ and what reads it are of different length
    assert places(reading.dead) <= plant.dead
    found = [row_of(reading, place) for place in plant.dead]
    assert {row.order for row in found} == {plant.order}
    assert {row.verdict for row in found} <= {Standing.DEAD, Standing.PRE_ASYMPTOTIC}


@pytest.mark.long
@pytest.mark.parametrize("size", SIZES)
def test_dead_queries_and_ranks_of_heads(size: float) -> None:
    plant = planted.turned_heads(size)
    chosen = [DETECTORS[name] for name in ("dead queries", "dead heads", "rank deficiency")]
    reading = read(plant.model, plant.inputs, head=Gaussian(), n=N, detectors=chosen)
    assert places(reading.dead) == plant.dead or size > READABLE
    assert places(reading.dead) <= plant.dead  # no living head, and no direction of one
    assert {row.order for row in reading.dead} <= {plant.order}
    assert row_of(reading, ("query", "head 0")).verdict is Standing.LIVE
    listed = {(row.layer, row.place) for row in reading.census if "gauge" not in row.type}
    assert not listed & {("value", "head 0"), ("value", "head 1")}  # too dear by their magnitudes to be candidates


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_constant_units(activation: str, size: float) -> None:
    """The price is that of its spread, by a forward pass; the exchange with the bias is flat."""
    make = {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid}[activation]
    plant = planted.constant_unit(size, make, 0.7)
    reading = read(plant.model, plant.inputs, head=Gaussian(), n=N, detectors=[DETECTORS["constant units"]])
    first, function, second = plant.model  # type: ignore[misc]
    with torch.no_grad():
        inner = plant.inputs @ first.weight[2] + first.bias[2]
        gap = function(inner) - function(inner.mean())
        price = N * float(gap.square().mean() * second.weight[:, 2].square().sum()) / 2
    assert places(reading.census) <= plant.dead  # no other unit is so much as proposed
    for row in reading.census:
        assert row.price.estimate == pytest.approx(price, rel=1e-6, abs=1e-20)
        verdict = Standing.DEAD if price <= 1e-3 else Standing.LIVE if price >= 10 else None
        assert verdict is None or row.verdict is verdict
        assert row.flat is (row.verdict is Standing.DEAD)
    assert places(reading.dead) == plant.dead or size > 1e-4


def test_a_unit_that_is_cut_off_is_constant_at_any_weights() -> None:
    """Every input takes it above 1, whatever the weights do; the control is a bias that some inputs bring back."""
    cut, back = (planted.constant_unit(0.5, planted.Saturated, bias) for bias in (9.0, 1.2))
    chosen = [DETECTORS["constant units"]]
    assert places(read(cut.model, cut.inputs, head=Gaussian(), n=N, detectors=chosen).dead) == cut.dead
    assert not read(back.model, back.inputs, head=Gaussian(), n=N, detectors=chosen).dead


@pytest.mark.long
@pytest.mark.parametrize("size", [0.0, 1e-8, 1e-5, 1e-2, 1e-1])
def test_depthwise_convolutions(size: float) -> None:
    plant = planted.depthwise(size)
    reading = read(plant.model, plant.inputs, head=Gaussian(), n=N, detectors=[DETECTORS["node death"]])
    assert not reading.unsurveyed
    assert places(reading.dead) <= plant.dead | {("norm", "unit 3")}
    found = {place: row_of(reading, place) for place in plant.dead if size < 1e-1}
    for place, row in found.items():
        assert row.distance == pytest.approx(plant.distances[place], rel=1e-9, abs=1e-300)
        assert row.price.estimate > 0.01 or row.order == plant.order
    assert places(reading.dead) >= plant.dead or size > 1e-5


@pytest.mark.long
@pytest.mark.parametrize("size", [1e-5, 1e-1])
@pytest.mark.parametrize(("rotary", "values"), [(False, False), (True, False), (False, True)])
def test_heads_that_share_keys_and_values(rotary: bool, values: bool, size: float) -> None:
    """What dies is a head of keys or values with all that meets it; the others live."""
    plant = planted.shared_heads(size, rotary=rotary, values=values)
    chosen = [DETECTORS[name] for name in ("dead queries", "dead heads")]
    reading = read(plant.model, plant.inputs, head=Gaussian(), n=N, detectors=chosen)
    unseen = {("query", "head 0")} if values else set()
    assert places(reading.dead) - unseen == (plant.dead if size <= READABLE else set())
    assert {row.order for row in reading.dead if row.layer != "query" or not values} <= {plant.order}
    living = [("query", "head 1"), ("value", "head 1")] if values else [("query", "head 0"), ("value", "head 0")]
    assert {row_of(reading, place).verdict for place in living} == {Standing.LIVE}
    assert ("gauge: rotary query–key" in {row.type for row in reading.census}) is rotary


@pytest.mark.long
@pytest.mark.parametrize("size", [0.0, 1e-5, 1e-1])
def test_convolutions_in_groups(size: float) -> None:
    plant = planted.grouped(size)
    reading = read(plant.model, plant.inputs, head=Gaussian(), n=N, detectors=[DETECTORS["node death"]])
    assert not reading.unsurveyed
    assert places(reading.dead) == plant.dead or size > READABLE
    assert places(reading.dead) <= plant.dead
    assert {row.order for row in reading.dead} <= {plant.order}
    assert "gauge: batch normalisation input scale" in {row.type for row in reading.census.of(Standing.GAUGE)}


def test_positions_that_no_input_reaches() -> None:
    draw = planted.Draw(0)
    model = planted.Placed()
    draw.fill(model)
    chosen = [DETECTORS["unused rows"]]
    (row,) = read(model, draw(12, 4, 3), head=Gaussian(), n=N, detectors=chosen).dead
    assert (row.place, row.flat, row.price.estimate) == ("rows 4, 5", True, 0.0)
    assert not read(model, draw(12, 6, 3), head=Gaussian(), n=N, detectors=chosen).dead  # control: all are used


@pytest.mark.long
@pytest.mark.parametrize("size", [0.0, 1e-5])
def test_a_transformer(size: float) -> None:
    """A head is V times O, a scale is γ times what reads it, a gated unit has three factors; unused rows are flat."""
    plant = planted.block(size)
    reading = read(plant.model, plant.inputs, head=Categorical(), n=1000)
    unseen = {("query", "head 1")} if size == 0 else set()  # where nobody hears a head, nobody sees where it looks
    assert places(reading.dead) == plant.dead | unseen
    assert all(row.flat for row in reading.dead if row.layer == "query")
    orders = {row.place: "flat" if row.flat else row.order for row in reading.dead if row.layer != "query"}
    assert orders == {"head 1": 2, "channel 2": 2, "unit 1": 3, "rows 5, 6": "flat"}
    gauges = {row.type for row in reading.census.of(Standing.GAUGE)}
    assert gauges >= {"gauge: value–output rotation", "gauge: query–key rotation", "gauge: logit shift"}
