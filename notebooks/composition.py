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
# # Composition: when rates of blocks add, and when they do not
#
# A block that passes its dead unit on with amplitude $c\,t^k$ adds $2k$ to the rate of a second moment. That is
# arithmetic; the question is which real blocks obey it.

# %%
# %matplotlib inline
import math
from dataclasses import replace

import torch

from ddtheory import plots, verify
from ddtheory.verify.claim import Curve
from ddtheory.workbench.attention_chain import attention_chain
from ddtheory.workbench.chain import canonical, corner_inputs

RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(10))


def last_slope(radii, values):
    return math.log(values[-2] / values[-1]) / math.log(radii[-2] / radii[-1])


# %% [markdown]
# ## Two-layer blocks obey
#
# Linear, SiLU and ReLU inside, in any order: four for each block.

# %%
INSIDE = {"l": lambda z: z, "s": torch.nn.functional.silu, "r": torch.relu}


def moment(t, kinds):
    z = corner_inputs(3)
    for kind in kinds:
        z = INSIDE[kind](z @ canonical(t, 3).mT) @ canonical(t, 3).mT
    return float(z[:, -1].square().mean())


curves = [
    Curve(f"blocks {kinds}", RADII, tuple(moment(t, kinds) for t in RADII), 4.0 * len(kinds))
    for kinds in ("s", "ls", "slr")
]
for curve in curves:
    print(f"{curve.label}: {last_slope(RADII, curve.values):.4f}")
    assert abs(last_slope(RADII, curve.values) - curve.slope) < 0.02
plots.rate(curves)

# %% [markdown]
# ## Gated units and normalisations do not
#
# A SwiGLU block squares what arrives: two of them have moment rate 18, not 12. A LayerNorm writes the mean of the live
# units into the dead one: whatever died before it is forgotten.


# %%
def gated(t, count):
    z = corner_inputs(1)
    for _ in range(count):
        z = t * torch.nn.functional.silu(t * z) * (t * z)
    return float(z.square().mean())


def normalised(t):
    z = torch.tensor([[1.0, 0.5, 1.0], [-0.3, 2.0, -1.0], [0.7, -1.1, 1.0]], dtype=torch.float64)
    inside = torch.nn.functional.layer_norm(z @ canonical(t, 3).mT, (3,))
    return float((inside @ canonical(t, 3).mT)[:, -1].square().mean())


curves = [
    Curve("one SwiGLU block", RADII, tuple(gated(t, 1) for t in RADII), 6.0),
    Curve("two SwiGLU blocks", RADII, tuple(gated(t, 2) for t in RADII), 18.0),
    Curve("layer, LayerNorm, layer", RADII, tuple(normalised(t) for t in RADII), 2.0),
]
plots.rate(curves)

# %% [markdown]
# ## Attention: a second route
#
# The dead gradient of an attention chain has a route through the values, $t^{2k}$, and one through the scores of the
# next block, $t^{2p+4}$. So the rate is $\min(4k, 4p + 8)$: additive up to $k = p + 2$ blocks above, and saturated
# beyond. With the dead unit kept out of the scores it is $4k$; with a residual stream it is 0.

# %%
SMALL = tuple(2.0**-n for n in range(6, 13))
settings = [
    ("all dead entries follow t", {}, lambda k: min(4 * k, 8)),
    ("scores do not see the dead unit", {"follow": (0.0, 1.0, 1.0, 1.0)}, lambda k: 4 * k),
    ("with a residual stream", {"residual": True}, lambda k: 0),
]
for name, setting, law in settings:
    row = []
    for k in range(1, 5):
        chain = replace(attention_chain(blocks=1 + k, seed=3), **setting)
        row.append(last_slope(SMALL, [chain.gradient_moment(t, 1, 0.09) for t in SMALL]))
        assert abs(row[-1] - law(k)) < 0.02
    print(f"{name:34s}", "  ".join(f"{slope:6.2f}" for slope in row))

# %%
curves = []
for k in (2, 3, 4):
    chain = attention_chain(blocks=1 + k, seed=3)
    values = tuple(chain.gradient_moment(t, 1, 0.09) for t in SMALL)
    curves.append(Curve(f"p = 0, {k} blocks above", SMALL, values, float(min(4 * k, 8))))
plots.rate(curves)

# %% [markdown]
# ## Verdicts of the chapter

# %%
result = verify.run(verify.select(["composition"]), jobs=1)
for claim in result.results:
    print(f"{claim.verdict.value:10s} {claim.record.id}")
    assert not claim.moved
plots.verdicts(result.results)
