"""The table of `examples/test_your_optimizer`, against what follows by hand, and the example that strangers copy.

g acts on θ by A, on gradients by A⁻ᵀ; a shift leaves gradients where they are. A step commutes with g where it takes
A⁻ᵀ g and Aθ to A times the step. So:

- linear in the history of gradients (SGD, momentum): where A⁻ᵀ = A. Decay is linear too: shifts stay on their orbit.
- odd in each entry of gradients alone (Adam, AdamW, RMSprop, Adagrad; decay decoupled): signs, orders, shifts.
  Not rotations, since f(Og) ≠ O f(g) entry by entry; not scales, since all divide by the size of the history of g, so
  the step keeps the size that it has at c = 1.
- the same with decay in the gradient: it sees λ(θ + s), so not shifts.
- functions of matrices O(PGQ) = P O(G) Q for orthogonal P, Q (Muon, Shampoo with (Σ GGᵀ + ε)^{−1/4} on each side): all
  orthogonal A, shifts; not scales. Torch computes that of Muon in bfloat16, which rotations do not keep.
- projected off the rescaling in coordinates: Adam's, less shifts, which change the norms of the columns that it reads.
- DDCAdam: all but rotations; DDCMuon: all. These are the claims of their docstrings.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "test_your_optimizer"

SCALES = ("rescaling", "normalisation scale", "query–key scale", "value–output scale")
ROTATIONS = ("rotation", "query–key rotation", "value–output rotation")
ORDERS = ("permutation", "sign flips")
SHIFT = ("logit shift",)
ENTRIES = {*SCALES, *ROTATIONS}
BREAKS: dict[str, set[str]] = {
    "SGD": {*SCALES},
    "SGD, momentum and decay": {*SCALES},
    "Adam": ENTRIES,
    "Adam, coupled decay": {*ENTRIES, *SHIFT},
    "AdamW": ENTRIES,
    "RMSprop": ENTRIES,
    "Adagrad": ENTRIES,
    "Muon": {*SCALES, *ROTATIONS},
    "Shampoo": {*SCALES},
    "Adam, abelian projection": {*ENTRIES, *SHIFT},
    "DDCAdam": {*ROTATIONS},
    "DDCMuon": set(),
}
"""Row of the table → gauges that it breaks, by hand."""

STARRED = {
    ("Adam, coupled decay", "logit shift"): "weight decay",
    **{("Muon", gauge): "arithmetic below float64" for gauge in ROTATIONS},
}
"""Where a term does it."""


def cells() -> dict[str, dict[str, str]]:
    """The table of the page: optimiser → gauge → cell."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (EXAMPLE / "README.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("|---")
    ]
    return {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[1:]}


def test_every_row_breaks_what_it_must_by_hand_and_nothing_else() -> None:
    found = cells()
    assert set(found) == set(BREAKS)
    for optimizer, row in found.items():
        assert set(row) == {*SCALES, *ROTATIONS, *ORDERS, *SHIFT}
        assert {gauge for gauge, cell in row.items() if cell != "exact"} == BREAKS[optimizer], optimizer
        for gauge, cell in row.items():
            assert cell == "exact" or 1e-5 < float(cell.rstrip("*")) < 10, (optimizer, gauge)


def test_the_terms_that_do_it_are_told() -> None:
    text = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    starred = {(name, gauge) for name, row in cells().items() for gauge, cell in row.items() if cell.endswith("*")}
    assert starred == set(STARRED)
    for (name, gauge), term in STARRED.items():
        assert f"- {name}, {gauge}: {term}." in text
    assert len(re.findall(r"^- .*: .*\.$", text, flags=re.MULTILINE)) == len(STARRED)


@pytest.mark.long
def test_the_copy_passes_and_one_that_is_plain_adam_fails(tmp_path: Path) -> None:
    """Adam by itself does not see shifts, so the example that says it does turns red."""
    copy = Path(shutil.copytree(EXAMPLE, tmp_path / "mine"))
    text = (copy / "my_optimizer.py").read_text(encoding="utf-8")
    assert "for gauge in self.gauges:" in text
    (copy / "plain.py").write_text(text.replace("for gauge in self.gauges:", "for gauge in ():"), encoding="utf-8")
    test = (copy / "test_my_optimizer.py").read_text(encoding="utf-8")
    (copy / "test_plain.py").write_text(test.replace("from my_optimizer", "from plain"), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-v"]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=300)
    assert "test_my_optimizer.py::test_my_optimizer_keeps_the_order_of_channels_and_no_more PASSED" in done.stdout
    assert done.returncode == 1 and "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
