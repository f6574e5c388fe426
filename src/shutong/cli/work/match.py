"""``shutong match``: rows that are the same, in one file or in two, by a declared configuration."""

from __future__ import annotations

import csv
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
from pydantic import ValidationError

from shutong.cli.outcome import RefusedError, print_json, say
from shutong.collect.problems import Refusal, problem
from shutong.collect.readers import Headers, Limits, Source, open_reading
from shutong.engine.settings import Settings
from shutong.spec.catalog import Place
from shutong.spec.models import Resource
from shutong.spec.problems import PackError
from shutong.spec.validation import validation_problems
from shutong.spec.yamltext import read_yaml
from shutong.subjects.linkage import Linkage, link


def match(config: Path, files: list[Path], *, json: bool) -> None:
    """Print the pairs as CSV (left_id, right_id, probability), or as a JSON line each.

    Raises:
        RefusedError: a file cannot be read, or the configuration does not fit it.
    """
    wanted = _configuration(config)
    tables = [_rows(path, wanted) for path in files]
    settings = Settings()
    with tempfile.TemporaryDirectory(prefix="shutong-match-") as temp:
        pairs = link(tables, wanted, Path(temp), settings.memory_bytes // 2, settings.threads)
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
        document = read_yaml(path)
        return Linkage.model_validate(document.data)
    except PackError as error:
        raise RefusedError("\n".join(map(str, error.problems))) from error
    except ValidationError as error:
        place = Place(path, {at: (path, line) for at, line in document.lines.items()})
        found = validation_problems(error, Linkage, place)
        raise RefusedError("\n".join(map(str, found))) from error


def _rows(path: Path, wanted: Linkage) -> pa.Table:
    """The wanted columns of a file of any kind that departments deliver (CSV, XLSX, JSON, in their encodings)."""
    names = [wanted.unique, *wanted.compare]
    items = {f"c{number}": {"title": name, "required": True} for number, name in enumerate(names)}
    head = {"resource": "rows", "title": path.name, "department": "nobody", "basis": "-", "key": ["c0"]}
    headers = Headers(Resource.model_validate({**head, "items": items}))
    tables, unread = [], 0
    try:
        with path.open("rb", buffering=0) as raw:
            reading = open_reading(Source(raw, Limits()), headers, Limits())
            for chunk in reading.chunks():
                places = headers.match(chunk.header).places
                columns = [chunk.cells.column(places[item]) for item in items]
                tables.append(pa.Table.from_arrays(columns, names))
                unread += len(chunk.bad)
    except Refusal as refusal:
        raise RefusedError(f"{path}: {refusal.problem.zh}\n{refusal.problem.en}") from refusal
    except OSError as error:
        missing = problem("file.missing")
        raise RefusedError(f"{path}: {missing.zh}\n{missing.en}") from error
    if unread:
        say(f"{path}: {unread:,} 行读不出来，未参加比对 / rows could not be read and are left out")
    empty = pa.table({name: pa.array([], pa.string()) for name in names})
    return pa.concat_tables([empty, *tables], promote_options="permissive")
