"""Which parts of a file a claim reaches: each is marked in the tree before it is compiled, and calls its mark.

Marking costs the marked files only, where a trace function would slow down every call inside sympy and torch too.
"""

from __future__ import annotations

import ast
from types import CodeType
from typing import Any

from ddtheory.verify.mutants.source import parts

MARK = "__ddtheory_reached__"
"""The name, among the builtins, of the function that marks call with a file, a line and a column; it returns None."""


def marked(text: str, file: str, filename: str) -> CodeType:
    """The program of a text whose parts call the mark when they run.

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
        marked = {id(part) for part in parts(node) if not _must_come_first(part)}
        super().generic_visit(node)
        for field, value in ast.iter_fields(node):
            if isinstance(value, list):
                setattr(node, field, [new for old in value for new in self._with_mark(old, id(old) in marked)])
            elif id(value) in marked:
                setattr(node, field, self._marked(value))
        return node

    def _with_mark(self, part: Any, is_marked: bool) -> tuple[Any, ...]:
        if not is_marked:
            return (part,)
        if isinstance(part, ast.expr):
            return (self._marked(part),)
        return (ast.copy_location(ast.Expr(self._mark(part)), part), part)

    def _marked(self, part: ast.expr) -> ast.expr:
        """The mark returns None, so that `mark or part` is the part."""
        return ast.copy_location(ast.BoolOp(ast.Or(), [self._mark(part), part]), part)

    def _mark(self, part: ast.stmt | ast.expr) -> ast.Call:
        arguments: list[ast.expr] = [ast.Constant(each) for each in (self._file, part.lineno, part.col_offset)]
        return ast.Call(ast.Name(MARK, ast.Load()), arguments, [])


def _must_come_first(part: ast.AST) -> bool:
    is_text = isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)
    return is_text or (isinstance(part, ast.ImportFrom) and part.module == "__future__")
