"""Following the next test named, beside a fixed panel: how many tests it takes until the call is right.

Simulated persons begin with complaints and signs on record and nothing measured. On one path everybody has whatever
`next_tests` names first, until it names nothing; on the other everybody has the whole panel (every row of `tests`). Each
path is also left at the first call. The same statements work up every record on every path.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.simulate.cohort import Plan
from tellapart.simulate.model import HYPOTHESES, Ints, Model, model
from tellapart.simulate.recording import record
from tellapart.simulate.rows import People, people
from tellapart.simulate.structures import STRUCTURES
from tellapart.tasks.session import Options, Session
from tellapart.tasks.validation.metrics import share

Flags = NDArray[np.bool_]
Texts = NDArray[np.str_]
Shown = tuple[int, ...]  # the nodes whose state a test shows
Step = tuple[NDArray[np.float64], Texts]  # tests done and call of every person
OPEN = "undetermined"


@dataclass(frozen=True)
class Clinic:
    """Persons of one simulated cohort, and what each test shows of them.

    Attributes:
        states: true state per person and node.
        told: is the node on record before any test?
        shows: test to nodes.
    """

    made: Model
    plan: Plan
    who: People
    states: Ints
    told: Flags
    shows: dict[str, Shown]


def clinic(session: Session, plan: Plan) -> Clinic:
    """Draw the persons; of their complaints and signs as much is on record as the plan says."""
    made = model(session.knowledge)
    rng = np.random.default_rng(plan.seed)
    h = rng.choice(len(HYPOTHESES), plan.persons, p=plan.shares())
    who = people(made, rng, h, 1)
    states, _ = STRUCTURES[plan.structure](made).draw(rng, h)
    told = record(made, rng, h, states, plan.completeness).told
    shows = {
        r["test"]: tuple(i for i, node in enumerate(made.nodes) if set(node.rungs) & set(r["findings"].split(";")))
        for r in session.knowledge["tests"]
    }
    return Clinic(made, plan, who, states, told, shows)


def compared(session: Session, plan: Plan, z: float) -> dict[str, Any]:
    """The points of every path, and the tests after which the advice has as many right calls as the whole panel has in
    the end (None: never). A point is the mean number of tests done so far, and the shares of right and of wrong calls.
    """
    here = clinic(session, plan)
    advice, wanted = _advised(session, here)
    # in the order in which the advice wants them most: a panel that is hard to beat
    order = sorted(dict.fromkeys(here.shows.values()), key=lambda nodes: -wanted[nodes])
    panel = _panel(session, here, order)
    walks = {
        "next test named": advice, "whole panel": panel, "next test until a call": _until(advice),
        "panel until a call": _until(panel),
    }  # fmt: skip
    paths = {name: [_point(here, step, z) for step in walk] for name, walk in walks.items()}
    goal = paths["whole panel"][-1]["right"]["value"]
    enough = [point["tests"] for point in paths["next test named"] if point["right"]["value"] >= goal]
    return {"paths": paths, "panel_tests": len(order), "enough": enough[0] if enough else None}


def _advised(session: Session, here: Clinic) -> tuple[list[Step], Counter[Shown]]:
    """The path of the advice, and how often it wanted what."""
    known, count = here.told.copy(), np.zeros(len(here.told))
    walk: list[Step] = []
    wanted: Counter[Shown] = Counter()
    while True:
        calls, first = _worked_up(session, here, known)
        walk.append((count, calls))
        if not (first != "").any():
            return walk, wanted
        for test in sorted(set(first.tolist()) - {""}):
            known[np.ix_(first == test, here.shows[test])] = True
            wanted[here.shows[test]] += int((first == test).sum())
        count = count + (first != "")


def _panel(session: Session, here: Clinic, order: list[Shown]) -> list[Step]:
    known = here.told.copy()
    walk = [(np.zeros(len(known)), _worked_up(session, here, known)[0])]
    for number, nodes in enumerate(order, start=1):
        known[:, nodes] = True
        walk.append((np.full(len(known), float(number)), _worked_up(session, here, known)[0]))
    return walk


def _until(walk: list[Step]) -> list[Step]:
    """The same path, left by everybody at the first call."""
    stopped = walk[:1]
    for count, calls in walk[1:]:
        before, kept = stopped[-1]
        going = kept == OPEN
        stopped.append((np.where(going, count, before), np.where(going, calls, kept)))
    return stopped


def _worked_up(session: Session, here: Clinic, known: Flags) -> tuple[Texts, Texts]:
    """Call of every person and the test named first ('' if none), with these nodes on record."""
    options = Options(prior=dict(here.plan.prevalence))
    session.read_documents([_document(here, person, nodes) for person, nodes in enumerate(known)], options)
    session.analyse(options, list(range(1, len(known) + 1)))
    rows = session.answers.rows(
        """select c.call, coalesce(n.test, '') as test
           from calls as c
           inner join persons as p on p.person = c.person
           left join (select distinct person, test from next_tests where place = 1) as n on n.person = c.person
           order by p.person_id"""
    )
    return np.array([r["call"] for r in rows]), np.array([r["test"] for r in rows])


def _document(here: Clinic, person: int, known: Flags) -> dict[str, Any]:
    return {
        "schema": "tellapart.case/1",
        "person": {
            "id": f"synthetic-{person:07d}", "age": int(here.who.age[person]),
            "sex": "female" if here.who.female[person] else "male",
        },
        "findings": [
            {"finding": finding, "state": "present" if here.states[person, node] >= rung else "absent"}
            for node in np.flatnonzero(known)
            for rung, finding in enumerate(here.made.nodes[node].rungs, start=1)
        ],
    }  # fmt: skip


def _point(here: Clinic, step: Step, z: float) -> dict[str, Any]:
    count, calls = step
    right = calls == np.array(HYPOTHESES)[here.who.h]
    wrong = ~right & (calls != OPEN)
    shares = {k: share(float(v.sum()), len(v), z).document() for k, v in (("right", right), ("wrong", wrong))}
    return {"tests": round(float(count.mean()), 3), **shares}
