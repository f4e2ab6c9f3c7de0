"""Python imports follow the table of rooms: the contracts of pyproject.toml, checked by import-linter."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib

from house import PACKAGE, ROOT


def lint(root: str, config: str) -> subprocess.CompletedProcess[str]:
    command = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", command, "--config", config, "--no-cache"],
        cwd=root, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": "src", "NO_COLOR": "1"},
    )  # fmt: skip


def test_imports_follow_the_rooms() -> None:
    found = lint(str(ROOT), "pyproject.toml")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "0 broken" in found.stdout


def test_every_room_stands_in_the_contract() -> None:
    """`exhaustive` refuses a new room; this says so in words, and that the contract was not emptied."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(c for c in contracts if c["type"] == "layers")
    assert layers["exhaustive"] is True
    named = {room.strip() for layer in layers["layers"] for room in layer.split("|")}
    rooms = {p.stem for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()} - {"__init__"}
    assert rooms == named


def test_a_planted_import_between_rooms_is_caught(tmp_path) -> None:  # type: ignore[no-untyped-def]
    package = tmp_path / "src" / "tellapart"
    for room in ("findings", "criteria", "contracts"):
        (package / room).mkdir(parents=True)
        (package / room / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "findings" / "bad.py").write_text("from tellapart import criteria\n")
    (tmp_path / "setup.cfg").write_text(
        "[importlinter]\nroot_package = tellapart\n[importlinter:contract:1]\nname = rooms\ntype = layers\n"
        "containers = tellapart\nlayers =\n    findings | criteria\n    contracts\n"
    )
    found = lint(str(tmp_path), "setup.cfg")
    assert found.returncode != 0
    assert "tellapart.findings.bad" in found.stdout
