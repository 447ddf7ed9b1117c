"""A formula of a clause is the one that its witnesses compare: printed from the same function, and not typed again.

What is typed all the same is on record by name: relations between matrices, norms, limits and means that no witness has
as one expression. A clause that gets a formula is printed, or changes the record.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, cast

import pytest
from sabotage import BY_ID, IDS

from ddtheory.verify import Proof
from ddtheory.verify.claim import Outcome
from ddtheory.verify.findings import of_proof

FORMULA = re.compile(r"[=^+/<>]|\\(?:le|ge|to|sim|asymp|frac|tfrac|sqrt|sum|int|prod|min|max|equiv|mapsto)(?![a-z])")
MATHS = re.compile(r"\$([^$]+)\$")

TYPED: dict[str, set[str]] = {
    "thm:bridge_attn": {"null set"},
    "thm:bridge_attn_backward": {"rate", "coefficient"},
    "prop:attn_VO_invariant": {"identity"},
    "cor:kfac_lift": {"eigenvector"},
    "thm:multilayer-A": {"squeeze", "constant"},
    "cor:rect_lambda_min": {"diagonal slice"},
    "dds:volume_identity": {"ratio", "blind"},
    "cor:g10_via_composition": {"no transfer"},
    "thm:bridge_composition": {"limits"},
    "cond:linear_group": {"gradients", "step", "rotary"},
    "cond:rescaling_chains": {"frames", "invariants", "step"},
    "register:X1": {"no mark of a boundary"},
    "rem:nu_live_block": {"absorbed", "between"},
    "thm:nu_universality": {"fluctuation", "odd orders"},
    "thm:tempering": {"regular", "singular"},
    "thm:bridge_ce": {"kernel"},
    "cor:emp_vs_exp_ce": {"labels from the model"},
    "thm:ln_finite_t_mlp": {"no logarithm"},
    "prop:ln_kernel": {"constant", "zero gain", "gauge"},
    "prop:rmsnorm_no_kernel": {"hyperplane"},
    "problem:one_factor": {"generators"},
    "MAIS:O63": {"zero units"},
    "MAIS:O77b": {"pair"},
    "MAIS:O67": {"generators"},
    "MAIS:O7": {"climbs"},
    "MAIS:O67:uniform": {"ideal", "pair"},
    "prop:ddcadam_equivariance": {"inputs", "reprojection", "chains", "difference channel"},
    "cor:ddcadam_quotient_rate": {"function", "order"},
    "cor:global-rate": {"free and proper"},
    "cor:quotient_rate": {"gauge", "vertical"},
    "cor:sgd_quotient": {"conserved"},
    "anchor:A2": {"positive"},
    "anchor:A3": {"order"},
    "read:joint_death": {"one layer"},
    "read:kernel_depth": {"count"},
    "read:ray_and_orbit": {"straight"},
    "thm:bridge_res": {"gate"},
    "cor:res_all": {"coefficient"},
    "cor:res_lambda_min": {"uncoupled", "null direction"},
    "cor:sigma-min-res": {"vectors", "singular value", "products"},
    "cor:sigma-min-res-all": {"rate", "growth", "samples"},
    "cor:sigma_min_res_g5": {"LayerNorm"},
    "sig:numerical_recipe": {"gram"},
    "sig:rank_null": {"dead", "random", "ranks"},
    "sig:rank_tracking": {"in-sample", "fresh", "kept", "full", "zeros"},
    "rem:intersections": {"crossing"},
}
"""By claim, the clauses with a formula that is typed."""

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
    assert formulas == TYPED.get(claim_id, set())


@pytest.mark.parametrize("claim_id", IDS)
def test_what_a_clause_prints_is_compared_by_a_witness(claim_id: str) -> None:
    for name, text in clauses(claim_id).items():
        for printed in printed_in(text):
            assert meant(claim_id, printed) & compared(claim_id), f"{claim_id}, {name}: {ast.unparse(printed)}"


def test_the_record_is_of_the_book() -> None:
    assert set(TYPED) <= set(IDS)
    for claim_id, names in TYPED.items():
        assert names <= set(BY_ID[claim_id].claim.clauses)


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
