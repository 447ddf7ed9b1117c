"""The exact side, asked about the germ of a certificate as if nobody had derived anything."""

from __future__ import annotations

from typing import Any

from handwriting import Json

import ddtheory as dd
from ddtheory.exact.thresholds.derivation import Derivation


def derived_again(germ: Json, kind: str, at: list[str], seconds: float) -> Derivation:
    """The germ of a certificate over the rationals, given to the exact side as text."""
    names = germ["variables"]
    listed = [
        " + ".join(f"({c})*" + "*".join(f"{v}^{e}" for v, e in zip(names, a, strict=True)) for a, c in f) or "0"
        for f in germ["generators"]
    ]
    used = {v for f in germ["generators"] for a, _ in f for v, e in zip(names, a, strict=True) if e}
    limits: dict[str, Any] = {
        "prior": {v: h for v, h in zip(names, germ["prior"], strict=True) if h != "0" and v in used},
        "nonnegative": [v for v, one in zip(names, germ["nonnegative"], strict=True) if one and v in used],
        "at": {v: p for v, p in zip(names, at, strict=True) if v in used},
        "seconds": seconds,
    }
    if kind == "generators":
        return dd.rlct(generators=listed, **limits)
    return dd.rlct(listed[0], two_sided=kind == "two-sided", **limits)
