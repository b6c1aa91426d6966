"""Walls that the import linter cannot see: who may destroy files, and who may speak SQL."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("bot", "config", "integrations", "pipeline", "web")
MAY_DESTROY = {"pipeline/library/fsops.py", "pipeline/library/noreplace.py"}
MAY_SPEAK_SQL = "pipeline/state/"

_OS = {
    "unlink", "remove", "rename", "renames", "replace", "rmdir", "removedirs", "truncate",
    "link",
}  # fmt: skip
_SHUTIL = {"rmtree", "move"}
_METHODS = {"unlink", "rename", "rmdir", "hardlink_to"}  # of a Path
_SQL = re.compile(
    r"\s*(SELECT\s.+\sFROM\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s"
    r"|CREATE\s+(TABLE|INDEX|UNIQUE)|ALTER\s+TABLE|DROP\s+(TABLE|INDEX)|PRAGMA\s+\w+)",
    re.DOTALL,
)


def _sources() -> list[Path]:
    return sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))


def destructive_calls(tree: ast.AST) -> Iterator[str]:
    """Calls that remove, rename or overwrite files, by line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in ("os", "shutil"):
            bad = {alias.name for alias in node.names} & (_OS | _SHUTIL)
            if bad:
                yield f"{node.lineno}: from {node.module} import {', '.join(bad)}"
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name, owner = node.func.attr, node.func.value
        of = owner.id if isinstance(owner, ast.Name) else ""
        is_path_replace = name == "replace" and len(node.args) == 1 and not node.keywords
        if (of == "os" and name in _OS) or (of == "shutil" and name in _SHUTIL):
            yield f"{node.lineno}: {of}.{name}"
        elif of not in ("os", "shutil", "fsops", "noreplace") and (
            name in _METHODS or is_path_replace
        ):
            yield f"{node.lineno}: .{name}()"


def sql(tree: ast.AST) -> Iterator[str]:
    """SQL statements, by line."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and _SQL.match(node.value)
        ):
            yield f"{node.lineno}: {node.value[:40]!r}"


def test_only_fsops_destroys() -> None:
    """P2: nothing but `library/fsops.py` unlinks, renames or replaces a file."""
    found = [
        f"{path.relative_to(ROOT)}:{call}"
        for path in _sources()
        if str(path.relative_to(ROOT)) not in MAY_DESTROY
        for call in destructive_calls(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_only_fsops_renames_without_replacing() -> None:
    """The bare system call behind `fsops` is used by nobody else."""
    users = [
        str(path.relative_to(ROOT))
        for path in _sources()
        if re.search(r"import (.*\b)?noreplace|from pipeline\.library\.noreplace", path.read_text())
    ]
    assert users == ["pipeline/library/fsops.py"]


def test_only_the_state_speaks_sql() -> None:
    """SQL stands in `pipeline/state/`, where owners and bindings are looked at."""
    found = [
        f"{path.relative_to(ROOT)}:{statement}"
        for path in _sources()
        if not str(path.relative_to(ROOT)).startswith(MAY_SPEAK_SQL)
        for statement in sql(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "os.unlink(p)", "os.replace(a, b)", "shutil.rmtree(p)", "path.unlink()", "a.rename(b)",
        "path.replace(other)", "from os import remove", "Path(x).rmdir()", "shutil.move(a, b)",
    ],
)  # fmt: skip
def test_the_check_sees_destruction(code: str) -> None:
    """A seeded fault is seen, in whatever spelling."""
    assert list(destructive_calls(ast.parse(code)))


def test_the_check_is_not_paranoid() -> None:
    """Texts and values have methods of the same name."""
    harmless = "text.replace('a', 'b'); replace(x, y=1); at.replace(tzinfo=UTC); fsops.rename(a)"
    assert not list(destructive_calls(ast.parse(harmless)))
    assert not list(sql(ast.parse("'Select a file'; 'UPDATE soon'")))
    assert list(sql(ast.parse("'SELECT 1 FROM media_files'")))
