"""Inputs and outputs as people have them: several by name, padded, of which one output is meant and some have labels.

Expected values come from explicit Jacobians of the module itself, called by hand with one sample at a time.
"""

from __future__ import annotations

import dataclasses
from collections import UserDict
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from ddtheory.errors import InvalidValueError, MeasurementError, UnknownNameError
from ddtheory.measure import (
    Categorical,
    Density,
    ExponentialFamily,
    Gaussian,
    NoisyTargets,
    Problem,
    fisher_along,
    fisher_gram,
    fisher_matrix,
    gradient_gram,
    kronecker_factors_of_all,
    order,
    schur_along,
)

PADDED = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [0, 1, 1, 1]])
TOKENS = torch.tensor([[3, 1, 2, 4], [2, 2, 0, 0], [0, 4, 4, 1]])


class Output(NamedTuple):
    hidden: Tensor
    logits: Tensor


@dataclasses.dataclass
class Record:
    logits: Tensor
    hidden: Tensor


class Reader(nn.Module):
    """A language model in small: attention to seen tokens alone, one law of the next token at every position."""

    def __init__(self, returns: str = "tensor") -> None:
        super().__init__()
        self.embedding, self.mix, self.head = nn.Embedding(5, 3), nn.Linear(3, 3), nn.Linear(3, 4)
        self.returns = returns
        generator = torch.Generator().manual_seed(7)
        with torch.no_grad():
            for value in self.parameters():
                value.copy_(torch.randn(value.shape, generator=generator))

    def forward(self, ids: Tensor, seen: Tensor | None = None, scale: Tensor | None = None) -> Any:
        hidden = self.embedding(ids)
        scores = hidden @ self.mix(hidden).mT
        if seen is not None:
            scores = scores.masked_fill(~seen.bool()[:, None, :], -1e9)
        hidden = torch.tanh(hidden + torch.softmax(scores, -1) @ hidden)
        logits = self.head(hidden if scale is None else hidden * scale[:, None, None])
        kinds = {
            "tensor": logits,
            "dict": {"hidden": hidden, "logits": logits},
            "UserDict": UserDict(hidden=hidden, logits=logits),
            "tuple": (hidden, logits),
            "namedtuple": Output(hidden, logits),
            "dataclass": Record(logits, hidden),
        }
        return kinds[self.returns]


def by_hand(module: nn.Module, mask: Tensor, samples: list[dict[str, Tensor]], divisor: float) -> Tensor:
    """Σ over samples and positions with a label of Jᵀ(diag p − ppᵀ)J, by reverse mode, each sample without its padding.

    A sample is called with its own arguments, a batch of one; the mask says which of its positions have labels.
    """
    module = module.double()
    parameters = {name: value.detach() for name, value in module.named_parameters()}
    size = sum(value.numel() for value in parameters.values())
    total = torch.zeros(size, size, dtype=torch.float64)
    for labelled, arguments in zip(mask, samples, strict=True):
        logits = lambda p, given=arguments: torch.func.functional_call(module, p, (), given)[0]  # noqa: E731
        jacobian = torch.func.jacrev(logits)(parameters)
        flat = torch.cat([jacobian[name].reshape(len(labelled), 4, -1) for name in parameters], dim=2)
        for position in labelled.nonzero().flatten().tolist():
            p = torch.softmax(logits(parameters)[position], -1)
            total += flat[position].mT @ (torch.diag(p) - torch.outer(p, p)) @ flat[position]
    return total / divisor


def alone(scale: Tensor | None = None) -> list[dict[str, Tensor]]:
    """Each sample of the padded batch by itself, the mask told to the model."""
    found = [{"ids": TOKENS[i : i + 1], "seen": PADDED[i : i + 1]} for i in range(3)]
    if scale is not None:
        found = [{**given, "scale": scale[i : i + 1].double()} for i, given in enumerate(found)]
    return found


INPUTS = {"ids": TOKENS, "seen": PADDED}


def test_padding_is_left_out_of_the_expectation() -> None:
    module = Reader()
    expected = by_hand(module, PADDED.bool(), alone(), 3)
    problem = Problem.from_module(module, INPUTS, Categorical(), mask="seen")
    assert torch.allclose(fisher_matrix(problem), expected, rtol=1e-12, atol=1e-14)
    assert torch.allclose(fisher_gram(problem).matrix(), expected, rtol=1e-10, atol=1e-13)
    # the control: without the mask the laws at padded positions count
    everything = by_hand(module, torch.ones(3, 4, dtype=torch.bool), alone(), 3)
    unmasked = Problem.from_module(module, INPUTS, Categorical())
    assert torch.allclose(fisher_matrix(unmasked), everything, rtol=1e-12, atol=1e-14)
    assert float((everything - expected).abs().max()) > 1e-2 * float(expected.abs().max())


def test_what_stands_in_the_padding_does_not_count() -> None:
    def value(tokens: Tensor, width: int, **options: Any) -> Tensor:
        given = {"ids": tokens[:, :width], "seen": PADDED[:2, :width]}
        return fisher_matrix(Problem.from_module(Reader(), given, Categorical(), **options))

    other = torch.where(PADDED.bool(), TOKENS, 3)
    assert torch.allclose(value(TOKENS[:2], 4, mask="seen"), value(other[:2], 4, mask="seen"), rtol=1e-12, atol=1e-15)
    assert not torch.allclose(value(TOKENS[:2], 4), value(other[:2], 4), rtol=1e-3)


def test_a_mask_of_labels() -> None:
    """The model sees every token; answers alone have labels."""
    module, labels = Reader(), torch.tensor([[-100, -100, 2, 4], [-100, 0, 1, 2], [-100, -100, -100, -100]])
    samples = [{"ids": TOKENS[i : i + 1]} for i in range(3)]
    expected = by_hand(module, labels != -100, samples, 3)
    for mask in (labels != -100, (labels != -100).int(), (labels != -100).float()):
        problem = Problem.from_module(module, {"ids": TOKENS}, Categorical(), mask=mask)
        assert torch.allclose(fisher_matrix(problem), expected, rtol=1e-12, atol=1e-14)
    assert "masked, per sample" in repr(problem) and "ids (3, 4)" in repr(problem)


@pytest.mark.long
@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 0.2, 0.1], dtype=torch.float64)])
def test_a_mean_over_tokens(weights: Tensor | None) -> None:
    own = torch.full((3,), 1 / 3, dtype=torch.float64) if weights is None else weights
    parts = [by_hand(Reader(), PADDED[i : i + 1].bool(), alone()[i : i + 1], 1.0) for i in range(3)]
    total = sum(w * part for w, part in zip(own.tolist(), parts, strict=True))
    tokens = float((own * PADDED.sum(1)).sum())
    for size in (None, 2):
        options = {"weights": weights, "mask": "seen", "batch_size": size}
        whole = Problem.from_module(Reader(), INPUTS, Categorical(), **options)
        mean = Problem.from_module(Reader(), INPUTS, Categorical(), per="label", **options)
        assert torch.allclose(fisher_matrix(whole), total, rtol=1e-12, atol=1e-14)
        assert torch.allclose(fisher_matrix(mean), total / tokens, rtol=1e-12, atol=1e-14)
        assert torch.allclose(fisher_gram(mean).matrix(), total / tokens, rtol=1e-9, atol=1e-13)
        direction = {"head.bias": torch.tensor([1.0, 0, 0, -1])}
        ratio = fisher_along(whole, direction, [0.25]).fisher[0] / fisher_along(mean, direction, [0.25]).fisher[0]
        assert ratio == pytest.approx(tokens, rel=1e-12)


def test_divergence_leaves_padding_out_too() -> None:
    direction = {"embedding.weight": torch.randn(5, 3, generator=torch.Generator().manual_seed(2))}
    problem = Problem.from_module(Reader(), INPUTS, Categorical(), mask="seen")
    step = problem.unit(direction)["embedding.weight"]
    module = Reader().double()
    before = [torch.log_softmax(module(**given)[0], -1) for given in alone()]
    with torch.no_grad():
        module.embedding.weight += 0.25 * step
    after = [torch.log_softmax(module(**given)[0], -1) for given in alone()]
    pairs = zip(before, after, PADDED.bool(), strict=True)
    expected = sum(float((q.exp() * (q - p)).sum(-1)[seen].sum().detach()) for q, p, seen in pairs) / 3
    assert fisher_along(problem, direction, [0.25]).divergence[0] == pytest.approx(expected, rel=1e-12)
    assert order(fisher_along(problem, direction)).k == 1


def test_three_inputs_of_three_dtypes_in_every_way_that_data_come() -> None:
    scale = torch.tensor([1.0, 0.5, -0.25])
    whole = {**INPUTS, "scale": scale}
    expected = by_hand(Reader(), PADDED.bool(), alone(scale), 3)

    class Samples(Dataset):  # type: ignore[type-arg]
        def __len__(self) -> int:
            return 3

        def __getitem__(self, i: int) -> dict[str, Tensor]:
            return {name: value[i] for name, value in whole.items()}

    batches = [{name: value[i : i + 2] for name, value in whole.items()} for i in (0, 2)]
    for data in (
        whole,
        UserDict(whole),
        DataLoader(Samples(), batch_size=2),
        batches,
        [(b, "target") for b in batches],
    ):
        problem = Problem.from_module(Reader(), data, Categorical(), mask="seen")
        assert torch.allclose(fisher_gram(problem).matrix(), expected, rtol=1e-10, atol=1e-13)
    for size in (1, 2, 3, 100):
        problem = Problem.from_module(Reader(), whole, Categorical(), mask="seen", batch_size=size)
        assert torch.allclose(fisher_gram(problem).matrix(), expected, rtol=1e-10, atol=1e-13)
    module = Reader().double()
    bare = Problem(
        lambda p, given: torch.func.functional_call(module, p, (), dict(given)),
        problem.truth,
        whole,
        Categorical(),
        mask=PADDED,
    )
    assert torch.allclose(fisher_matrix(bare), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("returns", "output"),
    [
        ("dict", "logits"),
        ("UserDict", "logits"),
        ("tuple", 1),
        ("namedtuple", "logits"),
        ("namedtuple", 1),
        ("dataclass", "logits"),
    ],
)
def test_the_output_that_is_meant(returns: str, output: str | int) -> None:
    plain = Problem.from_module(Reader(), INPUTS, Categorical())
    named = Problem.from_module(Reader(returns), INPUTS, Categorical(), output=output)
    assert torch.equal(fisher_matrix(plain), fisher_matrix(named))
    with pytest.raises(MeasurementError, match=r"The model returns .*output="):
        Problem.from_module(Reader(returns), INPUTS, Categorical())
    with pytest.raises(MeasurementError, match="There is no output 'logit'"):
        Problem.from_module(Reader(returns), INPUTS, Categorical(), output="logit")
    hidden = Problem.from_module(Reader(returns), INPUTS, Categorical(), output="hidden" if output == "logits" else 0)
    assert hidden.truth_outputs(INPUTS).shape == (3, 4, 3)  # the control: another output


@pytest.mark.parametrize(
    ("output", "error", "message"),
    [
        (True, InvalidValueError, "name of one"),
        (-1, InvalidValueError, "name of one"),
        (1.0, InvalidValueError, "name of one"),
        ("logits", MeasurementError, "one tensor.*leave `output` out"),
        (0, MeasurementError, "one tensor.*leave `output` out"),  # never the first sample of a tensor
    ],
)
def test_an_output_that_is_none(output: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Problem.from_module(Reader(), INPUTS, Categorical(), output=output)


@pytest.mark.parametrize(
    ("inputs", "options", "error", "message"),
    [
        ({}, {}, MeasurementError, "mapping without entries"),
        ({"ids": TOKENS, "seen": PADDED[:2]}, {}, MeasurementError, "different numbers of samples: 3 at 'ids', 2"),
        ({"ids": TOKENS, "text": ["a", "b", "c"]}, {}, MeasurementError, "'text' is .*not a tensor"),
        ({"ids": TOKENS, "use_cache": False}, {}, MeasurementError, "'use_cache' is False, not a tensor"),
        ({"idz": TOKENS}, {}, MeasurementError, "failed on the first batch, inputs idz.*unexpected keyword"),
        ({3: TOKENS}, {}, InvalidValueError, "A name in The inputs|must be text"),
        ({"ids": TOKENS, "scale": torch.full((3,), torch.nan)}, {}, MeasurementError, "NaN"),
        (INPUTS, {"mask": "attention_mask"}, UnknownNameError, "Known: ids, seen"),
        (INPUTS, {"mask": "ids"}, InvalidValueError, "zeros and ones"),
        (TOKENS, {"mask": "seen"}, InvalidValueError, "they are one tensor"),
        (INPUTS, {"mask": PADDED[:2]}, InvalidValueError, "3 samples but a mask"),
        (INPUTS, {"mask": [1, 1]}, InvalidValueError, "give a tensor of truth values"),
        (INPUTS, {"mask": PADDED[:, :3]}, MeasurementError, r"mask has shape \(3, 3\), the outputs \(3, 4, 4\)"),
        (INPUTS, {"mask": torch.zeros(3, 4)}, MeasurementError, "leaves no output"),
        (INPUTS, {"per": "label"}, InvalidValueError, "needs a mask"),
        (INPUTS, {"per": "token", "mask": "seen"}, UnknownNameError, "Known: label, sample"),
        (DataLoader([INPUTS]), {"mask": PADDED}, InvalidValueError, "may shuffle"),
        ([INPUTS], {"batch_size": 2}, InvalidValueError, "already comes in batches"),
        ([{"ids": TOKENS, "n": torch.tensor(3)}], {}, MeasurementError, "'n' hold a single number"),
    ],
)
def test_refused(inputs: object, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Problem.from_module(Reader(), inputs, Categorical(), **options)


def test_a_mask_that_some_later_batch_has_not() -> None:
    with pytest.raises(UnknownNameError, match="no mask among the inputs named 'seen'"):
        Problem.from_module(Reader(), [INPUTS, {"ids": TOKENS}], Categorical(), mask="seen")


def test_other_heads_leave_out_too() -> None:
    """Outputs without a label are zero; a law that has no place there says so, instead of NaN that nobody sees."""
    module = nn.Linear(1, 2).double()
    inputs, mask = {"input": torch.ones(2, 1)}, torch.tensor([[True, False], [True, True]])
    direction = {"bias": torch.tensor([0.0, 1.0])}
    for head, second in ((Gaussian(), 1.0), (ExponentialFamily(torch.exp), None)):
        problem = Problem.from_module(module, inputs, head, mask=mask)
        eta = float(module(torch.ones(1, 1).double())[0, 1].detach()) + 0.5
        expected = 0.5 * (second or float(torch.tensor(eta).double().exp()))
        assert fisher_along(problem, direction, [0.5]).fisher[0] == pytest.approx(expected, rel=1e-6)
    with torch.no_grad():
        module.bias.fill_(-5.0)
    for own in (None, mask):  # natural parameters below zero; the control is the law without a mask
        problem = Problem.from_module(module, inputs, ExponentialFamily(lambda eta: -torch.log(-eta)), mask=own)
        if own is None:
            assert order(fisher_along(problem, direction)).k == 1
        else:
            with pytest.raises(MeasurementError, match="NaN or infinite"):
                fisher_along(problem, direction)
    with pytest.raises(MeasurementError, match="integrates"):
        Problem.from_module(nn.Linear(1, 1), torch.ones(2, 1), Density(), mask=torch.tensor([[True], [False]]))


def test_layers_of_a_model_of_several_inputs() -> None:
    """G of the head layer is the sum over labelled positions of diag p − ppᵀ, and a padded position adds nothing."""
    module = Reader()
    problem = Problem.from_module(module, INPUTS, Categorical(), mask="seen", batch_size=2)
    double = module.double()
    p = [torch.softmax(double(**given)[0], -1)[seen] for given, seen in zip(alone(), PADDED.bool(), strict=True)]
    expected = sum(torch.diag(row) - torch.outer(row, row) for rows in p for row in rows) / 3
    assert torch.allclose(gradient_gram(problem, "head").matrix(), expected.detach(), rtol=1e-10, atol=1e-13)
    found = kronecker_factors_of_all(problem)
    assert set(found) == {"embedding", "mix", "head"}
    assert torch.allclose(found["head"].gradient.matrix(), expected.detach(), rtol=1e-10, atol=1e-13)
    labels = NoisyTargets(lambda given: torch.zeros(*given["ids"].shape, 4).double(), 0.0)
    noisy = kronecker_factors_of_all(Problem.from_module(module, INPUTS, Gaussian(), mask="seen"), labels=labels)
    squares = [double(**given)[0][seen] for given, seen in zip(alone(), PADDED.bool(), strict=True)]
    own = sum(torch.outer(row, row) for rows in squares for row in rows) / 3
    assert torch.allclose(noisy["head"].gradient.matrix(), own.detach(), rtol=1e-10, atol=1e-13) or len(own) == 4


def test_a_schur_reading_and_a_rotated_basis_keep_the_mask() -> None:
    problem = Problem.from_module(Reader(), INPUTS, Categorical(), mask="seen", per="label")
    basis = torch.linalg.qr(torch.randn(43, 43, generator=torch.Generator().manual_seed(1), dtype=torch.float64)).Q
    turned = problem.in_basis(basis)
    assert torch.allclose(fisher_matrix(turned), basis @ fisher_matrix(problem) @ basis.mT, rtol=1e-9, atol=1e-12)
    bias = {"head.bias": torch.tensor([1.0, 0, 0, 0])}
    f = fisher_matrix(problem, {"head.bias": problem.truth["head.bias"] + 0.5 * torch.tensor([1.0, 0, 0, 0])})
    live = [{"head.bias": torch.tensor([0.0, 1.0, 0, 0])}]
    i, j = 39, 40
    expected = f[i, i] - f[i, j] ** 2 / f[j, j]
    assert schur_along(problem, bias, live, [0.5]).schur[0] == pytest.approx(float(expected), rel=1e-9)


class Overwriting(nn.Module):
    def __init__(self, change: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.linear, self.change = nn.Linear(3, 2), change

    def forward(self, x: Tensor) -> Tensor:
        self.change(x)
        return self.linear(x)


@pytest.mark.parametrize(
    "change", [torch.relu_, lambda x: x.add_(1), lambda x: x[0].zero_(), lambda x: x.t_().t_().neg_()]
)
def test_a_model_that_overwrites_its_inputs(change: Callable[[Tensor], object]) -> None:
    """An in-place ReLU gives the same answer twice, so only the data show it; those of the caller stay as they are."""
    data = torch.randn(4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    before = data.clone()
    for inputs in (data, {"x": data}):
        with pytest.raises(MeasurementError, match="overwrites its inputs in place"):
            Problem.from_module(Overwriting(change), inputs, Gaussian())
    assert torch.equal(data, before)
    Problem.from_module(Overwriting(lambda x: x.clone().relu_()), data, Gaussian())  # the control
