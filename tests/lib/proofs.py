"""A test named by its file and function: that it is there, asserts something, and runs by default on every machine."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_EVERYWHERE = ("slow", "skip", "xfail", "shared", "spark")


@cache
def functions(file: str) -> dict[str, ast.FunctionDef]:
    """The functions of a file, by name."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def fault(test: str) -> str:
    """What is wrong with `file::function` as a proof; empty if nothing is."""
    file, _, name = test.partition("::")
    if not (ROOT / file).is_file():
        return f"there is no file {file}"
    if name not in functions(file):
        return f"{file} has no test {name}"
    marks = [ast.unparse(mark) for mark in functions(file)[name].decorator_list]
    if any(word in mark for mark in marks for word in NOT_EVERYWHERE):
        return f"{test} does not run everywhere: {marks}"
    body = functions(file)[name]
    asserts = any(isinstance(node, ast.Assert) for node in ast.walk(body)) or "assert_" in ast.unparse(body)
    return "" if asserts else f"{test} asserts nothing"
