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
# # The bridge: what a dead unit does to the factors of a layer
#
# In a chain of layers $W_l = \mathrm{diag}(1, \dots, 1, t)$ the last unit dies as $t \to 0$. The bridge theorem says
# what the Kronecker factors of a layer make of it: the activations lose $t^{2(l-1)}$, the gradients $t^{2(L-l)}$.
# Here both ladders are read from torch modules, and then attacked where the theorem is silent.

# %%
# %matplotlib inline
import math

import numpy
import torch

from ddtheory import measure, plots, verify
from ddtheory.verify.claim import Curve
from ddtheory.workbench.chain import axis_inputs, canonical, chain_problem, live_part, random_rotation

L, H = 4, 3
RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(10))


def local_slope(radii, values):
    return math.log(values[0] / values[1]) / math.log(radii[0] / radii[1])


# %% [markdown]
# ## Two ladders, one product
#
# Inputs are the corners of a cube, so that $E xx^\top = I$ holds exactly and nothing is sampled. The label noise
# $v = 0.01$ is averaged in closed form. The ladder of $G$ is 6, 4, 2, 0.

# %%
noise = measure.NoisyTargets(live_part(), variance=0.01)
gradients, products = [], []
for layer in range(1, L + 1):
    factors = [measure.kronecker_factors(chain_problem([canonical(t, H)] * L), str(layer), labels=noise) for t in RADII]
    dead = tuple(found.gradient.entry(H - 1) for found in factors)
    gradients.append(Curve(f"G of layer {layer}", RADII, dead, 2.0 * (L - layer)))
    products.append(Curve(f"A ⊗ G of layer {layer}", RADII, tuple(found.along(H - 1, H - 1) for found in factors), 6.0))
    print(f"layer {layer}: slope {local_slope(RADII[-2:], dead[-2:]):.6f}")
    assert abs(local_slope(RADII[-2:], dead[-2:]) - 2 * (L - layer)) < 1e-6
plots.rate(gradients)

# %% [markdown]
# What the gradients gain from layer to layer the activations lose: the dead entry of $A \otimes G$ is the same at all.

# %%
assert max(abs(curve.values[0] / products[0].values[0] - 1) for curve in products) < 1e-9
plots.rate(products[:2])

# %% [markdown]
# ## The label noise carries the ladder
#
# Without noise the residual of the dead unit dies too, and the same factor reads $4L - 2l$: 14, 12, 10, 8. The Fisher
# proper, with labels drawn from the model, needs no noise.

# %%
silent = measure.NoisyTargets(live_part(), variance=0.0)
curves = []
for name, labels, slope in (
    ("labels from the model", None, 6.0),
    ("noise 0.01", noise, 6.0),
    ("no noise", silent, 14.0),
):
    values = tuple(
        measure.gradient_gram(chain_problem([canonical(t, H)] * L), "1", labels=labels).entry(H - 1) for t in RADII
    )
    curves.append(Curve(name, RADII, values, slope))
    assert abs(local_slope(RADII[-2:], values[-2:]) - slope) < 1e-6
plots.rate(curves)

# %% [markdown]
# ## The volume counts, the smallest eigenvalue does not
#
# With $r$ dead units $\log\det^+ G$ has $r$ times the slope of $\lambda^+$: 6, 12, 18, 24. A published figure shows
# 6.9, 13.8, 21.0, 27.8 instead. One straight line over a window that reaches $t = 1$, with little label noise, gives
# nearly these numbers: the integers are right, the single slope carries the window.

# %%
WIDTH = 20
window = tuple(float(t) for t in numpy.geomspace(0.02, 1.0, 25))
curves = []
for dead, published in zip((1, 2, 3, 4), (6.9, 13.8, 21.0, 27.8), strict=True):
    labels = measure.NoisyTargets(live_part(dead), variance=0.0025)

    def spectrum(t, dead=dead, labels=labels):
        problem = chain_problem([canonical(t, WIDTH, dead)] * L, inputs=axis_inputs(WIDTH))
        return measure.gradient_gram(problem, "1", labels=labels).spectrum()

    logs = [spectrum(t).log_det_plus for t in window]
    fitted = float(numpy.polyfit(numpy.log(window), logs, 1)[0])
    profile = measure.spectra_along(spectrum, RADII)
    limit = profile.volume_slopes()[-1][1]
    print(f"r = {dead}: limit {limit:.4f}, one line over the window {fitted:.2f}, published {published}")
    assert abs(limit - 6 * dead) < 1e-4 and abs(fitted - published) < 0.02 * published
    live = (WIDTH - dead) * math.log(0.0025)
    curves.append(
        Curve(
            f"det⁺ over v^(h−r), r = {dead}", window, tuple(math.exp(v - live) for v in logs), 6.0 * dead, (0.02, 0.2)
        )
    )
plots.rate(curves)

# %% [markdown]
# ## Zeros that mean nothing
#
# The full Fisher of the chain has $h^2(L-1)$ exact zeros from the gauge. They are counted, not read; the smallest
# positive eigenvalue is $L\,t^{2(L-1)}$. The singular values of a factor show it where a formed matrix has lost it.

# %%
for t in (0.3, 1e-2, 1e-4):
    problem = chain_problem([canonical(t, H)] * L)
    factor = measure.fisher_gram(problem).spectrum()
    formed = torch.linalg.eigvalsh(measure.fisher_matrix(problem)).flip(0)[H * H - 1]
    print(f"t = {t:<7} zeros {factor.zeros}  λ⁺/(L t⁶): factor {factor.smallest_positive / (L * t**6):.6f}", end="  ")
    print(f"formed matrix {float(formed) / (L * t**6):.3g}")
    assert factor.zeros == H * H * (L - 1) and abs(factor.smallest_positive / (L * t**6) - 1) < factor.relative_error

# %% [markdown]
# ## Rotations
#
# In a linear chain independent rotations on both sides of every layer leave the smallest eigenvalue at rate $2(L-l)$,
# by the determinant; the reading along the dead axis of the next layer drops to 2.

# %%
turns = [random_rotation(H, 70 + n) for n in range(2 * L)]
smallest, along = [], []
for t in RADII:
    problem = chain_problem([turns[2 * n] @ canonical(t, H) @ turns[2 * n + 1] for n in range(L)])
    factor = measure.gradient_gram(problem, "1")
    smallest.append(factor.spectrum().smallest_positive)
    along.append(factor.along(turns[3][-1]))
plots.rate(
    [Curve("smallest eigenvalue", RADII, tuple(smallest), 6.0), Curve("dead axis of layer 2", RADII, tuple(along), 2.0)]
)

# %% [markdown]
# With ReLU gates a rotation writes live into dead wherever two gates differ. For an axis with coordinates of one sign
# that happens on a share $t/(\pi s c)$ of the inputs only: the rate is 1, not 0 and not $2(L-l)$.

# %%
entries = {entry.claim.id: entry.claim for entry in verify.select(["bridge"])}
claim = entries["prop:bridge_nonlinear_rot_negative"]
plots.rate([*claim.measure().curves, claim.counterexample().curves[0]])

# %% [markdown]
# ## Verdicts of the chapter

# %%
result = verify.run(verify.select(["bridge"]), jobs=1)
for claim in result.results:
    print(f"{claim.verdict.value:10s} {claim.record.id}")
    assert not claim.moved
plots.verdicts(result.results)
