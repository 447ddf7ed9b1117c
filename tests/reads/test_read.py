"""The whole read: a trained network, joint sets, false friends, what is shown, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import jsonschema
import numpy
import planted
import pytest
import torch
from torch import Tensor, nn

import ddtheory as dd
from ddtheory.errors import DDTheoryError, InvalidValueError, MeasurementError
from ddtheory.measure import Categorical, Gaussian, Problem
from ddtheory.reads import DETECTORS, SCHEMA, Proposal, Reading, Row, Standing, read
from ddtheory.reads.evidence import Costs
from ddtheory.reads.page import render
from ddtheory.testbeds import teacher_student


@cache
def small() -> Reading:
    plant = planted.hidden_layer("relu", 1e-6)
    return read(plant.model, plant.inputs, head=Gaussian(), n=1000)


def test_the_trained_student() -> None:
    """Two live students, four that weight decay has killed: order 3, as squared ReLU has order 2."""
    bed = teacher_student()
    reading = dd.read(bed.problem(), n=10_000)
    assert len(reading.dead) == bed.truth.dead == 4
    assert {row.order for row in reading.dead} == {bed.truth.order} == {3}
    assert {row.type for row in reading.dead} == {"node death"}
    (layer,) = reading.layers
    assert layer.plainly_live == bed.truth.live == 2
    (joint,) = reading.joint
    assert len(joint.members) == 4 and joint.price <= 0.01 and joint.order is not None and joint.order.k == 3


def coherent(units: int, size: float) -> nn.Module:
    """Units that all add the same function, each of this size."""
    model = nn.Sequential(nn.Linear(1, units, bias=False), nn.Tanh(), nn.Linear(units, 1, bias=False)).double()
    with torch.no_grad():
        model[0].weight.fill_(1.0)
        model[2].weight.fill_(size)
    return model


def test_single_costs_do_not_add() -> None:
    """Twelve equal units cost 144 times one of them: together they are not cheap, and the largest cheap set is."""
    inputs = torch.linspace(-1, 1, 16, dtype=torch.float64)[:, None]
    one = float(torch.tanh(inputs).square().mean()) / 2  # K of a unit of size 1
    n, size = 1000, 0.0
    size = (0.004 / (n * one)) ** 0.5 / 2  # n·K = 0.001 each, 0.144 together, 0.009 for three
    model = coherent(12, size)
    reading = read(model, inputs, head=Gaussian(), n=n, detectors=[DETECTORS["node death"]])
    cheap = reading.census.of(Standing.PRE_ASYMPTOTIC)
    assert len(cheap) == 12 and not reading.dead  # their weights in are of size one
    (joint,) = reading.joint
    assert len(joint.members) == 3 and len(joint.left_out) == 9
    assert joint.price == pytest.approx(0.009, rel=1e-3) and joint.singly == pytest.approx(0.003, rel=1e-3)


def test_saturated_classes_make_units_cheap_and_not_dead() -> None:
    """At logits of hundreds nothing that a unit does is seen by the law: cheap, and not near a singular point."""
    draw = planted.Draw(4)
    model = draw.fill(nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2)))
    with torch.no_grad():
        model[2].bias.copy_(torch.tensor([300.0, -300.0]))  # type: ignore[index]
    reading = read(model, draw(16, 2), head=Categorical(), n=1000)
    assert all(row.price.estimate <= 0.01 for row in reading.census)
    assert not reading.dead


def test_a_unit_that_is_never_active_is_flat() -> None:
    """Its bias keeps it off on all inputs, so nothing that it does is seen: dead, without an order."""
    draw = planted.Draw(4)
    model = draw.fill(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)))
    with torch.no_grad():
        model[0].bias.copy_(torch.tensor([1.0, 1.0, -50.0]))  # type: ignore[index]
        model[0].weight[:2] = torch.eye(2)  # type: ignore[index]
        model[2].weight.fill_(1.0)  # type: ignore[index]
    (row,) = read(model, draw(16, 2), head=Gaussian(), n=1000, detectors=[DETECTORS["node death"]]).dead
    assert (row.place, row.order, row.order_in_words) == ("unit 2", None, "flat")


def test_a_small_unit_that_no_input_turns_on_is_near_a_singular_point_all_the_same() -> None:
    """Towards where it stands it is flat, on that side only; along a drawn direction its order is that of a ReLU."""
    plant = planted.hidden_layer("relu", 1e-6)
    with torch.no_grad():
        plant.model[0].bias[1] = -1e-3  # type: ignore[index]
        hidden = plant.model[0](plant.inputs)[:, 1]  # type: ignore[index]
    assert float(hidden.max()) < 0
    reading = read(plant.model, plant.inputs, head=Gaussian(), n=10**6, detectors=[DETECTORS["node death"]])
    assert {(row.place, row.order) for row in reading.dead} == {("unit 1", 2), ("unit 3", 2)}


def test_a_small_unit_on_positive_inputs_is_turned_on_and_off() -> None:
    """All inputs lie around (10, 10, 10): a drawn unit would be on for all of them, and off on the other side."""
    plant = planted.hidden_layer("relu", 1e-6)
    inputs = 10 + plant.inputs
    with torch.no_grad():
        plant.model[0].bias[torch.tensor([1, 3])] = -1e-3  # type: ignore[index]
    reading = read(plant.model, inputs, head=Gaussian(), n=10**6, detectors=[DETECTORS["node death"]])
    assert {(row.place, row.order) for row in reading.dead} >= {("unit 1", 2), ("unit 3", 2)}


def test_detectors_of_somebody_else() -> None:
    """One that works, one that fails, one that proposes something else, one whose repair is of another shape."""
    plant = planted.hidden_layer("tanh", 0.0)
    row = DETECTORS["node death"]

    def first_only(survey: Any) -> Any:
        return [each for each in row.find(survey) if each.place == "unit 1"]

    arguments: dict[str, Any] = {"head": Gaussian(), "n": 1000}
    mine = replace(row, name="mine", find=first_only)
    assert [each.place for each in read(plant.model, plant.inputs, detectors=[mine], **arguments).dead] == ["unit 1"]
    wrong = Proposal("x", "0", "y", lambda theta: {"0.weight": torch.zeros(1)}, lambda: {"0.weight": torch.zeros(1)})
    finds: list[tuple[Any, str]] = [
        (lambda survey: 1 / 0, "The detector 'mine' fails"),
        (lambda survey: ["unit 1"], "proposes 'unit 1'"),
        (lambda survey: None, "proposes"),
        (lambda survey: [wrong], "shape"),
    ]
    for find, message in finds:
        with pytest.raises(DDTheoryError, match=message):
            read(plant.model, plant.inputs, detectors=[replace(mine, find=find)], **arguments)


def test_the_model_is_not_changed() -> None:
    plant = planted.hidden_layer("gelu", 1e-3)
    before = {name: value.clone() for name, value in plant.model.state_dict().items()}
    read(plant.model, plant.inputs, head=Gaussian(), n=100, detectors=[])
    assert all(torch.equal(value, before[name]) for name, value in plant.model.state_dict().items())


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_json_fits_its_schema() -> None:
    document = json.loads(json.dumps(small().to_json()))
    jsonschema.Draft202012Validator.check_schema(dict(SCHEMA))
    jsonschema.validate(document, dict(SCHEMA))
    assert [row["verdict"] for row in document["census"]].count("dead") == 2
    document["census"][0]["verdict"] = "fine"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, dict(SCHEMA))


def test_the_frame_has_a_row_for_every_candidate() -> None:
    frame = small().census.to_frame()
    assert list(frame["verdict"]) == [row.verdict.value for row in small().census]
    dead = frame[frame["verdict"] == "dead"]
    assert list(dead["order"]) == [2, 2] and (dead["lower"] <= 2).all() and (dead["upper"] >= 2).all()


def test_text_and_table_say_every_row() -> None:
    text, table = small().text(), small()._repr_html_()
    for row in small().census:
        assert row.reason in text and row.type in text and row.type in table
    assert "rescaling of 5 channels" in text and "\nbracket: " in text


# --- what is refused --------------------------------------------------------------------------------------------------


def network() -> nn.Module:
    return planted.Draw(0).fill(nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1)))


class Batched(nn.Module):
    """Centred by the mean of its batch."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = network()

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) - self.inner(x).mean(0)


def spoilt() -> nn.Module:
    model = network()
    with torch.no_grad():
        model[0].weight[0, 0] = float("nan")  # type: ignore[index]
    return model


class Turned(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.turn = nn.Parameter(torch.tensor([1 + 1j, 2.0]))

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.turn).real


X = torch.eye(2)


@pytest.mark.parametrize(
    ("model", "inputs", "more", "message"),
    [
        (network, None, {}, "There are no inputs"),
        (network, torch.zeros(0, 2), {}, "no sample"),
        (network, X, {"n": None}, "Say n="),
        (network, X, {"n": 0}, "n is 0"),
        (network, X, {"n": 0.5}, "n is 0.5"),
        (network, X, {"head": None}, "Say head="),
        (network, X, {"head": "gaussian"}, "head"),
        (network, X, {"head": Categorical()}, "one class"),
        (Batched, X, {}, "depend"),
        (spoilt, X, {}, "'0.weight' is NaN"),
        (network, X, {"detectors": ["node death"]}, "A detector is 'node death'"),
        (network, X, {"detectors": [*DETECTORS.values(), DETECTORS["node death"]]}, "stands twice"),
        (network, X, {"per": numpy.array(["sample", "label"])}, "no mean named"),
        (Turned, X, {}, "The parameter turn is complex"),
        (network, X, {"detectors": "node death"}, "The detectors is"),
        (lambda: "network", X, {}, "The module is 'network'"),
        (lambda: network().append(nn.BatchNorm1d(1)).train(), X, {}, "training mode"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(model, inputs, more, message) -> None:  # type: ignore[no-untyped-def]
    arguments = {"head": Gaussian(), "n": 100, **more}
    with pytest.raises(DDTheoryError) as raised:
        read(model(), inputs, **arguments)
    assert message in str(raised.value) and str(raised.value).endswith((".", "?"))


def test_a_problem_brings_its_own_data_and_is_made_from_a_module() -> None:
    problem = Problem.from_module(network(), X, Gaussian())
    with pytest.raises(InvalidValueError, match="has its inputs"):
        read(problem, X, n=10)
    with pytest.raises(InvalidValueError, match="has its inputs"):
        read(problem, n=10, per=numpy.array(["sample", "label"]))  # type: ignore[arg-type]
    bare = Problem(lambda p, x: p["a"] * x, {"a": torch.ones(1).double()}, X, Gaussian())
    with pytest.raises(MeasurementError, match=r"Problem\.from_module"):
        read(bare, n=10)


class Shared(nn.Module):
    """One matrix that makes the channels and reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.only = nn.Linear(3, 4)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.only(x)) @ self.only.weight


@pytest.mark.parametrize(
    ("make", "missed"),
    [
        (lambda: nn.Sequential(nn.Linear(3, 4), nn.PReLU(4), nn.Linear(4, 2)), ["0.weight", "2.weight"]),
        (lambda: nn.Sequential(nn.Linear(3, 4), nn.GroupNorm(2, 4), nn.Linear(4, 2)), ["0.weight", "2.weight"]),
        (Shared, ["only.weight"]),
        (lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), []),
    ],
    ids=["slopes that are learned", "a norm over groups", "tied", "control"],
)
def test_what_no_detector_can_see_is_said(make: Callable[[], nn.Module], missed: list[str]) -> None:
    """A unit is dead in each of them; where it is not found, that is no finding of a living network."""
    torch.manual_seed(0)
    module = make().double()
    first, *others = [each for each in module.modules() if isinstance(each, nn.Linear)]
    with torch.no_grad():
        first.weight[1] = first.bias[1] = 0
        for each in others:
            each.weight[:, 1] = 0
    found = read(module, torch.randn(20, 3, dtype=torch.float64), head=Gaussian(), n=1000)
    assert list(found.unsurveyed) == missed == found.to_json()["unsurveyed"]
    assert bool(found.dead) is not bool(missed)
    for text in (found.text(), found._repr_html_(), render(found)):
        assert ("ot surveyed" in text) is bool(missed) and all(name in text for name in missed)


class BackAgain(nn.Module):
    """Wᵀtanh(A tanh(Wx + b)), whose W makes the first channels and reads the second ones."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.second(torch.tanh(self.first(x)))) @ self.first.weight


def test_a_matrix_that_is_used_both_ways_is_read() -> None:
    """Row 2 of W makes one unit and reads another: with both off it is dead, to order 2, and else it is regular."""
    torch.manual_seed(0)
    module = BackAgain().double()
    inputs = torch.randn(20, 3, dtype=torch.float64)
    with torch.no_grad():
        module.second.weight[2] = module.second.bias[2] = module.first.weight[2] = 0
    found = read(module, inputs, head=Gaussian(), n=10**4)
    (unit,) = [row for row in found.census if (row.layer, row.place) == ("second", "unit 2")]
    assert (unit.verdict, unit.order) == (Standing.LIVE, 1)  # W moves the first layer, which others read
    with torch.no_grad():
        module.first.bias[2] = 0
        module.second.weight[:, 2] = 0
    found = read(module, inputs, head=Gaussian(), n=10**4)
    dead = [(row.layer, row.place, row.order) for row in found.dead]
    assert dead == [("first", "unit 2", 2), ("second", "unit 2", 2)]


# --- networks of more than a million parameters, for which fewer candidates are measured ------------------------------


def test_of_a_large_network_units_plainly_between_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The three living units cost K ≈ 0.5 or so; at n = 1 they are between the scales, and the dead ones stay rows."""
    plant = planted.hidden_layer("tanh", 1e-5)
    chosen = [DETECTORS["node death"]]
    small = read(plant.model, plant.inputs, head=Gaussian(), n=1, detectors=chosen)
    between = [row.place for row in small.census.of(Standing.BETWEEN)]
    assert between and small.layers[0].plainly_between == 0
    for module in ("census", "evidence"):
        monkeypatch.setattr(f"ddtheory.reads.{module}.MILLION", 10)
    large = read(plant.model, plant.inputs, head=Gaussian(), n=1, detectors=chosen)
    counted = next(each for each in large.layers if each.layer == "0")
    kept = [row.place for row in large.census.of(Standing.BETWEEN)]
    assert counted.plainly_between == len(between) - len(kept) > 0
    assert [row.place for row in large.dead] == [row.place for row in small.dead] == ["unit 1", "unit 3"]
    assert "plainly between scales" in large.text() and large.to_json()["layers"][-1].keys() >= {"plainly_between"}


def test_of_a_large_network_a_cheap_unit_far_from_its_death_has_no_order_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """At n·K ≤ 0.01 a unit of size one is cheap; no law over three octaves fits between s ≈ 2 and t = 4."""
    plant = planted.hidden_layer("tanh", 1e-5)
    with torch.no_grad():
        plant.model[2].weight[:, 2] *= 1e-4  # type: ignore[index]
    chosen = [DETECTORS["node death"]]

    def row() -> Row:
        reading = read(plant.model, plant.inputs, head=Gaussian(), n=1, detectors=chosen)
        return next(each for each in reading.census if each.place == "unit 2" and each.type == "node death")

    assert row().verdict in (Standing.PRE_ASYMPTOTIC, Standing.LIVE) and row().order is not None  # it was read
    for module in ("census", "evidence"):
        monkeypatch.setattr(f"ddtheory.reads.{module}.MILLION", 10)
    far = row()
    assert (far.verdict, far.order) == (Standing.PRE_ASYMPTOTIC, None) and "is not read then" in far.reason


def test_prices_are_those_of_two_passes_where_outputs_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    plant = planted.hidden_layer("relu", 1.0)
    problem = Problem.from_module(plant.model, plant.inputs, Gaussian(), batch_size=7)
    moved = {"0.weight": 0.5 * problem.truth["0.weight"]}
    kept = Costs(problem)(moved)
    with torch.no_grad():
        here = plant.model(plant.inputs)
        plant.model[0].weight *= 0.5  # type: ignore[index]
        by_hand = float((plant.model(plant.inputs) - here).square().sum(1).mean()) / 2
    monkeypatch.setattr("ddtheory.reads.evidence.MOST_KEPT", 3)
    assert kept == pytest.approx(by_hand, rel=1e-12) and Costs(problem)(moved) == pytest.approx(by_hand, rel=1e-12)
