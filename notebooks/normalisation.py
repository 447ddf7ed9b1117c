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
# # Normalisation and cross-entropy
#
# Three layers take a constant away: LayerNorm from its inputs, softmax from its logits, RMSNorm from nothing. Each
# leaves an exact zero, or none, and each zero hides a dead direction in its own way.

# %%
# %matplotlib inline
import math

import sympy
import torch
from IPython.display import display
from matplotlib.figure import Figure

from ddtheory import plots, verify
from ddtheory.verify.claim import Curve

radii = tuple(2.0**-n for n in range(3, 11))


def draw(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# %% [markdown]
# ## A kernel that no data can remove
#
# Behind a LayerNorm the combination $\langle \gamma^{-1}, x \rangle$ is constant. RMSNorm has no such direction, unless
# the data lie in a hyperplane.

# %%
gains = draw(1, 7)
inputs = draw(2, 500, 7) @ draw(3, 7, 7) + 2
centred = inputs - inputs.mean(1, keepdim=True)
normed = {
    "LayerNorm": torch.nn.functional.layer_norm(inputs, (7,), gains),
    "RMSNorm": torch.nn.functional.rms_norm(inputs, (7,), gains),
    "RMSNorm of centred inputs": torch.nn.functional.rms_norm(centred, (7,), gains),
}
figure = Figure(figsize=(4.6, 3.4), layout="constrained")
axes = figure.add_subplot(yscale="log", xlabel="singular value", ylabel="relative to the largest")
for (label, outputs), colour, marker in zip(normed.items(), plots.SERIES, ("o", "s", "^"), strict=False):
    spectrum = torch.linalg.svdvals(outputs - outputs.mean(0))
    axes.plot(range(1, 8), spectrum / spectrum[0], marker, color=colour, label=label)
axes.legend(frameon=False)
display(figure)

# %% [markdown]
# ## Diagonal and spectrum under softmax
#
# Three layers with dead weights below five logits. The diagonal entry on the dead axis has rate 6 for any number $m$ of
# dead channels; of the eigenvalues only $m - 1$ do. With $m = 1$ none is left.


# %%
def factor(t: float, dead: int) -> torch.Tensor:
    """M with MᵀM = G, the expected Fisher below diag(1, …, t)³ and softmax over five classes."""
    chain = torch.ones(5, dtype=torch.float64)
    chain[-dead:] = t**3
    p = torch.softmax(draw(4, 40, 5) * chain, 1)
    return (p.sqrt()[..., None] * (torch.diag(chain) - (p * chain)[:, None])).flatten(0, 1) / 40**0.5


curves = []
for dead in (1, 2):
    spectra = [torch.linalg.svdvals(factor(t, dead)).square() for t in radii]
    assert all(float(spectrum[-1] / spectrum[0]) < 1e-25 for spectrum in spectra)
    diagonal = tuple(float(factor(t, dead)[:, -1].square().sum()) for t in radii)
    smallest = tuple(float(spectrum[-2]) for spectrum in spectra)
    curves.append(Curve(f"dead diagonal, m = {dead}", radii, diagonal, 6.0))
    curves.append(Curve(f"smallest positive eigenvalue, m = {dead}", radii, smallest, 6.0 * (dead - 1)))
plots.rate(curves)

# %% [markdown]
# ## The plateau of LayerNorm, and the regime that is not there
#
# $y_h = t z_h$ behind a LayerNorm of $d - 1$ live inputs and $t x_h$. The plateau is
# $\frac1d\,{}_2F_1(1, \tfrac32; \tfrac{d+1}2; 1 - \tfrac1d)$.


# %%
def plateau(d: int) -> float:
    size = sympy.Integer(d)
    value = sympy.hyper((1, sympy.Rational(3, 2)), ((size + 1) / 2,), 1 - 1 / size) / size
    return float(value.evalf(12))


widths = range(2, 17)
means, errors = [], []
for d in widths:
    live = draw(d, 100_000, d - 1)
    z = torch.nn.functional.layer_norm(torch.cat([live, torch.zeros(100_000, 1, dtype=torch.float64)], 1), (d,), eps=0)
    means.append(float(z[:, -1].square().mean()))
    errors.append(4 * float(z[:, -1].square().std()) / 100_000**0.5)
    assert abs(means[-1] - plateau(d)) < errors[-1] + 1e-9
figure = Figure(figsize=(4.6, 3.2), layout="constrained")
axes = figure.add_subplot(xlabel="width d", ylabel="E[p₀]", yscale="log")
axes.errorbar(widths, means, yerr=errors, fmt="o", color=plots.SERIES[0], label="torch, 10⁵ samples, 4 standard errors")
axes.plot(widths, [plateau(d) for d in widths], color=plots.SERIES[1], label="closed form")
axes.plot(widths, [1 / d for d in widths], ":", color=plots.MUTED, label="1/d")
axes.legend(frameon=False)
display(figure)

# %% [markdown]
# The local slope climbs from the noise floor to the plateau at 2, but never to 4: at $t = 1$ it is
# $2 + \frac{2(d-1)(d-2)}{d(d+1)}$, and then it falls back to 2.


# %%
def slope(d: int, t: float, noise: float) -> float:
    live, dead = draw(40 + d, 50_000, d - 1), draw(70 + d, 50_000, 1)

    def moment(s: float) -> float:
        z = torch.nn.functional.layer_norm(torch.cat([live, s * dead], 1), (d,), eps=0)[:, -1]
        return noise + s**2 * float(z.square().mean())

    return math.log(moment(t * 1.05) / moment(t / 1.05)) / (2 * math.log(1.05))


times = [10 ** (-3 + n / 4) for n in range(19)]
figure = Figure(figsize=(4.6, 3.6), layout="constrained")
axes = figure.add_subplot(xscale="log", xlabel="t", ylabel="local slope", ylim=(0, 4.2))
for d, colour in zip((3, 6, 12), plots.SERIES, strict=False):
    axes.plot(times, [slope(d, t, 1e-4) for t in times], color=colour, label=f"d = {d}")
    axes.plot([1], [2 + 2 * (d - 1) * (d - 2) / (d * (d + 1))], "o", color=colour)
axes.axhline(4, color=plots.MUTED, linestyle=":", label="“direct” slope 4")
axes.legend(frameon=False)
display(figure)

# %% [markdown]
# ## Verdicts of the chapter

# %%
result = verify.run(verify.select(["normalisation"]), jobs=1)
for claim in result.results:
    print(f"{claim.verdict.value:10s} {claim.record.id:24s} {claim.record.title}")
assert not result.moved
plots.verdicts(result.results)
