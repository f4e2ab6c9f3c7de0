"""The plan of the house: every stage, the file that makes it, what it reads, in order.

The same stages run for one person and for millions. `reads` and the columns made are checked against the SQL text by
the tests; `tellapart knowledge show plan` prints this list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from tellapart.answers import compile as answers
from tellapart.contracts import relations as contracts
from tellapart.criteria import compile as criteria
from tellapart.differential import compile as differential
from tellapart.findings import compile as findings
from tellapart.knowledge import relations
from tellapart.knowledge.encode import encode
from tellapart.knowledge.load import Knowledge
from tellapart.knowledge.template import render


class Engine(Protocol):
    """What the pipeline asks of an engine."""

    def load(self, name: str, columns: Any, rows: Any) -> None: ...

    def make(self, name: str, sql: str, view: bool = False, only_with: str | None = None) -> None: ...

    def drop(self, name: str) -> None: ...


@dataclass(frozen=True)
class Stage:
    """One step: `file` (inside the package) makes relation `makes` from `reads`, for everybody or persons of interest.

    `only_with` names a relation of `reads` without whose rows the statement has none either: it is not run then.
    """

    makes: str
    file: str
    reads: tuple[str, ...]
    view: bool = False
    only_with: str | None = None


ROOM_CONTEXT: dict[str, Callable[[Knowledge], dict[str, Any]]] = {
    "findings": findings.context,
    "criteria": criteria.context,
    "differential": differential.context,
    "answers": answers.context,
}

# filled-in forms, for everybody who has one
FORMS = (
    Stage(
        "forms",
        "findings/forms.sql",
        ("events", "instrument_items", "instrument_sites", "instrument_variables", "pain_sites"),
    ),
    Stage("form_marks", "findings/form_marks.sql", ("forms", "form_findings")),
    Stage("fm_forms", "criteria/fm_forms.sql", ("forms", "instrument_rules", "fm_set_points", "persons")),
    Stage("fm_points", "criteria/fm_points.sql", ("fm_forms",)),
)

# whose prior applies
PRIORS = (
    Stage("settings", "differential/settings.sql", ("persons", "suspected", "given_settings", "options")),
    Stage("person_priors", "differential/person_priors.sql", ("settings", "prior_rows")),
)

# everybody: states, points, a point posterior; last, who is of interest
EVERYBODY = (
    Stage("marks", "findings/marks.sql", ("events", "code_marks", "variants", "results", "bands"), view=True),
    *FORMS,
    Stage("states", "findings/states.sql", ("marks", "form_marks")),
    Stage("points", "criteria/points.sql", ("states",)),
    Stage("suspected", "differential/suspected.sql", ("states",)),
    *PRIORS,
    Stage("weights_used", "differential/weights_used.sql", ("states",)),
    Stage("posterior", "differential/posterior.sql", ("person_priors", "weights_used", "weight_rows")),
    Stage("interest", "differential/interest.sql", ("states", "points", "posterior", "fm_points")),
)

# persons of interest: dates, references, attribution, intervals, calls
INTEREST = (
    Stage("interest_events", "findings/interest_events.sql", ("events", "interest")),
    Stage(
        "interest_marks",
        "findings/interest_marks.sql",
        ("interest_events", "code_marks", "variants", "results", "bands", "form_marks"),
    ),
    Stage("exposures", "findings/exposures.sql", ("interest_events", "codes", "drugs", "doses")),
    Stage("stated", "findings/stated.sql", ("interest_marks", "outcomes")),
    Stage("contests", "findings/contests.sql", ("stated", "exposures", "competing_causes")),
    Stage("series", "findings/series.sql", ("interest_events", "codes", "series_rules", "stated", "exposures")),
    Stage("occurrences", "findings/occurrences.sql", ("stated", "contests", "series", "finding_bits"), view=True),
    Stage("weighed", "findings/weighed.sql", ("interest_marks", "stated", "contests", "finding_bits"), view=True),
    Stage("masks", "findings/masks.sql", ("weighed",)),
    Stage("scores", "criteria/scores.sql", ("masks",)),
    Stage("course", "findings/course.sql", ("weighed", "scores", "masks")),
    Stage("met_dates", "criteria/met_dates.sql", ("course", "scores")),
    Stage(
        "findings",
        "findings/findings.sql",
        ("occurrences", "interest_events", "masks", "course", "finding_bits", "derived_findings"),
    ),
    Stage("on_record", "findings/on_record.sql", ("findings", "interest_events", "codes")),
    Stage(
        "drug_induced",
        "criteria/drug_induced.sql",
        ("exposures", "horizons", "drugs", "drug_induced_tiers", "drug_induced_findings", "findings"),
        only_with="exposures",
    ),
    Stage(
        "red_flags_in_force",
        "findings/red_flags.sql",
        ("findings", "drug_induced", "red_flags", "red_flag_clauses", "horizons"),
    ),
    Stage("interest_weights", "differential/interest_weights.sql", ("masks", "drug_induced", "weight_rows")),
    Stage("intervals", "differential/intervals.sql", ("person_priors", "interest", "interest_weights", "weight_rows")),
    Stage(
        "calls", "differential/call.sql", ("intervals", "interest", "on_record", "workup_tests", "red_flags_in_force")
    ),
)

# what a document adds: the state of every item
ITEMS = (
    Stage("items", "criteria/items.sql", ("masks",)),
    Stage("item_dates", "criteria/item_dates.sql", ("occurrences", "item_ways")),
    Stage("whatif", "criteria/whatif.sql", ("interest", "masks", "scores", "set_items")),
)

# the total of every form
TOTALS = (
    Stage(
        "instrument_totals",
        "criteria/instrument_totals.sql",
        ("forms", "interest", "instrument_scales", "instrument_bands", "findings"),
        only_with="forms",
    ),
)

# what would settle it: the record with every result that a test could have
NEXT = (
    Stage("imagined", "differential/imagined.sql", ("interest", "masks", "findings", "on_record", "test_results", "test_findings")),
    Stage("imagined_weights", "differential/imagined_weights.sql", ("imagined", "interest_weights", "weight_rows")),
    Stage(
        "next_tests",
        "differential/next_tests.sql",
        ("imagined", "imagined_weights", "weight_rows", "interest_weights", "person_priors", "intervals", "calls"),
    ),
)  # fmt: skip

# which of those tests to order together
TOGETHER = (
    Stage("together", "differential/together.sql", ("next_tests", "test_findings", "imagined"), only_with="next_tests"),
    Stage(
        "together_weights",
        "differential/together_weights.sql",
        ("together", "interest_weights", "weight_rows"),
        only_with="together",
    ),
    Stage(
        "tests_together",
        "differential/tests_together.sql",
        (
            "together", "together_weights", "next_tests", "weight_rows", "interest_weights", "person_priors", "intervals", "calls",
        ),
        only_with="together",
    ),
)  # fmt: skip

# which finding, if it were wrong, would change the call
SENSITIVITY = (
    Stage(
        "sensitivity",
        "differential/sensitivity.sql",
        ("interest_weights", "weight_rows", "person_priors", "calls"),
    ),
)

# which of the other conditions it is, if it is neither
MIMICS = (
    Stage("mimics", "differential/mimics.sql", ("interest", "interest_weights", "mimic_weights", "mimic_shares")),
)

# whose activity an audit needs: in a workup, everybody's on every day
ASKED = (
    Stage("activity_asked", "criteria/activity_asked.sql", ("exposures", "drug_names", "treatment_terms", "interest", "options")),
)  # fmt: skip

# how active the disease is, for persons with lupus
ACTIVITY = (
    Stage("lupus", "criteria/lupus.sql", ("calls", "findings", "activity_asked")),
    Stage(
        "activity",
        "criteria/activity.sql",
        (
            "lupus", "occurrences", "interest_events", "exposures", "horizons", "codes", "drugs",
            "activity_items", "activity_clauses", "activity_conditions", "activity_bands",
        ),
        only_with="lupus",
    ),
)  # fmt: skip

# when it rose and of which kind; which of the Duke groups
FLARES = (
    Stage(
        "flare_signs",
        "criteria/flare_signs.sql",
        (
            "activity",
            "activity_items",
            "findings",
            "occurrences",
            "lupus",
            "interest_events",
            "codes",
            "exposures",
            "drugs",
            "drug_names",
            "instrument_totals",
            "horizons",
            "flare_rules",
            "flare_looks",
        ),
        only_with="activity",
    ),
)
GROUPS = (
    Stage(
        "duke_groups",
        "criteria/duke_groups.sql",
        ("activity", "interest_events", "codes", "instrument_totals", "fm_forms", "duke_rules"),
        only_with="activity",
    ),
    Stage("type2_course", "criteria/type2_course.sql", ("activity", "instrument_totals"), only_with="activity"),
)  # fmt: skip

# which treatment does not fit the evidence, and what was not yet looked for
TREATMENT = (
    Stage("drug_use", "answers/drug_use.sql", ("exposures", "horizons", "interest_events", "codes", "drug_asks"), only_with="exposures"),
    Stage(
        "treatment_facts",
        "answers/treatment_facts.sql",
        (
            "drug_use", "horizons", "interest_events", "codes", "treatment_asks", "drug_asks", "findings", "calls",
            "scores", "fm_points", "settings", "activity", "drug_induced",
        ),
    ),
    Stage("treatment", "answers/treatment.sql", ("treatment_facts", "drug_use", "treatment_terms", "treatment_rules")),
    Stage(
        "reciprocal",
        "answers/reciprocal.sql",
        ("calls", "findings", "reciprocal_checks", "forms", "on_record", "workup_tests"),
    ),
    Stage(
        "disease_course",
        "answers/disease_course.sql",
        ("calls", "met_dates", "fm_points", "findings", "interest_events", "horizons"),
    ),
    Stage("wrong_labels", "answers/wrong_labels.sql", ("calls", "findings", "horizons", "persons")),
    Stage(
        "wrong_label_drugs",
        "answers/wrong_label_drugs.sql",
        ("wrong_labels", "exposures", "label_drugs", "drugs"),
        only_with="wrong_labels",
    ),
)  # fmt: skip

# what an audit adds: one row per person read, and the list to work through
ANSWERS = (
    Stage(
        "persons_out",
        "answers/persons_out.sql",
        ("persons", "settings", "posterior", "points", "interest", "intervals", "calls", "scores", "met_dates",
         "fm_points", "findings", "red_flags_in_force"),
    ),
    Stage(
        "worklist",
        "answers/worklist.sql",
        (
            "persons_out", "on_record", "worklist_reasons", "workup_tests", "findings", "interest", "interest_weights", "weight_rows",
            "drug_induced", "treatment",
        ),
    ),
    Stage("set_agreement", "answers/set_agreement.sql", ("persons_out",)),
    Stage("follow_up", "answers/follow_up.sql", ("disease_course", "persons", "horizons", "interest_events")),
    Stage("incidence", "answers/incidence.sql", ("follow_up",)),
    Stage("transitions", "answers/transitions.sql", ("follow_up",)),
)  # fmt: skip


AUDIT = EVERYBODY + INTEREST + ASKED + ACTIVITY + TREATMENT + ANSWERS
# with what `audit --flares` adds: activity on every day costs more than all the rest
AUDIT_WITH_FLARES = AUDIT + TOTALS + FLARES
# one person is of interest because somebody asks: the same statements, without the search through everybody
WORKUP = (
    FORMS + PRIORS + INTEREST + ITEMS + TOTALS + NEXT + SENSITIVITY + MIMICS + ACTIVITY + FLARES + GROUPS + TREATMENT
)
WORKUP_TOGETHER = WORKUP + TOGETHER
STAGES = (
    EVERYBODY
    + INTEREST
    + ITEMS
    + TOTALS
    + NEXT
    + TOGETHER
    + SENSITIVITY
    + MIMICS
    + ASKED
    + ACTIVITY
    + FLARES
    + GROUPS
    + TREATMENT
    + ANSWERS
)


@lru_cache(maxsize=4)
def statements(knowledge: Knowledge) -> dict[str, str]:
    """Relation to the SQL text that makes it, for this knowledge base."""
    contexts = {room: make(knowledge) for room, make in ROOM_CONTEXT.items()}
    return {stage.makes: render(knowledge, stage.file, contexts[stage.file.split("/")[0]]) for stage in STAGES}


def prepare(engine: Engine, knowledge: Knowledge) -> None:
    """Load every knowledge relation into the engine (once per session)."""
    for name, (columns, rows) in relations.relations(knowledge).items():
        engine.load(name, columns, rows)
    for name, (columns, rows) in differential.relations(knowledge).items():
        engine.load(name, columns, rows)


def prior_rows(knowledge: Knowledge) -> relations.Table:
    """The relation `prior_rows`, which a user's own prior replaces."""
    return relations.relations(knowledge)["prior_rows"]


# what an audit still asks for when the stages are done
KEPT = frozenset(
    {
        "persons",
        "persons_out",
        "interest",
        "findings",
        "flare_signs",
        "on_record",
        "intervals",
        "worklist",
        "set_agreement",
        "incidence",
        "transitions",
        "wrong_labels",
        "wrong_label_drugs",
        "disease_course",
        "horizons",
        "interest_events",
        "treatment",
        "reciprocal",
    }
)


def run(
    engine: Engine, knowledge: Knowledge, stages: tuple[Stage, ...], keep: frozenset[str] | None = None
) -> Iterator[Stage]:
    """Run the stages in order; yields each one when it is done (for progress and timing).

    Args:
        keep: let go of every relation made here after its last reader, these apart (memory); None: keep all.
    """
    texts = statements(knowledge)
    last = _last_readers(stages)
    for number, stage in enumerate(stages):
        engine.make(stage.makes, texts[stage.makes], view=stage.view, only_with=stage.only_with)
        if keep is not None:
            for name, reader in last.items():
                if reader == number and name not in keep:
                    engine.drop(name)
        yield stage


def placeholders(knowledge: Knowledge) -> dict[str, list[str]]:
    """The ids that stand for the placeholders of contracts/relations.py in this knowledge base."""
    return {
        "word": [str(w + 1) for w in range(encode(knowledge).words)],
        "sle_set": [r["set"] for r in knowledge["criteria_sets"]],
        "fm_set": [r["set"] for r in knowledge["fm_sets"]],
        "item": [i.column for i in criteria.items(knowledge)],
    }


def columns(name: str, knowledge: Knowledge) -> dict[str, str]:
    """Column to type of a relation that the plan makes, by its contract."""
    return contracts.expand(contracts.ALL[name], placeholders(knowledge))


def inputs(stages: tuple[Stage, ...], knowledge: Knowledge) -> list[str]:
    """The relations that these stages read and that neither they nor the knowledge tables make."""
    made = {s.makes for s in stages} | set(relations.relations(knowledge)) | set(differential.relations(knowledge))
    return sorted({name for stage in stages for name in stage.reads} - made | {"prior_rows"})


def _last_readers(stages: tuple[Stage, ...]) -> dict[str, int]:
    """Table made by these stages to the number of the last stage that reads it, views read through."""
    made = {stage.makes: stage for stage in stages}

    def tables(names: tuple[str, ...]) -> Iterator[str]:
        for name in names:
            if name in made and made[name].view:
                yield from tables(made[name].reads)
            elif name in made:
                yield name

    return {name: number for number, stage in enumerate(stages) for name in tables(stage.reads)}
