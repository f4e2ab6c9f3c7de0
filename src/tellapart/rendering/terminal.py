"""A workup, or the summary of an audit, on a terminal.

Order of a workup: red flags before any score (design §3.2), who, the call with its interval, SLE and FM side by side,
what argues for and against, what is unknown and would matter, conflicts, coverage, posture. Works at 80 columns, in a
pipe and without color: color and weight only repeat what the words say. rich honors NO_COLOR by itself.

Text from records never reaches rich as markup and carries no control characters, so a note cannot steer the terminal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tellapart.rendering import activity, drug_induced, explanation, flares, treatment, words
from tellapart.rendering.words import Document, Labels

_MOST_WEIGHTS = 8
_MOST_EVIDENCE = 2
_MOST_ROWS = 12
_INDENT = 2
_URGENT = {"emergency", "same_day", "urgent"}
_CALL_STYLE = {"sle": "bold cyan", "fm": "bold yellow", "both": "bold magenta"}


def print_workup(doc: Document, labels: Labels, console: Console) -> None:
    """Print a finished `tellapart.workup/1`.

    `labels` maps ids of findings, sets, items and tests to wording; ids without one are spelled out. Nothing is read
    from or written to anywhere but `console`. Keys that the document does not have yet are passed over.
    """
    _write(console, _workup(doc, labels))


def print_audit_summary(summary: Document, console: Console) -> None:
    """Print what an audit did: the `tellapart.report/1` described in `report.audit_report`, plus `files`.

    `files` is a list of `{"file", "what"}` written into the folder.
    """
    _write(console, _audit(summary))


# -- workup -------------------------------------------------------------------------------------------------------


def _workup(doc: Document, labels: Labels) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if doc.get("synthetic"):
        parts += [Text(words.SYNTHETIC, style="bold"), Text()]
    parts += _red_flags(doc, labels)
    parts += _heading("Who")
    parts.append(_body(" · ".join(words.who(doc))))
    parts += _heading("Call")
    call = doc["differential"]["call"]
    parts.append(_body(Text(words.headline(doc), style=_CALL_STYLE.get(call, "bold"))))
    parts.append(_body(words.call_sentence(doc)))
    parts.append(_body(words.clean(doc["differential"]["reason"])))
    if sensitivity := words.sensitivity_sentence(doc):
        parts.append(_body(sensitivity))
    parts += [Text(), _posterior(doc)]
    parts += _heading("Criteria, SLE and FM side by side")
    parts.append(_side_by_side(doc, labels))
    parts += _weights(doc, labels)
    steps = explanation.steps_table(doc, labels)
    if steps is not None:
        parts += _heading(explanation.TITLE)
        parts += [_body(Text(explanation.CAPTION, style="dim")), _body(steps)]
    parts += _unknown(doc, labels)
    parts += _activity(doc, labels)
    parts += _verdicts(flares.TITLE, flares.NOTE, flares.lines(doc))
    parts += _verdicts(drug_induced.TITLE, drug_induced.NOTE, drug_induced.lines(doc))
    parts += _treatment(doc)
    parts += _later_sections(doc, labels)
    parts += _bullets("Conflicts in the record", words.conflicts(doc, labels))
    parts += _bullets("Likelier causes on record", words.contested(doc, labels))
    parts += _heading("What this rests on")
    parts.append(_body(words.coverage_sentence(doc.get("coverage") or {})))
    parts.append(_body(words.POSTURE))
    parts.append(_body(Text(words.versions(doc), style="dim")))
    return parts


def _red_flags(doc: Document, labels: Labels) -> list[RenderableType]:
    flags = words.red_flags(doc, labels)
    if not flags:
        return [Text("RED FLAGS", style="bold"), _body("No red flag is on record.")]
    parts: list[RenderableType] = [Text(f"RED FLAGS ({len(flags)})", style="bold red")]
    for flag in flags:
        title = Text(f"{flag['urgency_words']}: ", style="bold red" if flag["urgency"] in _URGENT else "bold")
        parts.append(_body(title.append(flag["text"], style="not bold default")))
        if flag["cause"]:
            parts.append(_under(f"likelier cause on record: {words.inside(flag['cause'])}", level=2))
        parts += _evidence(flag["evidence"], level=2)
    return parts


def _posterior(doc: Document) -> RenderableType:
    differential = doc["differential"]
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), show_edge=False, header_style="dim")
    table.add_column("Answer")
    for name in ("Prior", "Now", "Interval"):
        table.add_column(name, justify="right")
    for hypothesis in words.HYPOTHESES:
        entry = differential["posterior"].get(hypothesis)
        if entry is not None:
            table.add_row(
                words.HYPOTHESIS_NAMES[hypothesis],
                words.percent(differential["prior"].get(hypothesis)),
                words.percent(entry.get("p")),
                words.interval(entry),
                style="bold" if hypothesis == differential["call"] else "",
            )
    return _body(table)


def _side_by_side(doc: Document, labels: Labels) -> RenderableType:
    table = Table(box=None, expand=True, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("SLE", ratio=1, overflow="fold")
    table.add_column("FM", ratio=1, overflow="fold")
    table.add_row(*(_sets(words.set_lines(doc, labels, condition)) for condition in ("sle", "fm")))
    return _body(table)


def _sets(lines: Sequence[words.SetLine]) -> RenderableType:
    if not lines:
        return Text("no set was worked out")
    parts: list[RenderableType] = []
    for position, line in enumerate(lines):
        if position:
            parts.append(Text())
        parts.append(Text(f"{line.name}: ", overflow="fold").append(line.verdict, style="bold"))
        table = _grid(2)
        for said in line.numbers:
            table.add_row("-", Text(said, overflow="fold"))
        for note in line.notes:
            table.add_row("-", Text(note, style="dim", overflow="fold"))
        parts.append(table)
    return Group(*parts)


def _weights(doc: Document, labels: Labels) -> list[RenderableType]:
    used = words.used_weights(doc)
    groups = (
        ("Argues for SLE rather than FM", [w for w in used if words.lean(w) > 0]),
        ("Argues for FM rather than SLE", [w for w in used if words.lean(w) < 0]),
        ("Tells the two apart in neither direction", [w for w in used if words.lean(w) == 0]),
    )
    parts: list[RenderableType] = []
    for title, weights in groups:
        if not weights:
            continue
        parts += _heading(f"{title}, strongest first")
        if len(parts) == len(_heading("")):
            parts.append(_body(Text(words.BITS_EXPLAINED, style="dim")))
        table = Table(box=None, expand=True, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("", ratio=1, overflow="fold")
        table.add_column("SLE bits", justify="right", no_wrap=True)
        table.add_column("FM bits", justify="right", no_wrap=True)
        for weight in weights[:_MOST_WEIGHTS]:
            numbers = (words.bits(weight["bits"].get("sle")), words.bits(weight["bits"].get("fm")))
            table.add_row(_weight(doc, weight, labels), *numbers)
        parts.append(_body(table))
        if len(weights) > _MOST_WEIGHTS:
            parts.append(_body(f"and {len(weights) - _MOST_WEIGHTS} weaker; --html and --json show all"))
    if not used:
        parts += _heading("What argues for and against")
        parts.append(_body("Nothing on record carries weight; the answer is the starting point of the setting."))
    unused = [words.inside(words.weight_label(w, labels)) for w in words.unused_weights(doc)]
    if unused:
        parts.append(
            _body(
                f"On record, not added (another finding says the same, or only the patient tells of the sign): {words.first_of(unused, 8)}."
            )
        )
    return parts


def _weight(doc: Document, weight: Document, labels: Labels) -> RenderableType:
    title = Text(f"{words.weight_label(weight, labels)}: {words.state_words(weight['state'])}", style="bold")
    marks = words.weight_marks(weight)
    if marks:
        title.append(f" ({', '.join(marks)})", style="not bold")
    parts: list[RenderableType] = [title, _under(words.weight_words(weight))]
    finding = words.finding_of(doc, weight)
    if finding is not None:
        lines = words.evidence_lines(finding.get("evidence") or ())
        parts += _evidence(lines) if lines else [_under(words.dates_words(finding), "dim")]
    return Group(*parts)


def _evidence(lines: Sequence[Mapping[str, str]], level: int = 1) -> list[RenderableType]:
    parts = [_under(words.evidence_words(entry), "dim", level) for entry in lines[:_MOST_EVIDENCE]]
    more = len(lines) - _MOST_EVIDENCE
    return [*parts, _under(f"and {words.counted(more, 'more record')}", "dim", level)] if more > 0 else parts


def _unknown(doc: Document, labels: Labels) -> list[RenderableType]:
    parts = _heading("Unknown, and would matter")
    rows = words.unknown_that_matters(doc, labels)
    if not rows:
        return [*parts, _body("Nothing that is unknown would change a criteria set.")]
    for row in rows:
        parts.append(_body(Text(row["set"], style="bold")))
        if row["unknown"]:
            parts.append(_under(f"not on record: {row['unknown']}", level=2))
        if row["fewest"]:
            parts.append(_under(f"would be met with: {row['fewest']}", level=2))
    return parts


def _activity(doc: Document, labels: Labels) -> list[RenderableType]:
    lines = activity.lines(doc, labels)
    if not lines:
        return []
    parts = [*_heading(activity.TITLE), _body(Text(activity.caption(doc), style="dim"))]
    for line in lines:
        parts.append(_body(Text(f"{line.name}: ").append(line.verdict, style="bold")))
        parts += [_under(note, level=2) for note in line.notes]
        if line.unknown:
            names = words.first_of(line.unknown, _MOST_ROWS)
            parts.append(_under(f"Not on record, {len(line.unknown)} of {line.items}: {names}", "dim", level=2))
    return parts


def _verdicts(title: str, note: str, lines: list[tuple[str, str, list[str]]]) -> list[RenderableType]:
    if not lines:
        return []
    parts = [*_heading(title), _body(Text(note, style="dim"))]
    for name, verdict, notes in lines:
        parts.append(_body(Text(f"{name}: ").append(verdict, style="bold")))
        parts += [_under(note, level=2) for note in notes]
    return parts


def _treatment(doc: Document) -> list[RenderableType]:
    lines = treatment.lines(doc)
    parts: list[RenderableType] = []
    if lines:
        parts = [*_heading(treatment.TITLE), _body(Text(treatment.NOTE, style="dim"))]
    for line in lines:
        parts.append(_body(Text(f"{line.severity}: ", style="bold").append(line.text, style="not bold")))
        parts += [_under(note, level=2) for note in [line.wrong_if, *line.evidence] if note]
    parts += _bullets("Treatment rules excused by the record", treatment.excused(doc))
    parts += _bullets("Treatment rules that need more data", treatment.silent(doc))
    parts += _bullets(treatment.WRONG_LABELS, treatment.wrong_labels(doc))
    parts += _bullets(treatment.RECIPROCAL, treatment.reciprocal(doc))
    return parts


def _later_sections(doc: Document, labels: Labels) -> list[RenderableType]:
    """Sections that later stages fill; each is printed only when the document has it."""
    course = [
        f"{words.clean(c.get('from'))} to {words.clean(c.get('to')) or 'now'}: "
        + words.inside(words.course_words(c["state"]))
        for c in doc.get("course") or ()
    ]
    return [
        *_next_tests(doc, labels),
        *_mimics(doc),
        *_bullets("Course", course[:_MOST_ROWS]),
        *_bullets("Questionnaires", [_instrument(i, labels) for i in (doc.get("instruments") or ())[-_MOST_ROWS:]]),
    ]


def _mimics(doc: Document) -> list[RenderableType]:
    lines = words.mimic_lines(doc)
    if not lines:
        return []
    parts = [*_heading(words.MIMICS), _body(Text(words.MIMICS_NOTE, style="dim"))]
    for line in lines:
        parts.append(
            _body(
                Text(f"{line['name']}: ", style="bold").append(f"{line['p']}, interval {line['interval']}", "not bold")
            )
        )
        if line["notes"]:
            parts.append(_under(line["notes"], "dim", level=2))
    return [*parts, *(_body(Text(line, style="dim")) for line in words.mimics_below(doc))]


def _next_tests(doc: Document, labels: Labels) -> list[RenderableType]:
    tests = (doc.get("next_tests") or ())[:_MOST_ROWS]
    parts = _heading("Tests that would settle most") if tests else []
    for test in tests:
        expected = test.get("expected_bits")
        told = f"{words.bits(expected)} bits expected" if words.known(expected) else ""
        terms = "; ".join(t for t in (told, words.test_terms(test)) if t)
        parts.append(
            _body(Text(words.test_name(test, labels), style="bold").append(f"  {terms}", style="not bold dim"))
        )
        parts += [_under(line, level=2) for line in words.test_results(test) or [words.clean(test.get("why"))]]
    if together := words.together_lines(doc):
        parts.append(_body(Text(words.TOGETHER, style="bold")))
        parts += [_under(line, level=2) for line in together]
    return parts


def _instrument(entry: Document, labels: Labels) -> str:
    date = words.clean(entry.get("date")) or "no date"
    said = (words.instrument_total(entry), words.instrument_band(entry), words.instrument_change(entry))
    return f"{words.label(entry['instrument'], labels)}, {date}: {'; '.join(s for s in said if s)}"


# -- audit --------------------------------------------------------------------------------------------------------


def _audit(summary: Document) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if summary.get("synthetic"):
        parts += [Text(words.SYNTHETIC, style="bold"), Text()]
    persons = summary.get("persons", 0)
    parts.append(Text(f"Audit of {words.number(persons)} persons, as of {words.clean(summary['as_of'])}", style="bold"))
    settings = {words.inside(words.spelled(k)): v for k, v in (summary.get("settings") or {}).items()}
    if settings:
        parts.append(_body("Setting: " + ", ".join(f"{k} ({words.number(v)})" for k, v in settings.items())))
    parts += _bullets("Warnings", [words.clean(w) for w in summary.get("warnings") or ()])
    parts += _heading("Calls")
    calls = {words.CALL_HEADLINES.get(k, words.spelled(k)): v for k, v in (summary.get("calls") or {}).items()}
    parts.append(_counts(calls))
    parts += _heading("Source rows")
    parts.append(_body(words.coverage_sentence(_totals(summary.get("accounting") or ()))))
    files = summary.get("files") or ()
    if files:
        parts += _heading("Files")
        table = _grid(2)
        for file in files:
            table.add_row(Text(words.clean(file["file"])), Text(words.clean(file.get("what")), style="dim"))
        parts.append(_body(table))
    parts += [Text(), Text(words.POSTURE), Text(words.versions(summary), style="dim")]
    return parts


def _totals(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return {key: sum(int(row.get(key) or 0) for row in rows) for key in words.ACCOUNTING}


def _counts(counts: Mapping[str, int]) -> RenderableType:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    for name, count in counts.items():
        table.add_row(name, words.number(count))
    return _body(table)


# -- shapes -------------------------------------------------------------------------------------------------------


def _heading(title: str) -> list[RenderableType]:
    return [Text(), Text(title.upper(), style="bold")]


def _bullets(title: str, lines: Sequence[str]) -> list[RenderableType]:
    if not lines:
        return []
    table = _grid(2)
    for line in lines:
        table.add_row("-", Text(line, overflow="fold"))
    return [*_heading(title), _body(table)]


def _grid(columns: int) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    for _ in range(columns):
        table.add_column(overflow="fold")
    return table


def _body(content: RenderableType) -> RenderableType:
    return Padding(Text(content, overflow="fold") if isinstance(content, str) else content, (0, 0, 0, _INDENT))


def _under(text: str, style: str = "", level: int = 1) -> RenderableType:
    """A line under another one; all lines of a long text are indented, so that each new line starts a new fact."""
    return Padding(Text(text, style=style, overflow="fold"), (0, 0, 0, level * _INDENT))


def _write(console: Console, parts: list[RenderableType]) -> None:
    """Print. A pipe or file gets no padding at line ends, and (under LANG=C) no sign that its encoding lacks."""
    if console.is_terminal and console.encoding.lower().startswith("utf"):
        console.print(Group(*parts), highlight=False)
        return
    with console.capture() as captured:
        console.print(Group(*parts), highlight=False)
    text = "\n".join(line.rstrip() for line in captured.get().split("\n"))
    console.file.write(text if console.encoding.lower().startswith("utf") else words.to_ascii(text))
