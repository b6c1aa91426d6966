"""What the documentation shows is true: its Python runs, and its command lines are understood."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bot.commands import darkroom
from tests.kit import media

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_PYTHON = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"(?<!`)`((?:\.venv/bin/)?darkroom [^`]+)`(?!`)")
_PROGRAM = re.compile(r"(?:\$ )?(?:\.venv/bin/)?darkroom\s")
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def _python(page: Path) -> list[str]:
    return _PYTHON.findall(page.read_text(encoding="utf-8"))


def _lines(page: Path) -> Iterator[tuple[str, bool]]:
    """Command lines as shown, and whether they are whole (in a block) or only mentioned."""
    text = page.read_text(encoding="utf-8")
    for block in _BLOCK.findall(text):
        yield from ((line, True) for line in block.splitlines() if _PROGRAM.match(line))
    yield from ((" ".join(line.split()), False) for line in _INLINE.findall(text))


def understood(arguments: list[str]) -> click.Command:
    """The command that a command line means, with all its options understood; it is not run."""
    command: click.Command = darkroom
    context: click.Context | None = None
    while True:
        is_group = isinstance(command, click.Group)
        context = command.make_context(command.name, list(arguments), parent=context)
        rest = [*context._protected_args, *context.args]
        if not is_group or not rest:
            return command
        assert isinstance(command, click.Group)
        _, inner, arguments = command.resolve_command(context, rest)
        assert inner is not None
        command = inner


def _is_understood(line: str, *, is_whole: bool) -> None:
    words = shlex.split(line.removeprefix("$ "), comments=True)[1:]
    try:
        understood(words)
    except click.exceptions.Exit:  # --help
        return
    except (click.MissingParameter, click.exceptions.NoArgsIsHelpError):
        if is_whole:
            raise


@pytest.fixture
def any_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths in the documentation need not exist here."""
    monkeypatch.setattr(click.Path, "convert", lambda _self, value, _param, _ctx: Path(value))


@pytest.mark.usefixtures("any_path")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_command_lines_are_understood(page: Path) -> None:
    """Every `darkroom ...` that a page shows names a command that exists, with its options."""
    for line, is_whole in _lines(page):
        _is_understood(line, is_whole=is_whole)


@pytest.mark.usefixtures("any_path")
def test_a_wrong_command_line_is_noticed() -> None:
    """The check above can fail: on a command, an option or an argument that is not there."""
    for line in ("darkroom frobnicate", "darkroom files move x --too y", "darkroom undo"):
        with pytest.raises(click.UsageError):
            _is_understood(line, is_whole=True)
    assert sum(1 for page in PAGES for _ in _lines(page)) > 20


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file."""
    links = _LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize(
    "page", [page for page in PAGES if _python(page)], ids=lambda page: page.name
)
def test_python_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples of a page run one after the other, for a person with photos in ~/Pictures."""
    pictures = tmp_path / "Pictures"
    pictures.mkdir()
    for number in range(1, 4):
        data = media.jpeg(media.scene(seed=number))
        (pictures / f"IMG_{number}.jpg").write_bytes(data)
    for name in [name for name in os.environ if name.startswith("DARKROOM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DARKROOM_INTAKE__STABLE_FOR_S", "0")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for number, example in enumerate(_python(page), 1):
        exec(compile(example, f"{page.name}, example {number}", "exec"), names)
    if page.name == "scripting.md":  # it takes three in and deletes one
        assert len(list((tmp_path / "Darkroom" / "library").rglob("*.jpg"))) == 2
