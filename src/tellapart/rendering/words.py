"""What is said: the wording that terminal and pages share.

Every number that appears in more than one output is turned into text here and nowhere else, so that two outputs of one
document can never disagree. Labels of findings, sets, items and tests come from the caller (`labels`, id -> wording of
the knowledge tables); an id without a label is spelled out from its own words.

Rules: design §3.1 (the headline uses `met_specific`, the naive total stands beside it), design §5 (NULL is "cannot tell
yet"), design §7 (decision support, not a diagnosis).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]
Labels = Mapping[str, str]

HYPOTHESES = ("sle", "fm", "both", "neither")

POSTURE = (
    "Decision support for clinicians, not a diagnosis. It rests only on the records read; what is not on record is "
    "unknown, never absent. It never recommends starting, stopping or changing a drug."
)
SYNTHETIC = "Synthetic data: invented records, no real person."
CANNOT_TELL = "cannot tell yet"
NOT_KNOWN = "not known"
TOGETHER = "Ordered together"
BITS_EXPLAINED = (
    "How often each finding is seen with SLE and with FM, compared with neither. +1 bit doubles the odds against "
    "neither, −1 bit halves them. "
    "Related findings overlap: each of them counts in part."
)

HYPOTHESIS_NAMES = {"sle": "SLE alone", "fm": "FM alone", "both": "SLE and FM", "neither": "Neither"}
CALL_HEADLINES = {
    "sle": "SLE is supported",
    "fm": "FM is supported",
    "both": "SLE and FM are both supported",
    "neither": "Neither SLE nor FM is supported",
    "undetermined": "Undetermined",
}
URGENCIES = {
    "emergency": "Emergency",
    "same_day": "Same day",
    "urgent": "Urgent",
    "soon": "Soon",
    "always": "Always check",
}
SOURCES = {"measured": "measured", "clinician": "clinician", "patient": "patient reported", "text": "from a note"}
FM_EXPLAINS = {
    "yes": "just as well",
    "partly": "in part",
    "no": "no",
}
RARE = "<1%"
MOST_SAID = 3  # findings named in one line
ACCOUNTING = ("read", "used", "unmapped", "not_needed", "withdrawn", "duplicate", "after_as_of", "rejected")
SEVERITIES = {"urgent": "Urgent", "review": "Review", "info": "For information"}

# Words that are not written in lower case, and neighbors that belong together; for ids the caller has no label for.
_JOINED = {"eular_acr": "EULAR/ACR", "sledai_2k": "SLEDAI-2K", "as_of": "as-of", "b2gp1": "β2GP1"}
_SPELLED = {
    "acl": "aCL", "acr": "ACR", "aapt": "AAPT", "ana": "ANA", "c3": "C3", "c4": "C4", "ch50": "CH50", "ck": "CK",
    "crp": "CRP", "dsdna": "dsDNA", "ecg": "ECG", "egfr": "eGFR", "esr": "ESR", "fm": "FM", "ibs": "IBS", "la": "La",
    "rnp": "RNP", "ro": "Ro", "sle": "SLE", "slerpi": "SLERPI", "slicc": "SLICC", "sm": "Sm", "sss": "SSS",
    "tsh": "TSH", "uctd": "UCTD", "upcr": "UPCR", "wbc": "WBC", "wpi": "WPI", "i": "I", "ii": "II", "iii": "III",
    "iv": "IV", "v": "V", "vi": "VI", "dx": "(coded)", "ge": "≥", "gt": ">", "lt": "<", "le": "≤",
}  # fmt: skip
_NAMES = {"Coombs", "Raynaud", "Sjögren"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s;,\"<>]+[^\s;,.\"<>)\]]")
_ASCII = str.maketrans(
    {"≥": ">=", "≤": "<=", "−": "-", "–": "-", "—": "-", "·": "-", "…": "...", "×": "x", "β": "beta", "’": "'"}
)


# -- text ---------------------------------------------------------------------------------------------------------


def clean(text: object) -> str:
    """Text from a record without control and direction characters (a note must not steer a terminal or hide text)."""
    return "" if text is None else re.sub(r" {2,}", " ", _CONTROL.sub(" ", str(text))).strip()


def to_ascii(text: str) -> str:
    """The same text for an output that cannot show Unicode: known signs are spelled, others become `?`."""
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")


def spelled(identifier: str) -> str:
    """An id as words: `anti_dsdna` -> `Anti-dsDNA`, `ana_ge_80` -> `ANA ≥ 80`, `eular_acr_2019` -> `EULAR/ACR 2019`."""
    text = clean(identifier)
    parts: list[str] = []
    for joined, wording in _JOINED.items():
        text = re.sub(rf"(^|_){joined}(_|$)", rf"\1{wording.replace('_', ' ')}\2", text)
    for word in text.split("_"):
        parts.append(_SPELLED.get(word, word))
    words = " ".join(part for part in parts if part)
    words = re.sub(r"^anti ", "anti-", words)
    return sentence_start(words)


def label(identifier: str, labels: Labels) -> str:
    """The wording of the knowledge tables for an id, or the id spelled out."""
    return clean(labels.get(identifier) or "") or spelled(identifier)


def inside(wording: str) -> str:
    """A label for the middle of a sentence: lower-case start, unless its first word is an acronym or a name."""
    first = re.split(r"[ '’-]", wording, maxsplit=1)[0]
    return wording[:1].lower() + wording[1:] if first[1:].islower() and first not in _NAMES else wording


def sentence_start(text: str) -> str:
    """The same text with a capital first letter."""
    return text[:1].upper() + text[1:]


def listed(words: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    items = list(words)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def first_of(items: Sequence[str], most: int, between: str = ", ") -> str:
    """The first `most` items, and how many more there are."""
    more = len(items) - most
    return between.join(items[:most]) + (f" and {more} more" if more > 0 else "")


def counted(count: float | int | None, noun: str) -> str:
    """A number with its noun: `1 record`, `3 records`."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


# -- numbers ------------------------------------------------------------------------------------------------------


def known(value: object) -> bool:
    """False for the null and for the not-a-number: both mean that nothing is known."""
    return value is not None and not (isinstance(value, float) and math.isnan(value))


def number(value: float | int | None) -> str:
    """A count or a total: thousands separated, no trailing zeros (`12`, `7.5`, `1,234`)."""
    if value is None or not known(value):
        return NOT_KNOWN
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def bits(value: float | None) -> str:
    """A weight in bits, two decimals, always signed, with a true minus sign: `+2.10`, `−0.40`, `0.00`."""
    if value is None or not known(value):
        return NOT_KNOWN
    text = f"{value:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", "−")


def exact_bits(value: float) -> str:
    """Bits with the six decimals in which they are stored, so that a reader can add them up again."""
    text = f"{value:+.6f}"
    return "0.000000" if float(text) == 0 else text.replace("-", "−")


def percent(p: float | None) -> str:
    """A probability as whole percent; never 0% or 100%, which would claim certainty."""
    if p is None or not known(p):
        return NOT_KNOWN
    whole = round(p * 100)
    return RARE if whole < 1 else ">99%" if whole > 99 else f"{whole}%"


def interval(one: Document) -> str:
    """`86% to 98%` of a posterior entry; says so when no interval was worked out."""
    if not known(one.get("low")) or not known(one.get("high")):
        return "no interval"
    low, high = percent(one["low"]), percent(one["high"])
    return low if low == high else f"{low} to {high}"


def in_hundred(p: float | None) -> str:
    """A probability as a natural frequency: `about 94`, `fewer than 1`, `more than 99` (of 100 such records)."""
    if p is None or not known(p):
        return NOT_KNOWN
    whole = round(p * 100)
    return "fewer than 1" if whole < 1 else "more than 99" if whole > 99 else f"about {whole}"


def times(value: float | None) -> str:
    """A weight in plain words: `4.3 times as often`, `1.3 times less often`, `about as often`."""
    if value is None or not known(value):
        return NOT_KNOWN
    factor = 2 ** abs(value)
    text = f"{factor:.1f}" if factor < 10 else f"{factor:,.0f}"
    if text == "1.0":
        return "about as often"
    return f"{text.removesuffix('.0')} times {'as' if value > 0 else 'less'} often"


def weight_words(one: Document) -> str:
    """One weight in one phrase: how often the finding is seen in SLE and in FM, compared with neither, taken alone."""
    alone = one.get("bits_alone") or one["bits"]
    return f"{times(alone.get('sle'))} in SLE, {times(alone.get('fm'))} in FM"


# -- who and what -------------------------------------------------------------------------------------------------


def who(doc: Document) -> list[str]:
    """Id, sex, age, date and setting, each as a short phrase; what is not known is said, not left out."""
    person = doc["person"]
    sex = person.get("sex") or "unknown"
    age = f"{number(person['age'])} years" if known(person.get("age")) else "age not known"
    if person.get("birth_date"):
        age += f" (born {clean(person['birth_date'])})"
    return [
        clean(person["id"]),
        "sex not known" if sex == "unknown" else clean(sex),
        age,
        f"as of {clean(doc['as_of'])}",
        f"setting: {inside(spelled(doc['setting']))}",
    ]


def headline(doc: Document) -> str:
    """The call as a headline. A reason that opens with the call says more ("…; lupus not excluded"): that is kept."""
    call, reason = doc["differential"]["call"], clean(doc["differential"]["reason"])
    wording = CALL_HEADLINES.get(call, spelled(call))
    return re.split(r"[:.](?: |$)", reason, maxsplit=1)[0] if reason.startswith(wording) else wording


def call_sentence(doc: Document) -> str:
    """The call with its interval, in words and numbers.

    An undetermined call has no probability of its own; the likeliest answer is named with its interval instead.
    """
    differential = doc["differential"]
    call, posterior = differential["call"], differential["posterior"]
    named = call
    if call not in posterior:
        ranked = sorted((h for h in HYPOTHESES if h in posterior), key=lambda h: -(posterior[h].get("p") or 0.0))
        named = ranked[0] if ranked else ""
    if named not in posterior:
        return "No probability was worked out."
    entry = posterior[named]
    name = "neither" if named == "neither" else HYPOTHESIS_NAMES[named]
    lead = f"Of 100 people with this record in this setting, {in_hundred(entry.get('p'))} would have {name}"
    lead += f": {percent(entry.get('p'))}, interval {interval(entry)}."
    return lead if named == call else f"No single answer is given; this is the likeliest one. {lead}"


def sensitivity_sentence(doc: Document) -> str:
    """Which finding, if it were wrong, would change the call: `…: anti-Sm positive (then undetermined: SLE alone 41%).`"""
    differential = doc["differential"]
    if "sensitive_to" not in differential or not any(weight["used"] for weight in differential["weights"]):
        return ""
    changing = differential.get("sensitive_to") or ()
    if not changing:
        return "Were any one of the findings that count wrong, the call would stay the same."

    def said(one: Document) -> str:
        lead = max(HYPOTHESES, key=lambda h: one["posterior"][h])
        name = f"{'no ' if one['state'] == 'absent' else ''}{inside(clean(one['label']))}"
        return f"{name} (then {inside(CALL_HEADLINES[one['call']])}: {HYPOTHESIS_NAMES[lead]} {percent(one['posterior'][lead])})"

    return f"Were one of these wrong, the call would be another: {first_of([said(one) for one in changing], MOST_SAID, '; ')}."


def together_lines(doc: Document) -> list[str]:
    """`ANA + tender points: +0.72 bits expected; call then: undetermined in 67%, SLE alone in 33%.`"""
    lines = []
    for entry in doc.get("tests_together") or ():
        chances = sorted(((chance, call) for call, chance in entry["calls"].items()), key=lambda c: (-c[0], c[1]))
        then = ", ".join(
            f"{HYPOTHESIS_NAMES.get(call, 'undetermined')} in {percent(chance)}"
            for chance, call in chances
            if percent(chance) != percent(0.0)
        )
        names = " + ".join(clean(label) for label in entry["labels"])
        lines.append(f"{names}: {bits(entry['expected_bits'])} bits expected; call then: {then}.")
    return lines


def state_words(state: object) -> str:
    """present, absent or unknown; anything else is unknown."""
    return str(state) if state in ("present", "absent") else "unknown"


def dates_words(finding: Document) -> str:
    """`2024-03-01`, `2024-03-01 to 2025-11-02 (4 days on record)` or `no date`."""
    first, last, days = finding.get("first_date"), finding.get("last_date"), finding.get("days") or 0
    if not first and not last:
        return "no date"
    text = clean(first or last)
    if first and last and first != last:
        text = f"{clean(first)} to {clean(last)}"
    return f"{text} ({number(days)} days)" if days > 1 else text


def evidence_lines(evidence: Iterable[Any]) -> list[dict[str, str]]:
    """Evidence entries as `{date, text, reference}` of clean text; an entry may be an object or a bare reference."""
    lines = []
    for entry in evidence or ():
        one = entry if isinstance(entry, Mapping) else {"reference": entry}
        lines.append({key: clean(one.get(key)) for key in ("date", "text", "reference")})
    return lines


def course_words(state: str) -> str:
    """A state of the course as words (`both` -> `SLE and FM`)."""
    return HYPOTHESIS_NAMES.get(state, spelled(state))


def evidence_words(entry: Mapping[str, str]) -> str:
    """One evidence entry on one line: date, what it says, the record."""
    said = ", ".join(part for part in (entry["date"] or "no date", entry["text"]) if part)
    return f"{said} [{entry['reference']}]" if entry["reference"] else said


def cause_words(contested: Document | None, labels: Labels) -> str:
    """The likelier cause on record of a contested finding, with its record; empty when there is none."""
    if not contested:
        return ""
    reference = clean(contested.get("reference"))
    return label(str(contested.get("cause", "")), labels) + (f" [{reference}]" if reference else "")


def red_flags(doc: Document, labels: Labels) -> list[dict[str, Any]]:
    """The red flags, most urgent first, each with its wording, evidence and (if any) likelier cause."""
    order = list(URGENCIES)
    flags = sorted(doc.get("red_flags") or (), key=lambda f: order.index(f["urgency"]) if f["urgency"] in order else -1)
    return [
        {
            "flag": flag["flag"],
            "urgency": flag["urgency"],
            "urgency_words": URGENCIES.get(flag["urgency"], spelled(flag["urgency"])),
            "text": clean(flag["text"]),
            "evidence": evidence_lines(flag.get("evidence") or ()),
            "cause": cause_words(flag.get("contested_by"), labels),
        }
        for flag in flags
    ]


# -- criteria -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SetLine:
    """What is said about one criteria set. `verdict` comes from `met_specific`, never from `points`."""

    set: str
    condition: str
    name: str
    verdict: str
    numbers: list[str]
    notes: list[str]


def verdict(met: bool | None) -> str:
    """met, not met, or cannot tell yet."""
    return CANNOT_TELL if met is None else "met" if met else "not met"


def needs(criterion: Document) -> str:
    """` (needs at least 10)`, ` (needs more than 7)`, or empty where the rule has no single threshold."""
    threshold = criterion.get("threshold")
    if threshold is None or not known(threshold):
        return ""
    return f" (needs {'more than' if criterion.get('comparator') == '>' else 'at least'} {number(threshold)})"


def set_line(criterion: Document, labels: Labels) -> SetLine:
    """The headline of one set: verdict on the specific score, specific points, threshold, naive total beside it."""
    condition = criterion["condition"]
    name = label(criterion["set"], labels)
    if not criterion.get("applicable", True):
        why = clean(criterion.get("not_applicable"))
        return SetLine(criterion["set"], condition, name, "not applicable", [], [why] if why else [])
    met, specific = criterion.get("met"), criterion.get("met_specific")
    notes: list[str] = []
    so_far = " so far" if specific is None else ""
    if condition == "sle":
        numbers = [f"specific {number(criterion.get('points_specific'))}{so_far}{needs(criterion)}"]
        numbers.append(f"at face value {number(criterion.get('points'))}")
        if criterion.get("points_attributed") != criterion.get("points"):
            notes.append(f"{number(criterion.get('points_attributed'))} without findings that have a likelier cause")
        if criterion.get("points_partly"):
            notes.append(f"of the specific points, {number(criterion['points_partly'])} FM explains in part")
        if met and not specific:
            notes.append("reaches its threshold only at face value: FM or a likelier cause explains part of it")
    else:
        numbers = [f"total {number(criterion.get('points'))}{so_far}{needs(criterion)}"]
    if specific is None and known(criterion.get("points_possible")):
        notes.append(f"up to {number(criterion['points_possible'])} if what is unknown were present")
    if criterion.get("approximate"):
        notes.append("approximation: read from a form made for another set")
    if criterion.get("entry_met") is False:
        notes.append("entry criterion not met")
    elif criterion.get("entry_met") is None and "entry_met" in criterion and condition == "sle":
        notes.append("entry criterion not known")
    if specific and criterion.get("met_specific_date"):
        notes.append(f"first met {clean(criterion['met_specific_date'])}")
    if criterion.get("fragile"):
        notes.append(f"would not be met without {inside(item_label(criterion, criterion['fragile'], labels))}")
    return SetLine(criterion["set"], condition, name, verdict(specific), numbers, notes)


def item_label(criterion: Document, item: str, labels: Labels) -> str:
    """An item as its own set words it; what is no item of the set (its entry) by the label of the finding."""
    own = {i["item"]: i["label"] for d in criterion["domains"] for i in d["items"] if "label" in i}
    return own.get(item) or label(item, labels)


def set_lines(doc: Document, labels: Labels, condition: str) -> list[SetLine]:
    """The sets of one condition (`sle` or `fm`), in the order of the document."""
    return [set_line(c, labels) for c in doc.get("criteria") or () if c["condition"] == condition]


def unknown_that_matters(doc: Document, labels: Labels) -> list[dict[str, str]]:
    """Per undecided set: what is unknown, and the fewest additions that would meet it. Decided sets are left out."""
    rows = []
    for criterion in doc.get("criteria") or ():
        if not criterion.get("applicable", True) or criterion.get("met_specific") is not None:
            continue
        unknown = [inside(label(u, labels)) for u in criterion.get("unknown") or ()]
        ways = [
            listed(inside(item_label(criterion, i, labels)) for i in way)
            for way in criterion.get("fewest_to_meet") or ()
        ]
        if unknown or ways:
            rows.append(
                {
                    "set": label(criterion["set"], labels),
                    "unknown": first_of(unknown, 6),
                    "fewest": first_of(ways, 3, "; or "),
                }
            )
    return rows


# -- weights ------------------------------------------------------------------------------------------------------


def bit(weight: Document, hypothesis: str) -> float:
    """Bits of a weight as a number to sort and draw by; 0 where none are given."""
    value = weight["bits"].get(hypothesis)
    return float(value) if value is not None and known(value) else 0.0


def lean(weight: Document) -> float:
    """Which way a weight leans: bits for SLE less bits for FM (positive: towards SLE)."""
    return bit(weight, "sle") - bit(weight, "fm")


def used_weights(doc: Document) -> list[Document]:
    """The weights that were added, those that tell SLE and FM apart most first; a full order, so no ties."""
    used = [w for w in doc["differential"].get("weights") or () if w.get("used", True)]
    return sorted(used, key=lambda w: (-abs(lean(w)), -abs(bit(w, "sle")), w["finding"], w["state"]))


def unused_weights(doc: Document) -> list[Document]:
    """The weights on record that were not added (another finding says the same, or a sign that only the patient tells)."""
    return [w for w in doc["differential"].get("weights") or () if not w.get("used", True)]


def weight_marks(weight: Document) -> list[str]:
    """What a reader must know about the basis of a weight: assumed rate, unverified source, counted in part."""
    marks = []
    share = weight.get("share", 1.0)
    if share < 1.0:
        marks.append(f"counted at {share:.0%}")
    if weight.get("assumed"):
        marks.append("assumed rate")
    if weight.get("verified") is False:
        marks.append("unverified source")
    return marks


def weight_label(weight: Document, labels: Labels) -> str:
    """What a weight speaks of: its own words if the document has them (a rung of a ladder), else the finding's."""
    return clean(weight["label"]) if weight.get("label") else label(weight["finding"], labels)


def finding_of(doc: Document, weight: Document) -> Document | None:
    """The finding a weight was read from, or None."""
    for finding in doc.get("findings") or ():
        if finding["finding"] == weight["finding"] and finding["state"] == weight["state"]:
            return finding  # type: ignore[no-any-return]
    return None


# -- the rest -----------------------------------------------------------------------------------------------------


def conflicts(doc: Document, labels: Labels) -> list[str]:
    """Findings that one date both states and denies, and how they were counted."""
    return [
        f"{label(f['finding'], labels)}: stated and denied on one date; counted as {state_words(f['state'])}"
        for f in doc.get("findings") or ()
        if f.get("conflict")
    ]


def contested(doc: Document, labels: Labels) -> list[str]:
    """Findings that have a likelier cause on record."""
    return [
        f"{label(f['finding'], labels)}: likelier cause on record: {inside(cause_words(f['contested_by'], labels))}"
        for f in doc.get("findings") or ()
        if f.get("contested_by")
    ]


def instrument_total(entry: Document) -> str:
    """`22 of 31`, or the interval in which the total lies when items are open, with the name of what is summed."""
    low, high, total = entry.get("low"), entry.get("high"), entry.get("total")
    text = number(total)
    if low != high and known(low) and known(high):
        text = f"{number(low)} to {number(high)} (some items not answered)"
    if known(entry.get("maximum")):
        text += f", of {number(entry['maximum'])}" if low != high else f" of {number(entry['maximum'])}"
    return f"{clean(entry['label'])}: {text}" if entry.get("label") else text


def instrument_band(entry: Document) -> str:
    """The band and the table it is of (`severe, Wolfe 2015`); empty when the total lies in none for sure."""
    if not entry.get("band"):
        return ""
    return ", ".join(clean(entry[key]) for key in ("band", "band_table") if entry.get(key))


def instrument_change(entry: Document) -> str:
    """What changed since the form before, and the smallest change that matters."""
    parts = []
    if known(entry.get("change")):
        verdict = {"better": ", better", "worse": ", worse", "unchanged": ", no change that matters"}
        parts.append(
            f"{entry['change']:+g} since the one before{verdict.get(entry.get('changed') or '', '')}".replace("-", "−")
        )
    if known(entry.get("minimal_change")):
        parts.append(f"a change of {number(entry['minimal_change'])} matters")
    return "; ".join(parts)


def test_name(test: Document, labels: Labels) -> str:
    """The words for a test: its own label, else that of the finding it settles."""
    return clean(test.get("label")) or label(test["test"], labels)


def test_terms(test: Document) -> str:
    """What a test costs, how soon it answers, and whether the call waits: `low cost, within days`."""
    turnaround = {"same_visit": "same visit", "same_day": "same day", "days": "within days", "weeks": "within weeks"}
    parts = [
        "no call without it" if test.get("awaited") else "",
        f"{test['cost']} cost" if test.get("cost") else "",
        turnaround.get(test.get("turnaround") or "", ""),
    ]
    return ", ".join(p for p in parts if p)


def test_results(test: Document) -> list[str]:
    """One line for every result a test could have: how likely it is, the posterior and the call after it."""
    lines = []
    for result in test.get("results") or ():
        after = test["posterior_if"][result["result"]]
        shares = ", ".join(f"{name} {percent(after[h])}" for h, name in HYPOTHESIS_NAMES.items())
        lines.append(
            f"{clean(result['label'])} (expected in {percent(result['chance'])}): {shares}; call then: "
            f"{HYPOTHESIS_NAMES.get(result['call'], 'undetermined')}"
        )
    return lines


MIMICS = "If it is neither: which of the other conditions"
MIMICS_NOTE = (
    "Shares among people who have neither lupus nor FM, as far as papers counted these findings in each condition."
)


def mimic_lines(doc: Document) -> list[dict[str, Any]]:
    """Every mimic with its share of neither, its interval, whether it is coded, and the findings that speak loudest."""
    lines = []
    for mimic in doc.get("mimics") or ():
        if percent(mimic.get("p")) == RARE:
            continue
        loudest = [w for w in mimic.get("weights") or () if bits(w["bits"]) != "0.00"][:MOST_SAID]
        said = [
            f"{inside(clean(w['label']))}{': absent' if w['state'] == 'absent' else ''} {bits(w['bits'])}"
            for w in loudest
        ]
        notes = ["coded on record"] if mimic.get("coded") else []
        notes += [f"bits: {', '.join(said)}"] if said else []
        notes += ["unverified source"] if mimic.get("verified") is False and mimic["mimic"] != "other" else []
        lines.append(
            {
                "name": clean(mimic.get("label")) or spelled(mimic["mimic"]),
                "p": percent(mimic.get("p")),
                "interval": interval(mimic),
                "notes": "; ".join(notes),
            }
        )
    return lines


def mimics_below(doc: Document) -> list[str]:
    """What the lines leave out, in a sentence each: conditions below one in a hundred, and those without counts."""
    rare = [m for m in doc.get("mimics") or () if percent(m.get("p")) == RARE]
    unweighed = doc.get("mimics_not_weighed") or ()
    return [
        f"{what}: {listed(inside(clean(m['label'])) + (' (coded on record)' if m.get('coded') else '') for m in group)}."
        for what, group in ((f"{RARE} each", rare), ("Not weighed, for want of published counts", unweighed))
        if group
    ]


def coverage_sentence(coverage: Document) -> str:
    """`Read 42 source rows: 31 used, 5 unmapped, …` with all eight classes of the accounting."""
    rest = ", ".join(f"{number(coverage.get(key, 0))} {key.replace('_', ' ')}" for key in ACCOUNTING[1:])
    text = f"Read {counted(coverage.get('read', 0), 'source row')}: {rest}."
    return text.replace("after as of", "after the as-of date")


def versions(doc: Document) -> str:
    """Software and knowledge version, as every output prints them."""
    return f"tellapart {clean(doc['software'])}, knowledge {clean(doc['knowledge'])}"


def citations_of(doc: Document) -> list[str]:
    """Ids of every reference the document cites, in order of first use."""
    seen: dict[str, None] = {}
    for part in (
        doc["differential"].get("weights"),
        doc.get("treatment"),
        doc.get("mimics"),
        doc.get("next_tests"),
        doc.get("activity"),
        doc.get("drug_induced"),
    ):
        for entry in part or ():
            for reference in entry.get("references") or ():
                seen.setdefault(str(reference), None)
    return list(seen)


def doi_parts(text: str) -> tuple[str, str, str]:
    """A citation split around its first DOI: (before, doi, after); doi is empty when there is none."""
    found = _DOI.search(text)
    return (text[: found.start()], found.group(), text[found.end() :]) if found else (text, "", "")
