"""Casts to float32 inside a model: modules run in float64, functions get the floor of what they compute."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from ddtheory.measure import Gaussian, Problem, fisher_along, order
from ddtheory.measure.setting.casts import Raising, Shortening
from ddtheory.measure.setting.modules import ModuleFunction
from ddtheory.values import ReadingStatus


class RMSNorm(nn.Module):
    """As language models write it: in float32, whatever comes in."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        wide = x.to(torch.float32)
        return self.weight * (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-6)).to(x.dtype)


class Rotary(nn.Module):
    """Attention with rotary positions and a softmax, both in float32."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(size, size, bias=False) for _ in range(3))
        self.register_buffer("frequencies", 1.0 / 100 ** (torch.arange(0, size, 2).float() / size), persistent=False)

    def turned(self, x: Tensor) -> Tensor:
        angles = torch.arange(x.shape[1], dtype=torch.float32)[:, None] * self.frequencies.float()[None]
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
        even, odd = x[..., ::2], x[..., 1::2]
        return torch.cat([even * cos - odd * sin, odd * cos + even * sin], -1)

    def forward(self, x: Tensor) -> Tensor:
        scores = self.turned(self.q(x)) @ self.turned(self.k(x)).mT
        return nn.functional.softmax(scores, dim=-1, dtype=torch.float32).to(x.dtype) @ self.v(x)


class Block(nn.Module):
    """RMSNorm, attention, and a SwiGLU of six units, of which the first may be dead."""

    def __init__(self, dead: bool) -> None:
        super().__init__()
        self.first, self.attention, self.second = RMSNorm(4), Rotary(4), RMSNorm(4)
        self.gate, self.up, self.down = (nn.Linear(*sizes, bias=False) for sizes in ((4, 6), (4, 6), (6, 4)))
        if dead:
            with torch.no_grad():
                self.gate.weight[0], self.up.weight[0], self.down.weight[:, 0] = 0.0, 0.0, 0.0

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.first(x))
        h = self.second(x)
        return (x + self.down(nn.functional.silu(self.gate(h)) * self.up(h))).mean(1)


def block(dead: bool = False) -> Problem:
    torch.manual_seed(0)
    return Problem.from_module(Block(dead), torch.randn(20, 5, 4), Gaussian())


def test_a_random_direction_and_a_dead_unit() -> None:
    problem = block()
    live = order(fisher_along(problem, torch.randn(problem.dimension)))
    assert live.k == 1 and "asks for float32 inside, which ran in float64" in live.why
    direction = {"gate.weight": torch.zeros(6, 4), "up.weight": torch.zeros(6, 4), "down.weight": torch.zeros(4, 6)}
    direction["gate.weight"][0], direction["up.weight"][0] = torch.randn(4), torch.randn(4)
    direction["down.weight"][:, 0] = torch.randn(4)
    profile = fisher_along(block(dead=True), direction)
    assert order(profile).k == 3 and profile.fisher_floor < 1e-24


def test_without_raising_the_same_module_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the casts do what they say, the floor is that of float32, and the dead unit is lost in it."""
    direction = {"gate.weight": torch.zeros(6, 4), "up.weight": torch.zeros(6, 4), "down.weight": torch.zeros(4, 6)}
    direction["gate.weight"][0], direction["up.weight"][0], direction["down.weight"][:, 0] = 0.3, 0.2, 0.1
    monkeypatch.setattr(Raising, "raised", lambda self, value: value)
    profile = fisher_along(block(dead=True), direction)
    assert profile.fisher_floor > 1e-14 and order(profile).k is None
    assert "rounds inside to ε = 1.2e-07" in order(profile).why


def test_the_module_computes_what_it_would_compute_without_casts() -> None:
    torch.manual_seed(1)
    x = torch.randn(3, 5, 4, dtype=torch.float64)
    norm = RMSNorm(4).double()
    function = ModuleFunction(norm)
    expected = x / (x.pow(2).mean(-1, keepdim=True) + 1e-6).sqrt()
    assert torch.allclose(function(function.truth(), x), expected, rtol=1e-14, atol=0)
    assert not torch.allclose(norm(x), expected, rtol=1e-9, atol=0)


# short before anything is raised
SINGLE, BRAIN = torch.ones(1, dtype=torch.float32), torch.ones(1, dtype=torch.bfloat16)
SPELLINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "float": lambda x: x.float(),
    "half": lambda x: x.half(),
    "bfloat16": lambda x: x.bfloat16(),
    "to": lambda x: x.to(torch.float32),
    "to a device": lambda x: x.to("cpu", torch.float32),
    "to by name": lambda x: x.to(dtype=torch.float16),
    "type": lambda x: x.type(torch.float32),
    "to another": lambda x: x.to(SINGLE),
    "to another by name": lambda x: x.to(tensor=BRAIN),
    "to another, copied": lambda x: x.to(SINGLE, copy=True),
    "type_as": lambda x: x.type_as(SINGLE),
    "type_as by name": lambda x: x.type_as(other=BRAIN),
    "type by text": lambda x: x.type("torch.FloatTensor"),
    "type by class": lambda x: x.type(torch.HalfTensor),
    "softmax": lambda x: torch.softmax(x, 0, dtype=torch.float32),
    "sum": lambda x: x.sum(dtype=torch.float32),
    "factory": lambda x: torch.zeros(2, dtype=torch.float32) + x.sum(),
    "complex": lambda x: x.to(torch.complex64),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_cast_in_this_spelling_is_raised(name: str) -> None:
    with Raising(torch.float64):
        assert SPELLINGS[name](torch.randn(3, dtype=torch.float64)).dtype in (torch.float64, torch.complex128)
    with Raising(torch.float32):  # float32 is enough there
        found = SPELLINGS[name](torch.randn(3)).dtype
        assert found in (torch.float32, torch.complex64)


def test_integers_and_more_digits_stay() -> None:
    with Raising(torch.float32):
        assert torch.ones(2).double().dtype == torch.float64
        assert torch.ones(2).long().dtype == torch.int64 and torch.ones(2).to(torch.bool).dtype == torch.bool
        assert torch.ones(2).to(torch.ones(2).double()).dtype == torch.float64
        assert torch.ones(2).type_as(torch.ones(2, dtype=torch.int64)).dtype == torch.int64
        assert torch.ones(2).type("torch.IntTensor").dtype == torch.int32


def rounding(dtype: torch.dtype) -> Problem:
    """N((t, t²)) whose second output goes through a shorter dtype on the way, offset so that rounding is felt."""

    def model(p: dict[str, Tensor], x: Tensor) -> Tensor:
        return ((p["t"] ** 2 + 1.0).to(dtype).double() - 1.0) * x

    return Problem(model, {"t": torch.zeros(1, dtype=torch.float64)}, torch.ones(4, 1, dtype=torch.float64), Gaussian())


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_a_function_gets_the_floor_of_what_it_computes(dtype: torch.dtype) -> None:
    """At t the output is off by up to half a unit of the dtype, so K by its square over 2."""
    profile = fisher_along(rounding(dtype), {"t": torch.ones(1)})
    unit = torch.finfo(dtype).eps
    assert profile.divergence_floor > (0.5 * unit) ** 2 / 2
    off = (abs(k - t**4 / 2) for t, k in zip(profile.radii, profile.divergence, strict=True) if t**4 < unit)
    assert profile.divergence_floor > max(off, default=0.0)
    reading = order(profile)
    assert reading.k == 2 if dtype == torch.float64 else reading.k in (2, None)
    assert ("rounds inside" in reading.why) is (dtype != torch.float64)
    assert reading.status is not ReadingStatus.FLAT


def test_what_is_short_from_the_start_is_no_rounding() -> None:
    """A constant of float32 is exact as it is; a value that is shortened is not."""
    with Shortening(torch.float64) as found:
        torch.ones(3, dtype=torch.float64) * torch.ones(3)
    assert found.shortest == torch.float64
    with Shortening(torch.float64) as found:
        torch.ones(3, dtype=torch.float64).half().float()
    assert found.shortest == torch.float16


ROUNDINGS: dict[str, tuple[Callable[[Tensor], object], torch.dtype]] = {
    "twice": (lambda x: x.float().bfloat16(), torch.bfloat16),
    "twice, and something between": (lambda x: (x.float() * torch.ones(3)).sum().half(), torch.float16),
    "by name": (lambda x: torch.sum(input=x, dtype=torch.float32), torch.float32),
    "in a list": (lambda x: torch.stack([x, x]).float().chunk(2)[1].half(), torch.float16),
    "into a list that is read": (lambda x: torch.cat([x.float(), torch.ones(3)]).bfloat16(), torch.bfloat16),
    "into a buffer": (lambda x: torch.zeros(3).copy_(x), torch.float32),
    "to a tuple": (lambda x: torch.sort(x.half())[0], torch.float16),
    "not at all": (lambda x: torch.stack([x, x.exp()]) * torch.ones(3).half(), torch.float64),
    "integers": (lambda x: x.long().float().half(), torch.float64),
}


@pytest.mark.parametrize("name", ROUNDINGS)
def test_what_is_rounded_is_followed(name: str) -> None:
    function, expected = ROUNDINGS[name]
    with Shortening(torch.float64) as found:
        function(torch.randn(3, dtype=torch.float64))
    assert found.shortest == expected
