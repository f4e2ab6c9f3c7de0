"""The command line as a contract: help, exit codes, what goes to which stream, and what a wrong word is answered with."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import cases
import jsonschema
import pytest
import records
from shell import Run, program, run_cli

import tellapart.contracts

pytestmark = pytest.mark.proves("failure_unsaid", "wrong_person")

SCHEMAS = Path(tellapart.contracts.__file__).parent / "schemas"
ESCAPE = "\x1b"
COMMANDS = [
    ["workup"], ["audit"], ["demo"], ["case", "new"], ["case", "check"], ["knowledge", "check"], ["knowledge", "show"],
    ["knowledge", "export"],
]  # fmt: skip


def schema(name: str) -> dict[str, Any]:
    return dict(json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a case, the same as TOML, one person as Bundle, and three persons as NDJSON."""
    folder = tmp_path_factory.mktemp("sources")
    (folder / "case.json").write_text(json.dumps(cases.clear_fm("lone-case")))
    (folder / "case.toml").write_text(
        'schema = "tellapart.case/1"\nas_of = 2026-01-01\n[person]\nid = "toml-case"\nsex = "female"\nage = 34\n'
        '[[findings]]\nfinding = "malar_rash"\nstate = "present"\n'
    )
    one = [
        records.patient("one"),
        records.observation("one", "o1", records.ANA, valueString="1:320"),
        records.observation("one", "o2", records.WBC, **records.quantity(2.9, "10*3/uL")),
        records.condition("one", "c1", records.SLE),
    ]
    records.write(folder / "bundle.json", records.bundle(one))
    bad = records.observation("b", "bad", records.WBC, **records.quantity("many", "10*3/uL"))
    people = [records.patient(p) for p in "abc"] + [records.condition("a", "c2", records.FM)]
    records.write(folder / "three.ndjson", *people)
    records.write(folder / "faulty.ndjson", *people, bad)
    return folder


# -- help


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_an_example(command: list[str]) -> None:
    run = run_cli(*command, "--help")
    assert run.code == 0
    assert "Example" in run.out, "no example in the help"
    assert f"tellapart {' '.join(command)}" in run.out
    assert ESCAPE not in run.out


@pytest.mark.parametrize("command", [[], ["case"], ["knowledge"]], ids=" ".join)
def test_a_command_without_its_word_shows_the_help(command: list[str]) -> None:
    run = run_cli(*command)
    assert run.code in (0, 2)
    assert "Commands" in run.out + run.err


def test_version_names_software_and_knowledge() -> None:
    run = run_cli("--version")
    assert run.code == 0
    assert run.out.split()[0] == "tellapart" and "knowledge" in run.out


# -- results to stdout, talk to stderr


def test_json_is_one_valid_document_and_nothing_else(sources: Path) -> None:
    run = run_cli("workup", sources / "bundle.json", "--json")
    assert run.code == 0
    jsonschema.validate(run.json, schema("workup"))
    assert run.json["person"]["id"] == "one"
    assert run.json["software"] and run.json["knowledge"]


def test_json_stays_one_document_when_rows_are_rejected(sources: Path) -> None:
    run = run_cli("workup", sources / "faulty.ndjson", "--person", "b", "--json")
    assert run.code == 3
    jsonschema.validate(run.json, schema("workup"))
    assert "Observation/bad" in run.said and "rejected" in run.said


def test_the_page_for_people_has_no_escape_codes_off_a_terminal(sources: Path) -> None:
    run = run_cli("workup", sources / "case.json")
    assert run.code == 0
    assert "lone-case" in run.out and "fibromyalgia" in run.out.lower()
    assert ESCAPE not in run.out + run.err


def test_as_a_program_with_colors_asked_for_and_forbidden(sources: Path) -> None:
    env = {**os.environ, "NO_COLOR": "1", "TERM": "xterm-256color"}
    run = program("workup", str(sources / "case.json"), env=env)
    assert run.code == 0
    assert ESCAPE not in run.out + run.err
    wrong = program("workup", "nowhere.json", env=env)
    assert (wrong.code, wrong.out) == (1, "")
    assert ESCAPE not in wrong.err and "nowhere.json" in wrong.err


def test_a_reader_that_stops_reading_gets_no_traceback(sources: Path) -> None:
    line = (
        f"{os.sys.executable} -c 'from tellapart.doors.cli import main; main()' workup {sources / 'case.json'} --json"  # type: ignore[attr-defined]
    )
    import subprocess

    done = subprocess.run(["/bin/sh", "-c", f"{line} | head -c 20"], capture_output=True, check=False, timeout=120)
    assert b"Traceback" not in done.stderr, done.stderr.decode()


# -- standard input


@pytest.mark.parametrize("name", ["bundle.json", "case.json", "case.toml"])
def test_one_person_from_standard_input(sources: Path, name: str) -> None:
    piped = run_cli("workup", "-", "--json", stdin=(sources / name).read_bytes())
    named = run_cli("workup", sources / name, "--json")
    assert piped.code == named.code == 0
    assert piped.json["differential"] == named.json["differential"]
    assert piped.json["person"] == named.json["person"]


def test_ndjson_from_standard_input(sources: Path) -> None:
    run = run_cli("workup", "-", "--person", "a", "--json", stdin=(sources / "three.ndjson").read_bytes())
    assert (run.code, run.json["person"]["id"]) == (0, "a")


def test_ndjson_with_a_bad_last_line_from_standard_input(sources: Path) -> None:
    content = (sources / "three.ndjson").read_bytes() + b'{"resourceType": "Observa'
    run = run_cli("workup", "-", "--person", "a", "--json", stdin=content)
    assert (run.code, run.json["person"]["id"]) == (3, "a")
    assert "line" in run.said or "5" in run.said


def test_byte_order_mark_on_standard_input(sources: Path) -> None:
    for name in ("bundle.json", "three.ndjson", "case.json", "case.toml"):
        person = ["--person", "a"] if name == "three.ndjson" else []
        run = run_cli("workup", "-", *person, "--json", stdin=b"\xef\xbb\xbf" + (sources / name).read_bytes())
        assert run.code == 0, (name, run.err)


@pytest.mark.parametrize(
    "content", [b"", b"  \n", b"\x00\x01\x02", b"hello", b"<Patient/>", b"{", b"[1, 2]", b"\xff\xfe{"]
)
def test_nothing_usable_on_standard_input(content: bytes) -> None:
    run = run_cli("workup", "-", "--json", stdin=content)
    assert (run.code, run.out) == (1, ""), run.err
    assert "error" in run.said


def test_audit_of_standard_input(sources: Path, tmp_path: Path) -> None:
    run = run_cli("audit", "-", "--out", tmp_path / "out", stdin=(sources / "three.ndjson").read_bytes())
    assert run.code == 0
    assert (tmp_path / "out" / "persons.parquet").exists()


# -- which person


def test_several_persons_and_none_named(sources: Path) -> None:
    run = run_cli("workup", sources / "three.ndjson", "--json")
    assert (run.code, run.out) == (2, "")
    assert "3 persons" in run.said and "a, b, c" in run.said and "--person" in run.said


def test_a_person_who_is_not_there(sources: Path) -> None:
    run = run_cli("workup", sources / "three.ndjson", "--person", "nobody")
    assert (run.code, run.out) == (2, "")
    assert "nobody" in run.said and "a, b, c" in run.said


def test_a_person_named_with_its_type(sources: Path) -> None:
    run = run_cli("workup", sources / "three.ndjson", "--person", "Patient/a", "--json")
    assert (run.code, run.json["person"]["id"]) == (0, "a")


# -- options that cannot be


WRONG = [
    (["--as-of", "yesterday"], "yesterday"), (["--as-of", "2026-13-01"], "2026-13-01"), (["--as-of", ""], "--as-of"),
    (["--as-of", "2026-02-30"], "2026-02-30"), (["--prior", "sle"], "sle=0.2"), (["--prior", "sle=x"], "sle=x"),
    (["--prior", ""], "--prior"), (["--prior", "lupus=0.1"], "lupus"), (["--prior", "sle=0.7,fm=0.4"], "1.1"),
    (["--prior", "sle=-0.1"], "-0.1"), (["--prior", "sle=2"], "sle=2"), (["--prior", "sle=0,fm=0,both=0"], "all"),
    (["--prior", "sle=nan"], "nan"), (["--prior", "sle=inf"], "inf"), (["--prior", "sle=0.1,sle=0.2"], "sle"),
    (["--setting", "moon"], "rheumatology_referral"), (["--format", "xml"], "xml"), (["--wrong"], "wrong"), (["--format", ""], "format"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "named"), WRONG, ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_a_wrong_option_ends_with_2_and_says_which(sources: Path, options: list[str], named: str) -> None:
    run = run_cli("workup", sources / "case.json", *options, "--json")
    assert (run.code, run.out) == (2, ""), run.err
    assert named in run.said.replace("│ ", "")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--memory", "much"], "much"), (["--memory", "4"], "4GB"), (["--memory", "-4GB"], "-4GB"),
        (["--memory", ""], "--memory"), (["--memory", "infGB"], "infGB"), (["--memory", "4KMGB"], "4KMGB"),
        (["--memory", "GB"], "GB"), (["--threads", "0"], "threads"), (["--threads", "x"], "threads"), (["--hash", "md5"], "md5"),
        (["--setting", "moon"], "rheumatology_referral"), (["--as-of", "soon"], "soon"),
    ],
)  # fmt: skip
def test_a_wrong_option_of_audit(sources: Path, tmp_path: Path, options: list[str], named: str) -> None:
    run = run_cli("audit", sources / "three.ndjson", "--out", tmp_path / "out", *options)
    assert (run.code, run.out) == (2, ""), run.err
    assert named in run.said


@pytest.mark.parametrize("memory", ["1GB", "1gb", "900MB", "1.5GiB", "1G"])
def test_memory_as_people_write_it(sources: Path, tmp_path: Path, memory: str) -> None:
    run = run_cli("audit", sources / "three.ndjson", "--out", tmp_path / "out", "--memory", memory, "--quiet")
    assert (run.code, run.out, run.err) == (0, "", "")


def test_too_little_memory_is_said(sources: Path, tmp_path: Path) -> None:
    run = run_cli("audit", sources / "three.ndjson", "--out", tmp_path / "out", "--memory", "1KB")
    assert (run.code, run.out) == (1, "")
    assert "memory" in run.said.lower()


@pytest.mark.parametrize(
    "arguments", [["workup"], ["audit"], ["audit", "x"], ["case", "new"], ["frobnicate"], ["knowledge", "show"]]
)
def test_what_is_missing_is_wrong_usage(arguments: list[str]) -> None:
    run = run_cli(*arguments)
    assert (run.code, run.out) == (2, "")
    assert run.err


def test_a_prior_moves_the_answer_and_is_printed(sources: Path) -> None:
    run = run_cli("workup", sources / "case.json", "--prior", "sle=0.2,fm=0.3,both=0.05", "--json")
    assert run.json["differential"]["prior"] == {"sle": 0.2, "fm": 0.3, "both": 0.05, "neither": 0.45}


def test_a_setting_is_printed(sources: Path) -> None:
    run = run_cli("workup", sources / "bundle.json", "--setting", "lupus_clinic", "--json")
    assert run.json["setting"] == "lupus_clinic"
    assert run_cli("workup", sources / "bundle.json", "--json").json["setting"] == "rheumatology_referral"


def test_as_of_is_printed_and_works(sources: Path) -> None:
    run = run_cli("workup", sources / "bundle.json", "--as-of", "2023-06-01", "--json")
    assert run.json["as_of"] == "2023-06-01"
    assert {f["finding"] for f in run.json["findings"]} == {"sle_dx"}
    assert run.json["coverage"]["after_as_of"] == 2


# -- files that commands write


def test_rejected_rows_in_a_file_of_their_own(sources: Path, tmp_path: Path) -> None:
    target = tmp_path / "rejected.ndjson"
    run = run_cli("workup", sources / "faulty.ndjson", "--person", "b", "--rejected", target, "--json")
    assert run.code == 3
    (row,) = [json.loads(line) for line in target.read_text().splitlines()]
    assert (row["file"], row["line"], row["reference"]) == ("faulty.ndjson", 5, "Observation/bad")
    assert row["value"] == "many" and row["reason"] and row["what_to_do"]
    clean = run_cli("workup", sources / "three.ndjson", "--person", "b", "--rejected", target, "--json")
    assert (clean.code, target.read_text()) == (0, "")


def test_a_page(sources: Path, tmp_path: Path) -> None:
    page = tmp_path / "w.html"
    run = run_cli("workup", sources / "case.json", "--html", page)
    assert (run.code, run.out) == (0, "")
    assert "w.html" in run.said
    text = page.read_text(encoding="utf-8")
    assert text.lstrip().lower().startswith("<!doctype html") and "lone-case" in text
    assert "<script" not in text and 'src="http' not in text


@pytest.mark.parametrize("option", ["--html", "--rejected"])
def test_a_file_that_cannot_be_written(sources: Path, tmp_path: Path, option: str) -> None:
    run = run_cli("workup", sources / "faulty.ndjson", "--person", "b", option, tmp_path / "no" / "such" / "folder")
    assert run.code == 1
    assert "folder" in run.said and "error" in run.said


def test_two_kinds_of_output_at_once(sources: Path, tmp_path: Path) -> None:
    run = run_cli("workup", sources / "case.json", "--json", "--html", tmp_path / "w.html")
    assert (run.code, run.out) == (2, "")
    assert not (tmp_path / "w.html").exists()


# -- the library call prints the same


def test_both_doors_give_the_same_document(sources: Path) -> None:
    from tellapart.tasks.session import Options
    from tellapart.tasks.workup import workup_document

    document = json.loads((sources / "case.json").read_text())
    called = json.loads(json.dumps(workup_document(document, Options(together=True))))
    run = run_cli("workup", sources / "case.json", "--json")
    called["coverage"] = run.json["coverage"]
    assert _names(called) == _names(run.json)


def _names(document: dict[str, Any]) -> Any:
    """References name the file, which the library call does not have."""
    from cohort import without

    return without(document, "reference")


def test_exit_codes_are_those_of_the_design(sources: Path, tmp_path: Path) -> None:
    runs: list[Run] = [
        run_cli("workup", sources / "case.json"),
        run_cli("workup", tmp_path / "nowhere"),
        run_cli("workup", sources / "three.ndjson"),
        run_cli("audit", sources / "faulty.ndjson", "--out", tmp_path / "out", "--quiet"),
    ]
    assert [run.code for run in runs] == [0, 1, 2, 3]
