"""The test beds: each trains to its transition, what is kept is what training gives, its limit is derived."""

from __future__ import annotations

import functools
import inspect
import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy
import pytest
import torch

import ddtheory as dd
from ddtheory import cells, measure, testbeds
from ddtheory.errors import InvalidValueError, UnknownNameError
from ddtheory.testbeds import TESTBEDS, Bed, digits, keep, kept

ROOM = Path(testbeds.__file__).parent
TRAINED = [name for name in TESTBEDS if name != "reduced_rank"]
LONG = "vision_transformer"  # half a minute on one core; it is read here, and trained with the slow tests
QUICK = [pytest.param(name, marks=pytest.mark.slow) if name == LONG else name for name in TESTBEDS]


@functools.cache
def trained_now(name: str) -> tuple[tuple[testbeds.Checkpoint, ...], dict[int, dict[str, torch.Tensor]]]:
    """The checkpoints of a run, and the parameters at two late steps."""
    late: dict[int, dict[str, torch.Tensor]] = {}

    def watch(step: int, module: torch.nn.Module, **_: float) -> None:
        if step in (5000, 6000):
            late[step] = {key: value.detach().clone() for key, value in module.named_parameters()}

    return TESTBEDS[name]().train(watch=watch), late


def test_the_table_the_files_and_the_face_are_one() -> None:
    machinery = {"__init__", "attention", "bed", "checkpoint", "digits", "keep", "kept", "limit", "progress", "table"}
    assert {path.stem for path in ROOM.glob("*.py")} - machinery == set(TESTBEDS)
    assert set(TESTBEDS) <= set(testbeds.__all__)
    assert {path.stem for path in kept.FOLDER.glob("*.safetensors")} == set(TESTBEDS)
    assert sum(path.stat().st_size for path in kept.FOLDER.iterdir()) < 400_000
    for make in TESTBEDS.values():
        assert next(iter(inspect.signature(make).parameters)) == "seed"


@pytest.mark.parametrize("name", QUICK)
def test_what_is_kept_is_what_training_gives(name: str) -> None:
    """Within one percent: sums round differently on other machines, and a run carries that along."""
    bed = TESTBEDS[name]()
    stored, before = kept.read(name, bed.settings), torch.get_rng_state()
    trained, _ = trained_now(name)
    assert torch.equal(before, torch.get_rng_state())
    assert stored is not None and len(stored) == len(trained) == (1 if bed.transition is None else 2)
    assert [c.step for c in stored] == [c.step for c in trained]
    for one, other in zip(stored, trained, strict=True):
        assert one.measured.keys() == other.measured.keys()
        for what, value in one.measured.items():
            assert other.measured[what] == pytest.approx(value, rel=0.01, abs=1e-6), what


@pytest.mark.parametrize("name", TESTBEDS)
def test_a_run_is_a_function_of_its_seed(name: str) -> None:
    short: dict[str, int] = {} if name == "reduced_rank" else {"steps": 20}
    one, again, other = (TESTBEDS[name](seed, **short).train()[-1].parameters for seed in (0, 0, 1))
    assert all(torch.equal(again[key], value) for key, value in one.items())
    assert any(not torch.allclose(other[key], value, rtol=0.01) for key, value in one.items())


@pytest.mark.parametrize("name", TRAINED)
def test_the_transition_is_reached_and_was_not_there_before(name: str) -> None:
    bed = TESTBEDS[name]()
    assert bed.transition is not None and bed.transition_step is not None
    assert 0 < bed.transition_step < bed.steps
    assert bed.transition.reached(bed.checkpoints[-1].measured)
    assert not bed.transition.reached(bed.measured(bed.module()))


LONGER = {"modular_transformer": {"steps": 1500}}
"""Settings for other seeds, where those of seed 0 are too short."""


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_other_seeds_reach_it_too(name: str) -> None:
    """Not every one: of seeds 1 to 3 two students stay alive longer, and one bed of features has four corners."""
    beds = [TESTBEDS[name](seed, **LONGER.get(name, {})) for seed in range(1, 4)]
    for bed in beds:
        assert bed.transition is not None
        assert bed.transition.reached(bed.checkpoints[-1].measured) == (bed.transition_step is not None)
    assert any(bed.transition_step is not None for bed in beds)


def test_a_damaged_file_is_refused_and_other_settings_are_not_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = testbeds.superposition().settings
    path = tmp_path / "superposition.safetensors"
    content = (kept.FOLDER / path.name).read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    (tmp_path / "digests.toml").write_text(kept.DIGESTS.read_text())
    monkeypatch.setattr(kept, "FOLDER", tmp_path)
    with pytest.raises(InvalidValueError, match="damaged"):
        kept.read("superposition", settings)
    path.write_bytes(content)
    assert kept.read("superposition", settings) is not None
    assert kept.read("superposition", testbeds.superposition(1).settings) is None
    assert kept.read("superposition", testbeds.superposition(steps=30).settings) is None


# --- reduced rank -----------------------------------------------------------------------------------------------------


def product(bed: Bed) -> numpy.ndarray:
    weights = bed.checkpoints[-1].parameters
    return (weights["1.weight"] @ weights["0.weight"]).numpy()


@pytest.mark.parametrize("hidden", [2, 3, 5])
def test_reduced_rank_is_the_maximum_likelihood_with_balanced_factors(hidden: int) -> None:
    bed = testbeds.reduced_rank(3, hidden=hidden, samples=60)
    x, y = bed.inputs.numpy(), bed.targets.numpy()
    assert numpy.allclose(x.T @ x / 60, numpy.eye(10), atol=1e-12)
    # second algorithm: alternating least squares, which never sees a singular value
    right = numpy.random.default_rng(0).normal(size=(hidden, 10))
    for _ in range(3000):
        left = numpy.linalg.lstsq(x @ right.T, y, rcond=None)[0].T
        right = numpy.linalg.lstsq(left, numpy.linalg.lstsq(x, y, rcond=None)[0].T, rcond=None)[0]
    loss = ((x @ (left @ right).T - y) ** 2).sum(1).mean()
    assert bed.checkpoints[-1].measured["loss"] == pytest.approx(loss, rel=1e-8)
    first, second = (bed.checkpoints[-1].parameters[f"{i}.weight"] for i in (0, 1))
    assert torch.allclose(first @ first.mT, second.mT @ second, atol=1e-12)
    # control: another map of that rank is worse
    assert ((x @ (1.01 * product(bed)).T - y) ** 2).sum(1).mean() > loss * (1 + 1e-6)


def test_reduced_rank_knows_the_pair_of_its_cell() -> None:
    bed = testbeds.reduced_rank(hidden=4, rank=2)
    # M = 10, N = 5, H = 4, r = 2: M + r > N + H, so λ = (HN + Mr − Hr)/2 (Aoyagi and Watanabe 2005, case 3)
    assert bed.truth.rlct == dd.RLCT((4 * 5 + 10 * 2 - 4 * 2) // 2)
    assert (bed.truth.live, bed.truth.dead, bed.truth.order) == (2, 2, 2)
    full = testbeds.reduced_rank(hidden=2, rank=2).truth
    assert (full.dead, full.order) == (0, None) and full.rlct != bed.truth.rlct


def test_the_spare_factors_go_to_zero_with_the_samples() -> None:
    sizes = []
    for samples in (100, 10_000):
        values = numpy.linalg.svd(product(testbeds.reduced_rank(hidden=3, rank=2, samples=samples)))[1]
        assert values[1] > 0.8
        sizes.append(values[2])
    assert 5 < sizes[0] / sizes[1] < 20  # √100 = 10


# --- deep linear ------------------------------------------------------------------------------------------------------


def balanced(weights: dict[str, torch.Tensor], rank: int) -> dict[str, torch.Tensor]:
    """Each layer as a rotation of the r directions that the one before it gives, all their singular values 1."""
    found, frame = {}, torch.linalg.svd(weights["0.weight"])[2][:rank].mT
    for name, weight in weights.items():
        left, _, right = torch.linalg.svd(weight @ frame, full_matrices=False)
        found[name] = left @ right @ frame.mT
        frame = left @ right
    return found


def test_a_trained_deep_linear_network_is_at_the_point_of_its_cell() -> None:
    """Factors of rank r with a product of rank r are one orbit; that they are such is measured, and λ is by hand."""
    bed = testbeds.deep_linear()
    weights = balanced(dict(bed.checkpoints[-1].parameters), 2)
    first, second, third = weights.values()
    for product in (first, second, third, second @ first, third @ second, third @ second @ first):
        assert int(numpy.linalg.matrix_rank(product.numpy(), tol=0.1)) == 2
    problem = bed.problem()
    limit = replace(problem, truth=problem.at(weights))
    difference = limit.truth_outputs(bed.inputs) - bed.targets
    assert float(difference.abs().max()) < 0.02 < 2 < float(bed.targets.abs().max())
    # Aoyagi 2024 on the excess widths 4, 2, 2, 3: of 2, 2, 3 with ℓ = 2 and sum 7, so M = 4 and a = 7 − 3·2 = 1;
    # λ = 2(6 + 5 − 2)/2 + a(ℓ − a)/(4ℓ) − ℓ(ℓ − 1)/4·(7/2)² + (2·2 + 2·3 + 2·3)/2, m = a(ℓ − a) + 1
    assert bed.truth.rlct == dd.RLCT(9 + Fraction(1, 8) - Fraction(49, 8) + 8, 2)
    # the regular part, 9, is half the rank of the Jacobian there
    assert int(numpy.linalg.matrix_rank(measure.fisher_matrix(limit).numpy(), tol=1e-6)) == 18
    assert (bed.truth.live, bed.truth.dead) == (4, 4)


def test_a_dead_singular_value_of_a_deep_linear_network_has_the_order_of_its_depth() -> None:
    bed = testbeds.deep_linear()
    limit = bed.problem()
    weights = balanced(dict(bed.checkpoints[-1].parameters), 2)
    first, second, third = weights.values()
    limit = replace(limit, truth=limit.at(weights))
    # an input, a direction of each hidden layer and an output that the network does not use
    into, hidden, next_hidden = (torch.linalg.svd(weight)[2][-1] for weight in (first, second, third))
    out = torch.linalg.svd(third)[0][:, -1]
    joint = {
        "0.weight": torch.outer(hidden, into),
        "1.weight": torch.outer(next_hidden, hidden),
        "2.weight": torch.outer(out, next_hidden),
    }
    assert measure.order(measure.fisher_along(limit, joint)).k == bed.truth.order == 3
    # controls: one layer of it alone changes nothing, and along a living value the order is 1
    assert measure.order(measure.fisher_along(limit, {"1.weight": joint["1.weight"]})).k is None
    living = {"0.weight": first}
    assert measure.order(measure.fisher_along(limit, living)).k == 1


def test_deep_linear_knows_the_pair_of_other_sizes() -> None:
    # two layers of true rank 1, (5, 3, 4): the first case of Aoyagi and Watanabe 2005, the sum of sizes 13 odd
    assert testbeds.deep_linear(widths=(5, 3, 4), rank=1, steps=1).truth.rlct == dd.RLCT(
        (2 * 4 * 9 - 1 - 16 + 1) // 8, 2
    )
    assert testbeds.deep_linear(widths=(3, 3, 3), rank=3, steps=1).truth.rlct == dd.RLCT(Fraction(9, 2))


def test_spare_singular_values_fall_by_the_decay_alone() -> None:
    """η δ/(1 − μ) a step for each layer, to first order."""
    first, last = testbeds.deep_linear().checkpoints
    fall = math.log(first.measured["largest of the others"] / last.measured["largest of the others"])
    assert fall / (last.step - first.step) == pytest.approx(0.02 * 0.02 / 0.1, rel=0.1)


# --- the others -------------------------------------------------------------------------------------------------------


def at_the_limit(bed: Bed) -> measure.Problem:
    """The student at the model that it tends to: two units are the teachers, the others are zero."""
    weights = {name: value.clone() for name, value in bed.checkpoints[-1].parameters.items()}
    sizes = weights["0.weight"].square().sum(1) * weights["2.weight"][0]
    dead = sizes < 1e-3
    weights["0.weight"][dead], weights["2.weight"][:, dead] = 0, 0
    problem = bed.problem()
    return replace(problem, truth=problem.at(weights))


def test_teacher_student_dies_as_the_limit_says() -> None:
    bed = testbeds.teacher_student()
    limit = at_the_limit(bed)
    assert int((limit.truth["2.weight"] == 0).sum()) == bed.truth.dead == 4
    # the lower bound is half the rank of the Jacobian there, counted by another algorithm
    rank = int(numpy.linalg.matrix_rank(measure.fisher_matrix(limit).numpy(), tol=1e-9))
    assert bed.truth.bracket is not None and rank == 2 * bed.truth.bracket[0] == 16
    # the order of the joint direction, measured without knowing it
    unit = int((limit.truth["2.weight"][0] == 0).nonzero()[0])
    direction = {name: torch.zeros_like(value) for name, value in limit.truth.items()}
    direction["0.weight"][unit, 0], direction["2.weight"][0, unit] = 1, 1
    assert measure.order(measure.fisher_along(limit, direction)).k == bed.truth.order == 3
    # control: one layer of it is flat, and a live unit has order 1
    live = int((limit.truth["2.weight"][0] != 0).nonzero()[0])
    alive = {"2.weight": torch.eye(6, dtype=torch.float64)[live][None]}
    assert measure.order(measure.fisher_along(limit, alive)).k == 1


def test_teacher_student_units_fall_by_the_decay_alone() -> None:
    """a‖w‖² ∝ (1 − ηw)^{3t}: with momentum μ the slow root of z² − (1 + μ − rw)z + μ takes the place of 1 − ηw."""
    _, late = trained_now("teacher_student")
    sizes = [
        (weights["0.weight"].square().sum(1) * weights["2.weight"][0].abs()).sort().values for weights in late.values()
    ]
    momentum, rate, decay = 0.9, 0.02, 3e-3
    half = (1 + momentum - rate * decay) / 2
    root = half + math.sqrt(half**2 - momentum)
    measured = (sizes[1][:4] / sizes[0][:4]).log() / 1000
    assert torch.allclose(measured, torch.tensor(3 * math.log(root), dtype=torch.float64), rtol=0.1)
    assert not torch.allclose(measured, torch.tensor(2 * math.log(root), dtype=torch.float64), rtol=0.2)


def test_nothing_dies_in_superposition() -> None:
    bed = testbeds.superposition()
    weight = bed.checkpoints[-1].parameters["weight"]
    assert numpy.linalg.svd(weight.numpy())[1][-1] > 1 and bed.truth.dead == 0
    angles = sorted(math.atan2(y, x) for x, y in weight.mT[weight.norm(dim=0) > 1].tolist())
    gaps = [(b - a) % (2 * math.pi) for a, b in zip(angles, angles[1:] + angles[:1], strict=True)]
    assert len(gaps) == 5 and gaps == pytest.approx([2 * math.pi / 5] * 5, abs=0.05)


def test_the_orders_of_dead_units_are_those_of_their_cells() -> None:
    orders = {name: make().truth.order for name, make in TESTBEDS.items()}
    assert orders == {
        "deep_linear": 3,  # a layer each
        "reduced_rank": 2,  # one more than the activation's order, by hand: linear 1, squares 2, ReLU 1
        "teacher_student": 3,
        "modular_addition": 3,
        "sparse_parity": 2,
        "superposition": None,
        "modular_transformer": 2,
        "vision_transformer": 3,
    }
    assert testbeds.vision_transformer(activation="gelu").truth.order == 2
    assert testbeds.modular_addition().truth.rlct is None and testbeds.modular_addition().truth.bracket is None


# --- the transformers -------------------------------------------------------------------------------------------------


def test_every_hidden_unit_of_the_vision_transformer_dies_and_reads_order_three() -> None:
    """The joint direction of a unit at zero, weights in and out, measured without the cell that predicts it."""
    bed = testbeds.vision_transformer()
    last = bed.checkpoints[-1]
    assert last.measured["dead units"] == bed.truth.dead == 12 and last.measured["held-out accuracy"] > 0.6
    weights = {name: value.clone() for name, value in last.parameters.items()}
    for name, value in weights.items():
        if ".up." in name or name.endswith("down.weight"):
            value.zero_()
    problem = bed.problem()
    repaired = replace(problem, truth=problem.at(weights))
    here, there = (each.truth_outputs(bed.inputs).softmax(-1) for each in (problem, repaired))
    assert float((here - there).abs().max()) < 1e-3
    direction = {name: torch.zeros_like(value) for name, value in repaired.truth.items()}
    direction["blocks.1.up.weight"][2], direction["blocks.1.down.weight"][:, 2] = 1, torch.arange(16.0) / 16
    assert measure.order_along(repaired, direction).k == bed.truth.order == 3
    # control: the weights out of it alone are flat, and those of the head are not
    alone = {"blocks.1.down.weight": direction["blocks.1.down.weight"]}
    assert measure.order_along(repaired, alone).k is None
    assert measure.order_along(repaired, {"head.weight": torch.eye(10, 16, dtype=torch.float64)}).k == 1


@pytest.mark.slow
def test_without_decay_no_unit_of_the_vision_transformer_dies() -> None:
    last = testbeds.vision_transformer(decay=0.0, steps=1200).checkpoints[-1]
    assert last.measured["dead units"] == 0


def test_the_transformer_fits_before_it_generalises() -> None:
    first: dict[str, int] = {}

    def watch(step: int, _: torch.nn.Module, **measured: float) -> None:
        for name in ("accuracy", "held-out accuracy"):
            if measured[name] > 0.95:
                first.setdefault(name, step)

    testbeds.modular_transformer(steps=400).train(watch=watch)
    assert first["accuracy"] + 100 <= first["held-out accuracy"] <= 400


def test_a_cross_entropy_has_the_labels_of_the_model() -> None:
    bed = testbeds.modular_transformer()
    assert bed.labels() is None and bed.held_out_labels()[1] is None
    assert testbeds.teacher_student().labels() is not None
    problem = bed.problem()
    assert isinstance(problem.head, measure.Categorical)
    found = measure.signatures(problem, ["up", "unembed"])
    # the gradient of logits is p − y, whose entries add to zero: one zero eigenvalue, whatever the network
    assert found["unembed"].gradient_spectrum.zeros >= 1


def test_digits_are_those_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x, classes = digits.digits()
    assert x.shape == (512, 4, 16) and float(x.min()) == 0 and float(x.max()) == 1
    assert sorted(set(classes.tolist())) == list(range(10))
    # patches: the first is the upper left quarter, which is dark in its first column for all but a few images
    assert float((x[:, 0, 0] == 0).double().mean()) > 0.9 > float((x[:, 0, 15] == 0).double().mean())
    content = digits.FILE.read_bytes()
    path = tmp_path / "digits.safetensors"
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    monkeypatch.setattr(digits, "FILE", path)
    with pytest.raises(InvalidValueError, match="damaged"):
        digits.digits()


def test_a_recorder_follows_a_bed() -> None:
    bed = testbeds.teacher_student(steps=40)
    record = measure.SignatureRecorder(bed.problem(), ["0", "2"], labels=bed.labels(), held_out=bed.held_out_labels())
    bed.train(watch=record)
    found = record.trajectory
    assert found.steps == (0, 20, 40) and found["residual"][-1] == pytest.approx(2 * found["loss"][-1], rel=1e-9)
    assert found["held-out residual"][-1] == pytest.approx(2 * found["held-out loss"][-1], rel=1e-9)
    assert found["residual"][0] > found["residual"][-1] > 0


def test_a_dead_unit_is_below_its_null_and_a_live_one_is_not() -> None:
    bed = testbeds.teacher_student()
    outer = bed.checkpoints[-1].parameters["2.weight"][0].abs()
    unit = torch.eye(6, dtype=torch.float64)
    directions = {
        name: measure.LayerDirection("2", "activation", unit[int(chosen)])
        for name, chosen in (("dead", outer.argmin()), ("live", outer.argmax()))
    }
    found = measure.signatures(bed.problem(), ["2"], directions=directions).directions
    assert found["dead"].share_below == 0 and found["dead"].value < 1e-6 * found["dead"].null_median
    assert found["live"].share_below > 0.5


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: testbeds.teacher_student(-1), "seed"),
        (lambda: testbeds.teacher_student(2**63), "largest"),
        (lambda: testbeds.teacher_student(students=1), "students"),
        (lambda: testbeds.reduced_rank(hidden=7, rank=7), "no hidden rank"),
        (lambda: testbeds.reduced_rank(noise=0), "noise"),
        (lambda: testbeds.reduced_rank(samples=5), "samples"),
        (lambda: testbeds.deep_linear(widths=(3, 3)), "three widths"),
        (lambda: testbeds.deep_linear(widths=(3, 2, 3), rank=3), "widths"),
        (lambda: testbeds.deep_linear(rank=0), "rank"),
        (lambda: testbeds.superposition(features=4), "features"),
        (lambda: testbeds.modular_addition(modulus=4), "modulus"),
        (lambda: testbeds.modular_addition(decay=-1.0), "decay"),
        (lambda: testbeds.sparse_parity(sparse=0), "sparse"),
        (lambda: testbeds.sparse_parity(hidden=10**30), "the largest is 1000000"),
        (lambda: testbeds.sparse_parity(hidden=1_000_001), "the largest is 1000000"),
        (lambda: testbeds.reduced_rank(noise=10**400), "noise"),
        (lambda: testbeds.reduced_rank(noise=1e308), "noise"),
        (lambda: testbeds.reduced_rank(noise=1e-200), "noise"),
        (lambda: testbeds.modular_addition(decay=10**400), "decay"),
        (lambda: testbeds.modular_addition(decay=math.nan), "decay"),
        (lambda: testbeds.superposition().problem(3), "checkpoint"),
        (lambda: testbeds.modular_transformer(width=30), "multiple of 4"),
        (lambda: testbeds.modular_transformer(decay=-1), "decay"),
        (lambda: testbeds.vision_transformer(activation="tanh"), "gelu"),
        (lambda: testbeds.vision_transformer(activation=["gelu"]), "gelu"),  # type: ignore[arg-type]
        (lambda: testbeds.vision_transformer(hidden=0), "hidden"),
    ],
)
def test_what_makes_no_bed_is_refused(make, says: str) -> None:
    with pytest.raises(InvalidValueError, match=says):
        make()


def test_a_wrong_name_is_refused_before_a_checkpoint_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is written without its digest would be refused by whoever reads it."""
    monkeypatch.setattr(keep, "write", lambda *_: pytest.fail("it was trained and written"))
    with pytest.raises(UnknownNameError, match="reduced_rank"):
        keep.main(["reduced_rank", "reduced_rnak"])


def test_beds_are_problems_for_cells() -> None:
    """The bed of reduced rank tends to the torch face of its cell: as many parameters, and K of the same kind."""
    bed = testbeds.reduced_rank(hidden=3, rank=2)
    cell = cells.reduced_rank(inputs=10, hidden=3, outputs=5, rank=2)
    assert bed.problem().dimension == cell.problem().dimension == cell.dimension
