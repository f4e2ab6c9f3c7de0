"""From counts in papers to the bits of `weights.csv` and `mimic_weights.csv`: pooling, uncertainty, the rule for `both`.

Steps, each a function:

1. `typical_spread`: how much studies of one finding and hypothesis differ, learned from all that have several.
2. `pool`: the counts of the chosen rows become a Beta distribution of the rate *in the next clinic*.
3. `rates_of`: every weighted finding has a rate under `sle`, `fm`, `neither` (and `both` where a real cohort exists):
   from rows (`use`), from `assumed_rates.csv`, or the rate of `neither` itself (`as_neither`: no bits, no penalty).
4. `weigh`: bits = log2 P(state | h) / P(state | neither), with the block rule for `both` and then the cap.
5. `share`: how much of its bits a finding keeps when the findings of its block are added.
6. `weigh_mimics`: bits = log2 P(state | mimic) / P(state | neither), for each mimic with a published count of the finding.

Dependence. Findings of one mechanism are not multiplied. Log likelihood ratios of k findings with a mean correlation r
within a disease add up to a sum whose variance is 1 + (k - 1) r times that of independent ones, and a sum of log
likelihood ratios is calibrated when its variance equals the distance of its means; so each keeps 1 / (1 + (k - 1) r) of
its bits (the design effect of Kish 1965). r and the usual k are rows of `dependence.csv`. The share does not hang on which
findings a person has: taking the strongest ones would favor what is there over what is not, and a share that fell with
every further negative would make a weak negative speak against a strong one. Blocks read once (rule `one`) keep all.

Estimator. Several studies: Bayesian beta-binomial (Jansen and Holling 2023) on a grid, with a Jeffreys prior on the
mean (Brown, Cai and DasGupta 2001) and a half-normal prior on the between-study standard deviation. That deviation is
written on the log-odds scale, so that it means the same for rare and for common findings; the scale of its prior puts
the median at `typical_spread`. The result is the predictive distribution, matched to a Beta by the variance of its
log-odds: it holds sampling *and* between-study spread. Its middle is the posterior median of the mean, because two
small studies of a rare finding leave a long upper tail.
One study: the variance of the log-odds is 1 / (n + 1/2) + 1 / (N - n + 1/2) + 2 spread^2. The spread enters twice: the
study is one draw of many clinics, and the person's clinic is another. Zero counts need no correction beyond Jeffreys.
Rows whose counts were solved from the interval of a meta-analysis (`counts` = effective) carry their spread already and
get none when they stand alone.

A Beta makes the rest closed form: with rate ~ Beta(a, b), var(ln rate) = trigamma(a) - trigamma(a + b).

Errors that are shared. Two hypotheses can have one and the same rate (`fm` the rate of `neither`, `both` that of
`sle`); then their errors are one error, not two. The columns `*_shares` name the hypothesis whose error is meant; blank
means an error of its own. Whoever draws from the weights draws once per name and finding.

`python -m tellapart.knowledge.synthesis` writes both tables; with `--check` it fails when a file has drifted.
scipy and numpy are needed here only: the tables ship, so no run of the program imports them.
"""

from __future__ import annotations

import csv
import io
import math
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tellapart.errors import KnowledgeError
from tellapart.knowledge.load import TABLES, read_tables

Row = Mapping[str, str]
Tables = Mapping[str, Sequence[Row]]

HYPOTHESES = ("sle", "fm", "neither")
WEIGHED = ("sle", "fm", "both")
FOUR = (*HYPOTHESES, "both")  # what the posterior is about; other names in a column `hypothesis` are mimics
ANY_MIMIC, OTHER = "mimic", "other"  # hypothesis of a row for every mimic without one of its own; what has no name
STATES = ("present", "absent")
COLUMNS = (
    "finding", "state", "sle_bits", "fm_bits", "both_bits", "sle_sd", "fm_sd", "both_sd", "neither_sd",
    "sle_shares", "fm_shares", "both_shares", "neither_rate", "share", "assumed", "citation", "verified",
)  # fmt: skip
MIMIC_COLUMNS = ("mimic", "finding", "state", "bits", "sd", "share", "assumed", "citation", "verified")
DECIMALS = 6
LN2 = math.log(2.0)

# The integration grid: bounds of the mean (log-odds) and of the spread (log-odds standard deviation), and steps.
# They only have to be wide and fine enough; `test_synthesis.py` shows that halving the steps changes nothing.
GRID_MEAN = (-10.0, 10.0, 801)
GRID_SPREAD = (0.02, 2.0, 67)


@dataclass(frozen=True)
class Count:
    """`n` of `of` people in one study; `effective` when solved from a pooled interval."""

    n: float
    of: float
    effective: bool = False


@dataclass(frozen=True)
class Rate:
    """P(finding present | hypothesis) in the next clinic, as Beta(`a`, `b`)."""

    a: float
    b: float

    @property
    def mean(self) -> float:
        return self.a / (self.a + self.b)

    @property
    def variance(self) -> float:
        total = self.a + self.b
        return self.a * self.b / (total * total * (total + 1.0))

    def log2(self, state: str) -> float:
        """log2 of the mean rate of the state."""
        return math.log2(self.mean if state == "present" else 1.0 - self.mean)

    def sd(self, state: str) -> float:
        """Standard deviation, in bits, of log2 of the rate of the state."""
        from scipy.special import polygamma

        part = self.a if state == "present" else self.b
        return math.sqrt(float(polygamma(1, part) - polygamma(1, self.a + self.b))) / LN2

    @staticmethod
    def matched(mean: float, variance: float) -> Rate:
        """The Beta with this mean and variance of the rate.

        Raises:
            ValueError: no Beta has them (mean outside 0..1, or variance too large for the mean).
        """
        if not 0.0 < mean < 1.0 or not 0.0 < variance < mean * (1.0 - mean):
            raise ValueError(f"no Beta distribution has mean {mean} and variance {variance}")
        total = mean * (1.0 - mean) / variance - 1.0
        return Rate(mean * total, (1.0 - mean) * total)

    @staticmethod
    def spread_out(mean: float, variance: float) -> Rate:
        """The Beta with this mean of the rate and this variance of its log-odds: trigamma(a) + trigamma(b)."""
        from scipy.optimize import brentq
        from scipy.special import polygamma

        def excess(log_total: float) -> float:
            total = math.exp(log_total)
            return float(polygamma(1, mean * total) + polygamma(1, (1.0 - mean) * total)) - variance

        total = math.exp(float(brentq(excess, -20.0, 40.0, xtol=1e-12)))
        return Rate(mean * total, (1.0 - mean) * total)


# ---------------------------------------------------------------------------------------------------- pooling


def _grid(counts: Sequence[Count], pseudo: float, steps: tuple[int, int]) -> list[list[float]]:
    """Log marginal terms on the grid: for every spread, (log-likelihood + log prior of the mean) for every mean.

    Returns the table [spread][mean]. The prior of the spread is left to the caller.
    """
    import numpy as np
    from scipy.special import betaln

    eta = np.linspace(GRID_MEAN[0], GRID_MEAN[1], steps[0])
    tau = np.linspace(GRID_SPREAD[0], GRID_SPREAD[1], steps[1])
    mean = 1.0 / (1.0 + np.exp(-eta))
    # Beta(a, b) with 1/a + 1/b = spread^2: the delta method's variance of the log-odds
    a = 1.0 / (tau[:, None] ** 2 * (1.0 - mean)[None, :])
    b = 1.0 / (tau[:, None] ** 2 * mean[None, :])
    log = np.zeros_like(a)
    for count in counts:
        log += betaln(a + count.n, b + count.of - count.n) - betaln(a, b)
    # Beta(pseudo, pseudo) on the mean; the grid is even in log-odds, which adds one power of mean and of 1 - mean
    log += pseudo * (np.log(mean) + np.log1p(-mean))[None, :]
    return cast(list[list[float]], log.tolist())


def likeliest_spread(counts: Sequence[Count], pseudo: float) -> float:
    """The between-study standard deviation (log-odds) of largest marginal likelihood, the mean integrated out."""
    import numpy as np

    table = _grid(counts, pseudo, (GRID_MEAN[2], GRID_SPREAD[2]))
    log = np.asarray(table)
    peak = log.max(axis=1, keepdims=True)
    marginal = (np.log(np.exp(log - peak).sum(axis=1, keepdims=True)) + peak)[:, 0]
    return float(np.linspace(*GRID_SPREAD)[int(marginal.argmax())])


def typical_spread(groups: Iterable[Sequence[Count]], pseudo: float) -> float:
    """Median of `likeliest_spread` over the groups with several studies of people."""
    several = [group for group in groups if len(group) > 1]
    return statistics.median(likeliest_spread(group, pseudo) for group in several)


def pool(
    counts: Sequence[Count], spread: float, pseudo: float, steps: tuple[int, int] = (GRID_MEAN[2], GRID_SPREAD[2])
) -> Rate:
    """The rate in the next clinic.

    Args:
        counts: one per cohort.
        spread: typical between-study standard deviation, log-odds.
        pseudo: count added to each side (Jeffreys: one half).
        steps: fineness of the grid (mean, spread); only for several studies.

    Raises:
        ValueError: no counts, or n outside 0..N.
    """
    if not counts or any(not 0 <= c.n <= c.of or c.of <= 0 for c in counts):
        raise ValueError(f"counts must be n of N with 0 <= n <= N: {counts}")
    if len(counts) == 1:
        (one,) = counts
        yes, no = one.n + pseudo, one.of - one.n + pseudo
        if one.effective:
            return Rate(yes, no)
        return Rate.spread_out(yes / (yes + no), 1.0 / yes + 1.0 / no + 2.0 * spread**2)
    return _pool_several(counts, spread, pseudo, steps)


def _pool_several(counts: Sequence[Count], spread: float, pseudo: float, steps: tuple[int, int]) -> Rate:
    import numpy as np

    table = _grid(counts, pseudo, steps)
    tau = np.linspace(GRID_SPREAD[0], GRID_SPREAD[1], steps[1])
    scale = spread / statistics.NormalDist().inv_cdf(0.75)  # the half-normal whose median is `spread`
    log = np.asarray(table) - (tau**2 / (2.0 * scale**2))[:, None]
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    eta = np.linspace(*GRID_MEAN[:2], steps[0])
    shares = weight.sum(axis=0)
    middle = 1.0 / (1.0 + math.exp(-float(np.interp(0.5, shares.cumsum() - shares / 2.0, eta))))
    variance = float((shares * eta**2).sum() - (shares * eta).sum() ** 2 + (weight.sum(axis=1) * tau**2).sum())
    return Rate.spread_out(middle, variance)


def interval(at: Rate, above: Rate | None) -> Rate:
    """The rate of "this rung of a ladder and no higher": P(>= this) - P(>= next), the two errors independent.

    Raises:
        ValueError: the next rung is not rarer.
    """
    if above is None:
        return at
    return Rate.matched(at.mean - above.mean, at.variance + above.variance)


# ------------------------------------------------------------------------------------------------------ rates


@dataclass(frozen=True)
class Evidence:
    """What is known of one finding: a rate per hypothesis, or None where the rate of `neither` stands in."""

    rates: Mapping[str, Rate | None]
    assumed: bool
    citation: frozenset[str]
    verified: bool

    def rate(self, hypothesis: str) -> Rate:
        found = self.rates[hypothesis] or self.rates["neither"]
        assert found is not None
        return found


def _limit(tables: Tables, name: str) -> float:
    return float(next(row["value"] for row in tables["limits"] if row["limit"] == name))


def counts_by_finding(tables: Tables) -> dict[tuple[str, str], list[Count]]:
    """The counts to use, by finding and hypothesis or mimic (`both` only from real cohorts of SLE with FM)."""
    rows = {row["evidence_id"]: row for row in tables["evidence"]}
    counts: dict[tuple[str, str], list[Count]] = defaultdict(list)
    for choice in tables["finding_evidence"]:
        if choice["role"] == "use":
            row = rows[choice["evidence_id"]]
            count = Count(float(row["n"]), float(row["N"]), row["counts"] == "effective")
            counts[choice["finding"], choice["hypothesis"]].append(count)
    return counts


def spread_of_tables(tables: Tables) -> float:
    """`typical_spread` of the chosen rows; `limits.csv` holds it rounded as `between_study_sd`."""
    groups = [
        [count for count in group if not count.effective] for _, group in sorted(counts_by_finding(tables).items())
    ]
    return typical_spread(groups, _limit(tables, "jeffreys_pseudo_count"))


def rates_of(tables: Tables) -> dict[str, Evidence]:
    """Every finding that has rates of its own (findings with role `like` are resolved in `weigh`).

    Raises:
        KnowledgeError: a finding lacks a rate for a hypothesis, or has one from two sources.
    """
    spread, pseudo = _limit(tables, "between_study_sd"), _limit(tables, "jeffreys_pseudo_count")
    rates: dict[str, dict[str, Rate | None]] = defaultdict(dict)
    cited: dict[str, set[str]] = defaultdict(set)
    unverified: set[str] = set()
    assumed: set[str] = set()
    faults = []

    for (finding, hypothesis), group in counts_by_finding(tables).items():
        if hypothesis in FOUR:
            rates[finding][hypothesis] = pool(group, spread, pseudo)
    rows = {row["evidence_id"]: row for row in tables["evidence"]}
    for choice in tables["finding_evidence"]:
        finding, hypothesis = choice["finding"], choice["hypothesis"]
        if hypothesis and hypothesis not in FOUR:
            continue
        if choice["role"] == "use":
            row = rows[choice["evidence_id"]]
            cited[finding].add(row["citation"])
            if row["verified"] != "V":
                unverified.add(finding)
        elif choice["role"] == "as_neither":
            if hypothesis in rates[finding]:
                faults.append(f"finding_evidence.csv: {finding}: {hypothesis} has rows and role as_neither")
            rates[finding][hypothesis] = None
    for row in tables["assumed_rates"]:
        finding, hypothesis = row["finding"], row["hypothesis"]
        if hypothesis not in FOUR:
            continue
        if hypothesis in rates[finding]:
            faults.append(f"assumed_rates.csv: {finding}: {hypothesis} already has a rate")
        rates[finding][hypothesis] = Rate(float(row["alpha"]), float(row["beta"]))
        cited[finding].update(row["citation"].split(";"))
        assumed.add(finding)
        if row["verified"] != "V":
            unverified.add(finding)
    for finding, known in rates.items():
        faults += [f"{finding}: no rate for {h}" for h in HYPOTHESES if h not in known]
        if known.get("neither", 0) is None:
            faults.append(f"{finding}: `neither` cannot stand in for itself")
    if faults:
        raise KnowledgeError(sorted(faults))
    return {
        finding: Evidence(known, finding in assumed, frozenset(cited[finding]), finding not in unverified)
        for finding, known in rates.items()
    }


# ------------------------------------------------------------------------------------------------------ weights


@dataclass(frozen=True)
class Term:
    """log2 of a rate, its standard deviation in bits, and the hypothesis whose error it is."""

    log2: float
    sd: float
    owner: str


def noisy_or(sle: Term, fm: Term, neither: Term) -> tuple[Term, Term]:
    """The term of `both` when each disease may cause the finding on its own: (present, absent).

    P(absent | both) = P(absent | sle) P(absent | fm) / P(absent | neither), where the background counts once. Arguments
    are the terms of the *absent* state. Where a disease makes the finding rarer, the rule may fall below both
    diseases; then the rarer of the two is taken, so that two diseases are never rarer than each of them.
    """
    if fm.owner == neither.owner:
        absent = sle
    elif sle.owner == neither.owner:
        absent = fm
    else:
        rarest = max(sle.log2, fm.log2)
        value = min(sle.log2 + fm.log2 - neither.log2, rarest)
        absent = Term(value, math.sqrt(sle.sd**2 + fm.sd**2 + neither.sd**2), "both")
    rate = 1.0 - 2.0**absent.log2
    # d ln(p) = (1 - p) / p d ln(1 - p)
    return Term(math.log2(rate), absent.sd * (1.0 - rate) / rate, absent.owner), absent


def terms(evidence: Evidence, both_from: str, state: str) -> dict[str, Term]:
    """The term of every hypothesis, `both` by the rule of the block unless a real cohort gave it."""

    def term(hypothesis: str, of: str) -> Term:
        rate = evidence.rate(hypothesis)
        owner = hypothesis if evidence.rates[hypothesis] else "neither"
        return Term(rate.log2(of), rate.sd(of), owner)

    found = {h: term(h, state) for h in HYPOTHESES}
    if "both" in evidence.rates:
        found["both"] = term("both", state)
    elif both_from == "noisy_or":
        absent = {h: term(h, "absent") for h in HYPOTHESES}
        own = noisy_or(absent["sle"], absent["fm"], absent["neither"])[STATES.index(state)]
        # where a disease stands in, its own term is exact for either state
        found["both"] = own if own.owner == "both" else found[own.owner]
    else:
        found["both"] = found[both_from]
    return found


def share(block: Row) -> float:
    """What a finding keeps of its bits, by the row of its block in `dependence.csv`: 1 / (1 + (k - 1) r)."""
    if block["rule"] == "one":
        return 1.0
    return 1.0 / (1.0 + (float(block["together"]) - 1.0) * float(block["correlation"]))


def weight(
    finding: str, state: str, evidence: Evidence, both_from: str, cap: float, kept: float = 1.0
) -> dict[str, str]:
    """One row of `weights.csv`: bits and errors of one finding in one state, alone, and the share that is added."""
    found = terms(evidence, both_from, state)
    most = math.log2(cap)
    row = {"finding": finding, "state": state}
    for hypothesis in WEIGHED:
        term = found[hypothesis]
        same = term.owner == "neither"
        bits = 0.0 if same else max(-most, min(most, term.log2 - found["neither"].log2))
        row[f"{hypothesis}_bits"] = _decimal(bits)
        row[f"{hypothesis}_sd"] = _decimal(term.sd)
        row[f"{hypothesis}_shares"] = "" if term.owner == hypothesis else term.owner
    row["neither_sd"] = _decimal(found["neither"].sd)
    row["neither_rate"] = _decimal(2.0 ** found["neither"].log2)
    row["share"] = _decimal(kept)
    row["assumed"] = "yes" if evidence.assumed else "no"
    row["citation"] = ";".join(sorted(evidence.citation))
    row["verified"] = "V" if evidence.verified else "M"
    return row


def weigh(tables: Tables) -> list[dict[str, str]]:
    """All rows of `weights.csv`, in the order of `blocks.csv`.

    A ladder (findings of `blocks.csv` with a `rung`) weighs by intervals: `present` of a rung means "this rung and no
    higher", and only the lowest rung has `absent`.
    """
    cap = _limit(tables, "likelihood_ratio_cap")
    known = rates_of(tables)
    like = _like(tables, "")
    blocks = {row["finding"]: row for row in tables["blocks"]}
    shares = {row["block"]: share(row) for row in tables["dependence"]}
    rungs = sorted((f for f, row in blocks.items() if row["rung"] and f in known), key=lambda f: int(blocks[f]["rung"]))
    result = []
    for finding, block in blocks.items():
        source = like.get(finding, finding)
        if source not in known:
            continue
        for state in STATES:
            evidence = known[source]
            if block["rung"]:
                if state == "absent" and finding != rungs[0]:
                    continue
                if state == "present":
                    evidence = _rung(known, rungs, source)
            row = weight(finding, state, evidence, block["both_from"], cap, shares[block["block"]])
            if source != finding:
                row["assumed"], row["verified"] = "yes", "M"
            result.append(row)
    return result


def _like(tables: Tables, of: str) -> dict[str, str]:
    """Finding to the finding whose rates stand in for its own; `of`: the hypothesis column of the rows."""
    return {
        row["finding"]: row["like"]
        for row in tables["finding_evidence"]
        if row["role"] == "like" and row["hypothesis"] == of
    }


def weigh_mimics(tables: Tables, weights: Sequence[Row]) -> list[dict[str, str]]:
    """All rows of `mimic_weights.csv`: for every mimic and weight of whose finding a rate in it is known.

    The bits are those of the finding alone, against the rate of `neither` that the weight has. The error is that of the
    ratio. A rung of the ladder takes the ratio of what stands in for it (role `like`): titres in mimics are not published.
    A finding that names one mimic has an assumed rate for all others, those without a name too.
    """
    most = math.log2(_limit(tables, "likelihood_ratio_cap"))
    spread, pseudo = _limit(tables, "between_study_sd"), _limit(tables, "jeffreys_pseudo_count")
    evidence = {row["evidence_id"]: row for row in tables["evidence"]}
    cited: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for choice in tables["finding_evidence"]:
        if choice["role"] == "use":
            cited[choice["finding"], choice["hypothesis"]].append(evidence[choice["evidence_id"]])
    rates = {key: pool(group, spread, pseudo) for key, group in counts_by_finding(tables).items() if key[1] not in FOUR}
    assumed = {(row["finding"], row["hypothesis"]): row for row in tables["assumed_rates"]}
    rates |= {key: Rate(float(r["alpha"]), float(r["beta"])) for key, r in assumed.items() if key[1] not in FOUR}
    like = _like(tables, ANY_MIMIC)
    own = {(row["finding"], row["state"]): row for row in weights}
    out = []
    for mimic in (*(row["mimic"] for row in tables["mimics"] if row["share"]), OTHER):
        for row in weights:
            source, state = like.get(row["finding"], row["finding"]), row["state"]
            key = (source, mimic) if (source, mimic) in rates else (source, ANY_MIMIC)
            if key not in rates:
                continue
            neither = own[source, state]
            bits = rates[key].log2(state) - math.log2(float(neither["neither_rate"]))
            basis = [assumed[key]] if key in assumed else cited[key]
            seen = source == row["finding"] and all(b["verified"] == "V" for b in basis)
            out.append(
                {
                    "mimic": mimic,
                    "finding": row["finding"],
                    "state": state,
                    "bits": _decimal(max(-most, min(most, bits))),
                    "sd": _decimal(math.hypot(rates[key].sd(state), float(neither["neither_sd"]))),
                    "share": row["share"],
                    "assumed": "yes" if key in assumed or source != row["finding"] else "no",
                    "citation": ";".join(sorted({b["citation"] for b in basis})),
                    "verified": "V" if seen else "M",
                }
            )
    return out


def _rung(known: Mapping[str, Evidence], rungs: Sequence[str], finding: str) -> Evidence:
    at = known[finding]
    place = rungs.index(finding) + 1
    if place == len(rungs):
        return at
    above = known[rungs[place]]
    rates = {
        hypothesis: None if rate is None else interval(rate, above.rate(hypothesis))
        for hypothesis, rate in at.rates.items()
    }
    return Evidence(rates, at.assumed or above.assumed, at.citation | above.citation, at.verified and above.verified)


def _decimal(value: float) -> str:
    text = f"{value:.{DECIMALS}f}"
    return text.removeprefix("-") if float(text) == 0.0 else text


def written(rows: Sequence[Mapping[str, str]], columns: Sequence[str] = COLUMNS) -> str:
    """The text of `weights.csv`, or of the table with these columns."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def differences(was: str, now: str, file: str = "weights.csv") -> list[str]:
    """Where two texts of a table differ. The last decimal may: it depends on the build of scipy."""
    old, new = (list(csv.DictReader(io.StringIO(text))) for text in (was, now))
    step = 1.5 * 10.0**-DECIMALS
    faults = [f"{file} has {len(old)} rows, the evidence gives {len(new)}"] if len(old) != len(new) else []
    for a, b in zip(old, new, strict=False):
        for column, y in b.items():
            x = a.get(column) or ""
            number = column.endswith(("bits", "sd", "_rate")) or column == "share"
            if x != y and not (number and x and abs(float(x) - float(y)) <= step):
                faults.append(f"{file}: {b['finding']} {b['state']}: {column} is {x!r}, the evidence gives {y!r}")
    return faults


def main(arguments: Sequence[str]) -> int:
    """Write or check both tables; 0 when done or equal, 1 on drift, 2 on wrong usage."""
    if set(arguments) - {"--check"}:
        sys.stderr.write("usage: python -m tellapart.knowledge.synthesis [--check]\n")
        return 2
    tables, _ = read_tables()
    sys.stderr.write(f"between-study standard deviation, log-odds: {spread_of_tables(tables):.4f}\n")
    weights = weigh(tables)
    drifted = False
    for name, now in (
        ("weights.csv", written(weights)),
        ("mimic_weights.csv", written(weigh_mimics(tables, weights), MIMIC_COLUMNS)),
    ):
        file = Path(TABLES) / name
        was = file.read_text(encoding="utf-8") if file.exists() else ""
        faults = differences(was, now, name)
        drifted |= bool(faults)
        if "--check" in arguments:
            sys.stderr.writelines(f"{fault}\n" for fault in faults)
            continue
        if faults:
            file.write_text(now, encoding="utf-8")
        sys.stderr.write(f"{name}: {len(now.splitlines()) - 1} rows, {'written' if faults else 'unchanged'}\n")
    return int(drifted and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
