"""Make .venv from a lock file, with nothing but Python 3.11+ and its standard library.

Usage: python3 tools/bootstrap.py base|test|spark

``base`` is what `make demo` needs, ``test`` adds the tools of the tests, ``spark`` Spark to them (500 MB). What is
already installed is not touched,
so that both work offline once the packages are there, in any order, and as an ordinary user.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMPS = {"base": ("base",), "test": ("base", "test"), "spark": ("base", "test", "spark")}
# Packages that come as source archives only; Spark's is pure Python and jars.
SOURCES = {"spark": ("--no-binary", "pyspark")}


def fail(zh: str, en: str) -> None:
    """Say what is wrong in both languages and stop."""
    sys.exit(f"\n{zh}\n{en}\n")


def check_python() -> None:
    """Refuse a Python that is too old, or one without venv, with the command that mends it."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file runs before any interpreter was chosen
        found = ".".join(map(str, sys.version_info[:3]))
        fail(
            f"需要 Python 3.11 或更新版本，当前是 {found}。可用 make PYTHON=python3.12 … 指定。",
            f"Python 3.11 or newer is needed, this is {found}. Name another one: make PYTHON=python3.12 …",
        )
    try:
        import ensurepip
        import venv
    except ImportError:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        fail(
            f"这个 Python 缺少 venv 模块。Debian/Ubuntu：sudo apt install python{version}-venv，然后重试。",
            f"This Python has no venv module. Debian or Ubuntu: sudo apt install python{version}-venv, then try again.",
        )
    else:
        _ = (ensurepip, venv)


def venv_python() -> Path:
    """The interpreter inside .venv."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def fingerprint(kind: str) -> str:
    """What an installation of this kind depends on: the lock, the project file and the interpreter."""
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for name in (f"requirements/{kind}.lock", "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def is_installed(kind: str) -> bool:
    """Whether .venv already holds this kind from this very lock."""
    stamp = VENV / f".shutong-{kind}"
    return venv_python().exists() and stamp.exists() and stamp.read_text() == fingerprint(kind)


def run(*command: str) -> None:
    """Run a step of the installation; its own output says what went wrong."""
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        fail(
            "安装依赖失败，原因见上。检查网络或软件源后重试；已装好的部分会保留。",
            "Installing the packages failed for the reason above. Check the network or package index and try again.",
        )


def install(kind: str) -> None:
    """Create .venv where needed and install the lock and the project itself into it."""
    if not venv_python().exists():
        shutil.rmtree(VENV, ignore_errors=True)
        print("创建 .venv …  creating .venv …", flush=True)
        run(sys.executable, "-m", "venv", str(VENV))
    print(f"安装 {kind} 依赖 …  installing the {kind} packages …", flush=True)
    pip = (str(venv_python()), "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(*pip, "--require-hashes", "--only-binary", ":all:", *SOURCES.get(kind, ()), "-r", f"requirements/{kind}.lock")
    run(*pip, "--no-deps", "--no-build-isolation", "--editable", ".")
    name_source_relatively()
    slim()
    for done in STAMPS[kind]:
        (VENV / f".shutong-{done}").write_text(fingerprint(done))


def packages_folder() -> Path:
    """The folder of the installed packages."""
    return next(iter([*VENV.glob("lib/python3*/site-packages"), VENV / "Lib" / "site-packages"]))


def name_source_relatively() -> None:
    """Let the installed project point to its source by a relative path.

    Python reads that file in the locale's encoding: in the locale C it would not start under a Chinese folder.
    """
    packages = packages_folder()
    for file in packages.glob("*.pth"):
        if file.read_text(encoding="utf-8").strip() == str(ROOT / "src"):
            file.write_text(os.path.relpath(ROOT / "src", packages) + "\n", encoding="utf-8")


def slim() -> None:
    """Remove what only the makers of the packages need: their own tests, C headers, and setuptools, which nothing uses.

    It is a tenth of the installation. Nothing that can be imported by the project is touched.
    """
    packages = packages_folder()
    for folder in (*packages.glob("numpy/**/tests"), packages / "pyarrow" / "tests", packages / "pyarrow" / "include"):
        shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(
        [str(venv_python()), "-m", "pip", "--disable-pip-version-check", "uninstall", "--quiet", "--yes", "setuptools"],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        check=False,
    )


def main() -> None:
    """Install what is named on the command line."""
    kind = sys.argv[1] if len(sys.argv) == 2 else ""
    if kind not in STAMPS:
        sys.exit(__doc__)
    if is_installed(kind):
        return
    check_python()
    install(kind)


if __name__ == "__main__":
    main()
