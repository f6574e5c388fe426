"""Code tables that ship with the package: small CSV files, each with its source in lines that start with ``#``."""

from __future__ import annotations

import csv
from importlib.resources import files


def read_table(name: str) -> list[dict[str, str]]:
    """Rows of ``name`` (a CSV file of this package) as dictionaries; comment lines are skipped."""
    text = (files(__package__) / name).read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


def table_source(name: str) -> str:
    """What the comment lines of a table say: its source, licence and date."""
    text = (files(__package__) / name).read_text(encoding="utf-8")
    return "\n".join(line.lstrip("# ") for line in text.splitlines() if line.startswith("#"))
