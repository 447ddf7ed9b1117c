"""The bracket of a reading: by hand, with too many parameters, with too many gauges, and where there is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction

import jsonschema
import pytest
import torch
from torch import Tensor, nn

from ddtheory.measure import Categorical, Gaussian
from ddtheory.reads import SCHEMA, Reading, orbit, read
from ddtheory.values import RLCT


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def network(activation: nn.Module, *, inner: int = 3, hidden: int = 4, outer: int = 2) -> nn.Sequential:
    torch.manual_seed(4)
    return nn.Sequential(nn.Linear(inner, hidden), activation, nn.Linear(hidden, outer)).double()


def reading_of(module: nn.Module, inputs: Tensor, *, census: bool = False) -> Reading:
    """At a sample size at which each unit is plainly live; without a census where only the bracket is asked for."""
    return read(module.double(), inputs, head=Gaussian(), n=10**7, detectors=None if census else [])


def document_of(reading: Reading) -> dict[str, object]:
    """Its JSON as a file has it, held against the schema."""
    found: dict[str, object] = json.loads(json.dumps(reading.to_json(), allow_nan=False))
    jsonschema.validate(found, dict(SCHEMA))
    return found


class Signed(nn.Module):
    """y = wx + sign(w)x at w = 0, which jumps there."""

    def __init__(self) -> None:
        super().__init__()
        self.only = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(self.only.weight)

    def forward(self, x: Tensor) -> Tensor:
        z: Tensor = self.only(x)
        return z + torch.sign(z)


class Distances(nn.Module):
    """Built on an operation that torch does not differentiate in forward mode."""

    def __init__(self) -> None:
        super().__init__()
        self.centres = nn.Parameter(drawn(3, 2))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cdist(x, self.centres)


# --- by hand -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("activation", "orbit_dimension"), [(nn.ReLU(), 4), (nn.LeakyReLU(0.1), 4), (nn.Tanh(), 0), (nn.SiLU(), 0)], ids=str
)
def test_living_units_meet_the_bracket(activation: nn.Module, orbit_dimension: int) -> None:
    """d = 4(3 + 1) + 2·4 + 2 = 26, and each positively homogeneous unit has one scale: λ = (26 − s)/2, m = 1."""
    reading = reading_of(network(activation), drawn(80, 3))
    assert reading.bracket is not None and not reading.unbracketed
    assert reading.bracket.exact == RLCT(Fraction(26 - orbit_dimension, 2), 1)
    assert (reading.bracket.orbit.certain, reading.bracket.sought) == (orbit_dimension, True)
    lam = str(Fraction(26 - orbit_dimension, 2))
    bracket = document_of(reading)["bracket"]
    assert isinstance(bracket, dict) and (bracket["lower"], bracket["upper"]) == (lam, lam)
    assert f"λ = {lam}, m = 1" in reading.text() and f"λ = {lam}, m = 1" in reading._repr_html_()


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.Tanh()], ids=str)
def test_a_dead_unit_opens_the_bracket_by_what_it_holds(activation: nn.Module) -> None:
    """The other three units are seen, and no more: rank J = 3(3 + 1 + 2) + 2 less a scale each."""
    module = network(activation)
    module[0].weight.data[1] = module[0].bias.data[1] = 0.0
    module[2].weight.data[:, 1] = 0.0
    reading = reading_of(module, drawn(80, 3), census=True)
    scales = 3 * isinstance(activation, nn.ReLU)
    assert [row.place for row in reading.dead] == ["unit 1"]
    assert reading.bracket is not None and reading.bracket.exact is None
    assert (reading.bracket.lower, reading.bracket.upper) == (Fraction(20 - scales, 2), Fraction(26 - scales, 2))


@pytest.mark.parametrize("copies", [1, 5])
def test_one_sample_is_seen_once_however_often_it_is_given(copies: int) -> None:
    """Two outputs of one input are two functions of the parameters."""
    reading = reading_of(network(nn.Tanh()), drawn(1, 3).repeat(copies, 1))
    assert reading.bracket is not None and (reading.bracket.lower, reading.bracket.upper) == (1, 13)


@pytest.mark.parametrize("size", [0.0, 1e-12, 1e-6])
def test_weights_near_zero(size: float) -> None:
    """At zero the two biases of the outputs alone are seen; λ of 4 dead tanh units is not more than 13."""
    module = network(nn.Tanh())
    for parameter in module.parameters():
        parameter.data *= size
    reading = reading_of(module, drawn(80, 3))
    assert reading.bracket is not None and reading.bracket.upper == 13
    assert reading.bracket.lower == 1 if size < 1e-9 else 1 <= reading.bracket.lower <= 13


def test_units_in_another_order_have_the_same_bracket() -> None:
    module = network(nn.ReLU())
    module[0].weight.data[1] = module[0].bias.data[1] = 0.0
    module[2].weight.data[:, 1] = 0.0
    ends = []
    for _ in range(2):
        reading = reading_of(module, drawn(80, 3))
        assert reading.bracket is not None
        ends.append((reading.bracket.lower, reading.bracket.upper))
        turned = [2, 0, 3, 1]
        for parameter, rows in ((module[0].weight, 0), (module[0].bias, 0), (module[2].weight, 1)):
            parameter.data = parameter.data.index_select(rows, torch.tensor(turned))
    assert ends[0] == ends[1]


def test_logits_have_a_shift_in_the_orbit() -> None:
    """3 classes of 2 features: 2 · (2 + 1) functions are seen of 9 parameters."""
    reading = read(nn.Linear(2, 3).double(), drawn(20, 2), head=Categorical(), n=10**7)
    assert reading.bracket is not None and reading.bracket.exact == RLCT(Fraction(3), 1)


# --- large ---------------------------------------------------------------------------------------------------------


def test_of_more_than_2048_parameters_rows_are_read() -> None:
    """2101 parameters on 300 samples of one output: all 300 rows are independent, and tanh has no scales."""
    module, inputs = network(nn.Tanh(), inner=40, hidden=50, outer=1), drawn(300, 40)
    reading = reading_of(module, inputs)
    assert reading.dimension == 40 * 50 + 50 + 50 + 1 == 2101
    assert reading.bracket is not None and (reading.bracket.lower, reading.bracket.upper) == (150, Fraction(2101, 2))
    assert "of at most 300" in reading.bracket.rows()["rank J"]
    few = reading_of(module, inputs[:3])
    assert few.bracket is not None and few.bracket.lower == Fraction(3, 2)  # control: samples bound it too


def test_gauges_that_are_too_many_are_left_out_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """y = CBAx of 3 · 3 each: two GL(3) have 18 tangent vectors of 27 entries, and scales in the place of one 12."""
    module = nn.Sequential(*(nn.Linear(3, 3, bias=False) for _ in range(3)))
    for number, layer in enumerate(module):
        layer.weight.data = drawn(3, 3, seed=number)
    whole = reading_of(module, drawn(9, 3))
    assert whole.bracket is not None and whole.bracket.exact == RLCT(Fraction(9, 2), 1) and not whole.not_counted
    monkeypatch.setattr(orbit, "LARGEST_ORBIT", 18 * 27 - 1)
    monkeypatch.setattr(orbit, "_split", lambda _component, _names: [])
    part = reading_of(module, drawn(9, 3))
    assert part.bracket is not None and (part.bracket.lower, part.bracket.upper) == (Fraction(9, 2), Fraction(15, 2))
    for text in (part.text(), part._repr_html_()):
        assert "7 of 8 gauges" in text
    bracket = document_of(part)["bracket"]
    assert isinstance(bracket, dict) and (bracket["orbit"], bracket["gauges"]) == (12, 7)


# --- none ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "inputs", "why"),
    [(Signed, drawn(9, 1), "The outputs jump"), (Distances, drawn(9, 2), "no forward-mode derivative")],
    ids=["jump", "forward mode"],
)
def test_where_there_is_no_bracket_the_reason_is_told_everywhere(
    make: Callable[[], nn.Module], inputs: Tensor, why: str
) -> None:
    reading = reading_of(make(), inputs, census=True)
    assert reading.bracket is None and why in reading.unbracketed
    document = document_of(reading)
    assert document["bracket"] is None and why in str(document["unbracketed"])
    for text in (reading.text(), reading._repr_html_()):
        assert "none" in text and why in text


@pytest.mark.parametrize(
    "wrong", [{"lower": 1.0}, {"lower": "1/3"}, {"upper": None}, {"rank": -1}, {"more": 1}], ids=str
)
def test_control_the_schema_refuses_another_bracket(wrong: dict[str, object]) -> None:
    document = document_of(reading_of(network(nn.Tanh()), drawn(9, 3)))
    bracket = document["bracket"]
    assert isinstance(bracket, dict)
    bracket |= wrong
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, dict(SCHEMA))
