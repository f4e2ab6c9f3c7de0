"""Turns the rows of the criteria tables into the expressions that `scores.sql` and `items.sql` ask for.

One mechanism for every set of weighted items: an item holds when all findings of one of its alternatives do; a domain
counts its best item or all of them; a set adds its domains and compares. Sets with unusual rules use more columns of
the tables (entry, needs, shortcut, occasions, excludes), never code of their own.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tellapart.knowledge.encode import Encoding, encode
from tellapart.knowledge.load import Knowledge, Row
from tellapart.knowledge.relations import openings


@dataclass(frozen=True)
class Item:
    """One item of a set: its row, and SQL tests of its state on the words of one person."""

    set: str
    domain: str
    name: str
    points: str
    column: str
    present: str
    absent: str


@dataclass(frozen=True)
class ScoredSet:
    """One set as SQL over the item columns."""

    name: str
    points: str
    met: str
    entry: str


def _clause(enc: Encoding, row: Row, twice: bool) -> tuple[str, str]:
    """(SQL: the clause holds, SQL: it cannot hold) for one row of criteria_clauses."""
    finding = row["finding"]
    if row["role"] == "excludes":
        return f"not ({enc.test(finding)})", enc.test(finding)
    # nobody can hope for two occasions of what is known to be absent, so the finding itself is asked for too
    once = enc.test(finding)
    return (f"{once} and {enc.test(f'twice:{finding}')}" if twice else once), enc.test(finding, "a")


@lru_cache(maxsize=4)
def items(knowledge: Knowledge) -> list[Item]:
    """Every item of every scored set, in table order."""
    enc = encode(knowledge)
    clauses: dict[tuple[str, str], dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in knowledge["criteria_clauses"]:
        clauses[(row["set"], row["item"])][row["alternative"]].append(row)
    out = []
    for row in knowledge["criteria_items"]:
        holds, cannot = [], []
        for rows in clauses[(row["set"], row["item"])].values():
            pairs = [_clause(enc, r, int(r["occasions"] or 1) > 1) for r in rows]
            holds.append(" and ".join(p for p, _ in pairs))
            cannot.append("(" + " or ".join(a for _, a in pairs) + ")")
        out.append(
            Item(
                row["set"],
                row["domain"],
                row["item"],
                row["points"],
                f"{row['set']}__{row['item']}",
                " or ".join(f"({h})" for h in holds),
                " and ".join(cannot),
            )
        )
    return out


def _points(item: Item) -> str:
    return f"case when {item.column} then {item.points} else 0 end"


def sets(knowledge: Knowledge) -> list[ScoredSet]:
    """Every set as SQL over item columns and words."""
    enc = encode(knowledge)
    by_domain: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in items(knowledge):
        by_domain[(item.set, item.domain)].append(item)
    combine = {(r["set"], r["domain"]): (r["combine"], r["kind"]) for r in knowledge["criteria_domains"]}
    out = []
    for row in knowledge["criteria_sets"]:
        name = row["set"]
        parts = []
        of_kind: dict[str, list[Item]] = defaultdict(list)
        for (owner, domain), members in by_domain.items():
            if owner != name:
                continue
            how, kind = combine[(owner, domain)]
            of_kind[kind] += members
            terms = [_points(m) for m in members]
            parts.append(
                terms[0] if len(terms) == 1 else f"greatest({', '.join(terms)})" if how == "max" else " + ".join(terms)
            )
        points = f"cast({' + '.join(parts)} as decimal(6, 2))"
        needs = [f"{name}__points {row['comparator']} {row['threshold']}"]
        for need in filter(None, row["needs"].split(";")):
            kind, least = need.split(">=")
            terms = [m.column for m in of_kind[kind]]
            needs.append(
                "(" + " or ".join(terms) + ")"
                if int(least) == 1
                else " + ".join(f"case when {t} then 1 else 0 end" for t in terms) + f" >= {least}"
            )
        if row["entry"]:
            needs.append(enc.test(row["entry"]))
        met = " and ".join(needs)
        if row["shortcut"]:
            ways = [" and ".join(enc.test(f) for f in way.split("&")) for way in row["shortcut"].split("|")]
            met = f"({met}) or " + " or ".join(f"({w})" for w in ways)
        entry = (
            f"case when {enc.test(row['entry'])} then true when {enc.test(row['entry'], 'a')} then false end"
            if row["entry"]
            else "cast(null as boolean)"
        )
        out.append(ScoredSet(name, points, met, entry))
    return out


def fm_sets(knowledge: Knowledge) -> list[str]:
    """The sets that are judged on filled-in forms, in table order."""
    return [r["set"] for r in knowledge["fm_sets"]]


def _approximate(knowledge: Knowledge) -> str:
    """SQL: is the set `c."set"` read from a form `c.instrument` that was made for another?"""
    pairs = [(r["set"], f) for r in knowledge["fm_sets"] for f in r["approximate_from"].split(";") if f]
    return "(" + (" or ".join(f"(c.\"set\" = '{s}' and c.instrument = '{f}')" for s, f in pairs) or "false") + ")"


def context(knowledge: Knowledge) -> dict[str, Any]:
    """Everything the SQL files of this room ask for beyond the common macros."""
    enc = encode(knowledge)
    excluders = sorted({r["finding"] for r in knowledge["criteria_clauses"] if r["role"] == "excludes"})
    costly = {r["item"] for r in knowledge["criteria_items"] if float(r["points"]) < 0}
    never_hoped = {r["finding"] for r in knowledge["criteria_clauses"] if r["item"] in costly}
    hoped = enc.pack(f for f in enc.place if f not in never_hoped)
    return {
        "openings": [{"present": enc.test(f), "absent": enc.test(f, "a")} for _, f in openings(knowledge)],
        "fewest_items": int(knowledge.limit("fewest_items")),
        "items": items(knowledge),
        "sets": sets(knowledge),
        "excluders": enc.pack(excluders).by_word,
        "every": hoped.by_word,
        "fm_sets": fm_sets(knowledge),
        "approximate": _approximate(knowledge),
    }
