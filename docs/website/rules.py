"""The rules of `rlct`: what each needs, what follows, what the checker verifies, and a germ that needs it."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import ddtheory as dd
from ddtheory.exact.thresholds.rules.rule import Example, Rule
from ddtheory.exact.thresholds.rules.table import RULES
from website.pages import render


def pages() -> dict[str, str]:
    """The page of all rules, stage by stage, in the order of the table."""
    stages: dict[str, dict[str, Any]] = {}
    for number, rule in enumerate(RULES, start=1):
        about = inspect.getdoc(type(rule)) or ""
        stage = stages.setdefault(type(rule).__name__, {"about": about, "rules": []})
        stage["rules"].append(_shown(rule, number))
    return {"index.md": render("rules.md.jinja", stages=list(stages.values()), count=len(RULES))}


def _shown(rule: Rule, number: int) -> dict[str, Any]:
    found = derived(rule.example)
    steps = found.explain()
    if not dd.certify.check(found.to_json()).accepted:
        raise AssertionError(f"The checker does not accept the example of {rule.name}.")
    file, _, name = rule.twin.rpartition(".")
    return {
        "number": number,
        "name": rule.name,
        "hypothesis": rule.hypothesis,
        "says": inspect.getdoc(rule.apply),  # type: ignore[attr-defined]
        "checked": inspect.getdoc(getattr(import_module(f"ddtheory.certify.rules.{file}"), name)),
        "source": rule.source,
        "example": rule.example,
        "steps": steps,
    }


def derived(example: Example) -> dd.Derivation:
    """The derivation of the germ of a rule."""
    settings: dict[str, Any] = {"prior": example.prior, "depth": example.depth, "zeros": example.zeros or None}
    if isinstance(example.given, str):
        return dd.rlct(example.given, **settings)
    return dd.rlct(generators=example.given, **settings)
