"""Rendering: what a person reads says exactly what the document says, in every output, and nothing unsafe."""

from __future__ import annotations

import copy
import io
import json
import math
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.console import Console

from tellapart.rendering import charts, words
from tellapart.rendering.html import workup_page
from tellapart.rendering.report import audit_report
from tellapart.rendering.terminal import print_audit_summary, print_workup

GOLDEN = Path(__file__).parent.parent / "golden"
WORKUPS = sorted((GOLDEN / "workups").glob("*.json"))
LABELS = {"ana_ge_80": "ANA at 1:80 or more", "anti_dsdna": "Anti-dsDNA antibodies", "sle_dx": "Coded as SLE"}
CITATIONS = {"10.1136/annrheumdis-2018-214819": "Aringer 2019. doi:10.1136/annrheumdis-2018-214819."}
ATTACK = '<script>alert("x")</script>[bold red]\x1b[2J\u202e'
VOID = {"meta", "br", "link", "img", "input", "hr"}


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def terminal(doc: dict[str, Any], width: int = 80, labels: dict[str, str] = LABELS) -> str:
    out = io.StringIO()
    print_workup(doc, labels, Console(file=out, width=width, color_system=None))
    return out.getvalue()


def page(doc: dict[str, Any]) -> str:
    return workup_page(doc, LABELS, CITATIONS)


def audit() -> dict[str, Any]:
    return load(GOLDEN / "reports" / "audit.json")


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(params=WORKUPS, ids=lambda p: p.stem)
def doc(request: pytest.FixtureRequest) -> dict[str, Any]:
    return load(request.param)


class Page(HTMLParser):
    """A page as the list of its tags, links and visible text; refuses tags that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return squeezed(" ".join(self.words))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


# -- the documents ------------------------------------------------------------------------------------------------


def schema() -> dict[str, Any]:
    file = resources.files("tellapart.contracts") / "schemas" / "workup.schema.json"
    return json.loads(file.read_text(encoding="utf-8"))


def test_there_are_golden_documents() -> None:
    assert len(WORKUPS) == 4


def test_golden_documents_keep_the_contract(doc: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.Draft202012Validator(schema()).validate(doc)


def test_the_schema_allows_more_keys_and_refuses_fewer(doc: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(schema())
    assert validator.is_valid({**doc, "later": 1})
    assert not validator.is_valid({key: value for key, value in doc.items() if key != "red_flags"})


def test_golden_documents_add_up(doc: dict[str, Any]) -> None:
    """Prior plus the bits of used weights give the posterior; the accounting adds up; totals keep their order."""
    differential = doc["differential"]
    odds = {
        h: math.log2(p) + sum(w["bits"][h] for w in differential["weights"] if w["used"])
        for h, p in differential["prior"].items()
    }
    whole = sum(2**value for value in odds.values())
    for hypothesis, value in odds.items():
        assert differential["posterior"][hypothesis]["p"] == pytest.approx(2**value / whole, abs=1e-6)
    assert doc["coverage"]["read"] == sum(doc["coverage"][key] for key in words.ACCOUNTING[1:])
    for criterion in doc["criteria"]:
        assert criterion["points_specific"] <= criterion["points_attributed"] <= criterion["points"]
        assert criterion["points"] == sum(domain["points"] for domain in criterion["domains"])


# -- the terminal -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", WORKUPS, ids=lambda p: p.stem)
def test_terminal_snapshot(path: Path) -> None:
    """The text as it is. Rewrite after an intended change: UPDATE_GOLDEN=1 pytest tests/unit/test_rendering.py"""
    check_snapshot(GOLDEN / f"{path.stem}.txt", terminal(load(path)))


def test_audit_terminal_snapshot() -> None:
    out = io.StringIO()
    print_audit_summary(audit(), Console(file=out, width=80, color_system=None))
    check_snapshot(GOLDEN / "audit.txt", out.getvalue())


def check_snapshot(file: Path, text: str) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 80, 132])
def test_terminal_keeps_its_width(doc: dict[str, Any], width: int) -> None:
    lines = terminal(doc, width).splitlines()
    assert max(len(line) for line in lines) <= width
    assert all(line == line.rstrip() for line in lines)


def test_terminal_says_everything(doc: dict[str, Any]) -> None:
    text = squeezed(terminal(doc, 200))
    assert doc["person"]["id"] in text and doc["as_of"] in text and words.POSTURE in text
    assert squeezed(doc["differential"]["reason"]) in text
    assert words.SYNTHETIC in text
    for flag in doc["red_flags"]:
        assert flag["text"] in text
        assert all(entry["reference"] in text for entry in flag["evidence"])


def test_terminal_writes_on_an_output_without_unicode(doc: dict[str, Any]) -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    print_workup(doc, LABELS, Console(file=out, width=80, color_system=None))
    out.flush()
    assert b"-" in raw.getvalue() and b"RED FLAGS" in raw.getvalue()


def test_terminal_has_color_on_a_terminal_and_honors_no_color(
    doc: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def colored() -> str:
        out = io.StringIO()
        print_workup(doc, LABELS, Console(file=out, width=80, force_terminal=True, color_system="standard"))
        return out.getvalue()

    monkeypatch.delenv("NO_COLOR", raising=False)
    colors = re.compile(r"\x1b\[(?:\d+;)*3[0-7]")
    assert bool(colors.search(colored())) == (bool(doc["red_flags"]) or doc["differential"]["call"] != "undetermined")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colors.search(colored())


# -- what every output must keep ----------------------------------------------------------------------------------


def outputs(doc: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "terminal", squeezed(terminal(doc, 400))
    yield "page", Page(page(doc)).text


def test_red_flags_come_before_any_score(doc: dict[str, Any]) -> None:
    for name, text in outputs(doc):
        flags = text.lower().index("red flags")
        assert flags < text.index(words.headline(doc)), name
        scores = [text.index(f"{p}") for p in (words.percent(doc["differential"]["prior"]["fm"]), "specific ")]
        assert flags < min(scores), name
        for flag in doc["red_flags"]:
            assert text.index(flag["text"]) < min(scores), name


def test_the_most_urgent_red_flag_comes_first(doc: dict[str, Any]) -> None:
    doc["red_flags"] = [
        {"flag": "later", "urgency": "soon", "text": "The soon one.", "evidence": []},
        {"flag": "now", "urgency": "emergency", "text": "The emergency one.", "evidence": []},
    ]
    for name, text in outputs(doc):
        assert text.index("The emergency one.") < text.index("The soon one."), name


def test_no_empty_value_leaks(doc: dict[str, Any]) -> None:
    for name, text in outputs(doc):
        assert not re.search(r"\b(None|nan|NaN|null|Undefined|True|False)\b", text), name
    bare = copy.deepcopy(doc)
    bare["person"] = {"id": "x", "sex": "unknown", "birth_date": None, "age": None}
    for entry in bare["differential"]["posterior"].values():
        entry["low"] = entry["high"] = None
    for finding in bare["findings"]:
        finding.update(first_date=None, last_date=None, by=None, fm_explains=None)
        finding["evidence"] = [{"reference": "x", "date": None, "text": None}]
    for weight in bare["differential"]["weights"]:
        weight["bits"]["both"] = float("nan")
    for name, text in outputs(bare):
        assert not re.search(r"\b(None|nan|NaN|null|Undefined)\b", text), name


def test_printed_bits_are_those_of_the_document(doc: dict[str, Any]) -> None:
    used = [w for w in doc["differential"]["weights"] if w["used"]]
    printed = [float(attrs["value"] or "nan") for attrs in Page(page(doc)).all("data")]
    assert sorted(printed) == sorted(w["bits"][h] for w in used for h in ("sle", "fm", "both"))
    text = terminal(doc, 132)
    for weight in used:
        said = [words.bits(weight["bits"][h]) for h in ("sle", "fm")]
        name = words.label(weight["finding"], LABELS)
        line = rf"{re.escape(name)}: {weight['state']}.*{re.escape(said[0])} +{re.escape(said[1])}$"
        assert re.search(line, text, re.M), line


def test_every_output_prints_the_same_numbers(doc: dict[str, Any]) -> None:
    shown = [text for _, text in outputs(doc)]
    for hypothesis, entry in doc["differential"]["posterior"].items():
        row = f"{words.percent(doc['differential']['prior'][hypothesis])} {words.percent(entry['p'])}"
        assert all(f"{row} {words.interval(entry)}" in text for text in shown)
    assert all(squeezed(words.call_sentence(doc)) in text for text in shown)
    assert all(words.coverage_sentence(doc["coverage"]) in text for text in shown)
    for criterion in doc["criteria"]:
        line = words.set_line(criterion, LABELS)
        assert all(said in text for said in (*line.numbers, *line.notes) for text in shown)


def test_the_headline_of_a_set_is_never_taken_from_points() -> None:
    """FM coded as SLE: 11 points at face value reach the threshold of 10, and still the set is not called met."""
    coded = load(GOLDEN / "workups" / "synthetic-fm-coded-as-sle.json")
    criterion = coded["criteria"][0]
    assert criterion["met"] is True and criterion["points"] >= criterion["threshold"]
    line = words.set_line(criterion, LABELS)
    assert line.verdict == "cannot tell yet"
    assert line.numbers == ["specific 0 so far (needs at least 10)", "at face value 11"]
    assert words.set_line({**criterion, "met_specific": False}, LABELS).verdict == "not met"
    for name, text in outputs(coded):
        assert "EULAR/ACR 2019: met" not in text, name
        assert "reaches its threshold only at face value" in text, name


def test_conflicts_and_likelier_causes_are_said() -> None:
    for name, text in outputs(load(GOLDEN / "workups" / "synthetic-fm-coded-as-sle.json")):
        assert "ANA at 1:80 or more: stated and denied on one date" in text, name
        assert "carbamazepine [MedicationRequest/21]" in text, name


def test_text_of_a_record_is_only_text(doc: dict[str, Any]) -> None:
    """Every text of the document carries markup, a terminal escape and a direction override; none survives."""

    def poison(node: Any, key: str = "") -> Any:
        if isinstance(node, dict):
            return {k: poison(v, k) for k, v in node.items()}
        if isinstance(node, list):
            return [poison(v, key) for v in node]
        steering = {"state", "call", "condition", "urgency", "severity", "sex", "comparator", "schema", "as_of"}
        return node + ATTACK if isinstance(node, str) and key not in steering and "date" not in key else node

    bad = poison(doc)
    shown = page(bad)
    assert "<script" not in shown and "&lt;script&gt;" in shown
    assert not {"\x1b", "\u202e"} & set(shown)
    Page(shown)
    text = terminal(bad)
    assert not {"\x1b", "\u202e"} & set(text)
    assert "[boldred]" in re.sub(r"\s", "", text)


# -- the page -----------------------------------------------------------------------------------------------------


def pages() -> Iterator[tuple[str, str]]:
    for path in WORKUPS:
        yield path.stem, page(load(path))
    yield "audit", audit_report(audit())


@pytest.fixture(params=[name for name, _ in pages()])
def any_page(request: pytest.FixtureRequest) -> str:
    return dict(pages())[request.param]


def test_page_is_self_contained(any_page: str) -> None:
    shown = Page(any_page)
    assert not {tag for tag, _ in shown.tags} & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    for tag, attrs in shown.tags:
        assert not any(name.startswith("on") or name in {"src", "srcset", "action"} for name in attrs), tag
        link = attrs.get("href")
        assert link is None or link.startswith(("#", "https://doi.org/10.")), link
    assert "@import" not in any_page
    assert set(re.findall(r"url\(([^)]*)\)", any_page)) <= {"#hatch"}
    policy = [a for a in shown.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy and (policy[0]["content"] or "").startswith("default-src 'none'")


def test_page_can_be_read_by_everybody(any_page: str) -> None:
    shown = Page(any_page)
    assert shown.all("html")[0]["lang"] == "en"
    assert len(shown.all("h1")) == 1 and len(shown.all("main")) == 1
    levels = [int(tag[1]) for tag, _ in shown.tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(attrs.get("scope") for attrs in shown.all("th"))
    for drawing in re.findall(r"<svg(?: class=\"defs\")?[^>]*>", any_page):
        assert 'aria-hidden="true"' in drawing or "focusable" in drawing or 'width="1"' in drawing
    ids = [attrs["id"] for _, attrs in shown.tags if attrs.get("id")]
    assert len(ids) == len(set(ids))
    targets = {str(a["href"])[1:] for a in shown.all("a") if str(a.get("href")).startswith("#")}
    targets |= {str(a["aria-labelledby"]) for _, a in shown.tags if a.get("aria-labelledby")}
    assert targets <= set(ids)


def test_every_row_of_a_table_is_as_wide_as_its_head(any_page: str) -> None:
    for table in re.findall(r"<table.*?</table>", any_page, re.S):
        head = len(re.findall(r"<th[ >]", re.findall(r"<thead.*?</thead>", table, re.S)[0]))
        reach = 0
        for row in re.findall(r"<tr.*?</tr>", table.split("</thead>")[1], re.S):
            spans = re.findall(r'rowspan="(\d+)"', row)
            reach = int(spans[0]) if spans else max(reach - 1, 0)
            width = sum(int(n or 1) for n in re.findall(r'<t[hd](?=[ >])(?:[^>]*?colspan="(\d+)")?', row))
            assert width + (1 if reach and not spans else 0) == head, row


def test_colors_have_contrast() -> None:
    """WCAG 2.2 AA: 4.5:1 for text, 3:1 for what is drawn, in the light, the dark and the printed page."""
    css = (resources.files("tellapart.rendering") / "templates" / "page.css").read_text(encoding="utf-8")
    palettes = re.findall(r":root \{(.*?)\}", css, re.S)
    assert len(palettes) == 3
    for palette in palettes:
        color = {name: hex_color(value) for name, value in re.findall(r"--([\w-]+): (#[0-9a-f]+)", palette)}
        for ground in ("page", "panel", "alarm-panel"):
            for text in ("text", "quiet", "link", "alarm"):
                assert contrast(color[text], color[ground]) >= 4.5, (text, ground)
        for ground in ("page", "panel"):
            for drawn in ("sle", "fm", "both", "neither"):
                assert contrast(color[drawn], color[ground]) >= 3, (drawn, ground)


def hex_color(text: str) -> tuple[float, ...]:
    digits = text[1:] if len(text) == 7 else "".join(c * 2 for c in text[1:])
    return tuple(int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    def luminance(color: tuple[float, ...]) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_citations_link_to_their_doi() -> None:
    shown = page(load(GOLDEN / "workups" / "synthetic-clear-sle.json"))
    assert 'Aringer 2019. doi:<a href="https://doi.org/10.1136/annrheumdis-2018-214819">' in shown


def test_a_document_with_nothing_in_it_still_renders(doc: dict[str, Any]) -> None:
    for key, value in doc.items():
        if isinstance(value, list):
            doc[key] = []
    doc["differential"]["weights"] = []
    for name, text in outputs(doc):
        assert "carries weight" in text, name
    assert "Nothing on record has a date" in page(doc)


# -- drawing ------------------------------------------------------------------------------------------------------


def test_drawings_stay_inside(doc: dict[str, Any]) -> None:
    weights = charts.weights_chart(doc, LABELS)
    fall = charts.waterfall_chart(doc, LABELS)
    line = charts.timeline_chart(doc, LABELS)
    assert weights and fall and line
    bars = [row[h] for row in weights["rows"] for h in ("sle", "fm")]
    bars += [row["bar"] for row in (*fall["rows"], *line["rows"])]
    bars += [row["line"] for row in charts.posterior_chart(doc)["rows"]]
    assert all(0 <= bar["x"] <= bar["x"] + bar["width"] <= 100 for bar in bars)
    for ticks in (weights["ticks"], fall["ticks"], line["ticks"]):
        assert 1 <= len(ticks) <= 7


def test_the_course_has_the_color_of_what_it_says(doc: dict[str, Any]) -> None:
    """Lupus, fibromyalgia and both as everywhere on the page; a set first met has the color of its disease."""
    states = ["neither", "sle", "both", "fm"]
    course = [{"state": s, "from": f"202{n}-01-01", "to": f"202{n + 1}-01-01"} for n, s in enumerate(states)]
    page = workup_page({**doc, "course": course}, LABELS)
    timeline = page[page.index('id="h-timeline"') : page.index('id="h-findings"')]
    bars = re.findall(r'<rect class="([a-z-]+)" x="[^"]+" width="[^"]+" y="6" height="8"/>', timeline)
    assert bars == ["fill-neither", "fill-sle", "fill-both", "hatched"]
    met = [c["condition"] for c in doc["criteria"] if c["met_specific"] and c["met_specific_date"]]
    diamonds = re.findall(r'<rect class="fill-([a-z]+)" x="-5"', timeline)
    assert diamonds == met


def test_the_waterfall_ends_at_the_posterior() -> None:
    little = load(GOLDEN / "workups" / "synthetic-too-little-known.json")
    fall = charts.waterfall_chart(little, LABELS)
    assert fall
    posterior = little["differential"]["posterior"]
    assert fall["rows"][-1]["level"] == words.bits(math.log2(posterior["sle"]["p"] / posterior["fm"]["p"]))


def test_printed_bits_add_up_to_the_printed_posterior(doc: dict[str, Any]) -> None:
    differential = doc["differential"]
    used = [w for w in differential["weights"] if w["used"]]
    raised = {h: p * 2.0 ** sum(w["bits"][h] for w in used) for h, p in differential["prior"].items()}
    for h, weight in raised.items():
        assert weight / sum(raised.values()) == pytest.approx(differential["posterior"][h]["p"], abs=1e-6)
    said = terminal(doc, width=160).split("FROM PRIOR TO POSTERIOR")[1].split("UNKNOWN, AND")[0]
    numbers = [[float(n.replace("−", "-")) for n in re.findall(r"[+−]?\d+\.\d{6}", line)] for line in said.splitlines()]
    start, *steps, end = [row for row in numbers if row]
    assert len(start) == len(end) == 1
    assert len(steps) == len(used)
    assert start[0] == pytest.approx(math.log2(differential["prior"]["sle"] / differential["prior"]["fm"]), abs=1e-6)
    assert start[0] + sum(change for change, _ in steps) == pytest.approx(end[0], abs=2e-6)
    assert end[0] == pytest.approx(math.log2(raised["sle"] / raised["fm"]), abs=2e-6)


def test_the_waterfall_is_left_out_without_prior_odds(doc: dict[str, Any]) -> None:
    doc["differential"]["prior"]["sle"] = 0.0
    assert charts.waterfall_chart(doc, LABELS) is None
    assert "From prior to posterior" not in page(doc)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2021", "2021-01-01"), ("2021-03", "2021-03-01"), ("2021-03-04T10:00:00+02:00", "2021-03-04"), ("2021-13", None)],
)
def test_partial_dates_stand_on_their_first_day(text: str, expected: str | None) -> None:
    found = charts.day(text)
    assert (found.isoformat() if found else None) == expected


# -- wording ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identifier", "wording"),
    [
        ("anti_dsdna", "Anti-dsDNA"),
        ("ana_ge_80", "ANA ≥ 80"),
        ("eular_acr_2019", "EULAR/ACR 2019"),
        ("sledai_2k", "SLEDAI-2K"),
        ("fm_2016", "FM 2016"),
        ("nephritis_class_iv", "Nephritis class IV"),
        ("malar_rash", "Malar rash"),
    ],
)
def test_an_id_without_a_label_becomes_words(identifier: str, wording: str) -> None:
    assert words.label(identifier, {}) == wording
    assert words.label(identifier, {identifier: "Its label"}) == "Its label"


@pytest.mark.parametrize(
    ("value", "text"), [(2.1, "+2.10"), (-0.4, "−0.40"), (0.0, "0.00"), (-0.001, "0.00"), (None, "not known")]
)
def test_bits(value: float | None, text: str) -> None:
    assert words.bits(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.0, "4 times as often"), (-2.0, "4 times less often"), (0.01, "about as often"), (5.0, "32 times as often")],
)
def test_bits_as_words(value: float, text: str) -> None:
    assert words.times(value) == text


@pytest.mark.parametrize(
    ("p", "text"), [(0.0, "<1%"), (0.004, "<1%"), (0.944, "94%"), (0.999, ">99%"), (1.0, ">99%"), (None, "not known")]
)
def test_a_probability_never_claims_certainty(p: float | None, text: str) -> None:
    assert words.percent(p) == text


def test_a_call_of_fm_without_the_safe_work_up_says_so_in_its_headline(doc: dict[str, Any]) -> None:
    doc["differential"].update(call="fm", reason="FM is supported; lupus not excluded: no blood count on record.")
    assert words.headline(doc) == "FM is supported; lupus not excluded"


def test_a_set_that_does_not_apply_gives_its_reason(doc: dict[str, Any]) -> None:
    criterion = {**doc["criteria"][-1], "applicable": False, "met": None, "not_applicable": "under 18 years"}
    line = words.set_line(criterion, LABELS)
    assert (line.verdict, line.numbers, line.notes) == ("not applicable", [], ["under 18 years"])


# -- the audit ----------------------------------------------------------------------------------------------------


def test_audit_report_says_what_was_done() -> None:
    text = Page(audit_report(audit())).text
    for said in (
        "General population",
        "1,240 persons",
        "Agreement of codes with calls",
        "How much the setting matters",
        "Observation/88121",
        "44 rejected",
        "unit with no conversion",
        words.SYNTHETIC,
        words.POSTURE,
    ):
        assert said in text, said
    assert text.index("Population") < text.index("Agreement of codes") < text.index("Criteria sets")
    assert not re.search(r"\b(None|nan|NaN|null|Undefined)\b", text)


def test_audit_report_escapes_and_needs_little() -> None:
    summary = audit()
    summary["worklist"][0]["text"] = summary["worklist"][0]["person_id"] = ATTACK
    summary["tables"][0]["rows"][0][0] = summary["source"]["name"] = ATTACK
    assert "<script" not in audit_report(summary)
    needed = ("schema", "software", "knowledge", "as_of", "settings", "persons", "calls")
    least = {key: audit()[key] for key in needed} | {"persons": 0, "settings": {}, "calls": {}}
    Page(audit_report(least))
    print_audit_summary(least, Console(file=io.StringIO()))


def test_the_worklist_in_the_report_is_cut_and_says_so() -> None:
    summary = audit()
    summary["worklist"] = [{**summary["worklist"][0], "person_id": f"synthetic-{n}"} for n in range(60)]
    summary["worklist_total"] = 60
    text = Page(audit_report(summary)).text
    assert "The first 50 of 60 rows" in text and "synthetic-49" in text and "synthetic-50" not in text


def test_a_chart_of_the_report_stands_above_its_table_and_says_what_it_shows() -> None:
    chart = {
        "lines": [{"name": "All & sundry", "points": [[0, 0], [1, 0.12]], "bars": [[0, 0], [0.08, 0.17]]}],
        "right": 1, "across": "years", "up": "share", "described": ATTACK,
    }  # fmt: skip
    table = {
        "id": "fm_after_sle",
        "title": "After",
        "columns": ["Year", "Share"],
        "rows": [["1", "12.0%"]],
        "chart": chart,
    }
    page = Page(audit_report({**audit(), "tables": [table]}))
    assert page.all("polyline") and "12.0%" in page.text and "All & sundry" in page.text
    assert ATTACK[:10] in page.text and not page.all("script"), "the description is there, as text"
    without = Page(audit_report({**audit(), "tables": [{**table, "chart": None}]}))
    assert not without.all("polyline")
