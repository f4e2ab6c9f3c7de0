"""docs/reference is what the tool would write today, and its links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path
from types import ModuleType

import pytest
from house import ROOT, statements

from tellapart.knowledge.load import load

REFERENCE = ROOT / "docs" / "reference"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "tools" / "make_reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_reference_is_current(tool: ModuleType) -> None:
    faults = tool.drift(REFERENCE)
    assert not faults, "run: python tools/make_reference.py\n" + "\n".join(faults)


def test_drift_is_seen(tool: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "reference"
    shutil.copytree(REFERENCE, folder)
    (folder / "limits.md").write_text((folder / "limits.md").read_text(encoding="utf-8").replace("50", "51"))
    (folder / "priors.md").unlink()
    (folder / "old.md").write_text("left over")
    faults = tool.drift(folder)
    for name, why in (("limits.md", "differs"), ("priors.md", "missing"), ("old.md", "nothing makes it")):
        assert any(f.startswith(f"{name}: {why}") for f in faults), faults
    tool.write(folder)
    assert tool.drift(folder) == []


def test_every_statement_and_table_has_its_place(tool: ModuleType) -> None:
    pages = tool.pages()
    assert {f"sql/{name}.sql" for name in statements()} <= set(pages)
    for name in load().tables:
        assert f"{name}" in pages["README.md"], name


def test_links_lead_somewhere(tool: ModuleType) -> None:
    pages = tool.pages()
    anchors = {(name, a) for name, text in pages.items() for a in re.findall(r'<a id="([^"]+)">', text)}
    for name, text in pages.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", text) if name.endswith(".md") else ():
            file, _, anchor = target.partition("#")
            path = (Path("/") / name).parent / file
            found = path.resolve().relative_to("/").as_posix()
            assert found in pages or any(p.startswith(f"{found}/") for p in pages), f"{name}: {target}"
            assert not anchor or (found, anchor) in anchors, f"{name}: {target}"


def test_no_machine_shows_in_the_pages(tool: ModuleType) -> None:
    for name, text in tool.pages().items():
        assert str(ROOT) not in text and not re.search(r"/(?:home|tmp|work|Users)/", text), name


def test_unverified_rows_are_marked(tool: ModuleType) -> None:
    unseen = sum(r["verified"] == "M" for r in load()["limits"])
    assert unseen and tool.pages()["limits.md"].count(tool.UNVERIFIED) == unseen
