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
# # Five thresholds, five rules
#
# The learning coefficient $\lambda$ and its multiplicity $m$ say how fast the volume near the zero set of a divergence
# shrinks, $V(\varepsilon) \asymp \varepsilon^{\lambda} (\log 1/\varepsilon)^{m-1}$. `rlct` derives the pair, as a tree
# of rules that another program checks. Here are five germs, each of which needs another rule.

# %%
# %matplotlib inline
from fractions import Fraction

import numpy as np
import sympy
from IPython.display import display
from matplotlib.figure import Figure

import ddtheory as dd
from ddtheory import plots

x, y = sympy.symbols("x y", real=True)


def told(found: dd.Derivation, rule: str, lam: str, m: int) -> None:
    """The derivation, which has to use the rule, give the pair, and convince the checker."""
    assert rule in found.rules and found.rlct == dd.RLCT(Fraction(lam), m) and found.checked
    display(found)
    print(found.explain())


# %% [markdown]
# ## 1. The Newton polygon
#
# Monomials need one picture. The ray of the prior, here $(1, 1)$, enters the polygon at $(1, 1)/\ell$; for
# $K \asymp \sum f^2$ half of $\ell$ is $\lambda$. Had it entered at a vertex, $m$ would be 2.

# %%
found = dd.rlct(generators=["x^4", "x^2*y", "x*y^2", "y^4"])
told(found, "newton", "1/3", 1)
plots.newton_polygon(found)

# %% [markdown]
# ## 2. A regular coordinate splits off
#
# In $(x - y^2)^2 + y^6$, expanded, the polygon says $3/4$ and is wrong: the valley is bent. With
# $\partial^2 K/\partial x^2 > 0$ the splitting lemma takes $x$ away, adds $1/2$, and leaves $K$ on
# $\partial K/\partial x = 0$, which is $y^6$.

# %%
divergence = sympy.expand((x - y**2) ** 2 + y**6)
found = dd.rlct(divergence)
told(found, "split", "2/3", 1)
order = dd.kl_order(divergence, along={y: 1})
assert found.rlct.lam == Fraction(1, 2) + Fraction(1, 2 * order.arc_k)
plots.landscape(divergence, order)

# %% [markdown]
# ## 3. Lines through a point
#
# $\langle x y (x - y) \rangle$: every flat $W$ of the arrangement has a ratio, its codimension over the number of lines
# through it. The origin has $2/3$, a line has $1$. A prior $|x|$ raises both the origin and the line $x = 0$: then the
# origin, at $(2 + 1)/3$, ties with the lines through it, and a chain of two flats makes $m = 2$.

# %%
told(dd.rlct(generators=["x*y*(x - y)"]), "arrangement", "1/3", 1)
told(dd.rlct(generators=["x*y*(x - y)"], prior={"x": 1}), "arrangement", "1/2", 2)
line = np.linspace(-1, 1, 401)
across, up = np.meshgrid(line, line)
height = np.log10(np.maximum((across * up * (across - up)) ** 2, 1e-30))
figure = Figure(figsize=(4.2, 4.0), layout="constrained")
axes = figure.add_subplot(aspect="equal", xlabel="x", ylabel="y", xlim=(-1, 1), ylim=(-1, 1))
axes.contourf(across, up, height, levels=np.arange(-10, 1), cmap="Blues_r", extend="min")
for ends in (([0, 0], [-1, 1]), ([-1, 1], [0, 0]), ([-1, 1], [-1, 1])):
    axes.plot(*ends, color=plots.SERIES[1])
axes.plot(0, 0, "o", color=plots.INK)
display(figure)

# %% [markdown]
# ## 4. A zero on an edge
#
# $\langle (x^2 - y^3)^2,\ x y^7 \rangle$ with prior $|x|$. On the edge that the ray meets, the lowest terms are a
# square: they vanish on the cusp, and $\ell = 2/3$ is only a bound. A toric chart, $x = t^3 s$, $y = t^2 s$, follows
# that zero: there the ideal is $t^{12} \langle (s - 1)^2, t^5 \rangle$ with prior $|t|^7$, and $\kappa = 21/34$.

# %%
found = dd.rlct(generators=["(x^2 - y^3)^2", "x*y^7"], prior={"x": 1})
told(found, "toric", "21/68", 1)
assert Fraction(21, 34) < Fraction(2, 3)
plots.newton_polygon(found)

# %% [markdown]
# ## 5. A blow-up, and the logarithm in a volume
#
# $\langle ad - bc,\ ae,\ be \rangle$ in five variables. After a blow-up of $a = b = 0$ the divisor and the locus beyond
# it tie, so $(\lambda, m) = (1, 2)$, and $V(\varepsilon)/\varepsilon$ must grow like $\log 1/\varepsilon$: a straight
# line in the picture. Draws know nothing of any rule.

# %%
found = dd.rlct(generators=["a*d - b*c", "a*e", "b*e"])
told(found, "blowup", "1", 2)

generator = np.random.default_rng(0)
heights = []
for _ in range(20):
    a, b, c, d, e = generator.uniform(-1, 1, (5, 500_000))
    heights.append((a * d - b * c) ** 2 + (a * e) ** 2 + (b * e) ** 2)
values = np.sort(np.concatenate(heights))
levels = 10.0 ** -np.linspace(2, 4.5, 11)
inside = np.searchsorted(values, levels)
volume, error = inside / len(values), 3.3 * np.sqrt(inside) / len(values)
scaled, error = inside / len(values) / levels, 3.3 * np.sqrt(inside) / len(values) / levels
depth = np.log(1 / levels)
slope, constant = np.polyfit(depth, scaled, 1, w=1 / error)
assert np.all(np.abs(scaled - slope * depth - constant) < error)  # a straight line: m = 2
assert scaled[-1] - error[-1] > 1.5 * scaled[0]  # and m = 1 would be flat

figure = Figure(figsize=(4.6, 3.4), layout="constrained")
axes = figure.add_subplot(xlabel="log 1/ε", ylabel="V(ε)/ε^λ, λ = 1")
axes.errorbar(depth, scaled, yerr=error, fmt="o", color=plots.SERIES[0], label="10⁷ draws")
axes.plot(depth, slope * depth + constant, color=plots.SERIES[1], label="straight line: m = 2")
axes.axhline(scaled[0], color=plots.MUTED, linestyle=":", label="m = 1")
axes.set_ylim(bottom=0)
axes.legend(frameon=False)
display(figure)
