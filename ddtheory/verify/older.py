"""Claims that are not yet written in clauses. This file goes when the last of them is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sympy import Symbol

from ddtheory.verify.claim import Check, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose

CLAUSE = "statement"
_SHIFT = Symbol("z", real=True)


def older_statement(text: str) -> dict[str, str]:
    return {CLAUSE: text}


def older_proof(steps: Sequence[Prose], residuals: Mapping[str, Any], controls: Mapping[str, Any]) -> Proof:
    rivals = {name: (_SHIFT + control, _SHIFT) for name, control in controls.items()}
    equations = [
        Equation(CLAUSE, name, _SHIFT + residual, _SHIFT, rivals if not number else {"shifted": _SHIFT + 1})
        for number, (name, residual) in enumerate(residuals.items())
    ]
    return Proof("Older form.", (*steps, *equations))


def older_experiment(setting: str, checks: Sequence[Check], curves: tuple[Curve, ...] = ()) -> Experiment:
    return Experiment(setting, {CLAUSE: tuple(checks)}, curves)
