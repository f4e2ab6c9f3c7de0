"""`tellapart diary`: what is written is there, whatever happens in between."""

from __future__ import annotations

import csv
import datetime as dt
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shell import program, run_cli

from tellapart.errors import InputError
from tellapart.events.readers.diary import store
from tellapart.events.readers.diary.store import Entry, migrations, opened
from tellapart.knowledge.load import load
from tellapart.tasks import diary as task

pytestmark = pytest.mark.proves("entry_lost")

TODAY = dt.date.today()


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    return tmp_path / "data" / "diary.sqlite"


def exported(diary: Path) -> list[str]:
    run = run_cli("diary", "export", "--diary", diary)
    assert run.code == 0, run.err
    return run.out.splitlines()


def lines_of(*rows: str) -> str:
    return "\n".join(("date,signal,value", *rows)) + "\n"


# writing and reading again


def test_a_day_is_written_and_handed_out(diary: Path) -> None:
    run = run_cli("diary", "add", "--diary", diary, "--date", "2026-01-31", "--set", "pain=6", "fatigue=7,5")
    assert (run.code, run.out) == (0, ""), run.err
    assert "2 new" in run.said
    again = run_cli("diary", "add", "--diary", diary, "--date", "2026-01-31", "--set", "pain=5", "--set", "fatigue=7.5")
    assert "1 changed, 1 same" in again.said
    assert exported(diary) == ["date,signal,value", "2026-01-31,fatigue,7.5", "2026-01-31,pain,5"]


def test_questions_are_asked_and_may_be_left_out(diary: Path) -> None:
    """Enter leaves a question out (unknown, not zero), a wrong answer is asked again, the end keeps what was said."""
    run = run_cli("diary", "add", "--diary", diary, "--date", "2026-01-31", stdin=b"6\n\neleven\n4\n")
    assert run.code == 0, run.err
    assert "unrefreshed eleven: is not a number. Write a number from 0 to 10" in run.said
    assert exported(diary) == ["date,signal,value", "2026-01-31,pain,6", "2026-01-31,unrefreshed,4"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["pain=11"], "pain 11: is outside the range. Write a number from 0 to 10."),
        (["pian=1"], "Nearest: pain"),
        (["pain"], "write it as pain=6"),
        (["pain=1", "pain=2"], "named twice"),
        (["temperature=98.6"], "Write a number from 30 to 45 Cel."),
        (["infection=0.5"], "neither yes nor no"),
        (["pain=nan"], "outside the range"),
    ],
)
def test_what_cannot_be_is_refused_in_words(diary: Path, settings: list[str], words: str) -> None:
    run = run_cli("diary", "add", "--diary", diary, "--set", *settings)
    assert run.code == 2
    assert words in run.said
    assert not diary.exists(), "a refused entry makes no diary"


def test_a_file_is_read_with_its_bad_rows_listed(diary: Path, tmp_path: Path) -> None:
    file, bad = tmp_path / "x.csv", tmp_path / "bad.ndjson"
    file.write_text(lines_of("2026-01-01,pain,3", "31.1.2026,pain,3", "2026-01-02,pain,x", "2999-01-01,pain,1",
                             "2026-01-03,pain", "", "2026-01-04,pain,4"))  # fmt: skip
    run = run_cli("diary", "import", file, "--diary", diary, "--rejected", bad)
    assert run.code == 3
    assert "2 new" in run.said
    assert "x.csv 3 date: 31.1.2026 is not a date Write it as 2026-01-31." in run.said
    assert len(bad.read_text().splitlines()) == 4
    assert exported(diary)[1:] == ["2026-01-01,pain,3", "2026-01-04,pain,4"]


@pytest.mark.parametrize(
    "text",
    [
        "date,signal,value\n2026-01-01,pain,6,5\n",
        'date,signal,value\n2026-01-01,pain,"6,5"\n',
        "date;signal;value\n2026-01-01;pain;6,5\n",
        "Value\tDate\tSignal\n6,5\t2026-01-01\tpain\n",
        "\ufeffdate,signal,value\r\n2026-01-01,pain,6.5\r\n",
    ],
)
def test_decimal_commas_and_separators(diary: Path, tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(text.encode())
    assert run_cli("diary", "import", file, "--diary", diary).code == 0
    assert exported(diary)[1:] == ["2026-01-01,pain,6.5"]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "\x00\x01"])
def test_a_file_that_is_no_diary_csv(diary: Path, tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.csv"
    file.write_text(text)
    run = run_cli("diary", "import", file, "--diary", diary)
    assert run.code == 1
    assert "must name the columns date, signal and value" in run.said
    assert run_cli("diary", "import", tmp_path / "none.csv", "--diary", diary).code == 1


def test_an_import_repeated_changes_nothing(diary: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text(lines_of(*(f"2026-01-{d:02d},pain,{d % 10}" for d in range(1, 29))))
    assert "28 new" in run_cli("diary", "import", file, "--diary", diary).said
    before = exported(diary)
    assert "28 same" in run_cli("diary", "import", file, "--diary", diary).said
    assert exported(diary) == before


def test_what_was_typed_stands_before_what_a_file_says(diary: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text(lines_of("2026-01-01,pain,2", "2026-01-01,fatigue,2"))
    run_cli("diary", "add", "--diary", diary, "--date", "2026-01-01", "--set", "pain=8")
    run_cli("diary", "import", file, "--diary", diary)
    assert exported(diary)[1:] == ["2026-01-01,fatigue,2", "2026-01-01,pain,8"]


SIGNALS = {r["signal"]: r for r in load()["diary_signals"]}
WRITTEN = st.dictionaries(
    st.tuples(st.dates(dt.date(2000, 1, 1), dt.date(2026, 1, 1)), st.sampled_from(sorted(SIGNALS))),
    st.floats(0, 1, width=32),
    max_size=12,
)


@given(WRITTEN)
def test_export_and_import_give_the_same_diary(tmp_path: Path, written: dict[tuple[dt.date, str], float]) -> None:
    first, second, file = (tmp_path / name for name in ("a.sqlite", "b.sqlite", "x.csv"))
    for path in tmp_path.iterdir():
        path.unlink()
    entries = []
    for (day, name), share in written.items():
        row = SIGNALS[name]
        low, high = float(row["low"]), float(row["high"])
        value = float(round(share)) if row["kind"] == "flag" else low + share * (high - low)
        entries.append(Entry(day.isoformat(), name, value))
    task.add(first, entries)
    file.write_text(task.export(first))
    _, refused = task.import_file(load(), second, file)
    assert refused == []
    assert task.export(second) == task.export(first)


# faults


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_only_the_owner_can_read_it(diary: Path) -> None:
    old = os.umask(0)
    try:
        run_cli("diary", "add", "--diary", diary, "--set", "pain=1")
    finally:
        os.umask(old)
    assert stat.S_IMODE(diary.stat().st_mode) == 0o600
    assert stat.S_IMODE(diary.parent.stat().st_mode) == 0o700
    diary.chmod(0o644)
    run_cli("diary", "export", "--diary", diary)
    assert stat.S_IMODE(diary.stat().st_mode) == 0o600


def start(*arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from tellapart.doors.cli import main; main()", *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
@pytest.mark.parametrize("seconds", [0.1, 0.3, 0.5, 0.8])
def test_killed_during_an_import_all_or_nothing(diary: Path, tmp_path: Path, seconds: float) -> None:
    run_cli("diary", "add", "--diary", diary, "--date", "2020-01-01", "--set", "pain=9")
    file = tmp_path / "x.csv"
    days = [dt.date(2021, 1, 1) + dt.timedelta(n) for n in range(1500)]
    file.write_text(lines_of(*(f"{d},{s},{d.day % 10}" for d in days for s in ("pain", "fatigue", "rash", "stress"))))
    running = start("diary", "import", file, "--diary", diary)
    time.sleep(seconds)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    kept = exported(diary)
    assert "2020-01-01,pain,9" in kept
    assert len(kept) - 2 in (0, 6000), "an import is whole or not there"


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_killed_while_asking_keeps_every_answer_given(diary: Path) -> None:
    running = start("diary", "add", "--diary", diary, "--date", "2026-01-01")
    assert running.stdin is not None and running.stderr is not None
    running.stdin.write(b"6\n7\n")
    running.stdin.flush()
    seen = b""
    while b"unrefreshed" not in seen:  # the third question: the second answer is kept by then
        seen += running.stderr.read1(4096)  # type: ignore[attr-defined]
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert exported(diary)[1:] == ["2026-01-01,fatigue,7", "2026-01-01,pain,6"]


def test_two_processes_at_once_lose_nothing(diary: Path, tmp_path: Path) -> None:
    both = []
    for n, name in enumerate(("pain", "fatigue")):
        file = tmp_path / f"{name}.csv"
        file.write_text(lines_of(*(f"{dt.date(2024, 1, 1) + dt.timedelta(d)},{name},{n}" for d in range(700))))
        both.append(start("diary", "import", file, "--diary", diary))
    for running in both:
        _, err = running.communicate(timeout=60)
        assert running.returncode == 0, err.decode()
    assert len(exported(diary)) == 1401


def test_a_writer_waits_no_longer_than_its_patience(diary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_cli("diary", "add", "--diary", diary, "--set", "pain=1")
    other = sqlite3.connect(diary, isolation_level=None)
    other.execute("begin immediate")
    monkeypatch.setattr(store, "PATIENCE", 0.05)
    run = run_cli("diary", "add", "--diary", diary, "--set", "pain=2")
    other.close()
    assert run.code == 1
    assert "another program is writing" in run.said
    assert exported(diary)[1:] == [f"{TODAY},pain,1"]


def test_a_full_disk_keeps_what_was_there(diary: Path) -> None:
    task.add(diary, [Entry("2026-01-01", "pain", 3.0)])
    with pytest.raises(InputError, match="the disk is full"), opened(diary) as held:
        pages = held.connection.execute("pragma page_count").fetchone()[0]
        held.connection.execute(f"pragma max_page_count = {pages}")
        held.write(Entry(f"{d}", "pain", 1.0) for d in (dt.date(2001, 1, 1) + dt.timedelta(n) for n in range(5000)))
    assert exported(diary)[1:] == ["2026-01-01,pain,3"]


@pytest.mark.parametrize("damage", ["text", "middle", "short"])
def test_a_damaged_file_is_named_and_left_alone(diary: Path, damage: str) -> None:
    task.add(diary, [Entry(f"{dt.date(2020, 1, 1) + dt.timedelta(n)}", "pain", 3.0) for n in range(2000)])
    whole = diary.read_bytes()
    broken = {
        "text": b"dear diary, " * 500,
        "middle": whole[:4096] + b"\xff" * 4096 + whole[8192:],
        "short": whole[: len(whole) // 2],
    }[damage]
    diary.write_bytes(broken)
    for command in (["export"], ["add", "--set", "pain=1"], ["show"]):
        run = run_cli("diary", *command, "--diary", diary)
        assert run.code == 1, run.out
        assert "damaged" in run.said
    assert diary.read_bytes() == broken


def test_a_newer_diary_is_refused_and_not_changed(diary: Path) -> None:
    run_cli("diary", "add", "--diary", diary, "--set", "pain=1")
    held = sqlite3.connect(diary)
    held.execute("pragma user_version = 99")
    held.close()
    before = diary.read_bytes()
    run = run_cli("diary", "add", "--diary", diary, "--set", "pain=2")
    assert run.code == 1
    assert "newer tellapart" in run.said and "Update" in run.said
    assert diary.read_bytes() == before


def test_the_database_of_another_program_is_not_touched(diary: Path) -> None:
    diary.parent.mkdir()
    held = sqlite3.connect(diary)
    held.execute("create table photos (name text)")
    held.commit()
    held.close()
    before = diary.read_bytes()
    run = run_cli("diary", "add", "--diary", diary, "--set", "pain=2")
    assert run.code == 1
    assert "another program" in run.said
    assert diary.read_bytes() == before


def test_every_older_version_is_taken_forward(diary: Path) -> None:
    """A diary as each earlier version left it opens with all its entries."""
    steps = migrations()
    for version in range(1, len(steps) + 1):
        path = diary.with_name(f"v{version}.sqlite")
        path.parent.mkdir(exist_ok=True)
        held = sqlite3.connect(path)
        for step in steps[:version]:
            held.executescript(step)
        held.execute(f"pragma application_id = {store.APPLICATION}")
        held.execute(f"pragma user_version = {version}")
        held.execute("insert into entries values ('2020-02-29', 'pain', 'typed', 4.0, 'then')")
        held.commit()
        held.close()
        assert exported(path)[1:] == ["2020-02-29,pain,4"]


def test_a_clock_set_back_does_not_write_the_wrong_day(diary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_cli("diary", "add", "--diary", diary, "--set", "pain=1")

    class Earlier(dt.date):
        @classmethod
        def today(cls) -> dt.date:
            return TODAY - dt.timedelta(400)

    monkeypatch.setattr(task.dt, "date", Earlier)
    run = run_cli("diary", "add", "--diary", diary, "--set", "pain=9")
    assert run.code == 1
    assert "Is the clock right?" in run.said
    monkeypatch.undo()
    assert exported(diary)[1:] == [f"{TODAY},pain,1"]


@pytest.mark.parametrize("written", ["2026-03-29T02:30:00+01:00", "2026-03-29 23:59:59-11:00", "2026-03-29T00:10:00Z"])
def test_the_day_is_the_persons_own_whatever_the_zone(diary: Path, tmp_path: Path, written: str) -> None:
    """Also in the hour that daylight saving skips: the date as written is the day, nothing is converted."""
    file = tmp_path / "x.csv"
    file.write_text(lines_of(f"{written},pain,5"))
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin"):
        run = program("diary", "import", file, "--diary", diary, env=os.environ | {"TZ": zone})
        assert run.code == 0, run.err
    assert exported(diary)[1:] == ["2026-03-29,pain,5"]


def test_no_diary_yet(diary: Path) -> None:
    for command in ("export", "show"):
        run = run_cli("diary", command, "--diary", diary)
        assert run.code == 1
        assert "no diary yet" in run.said and "diary add" in run.said
    assert not diary.exists()


# looking at it


def test_show_draws_gaps_and_means(diary: Path) -> None:
    task.add(
        diary, [Entry(f"2026-01-{d:02d}", "pain", 10.0 if d > 10 else 0.0) for d in range(1, 21) if d not in (5, 6)]
    )
    run = run_cli("diary", "show", "--diary", diary)
    assert run.code == 0, run.err
    assert "2026-01-01 to 2026-01-20: 18 days with an entry of 20" in run.out
    line = next(line for line in run.out.splitlines() if line.startswith("Pain"))
    assert "▁▁▁▁  ▁▁▁▁██████████" in line
    assert line.split()[-2:] == ["5.6", "10"]


def test_the_page_shows_each_stretch_as_a_line(diary: Path, tmp_path: Path) -> None:
    task.add(diary, [Entry(f"2026-01-{d:02d}", "pain", 4.0) for d in (1, 2, 3, 7, 8)])
    page = tmp_path / "d.html"
    assert run_cli("diary", "show", "--diary", diary, "--html", page).code == 0
    text = page.read_text(encoding="utf-8")
    assert text.count("<polyline") == 2, "days without an entry are a gap"
    assert "http" not in text.replace("http-equiv", "")


def test_the_csv_is_what_a_spreadsheet_reads(diary: Path) -> None:
    task.add(diary, [Entry("2026-01-01", "steps", 12345.0)])
    assert list(csv.DictReader(exported(diary))) == [{"date": "2026-01-01", "signal": "steps", "value": "12345"}]
