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
# # A posted formula, refuted in one minute
#
# Somebody posts: *a network of $H$ tanh units with one input, at the function 0, has the learning coefficient $H/2$,
# because each unit adds the crossing $a_i b_i$*. The formula holds for one unit. From the model to the verdict:

# %%
from fractions import Fraction

import sympy
import torch
from IPython.display import display

import ddtheory as dd


def claimed(units):
    """The formula as it was posted."""
    return Fraction(units, 2)


def network(units):
    """H tanh units with one input of any law that is not degenerate, and the true function 0."""
    mean = " + ".join(f"a{i}*tanh(b{i}*x)" for i in range(1, units + 1))
    return dd.models.regression(mean, inputs={"x": "generic"}, truth=0)


# %% [markdown]
# ## 1. From the model to generators
#
# $K$ is comparable with the sum of the squares of *all* coefficients of the powers of $x$. The proof says why finitely
# many of them are enough.

# %%
model = network(2)
generators = model.generators()
display(generators)
print(generators.explain())
assert generators.complete and len(generators) == 2

# %% [markdown]
# ## 2. From generators to the pair
#
# Every step is written into a certificate, and a checker that shares no code with the derivation follows it.

# %%
pair = model.rlct()
print(pair.explain())
assert pair.checked
assert (pair.rlct.lam, pair.rlct.m) == (Fraction(2, 3), 1)

# %% [markdown]
# ## 3. The verdict
#
# One unit is as claimed; every larger network is a counterexample. The coefficients of higher order join in: the units
# do not add up.

# %%
for units in (1, 2, 3, 4):
    found = network(units).rlct().rlct
    verdict = "as posted" if found.lam == claimed(units) else "refuted"
    print(f"H = {units}: posted {claimed(units)}, derived {found.lam} with m = {found.m}: {verdict}")
    assert (found.lam == claimed(units)) is (units == 1)

# %% [markdown]
# ## 4. The same model by torch
#
# The torch face evaluates the formula as it was given; nothing of the derivation enters. On an arc on which the first
# generator vanishes faster than the second, only both together follow $K$.

# %%
problem = model.problem()
for t in (0.2, 0.1, 0.05):
    point = {"a1": t, "b1": t, "a2": -t / 2 + t**5, "b2": 2 * t}
    moved = {name: torch.full_like(value, point[name]) for name, value in problem.truth.items()}
    divergence = float(problem.kl(problem.truth_outputs(problem.inputs), problem.outputs(moved, problem.inputs)).mean())
    first, second = (float(f.subs({sympy.Symbol(name, real=True): v for name, v in point.items()})) for f in generators)
    both = divergence / (first**2 + second**2)
    print(f"t = {t:<5} K / f1² = {divergence / first**2:10.3g}   K / (f1² + f2²) = {both:.3g}")
    assert 1e-4 < both < 1

# %% [markdown]
# ## 5. Where it does not close
#
# Two activations whose powers mix leave a chain that Newton's identities do not close. The answer is then two bounds,
# and the sentence that says which chain is open. It is never a number that is not proven.

# %%
mixed = dd.models.regression("a*tanh(b*x) + c*sin(d*x)", inputs={"x": "generic"}, truth=0).rlct(seconds=5)
print(mixed)
print(mixed.open)
assert mixed.rlct is None and mixed.lower.value <= mixed.upper.value
