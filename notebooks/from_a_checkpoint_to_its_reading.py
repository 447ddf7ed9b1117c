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
# # From a checkpoint to its reading
#
# A network has been trained, and here is its file. What singular structure does it hold, in whatever basis the
# optimiser left, and how far is the answer to be trusted? No sampling, and no further training.
#
# The checkpoint is that of six squared ReLU units which were trained, with weight decay, on what two units say.

# %%
# %matplotlib inline
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_model, save_model

import ddtheory as dd
from ddtheory import measure, plots, testbeds

bed = testbeds.teacher_student(seed=0)
folder = Path(tempfile.mkdtemp())
trained = bed.module()
trained.load_state_dict(bed.checkpoints[-1].parameters)
save_model(trained, folder / "student.safetensors")

# %% [markdown]
# ## 1. A module, its weights, inputs and a law
#
# Weights come from a format that holds numbers and names only; pickles can run code, and `ddtheory read` refuses them.
# The law says what the outputs mean: here the mean of a Gaussian label of variance 1.

# %%
network = bed.module()
load_model(network, folder / "student.safetensors")
inputs = bed.inputs

# %% [markdown]
# ## 2. The reading, at a sample size
#
# A direction is not dead by itself: it is dead to so many samples. A larger sample sees what a smaller one does not.

# %%
reading = dd.read(network.eval(), inputs, head=measure.Gaussian(), n=10_000)
print(reading.text())
assert len(reading.dead) == 4 and {row.order for row in reading.dead} == {3}

# %% [markdown]
# ## 3. Two scales in one picture
#
# Near a singular point at distance s the outputs move by (t + s)³ along the joint direction of a unit. From both sides,
# F* = √(F(t)F(−t)) follows t⁴ above a few s, and ends in a constant below: there the checkpoint is regular. So one
# reading at small radii says "order 1", which is right and of no use.

# %%
farthest = max(reading.dead, key=lambda row: row.distance)
plots.two_scales(farthest)

# %%
assert farthest.scale is not None and farthest.scale[0] > 2 * farthest.distance
print(farthest.reason)

# %% [markdown]
# ## 4. By layer, and together
#
# Single prices do not add. All four together still cost less than 0.01 nats in 10,000 samples.

# %%
plots.orders_by_layer(reading)

# %%
(joint,) = reading.joint
print(joint)
assert len(joint.members) == 4 and joint.price <= 0.01

# %% [markdown]
# ## 5. False friends
#
# A straight ray along a curved gauge reads as order 2, as a dead direction would, though nothing is dead there. Along
# the orbit of the gauge K is rounding, and the row says "gauge".

# %%
straight = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2)).double()
with torch.no_grad():
    for number, value in enumerate(straight.parameters()):
        value.copy_(torch.randn(value.shape, generator=torch.Generator().manual_seed(number)))
x = torch.randn(40, 3, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
other = dd.read(straight, x, head=measure.Gaussian(), n=10_000)
for row in other.census:
    print(row, "| ray:", row.ray, "| orbit:", row.orbit)
assert not other.dead and "order 2" in {row.ray for row in other.census}

# %% [markdown]
# ## 6. Where λ can lie
#
# As its own teacher, on these inputs, the checkpoint has rank J/2 ≤ λ ≤ (d − s)/2: J the Jacobian of the outputs, s the
# dimension of the orbit of its gauges. It is a proof and not an estimate, and where the two sides meet λ is exact.

# %%
assert other.bracket is not None and other.bracket.exact is not None
print(other.bracket)
plots.bracket(reading.bracket)

# %% [markdown]
# ## 7. To show it around
#
# `reading.report("reading.html")` is one file that loads nothing, with these pictures; `reading.to_json()` has a
# schema.

# %%
reading.report(folder / "reading.html")
print(sorted(path.name for path in folder.iterdir()))
