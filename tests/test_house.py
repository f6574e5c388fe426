"""The budgets of the house: sizes of files and functions, imports inside functions, and what documents promise."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(p for p in (ROOT / "src").rglob("*.py") if "migrations" not in p.parts)
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60

LONG_FILES: set[str] = set()
LONG_FUNCTIONS: set[str] = set()
LOCAL_IMPORTS: set[str] = set()


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT / "src"))


def code_lines(path: Path) -> int:
    """Lines that hold code: no blank lines, comments or docstrings."""
    text = path.read_text(encoding="utf-8")
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            docstrings.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in skipped:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docstrings)


def functions(path: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield f"{relative(path)}:{node.name}", node


def own_imports(function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("shutong")):
            yield node.module or "."
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("shutong"))


def compare(found: set[str], allowed: set[str], what: str) -> None:
    assert not found - allowed, f"{what}: {sorted(found - allowed)}"
    assert not allowed - found, f"no longer needed in the list of exceptions ({what}): {sorted(allowed - found)}"


def test_files_stay_short() -> None:
    found = {relative(path) for path in SOURCES if code_lines(path) > MAX_FILE_LINES}
    compare(found, LONG_FILES, f"files over {MAX_FILE_LINES} code lines")


def test_functions_stay_short() -> None:
    found = {
        name
        for path in SOURCES
        for name, node in functions(path)
        if (node.end_lineno or node.lineno) - node.lineno + 1 > MAX_FUNCTION_LINES
    }
    compare(found, LONG_FUNCTIONS, f"functions over {MAX_FUNCTION_LINES} lines")


def test_no_own_imports_inside_functions() -> None:
    found = {name for path in SOURCES for name, node in functions(path) if any(own_imports(node))}
    compare(found, LOCAL_IMPORTS, "imports of our own inside functions")


def test_every_area_says_what_it_is() -> None:
    missing = [
        relative(path)
        for path in SOURCES
        if path.stat().st_size > 1 and ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None
    ]
    assert not missing, f"modules without a docstring: {missing}"


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")) + sorted(ROOT.glob("*.md")), ids=str)
def test_paths_in_documents_exist(page: Path) -> None:
    """Every path of the repository that a document names, as a link or in code marks, is there."""
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text)
    paths = re.findall(r"`((?:src|docs|packs|tests|bench|tools|requirements)/[\w./-]+)`", text)
    gone = [link for link in links if not (page.parent / link).exists()]
    gone += [path for path in paths if not (ROOT / path).exists()]
    assert not gone, f"{page.name} names what does not exist: {gone}"
