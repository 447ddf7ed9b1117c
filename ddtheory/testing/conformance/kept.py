"""Results in a file of JSON lines, one a line as they come: what is finished survives whatever comes next."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ddtheory.errors import InvalidValueError, OutputError
from ddtheory.testing.conformance.task import Estimate
from ddtheory.testing.conformance.task_result import TaskResult

SCHEMA = "ddtheory.sweep/1"


class Kept:
    """A file of results by the key of their task; the first line names the estimator.

    Raises:
        InvalidValueError: the file belongs to another estimator, or is none of these files.
        OutputError: the file cannot be read or written.
    """

    def __init__(self, path: Path | str, estimator: str) -> None:
        self.path = Path(path)
        self.results: dict[str, TaskResult] = {}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
            whole = text[: text.rfind("\n") + 1]  # a line without its end was cut off while it was written
            if whole != text:
                self.path.write_text(whole, encoding="utf-8")
            if not whole:
                self._append({"schema": SCHEMA, "estimator": estimator})
        except OSError as error:
            raise self._refused(error) from error
        if whole:
            self._read(whole, estimator)

    def add(self, key: str, result: TaskResult) -> None:
        """Writes one result through to the disk."""
        if result.estimate is None:
            raise InvalidValueError(f"Only estimates are kept, and {key} has none.")
        row = {
            "key": key,
            "cell": result.cell,
            "seed": result.seed,
            "value": result.estimate.value,
            "standard_error": result.estimate.standard_error,
            "passes": result.passes,
            "seconds": result.seconds,
        }
        try:
            self._append(row)
        except OSError as error:
            raise self._refused(error) from error
        self.results[key] = result

    def _append(self, row: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
            stream.flush()
            os.fsync(stream.fileno())

    def _read(self, text: str, estimator: str) -> None:
        try:
            header, *rows = [json.loads(line) for line in text.splitlines()]
            if header["schema"] != SCHEMA:
                raise ValueError(f"its schema is {header['schema']}")
            for row in rows:
                estimate = Estimate(row["value"], row["standard_error"])
                result = TaskResult(row["cell"], row["seed"], estimate, "", row["passes"], row["seconds"])
                self.results[row["key"]] = result
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidValueError(f"{self.path} is no file of kept estimates: {error}. Choose another one.") from None
        if header["estimator"] != estimator:
            raise InvalidValueError(
                f"{self.path} holds estimates of {header['estimator']}, not of {estimator}. Use one file an estimator."
            )

    def _refused(self, error: OSError) -> OutputError:
        return OutputError(f"Cannot use {self.path}: {error.strerror or error}. Choose a file that you may write.")
