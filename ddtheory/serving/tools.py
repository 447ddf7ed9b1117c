"""The tools, one row each: what goes in and what comes out, as JSON schemas. No schema is checked twice elsewhere.

A number is text, such as "1/2" or "0.5", or an integer: JSON's other numbers are rounded, and nothing here is. Every
text has a longest length, so that what is too large is refused before it is looked at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddtheory.certify.limits import MOST_BYTES_OF_TEXT
from ddtheory.schemas import TEXT, TRUTH, WHOLE, Schema, by_name, exactly, list_of, or_null

SHARE = 0.25
"""Of the time of a call: what a search or a check may take, so that its answer is bounds, and not that it was ended."""

_LONGEST = 20_000  # characters of an expression
_REPORT = Path(__file__).parents[1] / "verify" / "report.schema.json"


@dataclass(frozen=True)
class Tool:
    """One tool.

    Attributes:
        name: its name; the function of this name in `answers` answers it.
        says: what it does, in a sentence or two for whoever chooses among tools.
        inputs: name of an argument → its schema.
        required: the arguments that cannot be left out.
        output: the schema of the answer.
        timed: it takes `seconds`, a limit of time that it keeps by itself.
        of_books: it takes the books that the server was started with; no caller names one, for a book is code.
    """

    name: str
    says: str
    inputs: Mapping[str, Schema]
    required: tuple[str, ...]
    output: Schema
    timed: bool = False
    of_books: bool = False

    def input_schema(self, seconds: float) -> dict[str, Any]:
        """The schema of its arguments, where a call has so many seconds."""
        properties = dict(self.inputs)
        if self.timed:
            most = SHARE * seconds
            properties["seconds"] = {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": most,
                "default": most,
                "description": "Limit of time; reaching it is an answer, with what is proven so far.",
            }
        return {
            "type": "object",
            "properties": properties,
            "required": list(self.required),
            "additionalProperties": False,
        }

    def document(self, seconds: float) -> dict[str, Any]:
        """The tool as plain data, with the keys of the protocol."""
        return {
            "name": self.name,
            "description": self.says,
            "inputSchema": self.input_schema(seconds),
            "outputSchema": dict(self.output),
        }


def _text(says: str, longest: int = _LONGEST) -> Schema:
    return {"type": "string", "maxLength": longest, "description": says}


def _yes_or_no(says: str) -> Schema:
    return {"type": "boolean", "default": False, "description": says}


def _number(says: str) -> Schema:
    return {"type": ["string", "integer"], "maxLength": _LONGEST, "description": says}


def _list(of: Schema, says: str, most: int = 1_000) -> Schema:
    return {**list_of(of), "minItems": 1, "maxItems": most, "description": says}


def _by_name(of: Schema, says: str) -> Schema:
    return {**by_name(of), "maxProperties": 1_000, "description": says}


_STRINGS: Schema = list_of(TEXT)
_OBJECT: Schema = {"type": "object"}
_ORDER: Schema = {"type": ["integer", "string", "null"]}
_ENCLOSED = exactly(value=TEXT, radius=TEXT)
_BOUND = {"anyOf": [_OBJECT, {"type": "array"}, TEXT, {"type": "null"}]}
_PAIR: Mapping[str, Schema] = {
    "lambda": {"type": ["string", "null"], "description": "λ as a fraction; null where only bounds are proven."},
    "multiplicity": {"type": ["integer", "null"]},
    "status": {"type": "string", "description": '"exact", or what is open.'},
    "lower": _BOUND,
    "upper": _BOUND,
    "open": {"type": ["string", "null"], "description": "What stopped the search."},
    "rules": _STRINGS,
    "assumed": _STRINGS,
    "checked": {"type": "boolean", "description": "Whether the independent checker accepts the derivation."},
    "certificate": {"type": ["object", "null"], "description": "For the tool certify; null where none was asked for."},
}

_EXPRESSION = "Arithmetic of numbers, names, + - * / ^ and a short list of functions, such as (x - y^2)^2 + y^6."
_AT = _by_name(_number("A coordinate."), "The point; missing coordinates are 0.")
_PRIOR = _by_name(_number("An exponent above −1."), "Exponents h of the prior ∏|x|^h; 0 for those not named.")
_PARAMETERS = _list(
    _text("NAME:KIND"), "Symbols that are no coordinates, as NAME:KIND: k:positive-integer, a:positive, c:generic."
)
_CERTIFICATE = _yes_or_no("Also return the certificate, for the tool certify.")
_BETA_N = _number("t = nβ > 0, at which the posterior is asked for.")

TOOLS: tuple[Tool, ...] = (
    Tool(
        "rlct",
        "The learning coefficient λ (real log canonical threshold) and its multiplicity m of a divergence K ≥ 0 at a "
        "point, over the reals, exactly. Give K as divergence, or generators f_i with K ≍ Σ f_i². When the derivation "
        "does not close, the answer is proven bounds and what stopped it.",
        {
            "divergence": _text(f"K itself. {_EXPRESSION}"),
            "generators": _list(_text(_EXPRESSION), "The f_i, in place of K."),
            "prior": _PRIOR,
            "at": _AT,
            "parameters": _PARAMETERS,
            "nonnegative": _list(_text("A name."), "Variables on whose positive side only the domain lies."),
            "two_sided": _yes_or_no(
                "divergence is a function f of any sign with f = 0 there; the pair is that of |f|."
            ),
            "certificate": _CERTIFICATE,
        },
        (),
        exactly(**_PAIR, two_sided=TRUTH, read_as={"type": ["string", "null"]}),
        timed=True,
    ),
    Tool(
        "order",
        "The order k to which a divergence K vanishes along a direction, K ~ c t^(2k), exactly, with the best order "
        "among arcs tangent to it.",
        {
            "divergence": _text(f"K. {_EXPRESSION}"),
            "along": _by_name(_number("A coordinate."), "The direction; missing coordinates are 0."),
            "at": _AT,
            "parameters": _PARAMETERS,
            "arc": {"type": "boolean", "default": True, "description": "Also the best order among tangent arcs."},
        },
        ("divergence", "along"),
        exactly(
            k=_ORDER,
            kind=TEXT,
            rate=_ORDER,
            arc_k=_ORDER,
            leading={"type": ["string", "null"]},
            proof=TEXT,
            arc=or_null(
                exactly(
                    order=_ORDER,
                    path=by_name(TEXT),
                    proven=TRUTH,
                    reason=TEXT,
                )
            ),
        ),
    ),
    Tool(
        "nu",
        "The singular fluctuation ν of one line on which the divergence vanishes to order k, as a proven enclosure.",
        {
            "k": {"type": "integer", "description": "The order, at least 1."},
            "prior": _number("Exponent h of the prior |s|^h, above −1. Default: 0."),
            "beta": _number("Inverse temperature. Default: 1."),
            "one_sided": _yes_or_no("The prior holds s ≥ 0 only."),
            "digits": {"type": "integer", "description": "Significant digits to prove. Default: 30."},
        },
        ("k",),
        exactly(nu=TEXT, radius=TEXT),
    ),
    Tool(
        "finite_n",
        "What a sampler at finite n and temperature should return: evidence, free energy and the learning coefficient "
        "λ(nβ) = nβ E[K], as proven enclosures. Give K as divergence (at most three variables, on a box around 0, "
        "known to a few digits), or the exponents p_i of a normal crossing K = scale · ∏|w_i|^p_i (any size and many "
        "digits, on [−1, 1]^d).",
        {
            "divergence": _text(f"K. {_EXPRESSION}"),
            "exponents": _list(_number("p > 0."), "The powers p_i of the normal crossing, in place of K."),
            "n_beta": _BETA_N,
            "prior": {
                **_PRIOR,
                "type": ["object", "array"],
                "items": _number("An exponent above −1."),
                "maxItems": 1_000,
                "description": "Exponents h of the prior ∏|w|^h: by name beside a divergence, a list beside exponents.",
            },
            "half_width": _number("W of the box |w| ≤ W, for a divergence. Default: 1."),
            "scale": _number("A factor of the normal crossing. Default: 1."),
            "variance": _number("s² of a Gaussian prior on the whole space, or of a sampler's localisation 1/γ."),
            "digits": {
                "type": "integer",
                "description": "Significant digits to prove. Default: 6, or 30 for exponents.",
            },
        },
        ("n_beta",),
        {
            **exactly(
                n_beta=TEXT,
                evidence=_ENCLOSED,
                free_energy=_ENCLOSED,
                learning_coefficient=_ENCLOSED,
                cells=WHOLE,
                constant=_ENCLOSED,
                multiplicity=WHOLE,
                **{"lambda": TEXT},
            ),
            "required": ["n_beta", "evidence", "free_energy", "learning_coefficient"],
        },
        timed=True,
    ),
    Tool(
        "model",
        "The learning coefficient of a statistical model at a true parameter: generators of its divergence with their "
        "proof, and the pair (λ, m). The model is TOML: the key kind is one of regression, logits, exponential_family, "
        "finite, mixture, hidden, gaussian; the other keys are its parts. Nothing in it is evaluated.",
        {
            "toml": _text(
                'The model, such as:\nkind = "regression"\nmean = "a1*tanh(b1*x) + a2*tanh(b2*x)"\n'
                'inputs = { x = "generic" }\ntruth = 0',
                200_000,
            ),
            "at": _by_name(_number("A coordinate."), "A true parameter, in place of that of the model."),
            "certificate": _CERTIFICATE,
        },
        ("toml",),
        exactly(**_PAIR, generators=_STRINGS, linear=_STRINGS, proof=_STRINGS, complete=TRUTH),
        timed=True,
    ),
    Tool(
        "cells",
        "Singular models with known answers. Without a name: the list of them. With one: the cell of that family at "
        "the given parameters, with λ, m, its source, the orders along its directions.",
        {
            "name": _text("A family, such as deep_linear.", 200),
            "parameters": _by_name(_number("A value as text."), 'Such as {"widths": "5,3,4", "rank": 1}.'),
        },
        (),
        {
            "type": "object",
            "properties": {
                "cells": list_of(_OBJECT),
                **{name: _PAIR[name] for name in ("lambda", "multiplicity", "status")},
                "name": TEXT,
                "family": TEXT,
                "parameters": _OBJECT,
                "source": _OBJECT,
                "kl": _OBJECT,
            },
            "anyOf": [{"required": ["cells"]}, {"required": ["name", "lambda", "multiplicity", "source", "kl"]}],
        },
    ),
    Tool(
        "certify",
        "Checks a certificate of rlct or model with code that shares nothing with what wrote it: accepted, rejected "
        "with the place and the reason, or not decided within the limits. Says what was proved, of which K, and what "
        "it assumes.",
        {
            "certificate": {
                "type": ["object", "string"],
                "maxLength": MOST_BYTES_OF_TEXT,
                "description": "The certificate, or its JSON text; text where it is nested deeply.",
            }
        },
        ("certificate",),
        exactly(
            accepted=TRUTH,
            outcome={"enum": ["accepted", "rejected", "not decided"]},
            statement=or_null(_OBJECT),
            multiplicity={"type": ["integer", "null"]},
            status={"type": ["string", "null"]},
            lower=_BOUND,
            upper=_BOUND,
            proven=_STRINGS,
            hypotheses=_STRINGS,
            trusted=TEXT,
            rules=_STRINGS,
            checked=_STRINGS,
            rejection=or_null(exactly(path=TEXT, rule=TEXT, reason=TEXT)),
            undecided=or_null(exactly(limit=TEXT, place=TEXT, rule=TEXT)),
            **{"lambda": {"type": ["string", "null"]}},
        ),
        timed=True,
    ),
    Tool(
        "claims",
        "The claims that can be verified: id, chapter, the verdict on record, title.",
        {},
        (),
        exactly(claims=list_of(exactly(id=TEXT, chapter=TEXT, expected=TEXT, title=TEXT))),
        of_books=True,
    ),
    Tool(
        "verify",
        "Runs the witnesses of claims (derivations, measurements, controls) and compares today's verdicts with those "
        "on record. A claim takes seconds, a chapter minutes: name a few ids of the tool claims.",
        {"ids": _list(_text("The label of a claim, or the name of a chapter.", 500), "Which claims.", 100)},
        ("ids",),
        {key: value for key, value in json.loads(_REPORT.read_text("utf-8")).items() if key != "$id"},
        of_books=True,
    ),
)
