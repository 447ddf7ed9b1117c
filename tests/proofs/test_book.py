"""The book as it stands: verdicts on record, complete witnesses, and what each claim rests on."""

from __future__ import annotations

import pytest
from sabotage import BY_ID, GREEN, IDS, checks_of, experiments, verdict_on

from ddtheory.values import Citation, Verdict
from ddtheory.verify import Comparison, RunResult, page, transitive_assumptions
from ddtheory.verify.claim import Outcome

VOLUME = "Watanabe 2009, Theorem 7.1"

EVIDENCE = "Watanabe 2009, Sections 6.2 and 6.3"
LINE = "thm:nu_universality"
PRODUCTS = "Aoyagi 2024, Definition 3 and Theorem 2"
SPLITTING = "Arnold, Gusein-Zade and Varchenko 1985, Section 11.1"
SAMPLES = "Davidson and Szarek 2001, Theorem II.13"

RESTS_ON: dict[str, frozenset[str]] = {
    "anchor:A1": frozenset(),
    "anchor:A2": frozenset(),
    "anchor:A3": frozenset({"thm:fisher_decay"}),
    "thm:fisher_decay": frozenset(),
    "cor:fisher_structure": frozenset({"thm:fisher_decay"}),
    "cor:bridge_near_canonical": frozenset(),
    "thm:bridge": frozenset(),
    "cor:rect_product_sigma_min": frozenset(),
    **{
        name: frozenset({"thm:bridge"})
        for name in (
            "cor:a_g_duality",
            "thm:bridge_multi",
            "prop:bridge_linear_rot",
            "prop:bridge_nonlinear_rot_negative",
            "thm:bridge_bias",
            "thm:bridge_rect",
        )
    },
    **{
        name: frozenset({"thm:bridge", "thm:bridge_multi"})
        for name in ("cor:bridge_g2", "cor:bridge_g3", "cor:bridge_g7")
    },
    "dds:volume_identity": frozenset({"thm:bridge", "thm:bridge_multi", "cor:bridge_g2"}),
    "cor:rect_lambda_min": frozenset({"thm:bridge", "thm:bridge_rect"}),
    "cor:sigma-min": frozenset({"thm:bridge", SAMPLES}),
    "thm:multilayer-A": frozenset({"thm:bridge", "cor:sigma-min", SAMPLES}),
    "cor:kfac_lift": frozenset({"thm:bridge", "cor:sigma-min", "thm:multilayer-A", SAMPLES}),
    "thm:bridge_composition": frozenset({"thm:bridge"}),
    **{
        name: frozenset({"thm:bridge", "thm:bridge_composition"})
        for name in ("cor:composition_heterogeneous", "cor:composition_reduces", "cor:g10_composition")
    },
    "cor:composition_reduces_sub": frozenset({"thm:bridge", "thm:bridge_composition", "cor:composition_reduces"}),
    "cor:g10_via_composition": frozenset(
        {"thm:bridge", "thm:bridge_composition", "cor:composition_reduces", "cor:g10_composition"}
    ),
    "thm:selection_rule": frozenset({"thm:fisher_decay", "cor:fisher_structure", VOLUME}),
    "thm:bridge_attn": frozenset(),
    "thm:bridge_attn_backward": frozenset({"thm:bridge_attn"}),
    "prop:attn_chain_softmax": frozenset({"thm:bridge_attn", "thm:bridge_attn_backward"}),
    "prop:attn_VO_invariant": frozenset({"thm:bridge_attn"}),
    "prop:swiglu_rate": frozenset(),
    "thm:bridge_res": frozenset(),
    "cor:res_all": frozenset({"thm:bridge_res"}),
    "cor:res_ff": frozenset({"thm:bridge_res"}),
    "cor:res_block": frozenset({"thm:bridge_res"}),
    "cor:res_lambda_min": frozenset(
        {"thm:bridge_res", "thm:selection_rule", "thm:fisher_decay", "cor:fisher_structure", VOLUME}
    ),
    "cor:sigma-min-res": frozenset(),
    "cor:sigma-min-res-all": frozenset({"thm:bridge_res", "cor:res_all", "cor:sigma-min-res"}),
    "cor:sigma_min_res_g5": frozenset({"thm:bridge_res"}),
    "thm:bridge_ce": frozenset(),
    "cor:emp_vs_exp_ce": frozenset(),
    "prop:ln_kernel": frozenset(),
    "prop:rmsnorm_no_kernel": frozenset(),
    "thm:bridge_ln": frozenset(),
    "thm:ln_finite_t_mlp": frozenset(),
    "thm:multi_component_rates": frozenset(),
    "prop:volume_multi": frozenset(),
    "rem:intersections": frozenset({"thm:multi_component_rates"}),
    "prop:determinantal_resolution": frozenset({"thm:multi_component_rates", PRODUCTS}),
    "register:D1": frozenset(
        {"thm:multi_component_rates", "prop:volume_multi", "prop:determinantal_resolution", PRODUCTS}
    ),
    "MAIS:O63": frozenset(),
    "MAIS:O63:printed": frozenset(),
    "MAIS:O65": frozenset(),
    "MAIS:O67:uniform": frozenset({"Aoyagi and Watanabe 2005, Main Theorem"}),
    "MAIS:O68": frozenset(),
    "MAIS:O70": frozenset({PRODUCTS}),
    "problem:one_factor": frozenset(),
    "MAIS:O67": frozenset({SPLITTING}),
    "MAIS:O7": frozenset({"MAIS:O77b", SPLITTING, PRODUCTS}),
    "MAIS:O77b": frozenset({SPLITTING}),
    "prop:curvature_rate": frozenset(),
    "cor:volume": frozenset({"prop:curvature_rate"}),
    "register:D4": frozenset(),
    "prop:ddcadam_equivariance": frozenset(),
    "cor:ddcadam_quotient_rate": frozenset({"prop:ddcadam_equivariance"}),
    "cor:quotient_rate": frozenset({"thm:bridge"}),
    "cor:global-rate": frozenset({"thm:bridge", "cor:quotient_rate"}),
    "cor:sgd_quotient": frozenset(),
    "prop:task_expansion_gfactor": frozenset(),
    "read:any_basis": frozenset(),
    "read:joint_death": frozenset(),
    "read:kernel_depth": frozenset({"prop:ln_kernel"}),
    "read:optimizer_census": frozenset({"read:joint_death"}),
    "read:ray_and_orbit": frozenset(),
    "read:repaired_point": frozenset(),
    "read:two_sided": frozenset(),
    "sig:balanced_identity": frozenset(),
    "sig:decay_clock": frozenset(),
    "sig:rank_tracking": frozenset(),
    "sig:rank_null": frozenset(),
    "sig:flat_coefficient": frozenset(),
    "sig:numerical_recipe": frozenset(),
    "sig:parity_events": frozenset(),
    "sig:second_witness": frozenset(
        {"sig:rank_tracking", "dds:volume_identity", "thm:bridge", "thm:bridge_multi", "cor:bridge_g2"}
    ),
    "sig:volume_rates": frozenset({"dds:volume_identity", "thm:bridge", "thm:bridge_multi", "cor:bridge_g2"}),
    "sig:width_orders": frozenset({"sig:decay_clock"}),
    "cond:linear_group": frozenset(),
    "cond:unit_death": frozenset(),
    "cond:over_training": frozenset({"prop:ddcadam_equivariance"}),
    "cond:quotient_places": frozenset({"cor:quotient_rate", "thm:bridge"}),
    "cond:dead_units": frozenset({"prop:ddcadam_equivariance"}),
    "cond:rescaling_chains": frozenset({"prop:ddcadam_equivariance"}),
    "thm:nu_universality": frozenset({EVIDENCE}),
    "cor:second_moment": frozenset({EVIDENCE, LINE, "thm:tempering"}),
    **{
        name: frozenset({EVIDENCE, LINE})
        for name in (
            "prop:nu_even",
            "thm:tempering",
            "register:X1",
            "rem:prior_shift",
            "rem:nu_crossing",
            "rem:nu_live_block",
        )
    },
}
"""Everything a claim assumes, directly or through others. A new assumption changes the claim, so it goes here too."""


ONE_WAY: dict[str, dict[str, str]] = {
    "prop:bridge_nonlinear_rot_negative": {"generic": "only measured"},
    "sig:second_witness": {"re-run": "only measured"},
    "read:optimizer_census": {"decay": "only measured"},
    "cond:dead_units": {"same units": "only measured", "read": "only measured"},
}
"""Clauses that are only derived, or only measured."""


LARGEST, MEAN = 32_000, 15_000
"""Bytes of a claim on the page: of any, and on average. A hundred claims then take 1.5 MB."""


def test_the_table_is_that_of_the_book() -> None:
    forgotten = [f"{claim_id}: say in RESTS_ON what it assumes" for claim_id in IDS if claim_id not in RESTS_ON]
    gone = [f"{claim_id}: has a row in RESTS_ON, and no claim" for claim_id in RESTS_ON if claim_id not in IDS]
    assert not forgotten + gone, "\n".join(forgotten + gone)


@pytest.mark.parametrize("claim_id", IDS)
def test_what_a_claim_rests_on(claim_id: str) -> None:
    assert transitive_assumptions(claim_id) == RESTS_ON.get(claim_id)
    assert claim_id not in transitive_assumptions(claim_id)


@pytest.mark.long
@pytest.mark.parametrize("claim_id", IDS)
def test_the_verdict_on_record(claim_id: str) -> None:
    result = verdict_on(claim_id)
    assert result.ran, result.reason
    assert result.verdict is BY_ID[claim_id].claim.expected, result.reason


@pytest.mark.parametrize("claim_id", IDS)
def test_no_green_verdict_without_three_witnesses(claim_id: str) -> None:
    claim = BY_ID[claim_id].claim
    if claim.expected in GREEN:
        assert claim.derive and claim.measure and claim.control
    assert (claim.counterexample is not None) == (claim.expected is Verdict.NARROWER)


@pytest.mark.parametrize("claim_id", IDS)
def test_a_derivation_tells_its_formulas_from_their_rivals(claim_id: str) -> None:
    (derived,) = [witness.proof for witness in verdict_on(claim_id).witnesses if witness.proof is not None]
    for line in derived.equations:
        assert line.rivals or line.attained
        assert [rival.holds for rival in line.rivals] == [False] * len(line.rivals), line.text


@pytest.mark.long
@pytest.mark.parametrize("claim_id", IDS)
def test_every_clause_is_derived_or_measured_and_what_is_only_one_is_on_record(claim_id: str) -> None:
    found = {clause.name: clause.support for clause in verdict_on(claim_id).clauses}
    assert "unsupported" not in found.values()
    assert {name: way for name, way in found.items() if way != "derived, measured"} == ONE_WAY.get(claim_id, {})


@pytest.mark.long
@pytest.mark.parametrize("claim_id", IDS)
def test_every_clause_is_attacked_by_a_control(claim_id: str) -> None:
    assert {clause.name for clause in verdict_on(claim_id).clauses if clause.attacked is Outcome.MISSING} == set()


def page_of(*claim_ids: str) -> int:
    """Bytes of the page of these claims."""
    return len(page.render(RunResult(tuple(verdict_on(claim_id) for claim_id in claim_ids), 0.0, 1)).encode())


@pytest.mark.long
@pytest.mark.parametrize("claim_id", IDS)
def test_no_claim_is_too_long_for_the_page(claim_id: str) -> None:
    assert page_of(claim_id) - page_of() < LARGEST


@pytest.mark.slow
def test_the_page_of_the_book_stays_light() -> None:
    assert page_of(*IDS) < page_of() + MEAN * len(IDS)


@pytest.mark.parametrize("claim_id", IDS)
def test_the_claim_stands_first_and_its_witnesses_below(claim_id: str) -> None:
    text = BY_ID[claim_id].path.read_text(encoding="utf-8")
    assert text.index("CLAIM = Claim(") < text.index("def derive(")


@pytest.mark.parametrize("claim_id", IDS)
def test_every_comparison_names_and_excludes_a_rival_and_gives_a_reason(claim_id: str) -> None:
    for experiment in experiments(claim_id).values():
        for _, _, check in checks_of(experiment):
            assert check.reason
            if isinstance(check, Comparison):
                assert check.rivals, check.label
                assert not check.rivals_left, check.label
                assert float(check.predicted) not in map(float, check.rivals), check.label


@pytest.mark.parametrize("claim_id", IDS)
def test_a_control_contains_a_check_that_excludes_a_value_of_the_claim(claim_id: str) -> None:
    """An observation ("refused") may stand beside it, but not alone."""
    assert any(isinstance(check, Comparison) for _, _, check in checks_of(experiments(claim_id)["control"]))


@pytest.mark.parametrize("claim_id", IDS)
def test_statement_source_and_hypotheses_are_there(claim_id: str) -> None:
    claim = BY_ID[claim_id].claim
    assert claim.title and claim.hypotheses and any("$" in text for text in claim.clauses.values())
    assert isinstance(claim.source, Citation) and claim.source.label
    assert bool(claim.titled) == (claim.expected in (Verdict.NARROWER, Verdict.REFUTED))
    assert bool(claim.holds) == (claim.expected is Verdict.NARROWER)


@pytest.mark.parametrize("claim_id", IDS[:1])
def test_the_tests_of_a_claim_share_a_worker(claim_id: str, request: pytest.FixtureRequest) -> None:
    mark = request.node.get_closest_marker("xdist_group")
    assert mark is not None and mark.args == (claim_id,)
