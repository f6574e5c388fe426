"""The commands that the guides show are run, in order, and must print what the guides show.

In a block marked ``console`` a line that begins with ``$ `` is a command (``\\`` at its end continues it, ``> `` lines are
the text of a here-document) and the lines up to the next command are what it prints, on standard output or error. Where
``…`` stands alone, any lines may be; within a line it is any text. Blanks don't count. ``<!-- $ … -->`` does what the
reader is asked to do in an editor. All blocks of a page share a folder. These runs build demo cities, so they belong to
SHUTONG_TEST_DEPTH=deep.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shutong.cli.work.ports import free_port
from tests.reference import reference_data

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 900
PAGES = (
    "docs/tour.md",
    "docs/pack-authors/first-resource.md",
    "docs/pack-authors/libraries.md",
    "docs/findings/public-health.md",
)


@dataclass
class Shown:
    """A command of a page, the line it stands at, and what it is shown to print."""

    line: int
    command: str
    output: list[str] = field(default_factory=list)


_HIDDEN = re.compile(r"<!-- \$ (.*) -->")


def commands_of(text: str) -> Iterator[Shown]:
    """The commands of a page's console blocks, in order."""
    shown: Shown | None = None
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("```"):
            if shown is not None:
                yield shown
            shown, inside = None, line == "```console"
        elif hidden := _HIDDEN.fullmatch(line):
            yield Shown(number, hidden[1])
        elif inside and line.startswith("$ "):
            if shown is not None:
                yield shown
            shown = Shown(number, line[2:])
        elif inside and shown is not None and (shown.command.endswith("\\") or line.startswith("> ")):
            shown.command += "\n" + line.removeprefix("> ")
        elif inside and shown is not None:
            shown.output.append(line)


def pattern_of(output: list[str]) -> re.Pattern[str]:
    """What the printed text, made ``normal``, must look like."""
    parts = []
    for line in normal("\n".join(output)).splitlines():
        pieces = (re.escape(piece.strip()) for piece in line.split("…"))
        parts.append(r"(?:[^\n]*\n)*" if line == "…" else r"[^\n]*".join(pieces) + r"\n")
    return re.compile("".join(parts))


def normal(text: str) -> str:
    """A printed text as it is compared: no blank lines, one blank where there are several."""
    lines = (" ".join(line.split()) for line in text.replace("\r", "\n").splitlines())
    return "".join(f"{line}\n" for line in lines if line)


def test_output_is_compared_line_by_line() -> None:
    text = "```console\n$ one\na  1 …\n…\nz\n$ two \\\n  more\n$ cat > f <<'END'\n> x\n> END\n```\n"
    one, two, three = commands_of(text)
    assert (one.command, two.command, three.command) == ("one", "two \\\n  more", "cat > f <<'END'\nx\nEND")
    pattern = pattern_of(one.output)
    assert pattern.fullmatch(normal("a 1 b c\nq\n\nr\nz\n"))
    assert pattern.fullmatch(normal("a   1 \nz\n"))
    assert not pattern.fullmatch(normal("a 2 b\nz\n"))
    assert not pattern.fullmatch(normal("a 1 b\nz\ny\n"))


@pytest.mark.skipif(os.environ.get("SHUTONG_TEST_DEPTH") != "deep", reason="SHUTONG_TEST_DEPTH is not deep")
@pytest.mark.parametrize("name", PAGES)
def test_guides_show_what_happens(name: str, tmp_path: Path) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    if "SOURCE" in text:
        data = reference_data()
        if data is None or not (data / "epidemic").is_dir():
            pytest.skip("the figures are absent: set SHUTONG_REFERENCE_DATA to a folder that has epidemic/")
        text = text.replace("--source SOURCE", f"--source {data / 'epidemic'}")
    # A page may show the address of a site; another one may be in use here.
    text = text.replace("8000", str(free_port("127.0.0.1", 8840)))
    text = re.sub(r'make demo ARGS="(.*)"', r"shutong demo \1", text)
    # A checkout of its own: guides write into its packs, and a demo city is made of all packs of the checkout.
    for part in ("src", "packs"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    wrong = []
    with _shell(tmp_path) as run:
        for shown in commands_of(text):
            printed = run(shown.command)
            if shown.output and not pattern_of(shown.output).fullmatch(normal(printed)):
                wrong.append(f"{name}:{shown.line}: $ {shown.command}\n{printed}")
    assert not wrong, "\n".join(wrong)


class _shell:
    """A folder in which commands are run one after the other; those that go on in the background end with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.background: list[subprocess.Popen[bytes]] = []
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("SHUTONG_", "DJANGO_"))}
        own = {"PYTHONPATH": str(folder / "src"), "PYTHONUTF8": "1", "COLUMNS": "120", "LC_ALL": "C.UTF-8"}
        self.environment = kept | own | {"PATH": path}

    def __enter__(self) -> _shell:
        return self

    def __call__(self, command: str) -> str:
        exported = re.fullmatch(r"export (\w+)=(\S+)", command)
        if exported:
            value = re.sub(r"\$(\w+)", lambda name: self.environment.get(name[1], ""), exported[2])
            self.environment[exported[1]] = value
            return ""
        if command.endswith(" &"):
            return self._start(command.removesuffix(" &"))
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=self.environment, timeout=SECONDS, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return done.stdout.decode()

    def _start(self, command: str) -> str:
        """Start a server and wait until it says its address."""
        log = (self.folder / f"background-{len(self.background)}.log").open("w+b")
        self.background.append(
            subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=self.folder, env=self.environment, stdout=log, stderr=log)
        )  # fmt: skip
        wait = f"until curl -sf {re.escape('http://127.0.0.1:')}{_port_of(command)}/readyz; do sleep 0.5; done"
        subprocess.run(["bash", "-c", wait], capture_output=True, timeout=SECONDS, check=True)
        log.seek(0)
        return log.read().decode()

    def __exit__(self, *_: object) -> None:
        for process in self.background:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=SECONDS)


def _port_of(command: str) -> str:
    found = re.search(r"--port (\d+)", command)
    assert found, f"a server of a guide needs its port: {command}"
    return found[1]
