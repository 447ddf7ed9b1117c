"""Every head with outputs at which it is checked, as strategies. A new head gets a case by the name of its class."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from hypothesis import strategies as st
from torch import Tensor

from ddtheory.measure import Bernoulli, Categorical, Density, ExponentialFamily, Gaussian, Head, OutputMetric

Case = tuple[Head, Tensor]


@st.composite
def outputs(
    draw: st.DrawFn, *, low: float = -6.0, high: float = 6.0, fewest: int = 1, axes: int | None = None
) -> Tensor:
    """Outputs (batch, …) between two bounds, with two or three axes unless their number is given."""
    dimensions = axes or draw(st.integers(2, 3))
    shape = [draw(st.integers(1, 3)) for _ in range(dimensions - 1)] + [draw(st.integers(fewest, 4))]
    count = torch.Size(shape).numel()
    values = draw(st.lists(st.floats(low, high, allow_subnormal=False), min_size=count, max_size=count))
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def tilted(f: Tensor) -> Tensor:
    """A metric (batch, out, out) of rank one or two that depends on the outputs."""
    ramp = torch.arange(1, f.shape[1] + 1, dtype=f.dtype)
    first, second = torch.sin(f) + ramp, torch.cos(f)
    return first.unsqueeze(-1) * first.unsqueeze(-2) + second.unsqueeze(-1) * second.unsqueeze(-2)


CASES: Mapping[str, st.SearchStrategy[Case]] = {
    "Gaussian": st.tuples(st.floats(1e-6, 1e6).map(Gaussian), outputs(low=-1e3, high=1e3)),
    "Categorical": st.tuples(st.just(Categorical()), outputs(low=-40, high=40, fewest=2)),
    "Bernoulli": st.tuples(st.just(Bernoulli()), outputs(low=-40, high=40)),
    "ExponentialFamily": st.one_of(
        st.tuples(st.just(ExponentialFamily(torch.exp)), outputs(low=-30, high=30)),  # Poisson
        st.tuples(st.just(ExponentialFamily(F.softplus)), outputs(low=-15, high=15)),  # Bernoulli
        st.tuples(st.just(ExponentialFamily(lambda eta: -torch.log(-eta))), outputs(low=-50, high=-1e-2)),
        st.tuples(st.just(ExponentialFamily(lambda eta: torch.logsumexp(eta, -1))), outputs(fewest=2)),
    ),
    "Density": st.tuples(st.just(Density()), outputs(low=-200, high=3, axes=2).map(lambda f: f.reshape(-1, 1))),
    "OutputMetric": st.tuples(st.just(OutputMetric(tilted)), outputs()),
}
