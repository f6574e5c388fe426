"""``tools/bootstrap.py`` on machines that lack something: it says what, in both languages, and leaves nothing half made."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What the installer reads, in a folder with blanks and Chinese characters."""
    folder = tmp_path / "新 机器"
    for name in ("tools/bootstrap.py", "pyproject.toml", "requirements/base.lock", "requirements/test.lock"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def run(clone: Path, before: str = "") -> subprocess.CompletedProcess[str]:
    code = f"import runpy, sys\n{before}\nsys.argv = ['bootstrap.py', 'base']\n"
    code += f"runpy.run_path({str(clone / 'tools' / 'bootstrap.py')!r}, run_name='__main__')"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


def test_a_python_without_venv_is_told_how_to_get_it(clone: Path) -> None:
    done = run(clone, "sys.modules['ensurepip'] = None")
    assert done.returncode == 1 and not (clone / ".venv").exists()
    assert "缺少 venv 模块" in done.stderr and "apt install python3." in done.stderr and "Traceback" not in done.stderr


def test_an_old_python_is_told_which_one_is_needed(clone: Path) -> None:
    done = run(clone, "sys.version_info = (3, 9, 2, 'final', 0)")
    assert done.returncode == 1 and not (clone / ".venv").exists()
    assert "需要 Python 3.11" in done.stderr and "this is 3.9.2" in done.stderr and "make PYTHON=" in done.stderr


def test_what_is_installed_is_not_touched_and_needs_no_network(clone: Path) -> None:
    module = runpy.run_path(str(clone / "tools" / "bootstrap.py"))
    python: Path = module["venv_python"]()
    python.parent.mkdir(parents=True)
    python.touch()
    assert not module["is_installed"]("base")
    (clone / ".venv" / ".shutong-base").write_text(module["fingerprint"]("base"))
    assert module["is_installed"]("base") and not module["is_installed"]("test")
    done = run(clone, "sys.modules['ensurepip'] = None")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (clone / "requirements" / "base.lock").write_text("changed")
    assert not module["is_installed"]("base")


def test_the_path_file_is_relative_and_what_nothing_needs_is_removed(clone: Path) -> None:
    module = runpy.run_path(str(clone / "tools" / "bootstrap.py"))
    packages = clone / ".venv" / "lib" / "python3.11" / "site-packages"
    for name in (
        "numpy/_core/tests/test_a.py",
        "pyarrow/tests/a.py",
        "pyarrow/include/a.h",
        "numpy/testing/__init__.py",
    ):
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).touch()
    (packages / "_shutong.pth").write_text(f"{clone / 'src'}\n", encoding="utf-8")
    module["name_source_relatively"]()
    assert (packages / "_shutong.pth").read_text(encoding="ascii") == "../../../../src\n"
    module["slim"].__globals__["subprocess"] = _Silent
    module["slim"]()
    assert [path.name for path in packages.rglob("*.py")] == ["__init__.py"]
    assert not (packages / "pyarrow" / "include").exists()


class _Silent:
    """Stands for ``subprocess``: there is no interpreter in this .venv to run pip with."""

    DEVNULL = subprocess.DEVNULL

    @staticmethod
    def run(*_: object, **__: object) -> None:
        return None
