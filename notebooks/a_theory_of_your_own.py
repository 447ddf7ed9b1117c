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
# # A theory of your own
#
# A book of claims is a folder. `ddtheory new book` writes one that runs, with a claim to write over. From there: a
# verdict, what a wrong formula does to it, and what keeps a claim honest.

# %%
import subprocess
import sys
import tempfile
from pathlib import Path

from ddtheory import verify

folder = Path(tempfile.mkdtemp())


def shell(command):
    """What you would type in a terminal, in the folder of this example."""
    program, *arguments = command.split()
    done = subprocess.run([sys.executable, "-m", program, *arguments], cwd=folder, capture_output=True, text=True)
    print(f"$ {command}\n{done.stdout}{done.stderr}")
    return done.returncode


assert shell("ddtheory new book mine") == 0

# %% [markdown]
# ## 1. A claim is a file
#
# The statement comes first, as clauses that could each be false, with its hypotheses and the verdict that you expect.
# Below it stand its witnesses: `derive` must hold identically while its rivals fail, `measure` must exclude its rivals,
# and `control` breaks a hypothesis and must come out as predicted.

# %%
claim = folder / "mine" / "first" / "example.py"
print(claim.read_text(encoding="utf-8").partition("def derive")[0])

# %% [markdown]
# ## 2. A verdict

# %%
assert shell("ddtheory verify --book mine") == 0

# %% [markdown]
# ## 3. A wrong formula moves it
#
# The volume is $\varepsilon^{1/(2k)}$. Somebody drops the 2. Derivation and measurement both disagree with the
# statement now, the verdict is another one than that on record, and the command ends with exit code 1, so that a script
# notices.

# %%
right = claim.read_text(encoding="utf-8")
claim.write_text(right.replace("/ (2 * order)", "/ order"), encoding="utf-8")
assert shell("ddtheory verify --book mine") == 1
claim.write_text(right, encoding="utf-8")

# %% [markdown]
# ## 4. A claim without a control is no evidence
#
# What cannot fail is not counted: without its control the same claim is *not checked*.

# %%
without, _, control = right.partition("def control")
claim.write_text(without, encoding="utf-8")
assert shell("ddtheory verify --book mine") == 1
claim.write_text(right, encoding="utf-8")

# %% [markdown]
# ## 5. On the shoulders of another book
#
# A claim may rest on one of the shipped book, by its label. With both books in one run, a claim that moved below marks
# what rests on it. `python -m pytest --book mine` makes a test of every claim, clause and witness, and
# `python -m ddtheory.verify.mutants --book mine --sample 20` asks whether a wrong formula would be noticed.

# %%
resting = right.replace('("One coordinate.",),', '("One coordinate.",),\n    rests_on=("anchor:A1",),')
claim.write_text(resting, encoding="utf-8")
books = [verify.read(folder / "mine"), verify.read()]
both = verify.run(verify.select_among(books, ["my:example", "anchor:A1"]), jobs=1)
for result in both.results:
    print(f"{result.verdict.value:10s} {result.record.id}, rests on {', '.join(result.record.rests_on) or 'no other'}")
assert both.exit_code == 0

# %% [markdown]
# `examples/your_theory` is a small complete one, with a claim that is *narrower* than its title.
