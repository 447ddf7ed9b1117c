# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Rates along residual graphs
#
# A layer multiplies the dead channel by $c\,t$, a skip by 1. So the gradient decays with the *shortest weighted path*:
# its second moment has rate $2K$, $K$ the least number of weights on any route.

# %%
# %matplotlib inline
import math

import torch
from IPython.display import display
from matplotlib.figure import Figure

from ddtheory import plots, verify
from ddtheory.verify.claim import Curve
from ddtheory.workbench.evidence import rate
from ddtheory.workbench.residual_graph import residual_graph

NOISE = 0.09
radii = tuple(2.0**-n for n in range(3, 12))

# %% [markdown]
# ## Three graphs of six tanh layers

# %%
curves = []
for label, skips, length in (
    ("no skips, K = 6", [], 6),
    ("skips over 2 and 2, K = 2", [(0, 2), (3, 5)], 2),
    ("all wrapped, K = 0", [(0, 2), (2, 4), (4, 6)], 0),
):
    graph = residual_graph(depth=6, skips=skips)
    moments = tuple(graph.gradient_moment(t, 0, NOISE) for t in radii)
    assert rate(radii, moments).contains(2 * length)
    curves.append(Curve(label, radii, moments, 2.0 * length))
plots.rate(curves)

# %% [markdown]
# ## The slope that is 0.2 too large
#
# A wrapped block of two layers between weights has the transfer $t^{a+b}(1 + t^2)$. Its local slope exceeds $2(a+b)$ by
# $4t^2/(1 + t^2)$: the published 0.2 is what one reads near $t = 0.23$.

# %%
identity = torch.nn.Identity()
block = residual_graph(depth=5, skips=[(1, 3)], activation=identity)
times = [10 ** (-2 + n / 10) for n in range(21)]
step = 2.0 ** (1 / 32)


def offset(t: float) -> float:
    """Local slope of the moment minus 2(a + b) = 6, labels drawn from the model."""
    up, down = (float(block.sensitivity(s, 0)[-1].square().sum(-1).mean()) for s in (t * step, t / step))
    return math.log(up / down) / (2 * math.log(step)) - 6


figure = Figure(figsize=(4.6, 3.2), layout="constrained")
axes = figure.add_subplot(xscale="log", xlabel="t", ylabel="local slope − 2(a + b)")
axes.plot(times, [offset(t) for t in times], "o", color=plots.SERIES[0], label="torch")
axes.plot(times, [4 * t**2 / (1 + t**2) for t in times], color=plots.SERIES[0], label="4t²/(1 + t²)")
axes.axhline(0.2, color=plots.MUTED, linestyle=":", label="published offset")
axes.legend(frameon=False)
display(figure)

# %% [markdown]
# ## Ties
#
# Two shortest routes add with their signs. Slopes $c$ and $-c$ cancel, and then the activation decides: linear layers
# leave $t^3$, SiLU leaves $t^2$.

# %%
for label, activation, last in (
    ("0.8 and 0.7", identity, 0.7),
    ("0.8 and −0.8, linear", identity, -0.8),
    ("0.8 and −0.8, SiLU", torch.nn.functional.silu, -0.8),
):
    graph = residual_graph(depth=3, skips=[(0, 2), (1, 3)], slopes=(0.8, 1.3, last), activation=activation)
    forward = [float(graph.nodes(t)[3][:, -1].square().mean()) for t in radii]
    print(f"{label:22s} forward rate", round(rate(radii, forward).estimate, 3))

# %% [markdown]
# ## Depth: what a skip does not promise
#
# $K = 0$ keeps the dead channel from decaying *in t*. It does not keep $\sigma_{\min}$ from falling *with depth*: that
# needs branches that do not point against the stream.

# %%
generator = torch.Generator().manual_seed(11)
samples = torch.randn(2000, 5, generator=generator, dtype=torch.float64)


def profile(paired: bool) -> list[float]:
    """σ_min(X_l)/σ_min(X_0) over eight blocks."""
    stream, found = samples, [1.0]
    for _ in range(8):
        first, second = torch.randn(2, 5, 5, generator=generator, dtype=torch.float64) / 5**0.5
        if paired:
            stream = stream + 0.3 * stream @ (first @ first.mT + second - second.mT).mT
        else:
            stream = stream + torch.tanh(stream @ first.mT) @ second.mT
        found.append(float(torch.linalg.svdvals(stream)[-1] / torch.linalg.svdvals(samples)[-1]))
    return found


figure = Figure(figsize=(4.6, 3.4), layout="constrained")
axes = figure.add_subplot(yscale="log", xlabel="block", ylabel="σ_min(X_l)/σ_min(X_0)")
for number in range(6):
    axes.plot(profile(paired=False), color=plots.SERIES[1], alpha=0.7, label="tanh branches" if number == 0 else None)
    axes.plot(profile(paired=True), color=plots.SERIES[0], alpha=0.7, label="paired branches" if number == 0 else None)
axes.axhline(1, color=plots.MUTED, linestyle=":")
axes.legend(frameon=False)
display(figure)

# %% [markdown]
# ## Verdicts of the chapter

# %%
result = verify.run(verify.select(["residual"]), jobs=1)
for claim in result.results:
    print(f"{claim.verdict.value:10s} {claim.record.id:22s} {claim.record.title}")
assert not result.moved
plots.verdicts(result.results)
