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
# # What a sampler should return
#
# Two numbers govern a singular model at first order: the learning coefficient $\lambda$ with its multiplicity $m$. Two
# more decide what one *sees* at finite $n$: the singular fluctuation $\nu$, and the value
# $\lambda(n\beta) = n\beta\,E[K]$ at the temperature at which one samples. All four are computed here, with proven
# digits.

# %%
# %matplotlib inline
from fractions import Fraction

from IPython.display import display

import ddtheory as dd
from ddtheory import plots

# %% [markdown]
# ## The singular fluctuation, and its parity
#
# Along one line on which $K$ vanishes to order $k$ the posterior of $v = \sqrt{n}\,s^k$ has the density
# $|v|^{1/k-1} e^{\xi v - v^2/2}$, $\xi \sim N(0, 1)$, on the whole line for odd $k$ and on $v \ge 0$ for even $k$; and
# $\nu = \tfrac12 E_\xi \mathrm{Var}(v)$. Each value is an enclosure: a midpoint and a proven radius.

# %%
for k in range(1, 5):
    display(dd.singular_fluctuation(k, digits=20))
assert dd.singular_fluctuation(1).contains(Fraction(1, 2))
plots.fluctuation()

# %% [markdown]
# Noise in the data raises $\nu$ above the value that it would have without (dashed). A prior $|s|^h$ shifts
# $a = (h+1)/k$, a temperature moves $\nu$ but neither $\lambda$ nor $m$, and a boundary has a number of its own.

# %%
print("k = 2, prior |s|:      ", dd.singular_fluctuation(2, prior_exponent=1, digits=12))
print("k = 1, s ≥ 0:          ", dd.singular_fluctuation(1, sided="one", digits=12))
for beta in ("1/2", 1, 2):
    print(f"k = 3, β = {beta!s:4}       ", dd.singular_fluctuation(3, beta=beta, digits=12))

# %% [markdown]
# ## λ at finite temperature
#
# $K = (xy)^2$ on the unit box has $\lambda = \tfrac12$. At $n\beta = 579$ the truth is 0.380, and a sampler that
# returns 0.380 is right.

# %%
for exponents in ((2,), (2, 2), (4, 4), (6, 6)):
    found = dd.finite_n(exponents, 579, digits=12)
    print(exponents, "λ =", found.rlct.lam, "m =", found.rlct.m, " λ(579) =", found.learning_coefficient)
assert round(float(dd.finite_n((2, 2), 579).learning_coefficient), 3) == 0.380

# %% [markdown]
# With $m = 1$ the limit is there at once. With $m > 1$ the value approaches it like $(m-1)/\log(n\beta)$: after thirty
# decades it has not arrived.

# %%
plots.finite_temperature([(2,), (2, 2), (2, 2, 2)])

# %% [markdown]
# ## Free energy and its expansion
#
# $F = \lambda \log t - (m-1)\log\log t - \log C + o(1)$ with $t = n\beta$. The constant $C$ is known, so the remainder
# can be seen: a power of $1/t$ for $m = 1$, and $1/\log t$ for $m = 2$.

# %%
for exponents in ((2, 4), (2, 2)):
    for power in (2, 4, 8, 16, 32):
        found = dd.finite_n(exponents, 10**power)
        gap = found.free_energy - found.expansion()
        print(
            exponents, f"t = 10^{power:<3}", f"F = {float(found.free_energy):9.5f}", f"F − expansion = {float(gap):.2e}"
        )

# %% [markdown]
# ## The localisation that samplers add
#
# A term $\gamma\|w\|^2/2$ holds the chain near a point. It is a Gaussian of variance $1/\gamma$, and it pulls the
# estimate down.

# %%
for gamma in (1, 10, 100, 1000):
    found = dd.finite_n((2, 2), 579, variance=Fraction(1, gamma), digits=12)
    print(f"γ = {gamma:<5} nβ E[K] = {float(found.learning_coefficient):.6f}")
