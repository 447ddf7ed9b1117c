"""What the pages of this package share: how a template is filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddtheory.verify.typeset import typeset
from ddtheory.visible import visible

if TYPE_CHECKING:
    from jinja2 import Environment


def environment(package: str) -> Environment:
    """Where the templates of a package are read: everything is escaped, and a name without a value is an error.

    The filter `typeset` turns LaTeX between dollar signs into MathML.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["typeset"] = typeset
    return found


def _shown(value: object) -> object:
    """What is no markup yet, as text in which nothing hides; jinja escapes it."""
    return value if hasattr(value, "__html__") else visible(str(value))
