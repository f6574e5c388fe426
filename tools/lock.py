"""Make the lock files again from pyproject.toml: universal, with hashes. Needs the command uv."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEST = ("build", "dev", "browser", "postgres", "s3")
EXTRAS = {"spark": (*TEST, "spark"), "test": TEST, "base": ("build",)}
# Each lock is held to the one that has more, so that one environment holds all of them.
WIDER = {"test": "spark", "base": "test"}


def main() -> None:
    """Compile every lock."""
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    for kind, extras in EXTRAS.items():
        command = [uv, "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
        command += ["pyproject.toml", "--output-file", f"requirements/{kind}.lock"]
        for extra in extras:
            command += ["--extra", extra]
        if kind in WIDER:
            command += ["--constraint", f"requirements/{WIDER[kind]}.lock"]
        subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
