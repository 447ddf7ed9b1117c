"""A reading as one HTML file: all that it says, nothing that loads or runs, whatever names a network has."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from ddtheory.errors import InvalidValueError, OutputError
from ddtheory.measure import Gaussian
from ddtheory.reads import Census, Reading, Standing, pictures, read
from ddtheory.reads.page import MEANING, render

HOSTILE = "<script>alert(1)</script>"


class Seen(HTMLParser):
    """The tags, the attributes and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def student(first: str = "first") -> nn.Module:
    """Four units, of which unit 1 is dead and unit 3 does what unit 2 does."""
    torch.manual_seed(4)
    module = nn.Sequential()
    module.add_module(first, nn.Linear(3, 4))
    module.add_module("unit", nn.LeakyReLU(0.1))
    module.add_module("last", nn.Linear(4, 2))
    module = module.double()
    made, read_by = module[0], module[2]
    made.weight.data[1] = made.bias.data[1] = 0.0
    read_by.weight.data[:, 1] = 0.0
    made.weight.data[3], made.bias.data[3] = made.weight.data[2], made.bias.data[2]
    return module


def inputs() -> Tensor:
    return torch.randn(40, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture(scope="module")
def reading() -> Reading:
    return read(student(), inputs(), head=Gaussian(), n=1000)


def test_the_page_says_all_that_the_reading_holds(reading: Reading) -> None:
    assert not Seen(render(reading)).open
    assert {Standing.DEAD, Standing.GAUGE} <= {row.verdict for row in reading.census}
    assert reading.joint and reading.gauges.gauges and reading.gauges.refused
    said = [cell for row in reading.census for cell in (*row.cells(), row.reason)]
    said += [cell for layer in reading.layers for cell in layer.rows().values()]
    said += [str(each) for each in (*reading.joint, *reading.gauges.gauges, *reading.gauges.refused, reading.bracket)]
    assert reading.bracket is not None
    said += [text for name, text in reading.bracket.rows().items() if name != "λ"]
    assert missing(said, reading) == []
    less = replace(reading, census=Census(reading.census.found[:1]), layers=(), joint=())  # control
    assert len(missing(said, less)) > 3


def missing(said: list[str], reading: Reading) -> list[str]:
    text = Seen(render(reading)).text
    return [each for each in said if " ".join(each.split()) not in text]


def test_every_verdict_has_a_meaning_and_a_colour() -> None:
    assert set(MEANING) == set(Standing)
    css = (Path(__file__).parents[2] / "ddtheory/reads/templates/reading.css").read_text("utf-8")
    for each in Standing:
        assert f".{each.value.replace(' ', '-')}" in css


def test_nothing_is_loaded_and_nothing_runs(reading: Reading) -> None:
    text = render(reading)
    page = Seen(text)
    assert not page.tags & {"script", "link", "img", "iframe", "object", "embed", "form", "a"}
    assert not {name for name in page.attributes if name.startswith("on") or name in ("src", "href", "style")}
    assert not re.search(r"https?:|url\(|@import|//[a-z]", text)
    assert "default-src 'none'" in text


def test_names_of_a_network_are_text() -> None:
    found = read(student(HOSTILE), inputs(), head=Gaussian(), n=1000)
    text = render(found)
    assert HOSTILE not in text and HOSTILE in Seen(text).text


def test_the_strip_shows_where_the_bracket_lies(reading: Reading) -> None:
    """d = 4·4 + 2·4 + 2 = 26; the ends of the bracket in per cent of 13."""
    assert reading.bracket is not None and reading.dimension == 26
    drawn = re.search(r'<path d="M([\d.]+) 2h([\d.]+)"/></svg>', render(reading))
    assert drawn is not None
    start, length = float(drawn[1]), float(drawn[2])
    assert start == pytest.approx(100 * float(reading.bracket.lower) / 13, abs=0.01)
    assert start + length == pytest.approx(100 * float(reading.bracket.upper) / 13, abs=0.02)


def test_a_profile_is_drawn_where_it_was_read(reading: Reading) -> None:
    """As many dots as F* has values above rounding, and s where it is in sight; a dashed line of slope 2(k − 1)."""
    rows = [row for row in reading.census if row.sides is not None and row.order is not None]
    assert rows
    for row in rows:
        assert row.sides is not None and row.order is not None and row.scale is not None
        text = pictures.profile(row.sides, 1e-3, row.order, row.scale)
        assert text.count("<circle") == sum(value > row.sides.fisher_floor for value in row.sides.fisher)
        assert "s = 0.001" in text and 'role="img"' in text
        dashed = re.search(r'4 3" d="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)', text)
        assert dashed is not None
        dots = {float(x): float(y) for x, y in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', text)}
        x, y = float(dashed[3]), float(dashed[4])
        nearest = min(dots, key=lambda each: abs(each - x))
        assert abs(dots[nearest] - y) < 3  # the law's line goes through what was read
        assert str(text) in render(replace(reading, census=Census((replace(row, distance=1e-3),))))
    flat = replace(rows[0].sides, fisher=tuple(0.0 for _ in rows[0].sides.fisher))  # type: ignore[type-var, union-attr]
    assert pictures.profile(flat, 1e-3, None, None) == ""  # control


def test_orders_by_layer_stand_in_a_table(reading: Reading) -> None:
    counts = reading.census.by_layer()
    assert sum(sum(each.values()) for each in counts.values()) == len(reading.dead) > 0
    text = Seen(render(reading)).text
    assert "dead candidates of order" in text
    none = replace(reading, census=Census(reading.census.of(Standing.GAUGE)))
    assert "dead candidates of order" not in Seen(render(none)).text


def test_a_reading_without_a_bracket_or_candidates_has_a_page() -> None:
    class Signed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.only = nn.Parameter(torch.zeros(1, dtype=torch.float64))

        def forward(self, x: Tensor) -> Tensor:
            return torch.sign(self.only) * x

    found = Seen(render(read(Signed(), inputs()[:, :1], head=Gaussian(), n=10)))
    assert "There is no bracket of λ. The outputs jump" in found.text
    assert "No detector proposed a candidate." in found.text and "svg" not in found.tags


def test_it_is_written_whole_or_refused(reading: Reading, tmp_path: Path) -> None:
    reading.report(tmp_path / "new" / "reading.html")
    reading.report(str(tmp_path / "other.html"))
    whole = (tmp_path / "new" / "reading.html").read_text("utf-8")
    assert whole == render(reading) == (tmp_path / "other.html").read_text("utf-8")
    with pytest.raises(InvalidValueError, match="The file is 3"):
        reading.report(3)  # type: ignore[arg-type]
    with pytest.raises(OutputError, match="is a folder"):
        reading.report(tmp_path / "new")
