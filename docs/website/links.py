"""Links in files of the repository that pages include: to the pages of the site that show those files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_SHOWN = {
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "benchmarks/README.md": "benchmarks.md",
    "benchmarks/conformance.md": "conformance.md",
    "benchmarks/peers.md": "samplers.md",
}
_LINK = re.compile(r"\]\(([\w/]+\.(?:md|py))\)")


def on_the_site(text: str) -> str:
    """The text with links that lead to pages, where there is one.

    >>> on_the_site("[a](notebooks/finite_n.py), [b](CHANGELOG.md), [c](docs/verdicts.md)")
    '[a](docs/generated/notebooks/finite_n.ipynb), [b](docs/changelog.md), [c](docs/verdicts.md)'
    >>> on_the_site("[a](examples/models/README.md)")
    '[a](docs/generated/examples/models.md)'
    """

    def page(found: re.Match[str]) -> str:
        file = found[1]
        if file.startswith("notebooks/"):
            return f"](docs/generated/{Path(file).with_suffix('.ipynb').as_posix()})"
        if file.startswith("examples/"):
            return f"](docs/generated/examples/{Path(file).parent.name}.md)"
        return f"](docs/{_SHOWN[file]})" if file in _SHOWN else found[0]

    return _LINK.sub(page, text)


def _included(app: Sphinx, path: Path, parent: str, content: list[str]) -> None:
    content[0] = on_the_site(content[0])


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("include-read", _included)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
