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
# # From a formula to a verdict
#
# A direction is *dead* when the divergence $K$ vanishes along it faster than quadratically. The theory says that the
# order $k$ in $K \sim c\,t^{2k}$ can be read off the decay of the directional Fisher, $F \sim 2k^2 c\,t^{2(k-1)}$.
# Here is one formula on its way from a derivation through a measurement to a verdict.

# %%
# %matplotlib inline
import sympy
import torch
from IPython.display import display

import ddtheory as dd
from ddtheory import cells, measure, plots, verify

x, y = sympy.symbols("x y")

# %% [markdown]
# ## 1. Derive
#
# Along the $y$-axis this divergence has order 2. But an arc that bends with the valley does better.

# %%
divergence = (x - y**2) ** 2 + y**6
order = dd.kl_order(divergence, along={y: 1})
display(order)
print(order.kind.value, "| ray order", order.k, "| arc order", order.arc_k, "| arc", order.arc.path)
assert (order.k, order.arc_k) == (2, 3)
plots.landscape(divergence, order)

# %% [markdown]
# The arc order is the one that counts: $\lambda = \tfrac12 + \tfrac16$, not $\tfrac12 + \tfrac14$.
#
# ## 2. Measure
#
# The same divergence as a torch model, $N(\mu, 1)$ with $\mu = \sqrt2\,(x - y^2,\ y^3)$. The measurement sees
# the model and a path, nothing of the derivation.

# %%
cell = cells.mean_map([sympy.sqrt(2) * (x - y**2), sympy.sqrt(2) * y**3], name="valley")
problem = cell.problem()
ray = measure.fisher_along(problem, cell.torch_direction({"y": 1}), label="ray")
bent = measure.arc(problem, lambda t: {"x": (t**2).reshape(1), "y": t.reshape(1)}, label="arc x = y²")
arc = measure.fisher_along(problem, bent)
for profile in (ray, arc):
    print(profile.label, "→", measure.order(profile))
assert (measure.order(ray).k, measure.order(arc).k) == (2, 3)
plots.rate([ray, arc])

# %% [markdown]
# ## 3. Attack
#
# An order belongs to a direction, not to an axis. In a rotated basis the direction that is carried along keeps its
# order; the axis of the same name is another direction, and reads another order.

# %%
angle = torch.tensor(0.7, dtype=torch.float64)
basis = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
turned = problem.in_basis(basis)
direction = problem.flat(cell.torch_direction({"y": 1}))
carried = measure.order(measure.fisher_along(turned, basis @ direction))
kept = measure.order(measure.fisher_along(turned, direction))
print("carried along:", carried)
print("axis kept:    ", kept)
assert (carried.k, kept.k) == (2, 1)

# %% [markdown]
# And a reading that cannot tell says so. With a small part $\varepsilon t^2$ beside $t^4$, a window across the
# crossover has no order. (A small part $\varepsilon t$ would show at $t = 0$, where $F = \varepsilon^2$.)

# %%
t = sympy.Symbol("t", real=True)
crossing = cells.mean_map([t**2 / 100, t**4], name="crossover")
profile = measure.fisher_along(
    crossing.problem(), crossing.torch_direction("t"), [0.5 * 2 ** (-n / 2) for n in range(9)]
)
print(measure.order(profile))
assert measure.order(profile).k is None
plots.rate(profile)

# %% [markdown]
# ## 4. Verdict
#
# A claim of the book bundles all of this, clause by clause: a derivation whose equations hold while their rivals do
# not, a measurement that excludes its rivals, a control that must fail. The selection rule holds under a hypothesis
# that its title does not mention.

# %%
result = verify.run(verify.select(["rate"]), jobs=1)
for claim in result.results:
    print(f"{claim.verdict.value:10s} {claim.record.id}")
verdicts = {claim.record.id: claim.verdict.value for claim in result.results}
assert verdicts["thm:selection_rule"] == "narrower" and verdicts["thm:fisher_decay"] == "confirmed"
plots.verdicts(result.results)
