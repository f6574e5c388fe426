"""Make the lock files again from pyproject.toml: universal, with hashes. Needs the command uv."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = {"test": ("build", "dev", "browser", "postgres"), "base": ("build",)}


def main() -> None:
    """Compile both locks; base is constrained by test, so that one environment holds both."""
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    for kind, extras in EXTRAS.items():
        command = [uv, "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
        command += ["pyproject.toml", "--output-file", f"requirements/{kind}.lock"]
        for extra in extras:
            command += ["--extra", extra]
        if kind == "base":
            command += ["--constraint", "requirements/test.lock"]
        subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
