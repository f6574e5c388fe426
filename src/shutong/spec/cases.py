"""Tests as data: a domain expert writes what goes in and what must come out as small CSV files, without Python.

A case is a folder ``packs/<pack>/tests/<case>/``::

    case.yml                            title, received_on, business_day
    input-<resource>.csv                delivered rows, headed as the department heads them
    input-<resource>--<day>.csv         a further delivery, received on that day
    expect-accepted-<resource>.csv      accepted rows: any of the stored columns, sealed items excepted
    expect-rejected.csv                 resource, row_no, code, item: one line per reason
    expect-library-<library>.csv        rows of a library: subject and attributes, sealed ones excepted
    expect-values-<library>.csv         values with their sources and valid time: VALUES_COLUMNS
    expect-candidates-<list>.csv        whom a list's grounds find: CANDIDATE_COLUMNS
    expect-observations-<indicator>.csv figures of an indicator: OBSERVATION_COLUMNS
    expect-disagreements-<name>.csv     what a verification, or library.attribute, finds: DISAGREEMENT_COLUMNS

This module reads the files into typed values and compares tables; the runner lives in the pipeline.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field, ValidationError

from shutong.spec.catalog import Catalog, Place
from shutong.spec.columns import library_view, stored_columns
from shutong.spec.models import Model, Title
from shutong.spec.problems import PackError, Problem, meant
from shutong.spec.validation import validation_problems
from shutong.spec.yamltext import read_yaml

FOLDER = "tests"
HEAD = "case.yml"
MAX_BYTES = 1024 * 1024
REJECTED_COLUMNS = ("resource", "row_no", "code", "item")

VALUES_COLUMNS = (
    "subject", "instance", "attribute", "value", "rank", "chosen", "valid_from", "valid_to", "resource", "received_on",
)  # fmt: skip
CANDIDATE_COLUMNS = ("subject", "ground", "since", "next_change_on")
OBSERVATION_COLUMNS = ("area", "series", "period", "value", "records")
DISAGREEMENT_COLUMNS = ("subject", "item", "left_value", "right_value", "departments")
"""``subject`` is the unified code of an organisation, its name where it has none, and the address of a place."""

STAGED = ("library/", "values/", "candidates/", "observations/", "disagreements/")
"""Tables that only exist once the stages ran; ``values/`` and those behind it are rows of one table of the way."""

_ON_DAY = "--"
_FIXED = {
    "values-": ("library", VALUES_COLUMNS),
    "candidates-": ("list", CANDIDATE_COLUMNS),
    "observations-": ("indicator", OBSERVATION_COLUMNS),
    "disagreements-": ("verification", DISAGREEMENT_COLUMNS),
}


class CaseHead(Model):
    """The head of a case: case.yml."""

    title: Title = Field(description="what the case shows")
    received_on: date = Field(description="the day on which the inputs arrive")
    business_day: date | None = Field(default=None, description="the run's business day; received_on where missing")


@dataclass(frozen=True)
class CaseInput:
    """One delivered file of a case; ``received_on`` is None on the day of the case."""

    resource: str
    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    received_on: date | None = None


@dataclass(frozen=True)
class Expectation:
    """The rows a table must have: on the given columns, in any order, no more and no fewer.

    Args:
        table: ``rejected``, ``accepted/<resource>``, or one of ``STAGED`` with the declaration's name.
        rows: canonical text of each value (dates ISO, true/false, lists joined by ``;``); None is NULL, an empty cell.
    """

    table: str
    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]


@dataclass(frozen=True)
class Case:
    """One case of a pack."""

    pack: str
    name: str
    title: Title
    received_on: date
    business_day: date
    inputs: tuple[CaseInput, ...]
    expects: tuple[Expectation, ...]


@dataclass(frozen=True)
class Difference:
    """A row that is missing from a table, or that nobody expected."""

    table: str
    kind: Literal["missing", "unexpected"]
    row: Mapping[str, str | None]

    @property
    def zh(self) -> str:
        """The difference in Chinese."""
        what = "缺少行" if self.kind == "missing" else "多出行"
        return f"{self.table} {what}：{_shown(self.row)}"

    @property
    def en(self) -> str:
        """The difference in English."""
        what = "lacks the row" if self.kind == "missing" else "has an unexpected row"
        return f"{self.table} {what}: {_shown(self.row)}"


def _shown(row: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name}={'NULL' if value is None else value}" for name, value in row.items())


def load_cases(pack: Path, catalog: Catalog) -> list[Case]:
    """Read the cases of a pack.

    Args:
        pack: the pack's folder.
        catalog: holds the pack's resources.

    Raises:
        PackError: with everything wrong in any case.
    """
    problems: list[Problem] = []
    folder = pack / FOLDER
    found = []
    for case in sorted(child for child in folder.iterdir() if child.is_dir()) if folder.is_dir() else []:
        if not case.name.startswith((".", "__")):
            read = _read_case(pack.resolve().name, case, catalog, problems)
            found += [read] if read else []
    if problems:
        raise PackError(problems)
    return found


def case_problems(pack: Path, catalog: Catalog) -> list[Problem]:
    """What is wrong with the cases of a pack."""
    try:
        load_cases(pack, catalog)
    except PackError as error:
        return error.problems
    return []


def compare(expected: Expectation, actual: pa.Table) -> list[Difference]:
    """Compare a table with what was expected of it; empty where they agree.

    Args:
        actual: has at least the expected columns; the table ``rejected`` may be given as stored (with ``reasons``).

    Raises:
        KeyError: the table lacks an expected column.
    """
    rows = Counter(expected.rows)
    table = flat_rejected(actual) if expected.table == "rejected" and "reasons" in actual.column_names else actual
    columns = [table.column(name).to_pylist() for name in expected.columns]
    given = Counter(tuple(canonical(value) for value in row) for row in zip(*columns, strict=True))
    missing = [Difference(expected.table, "missing", _named(expected, row)) for row in (rows - given).elements()]
    return missing + [
        Difference(expected.table, "unexpected", _named(expected, row)) for row in (given - rows).elements()
    ]


def flat_rejected(rejected: pa.Table) -> pa.Table:
    """The table ``rejected`` with one row per reason: resource, row_no, code, item."""
    flat: list[dict[str, Any]] = [
        {"resource": row["resource"], "row_no": row["row_no"], "code": reason["code"], "item": reason["item"]}
        for row in rejected.select(["resource", "row_no", "reasons"]).to_pylist()
        for reason in row["reasons"] or []
    ]
    kinds = (pa.string(), pa.int64(), pa.string(), pa.string())
    return pa.table(
        {name: pa.array([row[name] for row in flat], kind) for name, kind in zip(REJECTED_COLUMNS, kinds, strict=True)}
    )


def canonical(value: Any) -> str | None:
    """The text by which values are compared: numbers without trailing zeros, ISO dates, true and false."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ";".join(canonical(inner) or "" for inner in value)
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    whole, dot, fraction = text.partition(".")
    if dot and whole.lstrip("-").isdigit() and fraction.isdigit():
        return f"{whole}.{fraction}".rstrip("0").rstrip(".")
    return text


def _named(expected: Expectation, row: tuple[str | None, ...]) -> dict[str, str | None]:
    return dict(zip(expected.columns, row, strict=True))


def _read_case(pack: str, folder: Path, catalog: Catalog, problems: list[Problem]) -> Case | None:
    head = _read_head(folder / HEAD, problems)
    inputs: list[CaseInput] = []
    expects: list[Expectation] = []
    for path in sorted(folder.iterdir()):
        if path.name == HEAD or path.name.startswith("."):
            continue
        kind, _, name = path.stem.partition("-")
        if path.suffix != ".csv" or kind not in {"input", "expect"} or not name:
            hint = "input-<resource>.csv, expect-<table>.csv"
            zh, en = f"不认识的文件 {path.name}", f"unknown file {path.name}"
            problems.append(Problem(path, 0, "case.file", zh, en, hint))
            continue
        try:
            header, rows = _read_csv(path)
            if kind == "input":
                inputs.append(_input(path, name, header, rows, catalog))
            else:
                expects.append(_expectation(path, name, header, rows, catalog))
        except PackError as error:
            problems += error.problems
    if head is None:
        return None
    for what, found in (("input-<resource>.csv", inputs), ("expect-<table>.csv", expects)):
        if not found:
            problems.append(Problem(folder / HEAD, 1, "case.empty", f"用例缺少 {what}", f"the case lacks {what}"))
    day = head.business_day or head.received_on
    return Case(pack, folder.name, head.title, head.received_on, day, tuple(inputs), tuple(expects))


def _read_head(path: Path, problems: list[Problem]) -> CaseHead | None:
    try:
        document = read_yaml(path)
        return CaseHead.model_validate(document.data)
    except PackError as error:
        problems += error.problems
    except ValidationError as error:
        place = Place(path, {location: (path, line) for location, line in document.lines.items()})
        problems += validation_problems(error, CaseHead, place)
    return None


def _fault(path: Path, line: int, code: str, zh: str, en: str, hint: str = "") -> PackError:
    return PackError([Problem(path, line, code, zh, en, hint)])


def _read_csv(path: Path) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    if path.is_symlink():
        raise _fault(path, 0, "file.link", "不允许符号链接", "links are not read")
    raw = path.read_bytes()[: MAX_BYTES + 1]
    if len(raw) > MAX_BYTES:
        raise _fault(path, 0, "file.too-large", "用例文件超过 1 MiB", "a case file is larger than 1 MiB")
    try:
        lines = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _fault(path, 0, "case.csv", f"不是 UTF-8 的 CSV：{error}", f"not CSV in UTF-8: {error}") from error
    lines = [line for line in lines if line]
    if not lines:
        raise _fault(path, 1, "case.csv", "文件没有表头", "the file has no header")
    header = tuple(cell.strip() for cell in lines[0])
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(header):
            zh, en = f"本行 {len(line)} 列，表头 {len(header)} 列", f"{len(line)} cells, {len(header)} in the header"
            raise _fault(path, number, "case.csv", zh, en)
    return header, tuple(tuple(line) for line in lines[1:])


def _declared(path: Path, kind: str, name: str, catalog: Catalog) -> str:
    known = catalog.of_kind(kind)
    if name not in known:
        zh, en = f"没有{_KINDS[kind]} {name}", f"there is no {kind} {name}"
        raise _fault(path, 0, "reference.unknown", zh, en, meant(name, known))
    return name


_KINDS = {"resource": "资源", "library": "库", "list": "名单", "indicator": "指标", "verification": "核验"}


def _input(
    path: Path, name: str, header: tuple[str, ...], rows: tuple[tuple[str, ...], ...], catalog: Catalog
) -> CaseInput:
    name, mark, text = name.partition(_ON_DAY)
    day = None
    if mark:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            hint = "input-<resource>--2026-07-01.csv"
            raise _fault(path, 0, "case.day", f"不是日期：{text}", f"not a day: {text}", hint) from None
    return CaseInput(_declared(path, "resource", name, catalog), path, header, rows, day)


def _expectation(
    path: Path, name: str, header: tuple[str, ...], rows: tuple[tuple[str, ...], ...], catalog: Catalog
) -> Expectation:
    table, known = _table(path, name, catalog)
    for column in header:
        if column not in known:
            zh, en = f"表 {table} 没有列 {column}", f"the table {table} has no column {column}"
            raise _fault(path, 1, "case.column", zh, en, meant(column, known))
    texts = tuple(tuple(canonical(cell.strip()) for cell in row) for row in rows)
    return Expectation(table, path, header, texts)


def _table(path: Path, name: str, catalog: Catalog) -> tuple[str, list[str]]:
    if name == "rejected":
        return name, list(REJECTED_COLUMNS)
    kind, _, rest = name.partition("-")
    if kind == "accepted":
        resource = catalog.resources[_declared(path, "resource", rest, catalog)]
        return f"accepted/{rest}", _plain(stored_columns(resource).names)
    if kind == "library":
        library = catalog.libraries[_declared(path, "library", rest, catalog)]
        return f"library/{rest}", ["subject", *_plain(library_view(library).names[1:])]
    for prefix, (of, columns) in _FIXED.items():
        if name.startswith(prefix):
            return f"{kind}/{_named_rows(path, of, rest, catalog)}", list(columns)
    zh, en = f"不认识的表 {name}", f"unknown table {name}"
    hint = "expect-rejected.csv, expect-accepted-<resource>.csv, expect-library-<library>.csv"
    raise _fault(path, 0, "case.table", zh, en, hint)


def _named_rows(path: Path, kind: str, name: str, catalog: Catalog) -> str:
    """A declaration, or the compared sources of an attribute: library.attribute."""
    library, dot, attribute = name.partition(".")
    if kind != "verification" or not dot:
        return _declared(path, kind, name, catalog)
    known = catalog.libraries[_declared(path, "library", library, catalog)].attributes
    if attribute not in known or known[attribute].verify is None:
        zh, en = f"{library} 没有核验属性 {attribute}", f"{library} compares no attribute {attribute}"
        compared = [one for one, declared in known.items() if declared.verify]
        raise _fault(path, 0, "reference.unknown", zh, en, meant(attribute, compared))
    return name


def _plain(columns: Sequence[str]) -> list[str]:
    return [column for column in columns if "__" not in column]
