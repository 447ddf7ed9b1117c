"""Pictures: figures without global state, honest about what has no place on logarithmic axes."""

from __future__ import annotations

import re

import pytest
from imports import loaded_after

import ddtheory as dd
from ddtheory import plots
from ddtheory.errors import InvalidValueError
from ddtheory.measure.orders.profile import Profile
from ddtheory.verify import Curve, RunResult
from ddtheory.verify.picture import drawing

RADII = (1.0, 0.1, 0.01)
CURVE = Curve("a curve", RADII, (3.0, 0.03, 0.0003), slope=2.0, window=(0.01, 0.1))


def labels(figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_rate_has_points_guide_and_window() -> None:
    figure = plots.rate(CURVE)
    assert labels(figure) == ["a curve", "predicted slope 2", "window of the reading"]
    (axes,) = figure.axes
    guide = axes.lines[1].get_xydata()
    assert abs(guide[0][1] / 0.0003 - 1) < 1e-9
    assert axes.get_xscale() == axes.get_yscale() == "log"


def test_several_profiles_share_one_window_label() -> None:
    other = Curve("another", RADII, (1.0, 0.1, 0.01), window=(0.01, 1.0))
    assert labels(plots.rate([CURVE, other])).count("window of the reading") == 1


def test_values_that_are_not_positive_are_counted() -> None:
    figure = plots.rate(Curve("dead", RADII, (1.0, 0.0, float("nan"))))
    assert labels(figure) == ["dead (2 not positive)"]
    nothing = plots.rate(Curve("flat", RADII, (0.0, 0.0, 0.0)))
    assert [text.get_text() for text in nothing.axes[0].texts] == ["no positive value"]


def test_a_label_that_cannot_be_typeset_is_taken_literally() -> None:
    assert labels(plots.rate(Curve(r"rate $\unknown$", RADII, (3.0, 2.0, 1.0)))) == [r"rate \$\unknown\$"]


def test_a_measured_profile_is_drawn_with_its_floor() -> None:
    profile = Profile(RADII, (1.0, 1e-4, 1e-8), (1.0, 1e-6, 1e-12), 1e-10, 1e-14, label="measured")
    assert labels(plots.rate(profile)) == ["measured", "float64 floor"]


def test_a_constant_looks_constant() -> None:
    low, high = plots.rate(Curve("constant", RADII, (4.0, 4.01, 4.02))).axes[0].get_ylim()
    assert high / low >= 99


def test_verdicts_has_one_sign_a_claim(example_run: RunResult) -> None:
    figure = plots.verdicts(example_run.results)
    assert sorted(text.get_text() for text in figure.axes[0].texts) == sorted("✓⊂?✗○")


def points_of(svg: str) -> list[tuple[float, float]]:
    (path,) = re.findall(r'class="points" d="([^"]*)"', svg)
    return [(float(x), float(y)) for x, y in re.findall(r"M(\S+) (\S+?)h0", path)]


def test_the_drawing_of_a_page_is_light_and_needs_no_ids() -> None:
    svg = drawing(CURVE)
    assert " id=" not in svg and "http" not in svg and len(svg) < 1_200
    assert 'aria-hidden="true"' in svg  # its caption says what it shows


def test_a_power_is_a_straight_line_and_its_guide_runs_through_it() -> None:
    svg = drawing(CURVE)
    (a, b), (c, d), (e, f) = points_of(svg)
    assert abs((d - b) / (c - a) - (f - d) / (e - c)) < 0.05
    x, y, z, w = map(float, re.search(r'class="guide" d="M(\S+) (\S+?)L(\S+) (\S+?)"', svg).groups())  # type: ignore[union-attr]
    assert abs((w - y) / (z - x) - (f - b) / (e - a)) < 0.05
    assert abs(y + (a - x) * (w - y) / (z - x) - b) < 1.1


def test_a_guide_stays_in_the_frame_and_another_slope_leaves_the_points() -> None:
    svg = drawing(Curve("steep", RADII, (3.0, 0.03, 0.0003), slope=9.0))
    x, y, z, w = map(float, re.search(r'class="guide" d="M(\S+) (\S+?)L(\S+) (\S+?)"', svg).groups())  # type: ignore[union-attr]
    assert all(0 <= value <= 520 for value in (x, z)) and all(0 <= value <= 300 for value in (y, w))
    assert abs(w - points_of(svg)[2][1]) > 1 or abs(z - points_of(svg)[2][0]) > 30


def test_what_has_no_place_on_the_drawing_is_counted() -> None:
    assert "2 not positive" in drawing(Curve("dead", RADII, (1.0, 0.0, float("nan"))))
    with pytest.raises(InvalidValueError, match="no positive value"):
        drawing(Curve("flat", RADII, (0.0, 0.0, 0.0)))


def lines(figure) -> dict[str, list[list[float]]]:
    return {line.get_label(): line.get_xydata().tolist() for line in figure.axes[0].lines}


@pytest.mark.parametrize(
    ("generators", "prior", "face", "distance"),
    [
        # by hand: the ray meets the edge from (1, 2) to (2, 1) in (3/2, 3/2)
        (["x^4", "x^2*y", "x*y^2", "y^4"], {}, [[1, 2], [2, 1]], "ℓ = 2/3"),
        (["x^5", "x^2*y^2", "y^6"], {}, [[2, 2], [2, 2]], "ℓ = 1/2"),
        # τ = (1, 4) leaves the same edges above: (1/2, 2) is on the edge from (0, 4) to (1, 0)
        (["x", "x^3*y^2", "y^4"], {"y": 3}, [[0, 4], [1, 0]], "ℓ = 2"),
    ],
)
def test_newton_polygon_shows_where_the_ray_enters(generators, prior, face, distance) -> None:
    figure = plots.newton_polygon(dd.rlct(generators=generators, prior=prior).given)
    assert lines(figure)["face that it meets"] == face
    assert figure.axes[0].get_title().splitlines()[1] == distance


def test_newton_polygon_of_a_derivation_has_its_pair_in_the_title() -> None:
    figure = plots.newton_polygon(dd.rlct(generators=["x^4", "x^2*y", "x*y^2", "y^4"]))
    first, second = figure.axes[0].get_title().splitlines()
    assert (first, second) == ("⟨x^4, x^2*y, x*y^2, y^4⟩", "ℓ = 2/3, (κ, m) = (2/3, 1), (λ, m) = (1/3, 1)")
    assert labels(figure) == ["Newton polygon", "face that it meets", "ray of τ = (1, 1)", "exponents"]
    (border, corners, *_) = (line.get_xydata().tolist() for line in figure.axes[0].lines)
    assert corners == [[0, 4], [1, 2], [2, 1], [4, 0]] == border[1:-1]
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("exponent of x", "exponent of y")


def test_newton_polygon_of_a_crossing_is_entered_along_an_axis() -> None:
    """⟨x y³⟩: ℓ = 1/3, and (3, 3) lies on the unbounded edge from (1, 3)."""
    figure = plots.newton_polygon(dd.rlct(generators=["x*y^3 + x^2*y^9"]).given)
    (start, end) = lines(figure)["face that it meets"]
    assert start == [1, 3] and end[1] == 3 and end[0] > 3
    assert labels(figure)[-1] == "exponents (1 outside)"


def test_newton_polygon_needs_two_variables() -> None:
    with pytest.raises(InvalidValueError, match=r"⟨x\*y\*z⟩ has 3"):
        plots.newton_polygon(dd.rlct(generators=["x*y*z"]).given)
    with pytest.raises(InvalidValueError, match=r"Its rules: crossing, .*given"):
        plots.newton_polygon(dd.rlct(generators=["x*y*z"]))


def test_no_pyplot() -> None:
    assert "matplotlib" not in loaded_after("from ddtheory import plots; dir(plots)")
    drawn = "from ddtheory import plots, verify; plots.rate(verify.Curve('a', (1.0, 0.1), (1.0, 0.1)))"
    loaded = loaded_after(drawn)
    assert "matplotlib.figure" in loaded and "matplotlib.pyplot" not in loaded


class Run:
    steps = (0, 10, 20)
    columns = {  # noqa: RUF012
        "loss": (1.0, 0.5, 0.25),
        "a.sigma_min": (1.0, 0.0, 1e-6),
        "held-out a.sigma_min": (1.0, 1.0, 1.0),
        "a.activation_zeros": (0.0, 1.0, 0.0),
        "b.log_det_plus": (-1.0, float("nan"), -3.0),
    }
    events = {"transition": 10}  # noqa: RUF012


def test_a_trajectory_has_a_panel_a_reading_and_counts_what_it_cannot_draw() -> None:
    figure = plots.trajectory(Run())
    measured, sigma, volume = figure.axes
    assert [axes.get_ylabel() for axes in figure.axes] == ["measured", "sigma_min", "log_det_plus"]
    assert [axes.get_yscale() for axes in figure.axes] == ["linear", "log", "linear"]
    legends = [[text.get_text() for text in axes.get_legend().get_texts()] for axes in figure.axes]
    assert legends == [["loss"], ["a (1 not drawn)", "held-out a"], ["b (1 not drawn)"]]
    assert [text.get_text() for text in measured.texts] == ["transition"]
    assert list(sigma.lines[0].get_xdata()) == [0, 20] and list(volume.lines[0].get_ydata()) == [-1, -3]


def test_a_trajectory_that_is_none_is_refused() -> None:
    class Short(Run):
        columns = {"loss": (1.0,)}  # noqa: RUF012

    for run, says in ((Short(), "as many numbers"), (3, "nothing to draw")):
        with pytest.raises(InvalidValueError, match=says):
            plots.trajectory(run)
