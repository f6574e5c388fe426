"""One small city for all tests of the area, made from the project's own packs."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import python_calamine

from shutong.democity.city import CityReport, generate
from shutong.democity.truth import read_truth
from shutong.spec.catalog import Catalog
from shutong.spec.loader import load_packs
from shutong.spec.models import Resource

PACKS = Path(__file__).resolve().parents[2] / "packs"
DEMO_PACKS = sorted(path.parent for path in PACKS.glob("*/pack.yml") if path.parent.name != "public-health")


@dataclass(frozen=True)
class City:
    """A city on disk with its report and its truth."""

    folder: Path
    catalog: Catalog
    report: CityReport
    read: dict[str, tuple[list[str], list[list[str]]]]

    def truth(self, table: str) -> pa.Table:
        return read_truth(self.folder / "truth", table)

    def rows(self, file: str) -> tuple[list[str], list[list[str]]]:
        """Header and data rows of a delivered file, read by code that shares nothing with the writer."""
        if file not in self.read:
            name = Path(file).name
            resource = next(r for r in self.catalog.resources.values() if name.startswith(f"{r.resource}-2"))
            self.read[file] = read_file(self.folder / file, resource)
        return self.read[file]


def read_file(path: Path, resource: Resource) -> tuple[list[str], list[list[str]]]:
    assert resource.demo
    form = resource.demo.file
    if form.format == "csv":
        lines = list(csv.reader(io.StringIO(path.read_bytes().decode(form.encoding), newline="")))
        return lines[0], lines[1:]
    if form.format == "json":
        content: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return list(content[0]), [["" if cell is None else cell for cell in row.values()] for row in content]
    sheet = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
    rows = [[str(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    rows = rows[1:] if form.title_row else rows
    return rows[0], rows[1:]


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load_packs(DEMO_PACKS)


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog) -> City:
    folder = tmp_path_factory.mktemp("city")
    return City(folder, catalog, generate(folder, catalog, subjects=1500, seed=7, block=900), {})
