"""Samples that see each other are refused: their Fisher depends on the batch size."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ddtheory.errors import MeasurementError
from ddtheory.measure import Categorical, Gaussian, Problem, fisher_along, fisher_matrix
from ddtheory.measure.setting import coupling, trial


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def centred(parameters: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Minus the mean of the batch."""
    return parameters["w"] * (x - x.mean(dim=0, keepdim=True))


W = {"w": torch.ones(1, dtype=torch.float64)}


class SequenceFirst(nn.Module):
    """Attention that takes the first axis for positions, and at the true parameter passes nothing on."""

    def __init__(self, *, silent: bool, batch_first: bool = False) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=batch_first)
        if silent:
            nn.init.zeros_(self.attention.out_proj.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.attention(x, x, x, need_weights=False)[0]


class Causal(SequenceFirst):
    """The first position sees nobody."""

    def forward(self, x: Tensor) -> Tensor:
        mask = torch.triu(torch.ones(len(x), len(x), dtype=torch.bool), diagonal=1)
        return x + self.attention(x, x, x, need_weights=False, attn_mask=mask)[0]


class Contrastive(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.normalize(self.linear(x), dim=-1)
        return (hidden @ hidden.mT).logsumexp(dim=-1, keepdim=True)


class FixedBatch(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.reshape(6, 3))


def test_the_fisher_would_depend_on_the_batch_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: without the check, F = E (x − x̄)² of −1, 0, 1, 2 is 5/4 in one batch and 1/4 in two."""
    x = torch.tensor([[-1.0], [0.0], [1.0], [2.0]], dtype=torch.float64)
    with pytest.raises(MeasurementError, match="depends on the others"):
        Problem(centred, W, x, Gaussian())
    monkeypatch.setattr(trial, "check_apart", lambda *given: None)
    found = [fisher_matrix(Problem(centred, W, x, Gaussian(), batch_size=size)).item() for size in (4, 2)]
    assert found == [1.25, 0.25]


@pytest.mark.parametrize(
    ("module", "inputs", "message"),
    [
        (
            nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2, track_running_stats=False)),
            drawn(6, 3),
            "'1' .*in any mode",
        ),
        (nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), drawn(6, 3), "'1' .*training mode"),
        (nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0), drawn(6, 3, 4), "batch_first"),
        (SequenceFirst(silent=False), drawn(6, 3, 4), "batch_first"),
        (SequenceFirst(silent=True), drawn(6, 3, 4), "batch_first"),
        (Causal(silent=False), drawn(6, 3, 4), "batch_first"),
        (Contrastive(), drawn(6, 3), "depends on the others"),
        (FixedBatch(), drawn(6, 3), "on a batch and not on one sample"),
    ],
)
def test_modules_whose_samples_meet(module: nn.Module, inputs: Tensor, message: str) -> None:
    if "training" not in message:
        module = module.eval()
    with pytest.raises(MeasurementError, match=message):
        Problem.from_module(module, inputs, Gaussian())


@pytest.mark.parametrize(
    "model",
    [
        centred,
        lambda p, x: F.batch_norm(p["w"] * x, None, None, training=True),
        lambda p, x: p["w"] * torch.softmax(x, dim=0),
        lambda p, x: p["w"] * x / len(x),
        lambda p, x: x + p["w"] * x.flip(0),
        lambda p, x: p["w"] * x.cumsum(dim=0),
        lambda p, x: x + (p["w"] - 1) * x.mean(),  # not at the true parameter
    ],
)
def test_functions_whose_samples_meet(model) -> None:
    with pytest.raises(MeasurementError, match=r"depends on the others|not on one sample"):
        Problem(model, W, drawn(5, 1), Gaussian())


@torch.no_grad()
def test_a_silent_coupling_is_not_seen_at_the_true_parameter() -> None:
    """The control of the generic point: at the true parameter alone the two agree to the last bit."""
    module = SequenceFirst(silent=True).double()
    inputs = drawn(6, 3, 4)
    assert torch.equal(module(inputs)[:1], module(inputs[:1]))
    function = lambda p, x: torch.func.functional_call(module, p, (x,))  # noqa: E731
    truth = {name: value.detach() for name, value in module.named_parameters()}
    coupling._compare(module(inputs)[[0, 5]], [module(inputs[:1]), module(inputs[5:])])
    with pytest.raises(MeasurementError, match="depends on the others"):
        coupling.check_apart(function, truth, inputs, module(inputs))


@pytest.mark.parametrize(("dtype", "apart"), [(torch.float64, 1e-6), (torch.float32, 1e-6), (torch.float16, 1e-2)])
def test_rounding_is_no_coupling(dtype: torch.dtype, apart: float) -> None:
    """A sum in another order moves the last bits, those of float32 where a float64 model casts to it; no more."""
    row = torch.tensor([1.0, -2.0], dtype=dtype)
    coupling._compare(torch.stack([row, row]), [(row * (1 + apart))[None], row[None]])
    with pytest.raises(MeasurementError, match="depends on the others"):
        coupling._compare(torch.stack([row, row]), [row[None], (row * (1 + 100 * apart))[None]])


class Rounded(nn.Module):
    """A float64 model that normalises in float32, as many language models do."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(64, 64), nn.Linear(64, 3)

    def forward(self, x: Tensor) -> Tensor:
        single = self.first(x).float()
        return self.second((single * torch.rsqrt(single.square().mean(-1, keepdim=True))).to(x.dtype))


@pytest.mark.parametrize(
    ("module", "inputs"),
    [
        (nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).eval(), drawn(6, 3)),
        (nn.TransformerEncoderLayer(4, 2, 8, batch_first=True).eval(), drawn(6, 3, 4)),
        (SequenceFirst(silent=False, batch_first=True), drawn(6, 3, 4)),
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.InstanceNorm2d(2), nn.Flatten()), drawn(6, 1, 5, 5)),
        (nn.GroupNorm(1, 2), drawn(6, 2, 5)),
        (Rounded(), drawn(40, 64)),
        (nn.Linear(3, 2), drawn(1, 3)),
    ],
)
def test_modules_whose_samples_do_not_meet(module: nn.Module, inputs: Tensor) -> None:
    whole, one = (
        fisher_along(
            Problem.from_module(module, inputs, Categorical(), batch_size=size),
            {name: torch.ones_like(value) for name, value in module.named_parameters()},
            [0.25],
        )
        for size in (None, 1)
    )
    assert whole.fisher == pytest.approx(one.fisher, rel=1e-5)


def test_a_generic_point_outside_the_domain_says_nothing() -> None:
    def domain(parameters: Mapping[str, Tensor], x: Tensor) -> Tensor:
        if not torch.equal(parameters["w"], W["w"]):
            raise ValueError("outside")
        return parameters["w"] * x

    assert Problem(domain, W, drawn(4, 1), Gaussian()).dimension == 1
    logarithm = Problem(lambda p, x: torch.log(p["w"]) * x, {"w": W["w"] * 1e-9}, drawn(4, 1), Gaussian())
    assert logarithm.dimension == 1
