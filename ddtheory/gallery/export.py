"""Writes the catalogue as one file, whole or not at all: JSON, or Parquet where pyarrow is installed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from ddtheory.arguments import path_of
from ddtheory.errors import InvalidValueError, OutputError, place
from ddtheory.extras import missing
from ddtheory.verify import output

SUFFIXES = (".json", ".parquet")


def export(file: Path | str, documents: Sequence[Mapping[str, Any]] | None = None) -> None:
    """Write the catalogue, or the documents of cells that are given, to FILE.json or FILE.parquet.

    In Parquet a row is a cell; λ is numerator and denominator, and what is nested in JSON is JSON text.

    Raises:
        InvalidValueError: another suffix.
        MissingExtraError: Parquet without pyarrow.
        OutputError: the file cannot be written.
    """
    from ddtheory.cells.shared.document import catalogue_document, to_json

    target = path_of(file, "The file")
    check_target(target)
    content = catalogue_document(documents)
    output.write_file(target, _parquet(content["cells"]) if target.suffix == ".parquet" else to_json(content))


def check_target(target: Path) -> None:
    """Refuse a file that cannot be written, before minutes of work depend on it.

    Raises:
        InvalidValueError: another suffix.
        MissingExtraError: Parquet without pyarrow.
        OutputError: the folder does not exist, or the target is a folder.
    """
    if target.suffix not in SUFFIXES:
        raise InvalidValueError(f"{target} ends in neither of {', '.join(SUFFIXES)}, which name the format.")
    if target.suffix == ".parquet":
        _pyarrow()
    check_folder(target)


def check_folder(target: Path) -> None:
    """Refuse a target that is a folder, lies in none, or in one that cannot be written to.

    Raises:
        OutputError: it does.
    """
    found = False
    with contextlib.suppress(OSError, ValueError, RuntimeError):  # names that no file system takes
        found = not target.is_dir() and target.resolve().parent.is_dir()
    if not found:
        raise OutputError(f"Cannot write to {place(target)}: give a file in a folder that exists.")
    output.prepare(target.parent, [target.name])


def row(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A cell as one flat row.

    >>> row({"name": "x", "lambda": "3/4", "multiplicity": 1, "routes": []})
    {'name': 'x', 'multiplicity': 1, 'routes': '[]', 'lambda_numerator': 3, 'lambda_denominator': 4}
    """
    flat = {
        key: json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict | list) else value
        for key, value in entry.items()
        if key != "lambda"
    }
    numerator, _, denominator = (entry["lambda"] or "").partition("/")
    return flat | {
        "lambda_numerator": int(numerator) if numerator else None,
        "lambda_denominator": int(denominator or 1) if numerator else None,
    }


def _parquet(entries: Sequence[Mapping[str, Any]]) -> bytes:
    pyarrow, parquet = _pyarrow()
    sink = BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist([row(entry) for entry in entries]), sink)
    return sink.getvalue()


def _pyarrow() -> tuple[Any, Any]:
    import importlib

    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise missing("pyarrow", "Parquet, unlike JSON,") from None
