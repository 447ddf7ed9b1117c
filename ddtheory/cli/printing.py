"""How answers are printed, the same for every verb."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def json_option(what: str) -> Callable[[Command], Command]:
    """The option --json, as the argument `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help=f"Print {what} as JSON.")


def print_json(document: object) -> None:
    """Plain data as JSON with sorted keys."""
    click.echo(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False))


def print_rows(rows: Iterable[tuple[str, object]]) -> None:
    """Names in front of values, one a line; what has no text is left out."""
    for name, value in rows:
        if str(value):
            click.echo(f"{name:<9}{value}")
