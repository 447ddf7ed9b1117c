"""The folders to copy, a page each: what their README says, and every file to read and to download."""

from __future__ import annotations

from pathlib import Path

from website.pages import render

FOLDER = Path(__file__).parents[2] / "examples"
_SHOWN = {".py": "python", ".toml": "toml"}


def pages() -> dict[str, str]:
    """The list of the folders, and a page for each."""
    folders = sorted(readme.parent for readme in FOLDER.glob("*/README.md"))
    index = render("examples.md.jinja", names=[folder.name for folder in folders])
    return {"index.md": index} | {f"{folder.name}.md": _page(folder) for folder in folders}


def _page(folder: Path) -> str:
    files = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.suffix in _SHOWN]
    languages = {file: _SHOWN[Path(file).suffix] for file in files}
    return render("example.md.jinja", place=f"../../../examples/{folder.name}", languages=languages)
