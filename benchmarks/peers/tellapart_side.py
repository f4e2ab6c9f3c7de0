"""The five definitions by tellapart: files to events to finding states, by the statements that an audit runs."""

from __future__ import annotations

import sys
from pathlib import Path

from measure import serve

from tellapart import __version__, pipeline
from tellapart.knowledge.encode import encode
from tellapart.tasks.session import Options, Session


def main() -> None:
    session = Session()
    encoding = encode(session.knowledge)
    to_states = pipeline.EVERYBODY[: [s.makes for s in pipeline.EVERYBODY].index("states") + 1]

    def answer(folder: Path, definitions: list[dict]) -> dict[str, list[str]]:
        session.read(folder, Options(format="fhir"))
        for _ in pipeline.run(session.engine, session.knowledge, to_states):
            pass
        return {
            d["name"]: [
                row["person_id"]
                for row in session.engine.rows(
                    "select p.person_id from states as s inner join persons as p on p.person = s.person "
                    f"where {encoding.test(d['name'])}"
                )
            ]
            for d in definitions
        }

    serve(answer, f"tellapart {__version__}")


if __name__ == "__main__":
    sys.exit(main())
