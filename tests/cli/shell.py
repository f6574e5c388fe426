"""Commands as a user types them, many in one process: what each printed, and its exit code.

Starting Python and loading the project takes longer than most commands, so a process runs one command after the other.
It serves one home, as every process does. Each command has real files as its standard streams.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value on standard output."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


class Shell:
    """A process that runs commands of ``shutong``; ``home`` is added where a command has none."""

    def __init__(self, home: Path | None = None, **environment: str) -> None:
        self.home = home
        given = {key: value for key, value in os.environ.items() if not key.startswith(("SHUTONG_", "DJANGO_"))}
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=given | environment,
        )

    def __call__(self, *words: str | Path, stdin: bytes = b"", code: int | None = 0) -> Done:
        """Run a command.

        Args:
            code: the exit code it must have; None when any will do.
        """
        assert self._process.stdin and self._process.stdout
        home = ["--home", str(self.home)] if self.home and "--home" not in words else []
        asked = {"words": [*map(str, words), *home], "stdin": stdin.hex()}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        done = Done(**json.loads(self._process.stdout.readline()))
        assert "Traceback" not in done.err, done.err
        assert code is None or done.code == code, f"{words}: {done}"
        return done

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()


def _serve() -> None:
    """The child: commands come in as lines, answers go out as lines; both on numbers that commands don't touch."""
    from shutong.cli import main

    asked, answers = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    for line in asked:
        wanted = json.loads(line)
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(bytes.fromhex(wanted["stdin"]))
            given.seek(0)
            for number, file in enumerate((given, out, err)):
                os.dup2(file.fileno(), number)
            sys.stdin = io.TextIOWrapper(os.fdopen(0, "rb", closefd=False), encoding="utf-8")
            sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", closefd=False), encoding="utf-8")
            sys.stderr = io.TextIOWrapper(os.fdopen(2, "wb", closefd=False), encoding="utf-8", write_through=True)
            sys.argv = ["shutong", *wanted["words"]]
            code = main.execute()
            if "django.conf" in sys.modules and sys.modules["django.conf"].settings.configured:
                # As at the end of a process: the next command opens the database anew.
                sys.modules["django.db"].connections.close_all()
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode("utf-8", errors="replace"))
        print(json.dumps({"code": code, "out": texts[0], "err": texts[1]}), file=answers, flush=True)


if __name__ == "__main__":
    _serve()
