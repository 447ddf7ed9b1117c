"""Every operation of the table against slopes that float64 shows, and nothing in the table without a case."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from architectures import Case, generic
from operation_cases import CASES, VANISHING, Applied
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
