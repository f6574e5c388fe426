"""No dependency under GPL or AGPL: the licence of every locked package is read from its metadata."""

from __future__ import annotations

import ast
import re
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FORBIDDEN = re.compile(r"(?<![A-Za-z])A?GPL|(?<!Lesser )General Public License|Affero", re.IGNORECASE)
LESSER = re.compile(r"LGPL|Lesser General Public", re.IGNORECASE)
LOCKS = ("base.lock", "test.lock", "spark.lock")
ELSEWHERE = {"colorama", "pywin32", "tzdata", "win32-setctime"}
"""Locked for other operating systems only, not installed here: BSD, PSF, Apache-2.0, MIT."""
STATED_ELSEWHERE = {"axe-playwright-python": "MIT"}
"""No licence in the metadata; what the project's own page says."""


def locked(name: str) -> list[str]:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    return re.findall(r"^([a-z0-9-]+)(?:\[[^\]]*\])?==", text, re.MULTILINE)


def licence_of(package: str) -> str:
    """What the package itself says: licence expression, licence field or classifiers."""
    info = metadata.metadata(package)
    texts = [info.get("License-Expression") or "", (info.get("License") or "").split("\n")[0][:200]]
    texts += [c for c in info.get_all("Classifier") or [] if c.startswith("License ::")]
    return " | ".join(text for text in texts if text)


@pytest.mark.parametrize("package", sorted({name for lock in LOCKS for name in locked(lock)}))
def test_licence(package: str) -> None:
    try:
        licence = licence_of(package)
    except metadata.PackageNotFoundError:
        if package in ELSEWHERE or not is_needed_here(package):
            pytest.skip(f"{package} is locked for another operating system or Python")
        if package in set(locked("spark.lock")) - set(locked("test.lock")):
            pytest.skip(f"{package} comes with Spark only: make test KIND=spark")
        raise
    licence = licence or STATED_ELSEWHERE.get(package, "")
    assert licence, f"{package} states no licence"
    assert LESSER.search(licence) or not FORBIDDEN.search(licence), f"{package}: {licence}"


def is_needed_here(package: str) -> bool:
    """Whether the lock's marker applies on this machine (packages with a marker may be absent)."""
    text = (ROOT / "requirements" / "test.lock").read_text(encoding="utf-8")
    return re.search(rf"^{re.escape(package)}(?:\[[^\]]*\])?==[^;\n]+;", text, re.MULTILINE) is None


def test_what_the_product_imports_is_in_the_base_lock() -> None:
    """A package that only the tools of the tests bring is there in every test and missing in a real installation."""
    base, spark = set(locked("base.lock")), set(locked("spark.lock"))
    distributions = metadata.packages_distributions()
    missing = set()
    for path in (ROOT / "src").rglob("*.py"):
        for module in imported(path) - set(sys.stdlib_module_names) - {"shutong"}:
            packages = {re.sub(r"[-_.]+", "-", name).lower() for name in distributions.get(module, [module])}
            allowed = base | spark if path.name.startswith("spark") else base
            if not packages & allowed:
                missing.add(f"{path.relative_to(ROOT)}: {module}")
    assert not missing, sorted(missing)


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.split(".")[0])
    return found
