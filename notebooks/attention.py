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
# # Rates through attention
#
# One channel of a softmax attention block is dead: W_Q, W_K, W_V and W_O carry it with weights $t$. Forward, the block
# has amplitude $t^2$ along it. Backward, a gradient has two ways through a block: by V and O, and by the scores. In a
# chain the first way costs $t^2$ a block; the second ends in live channels, where nothing decays any more.

# %%
# %matplotlib inline
from IPython.display import display
from matplotlib.figure import Figure

from ddtheory import plots, verify
from ddtheory.verify.claim import Curve
from ddtheory.workbench.attention_chain import attention_chain
from ddtheory.workbench.evidence import rate

NOISE = 0.09
radii = tuple(2.0**-n for n in range(6, 14))

# %% [markdown]
# ## The law $\min(4k, 4p + 8)$
#
# $p$ blocks below the probe, $k$ above, no residual stream. The mean over the label noise is exact, so there is no
# sampling noise in these points.

# %%
measured: dict[int, list[float]] = {}
for p in (0, 1):
    measured[p] = []
    for k in range(6):
        chain = attention_chain(blocks=p + 1 + k, seed=3)
        found = rate(radii, [chain.gradient_moment(t, p + 1, NOISE) for t in radii])
        measured[p].append(found.estimate)
        assert found.contains(min(4 * k, 4 * p + 8)) and found.width < 0.01

figure = Figure(figsize=(4.6, 3.4), layout="constrained")
axes = figure.add_subplot(xlabel="blocks above the probe, k", ylabel="rate of E[δ²]")
for p, colour, marker in ((0, plots.SERIES[0], "o"), (1, plots.SERIES[1], "s")):
    axes.plot(range(6), measured[p], marker, color=colour, label=f"measured, p = {p}")
    axes.plot(range(6), [min(4 * k, 4 * p + 8) for k in range(6)], "--", color=colour, label=f"min(4k, {4 * p + 8})")
axes.plot(range(6), [4 * k for k in range(6)], ":", color=plots.MUTED, label="4k, rates add")
axes.legend(frameon=False)
display(figure)

# %% [markdown]
# ## Why it saturates
#
# The way through the scores starts lower, but from $k = p + 2$ on it is the shorter one. With a dead query that is
# zero this way is closed, and rates add for every $k$.

# %%
open_chain = attention_chain(blocks=4, seed=3)
closed = attention_chain(blocks=4, follow=(0.0, 1.0, 1.0, 1.0), seed=3)
plots.rate(
    [
        Curve("p = 0, k = 3", radii, tuple(open_chain.gradient_moment(t, 1, NOISE) for t in radii), 8.0),
        Curve("dead query zero", radii, tuple(closed.gradient_moment(t, 1, NOISE) for t in radii), 12.0),
    ]
)

# %% [markdown]
# ## What removes the law
#
# A residual stream: nothing decays. No label noise: the error of the model takes its place. One position: the softmax
# is constant.

# %%
for label, chain, noise in (
    ("residual stream", attention_chain(blocks=4, gain=0.5, residual=True, seed=3), NOISE),
    ("no label noise", open_chain, 0.0),
    ("one position", attention_chain(blocks=4, positions=1, seed=3), NOISE),
):
    print(f"{label:16s}", rate(radii, [chain.gradient_moment(t, 1, noise) for t in radii]).estimate)

# %% [markdown]
# ## A window that misleads
#
# With a live gain of 2 the softmax is nearly hard, the way through the scores has a small coefficient, and the crossing
# from $t^{16}$ to $t^8$ lies inside a usual window.

# %%
wide = tuple(2.0**-n for n in range(3, 16))
saturated = attention_chain(blocks=5, gain=2.0, seed=3)
plots.rate(
    Curve(
        "p = 0, k = 4, gain 2", wide, tuple(saturated.gradient_moment(t, 1, NOISE) for t in wide), 8.0, (2**-15, 2**-11)
    )
)

# %% [markdown]
# ## Verdicts of the chapter

# %%
result = verify.run(verify.select(["attention"]), jobs=1)
for claim in result.results:
    print(f"{claim.verdict.value:10s} {claim.record.id:26s} {claim.record.title}")
assert not result.moved
plots.verdicts(result.results)
