"""What the pages of this package share: how a template is filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddtheory.verify.typeset import typeset

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
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["typeset"] = typeset
    return found
