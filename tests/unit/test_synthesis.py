"""The evidence tables and the synthesis: which rows count, what comes out, and the rules of `both`, cap and ladder."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

import pytest

from tellapart.errors import KnowledgeError
from tellapart.knowledge import synthesis
from tellapart.knowledge.load import TABLES, read_tables
from tellapart.knowledge.synthesis import Count, Evidence, Rate, Term

pytest.importorskip("scipy")

BITS = ("sle_bits", "fm_bits", "both_bits")
CONDITION = {
    "sle": {"sle", "sle_without_fm"},
    "fm": {"fm"},
    "both": {"sle_with_fm"},
    "neither": {"neither_mimic", "healthy", "primary_care_suspected"},
}
# Ids that look alike and are other questions: a finding may only use the ids on its right.
NEVER_MERGED = {
    "ana_positive": {"ana_positive"},
    "low_c3_or_c4": {"low_c3_or_c4"},
    "low_complement": {"low_complement"},
    "leukopenia": {"leukopenia"},
    "photosensitivity": {"photosensitivity"},
    "alopecia_nonscarring": {"alopecia"},
    "hair_loss": {"hair_loss_selfreport"},
    "myositis": {"myositis"},
    "cognitive_symptoms": {"cognitive_symptoms"},
    "fever": {"fever"},
    "malar_rash": {"malar_rash"},
    "synovitis": {"arthritis_synovitis"},
    "ultrasound_synovitis": {"us_synovitis"},
    "proteinuria": {"proteinuria"},
    "widespread_pain": {"widespread_pain"},
    "peripheral_neuropathy": {"peripheral_neuropathy"},
}


@pytest.fixture(scope="module")
def tables() -> dict[str, tuple[dict[str, str], ...]]:
    return read_tables()[0]


@pytest.fixture(scope="module")
def weights(tables) -> dict[tuple[str, str], dict[str, str]]:
    return {(row["finding"], row["state"]): row for row in tables["weights"]}


def used(tables, of: Iterable[str] = CONDITION) -> list[tuple[dict[str, str], dict[str, str]]]:
    """Every choice with its row; `of`: the hypotheses, or the mimics."""
    rows = {row["evidence_id"]: row for row in tables["evidence"]}
    chosen = [c for c in tables["finding_evidence"] if c["role"] == "use" and c["hypothesis"] in of]
    return [(c, rows[c["evidence_id"]]) for c in chosen]


def mimics(tables) -> list[str]:
    return [row["mimic"] for row in tables["mimics"] if row["share"]]


def limit(tables, name: str) -> float:
    return float(next(row["value"] for row in tables["limits"] if row["limit"] == name))


# ---------------------------------------------------------------------------------------------- the tables


def test_evidence_counts_are_possible_and_ids_unique(tables) -> None:
    assert max(Counter(row["evidence_id"] for row in tables["evidence"]).values()) == 1
    for row in tables["evidence"]:
        assert 0 <= int(row["n"]) <= int(row["N"]), row["evidence_id"]
        assert row["counts"] in {"people", "effective"}
        assert row["verified"] in {"V", "M"}


def test_every_citation_is_a_reference(tables) -> None:
    known = {row["id"] for name in ("references",) for row in tables.get(name, ())}
    for name in ("evidence", "assumed_rates", "blocks", "priors", "weights", "limits", "mimics", "mimic_weights"):
        for row in tables[name]:
            assert row["citation"] and set(row["citation"].split(";")) <= known, (
                name,
                row,
            )


def test_a_row_is_used_once_and_under_its_own_condition(tables) -> None:
    choices = used(tables)
    assert max(Counter(row["evidence_id"] for _, row in choices).values()) == 1
    for choice, row in choices:
        assert row["condition"] in CONDITION[choice["hypothesis"]], choice
        assert choice["why"]


def test_one_row_per_cohort(tables) -> None:
    cohorts = Counter((c["finding"], c["hypothesis"], row["citation"]) for c, row in used(tables))
    assert [key for key, times in cohorts.items() if times > 1] == []
    # the databank and Euro-Lupus appear under several names
    for same in (
        {"katz_ndb_poster", "wolfe_2013", "wolfe_2009"},
        {"cervera_1993", "cervera_2003"},
    ):
        per = Counter((c["finding"], c["hypothesis"]) for c, row in used(tables) if row["citation"] in same)
        assert [key for key, times in per.items() if times > 1] == []


def test_rows_of_a_mimic_are_of_that_disease_one_per_cohort(tables) -> None:
    chosen = used(tables, mimics(tables))
    assert {c["hypothesis"] for c, _ in chosen} | {"hypothyroidism"} == set(mimics(tables))
    assert all(row["condition"] == c["hypothesis"] for c, row in chosen)
    assert max(Counter((c["finding"], c["hypothesis"], row["citation"]) for c, row in chosen).values()) == 1


def test_circular_childhood_and_visit_rows_are_not_used(tables) -> None:
    for choice, row in used(tables):
        assert row["citation"] != "aberle_2017", choice  # had to meet two criteria sets
        assert not row["finding_id"].startswith("child_"), choice
        assert not row["finding_id"].endswith("_now"), choice
        assert row["finding_id"] not in {
            "active_arthritis",
            "meets_fm_criteria",
            "develops_sle",
            "told_fm_before_sle",
        }
        if choice["hypothesis"] == "fm":
            assert row["finding_id"] not in {
                "widespread_pain",
                "tender_points_ge_11",
                "widespread_pain_and_tp11",
            }


def test_ids_that_look_alike_are_not_merged(tables) -> None:
    per: dict[str, set[str]] = {}
    for choice, row in used(tables):
        per.setdefault(choice["finding"], set()).add(row["finding_id"])
    assert {finding: ids for finding, ids in per.items() if len(ids) != 1} == {}
    for finding, ids in NEVER_MERGED.items():
        assert per[finding] == ids


def test_both_has_rows_only_from_cohorts_of_lupus_with_fm(tables) -> None:
    assert {c["finding"] for c, _ in used(tables) if c["hypothesis"] == "both"} == {"ibs_symptoms"}


def test_bits_of_a_mimic_by_hand(tables, weights) -> None:
    """Raynaud in systemic sclerosis, 898 of 919: (898 + 1/2) / 920 against the rate of `neither`, in bits."""
    rows = {(r["mimic"], r["finding"], r["state"]): r for r in tables["mimic_weights"]}
    raynaud = rows["systemic_sclerosis", "raynaud", "present"]
    neither = float(weights["raynaud", "present"]["neither_rate"])
    assert float(raynaud["bits"]) == pytest.approx(math.log2(898.5 / 920 / neither), abs=1e-5)
    assert raynaud["share"] == weights["raynaud", "present"]["share"] and raynaud["citation"] == "eustar_919"
    # once the ANA is positive a titre says no more of a mimic, and that is marked as assumed
    for rung in ("ana_ge_80", "ana_ge_640"):
        row = rows["systemic_sclerosis", rung, "present"]
        assert row["bits"] == rows["systemic_sclerosis", "ana_positive", "present"]["bits"]
        assert (row["assumed"], row["verified"]) == ("yes", "M")
    # nothing is said of a finding that nobody counted in the disease
    assert ("systemic_sclerosis", "anti_ro", "present") not in rows


def test_every_state_finding_is_in_one_block_with_a_rule(tables) -> None:
    states = [row["finding"] for row in tables["findings"] if row["kind"] == "state"]
    assert sorted(row["finding"] for row in tables["blocks"]) == sorted(states)
    rule: dict[str, set[str]] = {}
    for row in tables["blocks"]:
        rule.setdefault(row["block"], set()).add(row["both_from"])
    assert all(len(rules) == 1 for rules in rule.values())
    assert {block for block, rules in rule.items() if rules == {"fm"}} == {"central_sensitization"}
    assert {block for block, rules in rule.items() if rules == {"sle"}} == {
        "ana", "antibodies", "complement", "acute_skin", "mucosa_hair", "serosa", "blood", "antiphospholipid",
        "kidney", "neuro", "inflammation", "joints_objective", "drug_induced",
    }  # fmt: skip


def test_a_finding_has_weights_or_a_reason(tables, weights) -> None:
    for row in tables["blocks"]:
        assert row["note"].startswith("no weight: ") != ((row["finding"], "present") in weights), row
        if row["block"] == "none":
            assert (row["finding"], "present") not in weights
        if row["finding"].endswith("_dx"):
            assert row["block"] == "none"


def test_assumed_rates_are_wide(tables) -> None:
    for row in tables["assumed_rates"]:
        rate = Rate(float(row["alpha"]), float(row["beta"]))
        assert row["why"]
        # never worth more than a handful of observed cases of the rarer state
        assert min(rate.a, rate.b) <= 3, row


def test_priors(tables) -> None:
    for row in tables["priors"]:
        sle, fm, both = (float(row[h]) for h in ("sle", "fm", "both"))
        assert min(sle, fm, both) > 0
        assert sle + fm + both < 1
        assert both / (sle + both) == pytest.approx(0.158, rel=0.01)
        assert row["note"]
    settings = {row["setting"] for row in tables["priors"] if row["sex"] == "any"}
    assert settings == {
        "general_population", "primary_care", "rheumatology_referral", "probable_lupus_referral", "lupus_clinic",
    }  # fmt: skip


# ---------------------------------------------------------------------------------------------- the estimator


def test_one_study_by_hand() -> None:
    """10 of 100, spread 0.5: mean 10.5 / 101; variance of the log-odds 1/10.5 + 1/90.5 + 2 x 0.25 = 0.606288."""
    from scipy.special import polygamma

    rate = synthesis.pool([Count(10, 100)], spread=0.5, pseudo=0.5)
    assert rate.mean == pytest.approx(0.1039604, abs=1e-7)
    assert float(polygamma(1, rate.a) + polygamma(1, rate.b)) == pytest.approx(0.6062878, abs=1e-6)


def test_effective_counts_stand_as_they_are() -> None:
    assert synthesis.pool([Count(71, 83, effective=True)], 0.6, 0.5) == Rate(71.5, 12.5)


def test_zero_counts_are_not_probability_zero() -> None:
    one = synthesis.pool([Count(0, 70)], 0.6, 0.5)
    two = synthesis.pool([Count(0, 70), Count(0, 55)], 0.6, 0.5)
    assert 0 < two.mean < one.mean < 0.02
    assert one.sd("present") > 1.5  # bits: hardly anything is known of how rare


def test_more_and_more_equal_studies_are_trusted_more() -> None:
    several = [synthesis.pool([Count(30, 100)] * k, 0.6, 0.5) for k in (1, 2, 4, 8)]
    spreads = [rate.sd("present") for rate in several]
    assert spreads == sorted(spreads, reverse=True)
    assert all(rate.mean == pytest.approx(0.3, abs=0.01) for rate in several)
    apart = synthesis.pool([Count(10, 100), Count(50, 100)], 0.6, 0.5)
    assert apart.sd("present") > several[1].sd("present")


def test_present_and_absent_mirror() -> None:
    rate = synthesis.pool([Count(20, 100), Count(90, 300)], 0.6, 0.5)
    mirror = synthesis.pool([Count(80, 100), Count(210, 300)], 0.6, 0.5)
    assert rate.mean == pytest.approx(1 - mirror.mean, abs=1e-6)
    assert rate.sd("present") == pytest.approx(mirror.sd("absent"), abs=1e-6)


def test_the_grid_is_fine_enough() -> None:
    for counts in (
        [Count(0, 55), Count(3, 1149)],
        [Count(354, 850), Count(194, 389)],
        [Count(17, 17), Count(796, 850)],
    ):
        coarse, fine = (
            synthesis.pool(counts, 0.62, 0.5),
            synthesis.pool(counts, 0.62, 0.5, (1601, 133)),
        )
        assert coarse.mean == pytest.approx(fine.mean, rel=0.01)
        assert coarse.sd("present") == pytest.approx(fine.sd("present"), rel=0.02)


def test_the_error_of_log_rate_is_that_of_draws() -> None:
    import numpy as np

    rate = Rate(4.0, 20.0)
    draws = np.random.default_rng(5).beta(rate.a, rate.b, 200_000)
    assert rate.sd("present") == pytest.approx(float(np.log2(draws).std()), rel=0.02)
    assert rate.sd("absent") == pytest.approx(float(np.log2(1 - draws).std()), rel=0.02)


@pytest.mark.parametrize("counts", [[], [Count(5, 4)], [Count(0, 0)]])
def test_impossible_counts(counts: list[Count]) -> None:
    with pytest.raises(ValueError, match="n of N"):
        synthesis.pool(counts, 0.6, 0.5)


def test_matched_needs_a_possible_variance() -> None:
    assert Rate.matched(0.25, 0.0125).mean == pytest.approx(0.25)
    assert Rate.matched(0.25, 0.0125).variance == pytest.approx(0.0125)
    with pytest.raises(ValueError, match="no Beta"):
        Rate.matched(0.01, 0.5)


def test_typical_spread_is_recorded(tables) -> None:
    assert limit(tables, "between_study_sd") == pytest.approx(synthesis.spread_of_tables(tables), abs=0.005)


# ------------------------------------------------------------------------------------------------- the rules


def test_noisy_or_by_hand() -> None:
    """P(absent): 0.8 x 0.7 / 0.9 = 0.6222, so P(present) = 0.3778."""
    present, absent = synthesis.noisy_or(
        *(Term(math.log2(1 - p), 0.1, h) for p, h in ((0.2, "sle"), (0.3, "fm"), (0.1, "neither")))
    )
    assert 2**absent.log2 == pytest.approx(0.62222, abs=1e-5)
    assert 2**present.log2 == pytest.approx(0.37778, abs=1e-5)
    assert absent.sd == pytest.approx(0.1 * math.sqrt(3))
    assert present.sd == pytest.approx(absent.sd * 0.62222 / 0.37778, rel=1e-4)


def test_noisy_or_of_two_diseases_is_never_rarer_than_each() -> None:
    for sle, fm, neither in (
        (0.05, 0.05, 0.3),
        (0.05, 0.2, 0.3),
        (0.9, 0.9, 0.1),
        (0.5, 0.01, 0.6),
    ):
        terms = (Term(math.log2(1 - p), 0.1, h) for p, h in ((sle, "sle"), (fm, "fm"), (neither, "neither")))
        present, absent = synthesis.noisy_or(*terms)
        assert min(sle, fm) - 1e-12 <= 2**present.log2 < 1
        assert 2**present.log2 + 2**absent.log2 == pytest.approx(1)


def test_a_disease_that_does_nothing_leaves_both_to_the_other() -> None:
    rates = {"sle": Rate(2, 8), "fm": None, "neither": Rate(1, 19)}
    evidence = Evidence(rates, False, frozenset({"x"}), True)
    for state in synthesis.STATES:
        row = synthesis.weight("f", state, evidence, "noisy_or", 50)
        assert row["both_bits"] == row["sle_bits"]
        assert row["both_shares"] == "sle"
        assert (row["fm_bits"], row["fm_shares"]) == ("0.000000", "neither")


def test_both_follows_its_block(tables, weights) -> None:
    block = {row["finding"]: row for row in tables["blocks"]}
    real = {c["finding"] for c, _ in used(tables) if c["hypothesis"] == "both"}
    seen = Counter()
    for (finding, _), row in weights.items():
        source = block[finding]["both_from"]
        if finding in real or source == "noisy_or":
            continue
        seen[source] += 1
        assert row["both_bits"] == row[f"{source}_bits"], row
        assert row["both_sd"] == row[f"{source}_sd"], row
        assert row["both_shares"] == (row[f"{source}_shares"] or source), row
    assert min(seen.values()) > 20


def test_a_share_is_the_design_effect() -> None:
    """Two findings that always come together count as one; findings that never do keep all; ten of 0.18 keep 0.38."""
    assert synthesis.share({"rule": "sum", "correlation": "1", "together": "2"}) == 0.5
    assert synthesis.share({"rule": "sum", "correlation": "0", "together": "9"}) == 1.0
    assert synthesis.share({"rule": "sum", "correlation": "0.18", "together": "10"}) == pytest.approx(1 / 2.62)
    assert synthesis.share({"rule": "one", "correlation": "", "together": ""}) == 1.0


def test_every_weight_keeps_the_share_of_its_block(tables, weights) -> None:
    block = {row["finding"]: row["block"] for row in tables["blocks"]}
    shares = {row["block"]: synthesis.share(row) for row in tables["dependence"]}
    for (finding, _), row in weights.items():
        assert float(row["share"]) == pytest.approx(shares[block[finding]], abs=1e-6)
    assert 0 < min(shares.values()) < 0.5 and max(shares.values()) == 1.0


def test_bits_within_the_cap_and_errors_positive(tables, weights) -> None:
    most = math.log2(limit(tables, "likelihood_ratio_cap")) + 1e-6
    for row in weights.values():
        assert all(abs(float(row[c])) <= most for c in BITS), row
        assert all(0 <= float(row[c]) < 5 for c in ("sle_sd", "fm_sd", "both_sd", "neither_sd")), row
        assert all(len(row[c].split(".")[1]) == 6 for c in BITS)
        assert not any(row[c].startswith("-0.000000") for c in BITS)
        for h in synthesis.WEIGHED:
            if row[f"{h}_shares"] == "neither":
                assert row[f"{h}_bits"] == "0.000000"
                assert row[f"{h}_sd"] == row["neither_sd"]
    assert any(
        abs(float(row["sle_bits"]) - math.log2(limit(tables, "likelihood_ratio_cap"))) < 1e-6
        for row in weights.values()
    )


def test_rates_of_both_states_agree(tables) -> None:
    """2^bits weighted by the rates of `neither` is one for each hypothesis: two states exhaust it (before the cap)."""
    for finding, evidence in synthesis.rates_of(tables).items():
        n = evidence.rate("neither").mean
        for source in ("sle", "fm", "noisy_or"):
            total = dict.fromkeys(synthesis.WEIGHED, 0.0)
            for state, share in (("present", n), ("absent", 1 - n)):
                found = synthesis.terms(evidence, source, state)
                for h in synthesis.WEIGHED:
                    total[h] += share * 2 ** (found[h].log2 - found["neither"].log2)
            assert total == pytest.approx(dict.fromkeys(synthesis.WEIGHED, 1.0)), finding


def test_assumed_and_unverified_are_marked(tables, weights) -> None:
    assumed = {row["finding"] for row in tables["assumed_rates"] if row["hypothesis"] in CONDITION}
    assumed |= {r["finding"] for r in tables["finding_evidence"] if r["role"] == "like" and not r["hypothesis"]}
    for (finding, _), row in weights.items():
        assert (row["assumed"] == "yes") == (finding in assumed), row
    recalled = {c["finding"] for c, row in used(tables) if row["verified"] != "V"}
    for (finding, _), row in weights.items():
        if finding in recalled:
            assert row["verified"] == "M"


# ----------------------------------------------------------------------------------------------- the ANA ladder


def test_the_intervals_of_the_ladder_sum_to_one(tables) -> None:
    known = synthesis.rates_of(tables)
    rungs = ["ana_ge_80", "ana_ge_160", "ana_ge_320"]
    for hypothesis in ("sle", "neither"):
        rates = [known[rung].rate(hypothesis) for rung in rungs]
        parts = [synthesis.interval(a, b) for a, b in zip(rates, [*rates[1:], None], strict=True)]
        assert 1 - rates[0].mean + sum(part.mean for part in parts) == pytest.approx(1)
        assert all(part.mean > 0 for part in parts)


def test_the_ladder_in_the_table(weights) -> None:
    ladder = ["ana_ge_80", "ana_ge_160", "ana_ge_320", "ana_ge_640"]
    bits = [float(weights[rung, "present"]["sle_bits"]) for rung in ladder]
    assert bits == sorted(bits)
    assert float(weights["ana_ge_80", "absent"]["sle_bits"]) < bits[0] < 0 < bits[2]
    assert bits[2] == bits[3]
    assert weights["ana_ge_640", "present"]["assumed"] == "yes"
    assert [rung for rung in ladder if (rung, "absent") in weights] == ["ana_ge_80"]
    assert {float(row["fm_bits"]) for (f, _), row in weights.items() if f.startswith("ana_")} == {0.0}


# ------------------------------------------------------------------------------------------- the tables at work


def posterior(
    tables,
    weights,
    present: Iterable[str],
    absent: Iterable[str],
    prior: dict[str, float],
) -> dict[str, float]:
    """Every finding added with the share of its block: the slow, obvious way, for findings that do not imply one another."""
    odds = {**prior, "neither": 1 - sum(prior.values())}
    for state, findings in (("present", present), ("absent", absent)):
        for finding in findings:
            row = weights[finding, state]
            for h in prior:
                odds[h] *= 2 ** (float(row[f"{h}_bits"]) * float(row["share"]))
    return {h: value / sum(odds.values()) for h, value in odds.items()}


@pytest.fixture(scope="module")
def referral(tables) -> dict[str, float]:
    row = next(r for r in tables["priors"] if r["setting"] == "rheumatology_referral" and r["sex"] == "any")
    return {h: float(row[h]) for h in synthesis.WEIGHED}


NORMAL = ("leukopenia", "thrombocytopenia", "lymphopenia", "proteinuria")


def test_a_low_titre_alone_never_makes_lupus(tables, weights) -> None:
    for both in (0.0001, 0.008, 0.049):
        for fm in (0.0001, 0.2, 0.9):
            p = posterior(
                tables,
                weights,
                ["ana_ge_80"],
                [],
                {"sle": 0.05 - both, "fm": fm, "both": both},
            )
            assert p["sle"] + p["both"] < 0.2


def test_plain_lupus(tables, weights, referral) -> None:
    signs = ["malar_rash", "anti_dsdna", "low_c3_or_c4", "leukopenia", "ana_ge_640"]
    p = posterior(tables, weights, signs, [], referral)
    assert p["sle"] + p["both"] > 0.95


def test_plain_fibromyalgia(tables, weights, referral) -> None:
    signs = ["widespread_pain", "fatigue", "unrefreshing_sleep", "cognitive_symptoms"]
    p = posterior(tables, weights, signs, [*NORMAL, "ana_ge_80"], referral)
    assert p["fm"] > limit(tables, "call_min_p")
    assert p["fm"] > limit(tables, "call_min_ratio") * max(p["sle"], p["both"], p["neither"])


def test_lupus_with_fibromyalgia(tables, weights, referral) -> None:
    signs = [
        "malar_rash",
        "anti_dsdna",
        "low_c3_or_c4",
        "ana_ge_640",
        "widespread_pain",
        "meets_fm_1990",
        "unrefreshing_sleep",
        "depression",
    ]
    p = posterior(tables, weights, signs, [], referral)
    assert p["both"] > limit(tables, "call_min_p")


def test_the_interval_level_has_its_quantile(tables) -> None:
    from statistics import NormalDist

    z = NormalDist().inv_cdf(0.5 + limit(tables, "interval_level") / 2)
    assert limit(tables, "interval_z") == pytest.approx(z, abs=1e-6)


# ----------------------------------------------------------------------------------------------- drift and faults


def test_the_shipped_weights_are_those_of_the_evidence(tables) -> None:
    shipped = (TABLES / "weights.csv").read_text(encoding="utf-8")
    assert synthesis.differences(shipped, synthesis.written(synthesis.weigh(tables))) == []


def test_drift_is_found(tables, capsys) -> None:
    now = synthesis.written(synthesis.weigh(tables))
    lines = now.splitlines(keepends=True)
    assert synthesis.differences("".join(lines[:-1]), now)
    first = lines[1].split(",")
    first[2] = f"{float(first[2]) + 0.00001:.6f}"
    assert any(
        "sle_bits" in fault for fault in synthesis.differences("".join([lines[0], ",".join(first), *lines[2:]]), now)
    )
    assert synthesis.main(["--check"]) == 0
    assert synthesis.main(["--wrong"]) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda t: t["assumed_rates"].append({**t["assumed_rates"][0]}),
            "already has a rate",
        ),
        (lambda t: t["assumed_rates"].pop(0), "no rate for"),
        (
            lambda t: t["finding_evidence"].append(
                {
                    "finding": "malar_rash",
                    "evidence_id": "",
                    "hypothesis": "sle",
                    "role": "as_neither",
                    "like": "",
                    "why": "",
                }
            ),
            "has rows and role as_neither",
        ),
        (
            lambda t: t["finding_evidence"].append(
                {
                    "finding": "x",
                    "evidence_id": "",
                    "hypothesis": "neither",
                    "role": "as_neither",
                    "like": "",
                    "why": "",
                }
            ),
            "cannot stand in for itself",
        ),
    ],
)
def test_contradictory_tables_are_refused(tables, change, says: str) -> None:
    mine = {name: list(rows) for name, rows in tables.items()}
    change(mine)
    with pytest.raises(KnowledgeError, match=says):
        synthesis.rates_of(mine)
