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
# # When does a pin localise?
#
# A sampler of the local learning coefficient adds $\tfrac\gamma2\|w - w^*\|^2$ to hold its chain near $w^*$. How large
# must $\gamma$ be? Open problem O69 asks it of
#
# $$K(w) = \tfrac12\,(w_1 - 1)^2\,(w_1^2 + w_2^2)^4, \qquad w^* = (1, 0), \quad \|w\| \le 3.$$
#
# On the line $w_1 = 1$ the pair is $(\tfrac12, 1)$; at the origin, one unit away, it is $(\tfrac14, 1)$, and without a
# pin the origin rules.

# %%
# %matplotlib inline
import math

import ddtheory as dd
from ddtheory import cells, plots

K = "(w1 - 1)^2*(w1^2 + w2^2)^4/2"
cell = cells.line_and_point()
print("at the point:", cell.rlct, "  over the whole plane:", cell.global_truth.rlct)
assert (cell.rlct.lam, cell.global_truth.rlct.lam) == (
    dd.rlct("x^2*(1 + y)^8", at={"x": 0, "y": 0}).rlct.lam,
    cell.global_truth.rlct.lam,
)

# %% [markdown]
# ## The map
#
# Every number is proven to four digits, by one quadrature for the whole grid. Blue is the answer of the origin, brown
# the one of the point; below the diagonal $\gamma \approx n\beta$ the pin alone is seen, and $\lambda \to 0$.

# %%
sizes = [10**k for k in range(2, 13)]
pins = [1, 3, 10, 30, 10**3, 10**6]
sweep = dd.finite_n_sweep(K, sizes, localisations=pins, centre={"w1": 1}, radius=3)
assert not sweep.missing
plots.localisation(sweep, whole="1/4", point="1/2")

# %%
plots.learning_coefficient(sweep, limits={"the point": cell.rlct, "the origin": cell.global_truth.rlct})

# %% [markdown]
# ## The law
#
# Near the line $Z_1 \approx \sqrt{2\pi/t}\; I(\gamma)$ with $I = \int (1 + v^2)^{-2} e^{-\gamma v^2/2}\,dv \sim
# \sqrt{2\pi/\gamma}$, near the origin $Z_0 \approx e^{-\gamma/2}\,\pi\,\Gamma(\tfrac54)\,(t/2)^{-1/4}$, with
# $t = n\beta$. So the posterior is a mixture, and
#
# $$\lambda(t) \to \frac{1/2 + \rho/4}{1 + \rho}, \qquad
# \rho = \frac{Z_0}{Z_1} \sim \frac{\Gamma(5/4)}{2^{3/4}}\; e^{-\gamma/2}\; t^{1/4}\,\sqrt{\gamma}.$$
#
# A pin localises when $\gamma_n - \tfrac12\log t - \log\gamma_n \to \infty$ while $\gamma_n/t \to 0$: hardly more than
# $\tfrac12\log n$. Along $\gamma_n = \tfrac12\log t + \log\gamma_n + c$ any value between 1/4 and 1/2 is the limit.
# The approach is slow, because $\gamma\,t^{-1/8}$ has to be small; so the check goes to sizes that no sampler sees.


# %%
def mixture(t: float, gamma: float) -> float:
    """The law, with I(γ) by a sum."""
    steps = [-2.5 + k / 2000 for k in range(10_001)]
    line = sum(math.exp(-gamma * v * v / 2) / (1 + v * v) ** 2 for v in steps) / 2000 * math.sqrt(2 * math.pi / t)
    point = math.exp(-gamma / 2) * math.pi * math.gamma(5 / 4) * (t / 2) ** -0.25
    return (line / 2 + point / 4) / (line + point)


for power in (12, 24, 48, 72):
    middle = round(0.5 * power * math.log(10))
    for gamma in (middle, middle + 4, middle + 12):
        found = dd.finite_n_germ(K, 10**power, radius=3, variance=f"1/{gamma}", centre={"w1": 1}, digits=4)
        exact, law = float(found.learning_coefficient), mixture(10.0**power, gamma)
        print(f"nβ = 10^{power:<2}  γ = {gamma:<3}  λ = {exact:.4f}   law {law:.4f}")
        assert abs(exact - law) < (4e-3 if power == 12 else 1e-4)

# %% [markdown]
# At $n\beta = 10^4$ the law asks for $\gamma$ well above 7, and the map says the same; a pin of 1, which is the default
# of many samplers, sees the origin at every size.
