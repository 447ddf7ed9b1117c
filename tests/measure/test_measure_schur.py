"""The basis-free reading against hand-computed Schur complements and dense linear algebra."""

import math

import pytest
import torch
from dense_twins import gaussian_fisher, moved

from ddtheory.errors import DirectionError, InvalidValueError
from ddtheory.measure import Gaussian, Problem, SchurProfile, fisher_along, order, schur_along, schur_order
from ddtheory.values import ReadingStatus

ZERO = torch.zeros((), dtype=torch.float64)
ONE = torch.ones(1, 1, dtype=torch.float64)
T = {"t": torch.ones(())}
W = {"w": torch.ones(())}


def mean_map(function, names):
    return Problem(
        lambda p, x: function(*(p[name] for name in names)).reshape(1, -1) * x,
        dict.fromkeys(names, ZERO),
        ONE,
        Gaussian(),
    )


def aligned(m):
    return mean_map(lambda t, w: torch.stack([t**2 + w, t**m]), ("t", "w"))


def selection_rule(k=2):
    """Scores with live Gram g = [[2, .3], [.3, 1]], coupling e = (.5, .7) and dead size A = 1, hand-made."""
    g = torch.tensor([[2.0, 0.3], [0.3, 1.0]], dtype=torch.float64)
    e = torch.tensor([0.5, 0.7], dtype=torch.float64)
    full = torch.zeros(3, 3, dtype=torch.float64)
    full[0, 0], full[0, 1:], full[1:, 0], full[1:, 1:] = 1.0, e, e, g
    factor = torch.linalg.cholesky(full).mT  # columns have the wanted inner products
    return mean_map(lambda t, x, y: factor @ torch.stack([t**k, x, y]), ("t", "x", "y")), g, e


EXPECTED = 1 - (0.25 * 1 - 2 * 0.5 * 0.7 * 0.3 + 0.49 * 2) / (2 * 1 - 0.09)  # A − eᵀg⁻¹e by Cramer's rule


def test_the_hand_computed_limit():
    assert pytest.approx(0.465969, abs=5e-7) == EXPECTED
    problem, _, _ = selection_rule()
    for live in ([{"x": torch.ones(())}, {"y": torch.ones(())}], "complement"):
        profile = schur_along(problem, T, live=live)
        for t, s in zip(profile.radii, profile.schur, strict=True):
            assert s / (4 * t * t) == pytest.approx(EXPECTED, rel=1e-12, abs=0)
        assert profile.smallest_positive[-1] / (4 * profile.radii[-1] ** 2) == pytest.approx(EXPECTED, rel=1e-5)
        assert profile.fisher == pytest.approx([4 * t * t for t in profile.radii], rel=1e-13, abs=0)
        assert set(profile.dropped) == {0} and profile.live == 2
        reading = schur_order(profile)
        assert reading.k == 2 and set(reading.readings) == {"slope", "coefficient"}
    alone = schur_along(problem, T, live=[{"x": torch.ones(())}])  # control: one live direction left out
    assert alone.schur[-1] / (4 * alone.radii[-1] ** 2) == pytest.approx(1 - 0.25 / 2, rel=1e-12, abs=0)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_order_of_the_schur_complement(k):
    problem, _, _ = selection_rule(k)
    assert schur_order(schur_along(problem, T)).k == k


@pytest.mark.parametrize("m", [3, 4])
def test_aligned_tangents_have_a_larger_rate_than_their_axis(m):
    problem = aligned(m)
    profile = schur_along(problem, T, live=[W])
    for t, s in zip(profile.radii, profile.schur, strict=True):
        # F_uu = 4t² + m²t^{2m−2}, F_uL = 2t, F_LL = 1
        assert s == pytest.approx(m * m * t ** (2 * m - 2), rel=1e-9, abs=0)
    assert schur_order(profile).k == m
    assert order(fisher_along(problem, T)).k == 2


def test_forming_the_gram_matrix_and_subtracting_would_lose_it():
    t = 0.003
    expected = 16 * t**6
    mine = schur_along(aligned(4), T, live=[W], radii=[t]).schur[0]
    subtracted = (4 * t * t + expected) - (2 * t) ** 2
    assert abs(mine / expected - 1) < 1e-10 < abs(subtracted / expected - 1)


def test_nothing_left_of_an_absorbed_direction():
    problem = mean_map(lambda t, w: torch.stack([t**2 + w, 0 * t]), ("t", "w"))
    reading = schur_order(schur_along(problem, T, live=[W]))
    assert (reading.status, reading.k) == (ReadingStatus.FLAT, None)
    assert "span of the live scores" in reading.why
    assert schur_order(schur_along(aligned(3), T, live=[W])).k == 3  # control


def network():
    generator = torch.Generator().manual_seed(0)
    truth = {
        "a": torch.randn(3, 2, dtype=torch.float64, generator=generator),
        "b": torch.randn(2, 3, dtype=torch.float64, generator=generator),
    }
    inputs = torch.randn(40, 2, dtype=torch.float64, generator=generator)
    return Problem(lambda p, x: torch.tanh(x @ p["a"].T) @ p["b"].T, truth, inputs, Gaussian(0.5), batch_size=7)


def test_against_dense_linear_algebra():
    problem = network()
    generator = torch.Generator().manual_seed(1)
    u, one, two = (problem.flat(torch.randn(12, dtype=torch.float64, generator=generator)) for _ in range(3))
    f = gaussian_fisher(problem, moved(problem, u, 0.25), problem.inputs, 0.5)
    live = torch.stack([one, two])
    expected = u @ f @ u - (u @ f @ live.T) @ torch.linalg.solve(live @ f @ live.T, live @ f @ u)
    assert schur_along(problem, u, [one, two], [0.25]).schur[0] == pytest.approx(float(expected), rel=1e-10, abs=0)
    profile = schur_along(problem, u, "complement", [0.25])
    assert profile.schur[0] == pytest.approx(1 / float(u @ torch.linalg.inv(f) @ u), rel=1e-9, abs=0)
    assert profile.smallest_positive[0] == pytest.approx(float(torch.linalg.eigvalsh(f)[0]), rel=1e-9, abs=0)
    assert profile.fisher[0] == pytest.approx(float(u @ f @ u), rel=1e-12, abs=0)


def test_only_the_span_of_the_live_directions_matters():
    problem = network()
    generator = torch.Generator().manual_seed(2)
    u, one, two = (problem.flat(torch.randn(12, dtype=torch.float64, generator=generator)) for _ in range(3))
    mixed = schur_along(problem, u, [one + 3 * two, two - one / 2], [0.1])
    plain = schur_along(problem, u, [one, two], [0.1])
    assert mixed.schur == pytest.approx(plain.schur, rel=1e-9, abs=0)
    assert mixed.smallest_positive == pytest.approx(plain.smallest_positive, rel=1e-8, abs=0)
    tilted = schur_along(problem, u, [one, two + u], [0.1])  # control: another span
    assert tilted.schur[0] != pytest.approx(plain.schur[0], rel=1e-3, abs=0)


def test_gauge_directions_are_dropped_and_counted():
    # f = a·b·x at (1, 1): the direction (1, −1) is in the kernel of F wherever a = b
    problem = Problem(
        lambda p, x: torch.cat([p["a"] * p["b"] * x, p["t"] ** 2 * x**2], dim=-1),
        {"a": ZERO + 1, "b": ZERO + 1, "t": ZERO},
        torch.randn(30, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(3)),
        Gaussian(),
    )
    profile = schur_along(problem, T)
    assert set(profile.dropped) == {1} and profile.live == 2
    assert schur_order(profile).k == 2
    assert profile.smallest_positive[0] > 1e-3  # the kernel is not read as an eigenvalue
    fine = schur_along(problem, T, live=[{"a": torch.ones(())}])
    assert set(fine.dropped) == {0}
    assert fine.schur == pytest.approx(profile.schur, rel=1e-9, abs=0)


def test_fewer_samples_than_directions():
    problem = Problem(
        lambda p, x: x @ p["w"],
        {"w": torch.ones(5, 1, dtype=torch.float64)},
        torch.eye(5, dtype=torch.float64)[:2],
        Gaussian(),
    )
    profile = schur_along(problem, torch.eye(5)[0], "complement", [0.1])
    assert profile.dropped == (3,)
    assert profile.schur[0] == pytest.approx(0.5)  # E x₁² with two samples, one of which is e₁


def test_a_kernel_that_changes_with_the_radius_is_refused():
    radii = (0.4, 0.2, 0.1)
    profile = SchurProfile(radii, (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (0, 0, 1), 2, 0.0)
    reading = schur_order(profile)
    assert reading.k is None and "between 0 and 1 of 2" in reading.why


def test_refusals():
    problem = network()
    u = torch.zeros(12)
    u[0] = 1.0
    with pytest.raises(DirectionError, match="linearly dependent"):
        schur_along(problem, u, [u])
    with pytest.raises(DirectionError, match="linearly dependent"):
        schur_along(problem, u, [u.roll(1), u.roll(1) + 1e-12 * u.roll(2)])
    with pytest.raises(DirectionError, match="zero everywhere"):
        schur_along(problem, u, [0 * u])
    large = Problem(lambda p, x: x * p["w"].sum(), {"w": torch.ones(600, dtype=torch.float64)}, ONE, Gaussian())
    with pytest.raises(InvalidValueError, match="at most 512"):
        schur_along(large, torch.ones(600))
    with pytest.raises(InvalidValueError):
        SchurProfile((0.1,), (1.0,), (1.0,), (1.0,), (0, 1), 2, 0.0)


def test_relu_network_dead_unit_among_all_others():
    # A dead tanh unit: along (w_in, w_out) the score is t φ'(0) v·x + …, free of the other units' span.
    generator = torch.Generator().manual_seed(4)
    a = torch.randn(2, 2, dtype=torch.float64, generator=generator)
    b = torch.randn(2, dtype=torch.float64, generator=generator)
    a[1], b[1] = 0.0, 0.0
    inputs = torch.randn(200, 2, dtype=torch.float64, generator=generator)
    problem = Problem(lambda p, x: (torch.tanh(x @ p["a"].T) @ p["b"])[:, None], {"a": a, "b": b}, inputs, Gaussian())
    direction = {"a": torch.tensor([[0.0, 0.0], [1.0, 1.0]]), "b": torch.tensor([0.0, 1.0])}
    alive = [
        {"a": torch.tensor([[1.0, 0.0], [0.0, 0.0]])},
        {"a": torch.tensor([[0.0, 1.0], [0.0, 0.0]])},
        {"b": torch.tensor([1.0, 0.0])},
    ]
    profile = schur_along(problem, direction, alive)
    assert all(s <= f * (1 + 1e-12) for s, f in zip(profile.schur, profile.fisher, strict=True))
    assert schur_order(profile).k == order(fisher_along(problem, direction)).k == 2
    assert math.isfinite(profile.floor) and len(profile.local_slopes()) == len(profile.radii) - 1
