"""Other programs in the place of files, in a process that ends afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any


class Replacement:
    """Programs that are imported in the place of files.

    The loader of source files is changed for good, so this is for a process of its own. It is the loader, and not a
    finder, because a book is read by path and not by name.

    Attributes:
        used: the files whose program was asked for.
        importing: how many imports are under way, one inside the other.
        broke: the error with which the import of a replaced file ended, as text; empty when none did.
    """

    def __init__(self, programs: Mapping[Path, Callable[[], CodeType]]) -> None:
        self.used: set[Path] = set()
        self.importing = 0
        self.broke = ""
        self._programs = programs

    def install(self) -> None:
        """From now on, imports get these programs."""
        get_code, exec_module = SourceFileLoader.get_code, SourceFileLoader.exec_module

        def replaced_code(loader: SourceFileLoader, fullname: str) -> Any:
            path = Path(loader.path).resolve()
            if path not in self._programs:
                return get_code(loader, fullname)
            self.used.add(path)
            return self._programs[path]()

        def watched_module(loader: SourceFileLoader, module: ModuleType) -> None:
            self.importing += 1
            try:
                exec_module(loader, module)
            except Exception as error:
                if Path(loader.path).resolve() in self._programs:
                    self.broke = self.broke or f"{type(error).__name__}: {error}"
                raise
            finally:
                self.importing -= 1

        SourceFileLoader.get_code = replaced_code  # type: ignore[method-assign, assignment]
        SourceFileLoader.exec_module = watched_module  # type: ignore[method-assign, assignment]
