"""Builds the `tellapart.workup/1` document of one person from the relations; decides nothing.

Every sentence and number comes from a relation or a knowledge row; explanation and result are read from the same rows.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from tellapart import __version__
from tellapart.criteria.compile import items as criteria_items
from tellapart.differential.compile import HYPOTHESES, MICRO, added, readings
from tellapart.engines.duckdb import DuckDB
from tellapart.engines.sqlite import SQLite
from tellapart.knowledge.load import Knowledge, Row
from tellapart.knowledge.prose import rules, variable_name
from tellapart.knowledge.relations import item_ways

Json = dict[str, Any]
WORDS = {"sle": "systemic lupus erythematosus", "fm": "fibromyalgia", "both": "both", "neither": "neither"}
CALLS = WORDS | {"both": "lupus with fibromyalgia", "neither": "neither", "undetermined": "undetermined"}
ROUND = 6
SEVERITIES = ("urgent", "review", "info")
SYNTHETIC = "synthetic"  # ids of made-up persons start so, and every output about them says it
OTHER = {"label": "None of the conditions named here", "coded": "", "citation": "", "verified": "M"}


def plain(value: Any) -> Any:
    """A database value as JSON has it: dates as ISO text, decimals as numbers (whole ones as integers)."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def shown_date(date: dt.date | None, precision: str | None) -> str | None:
    """A date as it was given: `2021`, `2021-03` or `2021-03-04`."""
    if date is None:
        return None
    return date.isoformat()[: {"year": 4, "month": 7}.get(precision or "day", 10)]


class Documents:
    """Reads the relations of a finished run and hands out one document per person."""

    def __init__(self, engine: DuckDB | SQLite, knowledge: Knowledge) -> None:
        self.engine = engine
        self.knowledge = knowledge
        self.labels = knowledge.labels()
        self.members = {r["finding"]: r["members"].split(";") for r in knowledge["finding_derived"]}
        self.fm_reasons = {r["finding"]: r for r in knowledge["fm_reasons"]}
        self.finding_rows = {r["finding"]: r for r in knowledge["findings"]}

    def _rows(self, relation: str, person: int, order: str = "") -> list[Json]:
        tail = f" order by {order}" if order else ""
        return self.engine.rows(f'select * from "{relation}" where person = ?{tail}', [person])

    def workup(self, person: int, together: bool = False) -> Json:
        """The document of `person` (the number in relation persons), who must be of interest.

        Args:
            together: the relation `tests_together` was made; without it the document does not say which tests to order together.
        """
        who = self._rows("persons", person)[0]
        setting = self._rows("settings", person)[0]["setting"]
        occurrences = self._occurrences(person)
        findings = self._rows("findings", person, "finding") + self._verdicts(person, occurrences)
        by_finding = {f["finding"]: f for f in findings}
        flags = self._red_flags(person, by_finding, occurrences)
        criteria = self._sle_sets(person, by_finding) + self._fm_sets(person, who)
        used = {r["number"] for r in self._rows("interest_weights", person)}
        mimics = self._mimics(person, by_finding, used)
        differential = self._differential(person, by_finding, flags, mimics, used)
        return {
            "schema": "tellapart.workup/1",
            "software": __version__,
            "knowledge": self.knowledge.version,
            "synthetic": who["person_id"].startswith(SYNTHETIC),
            "person": {
                "id": who["person_id"],
                "sex": who["sex"],
                "birth_date": plain(who["birth_date"]),
                "age": who["age"],
            },
            "as_of": plain(self._rows("horizons", person)[0]["as_of"]),
            "setting": setting,
            "red_flags": flags,
            "findings": [self._finding(f, occurrences, by_finding) for f in findings],
            "criteria": criteria,
            "differential": differential,
            "mimics": mimics,
            "mimics_not_weighed": [
                {"mimic": r["mimic"], "label": r["label"], "coded": self._coded(r, by_finding)}
                for r in self.knowledge["mimics"]
                if not r["share"]
            ],
            "next_tests": self._next_tests(person),
            "tests_together": self._tests_together(person) if together else None,
            **self._treatment(person),
            "instruments": self.instruments(person),
            "activity": self._activity(person, occurrences),
            "activity_course": self._activity_course(person),
            "drug_induced": self._drug_induced(person, by_finding),
            "course": self._course(person),
            **self._flares(person),
            "wrong_labels": self._wrong_labels(person),
            "reciprocal": self._reciprocal(person),
            "missing_tests": self._missing_tests(person, by_finding),
            "coverage": self._coverage(),
        }

    def _occurrences(self, person: int) -> dict[str, list[Json]]:
        """Finding to what was said of it, by day, with the words of its source row and how exactly that is dated."""
        found: dict[str, list[Json]] = defaultdict(list)
        for row in self.engine.rows(
            "select o.finding, o.state, o.date, e.reference, e.text, e.kind, e.date_precision "
            "from occurrences as o left join interest_events as e "
            "on e.person = o.person and e.row_no = o.row_no and e.part = o.part and e.codings >= 0 "
            "where o.person = ? order by o.date nulls last, o.row_no, o.part",
            [person],
        ):
            if row["kind"] == "instrument":  # several answers may have said it: name the form, not one of them
                row["text"] = f"filled-in form: {self.labels[row['finding']]}"
            found[row["finding"]].append(row)
        return found

    def _cause(self, rule: str, row_no: int | None, person: int) -> Json:
        """A likelier cause on record: its sentence, its row of competing_causes, the source row that holds it."""
        row = next(r for r in self.knowledge["competing_causes"] if r["cause"] == rule)
        return {"cause": row["text"], "rule": rule, "reference": self._reference(person, row_no)}

    def _reference(self, person: int, row_no: int | None) -> str | None:
        """The reference of a source row."""
        held = self.engine.one(
            "select min(reference) from interest_events where person = ? and row_no = ?", [person, row_no]
        )
        return None if held is None else str(held)

    def _evidence(self, occurrences: Iterable[Json], state: str) -> list[Json]:
        said = dict.fromkeys(
            (o["reference"], shown_date(o["date"], o["date_precision"]), o["text"])
            for o in occurrences
            if o["state"] == state
        )
        return [{"reference": reference, "date": date, "text": text} for reference, date, text in said]

    def _finding(self, f: Json, all_occurrences: dict[str, list[Json]], by_finding: dict[str, Json]) -> Json:
        occurrences = all_occurrences[f["finding"]]
        if f["derived"]:  # shown by what it was derived from
            members = self.members[f["finding"]]
            occurrences = [o for m in members for o in all_occurrences[m]]
            days = [by_finding[m]["first_date"] for m in members if by_finding.get(m, {}).get("state") == f["state"]]
            if f["first_date"] is None and days and all(days):
                f = {**f, "first_date": max(days), "last_date": max(days)}
        row = self.finding_rows[f["finding"]]
        explains = row["fm_explains"] or None
        if f["state"] == "present" and row["fm_if_patient_only"] == "yes" and not f["vouched"]:
            explains = "yes"
        reason = (
            self.fm_reasons.get(f["finding"]) if f["state"] == "present" and explains in ("yes", "partly") else None
        )
        return {
            "finding": f["finding"],
            "label": row["label"],
            "state": f["state"],
            "first_date": shown_date(f["first_date"], f["first_precision"]),
            "last_date": plain(f["last_date"]),
            "days": f["present_days"] if f["state"] == "present" else f["absent_days"],
            "by": f["by"],
            "fm_explains": explains,
            "fm_reason": reason["reason"] if reason else None,
            "fm_references": reason["citation"].split(";") if reason else [],
            "contested_by": self._cause(f["contested_by"], f["contested_row_no"], f["person"])
            if f["contested_by"]
            else None,
            "conflict": f["conflict"],
            "implied": f["implied"],
            "derived": f["derived"],
            "evidence": self._evidence(occurrences, f["state"]),
        }

    def _red_flags(self, person: int, by_finding: dict[str, Json], occurrences: dict[str, list[Json]]) -> list[Json]:
        rows = {r["flag"]: r for r in self.knowledge["red_flags"]}
        clauses: dict[tuple[str, str], list[str]] = defaultdict(list)
        for r in self.knowledge["red_flag_clauses"]:
            clauses[(r["flag"], r["alternative"])].append(r["finding"])
        out = []
        for hit in self._rows("red_flags_in_force", person, "urgency_rank, last_date desc nulls last, flag"):
            row = rows[hit["flag"]]
            evidence: list[Json] = []
            for finding in clauses[(hit["flag"], hit["alternative"])]:
                found = self._evidence(occurrences[finding], "present")
                evidence += [{"finding": finding, **e} for e in found[-1:]] or [
                    {"finding": finding, "reference": None,
                     "date": plain(by_finding.get(finding, {}).get("first_date")), "text": self.labels[finding]}
                ]  # fmt: skip
            out.append(
                {
                    "flag": hit["flag"],
                    "urgency": row["urgency"],
                    "text": row["text"],
                    "date": plain(hit["last_date"]),
                    "forbids_fm": hit["forbids"],
                    "contested_by": self._cause(hit["contested_by"], None, person) if hit["contested_by"] else None,
                    "patient_only": not hit["vouched"],
                    "evidence": evidence,
                    "references": row["citation"].split(";"),
                    "verified": row["verified"] == "V",
                }
            )
        return out

    def _sle_sets(self, person: int, by_finding: dict[str, Json]) -> list[Json]:
        scores = {r["basis"]: r for r in self._rows("scores", person)}
        items = {r["basis"]: r for r in self._rows("items", person)}
        dates = {(r["clock"], r["basis"]): r for r in self._rows("met_dates", person)}
        item_dates = {(r["set"], r["item"]): r for r in self._rows("item_dates", person)}
        ways = item_ways(self.knowledge)
        domains = self.knowledge["criteria_domains"]
        all_items = criteria_items(self.knowledge)
        labels = {(r["set"], r["item"]): r["label"] for r in self.knowledge["criteria_items"]}
        changes: dict[tuple[str, str], list[str]] = defaultdict(list)
        for r in self._rows("whatif", person, '"set", change, place'):
            changes[r["set"], r["change"]].append(r["items"])
        out = []
        for row in self.knowledge["criteria_sets"]:
            name = row["set"]

            def score(basis: str, column: str, name: str = name) -> Any:
                return plain(scores[basis][f"{name}_{column}"]) if basis in scores else None

            def date(clock: str, basis: str, name: str = name) -> Any:
                return plain(dates.get((clock, basis), {}).get(f"{name}_date"))

            listed, unknown = [], []
            for domain in domains:
                if domain["set"] != name:
                    continue
                members = []
                for item in all_items:
                    if item.set != name or item.domain != domain["domain"]:
                        continue
                    state = items["points"][item.column] if items else "unknown"
                    worth = plain(Decimal(item.points))
                    if state == "unknown":
                        unknown.append(item.name)
                    asked = dict.fromkeys(f for way in ways[name, item.name] for f, _ in sorted(way))
                    since = item_dates.get((name, item.name), {}) if state == "present" else {}
                    members.append(
                        {
                            "item": item.name,
                            "label": labels[(name, item.name)],
                            "state": state,
                            "points": worth if state == "present" else 0,
                            "worth": worth,
                            "attributed": items["attributed"][item.column] == "present" if items else False,
                            "specific": items["specific"][item.column] == "present" if items else False,
                            "strict": items["strict"][item.column] == "present" if items else False,
                            "first_date": plain(since.get("first_date")),
                            "known_first_date": plain(since.get("known_first_date")),
                            "findings": [f for f in asked if by_finding.get(f, {}).get("state") == state],
                        }
                    )
                held = [m for m in members if m["state"] == "present"]
                best = max(held, key=lambda m: m["worth"], default=None)
                worths = [m["worth"] for m in members]
                total = sum(m["worth"] for m in held) if domain["combine"] == "sum" else best["worth"] if best else 0
                listed.append(
                    {
                        "domain": domain["domain"],
                        "label": domain["label"],
                        "kind": domain["kind"],
                        "points": total,
                        "maximum": max(worths) if domain["combine"] == "max" else sum(w for w in worths if w > 0),
                        "counted": best["item"] if best else None,
                        "first_date": min((m["first_date"] for m in held if m["first_date"]), default=None),
                        "items": members,
                    }
                )
            entry = score("points", "entry")
            if row["entry"] and entry is None:
                unknown.insert(0, "ana_titre")
            specific, strict = score("specific", "points"), score("strict", "points")
            out.append(
                {
                    "set": name,
                    "label": row["label"],
                    "condition": row["condition"],
                    "threshold": plain(Decimal(row["threshold"])),
                    "comparator": row["comparator"],
                    "maximum": plain(Decimal(row["maximum"])) if row["maximum"] else None,
                    "entry_met": entry if row["entry"] else True,
                    "entry": row["entry"] or None,
                    "applicable": True,
                    "not_applicable": None,
                    "points": score("points", "points") or 0,
                    "points_attributed": score("attributed", "points") or 0,
                    "points_specific": specific or 0,
                    "points_partly": plain(Decimal(str((specific or 0) - (strict or 0)))),
                    "points_without_partly": strict or 0,
                    "met_without_partly": score("strict", "met"),
                    "points_possible": score("points", "possible") if scores else plain(Decimal(row["maximum"] or 0)),
                    "met": score("points", "met"),
                    "met_attributed": score("attributed", "met"),
                    "met_specific": score("specific", "met"),
                    "met_date": date("course", "points"),
                    "known_met_date": date("known", "points"),
                    "met_attributed_date": date("course", "attributed"),
                    "met_specific_date": date("course", "specific"),
                    "domains": listed,
                    "unknown": unknown,
                    "fewest_to_meet": [
                        ["ana_titre" if item == row["entry"] else item for item in way.split(";")]
                        for way in changes[name, "add"]
                    ],
                    "fragile": next(iter(changes[name, "drop"]), None),
                    "fragile_items": changes[name, "drop"],
                    "conditions": [],
                    "rule": rules(self.knowledge)[name],
                    "references": row["citation"].split(";"),
                }
            )
        return out

    def _fm_sets(self, person: int, who: Json) -> list[Json]:
        summary = next(iter(self._rows("fm_points", person)), {})
        forms = self._rows("fm_forms", person, '"set", date nulls last, group_key')
        adult = self.knowledge.limit("fm_min_age")
        sets = {r["set"]: r for r in self.knowledge["fm_sets"]}
        too_young = who["age"] is not None and who["age"] < adult
        out = []
        for name, row in sets.items():
            own = [f for f in forms if f["set"] == name]
            if not own and row["asked_for"] != "yes":  # shown only once a form was filled in
                continue
            met = summary.get(f"{name}_met")
            points = plain(summary.get(f"{name}_points"))
            shown = next((f for f in own if f["group_key"] == summary.get(f"{name}_form")), None)
            unknown = [] if met is not None or not shown else ["items of the form left open"]
            if not own:
                unknown = ["wpi", "sss"]
            date, known = plain(summary.get(f"{name}_date")), plain(summary.get(f"{name}_known_date"))
            domains, conditions = self._form(shown, row) if shown else ([], [])
            out.append(
                {
                    "set": name, "label": row["label"], "condition": "fm", "threshold": None,
                    "comparator": ">=", "entry_met": True, "entry": None,
                    "applicable": not too_young,
                    "not_applicable": f"for adults only (from {adult:g} years)" if too_young else None,
                    "points": points or 0, "points_attributed": points or 0, "points_specific": points or 0,
                    "points_partly": 0,
                    "points_possible": plain(summary.get(f"{name}_possible")),
                    "met": met, "met_attributed": met, "met_specific": met,
                    "met_date": date, "known_met_date": known,
                    "met_attributed_date": date, "met_specific_date": date,
                    "approximate": bool(shown and shown["approximate"]),
                    "screen_only": (bool(own) and all(f["by"] == "patient" for f in own)) or row["screen"] == "yes",
                    "domains": domains, "conditions": conditions, "rule": rules(self.knowledge)[name],
                    "unknown": unknown, "fewest_to_meet": [], "fragile": None, "fragile_items": [],
                    "references": row["citation"].split(";"),
                }
            )  # fmt: skip
        return out

    def _form(self, shown: Json, row: Json) -> tuple[list[Json], list[Json]]:
        """A filled-in form as its set reads it: what gives points, answer by answer, and what else the rule asks for."""
        values = {
            r["variable"]: r
            for r in self.engine.rows(
                "select variable, lo, hi from forms where person = ? and group_key = ?",
                [shown["person"], shown["group_key"]],
            )
        }
        answers = {
            r["code"].split(".", 1)[1]: r["value"]
            for r in self.engine.rows(
                "select code, value from events where person = ? and group_key = ? and status = 'asserted'",
                [shown["person"], shown["group_key"]],
            )
        }
        asked = {r["variable"]: r["items"].split(";") for r in self.knowledge["instrument_variables"]
                 if r["instrument"] == shown["instrument"]}  # fmt: skip
        highest = {r["item"]: float(r["high"]) for r in self.knowledge["instrument_items"]
                   if r["instrument"] == shown["instrument"]}  # fmt: skip
        sites = [r for r in self.knowledge["pain_sites"] if r["wpi"] == "yes"]
        labels = {r["site"]: r["label"] for r in sites}
        domains: list[Json] = []
        conditions: list[Json] = []
        points_from = row["points_from"].split(";")
        for variable in points_from:
            # what is asked, with the answers that tell it: one, or those of all sites that lie in a wider one
            listed = {i.removeprefix("site."): [i] for i in asked.get(variable, ())}
            if not listed:
                for r in sites:
                    listed.setdefault(r["aapt_site" if variable == "sites" else "site"], []).append(f"site.{r['site']}")
            items = []
            for item, parts in listed.items():
                told = [answers[p] for p in parts if p in answers]
                items.append(
                    {
                        "item": item,
                        "label": labels.get(item) or _heading(item),
                        "state": "present" if any(told) else "absent" if len(told) == len(parts) else "unknown",
                        "points": _number(max(told, default=0.0)),
                        "worth": _number(max(highest.get(p, 1.0) for p in parts)),
                    }
                )
            domains.append(
                {
                    "domain": variable,
                    "label": _heading(variable),
                    "points": _number(values[variable]["lo"]),
                    "maximum": sum(i["worth"] for i in items),
                    "counted": None,
                    "items": items,
                }
            )
        for rule in self.knowledge["instrument_rules"]:
            variable = rule["variable"]
            if rule["set"] == row["set"] and variable not in (*points_from, *(c["condition"] for c in conditions)):
                low, high = (_number(values[variable][c]) for c in ("lo", "hi"))
                conditions.append({"condition": variable, "label": _heading(variable), "low": low, "high": high})
        return domains, conditions

    def instruments(self, person: int) -> list[Json]:
        """Every filled-in form with its total, in order of time."""
        scales = {(r["instrument"], r["scale"]): r for r in self.knowledge["instrument_scales"]}
        return [
            {
                "instrument": f["instrument"], "scale": f["scale"], "label": scales[f["instrument"], f["scale"]]["label"],
                "date": plain(f["date"]), "reference": f["group_key"], "by": f["by"],
                "total": _number(f["low"]) if f["low"] == f["high"] else None,
                "low": _number(f["low"]), "high": _number(f["high"]),
                "maximum": _number(float(scales[f["instrument"], f["scale"]]["maximum"])),
                "band": f["band"], "band_table": f["band_table"], "minimal_change": _number(f["minimal_change"]),
                "change": _number(f["change"]), "changed": f["changed"],
                "references": scales[f["instrument"], f["scale"]]["citation"].split(";"),
            }
            for f in self._rows("instrument_totals", person, "date nulls last, group_key, scale")
        ]  # fmt: skip

    def _drug_induced(self, person: int, by_finding: dict[str, Json]) -> list[Json]:
        """Every culprit drug taken, with what speaks for and against lupus induced by it."""
        rows = self._rows("drug_induced", person, "drug, role, finding")
        rules = {(r["kind"], r["finding"], r["role"]): r for r in self.knowledge["drug_induced_findings"]}
        drugs = {r["drug"]: r for r in self.knowledge["drugs"]}
        tiers = {r["tier"]: r for r in self.knowledge["drug_induced_tiers"]}
        out: dict[str, Json] = {}
        for r in rows:
            if r["drug"] not in out:
                out[r["drug"]] = {
                    "drug": r["drug"], "label": drugs[r["drug"]]["label"], "tier": r["tier"],
                    "tier_label": tiers[r["tier"]]["label"], "kind": r["kind"], "verdict": r["verdict"],
                    "start_date": plain(r["start_date"]), "last_date": plain(r["last_date"]),
                    "first_sign_date": plain(r["first_sign"]), "resolution": r["resolution"],
                    "reference": self._reference(person, r["row_no"]),
                    "for": [], "against": [], "before": [], "unknown": [],
                    "references": tiers[r["tier"]]["citation"].split(";"), "verified": tiers[r["tier"]]["verified"] == "V",
                }  # fmt: skip
            entry = out[r["drug"]]
            rule = rules[(r["kind"], r["finding"], r["role"])]
            said = {
                "finding": r["finding"], "label": self.labels[r["finding"]], "role": r["role"], "state": r["state"],
                "date": plain(by_finding[r["finding"]]["first_date"]) if r["state"] else None, "note": rule["note"],
            }  # fmt: skip
            if r["state"] is None and r["role"] != "sign":
                entry["unknown"].append(said)
            elif r["counted"]:
                entry["against" if r["role"] == "against" else "for"].append(said)
            elif r["when"] == "before" and r["state"] == "present":
                entry["before"].append(said)
            for citation in rule["citation"].split(";"):
                if r["counted"] and citation not in entry["references"]:
                    entry["references"].append(citation)
        order = ("suspected", "possible", None, "not_supported")
        return sorted(out.values(), key=lambda e: (order.index(e["verdict"]), e["drug"]))

    def _treatment(self, person: int) -> Json:
        """What the treatment rules say: those that fire, those that are silent for want of data, those excused."""
        clauses = self.knowledge["treatment_clauses"]
        rules: dict[str, list[Json]] = defaultdict(list)
        for r in self._rows("treatment", person, "rule, term"):
            rules[r["rule"]].append(r)
        dates = self._dates(person)
        drugs = {r["drug"]: r["label"] for r in self.knowledge["drugs"]}
        taken = {r["reference"]: drugs[r["drug"]] for r in self._rows("exposures", person)}
        fired: list[Json] = []
        excused: list[Json] = []
        silent: dict[str, dict[str, None]] = defaultdict(dict)
        for row in self.knowledge["treatment_rules"]:
            terms = [(clauses[t["term"]], t) for t in rules[row["rule"]]]
            if not terms:
                continue
            state = terms[0][1]["state"]
            if state == "silent":
                asks = (
                    c["asks"] or self.labels.get(c["what"]) for c, t in terms if t["unknown"] and c["role"] != "excuses"
                )
                silent[row["shown_as"]] |= dict.fromkeys(a for a in asks if a)
                continue
            counted = [(c, t) for c, t in terms if t["counted"]]
            basis = row["basis"]
            if basis == "either":  # which of the two it was
                basis = "evidence" if any(c["measure"] == "evidence" for c, _ in counted) else "code"
            values = {c["measure"]: _between(t["low"], t["high"], "{:.2f}") for c, t in counted}
            (fired if state == "fires" else excused).append(
                {
                    "rule": row["shown_as"],
                    "label": row["label"],
                    "severity": row["severity"],
                    "basis": basis,
                    "text": row["text"].format_map(defaultdict(str, values)),
                    "wrong_if": row["wrong_if"],
                    "evidence": _once(
                        {
                            "reference": t["reference"] or "",
                            "date": dates.get(t["reference"]),
                            "text": self._said(c, t, taken),
                        }
                        for c, t in counted
                    ),
                    "references": row["citation"].split(";"),
                    "verified": row["verified"] == "V",
                }
            )
        spoken = {t["rule"] for t in fired + excused}
        return {
            "treatment": sorted(fired, key=lambda t: SEVERITIES.index(t["severity"])),
            "treatment_silent": [
                {"rule": rule, "needs": list(asks)} for rule, asks in silent.items() if rule not in spoken
            ],
            "treatment_excused": excused,
        }

    def _said(self, clause: Json, term: Json, taken: dict[str, str]) -> str:
        """What one term of a treatment rule found, in words."""
        if not clause["label"]:  # a finding by its name
            return str(self.labels[clause["what"]]) + (": absent" if term["high"] == 0 else "")
        shape = "{:.2f}" if clause["measure"] == "dose_per_kg" else "{:g}"
        said = str(clause["label"]).format(value=_between(term["low"], term["high"], shape))
        drug = taken.get(term["reference"])
        return f"{said} ({drug})" if drug and drug not in said else said

    def _dates(self, person: int) -> dict[str, str | None]:
        """References of the source rows that treatment rules name to their latest date."""
        rows = self.engine.rows(
            "select e.reference, max(e.date) as date from interest_events as e inner join "
            "(select distinct reference from treatment where person = ?) as t on t.reference = e.reference "
            "where e.person = ? group by e.reference",
            [person, person],
        )
        return {r["reference"]: plain(r["date"]) for r in rows}

    def _course(self, person: int) -> list[Json]:
        """Lupus, fibromyalgia, both or neither over time, each stretch with what says so."""
        return [
            {"state": r["state"], "from": plain(r["from_date"]), "to": plain(r["to_date"]), "basis": r["basis"]}
            for r in self._rows("disease_course", person, "from_date")
            if r["from_date"] is not None
        ]

    def _wrong_labels(self, person: int) -> list[Json]:
        """Labels that the evidence does not bear out, how long they stood, and what was given meanwhile."""
        words = {(r["label"], r["drug_class"]): r["words"] for r in self.knowledge["label_drugs"]}
        given: dict[str, list[Json]] = defaultdict(list)
        for r in self._rows("wrong_label_drugs", person, "label, drug_class"):
            given[r["label"]].append(
                {
                    "drug_class": r["drug_class"],
                    "label": words[r["label"], r["drug_class"]],
                    **{c: r[c] for c in ("records", "open_records", "days", "unread_doses")},
                    "prednisone_mg": r["dose_days"],
                }
            )
        return [
            {
                "label": r["label"],
                "from": plain(r["from_date"]),
                "to": plain(r["to_date"]),
                "corrected": r["corrected"],
                "days": (r["to_date"] - r["from_date"]).days,
                "given": given[r["label"]],
            }
            for r in self._rows("wrong_labels", person, "label")
        ]

    def _reciprocal(self, person: int) -> list[Json]:
        """One of the two diseases is on record: what was done to look for the other, and what was not."""
        labels = {r["test"]: r["label"] for r in self.knowledge["workup_tests"]}
        rows = {(r["question"], r["item"]): r for r in self.knowledge["reciprocal_checks"]}
        out: dict[str, Json] = {}
        for r in self._rows("reciprocal", person, "question, item"):
            row = rows[r["question"], r["item"]]
            entry = out.setdefault(
                r["question"], {"question": row["label"], "id": r["question"], "done": [], "missing": []}
            )
            entry["done" if r["done"] else "missing"].append(row["item_label"] or labels[r["item"]])
        return list(out.values())

    def _activity(self, person: int, occurrences: dict[str, list[Json]]) -> list[Json]:
        """Every activity index on the latest day, with all its items."""
        rows = self.engine.rows(
            "select * from activity where person = ? and on_day = (select max(on_day) from activity where person = ?)",
            [person, person],
        )
        by_item = {(r["index"], r["item"]): r for r in rows}
        if not by_item:
            return []
        window = int(self.knowledge.limit("activity_window_days"))
        texts = {(r["index"], r["category"]): r["text"] for r in self.knowledge["activity_bands"]}
        findings: dict[str, list[str]] = defaultdict(list)
        for r in self.knowledge["activity_clauses"]:
            if r["finding"] not in findings[r["item"]]:
                findings[r["item"]].append(r["finding"])
        out = []
        for index in self.knowledge["activity_indices"]:
            name = index["index"]
            items = []
            for row in self.knowledge["activity_items"]:
                hit = by_item.get((name, row["item"]))
                if hit is None:
                    continue
                seen = [
                    o for f in findings[row["item"]] for o in occurrences[f]
                    if o["date"] and 0 <= (hit["on_day"] - o["date"]).days <= window
                ]  # fmt: skip
                worth = plain(Decimal(row["weight"]))
                items.append(
                    {
                        "item": row["item"],
                        "label": row["label"],
                        "state": hit["state"],
                        "points": worth if hit["state"] == "present" else 0,
                        "worth": worth,
                        "contested_by": self._cause(hit["contested_by"], hit["contested_row_no"], person)
                        if hit["contested_by"]
                        else None,
                        "evidence": self._evidence(seen, "present" if hit["contested_by"] else hit["state"]),
                    }
                )
            if items:
                total = self._activity_total(next(r for r in rows if r["index"] == name))
                out.append(
                    {
                        **total,
                        "label": index["label"],
                        "kind": index["kind"],
                        "window_days": window,
                        "maximum": int(index["maximum"]),
                        "category_text": texts.get((name, total["category"])),
                        "at_least_text": texts.get((name, total["at_least"])),
                        "items": items,
                        "references": index["citation"].split(";"),
                        "verified": index["verified"] == "V",
                    }
                )
        return out

    def _activity_course(self, person: int) -> list[Json]:
        """Totals of every index on every day on which it was worked out, in order of time."""
        rows = self.engine.rows(
            'select distinct "index", on_day, low, high, category, at_least, stated from activity '
            'where person = ? order by on_day, "index"',
            [person],
        )
        return [self._activity_total(r) for r in rows]

    @staticmethod
    def _activity_total(row: Json) -> Json:
        """A total as an interval; `total` only when nothing that is unknown could change it."""
        low, high = (int(row[c]) for c in ("low", "high"))
        return {
            "index": row["index"], "date": plain(row["on_day"]), "total": low if low == high else None, "low": low,
            "high": high, "category": row["category"], "at_least": row["at_least"], "stated": row["stated"],
        }  # fmt: skip

    def _flares(self, person: int) -> Json:
        """Flares of lupus on record, changes that are none, the Duke groups of the latest day, and the course of Type 2."""
        rules = {r["rule"]: r for r in self.knowledge["flare_rules"]}
        triage = {r["pattern"]: r for r in self.knowledge["flare_triage"]}
        found: dict[tuple[bool, Any], list[Json]] = defaultdict(list)
        for row in self._rows("flare_signs", person, "start_date, day, rule"):
            found[row["is_flare"], row["start_date"]].append(row)
        looked = self._looked_for(person) if found else []
        window = int(self.knowledge.limit("activity_window_days"))
        entries: dict[bool, list[Json]] = {True: [], False: []}
        for (is_flare, start), rows in found.items():
            first = rows[0]
            near = {item for item, day in looked if abs((day - start).days) <= window}
            entries[is_flare].append(
                {
                    "start": plain(start), "peak": plain(first["peak_date"]), "end": plain(first["end_date"]), "type": first["type"],
                    "basis": "examination", "severity": first["severity"], "certainty": round(first["certainty"], 2),
                    "treatment_only": first["pattern"] == "treatment_only", "pattern": first["pattern"],
                    "label": triage[first["pattern"]]["label"], "text": triage[first["pattern"]]["text"], "urgent": first["urgent"],
                    "signals": list(dict.fromkeys(r["rule"] for r in rows if not is_flare or r["axis"] in ("type1", "type2"))),
                    "signs": [
                        {"rule": r["rule"], "label": rules[r["rule"]]["label"], "date": plain(r["day"]), "axis": r["axis"],
                         "known_absent_before": r["sure"]}
                        for r in rows
                    ],
                    "missing": [
                        r["label"] for r in self.knowledge["flare_looks"] if is_flare and r["item"] not in near
                    ],
                    "references": triage[first["pattern"]]["citation"].split(";"),
                }
            )  # fmt: skip
        entries[True] += self._diary_flares(person, triage["symptoms_only"])
        groups = self._rows("duke_groups", person, "on_day, version")
        course = self._rows("type2_course", person)
        return {
            "flares": entries[True],
            "not_flares": entries[False],
            "duke_groups": [
                {
                    "version": g["version"],
                    "date": plain(g["on_day"]),
                    "type1": g["type1"],
                    "type2": g["type2"],
                    "group": g["group"],
                }
                for g in groups
                if g["on_day"] == groups[-1]["on_day"]
            ],
            "type2_course": {
                "visits": course[0]["visits"],
                "quiet_visits": course[0]["quiet_visits"],
                "quiet_median": course[0]["quiet_median"],
                "rho": None if course[0]["rho"] is None else round(course[0]["rho"], 2),
                "course": course[0]["course"],
            }
            if course
            else None,
        }

    def _diary_flares(self, person: int, triage: Json) -> list[Json]:
        """Flares in the person's diary, where the source holds diaries: a pattern of symptoms, indeterminate for Type 1."""
        rows = self.engine.rows(
            "select f.* from diary_flares as f inner join persons as p on p.person_id = f.person_id "
            "where p.person = ? order by f.start_date",
            [person],
        )
        signals = {r["signal"]: r for r in self.knowledge["diary_signals"]}
        return [
            {
                "start": plain(r["start_date"]), "peak": plain(r["peak_date"]), "end": plain(r["end_date"]), "type": r["type"],
                "basis": r["basis"], "severity": r["severity"], "certainty": r["certainty"], "treatment_only": False,
                "pattern": triage["pattern"], "label": triage["label"], "text": triage["text"], "urgent": False,
                "signals": r["signals"].split(";"),
                "signs": [
                    {"rule": s, "label": signals[s]["label"], "date": plain(r["start_date"]), "axis": signals[s]["axis"],
                     "known_absent_before": True}
                    for s in r["signals"].split(";")
                ],
                "missing": [], "references": triage["citation"].split(";"),
            }
            for r in rows
        ]  # fmt: skip

    def _looked_for(self, person: int) -> list[tuple[str, dt.date]]:
        """Items of SLEDAI-2K with a known state, and the day of the assessment."""
        rows = self.engine.rows(
            "select distinct item, on_day from activity where person = ? and state <> 'unknown'", [person]
        )
        return [(r["item"], r["on_day"]) for r in rows]

    def _differential(
        self, person: int, by_finding: dict[str, Json], flags: list[Json], mimics: list[Json], used: set[int]
    ) -> Json:
        interval, call = self._rows("intervals", person)[0], self._rows("calls", person)[0]
        return {
            "call": call["call"],
            "reason": self._reason(call, interval, self._missing_tests(person, by_finding), flags)
            + self._likeliest_mimic(call, mimics),
            "prior": {h: round(interval[f"prior_{h}"], ROUND) for h in HYPOTHESES},
            "posterior": {
                h: {
                    "p": round(interval[f"p_{h}"], ROUND),
                    "low": round(interval[f"p_{h}_low"], ROUND),
                    "high": round(interval[f"p_{h}_high"], ROUND),
                }
                for h in HYPOTHESES
            },
            "weights": self._weights(used, by_finding),
            "sensitive_to": self._sensitive_to(person),
        }

    def _sensitive_to(self, person: int) -> list[Json]:
        """Findings without which the call would be another, those that move its probability most first."""
        weights = {w.number: w for own in readings(self.knowledge).values() for reading in own for w in reading}
        interval, call = self._rows("intervals", person)[0], self._rows("calls", person)[0]
        lead = f"p_{call['lead']}"
        rows = [r for r in self._rows("sensitivity", person, "number") if r["changes"]]
        return [
            {
                "finding": weights[r["number"]].finding,
                "label": self.labels[weights[r["number"]].finding],
                "state": weights[r["number"]].state,
                "call": r["call"],
                "posterior": {h: round(r[f"p_{h}"], ROUND) for h in HYPOTHESES},
            }
            for r in sorted(rows, key=lambda r: (-abs(r[lead] - interval[lead]), r["number"]))
        ]

    def _weights(self, used: set[int], by_finding: dict[str, Json]) -> list[Json]:
        out = []
        for weight in (w for own in readings(self.knowledge).values() for reading in own for w in reading):
            known = by_finding.get(weight.finding)
            if not known or known["state"] != weight.state or (known["contested_by"] and weight.state == "present"):
                continue
            row = weight.row
            above = weight.below if weight.state == "present" else None
            counts = weight.number in used
            bits = {h: float(b) for h, b in added(row).items()} if counts else dict.fromkeys(HYPOTHESES[:3], 0.0)
            out.append(
                {
                    "finding": weight.finding,
                    "label": self.labels[weight.finding] + (f", not {self.labels[above]}" if above else ""),
                    "state": weight.state,
                    "domain": weight.block,
                    "used": counts,
                    "assumed": row["assumed"] == "yes",
                    "bits": bits | {"neither": 0.0},
                    "bits_alone": {h: float(row[f"{h}_bits"]) for h in HYPOTHESES[:3]} | {"neither": 0.0},
                    "share": float(row["share"]),
                    "references": row["citation"].split(";"),
                    "verified": row["verified"] == "V",
                    "date": shown_date(known["first_date"], known["first_precision"]),
                    "reference": known["reference"],
                }
            )
        return sorted(
            out,
            key=lambda w: (not w["used"], -max(abs(b) for b in w["bits_alone"].values()), w["finding"]),
        )

    def _missing_tests(self, person: int, by_finding: dict[str, Json]) -> list[Json]:
        """Rows of the minimum safe work-up of which nothing is on record."""
        known = {r["finding"] for r in self._rows("on_record", person)}
        return [
            {
                "test": r["test"],
                "label": r["label"],
                "role": r["role"],
                "required_for_fm": r["required_for_fm"] == "yes",
                "decides": r["decides"] == "yes",
            }
            for r in self.knowledge["workup_tests"]
            if not any(f in known for f in r["findings"].split(";"))
            and (not r["only_if"] or by_finding.get(r["only_if"], {}).get("state") == "present")
        ]

    def _verdicts(self, person: int, occurrences: dict[str, list[Json]]) -> list[Json]:
        """What a rule says of the record as a whole and the differential counts, as rows like those of `findings`."""
        rows = [r for r in self._rows("drug_induced", person, "first_sign, drug") if r["verdict"] == "suspected"]
        if not rows:
            return []
        first = rows[0]
        finding, drug = (
            "drug_induced_lupus_suspected",
            next(d for d in self.knowledge["drugs"] if d["drug"] == first["drug"]),
        )
        shown = {
            "reference": self._reference(person, first["row_no"]),
            "text": f"{drug['label']}, before the first sign",
        }
        occurrences[finding].append({"state": "present", "date": first["start_date"], "date_precision": "day", **shown})
        return [
            {
                "person": person, "finding": finding, "state": "present", "by": None, "reference": shown["reference"],
                "first_date": first["first_sign"], "last_date": first["first_sign"], "first_precision": "day",
                "present_days": 1, "contested_by": None, "conflict": False, "implied": False, "derived": False,
                "vouched": True,
            }
        ]  # fmt: skip

    def _coded(self, mimic: Row, by_finding: dict[str, Json]) -> bool:
        """Whether the record holds a code for the mimic."""
        return by_finding.get(mimic["coded"], {}).get("state") == "present"

    def _mimics(self, person: int, by_finding: dict[str, Json], used: set[int]) -> list[Json]:
        """What it is if it is neither: every mimic that has counts, the likeliest first, what is not named last."""
        weights = self.knowledge["weights"]
        counted = {(weights[number - 1]["finding"], weights[number - 1]["state"]) for number in used}
        said: dict[str, list[Row]] = defaultdict(list)
        for r in self.knowledge["mimic_weights"]:
            if (r["finding"], r["state"]) in counted:
                said[r["mimic"]].append(r)
        named = {r["mimic"]: r for r in self.knowledge["mimics"]}
        out = []
        for row in self._rows("mimics", person, "mimic = 'other', p desc, mimic"):
            mimic, telling = named.get(row["mimic"], OTHER), said[row["mimic"]]
            basis = [mimic, *telling]
            out.append(
                {
                    "mimic": row["mimic"],
                    "label": mimic["label"],
                    "p": round(row["p"], ROUND),
                    "low": round(row["p_low"], ROUND),
                    "high": round(row["p_high"], ROUND),
                    "coded": self._coded(mimic, by_finding),
                    "weights": [
                        {"finding": w["finding"], "label": self.labels[w["finding"]], "state": w["state"],
                         "bits": float((Decimal(w["bits"]) * Decimal(w["share"])).quantize(MICRO))}
                        for w in sorted(telling, key=lambda w: -abs(float(w["bits"]) * float(w["share"])))
                    ],
                    "references": sorted({c for b in basis for c in b["citation"].split(";") if c}),
                    "verified": all(b["verified"] == "V" for b in basis),
                }
            )  # fmt: skip
        return out

    def _next_tests(self, person: int) -> list[Json]:
        """Tests that would settle most, each with the posterior after every result that it could have."""
        tests = {r["test"]: r for r in self.knowledge["tests"]}
        labels = {(r["test"], r["result"]): r["label"] for r in self.knowledge["test_results"]}
        results: dict[str, list[Json]] = defaultdict(list)
        for row in self._rows("next_tests", person, "place, number"):
            results[row["test"]].append(row)
        return [
            {
                "test": test,
                "label": tests[test]["label"],
                "expected_bits": round(rows[0]["expected_bits"], ROUND),
                "awaited": rows[0]["awaited"],
                "why": _why(rows, labels),
                "posterior_if": {r["result"]: {h: round(r[f"p_{h}"], ROUND) for h in HYPOTHESES} for r in rows},
                "results": [
                    {"result": r["result"], "label": labels[test, r["result"]], "chance": round(r["chance"], ROUND),
                     "call": r["call"]}
                    for r in rows
                ],
                "cost": tests[test]["cost"],
                "turnaround": tests[test]["turnaround"],
                "references": tests[test]["citation"].split(";"),
                "verified": tests[test]["verified"] == "V",
            }
            for test, rows in results.items()
        ]  # fmt: skip

    def _tests_together(self, person: int) -> list[Json]:
        """The two, and the three, of the tests named that teach most together, with the chance of every call after them."""
        labels = {r["test"]: r["label"] for r in self.knowledge["tests"]}
        return [
            {
                "tests": row["test"].split("+"),
                "labels": [labels[t] for t in row["test"].split("+")],
                "expected_bits": round(row["expected_bits"], ROUND),
                "calls": {c: round(row[f"chance_{c}"], ROUND) for c in (*HYPOTHESES, "undetermined")},
            }
            for row in self._rows("tests_together", person, "tests")
        ]

    def _reason(self, call: Json, interval: Json, missing: list[Json], flags: list[Json]) -> str:
        lead = call["lead"]
        p = interval[f"p_{lead}"]
        low, high = interval[f"p_{lead}_low"], interval[f"p_{lead}_high"]
        numbers = f"{_percent(p)} ({_percent(low)} to {_percent(high)})"
        forbidding = [f for f in flags if f["forbids_fm"]]
        if call["call"] == "undetermined":
            if call["ground"] == "red_flag_forbids_fm":
                return (
                    f"Fibromyalgia leads with {numbers}, but a red flag is in force that fibromyalgia never explains: "
                    f"{forbidding[0]['text']}"
                )
            if call["ground"] == "decisive_tests_missing":
                names = ", ".join(m["label"] for m in missing if m["decides"])
                return f"Too little is known to say neither: {names} not on record (neither has {numbers})."
            wanting = "; not on record: " + ", ".join(m["label"] for m in missing[:4]) if missing else ""
            lupus, fm = interval["p_sle"] + interval["p_both"], interval["p_fm"] + interval["p_both"]
            either = ""
            if lead in ("sle", "both"):
                either = f" Lupus, alone or with fibromyalgia, has {_percent(lupus)} together."
            elif lead == "fm":
                either = f" Fibromyalgia, alone or with lupus, has {_percent(fm)} together."
            return f"No answer is separated: the leading one, {WORDS[lead]}, has {numbers}{wanting}.{either}"
        if call["call"] == "fm":
            required = [m["label"] for m in missing if m["required_for_fm"]]
            others = [m["label"] for m in missing if not m["required_for_fm"]]
            if {m["role"] for m in missing} & {"blood_count", "urine_protein"}:
                return f"FM is supported; lupus not excluded: {', '.join(required + others)} not on record ({numbers})."
            tail = f"; of the minimum safe work-up not on record: {', '.join(required + others)}" if missing else ""
            return f"Fibromyalgia is supported with {numbers}{tail}."
        if call["call"] == "neither" and forbidding:
            return f"Red flag in force: {forbidding[0]['text']} Neither disease is supported ({numbers})."
        return {
            "sle": f"Systemic lupus erythematosus is supported with {numbers}.",
            "both": f"Systemic lupus erythematosus with fibromyalgia is supported with {numbers}.",
            "neither": f"Neither disease is supported by what is on record ({numbers}).",
        }[call["call"]]

    def _likeliest_mimic(self, call: Json, mimics: list[Json]) -> str:
        """Where `neither` leads: the mimic that would be called among the others, if there is one."""
        first = mimics[0]
        if call["lead"] != "neither" or first["p"] < self.knowledge.limit("call_min_p"):
            return ""
        return (
            f" Of the other conditions {_inside(first['label'])} is the likeliest: {_percent(first['p'])} of neither."
        )

    def _coverage(self) -> Json:
        return coverage(self.engine)


def coverage(engine: DuckDB | SQLite) -> Json:
    """The accounting of the run, in source rows: `read` and its eight classes, and the same per source type."""
    classes = ("used", "unmapped", "not_needed", "withdrawn", "duplicate", "after_as_of", "rejected")
    by_type: dict[str, dict[str, int]] = {}
    for row in engine.rows("select source_type, class, n from accounting order by source_type, class"):
        by_type.setdefault(row["source_type"] or "unknown", dict.fromkeys(classes, 0))[row["class"]] += row["n"]
    total = {c: sum(t[c] for t in by_type.values()) for c in classes}
    return {
        "read": sum(total.values()), **total,
        "by_type": {name: {"read": sum(t.values()), **t} for name, t in by_type.items()},
    }  # fmt: skip


def _number(value: float | None) -> float | int | None:
    """A total as JSON has it: whole ones as integers."""
    return int(value) if value is not None and value.is_integer() else value


def _heading(variable: str) -> str:
    """A variable or an item of a form, to head a row."""
    name, _, side = variable.rpartition("_")
    sides = {"l": ", left", "r": ", right"}
    text = variable_name(name) + sides[side] if side in sides else variable_name(variable)
    return text.removeprefix("the ").capitalize()


def _inside(label: str) -> str:
    """A label for the middle of a sentence; what starts with a name keeps its capital."""
    return label if label.startswith("Sjögren") else label[:1].lower() + label[1:]


def _percent(p: float) -> str:
    shown = 100 * p
    return "< 1 %" if shown < 1 else "> 99 %" if shown > 99 else f"{shown:.0f} %"


def _once(entries: Iterable[Json]) -> list[Json]:
    """The entries in order, each only the first time."""
    out: list[Json] = []
    for entry in entries:
        if entry not in out:
            out.append(entry)
    return out


def _between(low: float | None, high: float | None, shape: str) -> str:
    """A value that is known as an interval: `5.21`, `4.00 to 6.00`, `at least 5.21`; nothing known, nothing said."""
    ends = [shape.format(v) for v in (low, high) if v is not None]
    if low is not None and high is None:
        return f"at least {ends[0]}"
    return " to ".join(dict.fromkeys(ends))


def _why(rows: list[Json], labels: dict[tuple[str, str], str]) -> str:
    """What every result of a test would do to the call, the likeliest result first."""
    likeliest = sorted(rows, key=lambda r: (-r["chance"], r["number"]))
    said = [
        f"{labels[r['test'], r['result']]} (expected in {_percent(r['chance'])}): call then: {CALLS[r['call']]}"
        for r in likeliest
    ]
    return "; ".join(said) + "."
