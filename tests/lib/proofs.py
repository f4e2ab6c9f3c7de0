"""A test named by its file and function: that it is there, asserts something, and runs by default on every machine."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_EVERYWHERE = ("slow", "skip", "xfail", "shared", "spark")


@cache
def read(file: str) -> ast.Module:
    """A file as a tree."""
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


@cache
def functions(file: str) -> dict[str, ast.FunctionDef]:
    """The functions of a file, by name."""
    return {node.name: node for node in read(file).body if isinstance(node, ast.FunctionDef)}


def names(tree: ast.Module, function: str) -> set[str]:
    """What a test proves: what `proves` names on its module and on itself."""
    marked: list[ast.expr] = []
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(t) for t in node.targets] == ["pytestmark"]:
            marked.append(node.value)
        if isinstance(node, ast.FunctionDef) and node.name == function:
            marked += node.decorator_list
    calls = [
        c for m in marked for c in ast.walk(m) if isinstance(c, ast.Call) and ast.unparse(c.func).endswith("proves")
    ]
    return {str(a.value) for call in calls for a in call.args if isinstance(a, ast.Constant)}


def proven(test: str) -> set[str]:
    """What `file::function` proves."""
    file, _, name = test.partition("::")
    return names(read(file), name)


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
