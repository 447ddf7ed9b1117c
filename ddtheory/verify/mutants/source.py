"""The text of a file beside its syntax tree: where a node begins and ends, and which nodes are open to change."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

_SWITCHES = frozenset(
    {
        "strict",
        "encoding",
        "frozen",
        "slots",
        "retain_graph",
        "create_graph",
        "indent",
        "ensure_ascii",
        "dtype",
        "generator",
        "real",
        "positive",
        "negative",
        "integer",
        "nonnegative",
        "nonzero",
        "finite",
        "commutative",
    }
)
"""Keywords that steer Python, or that say which numbers a symbol stands for: no part of a formula."""

_UNTOUCHED_CALLS = frozenset({"Curve", "profile_curve", "isinstance", "TypeVar", "warn"})
"""Pictures carry no verdict, and questions about types carry no mathematics."""

RIVALS = {"Comparison": 3, "Equation": 4}
WIDTH = {"Comparison": 4}
"""Where the rivals and the width stand among the arguments of a Comparison."""

_UNTOUCHED = (
    ast.Raise,
    ast.Assert,
    ast.Import,
    ast.ImportFrom,
    ast.JoinedStr,  # positions inside are wrong before Python 3.12, and what stands there is text
)


class Source:
    """A Python file as text, as lines and as a tree.

    >>> source = Source("x = 1 + 2")
    >>> total = source.tree.body[0].value
    >>> source.segment(total), source.start(total), source.end(total)
    ('1 + 2', 4, 9)
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.splitlines(keepends=True)

    @cached_property
    def _offsets(self) -> list[int]:
        offsets = [0]
        for line in self._lines:
            offsets.append(offsets[-1] + len(line))
        return offsets

    def _offset(self, line: int, column: int) -> int:
        """The place in the text; the parser counts columns in bytes."""
        return self._offsets[line - 1] + len(self._lines[line - 1].encode()[:column].decode())

    def start(self, node: ast.expr) -> int:
        return self._offset(node.lineno, node.col_offset)

    def end(self, node: ast.expr) -> int:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self._offset(node.end_lineno, node.end_col_offset)

    def segment(self, node: ast.expr) -> str:
        """The text of a node, without parentheses around it."""
        return self.text[self.start(node) : self.end(node)]

    def line_of(self, offset: int) -> int:
        """The number of the line in which a place stands, from 1."""
        return self.text.count("\n", 0, offset) + 1

    def lines(self, start: int, end: int) -> str:
        """The lines from one place to another as one, with single spaces."""
        first = self.text.rfind("\n", 0, start) + 1
        last = self.text.find("\n", end)
        return " ".join(self.text[first : last if last >= 0 else None].split())


@dataclass(frozen=True)
class Site:
    """A node that may be changed, with the nodes that it stands in, outermost first."""

    source: Source
    node: ast.AST
    above: tuple[ast.AST, ...]

    @property
    def parent(self) -> ast.AST:
        return self.above[-1]

    @property
    def step(self) -> tuple[int, int]:
        """Line and column of the smallest part around the node that may run or be passed over: see `parts`."""
        chain = (*self.above, self.node)
        for parent, child in zip(reversed(chain[:-1]), reversed(chain), strict=False):
            if any(child is part for part in parts(parent)):
                assert isinstance(child, ast.stmt | ast.expr)
                return child.lineno, child.col_offset
        raise AssertionError("a file is a list of statements")

    @property
    def runs_at_import(self) -> bool:
        """Whether that part is a statement outside functions, which runs when the file is read."""
        chain = (*self.above, self.node)
        innermost = max(place for place, node in enumerate(chain) if isinstance(node, ast.stmt))
        at = chain[innermost]
        assert isinstance(at, ast.stmt)
        outside = not any(isinstance(node, ast.FunctionDef | ast.Lambda) for node in chain[:innermost])
        return outside and self.step == (at.lineno, at.col_offset)

    @property
    def is_only_shown(self) -> bool:
        """Whether the node is part of what a claim or a step says of itself, which no witness computes with."""
        for node in reversed(self.above):
            if isinstance(node, ast.Lambda):
                return False
            if called(node) in ("Claim", "Prose", "Citation"):
                return True
        return False

    @property
    def is_scene(self) -> bool:
        """Whether the node is part of a constant of the file, such as the radii of every measurement."""
        targets = [node.targets[0] for node in self.above if isinstance(node, ast.Assign)]
        return any(isinstance(target, ast.Name) and target.id.isupper() for target in targets)

    @property
    def is_rival(self) -> bool:
        """Whether the node is part of a formula or number that is there to be wrong, be it under a name of its own."""
        chain = (*self.above, self.node)
        return any(
            _holds_rivals(node, inner) or _named(node) in rival_names(self.scope) for node, inner in pairwise(chain)
        )

    @property
    def scope(self) -> ast.AST:
        """The innermost function around the node, or the file."""
        functions = [node for node in self.above if isinstance(node, ast.FunctionDef | ast.Lambda)]
        return functions[-1] if functions else self.above[0]


def _holds_rivals(node: ast.AST, inner: ast.AST) -> bool:
    """Whether a node has that part for a rival."""
    place = RIVALS.get(called(node))
    named = isinstance(node, ast.keyword) and node.arg == "rivals"
    return named or (place is not None and inner in getattr(node, "args", ())[place : place + 1])


def _named(node: ast.AST) -> str:
    """The one name that a statement assigns; empty for anything else."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) else ""


@lru_cache(maxsize=64)
def rival_names(scope: ast.AST) -> frozenset[str]:
    """Names of a function that are used as rivals and for nothing else, directly or through other such names.

    >>> check = "def f(x):\\n    near = {x + 1}\\n    kept = sorted(near)\\n    return Comparison(0, x, 0, kept, 1)"
    >>> sorted(rival_names(ast.parse(check).body[0]))
    ['kept', 'near']
    """
    uses: dict[str, list[tuple[ast.AST, ...]]] = {}
    assigned: set[str] = set()

    def walk(node: ast.AST, above: tuple[ast.AST, ...]) -> None:
        assigned.add(_named(node))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            uses.setdefault(node.id, []).append((*above, node))
        for child in ast.iter_child_nodes(node):
            walk(child, (*above, node))

    walk(scope, ())
    found: frozenset[str] = frozenset()
    while True:
        more = frozenset(
            name
            for name in assigned & uses.keys()
            if all(
                any(_holds_rivals(node, inner) or _named(node) in found for node, inner in pairwise(chain))
                for chain in uses[name]
            )
        )
        if more == found:
            return found
        found = more


def called(node: ast.AST) -> str:
    """The last part of the name that a call calls; empty for anything else."""
    if not isinstance(node, ast.Call):
        return ""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def parts(node: ast.AST) -> tuple[ast.stmt | ast.expr, ...]:
    """What may run or be passed over when the node runs: statements, branches, elements, the body of a lambda.

    >>> (statement,) = parts(ast.parse("x = (a if b else c) and d"))
    >>> [ast.unparse(part) for node in ast.walk(statement) for part in parts(node)]
    ['d', 'a', 'c']
    """
    if isinstance(node, ast.IfExp):
        return (node.body, node.orelse)
    if isinstance(node, ast.BoolOp):
        return tuple(node.values[1:])
    if isinstance(node, ast.Lambda):
        return (node.body,)
    if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
        return (node.elt,)
    if isinstance(node, ast.DictComp):
        return (node.value,)
    statements = [getattr(node, field, ()) for field in ("body", "orelse", "finalbody")]
    return tuple(each for block in statements if isinstance(block, list) for each in block)


def sites(source: Source) -> Iterator[Site]:
    """Every node that is open to change. Closed are types, documentation, errors and the refusals that raise them.

    Raising and asserting stay as they are: an input that is refused by a whisker earlier changes no claim.
    """
    yield from _below(source, source.tree, ())


def _below(source: Source, node: ast.AST, above: tuple[ast.AST, ...]) -> Iterator[Site]:
    if above:
        yield Site(source, node, above)
    for child in _open_children(node):
        yield from _below(source, child, (*above, node))


def _open_children(node: ast.AST) -> Iterator[ast.AST]:
    closed: set[int] = set()
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        closed = {id(each) for each in (node.returns, *node.decorator_list)}
    elif isinstance(node, ast.ClassDef):
        closed = {id(each) for each in (*node.decorator_list, *node.bases)}
    elif isinstance(node, ast.arg | ast.AnnAssign):
        closed = {id(node.annotation)}
    elif isinstance(node, ast.If) and not has_open_test(node):
        closed = {id(node.test)}
    elif called(node) == "cast" and isinstance(node, ast.Call) and node.args:
        closed = {id(node.args[0])}
    for child in ast.iter_child_nodes(node):
        if id(child) not in closed and not _is_closed(child):
            yield child


def has_open_test(node: ast.If) -> bool:
    """Whether the condition decides anything but a refusal or an import for the type checker."""
    refuses = isinstance(node.body[-1], ast.Raise) and not node.orelse
    return not refuses and "TYPE_CHECKING" not in ast.dump(node.test)


def _is_closed(node: ast.AST) -> bool:
    return (
        isinstance(node, _UNTOUCHED)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))  # documentation
        or (isinstance(node, ast.keyword) and node.arg in _SWITCHES)
        or called(node) in _UNTOUCHED_CALLS
    )
