"""Which statements a claim reaches: each is marked in the tree before it is compiled, and calls its mark when it runs.

Marking costs the marked files only, where a trace function would slow down every call inside sympy and torch too.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from types import CodeType

MARK = "__ddtheory_reached__"
"""The name, among the builtins, of the function that marks call with a file and a line."""


def marked(text: str, file: str, filename: str) -> CodeType:
    """The program of a text whose statements call the mark.

    Args:
        text: Python.
        file: how the marks name it.
        filename: what tracebacks call it.
    """
    tree = ast.parse(text)
    _Marker(file).visit(tree)
    return compile(ast.fix_missing_locations(tree), filename, "exec")


class _Marker(ast.NodeTransformer):
    def __init__(self, file: str) -> None:
        self._file = file

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for field in ("body", "orelse", "finalbody"):
            statements = getattr(node, field, None)
            if isinstance(statements, list):
                setattr(node, field, [each for statement in statements for each in self._with_mark(statement)])
        return node

    def _with_mark(self, statement: ast.stmt) -> tuple[ast.stmt, ...]:
        is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        is_promise = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        if is_text or is_promise:  # these must come first in a file
            return (statement,)
        arguments: list[ast.expr] = [ast.Constant(self._file), ast.Constant(statement.lineno)]
        mark = ast.Expr(ast.Call(ast.Name(MARK, ast.Load()), arguments, []))
        return (ast.copy_location(mark, statement), statement)


@lru_cache(maxsize=256)
def bodies(text: str) -> frozenset[int]:
    """The lines of the statements inside functions, which run when they are called and not when the file is read.

    >>> sorted(bodies("x = 1\\ndef f():\\n    y = 2\\n    return y"))
    [3, 4]
    """
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return frozenset(
        inner.lineno
        for function in functions
        for statement in function.body
        for inner in ast.walk(statement)
        if isinstance(inner, ast.stmt)
    )
