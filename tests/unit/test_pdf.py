"""Pages as PDF: every form of a criteria set on two pages at most, the visit page on one, nothing loaded, the same bytes."""

from __future__ import annotations

import builtins
import datetime as dt
import io
import warnings
from pathlib import Path
from typing import Any

import pypdf
import pytest
from needs import skip_if
from shell import run_cli

from tellapart.errors import UsageError
from tellapart.events.readers.diary.store import Entry
from tellapart.rendering import pdf
from tellapart.tasks import diary as task
from tellapart.tasks.demo import EXAMPLE

TODAY = dt.date.today()


@pytest.fixture(scope="module", autouse=True)
def pango() -> None:
    """PDF needs system libraries that not every machine has; without HarfBuzz-Subset fonts are cut in other ways each time."""
    with warnings.catch_warnings():  # WeasyPrint warns of the second while it is imported
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            from weasyprint.text import ffi
        except OSError:
            ffi = None
    if ffi is None or ffi.harfbuzz_subset is None:
        skip_if(
            "Pango or HarfBuzz-Subset is not installed (Debian: libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)"
        )


def pages(content: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pdf") / "workup.pdf"
    run = run_cli(
        "workup", EXAMPLE, "--person", "synthetic-sle-with-fm", "--html", out.with_suffix(".html"), "--pdf", out
    )
    assert run.code == 0 and run.err.count("Written") == 2, run.err
    return out


FORMS = (
    "EULAR/ACR 2019 classification", "SLICC 2012 classification", "ACR 1997 classification", "SLE Risk Probability Index (",
    "ACR 2016 revision", "Modified ACR 2011", "AAPT 2019 fibromyalgia",
)  # fmt: skip


def test_every_form_is_on_two_pages_at_most(written: Path) -> None:
    """The paper form as a clinician knows it, printable on two pages."""
    texts = pages(written.read_bytes())
    starts = [next(i for i, text in enumerate(texts) if text.lstrip().startswith(form)) for form in FORMS]
    assert starts == sorted(set(starts)), "each form begins a page of its own"
    ends = [*starts[1:], next(i for i, text in enumerate(texts) if "What this rests on" in text)]
    assert [end - start for start, end in zip(starts, ends, strict=True) if end - start > 2] == []


def test_the_first_page_holds_the_flags_and_the_whole_answer(tmp_path: Path) -> None:
    """Five red flags and the answer with its table: the answer is never pushed off a page that has room for it."""
    run = run_cli("workup", EXAMPLE, "--person", "synthetic-clear-sle", "--pdf", tmp_path / "w.pdf")
    assert run.code == 0, run.err
    first, second, *_ = pages((tmp_path / "w.pdf").read_bytes())
    for said in ("Red flags (5)", "SLE is supported", "Neither", "Dot: now. Line: its interval."):
        assert said in first, said
    assert second.lstrip().startswith("SLE and FM side by side")


def test_totals_stand_once_at_the_end_of_a_form(written: Path) -> None:
    texts = pages(written.read_bytes())
    start, after = (next(i for i, text in enumerate(texts) if text.lstrip().startswith(form)) for form in FORMS[:2])
    assert "".join(texts[start:after]).count("At face value") == 1


def test_it_is_tagged_titled_and_the_same_again(written: Path) -> None:
    page = written.with_suffix(".html").read_text(encoding="utf-8")
    content = written.read_bytes()
    assert pdf.pdf(page) == content
    reader = pypdf.PdfReader(io.BytesIO(content))
    assert reader.metadata and reader.metadata.title == "Work-up: synthetic-sle-with-fm"
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]


def test_drawings_have_their_colors(written: Path) -> None:
    """WeasyPrint does not apply the style of a page to its drawings: without their own they were black."""
    page = written.with_suffix(".html").read_text(encoding="utf-8")
    drawn = pdf._with_drawing_style(page)
    assert drawn.count("<svg") == drawn.count("<style>") - page.count("<style>") > 10
    assert "var(--sle)" not in "".join(part.split("</style>")[0] for part in drawn.split("<svg")[1:])


@pytest.mark.parametrize(("lang", "title"), [("en", "visit"), ("es", "consulta")])
def test_the_visit_page_is_one_page(tmp_path: Path, lang: str, title: str) -> None:
    path = tmp_path / "diary.sqlite"
    signals = ("pain", "fatigue", "sleep_quality", "rash", "joint_swelling", "self_harm_thoughts", "temperature")
    task.add(path, [Entry(str(TODAY - dt.timedelta(n)), s, float(n % 7 > 4)) for n in range(90) for s in signals])
    run = run_cli("diary", "brief", "--diary", path, "--pdf", tmp_path / "v.pdf", "--lang", lang)
    assert run.code == 0, run.err
    (text,) = pages((tmp_path / "v.pdf").read_bytes())
    assert title in text


def test_without_a_name_for_the_page_nothing_is_written(tmp_path: Path) -> None:
    run = run_cli("diary", "brief", "--diary", tmp_path / "diary.sqlite")
    assert run.code == 2 and "--html FILE, --pdf FILE" in run.err


@pytest.mark.parametrize("missing", [ImportError("No module named 'weasyprint'"), OSError("cannot load library")])
def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, missing: Exception) -> None:
    load = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("weasyprint"):
            raise missing
        return load(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"tellapart\[pdf\].*libpango"):
        pdf.pdf("<p>page</p>")
