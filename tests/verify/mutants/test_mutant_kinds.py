"""Every kind of change on small sources; what must come out is written by hand."""

from __future__ import annotations

import pytest

from ddtheory.verify.mutants.kinds import KINDS, mutations
from ddtheory.verify.mutants.mutation import is_python, same_program


def changes(text: str, kind: str) -> list[str]:
    """The whole texts that a kind of change makes, in order."""
    return [change.apply(text) for change in mutations(text, prose=True) if change.kind == kind]


CASES: list[tuple[str, str, list[str]]] = [
    ("constant", "x = 3", ["x = 2", "x = 4"]),
    ("constant", "x = 1", ["x = 2"]),
    ("constant", "x = 0.25", ["x = 0.5"]),
    ("constant", "x = f(0.0)", ["x = f(1.0)"]),
    ("constant", "x = f(exact=True)", ["x = f(exact=False)"]),
    ("constant", "x = zip(a, b, strict=True)", []),
    ("constant", "x = torch.manual_seed(4) + f(seed=4)", []),
    ("constant", "x: Literal[3] = y", []),
    ("constant", "if n < 2:\n    raise ValueError(n, 3)", []),
    ("constant", "assert x == 2", []),
    ("constant", "variance = n / 4 * v", ["variance = n / 3 * v", "variance = n / 5 * v"]),
    ("exponent", "x = t**3", ["x = t**2", "x = t**4"]),
    ("exponent", "x = t**k", ["x = t**(k + 1)"]),
    ("exponent", "x = t ** (2 * k)", ["x = t ** ((2 * k + 1))", "x = t ** (1 * k)", "x = t ** (3 * k)"]),
    ("sign", "x = -t", ["x = +t"]),
    ("sign", "x = t**-1", ["x = t**+1"]),
    ("sign", "x = a - b * c", ["x = a - -(b * c)"]),
    ("sign", "x = (a + b) * c", ["x = -((a + b) * c)"]),
    ("sign", "x = y[-1]", []),
    ("operator", "x = a + b", ["x = a - b"]),
    ("operator", "x = (a - b)", ["x = (a + b)"]),
    ("operator", "x = (a) * (b)", ["x = (a) / (b)"]),
    ("operator", "x = a / b", ["x = a * b"]),
    ("operator", "x = (a  # a + b\n + b)", ["x = (a  # a + b\n - b)"]),
    ("operator", "x = 'a' + f'{b}'", []),
    ("operator", "x += y", ["x -= y"]),
    ("operator", "x = a < b", ["x = a <= b", "x = a > b"]),
    ("operator", "x = a <= b", ["x = a < b", "x = a >= b"]),
    ("operator", "x = a == b", ["x = a != b"]),
    ("operator", "x = a > 0 and b", ["x = a < 0 and b", "x = a >= 0 and b", "x = a > 0 or b"]),
    ("operator", "x = not a", ["x = (a)"]),
    ("operator", "x = a if b else c", ["x = a if not (b) else c"]),
    ("operator", "if a:\n    x = y", ["if not (a):\n    x = y"]),
    ("operator", "x = min(a, b)", ["x = max(a, b)"]),
    ("operator", "x = y.argmax()", ["x = y.argmin()"]),
    ("index", "x = z[0]", ["x = z[1]"]),
    ("index", "x = z[2]", ["x = z[1]"]),
    ("index", "x = z[-1]", ["x = z[-2]"]),
    ("index", "x = z[1:]", ["x = z[0:]"]),
    ("index", "x = z[a, b]", ["x = z[b, a]"]),
    ("index", "x = z.sum(dim=1)", ["x = z.sum(dim=0)"]),
    ("index", "def f(i, j):\n    return g(i)", ["def f(i, j):\n    return g(j)"]),
    ("index", "def f(i):\n    return g(i)", []),
    ("transpose", "x = (a + b).T", ["x = (a + b)"]),
    ("transpose", "x = a.mT", ["x = a"]),
    ("transpose", "x = a.transpose(0, 1)", ["x = a"]),
    ("transpose", "x = torch.transpose(a, 0, 1)", []),
    ("transpose", "x = a @ b", ["x = ((b) @ (a))"]),
    ("transpose", "x = a @ a", []),
    ("transpose", 'x = einsum("ij,jk", a, b)', []),
    ("transpose", 'x = torch.einsum("ij,jk", a, b)', ['x = torch.einsum("ji,jk", a, b)']),
    ("swap", "x = f(a, b, c)", ["x = f(b, a, c)"]),
    ("swap", "x = f(a, a)", []),
    ("swap", "x = max(a, b)", []),
    ("swap", "x = f('a label', b)", []),
    ("count", "x = s / n", ["x = s / (n - 1)"]),
    ("count", "x = s * len(y)", ["x = s * (len(y) - 1)"]),
    ("count", "x = n - 1", ["x = (n)"]),
    ("count", "x = f(a + 1)", ["x = f((a))"]),
    ("count", "x = range(a, b)", ["x = range(a, (b - 1))"]),
    ("count", "x = y.mean() + z.sum()", ["x = y.sum() + z.sum()", "x = y.mean() + z.mean()"]),
    ("count", "x = sum(y)", []),
    ("noise", "x = f(noise=0.5)", ["x = f(noise=1.0)"]),
    ("noise", "NOISE = 0.09", ["NOISE = 0.18"]),
    ("width", "RESOLUTION = 0.5", ["RESOLUTION = 5.0"]),
    ("width", "x = Comparison('l', p, m, (1,), 0.5, 'r')", ["x = Comparison('l', p, m, (1,), 5.0, 'r')"]),
    ("width", "x = f(max_width=1e-3 * y)", ["x = f(max_width=0.01 * y)"]),
    ("width", "width = 4", []),
    ("rival", "x = Comparison('l', p, m, (1,), 0.5, 'r')", ["x = Comparison('l', p, m, (11,), 0.5, 'r')"]),
    ("rival", "x = f(rivals=(k, 2))", ["x = f(rivals=(k, 12))"]),
    ("rival", "x = Equation(c, s, l, r, {'a': t**k})", ["x = Equation(c, s, l, r, {'a': t**(k + 1)})"]),
    ("rival", "x = AtMost(c, s, l, r, rivals={'a': t**k})", ["x = AtMost(c, s, l, r, rivals={'a': t**(k + 1)})"]),
    ("rival", "x = Comparison('l', p, m, (-t,), w, 'r')", ["x = Comparison('l', p, m, (+t,), w, 'r')"]),
    ("rival", "near = {k + 1}\nkept = f(near)\nx = g(rivals=kept)", [
        f"near = {{{after}}}\nkept = f(near)\nx = g(rivals=kept)" for after in ("k + 2", "k - 1", "(k)")
    ]),
    ("rival", "near = {k + 1}\nx = g(near, rivals=near)", []),
    ("rival", "near = {k + 1}", []),
    ("exponent", "x = Equation(c, s, l, r, {'a': t**k})", []),
    ("exponent", "x = Equation(c, s, l, t**k, {})", ["x = Equation(c, s, l, t**(k + 1), {})"]),
    ("setting", "_RADII = [2.0**-n]", ["_RADII = [4.0**-n]", "_RADII = [2.0**+n]", "_RADII = [2.0**(-n + 1)]"]),
    ("operator", "x = y or 'none'", []),
    ("setting", "_SIZES = (3, 0.5)", ["_SIZES = (4, 0.5)", "_SIZES = (3, 1.0)"]),
    ("setting", "def f(depth=4): pass", ["def f(depth=5): pass"]),
    ("setting", "class C:\n    width: int = 5", ["class C:\n    width: int = 6"]),
    ("setting", "for k in (2, -3): f(k)", ["for k in (3, -3): f(k)", "for k in (2, -4): f(k)"]),
    ("setting", "x = [k for k in (2, 7)]", ["x = [k for k in (3, 7)]", "x = [k for k in (2, 8)]"]),
    ("setting", "for k, rate in ((2, 4),): f(k, rate)", []),
    ("setting", "x = [i for i in range(7)]", ["x = [i for i in range(8)]"]),
    ("text", "x = f('a rate of 2')", ["x = f('a rate of 3')"]),
    ("text", "x = Prose('So.', r'a \\le b')", ["x = Prose('So.', r'a \\ge b')"]),
    ("text", "x = Claim(id='a', given='rate 2 + 1', n=3)", [
        "x = Claim(id='a', given='rate 3 + 1', n=3)",
        "x = Claim(id='a', given='rate 2 - 1', n=3)",
    ]),
    ("text", "x = f('tanh2')", []),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "expected"), CASES, ids=[f"{kind}: {text}" for kind, text, _ in CASES])
def test_a_kind_of_change(kind: str, text: str, expected: list[str]) -> None:
    assert sorted(changes(text, kind)) == sorted(expected)
    assert all(is_python(after) for after in expected)


def test_every_kind_has_a_case_and_no_other_kind_exists() -> None:
    assert {kind for kind, _, expected in CASES if expected} == set(KINDS)
    assert {change.kind for _, text, _ in CASES for change in mutations(text, prose=True)} == set(KINDS)


@pytest.mark.parametrize(
    "text",
    [
        '"""2 + 2."""',
        "def f():\n    '''3 - 1'''",
        "x = f'{1 + 1}'",
        "from __future__ import annotations",
        "@cache(3)\ndef f(): pass",
        "x = Claim(n=3)",
        "x = Curve('l', y, 2 + 1)",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import y",
    ],
)
def test_what_is_left_alone(text: str) -> None:
    assert mutations(text, prose=True) == ()


def test_a_function_inside_a_claim_is_no_text() -> None:
    assert changes("x = Claim(measure=lambda: f(2 * y))", "operator") == ["x = Claim(measure=lambda: f(2 / y))"]


def test_prose_is_changed_only_on_request() -> None:
    assert mutations("x = f('a rate of 2')") == ()


def test_lines_and_places_past_letters_of_several_bytes() -> None:
    text = 'α = "ν²"\nif α:\n    β = [α,\n        α + 2]\n'
    (change,) = [change for change in mutations(text) if change.kind == "operator" and "α - 2" in change.after]
    assert change.apply(text) == text.replace("+", "-")
    assert (change.line, change.step, change.runs_at_import) == (4, (3, 4), True)
    assert (change.before, change.after) == ("α + 2]", "α - 2]")


@pytest.mark.parametrize(
    ("text", "step", "at_import"),
    [
        ("x = 2", (1, 0), True),
        ("def f(n=2): pass", (1, 0), True),
        ("def f():\n    return 2", (2, 4), False),
        ("x = a if b else 2", (1, 16), False),
        ("x = g(lambda: 2)", (1, 14), False),
        ("x = a or g(2)", (1, 9), False),
        ("x = [g(2) for i in a]", (1, 5), False),
        ("x = {a: 2 for i in a}", (1, 8), False),
        ("class C:\n    x = 2", (2, 4), True),
    ],
)
def test_the_part_that_must_run(text: str, step: tuple[int, int], at_import: bool) -> None:
    found = {(change.step, change.runs_at_import) for change in mutations(text) if "3" in change.after}
    assert found == {(step, at_import)}


def test_lines_that_change_are_shown_as_one() -> None:
    text = "x = f(\n    a,\n    b,\n)\n"
    (change,) = [change for change in mutations(text) if change.kind == "swap"]
    assert (change.before, change.after) == ("a, b,", "b, a,")


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("x = 1  # a", "x = 1\n", True),
        ("x = (1)", "x = 1", True),
        ("x = 1", "x = 1.0", False),
        ("x = 0.0", "x = -0.0", False),
        ("def f():\n    return a + b", "def f():\n    return a - b", False),
        ("x = a.b", "x = a.c", False),
    ],
)
def test_the_same_program(first: str, second: str, same: bool) -> None:
    assert same_program(first, second) is same
