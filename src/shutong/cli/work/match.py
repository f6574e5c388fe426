"""``shutong match``: rows that are the same, in one file or in two, by a declared configuration."""

from __future__ import annotations

import csv
import sys
import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa
import yaml
from pydantic import ValidationError

from shutong.cli.outcome import RefusedError, print_json, say
from shutong.subjects.linkage import Linkage, link

_MEMORY = 2 << 30


def match(config: Path, files: list[Path], *, json: bool) -> None:
    """Print the pairs as CSV (left, right, probability), or as a JSON line each.

    Raises:
        RefusedError: a file cannot be read, or the configuration does not fit it.
    """
    wanted = _configuration(config)
    tables = [_rows(path) for path in files]
    with tempfile.TemporaryDirectory(prefix="shutong-match-") as temp:
        try:
            pairs = link(tables, wanted, Path(temp), _MEMORY)
        except KeyError as error:
            raise RefusedError(f"文件中没有这些列：{error.args[0]} / no such columns: {error.args[0]}") from error
    if json:
        for pair in pairs.to_pylist():
            print_json(pair)
    else:
        writer = csv.writer(sys.stdout)
        writer.writerow(pairs.column_names)
        writer.writerows(zip(*(column.to_pylist() for column in pairs.columns), strict=True))
    say(f"{pairs.num_rows:,} 对相同的行 / pairs of rows that are the same")


def _configuration(path: Path) -> Linkage:
    try:
        return Linkage.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RefusedError(f"{path} 读不出来 / cannot be read: {error}") from error
    except ValidationError as error:
        told = "\n".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise RefusedError(f"{path} 有误 / has faults:\n{told}") from error


def _rows(path: Path) -> pa.Table:
    """A CSV file in UTF-8 with a header, or a Parquet file, all columns as text."""
    reader = "read_parquet(?)" if path.suffix == ".parquet" else "read_csv(?, header = true, all_varchar = true)"
    try:
        with duckdb.connect() as connection:
            table: pa.Table = connection.execute(f"SELECT * FROM {reader}", [str(path)]).to_arrow_table()
    except duckdb.Error as error:
        first = str(error).strip().splitlines()[0]
        raise RefusedError(
            f"{path} 读不出来：请给出带表头的 UTF-8 CSV 或 Parquet 文件\n"
            f"{path} cannot be read: give a CSV file in UTF-8 with a header, or a Parquet file ({first})"
        ) from error
    return table
