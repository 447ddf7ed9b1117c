"""What the exact side derives, the checker accepts; what is corrupted in it, the checker rejects.

The two share no code. The reference table judges both: an accepted pair is the tabulated one.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from derived import derived_again
from handwriting import Json
from handwritten import EXAMPLES
from hypothesis import given
from hypothesis import strategies as st
from mutations import harmless, mutate
from reference import ReferenceGerm, germs

import ddtheory as dd
from ddtheory.certify import check
from ddtheory.certify.rules.table import RULES
from ddtheory.errors import NotADivergenceError, NotAnalyticError
from ddtheory.exact.thresholds.derivation import Derivation
from ddtheory.exact.thresholds.nodes import CertificateError

TABLE = germs()
SOME = TABLE[::7]


def derived(germ: ReferenceGerm, seconds: float = 3) -> Derivation | None:
    limits: dict[str, Any] = {"prior": germ.prior, "at": germ.at, "nonnegative": germ.nonnegative, "seconds": seconds}
    try:
        if germ.divergence:
            return dd.rlct(germ.divergence, **limits)
        return dd.rlct(generators=germ.generators, **limits)
    except NotAnalyticError:
        return None


def certificate_of(derivation: Derivation | None) -> Any:
    """The certificate as it would be written, or None."""
    try:
        return None if derivation is None else json.loads(json.dumps(derivation.to_json()))
    except CertificateError:
        return None


def _agrees(germ: ReferenceGerm) -> bool | None:
    """None where there is no certificate; otherwise whether it is accepted, and exact only with the tabulated pair."""
    certificate = certificate_of(derived(germ))
    if certificate is None:
        return None
    report = check(certificate)
    assert report.accepted, str(report)
    return report.status == "bounds" or (report.lam, report.multiplicity) == (germ.lam, germ.m)


@pytest.mark.parametrize("germ", SOME, ids=str)
def test_derivations_of_reference_germs_are_accepted(germ: ReferenceGerm) -> None:
    assert _agrees(germ) is not False


@pytest.mark.slow
@pytest.mark.parametrize("germ", [germ for germ in TABLE if germ not in SOME], ids=str)
def test_derivations_of_all_reference_germs_are_accepted(germ: ReferenceGerm) -> None:
    assert _agrees(germ) is not False


@pytest.mark.long
def test_no_harmful_mutant_of_a_derivation_survives() -> None:
    certificates = {str(germ): certificate_of(derived(germ)) for germ in SOME}
    small = {name: c for name, c in certificates.items() if c is not None and len(json.dumps(c)) < 30_000}
    table: Counter[str] = Counter()
    harmful: list[tuple[str, str, str]] = []
    for name, certificate in small.items():
        rng = random.Random(name)
        for _ in range(40):
            mutant = mutate(certificate, rng, list(RULES), [rng.choice(list(small.values()))])
            why = harmless(certificate, mutant) or "HARM" if check(mutant.certificate).accepted else "rejected"
            table[why] += 1
            if why == "HARM":
                harmful.append((name, mutant.kind, mutant.path))
    print("\n", len(small), "certificates", dict(table))
    assert len(small) > 40 and harmful == []


# --- agreement on germs that nobody chose ----------------------------------------------------------------------------

coefficients = st.sampled_from([-2, -1, 1, 1, 2])
two = st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(any)
three = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 2)).filter(any)


def text(terms: dict[tuple[int, ...], int]) -> str:
    return " + ".join(
        f"({c})*" + "*".join(f"{v}^{e}" for v, e in zip("xyz", a, strict=False)) for a, c in terms.items()
    )


polynomials = st.one_of(
    st.dictionaries(two, coefficients, min_size=1, max_size=4),
    st.dictionaries(three, coefficients, min_size=1, max_size=3),
)
names = st.sampled_from(["x", "y", "z"])


@given(
    st.lists(polynomials, min_size=1, max_size=3),
    st.dictionaries(names, st.sampled_from(["-1/2", "1/2", "1", "2"]), max_size=2),
    st.sets(names, max_size=2),
)
def test_random_ideals(generators: list, prior: dict, nonnegative: set) -> None:
    used = {v for p in generators for a in p for v, e in zip("xyz", a, strict=False) if e}
    derivation = dd.rlct(
        generators=[text(p) for p in generators],
        prior={name: h for name, h in prior.items() if name in used},
        nonnegative=nonnegative & used,
        seconds=2,
    )
    certificate = certificate_of(derivation)
    if certificate is not None:
        report = check(certificate)
        assert report.accepted, str(report)
        assert (report.lam is None) == (derivation.rlct is None)


@given(st.lists(polynomials, min_size=1, max_size=3), st.booleans())
def test_random_divergences(roots: list, expanded: bool) -> None:
    """Σ f²: as written it is read as squares; expanded, it goes through the rules that need K ≥ 0."""
    import sympy

    written = " + ".join(f"({text(p)})^2" for p in roots)
    expression = sympy.expand(sympy.sympify(written.replace("^", "**"))) if expanded else written
    if expression == 0:
        return
    try:
        derivation = dd.rlct(expression, seconds=2)
    except NotADivergenceError:  # a sum of squares is none: the sign must not be misjudged
        raise AssertionError(f"{written} is ≥ 0") from None
    certificate = certificate_of(derivation)
    if certificate is not None:
        report = check(certificate)
        assert report.accepted, str(report)
        fact = ("K >= 0 near the point",)
        assert report.proven or derivation.hypotheses  # what one side proves, the other does by itself
        assert (report.proven, report.hypotheses) in ((fact, ()), ((), fact))
        assert report.proven or expanded  # squares as written are no hypothesis


def test_the_checker_says_what_the_hand_says() -> None:
    """The germs of the certificates written by hand, derived again: no two exact pairs differ."""
    compared = 0
    for example in EXAMPLES.values():
        given_input = example.certificate["input"]
        if example.lam not in (None, "0") and not given_input["germ"]["field"]:
            found = derived_again(given_input["germ"], given_input["kind"], given_input["at"], 5)
            if found.rlct is not None:
                compared += 1
                assert (found.rlct.lam, found.rlct.m) == example.pair, example.source
    assert compared > 30


def other_germ(certificate: Json, rng: random.Random) -> Json | None:
    """The same derivation for another germ, changed in the input and at the root alike; None where nothing changes."""
    found = json.loads(json.dumps(certificate))
    germ = found["derivation"]["germ"]
    if germ["field"] or not any(germ["generators"]) or set(found["input"]["at"]) != {"0"}:
        return None
    f = rng.choice([f for f in germ["generators"] if f])
    powers_and_coefficient, i = rng.choice(f), rng.randrange(len(germ["variables"]))
    match rng.choice(["power", "coefficient", "prior", "side", "generator", "fewer terms", "more terms"]):
        case "power":
            powers_and_coefficient[0][i] = max(0, powers_and_coefficient[0][i] + rng.choice([-1, 1, 2]))
        case "coefficient":
            powers_and_coefficient[1] = str(rng.choice([-1, 2, 3]) * Fraction(powers_and_coefficient[1]))
        case "prior":
            germ["prior"][i] = rng.choice(["1", "-1/2", "2", "0"])
        case "side":
            germ["nonnegative"][i] = not germ["nonnegative"][i]
        case "generator":
            germ["generators"].remove(f)
        case "fewer terms":
            f.remove(powers_and_coefficient)
        case _:
            f.append([[rng.randrange(4) for _ in germ["variables"]], "1"])
    found["input"]["germ"] = germ
    return None if germ == certificate["derivation"]["germ"] else found


@pytest.mark.long
def test_a_derivation_that_holds_for_another_germ_is_right_there_too() -> None:
    """Most are rejected. What is accepted (another constant, a weight that does not matter) has the pair that the exact
    side derives from nothing but the germ.
    """
    seen, compared = 0, 0
    for name, example in EXAMPLES.items():
        rng = random.Random(name)
        for _ in range(25):
            changed = other_germ(example.certificate, rng)
            if changed is None:
                continue
            seen += 1
            report = check(changed)
            if report.status == "exact":
                again = derived_again(changed["input"]["germ"], changed["input"]["kind"], changed["input"]["at"], 2)
                if again.rlct is not None:
                    compared += 1
                    assert (again.rlct.lam, again.rlct.m) == (report.lam, report.multiplicity), changed
    print(f"\n{seen} germs, {compared} accepted and derived again")
    assert seen > 500 and 20 < compared < seen / 4


def test_a_polyhedron_that_closes_is_preferred_to_a_change_that_cannot_be_written() -> None:
    """y := 3x² + 2y, then x along the branch of 2x − 3y³: units of thousands of terms. Nothing has to change.

    κ = 5/17: with x of weight 3 and y of weight 2 the first generator starts with x y (x² + y³)², of weight 3 + 2 + 12,
    the others are higher, and no zero of x² + y³ has an order above 2 < 17/5.
    """
    shared = "(2*x - 3*y^3)*(x^2 + y^3)^2"
    ideal = [f"{shared}*{other}" for other in ("(3*x^2 + 2*y)", "(x^2 - 3*y^3)^2", "(3*x - y^2)^2")]
    report = check(certificate_of(dd.rlct(generators=ideal)))
    assert report.accepted and (report.lam, report.multiplicity) == (Fraction(5, 34), 1)


@pytest.mark.parametrize("expression", ["(x - sqrt(2)*y)^2 + z^4", "(x - 2^(1/3)*y)^2 + x^2*z^4"])
def test_a_root_that_is_no_rational_number_stands_on_trust(expression: str) -> None:
    """x − cy is a coordinate: 1/2 + 1/4. The checker's series have rational coefficients, and it refused the whole."""
    found = dd.rlct(expression)
    report = check(found.to_json())
    assert report.accepted and (report.lam, report.multiplicity) == (Fraction(3, 4), 1)
    assert report.trusted and not found.reading_is_proven


def test_control_a_root_that_is_one_is_proven() -> None:
    found = dd.rlct("(x - sqrt(4)*y)^2 + z^4")
    assert found.reading_is_proven and not check(found.to_json()).trusted
