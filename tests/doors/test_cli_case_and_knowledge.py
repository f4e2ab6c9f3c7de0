"""`tellapart case` and `tellapart knowledge`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cases
import pytest
from shell import program, run_cli

from tellapart.knowledge.load import TABLES

pytestmark = pytest.mark.proves("knowledge_broken", "failure_unsaid")


def test_the_template_can_be_checked_and_worked_up(tmp_path: Path) -> None:
    file = tmp_path / f"{'far-' * 30}new.toml"  # wider than a terminal: a path is to be copied, so it is never broken
    run = run_cli("case", "new", file)
    assert (run.code, run.out) == (0, "")
    assert str(file) in run.said
    checked = run_cli("case", "check", file)
    assert checked.code == 0, checked.err
    assert "no fault" in checked.out
    done = run_cli("workup", file, "--json")
    assert done.code == 0, done.err
    assert "#" in file.read_text(encoding="utf-8"), "the template has no comments"


def test_new_never_overwrites(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("mine")
    run = run_cli("case", "new", file)
    assert run.code in (1, 2)
    assert file.read_text() == "mine"


def test_new_in_no_folder(tmp_path: Path) -> None:
    run = run_cli("case", "new", tmp_path / "no" / "folder" / "x.toml")
    assert run.code in (1, 2) and "x.toml" in run.said


@pytest.mark.parametrize("suffix", ["json", "toml"])
def test_check_lists_every_fault_with_the_nearest_ids(tmp_path: Path, suffix: str) -> None:
    document = cases.case(
        "x", [cases.state("malar_rahs"), cases.state("anti_dsdna", "perhaps"), cases.value("wbc", 3.2, "parsec")],
        instruments=[cases.fm_form(fatigue=9)], drugs=[{"drug": "hydroxychlorquine"}],
    )  # fmt: skip
    file = tmp_path / f"x.{suffix}"
    if suffix == "json":
        file.write_text(json.dumps(document))
    else:
        file.write_text(
            'schema = "tellapart.case/1"\n[person]\nid = "x"\n[[findings]]\nfinding = "malar_rahs"\n'
            '[[findings]]\nfinding = "anti_dsdna"\nstate = "perhaps"\n[[findings]]\nfinding = "wbc"\nvalue = 3.2\n'
            'unit = "parsec"\n[[instruments]]\ninstrument = "fm_2016"\nfatigue = 9\n[[drugs]]\ndrug = "hydroxychlorquine"\n'
        )
    run = run_cli("case", "check", file)
    assert (run.code, run.out) == (1, "")
    for words in (
        "malar_rahs",
        "malar_rash",
        "perhaps",
        "present",
        "parsec",
        "10*9/L",
        "fatigue",
        "9",
        "hydroxychloroquine",
    ):
        assert words in run.said, f"{words!r} is not named"


@pytest.mark.parametrize("content", ["", "{", "not = [toml", "[]", "42", '{"schema": "other/1"}', "\x00"])
@pytest.mark.parametrize("name", ["x.json", "x.toml"])
def test_check_of_what_is_no_case(tmp_path: Path, content: str, name: str) -> None:
    (tmp_path / name).write_text(content)
    run = run_cli("case", "check", tmp_path / name)
    assert (run.code, run.out) == (1, "")
    assert name in run.said


def test_check_of_nothing(tmp_path: Path) -> None:
    assert run_cli("case", "check", tmp_path / "none.toml").code == 1
    assert run_cli("case", "check", tmp_path).code == 1


def test_a_workup_of_a_faulty_case_says_the_same(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text(json.dumps(cases.case("x", [cases.state("malar_rahs")])))
    run = run_cli("workup", file, "--json")
    assert (run.code, run.out) == (1, "")
    assert "malar_rash" in run.said


def test_knowledge_check() -> None:
    run = run_cli("knowledge", "check")
    assert run.code == 0, run.err
    assert "no fault" in run.out and "Version" in run.out


@pytest.mark.parametrize(
    "what", ["findings", "malar_rash", "eular_acr_2019", "hydroxychloroquine", "aringer_2019", "seizure"]
)
def test_knowledge_show(what: str) -> None:
    run = run_cli("knowledge", "show", what)
    assert run.code == 0, run.err
    assert what in run.out or what == "findings"
    assert run_cli("knowledge", "show", what, "--json").json


def test_knowledge_show_of_an_unknown_id_names_the_nearest() -> None:
    run = run_cli("knowledge", "show", "malar_rahs")
    assert (run.code, run.out) == (2, "")
    assert "malar_rash" in run.said


def test_knowledge_export_can_be_changed_and_checked(tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    run = run_cli("knowledge", "export", folder)
    assert (run.code, run.out) == (0, "")
    assert {p.name for p in folder.iterdir()} >= {p.name for p in TABLES.glob("*.csv")}
    assert run_cli("knowledge", "check", "--folder", folder).code == 0
    findings = folder / "findings.csv"
    findings.write_text(findings.read_text(encoding="utf-8").replace("malar_rash,state", "malar_rash,stat", 1))
    broken = program("knowledge", "check", "--folder", folder)  # of its own: a process reads a folder once
    assert (broken.code, broken.out) == (1, "")
    assert ("findings" in broken.said and "malar_rash" in broken.said) or "stat" in broken.said


def test_knowledge_check_of_a_folder_without_tables(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        run = run_cli("knowledge", "check", "--folder", folder)
        assert (run.code, run.out) == (1, ""), run.err


def test_knowledge_export_onto_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine")
    run = run_cli("knowledge", "export", tmp_path / "x")
    assert run.code in (1, 2) and (tmp_path / "x").read_text() == "mine"


def test_knowledge_export_over_files_of_others(tmp_path: Path) -> None:
    shutil.copy(TABLES / "findings.csv", tmp_path / "findings.csv")
    (tmp_path / "mine.txt").write_text("mine")
    run_cli("knowledge", "export", tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"
