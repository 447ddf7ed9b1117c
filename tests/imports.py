"""What a file imports, and what a fresh interpreter has loaded: the probes of every wall."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_PROBE = "\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"


def loaded_after(code: str, *flags: str) -> set[str]:
    """Names of all modules that a fresh interpreter has loaded after running `code`; an error there is one here."""
    command = [sys.executable, *flags, "-c", code + _PROBE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def imported(source: str, *, at_import: bool = False) -> set[str]:
    """Names of all modules that a source imports anywhere, or only by its own statements: what an import runs."""
    tree = ast.parse(source)
    names: set[str] = set()
    for node in tree.body if at_import else ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
    return names
