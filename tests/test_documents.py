"""What documents promise exists: every command with its options, every setting, every make target."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from shutong.cli.main import app
from shutong.engine.settings import NOT_SETTINGS, settings_reference

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted((ROOT / "docs").rglob("*.md")) + sorted(ROOT.glob("*.md"))
OPERATIONS = ROOT / "docs" / "operators" / "operations.md"

_JOINS = re.compile(r"\s(?:\|\|?|&&?|;|2?>>?|<)(?:\s|$)|;\s")
_FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_COMMAND = get_command(app)


def commands_in(text: str) -> Iterator[str]:
    """The ``shutong`` commands that a text shows, in code marks or in a code block."""
    prose = _FENCE.sub("", text)
    yield from re.findall(r"`(shutong(?: [^`]+)?)`", prose)
    for block in _FENCE.findall(text):
        joined = block.replace("\\\n", " ")
        yield from re.findall(r"^\s*(?:\$ )?(?:\.venv/bin/)?(shutong .*)$", joined, re.MULTILINE)


def faults(command: str) -> Iterator[str]:
    """What of a command line does not exist: a subcommand or an option."""
    for part in _JOINS.split(command):
        if part.strip().startswith("shutong"):
            try:
                words = shlex.split(part, comments=True)
            except ValueError:  # a quote that ends on a later line
                words = part.split()
            yield from _faults(_COMMAND, words[1:], "shutong")


def _faults(command: typer.core.click.Command, words: list[str], name: str) -> Iterator[str]:
    subcommands = getattr(command, "commands", {})
    if subcommands and words and not words[0].startswith("-"):
        # `check|new` names two commands at once.
        for word in words[0].split("|"):
            if word in subcommands:
                yield from _faults(subcommands[word], words[1:], f"{name} {word}")
            else:
                yield f"{name} has no command {word}"
        return
    known = {"--help"} | {option for parameter in command.params for option in parameter.opts}
    for word in words:
        if word.startswith("--") and word.split("=")[0] not in known:
            yield f"{name} has no option {word}"


def helps() -> Iterator[tuple[str, str]]:
    """Every command with its help text."""

    def walk(command: typer.core.click.Command, name: str) -> Iterator[tuple[str, str]]:
        yield name, command.help or ""
        for word, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, f"{name} {word}")

    yield from walk(_COMMAND, "shutong")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_documents_exist(page: Path) -> None:
    found = [fault for command in commands_in(page.read_text(encoding="utf-8")) for fault in faults(command)]
    assert not found, f"{page.name}: {found}"


@pytest.mark.parametrize(("name", "text"), list(helps()), ids=[name for name, _ in helps()])
def test_examples_of_help_texts_exist(name: str, text: str) -> None:
    found = [fault for command in commands_in(text) for fault in faults(command)]
    assert not found, f"{name}: {found}"


def test_a_command_or_option_that_is_gone_is_found() -> None:
    shown = "`shutong colect x`\n```\n$ shutong pack check --hoem DIR packs | head\nshutong run \\\n  --fulll\n```\n"
    assert [list(faults(command)) for command in commands_in(shown)] == [
        ["shutong has no command colect"],
        ["shutong pack check has no option --hoem"],
        ["shutong run has no option --fulll"],
    ]
    assert list(faults("shutong pack check|new NAME --target DIR")) == ["shutong pack check has no option --target"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_variables_in_documents_are_settings(page: Path) -> None:
    known = {row.variable for row in settings_reference()}
    named = set(re.findall(r"\bSHUTONG_[A-Z_]+\b", page.read_text(encoding="utf-8")))
    gone = sorted(name for name in named - known if not NOT_SETTINGS.fullmatch(name))
    assert not gone, f"{page.name}: {gone}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_targets_in_documents_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^\s*(?:\$ )?)make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= targets, f"{page.name}: {sorted(named - targets)}"


def test_every_setting_is_in_the_operations_page() -> None:
    """A row per setting: key, variable, default and what it is, exactly as the settings say it."""
    missing = [row for row in settings_table().splitlines() if row not in OPERATIONS.read_text(encoding="utf-8")]
    assert not missing, "put these rows into docs/operators/operations.md:\n" + "\n".join(missing)


def settings_table() -> str:
    """The table of settings as the operations page has it."""
    rows = ["| in `home.toml` | variable | default | what it is |", "|---|---|---|---|"]
    for row in settings_reference():
        default = {"(machine)": "from the machine", "": "none"}.get(row.default, f"`{row.default}`")
        rows.append(f"| `{row.key}` | `{row.variable}` | {default} | {row.description} |")
    return "\n".join(rows)


@pytest.mark.parametrize("word", ["拒收", "通过 accepted", "未收 /", "标记行"])
def test_rows_are_called_one_thing(word: str) -> None:
    """接受, 退回 and 存疑 are what commands, pages, receipts and documents say of rows; no second word for them."""
    sources = [path for kind in ("*.py", "*.html", "*.po") for path in (ROOT / "src").rglob(kind)]
    found = [path for path in [*PAGES, *sources] if word in path.read_text(encoding="utf-8")]
    assert not found
