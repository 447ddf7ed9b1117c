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
# # A trained network: what is dead in it, and to which order?
#
# You have a checkpoint, its inputs and its loss. Here it is a test bed whose limit is known: six students with squared
# ReLU, trained with weight decay on the function of two teachers. Four students are not needed, and die. Everything
# below asks for a torch module, inputs and a head; put your own in their place.

# %%
# %matplotlib inline
from dataclasses import replace

import torch

import ddtheory as dd
from ddtheory import gauges, measure, plots, testbeds

bed = testbeds.teacher_student(seed=0)
checkpoint = bed.checkpoints[-1]
problem = bed.problem(checkpoint)  # of your own: measure.Problem.from_module(module, inputs, measure.Gaussian())
print(checkpoint)
print("known of the limit:", bed.truth)

# %% [markdown]
# ## 1. Which directions of the parameters change nothing at all?
#
# Gauges leave the function where it is. They are proposed from the operations of the network, and each is measured.

# %%
found = gauges.find_gauges(bed.module(), bed.inputs)
for gauge in found.gauges:
    print("has:   ", gauge)
for refused in found.refused:
    print("refused:", refused)
assert len(found.gauges) == 1

# %% [markdown]
# ## 2. Which layers look degenerate?
#
# The smallest singular value of what enters the last layer is small, and not zero: some units are nearly silent.

# %%
read = measure.signatures(problem, ["0", "2"])
print("σ_min into the last layer:", read["2"].sigma_min)
assert 0 < read["2"].sigma_min < 1e-3

# %% [markdown]
# ## 3. The order of one unit
#
# A unit $a\,\varphi(w \cdot x)$ contributes $t^3$ along the ray on which $w$ and $a$ grow together from zero, so its
# death has order 3. At the checkpoint it has not died: it stands at a distance from zero, and the order there is 1.
# That is what is measured.

# %%
first, last = problem.truth["0.weight"], problem.truth["2.weight"]
sizes = first.square().sum(1) * last[0].abs()
unit = int(sizes.argmin())
print("a‖w‖² of the units:", [f"{float(size):.1e}" for size in sizes])


def grow(of, w=first, a=last):
    """The ray on which all weights of one unit grow in proportion."""
    into, out = torch.zeros_like(w), torch.zeros_like(a)
    into[of], out[0, of] = w[of], a[0, of]
    return {"0.weight": into, "2.weight": out}


def scaled(factor):
    """The same network with the weights of that unit multiplied by a factor."""
    w, a = first.clone(), last.clone()
    w[unit] *= factor
    a[0, unit] *= factor
    return replace(problem, truth={"0.weight": w, "2.weight": a})


here = measure.order_along(problem, grow(unit), label="at the checkpoint")
print(here)
assert here.k == 1

# %% [markdown]
# With the unit at zero, the singular point itself, the order is the one that the bed promises. A live unit has order 1:
# the control.

# %%
pruned = scaled(0)
dead = measure.order_along(pruned, grow(unit), label="unit at zero")
alive = measure.order_along(pruned, grow(int(sizes.argmax())), label="a live unit")
print(dead, "|", alive)
assert dead.k == bed.truth.order == 3 and alive.k == 1
plots.rate([measure.fisher_along(pruned, grow(unit), label="unit at zero")])

# %% [markdown]
# Between the two, further along in training, there are two orders: 3 above a radius $t^*$, and 1 below it. A reading
# that sees both says where they meet: at the distance from the singular point, to a few percent, because the other side
# of that point sees other samples through the ReLU.

# %%
nearly = measure.order_along(scaled(1 / 50), grow(unit), label="nearly dead")
distance = float((first[unit].square().sum() + last[0, unit] ** 2).sqrt()) / 50
print(nearly, "| distance from zero:", f"{distance:.1e}")
assert (nearly.above, nearly.k) == (3, 1)
assert abs(nearly.crossing.estimate / distance - 1) < 0.1

# %% [markdown]
# ## 4. Derived before anything is measured
#
# `network_orders` runs the same module on orders of vanishing instead of numbers. The coefficients are those of the
# checkpoint, multiplied by $t$ in the unit, and $K$ vanishes to twice the order that was measured.

# %%
module = bed.module()
with torch.no_grad():
    for name, value in checkpoint.parameters.items():
        module.get_parameter(name).copy_(value)
orders = dd.network_orders(module, {"0.weight": {unit: 1}, "2.weight": {(..., unit): 1}})
print("K ~ t to the power", orders.divergence)
assert orders.divergence.exact and orders.divergence.value == 2 * dead.k
