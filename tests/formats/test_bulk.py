"""The bulk client against a server of the tests' own: the way of an export, what may go wrong, and what is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bulk_server import CLIENT, Server, rsa_key, serving
from fhir_world import patient
from shell import Run, run_cli
from test_omop import accounts
from test_same_persons import SHARES, results

from tellapart.errors import InputError, UsageError
from tellapart.events.readers import fhir_bulk as bulk
from tellapart.knowledge.load import load
from tellapart.simulate.cohort import Plan, simulate

PERSONS = [json.dumps(patient(id=f"synthetic-{n}")) for n in (1, 2)]
LUPUS = [
    json.dumps({"resourceType": "Condition", "id": f"c{n}", "subject": {"reference": f"Patient/synthetic-{n}"}, "onsetDateTime": "2024-01-01",
                "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M32.9"}]}})
    for n in (1, 2)
]  # fmt: skip


def world(**more: Any) -> Server:
    return Server({("output", "Patient"): [PERSONS], ("output", "Condition"): [LUPUS[:1], LUPUS[1:]]}, **more)


def client(tmp_path: Path, server: Server) -> Path:
    (tmp_path / "key.json").write_text(json.dumps(server.client()))
    return tmp_path / "key.json"


def fetch(server: Server, tmp_path: Path, path: str = "/fhir", **more: Any) -> tuple[list[str], list[float]]:
    """What was told, and the waits."""
    told: list[str] = []
    waits: list[float] = []
    who = bulk.read_client(client(tmp_path, server))
    bulk.fetch(
        server.url + path, who, tmp_path / "x", ["Patient", "Condition"], tell=told.append, sleep=waits.append, **more
    )
    return told, waits


def names(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("make_key", [None, rsa_key], ids=["EC", "RSA"])
def test_the_way_of_an_export(make_key: Callable[[], Any] | None, tmp_path: Path) -> None:
    server = world(**({"key": make_key()} if make_key else {}))
    with serving(server):
        told, waits = fetch(server, tmp_path)
    assert names(tmp_path / "x") == [
        ".export/state.json",
        "Condition.0001.ndjson",
        "Condition.0002.ndjson",
        "Patient.0001.ndjson",
    ]
    assert (tmp_path / "x" / "Condition.0002.ndjson").read_text().splitlines() == LUPUS[1:]
    assert server.kick_offs == [
        {"query": {"_type": ["Patient,Condition"], "_outputFormat": ["application/fhir+ndjson"]}, "body": None}
    ]
    assert waits == [2.0, 2.0] and "export under way half of it" in told
    assert server.tokens == ["system/*.rs"] and server.let_go
    kept = (tmp_path / "x" / ".export" / "state.json").read_text()
    assert "Bearer" not in kept and '"d"' not in kept and CLIENT not in kept


@pytest.mark.parametrize(
    ("path", "asked"),
    [("/fhir", "/fhir/Patient/$export"), ("/fhir/", "/fhir/Patient/$export"), ("/fhir/Group/7", "/fhir/Group/7/$export"),
     ("/fhir/Patient", "/fhir/Patient/$export"), ("/fhir/$export?_since=2025-01-01", "/fhir/$export")],
)  # fmt: skip
def test_what_is_asked_for(path: str, asked: str, tmp_path: Path) -> None:
    with serving(world()) as server:
        fetch(server, tmp_path, path)
    assert ("GET", asked) in server.asked
    if "?" in path:
        assert server.kick_offs[0]["query"] == {"_since": ["2025-01-01"]}


def test_trouble_that_passes(tmp_path: Path) -> None:
    """A token that ends, a busy server, a file that breaks off, a list in parts, parameters by POST, older scopes."""
    server = world(token_uses=3, pages=3, post_only=True, scopes=("system/*.read",), busy=1)
    with serving(server):
        server.break_off = {"/file/output/Condition/0"}
        server.busy_first = {"/status/0", "/file/output/Patient/0"}
        _, waits = fetch(server, tmp_path)
    assert (tmp_path / "x" / "Condition.0001.ndjson").read_text().splitlines() == LUPUS[:1]
    assert len(server.tokens) > 1 and set(server.tokens) == {"system/*.read"}
    assert server.kick_offs[0]["body"]["parameter"][0] == {"name": "_type", "valueString": "Patient,Condition"}
    assert waits.count(3.0) == 2  # Retry-After of either
    assert not list((tmp_path / "x").glob("*.part"))


def test_an_interrupted_fetch_goes_on_file_by_file(tmp_path: Path) -> None:
    server = world()
    with serving(server):
        server.gone = {"/file/output/Condition/1"}
        with pytest.raises(InputError, match=r"did not give Condition.0002.ndjson \(404"):
            fetch(server, tmp_path)
        server.gone = set()
        fetch(server, tmp_path, resume=True)
        assert server.times("$export") == 1 and server.times("/file/output/Patient/0") == 1
        fetch(server, tmp_path, resume=True)  # all is there: nothing is asked
        assert server.times("$export") == 1 and server.times("/file/") == 4
        fetch(server, tmp_path)  # anew
        assert server.times("$export") == 2


def test_what_was_deleted_goes_and_what_failed_is_said(tmp_path: Path) -> None:
    gone = {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"request": {"method": "DELETE", "url": "Condition/c1"}}, {"request": {"method": "DELETE", "url": "Patient/synthetic-2"}}]}  # fmt: skip
    failed = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "processing", "diagnostics": "Observation timed out"}],
    }
    server = world()
    server.files |= {("deleted", "Bundle"): [[json.dumps(gone)]], ("error", "OperationOutcome"): [[json.dumps(failed)]]}
    with serving(server):
        done = run_cli("audit", f"{server.url}/fhir", "--client", client(tmp_path, server), "--out", tmp_path / "out")
    assert done.code == 3, done.said
    assert "Observation timed out" in (tmp_path / "out" / "rejected.ndjson").read_text()
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["persons"] == 1
    assert {k: v for k, v in run["accounting"].items() if v} == {"read": 5, "used": 1, "withdrawn": 3, "rejected": 1}
    assert {".export/deleted/Bundle.0001.ndjson", ".export/error/OperationOutcome.0001.ndjson"} <= set(
        names(tmp_path / "out.export")
    )
    assert [i["file"] for i in run["inputs"] if i["file"].startswith("Patient")] == ["Patient.0001.ndjson"]


def test_an_export_is_read_as_its_files_are(tmp_path: Path) -> None:
    simulate(load(), Plan(20, SHARES, seed=4), tmp_path / "c")
    expected = results(tmp_path / "c" / "fhir", tmp_path / "direct"), accounts()
    lines = {p.stem: p.read_text().splitlines() for p in sorted((tmp_path / "c" / "fhir").glob("*.ndjson"))}
    server = Server(
        {("output", kind): [part[: len(part) // 2], part[len(part) // 2 :]] for kind, part in lines.items()}
    )
    with serving(server):
        fetch(server, tmp_path)
    assert (results(tmp_path / "x", tmp_path / "fetched"), accounts()) == expected


# what ends it


def refused(server: Server, tmp_path: Path, *more: object) -> Run:
    done = run_cli("audit", f"{server.url}/fhir", "--out", tmp_path / "out", *more)
    assert done.code in (1, 2), done.said
    secret = server.key.as_dict(private=True)["d"]
    assert secret not in done.out + done.err
    return done


def test_clear_words(tmp_path: Path) -> None:
    with serving(world()) as server:
        key = client(tmp_path, server)
        assert "401: no token" in refused(server, tmp_path).said
        stranger = tmp_path / "stranger.json"
        stranger.write_text(json.dumps({"client_id": CLIENT, "jwk": rsa_key().as_dict(private=True)}))
        assert (
            "refused the client (400: the assertion is not valid)"
            in refused(server, tmp_path, "--client", stranger).said
        )
        server.wrong_count = True
        assert "the server's list says" in refused(server, tmp_path, "--client", key).said
        server.gone = {"/status/0"}
        assert "no longer knows the export (404: expired)" in refused(server, tmp_path, "--client", key).said
        (tmp_path / "out.export" / ".export" / "state.json").unlink()
        (tmp_path / "out.export" / "thesis.txt").write_text("mine")
        assert "holds files that are no export's" in refused(server, tmp_path, "--client", key).said


def test_a_client_file_that_cannot_be_used(tmp_path: Path) -> None:
    server = world()
    good = server.client()
    for content, says in (
        ("{", "not JSON"), ("[]", "expected"), (json.dumps({"client_id": "x"}), "expected"),
        (json.dumps({"client_id": "x", "jwk": server.key.as_dict(private=False)}), "expected"),
        (json.dumps(good | {"jwk": good["jwk"] | {"crv": "P-256"}}), "key"),
    ):  # fmt: skip
        (tmp_path / "k.json").write_text(content)
        with pytest.raises(InputError, match=says) as told:
            bulk.read_client(tmp_path / "k.json")
        assert good["jwk"]["d"] not in str(told.value)
    assert good["jwk"]["d"] not in repr(bulk.read_client(client(tmp_path, server)))


def test_only_over_https(tmp_path: Path) -> None:
    for address in ("http://server.invalid/fhir", "https://me:secret@server.invalid/fhir"):
        with pytest.raises(UsageError) as told:
            bulk.fetch(address, None, tmp_path / "x", [])
        assert "https" in str(told.value) or "password" in str(told.value)
    assert not (tmp_path / "x").exists()
    waits: list[float] = []
    with pytest.raises(InputError, match="cannot be reached"):
        bulk.fetch("http://127.0.0.1:9/fhir", None, tmp_path / "x", [], sleep=waits.append)
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0]
    done = run_cli("workup", "https://server.invalid/fhir")
    assert done.code == 2 and "tellapart audit" in done.said
    assert run_cli("audit", tmp_path, "--client", "k.json", "--out", tmp_path / "out").code == 2
