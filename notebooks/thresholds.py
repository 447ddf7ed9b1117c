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
# # Six thresholds, six rules
#
# The learning coefficient $\lambda$ and its multiplicity $m$ say how fast the volume near the zero set of a divergence
# shrinks, $V(\varepsilon) \asymp \varepsilon^{\lambda} (\log 1/\varepsilon)^{m-1}$. `rlct` derives the pair, as a tree
# of rules that another program checks. Here are six germs, each of which needs another rule.

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
# $\langle (y^2 - x^3)^2 - x^5 y \rangle$ with prior $|x|^3$. On the edge that the ray meets, the lowest terms are a
# square: they vanish on the cusp, and $\ell = 11/12$ is only a bound. A toric chart, $x = t^2$, $y = t^3 s$, follows
# that zero: with $s = 1 + u$ the ideal is $t^{12} \langle 4u^2 - t + \dots \rangle$ with prior $|t|^{10}$. The
# weights $1/13$ on $t$ and $1/26$ on $u$ give $\kappa = 11/13 + 1/26 = 23/26$.

# %%
found = dd.rlct(generators=["(y^2 - x^3)^2 - x^5*y"], prior={"x": 3})
told(found, "toric", "23/52", 1)
assert Fraction(23, 26) < Fraction(11, 12)
plots.newton_polygon(found)

# %% [markdown]
# ## 5. Transversal in the torus: a space curve
#
# The curve $(t^4, t^5, t^6)$ is where $f = y^2 - xz$ and $g = x^3 - z^2$ vanish. Weights $w$ on the coordinates give
# $\kappa \le \langle w, 1 \rangle / \min(w(f), w(g))$. Where the lowest terms of $f$ have a zero in the torus, that
# zero is smooth, and $f$ may be given an order $s$ beyond $w(f)$, at the cost of $s$: $\kappa \le (\langle w, 1
# \rangle + s)/ \min(w(f) + s, w(g))$, and likewise for $g$, or both. When all zeros are transversal, this is the
# whole truth.
#
# The picture is the triangle of weights. Off the walls the lowest terms are monomials. On the walls there are zeros:
# on the first two arms the lowest terms of $f$, on the other two those of $g$. The least ratio is at $(4, 5, 6)$ with
# $s = 2$: $(15 + 2)/12$, below the $3/2$ of all monomials.

# %%
found = dd.rlct(generators=["y^2 - x*z", "x^3 - z^2"])
told(found, "transversal", "17/24", 1)


def ratio(w: np.ndarray, first: float = 0.0, other: float = 0.0) -> np.ndarray:
    """(⟨w, 1⟩ + s)/order of the ideal, when f and g are given more order by `first` and `other`."""
    f = np.minimum(2 * w[1], w[0] + w[2]) + first
    g = np.minimum(3 * w[0], 2 * w[2]) + other
    return (w.sum(axis=0) + first + other) / np.minimum(f, g)


corners = np.array([[0, 0], [1, 0], [0.5, np.sqrt(3) / 2]])  # x, y, z alone
grid = np.linspace(0.01, 0.98, 240)
share = np.array(np.meshgrid(grid, grid)).reshape(2, -1)
share = np.vstack([share, 1 - share.sum(axis=0)])[:, (share.sum(axis=0) < 0.99)]
figure = Figure(figsize=(5.2, 4.4), layout="constrained")
axes = figure.add_subplot(aspect="equal")
axes.axis("off")
levels = np.linspace(1.5, 3, 16)
drawn = axes.tricontourf(*(corners.T @ share), ratio(share), levels=levels, cmap="Blues_r", extend="max")
axes.plot(*corners[[0, 1, 2, 0]].T, color=plots.MUTED, linewidth=0.8)
for name, corner, side in zip("xyz", corners, ("right", "left", "center"), strict=True):
    axes.annotate(name, corner, xytext=(0, 4), textcoords="offset points", ha=side)
figure.colorbar(drawn, ax=axes, shrink=0.7, label="⟨w, 1⟩ / order")
top = np.array([4.0, 5.0, 6.0])
arms = {"f": ([2, 1, 0], [0, 1, 2]), "g": ([2, 0, 3], [0, 1, 0])}
for colour, (name, ends) in zip(plots.SERIES[1:], arms.items(), strict=False):
    for end in ends:
        wall = np.array([top / top.sum(), np.array(end) / sum(end)]) @ corners
        axes.plot(*wall.T, color=colour, label=f"zeros of the lowest terms of {name}")
axes.plot(*(top / top.sum() @ corners), "o", color=plots.INK, label="(4, 5, 6), s = 2: 17/12")
handles, labels = axes.get_legend_handles_labels()
unique = dict(zip(labels, handles, strict=True))
figure.legend(list(unique.values()), list(unique), frameon=False, fontsize=8, loc="outside lower left")
display(figure)
extra = np.linspace(0, 6, 601)
least = min(float(ratio(top[:, None], s).item()) for s in extra)
assert abs(least - 17 / 12) < 1e-12 and float(ratio(top[:, None]).item()) == 3 / 2

# %% [markdown]
# ## 6. A blow-up
#
# In $(ad - bc)^2 - a^2 e^3$ the lowest terms are a square, for all weights that matter. After a blow-up of $a = b = 0$,
# in the chart $b = ua$, it is $a^2 (v^2 - e^3)$ with $v = d - uc$ and prior $|a|$: $\kappa = \min(2/2, 1/2 + 1/3)$.

# %%
told(dd.rlct(generators=["(a*d - b*c)^2 - a^2*e^3"]), "blowup", "5/12", 1)

# %% [markdown]
# ## The logarithm in a volume
#
# $\langle ad - bc,\ ae,\ be \rangle$ in five variables has $(\lambda, m) = (1, 2)$: the divisor over $a = b = 0$ and
# the locus beyond it tie. So $V(\varepsilon)/\varepsilon$ must grow like $\log 1/\varepsilon$: a straight line in the
# picture. Draws know nothing of any rule.

# %%
found = dd.rlct(generators=["a*d - b*c", "a*e", "b*e"])
told(found, "transversal", "1", 2)

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
