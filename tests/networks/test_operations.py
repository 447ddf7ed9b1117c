"""Every operation of the table against slopes that float64 shows, and nothing in the table without a case."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from architectures import Case, generic
from operation_cases import CASES, VANISHING, Applied, Recurring, square
from test_orders_against_slopes import compare
from torch import Tensor, nn

from ddtheory.errors import InvalidValueError, UndecidedError
from ddtheory.networks import network_orders, operations
from ddtheory.networks.operations import OPERATIONS, Operation


def forgotten(table: Collection[str], cases: Collection[str]) -> list[str]:
    """What is missing, one sentence each."""
    return [
        f"The operation {name!r} has no case: add a tiny module that needs it to tests/networks/operation_cases.py."
        for name in sorted(set(table) - set(cases))
    ] + [
        f"The case {name!r} is that of no operation: add a row to ddtheory/networks/operations.py, or drop the case."
        for name in sorted(set(cases) - set(table))
    ]


def case(name: str, seed: int) -> Case:
    model = generic(nn.Sequential(CASES[name]()), seed)
    generator = torch.Generator().manual_seed(seed)
    chances = torch.tensor([0.0, 0.6, 0.4]) if name in VANISHING else torch.tensor([0.5, 0.3, 0.2])  # powers 0, 1, 2
    scaling = {
        key: torch.multinomial(chances, value.numel(), replacement=True, generator=generator).reshape(value.shape)
        for key, value in model.named_parameters()
    }
    scaling["0.z.weight"][0], scaling["0.z.bias"][0] = 1, 2  # one entry of z always vanishes, to first order
    return Case(model, scaling, (3,), "squared")


def complaints(name: str) -> list[str]:
    """Orders of the case that slopes contradict, over two draws of coefficients and powers."""
    found: list[str] = []
    for seed in (0, 1):
        verdicts = compare(case(name, seed))
        found += verdicts["wrong"]
        if len(verdicts["met"]) < 0.5 * sum(map(len, verdicts.values())):
            found.append(f"seed {seed}: few orders are exact and read: {verdicts['bound'] + verdicts['unread']}")
    return found


def test_every_operation_has_a_case() -> None:
    missing = forgotten(OPERATIONS, CASES)
    assert not missing, "\n".join(missing)
    assert len(OPERATIONS) >= 110
    for name, operation in OPERATIONS.items():
        assert operation.name == name
        assert operation.says.endswith(".") and len(operation.says) <= 100


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) & set(CASES)))
def test_an_operation_is_that_of_torch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not complaints(name)
    # and its case needs it
    monkeypatch.delitem(OPERATIONS, name)
    with pytest.raises(UndecidedError, match=rf"does not know the operation '{name}'"):
        network_orders(case(name, 0).model, {}, shape=(3,))


KINKED = ("hardtanh", "relu6", "clamp", "clip", "hardswish", "prelu", "amax", "max_pool1d", "max_pool2d", "rnn_relu")


@pytest.mark.parametrize("name", KINKED)
def test_operations_with_kinks_on_more_draws(name: str) -> None:
    """Where an entry stands on a kink, or entries tie, which term leads depends on signs: more draws of them."""
    for seed in range(2, 8):
        assert not compare(case(name, seed))["wrong"], seed


class Tying(nn.Module):
    """The largest of entries that are zero together at t = 0 and move at their own rates."""

    def __init__(self, weight: list[list[float]], pooled: bool) -> None:
        super().__init__()
        self.z, self.pooled = nn.Linear(2, len(weight), bias=False), pooled
        with torch.no_grad():
            self.z.weight.copy_(torch.tensor(weight))

    def forward(self, x: Tensor) -> Tensor:
        z = self.z(x)
        return F.max_pool1d(z.unsqueeze(1), z.shape[-1]).squeeze(1) if self.pooled else z.amax(-1, keepdim=True)


@pytest.mark.parametrize("pooled", [True, False])
@pytest.mark.parametrize(
    ("weight", "powers", "exact"),
    [
        ([[1, 0], [2, 0]], [[1, 0], [1, 0]], True),  # max(t, 2t) x
        ([[-1, 0], [-2, 0]], [[1, 0], [1, 0]], True),  # the one that falls less
        ([[1, 0], [0, 0]], [[1, 0], [0, 0]], True),  # it rises above a zero that stays
        ([[-1, 0], [0, 0]], [[1, 0], [0, 0]], False),  # it falls below: nothing moves
        ([[5, 0], [1, 0]], [[0, 0], [1, 0]], False),  # the larger one does not move
        ([[1, 0], [1, 0]], [[1, 0], [2, 0]], False),  # max(t, t²) x: two rates, of which signs decide
        ([[-1, 0], [1, 0]], [[1, 0], [2, 0]], False),  # max(−t, t²) x = t² x
    ],
)
def test_entries_that_tie(pooled: bool, weight: list[list[float]], powers: list[list[int]], exact: bool) -> None:
    """On positive inputs: an order where one rate decides, and else a bound, which 2 is in each case."""
    inputs = 0.5 + torch.rand(16, 2, generator=torch.Generator().manual_seed(0))
    found = network_orders(Tying(weight, pooled), {"z.weight": powers}, inputs=inputs).divergence
    assert (str(found), found.exact) == ("2" if exact else "≥ 2", exact)


def heads(z: Tensor, count: int) -> Tensor:
    """(batch, heads, 2 positions, 1)."""
    return z[:, : 2 * count].reshape(-1, count, 2, 1)


VARIANTS = {
    "grouped queries": lambda z, w: F.scaled_dot_product_attention(
        heads(z, 2), heads(z @ w, 1), heads(torch.tanh(z), 1), enable_gqa=True
    ),
    "instance norm of running statistics": lambda z, w: F.instance_norm(
        square(z), torch.zeros(2).double(), torch.ones(2).double(), w[0, :2], w[1, :2], use_input_stats=False
    ),
    "wide windows": lambda z, w: F.max_pool2d(square(z).unsqueeze(1), (1, 2), stride=(1, 1), padding=(0, 1)),
    "windows with gaps": lambda z, w: F.max_pool1d(z.unsqueeze(1), 2, stride=1, dilation=2),
    "one slope for all": lambda z, w: F.prelu(z, w[0, :1]),
    "channels with slopes": lambda z, w: F.prelu(square(z), w[0, :2]),
}


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_other_arguments_of_an_operation(name: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CASES, name, lambda: Applied(VARIANTS[name]))  # type: ignore[index]
    verdicts = compare(case(name, seed))
    assert not verdicts["wrong"] and verdicts["met"]


@pytest.mark.parametrize(
    ("layer", "options"),
    [
        (nn.LSTM, {"num_layers": 2}),
        (nn.LSTM, {"bias": False}),
        (nn.GRU, {"bidirectional": True}),
        (nn.RNN, {"num_layers": 2, "bidirectional": True}),
    ],
)
def test_recurrent_layers_in_other_shapes(layer: type[nn.Module], options: dict[str, object]) -> None:
    for seed in (0, 1):
        model = generic(nn.Sequential(Recurring(layer, batch_first=True, **options)), seed)
        generator = torch.Generator().manual_seed(seed)
        scaling = {
            key: torch.randint(0, 3, value.shape, generator=generator) for key, value in model.named_parameters()
        }
        verdicts = compare(Case(model, scaling, (3,), "squared"))
        assert not verdicts["wrong"] and verdicts["met"]


def test_recurrent_layers_of_float32_models_and_what_they_do_not_know() -> None:
    """A model in float32 is read as well as one in float64, and is left as it is."""
    torch.manual_seed(0)
    model = nn.Sequential(Recurring(nn.GRU, batch_first=True))
    single = network_orders(model, {"0.z.weight": 1, "0.z.bias": 1})
    assert next(model.parameters()).dtype == torch.float32
    assert str(single.divergence) == str(network_orders(model.double(), {"0.z.weight": 1, "0.z.bias": 1}).divergence)
    with pytest.raises(InvalidValueError, match="projection"):
        network_orders(Recurring(nn.LSTM, batch_first=True, proj_size=1), {})
    with pytest.raises(InvalidValueError, match="Dropout is active"):
        network_orders(Recurring(nn.LSTM, batch_first=True, num_layers=2, dropout=0.5), {})
    with pytest.raises(InvalidValueError, match="ceil_mode"):
        network_orders(Applied(lambda z, w: F.max_pool1d(z.unsqueeze(1), 3, ceil_mode=True)), {}, shape=(3,))
    with pytest.raises(InvalidValueError, match="in place"):
        network_orders(nn.Sequential(nn.Linear(3, 2), nn.ReLU6(inplace=True)), {})


def test_an_operation_without_a_case_is_named() -> None:
    cosh = Operation("cosh", OPERATIONS["tanh"].rule, "The hyperbolic cosine.")
    found = forgotten({**OPERATIONS, "cosh": cosh}, CASES)
    assert len(found) == 1 and "The operation 'cosh' has no case" in found[0]
    found = forgotten(OPERATIONS, {**CASES, "cosh": lambda: Applied(lambda z, w: z.cosh())})
    assert len(found) == 1 and "The case 'cosh' is that of no operation" in found[0]


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("tanh", "square"),
        ("square", "tanh"),
        ("relu", "square"),
        ("sigmoid", "tanh"),
        ("softmax", "sigmoid"),
        ("flip", "contiguous"),
        ("cumsum", "contiguous"),
        ("layer_norm", "tanh"),
        ("hardtanh", "contiguous"),
        ("clip", "contiguous"),
        ("prelu", "square"),
    ],
)
def test_control_the_rule_of_another_operation_is_noticed(
    name: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(tape: object, value: Tensor, *_rest: object, **_keywords: object) -> object:
        return right(tape, value)

    right = OPERATIONS[other].rule
    monkeypatch.setitem(OPERATIONS, name, replace(OPERATIONS[name], rule=wrong))
    assert complaints(name)


def test_a_name_stands_for_one_operation() -> None:
    with pytest.raises(InvalidValueError, match="'tanh' has two rows"):
        operations._table(iter([OPERATIONS["tanh"]]), iter([OPERATIONS["tanh"]]))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda z, w: z.where(torch.tensor([True, False, True, False]), w[0]), "operation 'Tensor.where'"),
        (lambda z, w: z @ torch.embedding(w, torch.tensor([0, 1])).mT, "operation 'torch.embedding'"),
        (
            lambda z, w: torch.batch_norm(z, w[0], w[1], torch.zeros(4), torch.ones(4), False, 0.1, 1e-5, False),
            "operation 'torch.batch_norm'",
        ),
        (lambda z, w: F.softmax(z.reshape(-1, 2, 2, 1)), "Give it dim=-1"),
        (lambda z, w: F.log_softmax(z.reshape(-1, 2, 2, 1)), "Give it dim=-1"),
        (lambda z, w: z.view(torch.int64), "conversion to torch.int64"),
        (lambda z, w: z.sum(-1, dtype=torch.int64), "conversion to torch.int64"),
        (lambda z, w: w[z], "'__getitem__' with these arguments"),
        (lambda z, w: torch.ones(32, 32, dtype=z.dtype) @ z, "depends on the others in its batch"),
    ],
)
def test_what_would_be_another_operation_is_refused(function: object, message: str) -> None:
    """Torch gives one name to two functions, or one function does two things: never the order of the wrong one."""
    with pytest.raises((UndecidedError, InvalidValueError), match=message):
        network_orders(generic(Applied(function), 0), {"z.weight": 1})  # type: ignore[arg-type]


def test_attention_with_weights_that_are_computed() -> None:
    """The functional form with weights that are no parameters: there is nothing to name, and orders are found."""

    def attend(z: Tensor, w: Tensor) -> Tensor:
        tokens = z.reshape(-1, 2, 2).movedim(0, 1)  # positions first
        stacked = torch.cat([w[:2, :2], w[2:, :2], w[:2, 2:]])
        mixed, _ = F.multi_head_attention_forward(
            tokens, tokens, tokens, 2, 1, stacked, None, None, None, False, 0.0, w[2:, 2:], None
        )
        return mixed.movedim(0, 1)

    orders = network_orders(generic(Applied(attend), 0), {"w": {(..., 2): 1, (..., 3): 1}})
    assert str(orders.divergence) == "4"  # values and the output have a factor t each
