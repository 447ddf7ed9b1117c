"""Results in a file of JSON lines, one a line as they come: what is finished survives whatever comes next.

The first line says which estimator they are of, in the words of `identity`; every other line which question it
answers: cell, posterior, n, β, budget and seed.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any, NamedTuple

from ddtheory.arguments import path_of
from ddtheory.errors import InvalidValueError, OutputError, place
from ddtheory.testing.conformance.identity import Identity, content, differences
from ddtheory.testing.conformance.task import Estimate, EstimationTask
from ddtheory.testing.conformance.task_result import TaskResult
from ddtheory.visible import visible

SCHEMA = "ddtheory.sweep/2"
_WITHOUT_IDENTITY = "ddtheory.sweep/1"

_MOST_DIFFERENCES = 4  # that are named


_START = b'{"schema": "ddtheory.sweep/'  # of every such file


class Key(NamedTuple):
    """The question that a kept estimate answers."""

    cell: str
    posterior: str
    n: int
    beta: str
    budget: int
    seed: int


def key_of(task: EstimationTask) -> Key:
    """The question of a task; its posterior by a digest of all that it consists of.

    Raises:
        InvalidValueError: the posterior has parts that cannot be read.
    """
    posterior = content(task.posterior, task.cell)
    return Key(task.cell, posterior, task.n, str(task.beta), task.budget, task.seed)


class Kept:
    """A file of estimates by their question.

    Raises:
        InvalidValueError: the file belongs to another estimator, or is none of these files.
        OutputError: the file cannot be read or written.
    """

    def __init__(self, path: Path | str, estimator: Identity) -> None:
        self.path = path_of(path, "keep")
        self._results: dict[Key, TaskResult] = {}
        self._posteriors: dict[str, str] = {}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            stored = self.path.read_bytes() if self.path.exists() else b""
            whole = stored[: stored.rfind(b"\n") + 1]  # a line without its end was cut off while it was written
            if not whole and not (stored.startswith(_START) or _START.startswith(stored)):
                raise self._unknown(ValueError("it begins with something else"))
            if whole:
                self._read(whole, estimator)
            if whole != stored:
                self.path.write_bytes(whole)
            if not whole:
                self._append({"schema": SCHEMA, "estimator": estimator})
        except OSError as error:
            raise self._refused(error) from error

    def get(self, key: Key) -> TaskResult | None:
        """The kept estimate, if there is one.

        Raises:
            InvalidValueError: the file has another posterior under the name of this cell.
        """
        if self._posteriors.get(key.cell, key.posterior) != key.posterior:
            raise InvalidValueError(
                f"{self.path} holds estimates on another posterior that is also named {key.cell!r}. Use another file, "
                "or another name for the cell."
            )
        return self._results.get(key)

    def add(self, key: Key, result: TaskResult) -> None:
        """Writes one result through to the disk.

        Raises:
            InvalidValueError: there is no estimate in it.
            OutputError: the file cannot be written.
        """
        if result.estimate is None:
            raise InvalidValueError(f"Only estimates are kept, and {key.cell} has none.")
        width = result.estimate.standard_error
        row = {
            **key._asdict(),
            "value": result.estimate.value,
            "standard_error": width if math.isfinite(width) else None,
            "passes": result.passes,
            "seconds": result.seconds,
            "note": result.note,
        }
        try:
            self._append(row)
        except OSError as problem:
            raise self._refused(problem) from problem
        self._remember(key, result)

    def _remember(self, key: Key, result: TaskResult) -> None:
        self._results[key] = result
        self._posteriors[key.cell] = key.posterior

    def _append(self, row: dict[str, Any]) -> None:
        line = visible(json.dumps(row, ensure_ascii=False, allow_nan=False)) + "\n"
        with self.path.open("ab") as stream:
            stream.write(line.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())

    def _read(self, whole: bytes, estimator: Identity) -> None:
        try:
            header, *rows = [json.loads(line) for line in whole.removesuffix(b"\n").split(b"\n")]
            schema = header["schema"]
            if schema not in (SCHEMA, _WITHOUT_IDENTITY):
                raise ValueError(f"its schema is {schema}")
        except (ValueError, KeyError, TypeError) as error:
            raise self._unknown(error) from None
        if schema == _WITHOUT_IDENTITY:
            raise InvalidValueError(
                f"{self.path} was kept by an earlier version, which did not note the settings of the estimator and the "
                "posterior of each cell. Choose another file, or delete this one, and run the sweep again."
            )
        self._compare(header.get("estimator"), estimator)
        try:
            for row in rows:
                key = Key(**{name: row[name] for name in Key._fields})
                width = math.inf if row["standard_error"] is None else float(row["standard_error"])
                estimate = Estimate(float(row["value"]), width)
                note = str(row.get("note", ""))
                self._remember(key, TaskResult(key.cell, key.seed, estimate, "", row["passes"], row["seconds"], note))
        except (ValueError, KeyError, TypeError) as error:
            raise self._unknown(error) from None

    def _compare(self, kept: object, now: Identity) -> None:
        if not isinstance(kept, dict) or "is" not in kept:
            raise self._unknown(ValueError("its first line names no estimator"))
        if kept["is"] != now["is"]:
            raise InvalidValueError(
                f"{self.path} holds estimates of {kept['is']}, not of {now['is']}. Use one file an estimator."
            )
        found = differences(kept, now)
        if found:
            more = f"; and {len(found) - _MOST_DIFFERENCES} more" if len(found) > _MOST_DIFFERENCES else ""
            raise InvalidValueError(
                f"{self.path} holds estimates of {now['is']} as it was before: "
                f"{'; '.join(found[:_MOST_DIFFERENCES])}{more}. Use one file an estimator. (An attribute version "
                "that it has from the first sweep on stands for its code.)"
            )

    def _unknown(self, error: Exception) -> InvalidValueError:
        return InvalidValueError(f"{place(self.path)} is no file of kept estimates: {error}. Choose another one.")

    def _refused(self, error: OSError) -> OutputError:
        said = error.strerror or error
        return OutputError(f"Cannot use {place(self.path)}: {said}. Choose a file that you may write.")
