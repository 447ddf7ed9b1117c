"""A formula of a clause is the one that its witnesses compare: printed from the same function, and not typed again.

What is typed all the same is on record by name and with the reason: no witness has it as one expression. A clause that
gets a formula is printed, or changes the record.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from sabotage import BY_ID, IDS

from ddtheory.verify import Proof
from ddtheory.verify.claim import Outcome
from ddtheory.verify.findings import of_proof

FORMULA = re.compile(r"[=^+/<>]|\\(?:le|ge|to|sim|asymp|frac|tfrac|sqrt|sum|int|prod|min|max|equiv|mapsto)(?![a-z])")
MATHS = re.compile(r"\$([^$]+)\$")

ENTRIES = "a relation between matrices or vectors: they are compared entry by entry"
NAMES = "two things that are printed elsewhere, or have no formula, are one"
LIMIT = "a limit or an order: what is compared stands before it"
KERNEL = "a kernel or a set: what it is sent to is compared with zero"
INEQUALITY = "an inequality: its witnesses have the slack, or count what breaks it"
IDEAL = "two sums of squares are equivalent: cofactors of their generators are compared"
MEAN = "a mean, a variance or a list of any length, of which the witnesses have finite cases"

TYPED: dict[str, dict[str, str]] = {
    "thm:bridge_attn": {"null set": KERNEL},
    "cor:kfac_lift": {"eigenvector": ENTRIES},
    "thm:multilayer-A": {"squeeze": INEQUALITY},
    "cor:rect_lambda_min": {"diagonal slice": NAMES},
    "dds:volume_identity": {"blind": NAMES},
    "cor:g10_via_composition": {"no transfer": INEQUALITY},
    "cond:linear_group": {"gradients": ENTRIES, "step": ENTRIES, "rotary": ENTRIES},
    "cond:rescaling_chains": {"frames": ENTRIES, "invariants": ENTRIES, "step": ENTRIES},
    "read:optimizer_census": {"blind": NAMES},
    "register:X1": {"no mark of a boundary": NAMES},
    "rem:nu_live_block": {"absorbed": LIMIT, "between": LIMIT},
    "thm:nu_universality": {"fluctuation": MEAN, "odd orders": INEQUALITY},
    "thm:tempering": {"singular": LIMIT},
    "thm:bridge_ce": {"kernel": MEAN},
    "cor:emp_vs_exp_ce": {"labels from the model": NAMES},
    "thm:ln_finite_t_mlp": {"no logarithm": LIMIT},
    "prop:ln_kernel": {"constant": KERNEL, "zero gain": KERNEL, "gauge": KERNEL},
    "prop:rmsnorm_no_kernel": {"hyperplane": KERNEL},
    "problem:one_factor": {"generators": IDEAL},
    "MAIS:O67": {"generators": IDEAL},
    "MAIS:O7": {"climbs": INEQUALITY},
    "MAIS:O67:uniform": {"ideal": IDEAL},
    "prop:ddcadam_equivariance": {
        "inputs": ENTRIES,
        "reprojection": ENTRIES,
        "chains": ENTRIES,
        "difference channel": NAMES,
    },
    "cor:ddcadam_quotient_rate": {"function": NAMES, "order": LIMIT},
    "cor:global-rate": {"free and proper": ENTRIES},
    "cor:quotient_rate": {"gauge": ENTRIES, "vertical": KERNEL},
    "cor:sgd_quotient": {"conserved": ENTRIES},
    "anchor:A2": {"positive": INEQUALITY},
    "read:joint_death": {"one layer": KERNEL},
    "read:kernel_depth": {"count": KERNEL},
    "read:ray_and_orbit": {"straight": KERNEL},
    "cor:res_lambda_min": {"null direction": KERNEL},
    "cor:sigma-min-res": {"vectors": INEQUALITY, "singular value": INEQUALITY, "products": INEQUALITY},
    "cor:sigma-min-res-all": {"rate": LIMIT, "growth": INEQUALITY, "samples": ENTRIES},
    "cor:sigma_min_res_g5": {"LayerNorm": KERNEL},
    "sig:rank_tracking": {"in-sample": LIMIT, "fresh": LIMIT, "kept": LIMIT, "full": NAMES},
    "rem:intersections": {"crossing": MEAN},
}
"""By claim, the clauses with a formula that is typed, each with the reason."""

MEASURED: dict[str, set[str]] = {}
"""By claim, the functions that a clause prints and only a measurement compares."""


@cache
def module(claim_id: str) -> ast.Module:
    return ast.parse(BY_ID[claim_id].path.read_text(encoding="utf-8"))


def clauses(claim_id: str) -> dict[str, ast.expr]:
    """The texts of the clauses as they stand in the file."""
    for node in ast.walk(module(claim_id)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Claim":
            texts = next(word.value for word in node.keywords if word.arg == "clauses")
            assert isinstance(texts, ast.Dict)
            names = [ast.literal_eval(key) for key in texts.keys if key is not None]
            return dict(zip(names, texts.values, strict=True))
    raise AssertionError(f"{claim_id} has no claim")


def names_in(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def printed_in(text: ast.expr) -> Iterator[ast.expr]:
    """What a clause prints: what stands between braces, or is added to a string."""
    if isinstance(text, ast.JoinedStr):
        yield from (part.value for part in text.values if isinstance(part, ast.FormattedValue))
    elif isinstance(text, ast.BinOp):
        yield from printed_in(text.left)
        yield from printed_in(text.right)
    elif not isinstance(text, ast.Constant):
        yield text


@cache
def functions(claim_id: str) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in module(claim_id).body if isinstance(node, ast.FunctionDef)}


@cache
def constants(claim_id: str) -> dict[str, ast.expr]:
    """Names that the file binds at its top, each with the value; those of the workbench have none here."""
    found: dict[str, ast.expr] = {}
    for node in module(claim_id).body:
        if isinstance(node, ast.Assign):
            targets = [part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)]
            found |= dict.fromkeys(targets, node.value)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ddtheory.workbench"):
            found |= {alias.name: ast.Constant(None) for alias in node.names if alias.name != "printed"}
    return found


def meant(claim_id: str, node: ast.AST) -> set[str]:
    """The functions and constants of the file that an expression uses, through constants as well."""
    found: set[str] = set()
    left = names_in(node)
    while left:
        name = left.pop()
        if name not in found and (name in functions(claim_id) or name in constants(claim_id)):
            found.add(name)
            left |= names_in(constants(claim_id).get(name, ast.Constant(None)))
    return found


def compared(claim_id: str) -> set[str]:
    """What the witnesses and their helpers use."""
    return set().union(*(names_in(function) for function in functions(claim_id).values()))


@pytest.mark.parametrize("claim_id", IDS)
def test_a_formula_is_printed_or_its_clause_is_on_record(claim_id: str) -> None:
    stated = BY_ID[claim_id].claim.clauses
    typed = {name for name, text in clauses(claim_id).items() if not list(printed_in(text))}
    formulas = {name for name in typed if any(FORMULA.search(found) for found in MATHS.findall(stated[name]))}
    assert formulas == set(TYPED.get(claim_id, {}))


@pytest.mark.parametrize("claim_id", IDS)
def test_what_a_clause_prints_is_compared_by_a_witness(claim_id: str) -> None:
    for name, text in clauses(claim_id).items():
        for printed in printed_in(text):
            assert meant(claim_id, printed) & compared(claim_id), f"{claim_id}, {name}: {ast.unparse(printed)}"


def test_the_documentation_counts_them() -> None:
    every = [list(printed_in(text)) for claim_id in IDS for text in clauses(claim_id).values()]
    typed, printed = sum(map(len, TYPED.values())), sum(map(bool, every))
    said = " ".join((Path(__file__).parents[2] / "docs" / "verdicts.md").read_text(encoding="utf-8").split())
    assert f"in the shipped book {printed} of {len(every)} clauses are, {len(every) - printed - typed} state no" in said
    assert f"names the other {typed}, each with its reason" in said


def test_the_record_is_of_the_book() -> None:
    assert set(TYPED) <= set(IDS)
    for claim_id, names in TYPED.items():
        assert set(names) <= set(BY_ID[claim_id].claim.clauses)


def wrong(value: Any) -> Any:
    """Twice a value and one more, the same of the first of several, and twice a matrix."""
    if isinstance(value, tuple):
        return wrong(value[0]), *value[1:]
    return 2 * value if hasattr(value, "shape") else 2 * value + 1


def spoiled(claim_id: str, name: str) -> Callable[[], Proof]:
    """The derivation of a claim in whose file one function returns a wrong value."""
    whole = ast.parse(BY_ID[claim_id].path.read_text(encoding="utf-8"))
    function = next(node for node in whole.body if isinstance(node, ast.FunctionDef) and node.name == name)
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value is not None:
            node.value = ast.Call(ast.Name("wrong", ast.Load()), [node.value], [])
    file: dict[str, Any] = {"__name__": "spoiled", "__file__": str(BY_ID[claim_id].path), "wrong": wrong}
    exec(compile(ast.fix_missing_locations(whole), "spoiled", "exec"), file)
    return cast("Callable[[], Proof]", file["derive"])


def printed_functions(claim_id: str) -> set[str]:
    """The functions of the file whose values its clauses print."""
    printed = [part for text in clauses(claim_id).values() for part in printed_in(text)]
    return set().union(*(meant(claim_id, part) for part in printed)) & set(functions(claim_id))


@pytest.mark.slow
@pytest.mark.parametrize("claim_id", [claim_id for claim_id in IDS if BY_ID[claim_id].claim.derive])
def test_a_clause_with_another_formula_turns_its_derivation_red(claim_id: str) -> None:
    """What a reader sees cannot drift from what is derived: both come from one function, here a wrong one."""
    for name in sorted(printed_functions(claim_id) - MEASURED.get(claim_id, set())):
        try:
            outcome = of_proof(spoiled(claim_id, name)()).outcome
        except Exception:  # a formula that no longer makes sense, such as an exponent that is no number
            continue
        assert outcome is not Outcome.AGREES, f"{claim_id} derives its clauses with a wrong {name}"
