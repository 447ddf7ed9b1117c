"""The page: nothing from outside, nothing hostile, worst first, no ids that collide."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from pages import Reader
from rich.console import Console

from ddtheory.references import cite
from ddtheory.values import UNVERIFIED, Interval
from ddtheory.verify import Comparison, Curve, Experiment, RunResult, load, page, run, table
from ddtheory.verify.claim import TITLE, Outcome
from ddtheory.verify.findings import Number, of_experiment
from ddtheory.verify.typeset import formula, typeset
from ddtheory.verify.verdicts import ClauseResult


@pytest.fixture(scope="module")
def text(example_run: RunResult) -> str:
    return page.render(example_run)


def test_well_formed_with_unique_ids_and_links_that_lead_somewhere(text: str) -> None:
    reader = Reader(text)
    assert reader.open == []
    ids = [found["id"] for _, found in reader.tags if "id" in found]
    assert len(ids) == len(set(ids))
    targets = {found["href"] for tag, found in reader.tags if tag in ("a", "use")}
    local = {target.removeprefix("#").replace("%3A", ":") for target in targets if target and target[0] == "#"}
    assert local
    assert local <= set(ids)


def test_nothing_is_loaded_from_outside(text: str) -> None:
    reader = Reader(text)
    assert {"script", "link", "img", "iframe", "object", "base"}.isdisjoint(tag for tag, _ in reader.tags)
    assert not any("src" in found for _, found in reader.tags)
    assert not any(found.get("href", "#")[0] != "#" for tag, found in reader.tags if tag != "a")
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", text))
    assert "@import" not in text
    assert "default-src 'none'" in text


CLAIM = r'<details class="claim (\S+) is-\S+"( open)?>\s*<summary>\s*<span class="chip">(.)'


def test_by_chapter_folded_with_word_and_sign(text: str) -> None:
    """Everything is as recorded, so the order is that of the book, and nothing needs attention."""
    assert re.findall(CLAIM, text) == [
        ("confirmed", "", "✓"),
        ("narrower", "", "⊂"),
        ("inconclusive", "", "?"),
        ("refuted", "", "✗"),
        ("not-checked", "", "○"),
    ]
    assert "Nothing moved." in text and "attention" not in text
    assert re.findall(r'<h2 id="chapter-([^"]*)">', text) == ["rates", "spectra"]


def test_a_verdict_is_hidden_by_its_box(text: str) -> None:
    boxes = re.findall(r'<input class="filter" type="checkbox" id="show-([^"]*)" checked>', text)
    assert sorted(boxes) == ["confirmed", "inconclusive", "narrower", "not-checked", "refuted"]
    for name in boxes:
        assert f'<label for="show-{name}">' in text
        assert f"body:has(#show-{name}:not(:checked)) .is-{name}" in text
        assert f"body:has(#show-{name}:checked) .has-{name}" in text


def test_the_matrix_of_clauses(text: str) -> None:
    """The example of fisher_decay: one clause, one line, two readings, one control."""
    start = text.index('id="claim-thm:fisher_decay"')
    matrix = text[start : text.index("</table>", start)]
    assert re.findall(r"\d+ (?:line|reading|control)s?", matrix) == ["1 line", "2 readings", "1 control"]
    start = text.index('id="claim-lem:unfinished"')
    matrix = text[start : text.index("</table>", start)]
    assert re.findall(r"\d+ (?:line|reading|control)s?", matrix) == ["1 line"]
    assert matrix.count("<td>–\n") == 1 and "<td>1 rival only\n" in matrix  # no control, so nothing but its rival


def test_a_narrower_claim_leads_with_what_holds(example_run: RunResult) -> None:
    narrower = next(result for result in example_run.results if result.record.id == "prop:depth_order")
    record = replace(narrower.record, holds="The order of a linear network is its depth")
    text = page.render(replace(example_run, results=(replace(narrower, record=record),)))
    assert "<h3>The order of a linear network is its depth</h3>" in text
    assert "As titled, false: “The order equals the depth”" in text


def test_the_table_leads_with_it_too(example_run: RunResult) -> None:
    narrower = next(result for result in example_run.results if result.record.id == "prop:depth_order")
    record = replace(narrower.record, holds="The order of a linear network is its depth")
    found = replace(example_run, results=(replace(narrower, record=record),))
    console = Console(width=200, force_terminal=True)
    with console.capture() as shown:
        console.print(table.render(found))
    for text in (table.plain(found), shown.get()):
        assert record.holds in text and record.title not in text


def test_what_rows_share_is_said_once(example_run: RunResult) -> None:
    """A reason, and a width that all its readings may have, stand in the list; a width that differs in its row."""
    first = Comparison("a", 1, Interval(1.0, 1.0, 1.0), (2,), 0.5, "by hand", "count")
    second = replace(first, label="b", max_width=0.25)
    findings = of_experiment(Experiment("", {"x": (first, replace(first, label="c")), "y": (first, second)})).checks
    assert page.notes(findings[:2]) == {"by hand": page.Note(1, "0.5")}
    assert page.notes(findings) == {"by hand": page.Note(1, "")}
    assert page.shared(findings, "quantity") == "count" and page.shared(findings[:1], "quantity") == ""
    assert page.shared(findings, "label") == ""


def test_numbers_with_an_exponent_stay_numbers() -> None:
    assert page.exact(Number("1e-06", "1e-06", 1e-6)) == "1e−6"
    assert page.exact(Number("-2.5e-07", "-2.5e-07", -2.5e-7)) == "−2.5e−7"


def test_what_is_too_long_for_mathml_is_no_program() -> None:
    found = page.exact(Number("alpha*(x - 1)**(2*(k + 1))*sqrt(y_1)" + " + z**2" * 6, "x" * 81, None))
    assert found.startswith("<var>α (x − 1)<sup>2 (k + 1)</sup> √(y₁) + z²")
    assert "*" not in found and "sqrt" not in found
    cut = page.exact(Number("x**2*" * 100, "x" * 81, None))
    assert cut.endswith("… (500 characters)") and cut.count("x²") == 32
    assert "<b" not in page.exact(Number("f(<b>)**(<b>)", "x" * 81, None))


def test_checks_stand_in_the_order_of_the_statement() -> None:
    first, second = (Comparison(label, 1, Interval(1.0, 1.0, 1.0), (2,), 0.5, "by hand", "count") for label in "ab")
    findings = of_experiment(Experiment("", {TITLE: (first,), "rate": (second, first), "bound": (first,)})).checks
    clauses = [ClauseResult(name, "", *[Outcome.AGREES] * 3) for name in ("rate", "bound", "order")]
    assert [(name, len(found)) for name, found in page.by_clause(findings, clauses)] == [
        ("rate", 2),
        ("bound", 1),
        (TITLE, 1),
    ]


def test_both_sides_are_shown_as_they_were_derived(text: str) -> None:
    start = text.index('id="claim-prop:depth_order"')
    line = text[text.index("expansion", start) :]
    left, right = line.split("<i>=</i>", 1)
    assert "<math" in left and right.lstrip().startswith("<math")
    assert "fails for “no mixed term”" in right


@pytest.mark.parametrize(
    ("interval", "shown"),
    [
        (Interval(2.00013, 1.99973, 2.00053), "2.0001 ± 0.0004"),
        (Interval(4.0, 4.0, 4.0), "4"),
        (Interval(-0.5, -0.6, -0.4), "−0.5 ± 0.1"),
        (Interval(2.0, 1.5, 3.0), "2 in [1.5, 3]"),
        (Interval(2.0, 1.0, math.inf), "[1, ∞]"),
        (Interval(0.0, -1e-9, 1e-9), "0 ± 1e−9"),
    ],
)
def test_a_reading_shows_its_width(interval: Interval, shown: str) -> None:
    assert page.reading(interval) == shown


def test_inconclusive_has_a_tone_of_its_own(text: str) -> None:
    tones = dict(re.findall(r"\.([a-z-]+) \{ --tone: var\(--([a-z-]+)\)", text))
    assert tones["inconclusive"] == "inconclusive"
    assert [name for name, tone in tones.items() if tone == "confirmed"] == ["confirmed", "agrees", "matrix"]


def test_only_what_does_not_agree_says_so_in_the_rows(text: str) -> None:
    """In its lines and rows agreement is the rule and carries no class: the page of the book stays light."""
    rows = re.findall(r'<tr class="([a-z]+)">', text)
    assert set(rows) == {"contradicts", "inconclusive"}
    assert text.count("<tr><td>") > 10 and "<b>✓</b></div>" in text


@pytest.mark.parametrize(
    ("latex", "light"),
    [
        (r"x^{2}", "<math><msup><mi>x</mi><mn>2</mn></msup></math>"),
        (r"x^{-1}", "<math><msup><mi>x</mi><mrow><mo>−</mo><mn>1</mn></mrow></msup></math>"),
        (r"\left(x\right)", "<math><mo>(</mo><mi>x</mi><mo>)</mo></math>"),
        (r"(x)", "<math><mo>(</mo><mi>x</mi><mo>)</mo></math>"),
        (
            r"f(\frac{1}{2})",
            '<math><mi>f</mi><mo stretchy="false">(</mo><mfrac><mn>1</mn><mn>2</mn></mfrac>'
            '<mo stretchy="false">)</mo></math>',
        ),
        (r"\sqrt{a + b}", "<math><msqrt><mi>a</mi><mo>+</mo><mi>b</mi></msqrt></math>"),
        (r"a\,b", '<math><mi>a</mi><mspace width="0.167em"/><mi>b</mi></math>'),
    ],
)
def test_a_formula_leaves_out_what_a_browser_takes_for_granted(latex: str, light: str) -> None:
    assert formula(latex) == light
    assert formula(latex, display=True) == light.replace("<math>", '<math display="block">')


def test_moved_comes_before_everything(write_claim) -> None:
    write_claim(
        "a_refuted",
        expected="REFUTED",
        measure="lambda: Experiment('', {'order': (Comparison('order', 5, Interval(2.0, 1.9, 2.1), (), 1, ''),)})",
    )
    found = run(load(write_claim("b_moved", expected="INCONCLUSIVE")), jobs=1)
    articles = re.findall(r'<article id="([^"]*)"', page.render(found))
    assert articles == ["claim-b_moved", "claim-a_refuted"]
    assert "What needs attention first" in page.render(found) and "Nothing moved" not in page.render(found)
    assert "moved: on record as inconclusive" in page.render(found)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "curve",
    [
        Curve("below zero", (math.inf, math.inf), (-1.0, 1e308), 0.0, (1.0, 0.1)),
        Curve("no power", (1e308, 1e308, 1e-320), (1e-320, 0.0, 5.0), -500.0, (1.0, 0.1)),
    ],
    ids=lambda curve: curve.label,
)
def test_a_curve_of_strange_numbers_leaves_the_rest_of_the_page(curve: Curve) -> None:
    shown = page.picture(curve)
    assert "nan" not in shown and "inf" not in shown
    assert ("cannot be drawn" in shown) == (curve.label == "below zero")


def test_an_interrupted_run_says_so(example_run: RunResult) -> None:
    cut = RunResult(example_run.results, 1.0, 1, interrupted=True)
    assert "Interrupted." in page.render(cut)


def test_typeset_converts_only_the_mathematics() -> None:
    found = typeset(r"If $k < 2$ it costs \$5 & more: $$\sum_i x_i$$")
    assert found.count("<math") == 2
    assert 'display="block"' in found
    assert "it costs $5 &amp; more: " in found


def test_indices_and_exponents_of_plain_text_are_lowered_and_raised() -> None:
    found = typeset("2k_post, σ_min⁴, t^{k_pre}, t^(2(k − 1)), 2^−11, x^k; node_death, a_g_duality, f(x_1), O_{ij}")
    assert found == (
        "2k<sub>post</sub>, σ<sub>min</sub>⁴, t<sup>k<sub>pre</sub></sup>, t<sup>2(k − 1)</sup>, 2<sup>−11</sup>, "
        "x<sup>k</sup>; node_death, a_g_duality, f(x₁), O<sub>ij</sub>"
    )


def test_letters_of_another_style_are_letters_of_their_own() -> None:
    """Browsers take the styles of MathML from the letters, and no longer from an attribute."""
    assert formula(r"\mathbb R^p \mathbf 1") == "<math><msup><mi>ℝ</mi><mi>p</mi></msup><mn>𝟏</mn></math>"


@pytest.mark.parametrize("latex", [r"\frac{1}{", r"\unknownmacro x", r"\begin{nothing}"])
def test_latex_that_is_not_understood_is_shown_as_it_is(latex: str) -> None:
    assert formula(latex).startswith("<code>")


def test_text_in_a_formula_may_hold_signs_of_order() -> None:
    assert formula(r"\text{a < b & c}") == "<math><mtext>a\xa0&lt;\xa0b\xa0&amp;\xa0c</mtext></math>"


def test_formulas_carry_no_links_and_no_styles() -> None:
    found = formula(r"\href{https://example.org}{x} \style{color:red}{y} \class{a}{z}")
    assert "href" not in found
    assert "style" not in found
    assert "class" not in found


def test_works_cited_are_listed_in_full_once(text: str) -> None:
    assert text.count("Algebraic Geometry and Statistical Learning Theory") == 1
    assert '<h2 id="works">Works cited</h2>' in text
    assert "†" not in text


def test_a_place_that_was_not_compared_is_explained_once(example_run: RunResult) -> None:
    first = example_run.results[0]
    doubtful = replace(first, record=replace(first.record, source=cite("lin2011", "Lemma 1", verified=False)))
    text = page.render(replace(example_run, results=(doubtful,)))
    assert "Lin 2011, Lemma 1 †" in text
    assert text.count(UNVERIFIED) == 1


def test_without_works_there_is_no_list(example_run: RunResult) -> None:
    own = next(result for result in example_run.results if not result.record.assumes)
    assert "Works cited" not in page.render(replace(example_run, results=(own,)))
