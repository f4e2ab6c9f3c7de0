"""A `tellapart.validation/1` document as a page of Markdown and its charts. Computes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tellapart.rendering.plots import Line, Panel, figure

Document = dict[str, Any]
DISEASES = {"sle": "SLE present (sle + both)", "fm": "FM present (fm + both)"}
VERDICT = {"yes": "met", "no": "**missed**", "unclear": "unclear"}
CHARTS = ("reliability.svg", "completeness.svg", "decision.svg", "next_test.svg")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _percent(e: dict[str, float | None], digits: int = 1) -> str:
    """A share with its interval, in per cent."""
    if e["value"] is None:
        return "-"
    return f"{100 * e['value']:.{digits}f} ({100 * (e['low'] or 0):.{digits}f}-{100 * (e['high'] or 0):.{digits}f})"


def _number(e: dict[str, float | None]) -> str:
    return "-" if e["value"] is None else f"{e['value']:.2f} ({e['low']:.2f} to {e['high']:.2f})"


def _plain(x: float | None, digits: int = 3) -> str:
    return "-" if x is None else f"{x:.{digits}f}"


def page(document: Document, charts: str) -> str:
    """The whole page; `charts` is the folder of the charts as seen from it."""
    parts = [
        "<!-- written by `tellapart validate`: run it again, do not edit -->",
        "# Validation",
        _intro(document), _summary(document), _calls(document, charts), _calibration(document, charts),
        _side_by_side(document, charts), _advice(document, charts), _cases(document), _published(document), _criteria(document),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _intro(d: Document) -> str:
    quick = " **Quick run: few persons, wide intervals.**" if d["quick"] else ""
    return (
        f"Software {d['software']}, knowledge {d['knowledge']}.{quick} Simulated persons come from `tellapart simulate`, "
        "went through the normal `audit` as FHIR, with the true prevalence as prior. Their rates are those of the evidence "
        "tables; how findings go together, what is missing and how it is written is not what the program assumes. So this "
        "measures the method, not the evidence: a real clinic differs in its rates too. Intervals are 95 %.\n\n"
        "    tellapart validate --out validation"
    )


def _structures(d: Document) -> list[str]:
    return list(dict.fromkeys(c["cohort"]["structure"] for c in d["calibration"]))


def _judged(values: Sequence[tuple[str, str]]) -> str:
    """Figures with their verdicts: missed in bold, unclear with a question mark; then one word for all."""
    shown = {"yes": "{}", "no": "**{}**", "unclear": "{}?"}
    all_of = {verdict for _, verdict in values}
    word = "missed" if "no" in all_of else "met" if all_of == {"yes"} else "unclear"
    return f"{', '.join(shown[verdict].format(text) for text, verdict in values)}: {word}"


def _summary(d: Document) -> str:
    """What was wanted, what came out, and why it is missed where it is: before any detail."""
    structures, rows = _structures(d), []
    for completeness in sorted({c["cohort"]["completeness"] for c in d["calibration"]}, reverse=True):
        for what in ("slope", "intercept"):
            wanted = d["targets"][what]
            for disease, name in DISEASES.items():
                line = [f"{what}, {name}, {completeness:.0%} on record", f"{wanted['low']:g} to {wanted['high']:g}"]
                for structure in structures:
                    mine = [
                        c["diseases"][disease] for c in d["calibration"]
                        if c["cohort"]["structure"] == structure and c["cohort"]["completeness"] == completeness
                    ]  # fmt: skip
                    line.append(_judged([(f"{f[what]['value']:.2f}", f[f"{what}_met"]) for f in mine]))
                rows.append(line)
    shares = sorted({c["cohort"]["completeness"] for c in d["comparison"]})
    by_place = {(c["cohort"]["structure"], c["cohort"]["completeness"]): c for c in d["comparison"]}
    for what, name, whole in (
        ("fm_called_sle", "FM only called sle", shares),
        ("sle_called_fm", "SLE only called fm", [c for c in shares if c == max(shares)]),
    ):
        line = [f"{name}, % at {_list(whole)} on record", f"below {100 * d['targets'][what]['high']:g}"]
        for structure in structures:
            mine = [by_place[structure, c] for c in whole]
            line.append(_judged([(f"{100 * c[what]['value']:.1f}", c[f"{what}_met"]) for c in mine]))
        rows.append(line)
    low = d["targets"]["of_ideal"]["low"]
    line = [f"accuracy, % of the ideal observer's, at {_list(shares)} on record", f"at least {100 * low:g}"]
    for structure in structures:
        of = [by_place[structure, c]["of_ideal"] for c in shares]
        line.append(_judged([(f"{100 * x:.0f}", "no" if x < low else "yes") for x in of]))
    rows.append(line)
    line = ["the same, of an observer told what the program is told", "no target"]
    for structure in structures:
        line.append(", ".join(f"{100 * by_place[structure, c]['of_told']:.0f}" for c in shares))
    rows.append(line)
    line = ["tests until calls are right as often as after the whole panel", "fewer than the panel"]
    by_structure = {a["cohort"]["structure"]: a for a in d["advice"]}
    for structure in structures:
        a = by_structure[structure]
        reached = "never" if a["enough"] is None else f"{a['enough']:.1f}"
        line.append(f"{reached} of {a['panel_tests']} {VERDICT[a['fewer']]}")
    rows.append(line)
    wrong = [c["person"] for c in d["cases"] if c["forbidden"] or not c["as_expected"]]
    prevalences = _list(dict.fromkeys(c["prevalence"] for c in d["calibration"]))
    return "\n\n".join(
        (
            "## What was wanted, and what came out",
            f"Three ways in which findings go together; calibration at the prevalences {prevalences}, in this order. **Bold**: "
            "missed, interval and all. *?*: a limit lies inside the interval.",
            _table(("wanted", "", *structures), rows),
            f"Shipped cases with another call than expected: {', '.join(wrong) or 'none'}.",
            _why(d),
        )
    )


def _list(values: Iterable[Any]) -> str:
    return ", ".join(f"{v:.0%}" if isinstance(v, float) else str(v) for v in values)


def _why(d: Document) -> str:
    rows = []
    for c in d["comparison"]:
        gap = c["gap"]
        rows.append(
            (
                c["cohort"]["structure"], f"{c['cohort']['completeness']:.0%}", _plain(c["accuracy_ideal"]),
                *(f"{100 * gap[cause]:.1f}" for cause in ("silence", "sex_and_age", "dependence")),
                _plain(c["everybody"][0]["accuracy"]),
            )
        )  # fmt: skip
    return "\n\n".join(
        (
            "**Why it is missed.** Points of accuracy (per cent) that separate the program from an observer who knows the "
            "generator, by cause:",
            _table(
                ("structure", "on record", "ideal", "silence", "sex and age", "dependence and reading", "tellapart"),
                rows,
            ),
            "- *Silence*: in these records what is there is written down more often than what is not, so an observer who "
            "knows how often learns from what is missing, and from which tests were ordered. The program never does: "
            "unknown is not absent, and no clinic knows these shares. This is also why probabilities are too high on average "
            "(negative intercepts) on incomplete records: the observer who is told only what is on record is off by as much "
            "(column *record only* under Calibration).\n"
            "- *Sex and age*: a prior given by the user is taken as it is, for everybody.\n"
            "- *Dependence*: findings keep a fixed share of their bits by block. Where one severity drives all mechanisms "
            "(structure severity) probabilities of lupus are still too bold, where findings hang together less they are too "
            "shy; no fixed share fits all three, and none was fitted to them.",
        )
    )


def _published(d: Document) -> str:
    rows = []
    for r in d["published"]:
        computed, ratio = r["computed"], r["ratio"]
        rows.append(
            (
                r["test"], r["rule"], f"{r['population']} ({r['reference']})",
                f"{r['printed']['sensitivity']:g} / {r['printed']['specificity']:g}",
                f"{_percent(computed['sensitivity'])} / {_percent(computed['specificity'])}" if computed else "no counts",
                _plain(ratio["published"], 1) if ratio else "-", _plain(ratio["ours"], 1) if ratio else "-",
                "seen" if r["verified"] else "unverified",
            )
        )  # fmt: skip
    again = [
        (
            r["reference"], f"{r['cases']} / {r['controls']} ({r['against']})", ", ".join(r["findings"]),
            f"{r['auc']['value']:.2f} ({r['auc']['low']:.2f}-{r['auc']['high']:.2f})", _percent(r["sensitivity"]),
            _percent(r["specificity"]), f"{r['mean_p_cases']:.2f} / {r['mean_p_controls']:.2f}",
        )
        for r in d["rebuilt"]
    ]  # fmt: skip
    return "\n\n".join(
        (
            "## Published performance",
            "Printed figures, the same from the counts in the repository, and the likelihood ratio of a positive result "
            "beside the one that the program uses. They differ where the program pools several papers, prefers another "
            "definition or control group (Raynaud: these mimics are rich in scleroderma), or shrinks a small study.",
            _table(
                (
                    "test",
                    "rule",
                    "population",
                    "printed sens / spec",
                    "from counts",
                    "LR+ published",
                    "LR+ used",
                    "checked",
                ),
                rows,
            ),
            "Published cohorts rebuilt person by person from their printed counts (findings dealt out independently, since "
            "papers print margins; range over rebuilt copies) and worked up with their own share of lupus as prior; "
            "positive is a probability of lupus above that prior:",
            _table(
                (
                    "cohort",
                    "SLE / others",
                    "findings",
                    "AUC",
                    "sensitivity",
                    "specificity",
                    "mean P(lupus) SLE / others",
                ),
                again,
            ),
        )
    )


def _cases(d: Document) -> str:
    rows = [
        (c["person"], c["why"], c["call"], " or ".join(c["expected"]), "yes" if c["as_expected"] else "**no**")
        for c in d["cases"]
    ]
    return "## Shipped cases\n\n" + _table(("person", "story", "call", "expected", "as expected"), rows)


def _calibration(d: Document, charts: str) -> str:
    rows = []
    for c in d["calibration"]:
        for disease, name in DISEASES.items():
            f = c["diseases"][disease]
            rows.append(
                (
                    c["cohort"]["structure"], f"{c['cohort']['completeness']:.0%}", c["prevalence"], name,
                    str(f["persons_with"]), f"{_number(f['slope'])} {VERDICT[f['slope_met']]}",
                    f"{_number(f['intercept'])} {VERDICT[f['intercept_met']]}",
                    f"{_plain(f['stated']['slope']['value'], 2)}, {_plain(f['stated']['intercept']['value'], 2)}",
                    f"{_plain(f['brier'], 4)} ({_plain(f['brier_ideal'], 4)})", f"{_plain(f['auc'])} ({_plain(f['auc_ideal'])})",
                )
            )  # fmt: skip
    sizes = {c["cohort"]["completeness"]: c["cohort"]["persons"] for c in d["calibration"]}
    persons = ", ".join(f"{n} persons at {c:.0%} on record" for c, n in sizes.items())
    return "\n\n".join(
        (
            "## Calibration",
            f"Per row {persons}. The slope is 1 when probabilities are neither too bold nor too shy, the "
            "intercept 0 when they are right on average. *Record only*: slope and intercept of an observer who knows the "
            "generator and is told what the program is told. In brackets: the ideal observer.",
            _table(
                (
                    "structure",
                    "on record",
                    "prevalence",
                    "of",
                    "have it",
                    "slope",
                    "intercept",
                    "record only",
                    "Brier",
                    "AUC",
                ),
                rows,
            ),
            f"![Reliability: share that has the disease by probability given]({charts}/reliability.svg)",
        )
    )


def _calls(d: Document, charts: str) -> str:
    rows = [
        (
            c["cohort"]["structure"], f"{c['cohort']['completeness']:.0%}", _percent(c["decided"]),
            _percent(c["right_of_decided"]), _percent(c["undetermined"]), _percent(c["fm_called_sle"], 2),
            _percent(c["sle_called_fm"], 2), _plain(c["everybody"][0]["accuracy"]), _plain(c["accuracy_ideal"]),
            f"{100 * c['of_ideal']:.1f}", f"{100 * c['of_told']:.1f}",
        )
        for c in d["comparison"]
    ]  # fmt: skip
    return "\n\n".join(
        (
            "## Calls, by completeness of the record",
            "At the shipped thresholds, in per cent; accuracy is that of the likeliest hypothesis, nobody left out. *Record "
            "only* is an observer who knows the generator and is told what the program is told: neither sex and age nor why "
            "something is not on record.",
            _table(
                ("structure", "on record", "decided", "right of decided", "undetermined", "FM only called sle",
                 "SLE only called fm", "accuracy", "accuracy ideal", "% of ideal", "% of record only"),
                rows,
            ),
            f"![Accuracy of the likeliest hypothesis by completeness of the record]({charts}/completeness.svg)",
        )
    )  # fmt: skip


def _side_by_side(d: Document, charts: str) -> str:
    parts = [
        "## Beside others, on the same persons",
        "The ideal observer knows the generator: nobody can do better. Both trained models learned from labelled persons of "
        "the same generator, at the same completeness and prevalence; the program learned from none. A single rule gives "
        "no probability, so it has no calibration; what a rule cannot answer counts as negative. Here at the completeness of "
        "most records; `validation.json` has the others.",
    ]
    usual = min(c["cohort"]["completeness"] for c in d["calibration"])
    for c in (c for c in d["comparison"] if c["cohort"]["completeness"] == usual):
        parts.append(f"### {c['cohort']['structure']}, {c['cohort']['completeness']:.0%} on record")
        rows = []
        for e in c["everybody"]:
            sle, fm = e["diseases"]["sle"], e["diseases"]["fm"]
            rows.append(
                (
                    e["who"], _plain(e["accuracy"]), _plain(sle["auc"]), _plain(sle["brier"]), _number(sle["slope"]),
                    _number(sle["intercept"]), _plain(fm["auc"]), _plain(fm["brier"]), _number(fm["slope"]),
                    _number(fm["intercept"]),
                )
            )  # fmt: skip
        parts.append(
            _table(
                ("who", "accuracy (of four)", "AUC SLE", "Brier", "slope", "intercept", "AUC FM", "Brier", "slope",
                 "intercept"),
                rows,
            )
        )  # fmt: skip
        rules = [
            (
                r["rule"], _percent(r["sensitivity"]), _percent(r["specificity"]), _plain(r["accuracy"]), _plain(r["auc"]),
                _percent(r["fm_only_positive"]) if r["fm_only_positive"] else "",
            )
            for r in c["single_rules"]
        ]  # fmt: skip
        parts.append(
            _table(
                ("single rule", "sensitivity", "specificity", "accuracy", "AUC", "FM only positive for lupus"), rules
            )
        )
    parts.append(f"![Decision curves: net benefit by threshold]({charts}/decision.svg)")
    return "\n\n".join(parts)


def _advice(d: Document, charts: str) -> str:
    rows = []
    for a in d["advice"]:
        for name, points in a["paths"].items():
            last = points[-1]
            rows.append(
                (
                    a["cohort"]["structure"],
                    name,
                    _plain(last["tests"], 1),
                    _percent(last["right"]),
                    _percent(last["wrong"]),
                )
            )
    first = d["advice"][0]["cohort"]
    return "\n\n".join(
        (
            "## The next test, beside a fixed panel",
            f"{first['persons']} persons per structure, of whose complaints and signs {first['completeness']:.0%} are on record "
            "and nothing is measured. *Next test named*: everybody has the test that the program names first, until it names "
            "none. *Whole panel*: everybody has every test that it knows, in the order in which it wanted them most. *Until "
            "a call*: nobody is tested further once called. At the end of each path, in per cent:",
            _table(("structure", "path", "tests per person", "right call", "wrong call"), rows),
            "More results are not always better: each can be a false alarm, which forbids a call of fibromyalgia or widens an "
            "interval. Stopping at the first call is quick, and wrong more often: what is named next is also what could "
            "still overturn a call that stands.",
            f"![Share of right calls by number of tests done]({charts}/next_test.svg)",
        )
    )


def _criteria(d: Document) -> str:
    rows = []
    for c in d["criteria"]:
        for name, s in c["sets"].items():
            rows.append(
                (c["cohort"]["structure"], name, _percent(s["sensitivity"]), _percent(s["specificity_neither"]),
                 _percent(s["specificity_fm"]))
            )  # fmt: skip
    done = d["criteria"][0]["cohort"]["completeness"]
    return "\n\n".join(
        (
            "## Classification sets on simulated records",
            f"At {done:.0%} on record, points at face value, to hold beside the published figures above: published "
            "sensitivities are of established or selected lupus, simulated rates mostly of early lupus.",
            _table(
                ("structure", "set", "sensitivity", "specificity against neither", "specificity against FM only"), rows
            ),
        )
    )


def charts(document: Document) -> dict[str, str]:
    """File name to SVG."""
    return dict(
        zip(
            CHARTS,
            (_reliability(document), _completeness(document), _decision(document), _next_test(document)),
            strict=True,
        )
    )


def _reliability(d: Document) -> str:
    panels = []
    whole = max(c["cohort"]["completeness"] for c in d["calibration"])
    for structure in _structures(d):
        for disease, name in DISEASES.items():
            lines = []
            for c in d["calibration"]:
                if (c["cohort"]["structure"], c["cohort"]["completeness"]) == (structure, whole):
                    points = c["diseases"][disease]["reliability"]
                    lines.append(
                        Line(
                            c["prevalence"],
                            [(p["mean"], p["value"]) for p in points],
                            [(p["low"], p["high"]) for p in points],
                        )
                    )
            panels.append(Panel(f"{structure}: {name}", lines, diagonal=True))
    return figure(
        panels,
        2,
        "probability given",
        "share that has it",
        f"Reliability of the probabilities at {whole:.0%} on record, with intervals",
    )


def _completeness(d: Document) -> str:
    panels = []
    for structure in dict.fromkeys(c["cohort"]["structure"] for c in d["comparison"]):
        mine = [c for c in d["comparison"] if c["cohort"]["structure"] == structure]
        names = [e["who"] for e in mine[0]["everybody"]]
        lines = [
            Line(
                name,
                [
                    (c["cohort"]["completeness"], e["accuracy"])
                    for c in mine
                    for e in c["everybody"]
                    if e["who"] == name
                ],
            )
            for name in names
        ]
        lines.append(Line("tellapart, decided", [(c["cohort"]["completeness"], c["decided"]["value"]) for c in mine]))
        lines.append(
            Line(
                "tellapart, right of decided",
                [(c["cohort"]["completeness"], c["right_of_decided"]["value"]) for c in mine],
            )
        )
        panels.append(Panel(structure, lines))
    return figure(panels, 3, "share on record", "share of persons", "Accuracy and calls by completeness of the record")


def _decision(d: Document) -> str:
    last = [c for c in d["comparison"] if c["cohort"]["completeness"] == d["calibration"][0]["cohort"]["completeness"]]
    panels = []
    for c in last:
        for disease, name in DISEASES.items():
            at = c["thresholds"]
            lines = [
                Line(e["who"], list(zip(at, e["diseases"][disease]["net_benefit"], strict=True)))
                for e in c["everybody"]
            ]
            rule = {"sle": "EULAR/ACR 2019 alone (points ≥ 10)", "fm": "ACR 2016 FM form alone"}[disease]
            lines += [
                Line("one set alone", list(zip(at, r["net_benefit"], strict=True)))
                for r in c["single_rules"]
                if r["rule"] == rule
            ]
            lines.append(
                Line("everybody treated as having it", list(zip(at, c["everybody_treated"][disease], strict=True)))
            )
            top = max(
                c["everybody_treated"][disease][0], *(e["diseases"][disease]["net_benefit"][0] for e in c["everybody"])
            )
            panels.append(Panel(f"{c['cohort']['structure']}: {name}", lines, -0.05, round(top + 0.05, 2)))
    return figure(panels, 2, "threshold of probability", "net benefit", "Decision curves")


def _next_test(d: Document) -> str:
    panels = []
    for a in d["advice"]:
        for kind, top in (("right", 1.0), ("wrong", 0.2)):
            lines = [
                Line(name, [(p["tests"], p[kind]["value"]) for p in points]) for name, points in a["paths"].items()
            ]
            title = f"{a['cohort']['structure']}: {kind} calls"
            panels.append(Panel(title, lines, high=top, right=float(a["panel_tests"])))
    return figure(panels, 2, "tests done, mean per person", "share of persons", "Right and wrong calls by tests done")
