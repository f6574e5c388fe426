"""Peers run in environments of their own, made on demand, so that nothing of theirs is in our lock."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


class PeerError(Exception):
    """A peer's environment could not be made (no network, say); the text says why."""


def peer_python(name: str) -> Path:
    """The Python of a peer's environment ``bench/peers/.venv-<name>``, made from its requirements when it is not there.

    Raises:
        PeerError: it could not be made.
    """
    folder = HERE / f".venv-{name}"
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if ready.exists():
        return python
    requirements = HERE / name / "requirements.txt"
    commands = (
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements)],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["?"]
            raise PeerError(f"{name} could not be installed: {last[0][:200]}")
    ready.touch()
    return python
