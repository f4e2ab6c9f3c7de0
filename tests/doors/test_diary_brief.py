"""The visit page and the advice on entry: what is urgent first, plain words, nothing that only an examination can say."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from shell import run_cli

from tellapart.events.readers.diary.store import Entry
from tellapart.knowledge.load import load
from tellapart.tasks import diary as task

pytestmark = pytest.mark.proves("self_harm_unseen", "fm_over_red_flag")

KNOWLEDGE = load()
TODAY = dt.date.today()


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    """Two months: pain goes from 3 to 6."""
    path = tmp_path / "diary.sqlite"
    entries = [Entry(str(TODAY - dt.timedelta(n)), "pain", 6.0 if n < 28 else 3.0) for n in range(60)]
    task.add(path, entries)
    return path


def page(diary: Path, *options: object) -> str:
    out = diary.with_suffix(".html")
    run = run_cli("diary", "brief", "--diary", diary, "--html", out, *options)
    assert run.code == 0, run.err
    return out.read_text(encoding="utf-8")


def test_crisis_words_come_first_at_any_value(diary: Path) -> None:
    run = run_cli("diary", "add", "--diary", diary, "--country", "ES", "--set", "self_harm_thoughts=1", "confusion=yes")
    assert run.code == 0, run.err
    assert run.said.startswith("You are not alone") and "Call 024" in run.said
    assert run.said.index("024") < run.said.index("New confusion") < run.said.index("2 new")
    text = page(diary, "--country", "US", "--lang", "es")
    assert text.index("No está solo") < text.index("Qué ha cambiado")
    assert "988" in text


def test_none_of_it_is_no_crisis(diary: Path) -> None:
    run = run_cli("diary", "add", "--diary", diary, "--set", "self_harm_thoughts=0", "confusion=no", "temperature=37.2")
    assert "alone" not in run.said and "same day" not in run.said
    assert 'class="flags"' not in page(diary)


@pytest.mark.parametrize("country", [None, "XX"])
def test_an_unknown_country_has_words_too(diary: Path, country: str | None) -> None:
    run = run_cli("diary", "add", "--diary", diary, "--country", country or "QQ", "--set", "self_harm_thoughts=3")
    assert "local emergency number" in run.said


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("temperature=38", "medicine that lowers your defenses"),
        ("chest_pain_breathing=1", "Chest pain needs to be seen the same day"),
        ("breathlessness=yes", "breath needs to be seen the same day"),
        ("blood_in_urine=1", "urine test the same day"),
        ("confusion=1", "confusion needs to be seen the same day"),
    ],
)
def test_what_needs_help_the_same_day_is_said_on_entry(diary: Path, setting: str, words: str) -> None:
    assert words in run_cli("diary", "add", "--diary", diary, "--set", setting).said


def test_advice_is_said_while_asking(diary: Path) -> None:
    asked = [r["signal"] for r in task.asked(KNOWLEDGE)]
    lines = "".join("yes\n" if s == "blood_in_urine" else "\n" for s in asked)
    run = run_cli("diary", "add", "--diary", diary, stdin=lines.encode())
    assert "urine test the same day" in run.said


def test_old_advice_leaves_the_page(diary: Path) -> None:
    old = TODAY - dt.timedelta(40)
    run_cli("diary", "add", "--diary", diary, "--date", old, "--set", "blood_in_urine=1")
    assert "Blood in the urine" not in page(diary)


def test_what_changed_and_notes(diary: Path) -> None:
    run = run_cli("diary", "add", "--diary", diary, "--date", TODAY, "--medicine", "prednisone 5 mg", "--medicine",
                  "ibuprofen", "--helped", "short <b>walks</b>", "--test", "blood count", "--question", "Why?")  # fmt: skip
    assert run.code == 0, run.err
    assert run_cli("diary", "add", "--diary", diary, "--stopped", "ibuprofen").code == 0
    text = page(diary)
    assert "Pain: 6 on average in the last 28 days, 3 in the 28 days before (worse)." in text
    assert "prednisone 5 mg" in text and "ibuprofen" not in text
    assert "short &lt;b&gt;walks&lt;/b&gt;" in text
    assert "blood count" in text and "Why?" in text
    assert "what was done to rule out lupus?" in text and "was fibromyalgia looked for, too?" in text


def test_too_few_days_to_compare(tmp_path: Path) -> None:
    path = tmp_path / "d.sqlite"
    task.add(path, [Entry(str(TODAY), "pain", 3.0)])
    text = page(path)
    assert "Not enough days with an entry to compare." in text
    assert "Not enough days yet to say what is usual" in text


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_probability_no_type_and_one_language(diary: Path, language: str) -> None:
    text = page(diary, "--lang", language)
    assert f'<html lang="{language}">' in text
    for word in ("type1", "type2", "Type 1", "Tipo 1", "probab", "%</", "{"):
        assert word not in text.split("</style>")[1], word
    if language == "es":
        assert "What changed" not in text and "Dos preguntas" in text and "Dolor: 6 de media" in text


def syllables(word: str) -> int:
    groups = len(re.findall(r"[aeiouy]+", word.lower()))
    return max(1, groups - (word.lower().endswith("e") and groups > 1))


def test_the_words_are_about_grade_8() -> None:
    """Flesch-Kincaid grade of all English texts a patient reads (syllables by groups of vowels)."""
    texts = [r["en"] for name in ("diary_texts", "diary_advice", "crisis_lines") for r in KNOWLEDGE[name] if r["en"].endswith((".", "?"))]  # fmt: skip
    text = re.sub(r"\{\w+\}", "pain", " ".join(texts))
    sentences = len(re.findall(r"[.?]+(?:\s|$)", text))
    words = re.findall(r"[A-Za-z']+", text)
    grade = 0.39 * len(words) / sentences + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
    assert grade <= 8


def test_spanish_has_the_same_blanks() -> None:
    for row in KNOWLEDGE["diary_texts"]:
        blanks = [sorted(re.findall(r"\{(\w+)\}", row[c])) for c in ("en", "es")]
        assert blanks[0] == blanks[1], row["text"]
