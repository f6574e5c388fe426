"""The judge of a delivery: checks its chunks on several threads, in the order of the file, and splits their rows.

Accepted rows go on typed; a rejected row goes out with every reason and its cells as they were delivered.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa

from shutong.collect.chunks import BadRow, Chunk, Numbers
from shutong.collect.header import HeaderMatch, Headers
from shutong.collect.judging import REASONS, Judged, Told
from shutong.collect.problems import Problem, problem, refuse
from shutong.quality.compute import Checked, Findings, Mask, Rows, Sql, check_rows, lists_by_row
from shutong.quality.duplicates import SeenKeys
from shutong.quality.plan import CheckPlan
from shutong.standards.verdict import arrow, compute


class RowJudge:
    """Checks one delivery of a resource. See ``collect.judging.Judge``.

    Args:
        plan: the resource's checks.
        received_on: the day of delivery.
        sql: asks the engine; called from several threads.
        pool: where chunks are checked; ``ahead`` of them at most wait there, which bounds the memory.
        salt: number of the hash of keys.
    """

    def __init__(
        self,
        plan: CheckPlan,
        received_on: dt.date,
        sql: Sql,
        pool: ThreadPoolExecutor,
        ahead: int = 2,
        salt: int = 0,
    ) -> None:
        self._plan = plan
        self._received_on = received_on
        self._sql = sql
        self._pool = pool
        self._ahead = ahead
        self._salt = salt
        self._seen = SeenKeys()
        self._matches: dict[tuple[str, ...], HeaderMatch] = {}
        self._received = 0
        self._filled: dict[str, int] = dict.fromkeys(plan.resource.items, 0)
        self._warnings: dict[tuple[str, str], Problem] = {}
        self._told = [_told(reason) for reason in plan.reasons]
        self._flags = pa.array([f"{reason.code}:{reason.item or ''}" for reason in plan.reasons], pa.string())
        self._reasons = pa.array(self._told, REASONS.value_type)
        self.headers = Headers(plan.resource)

    @property
    def identity(self) -> str:
        """See ``collect.judging.Judge``."""
        return self._plan.identity

    @property
    def warnings(self) -> list[Problem]:
        """See ``collect.judging.Judge``."""
        return list(self._warnings.values())

    def judge(self, header: Sequence[str], chunks: Iterable[Chunk]) -> Iterator[Judged]:
        """See ``collect.judging.Judge``."""
        if header:
            self._match(tuple(header), first=True)
        for chunk, match, checked in self._checked(chunks):
            self._received += chunk.received
            yield self._settle(chunk, match, checked)
        self._compare_with_agreed()

    def _match(self, header: tuple[str, ...], first: bool = False) -> HeaderMatch:
        match = self._matches.get(header)
        if match is None:
            match = self._matches[header] = self.headers.match(header, whole=first)
            self._warn(match.warnings)
        return match

    def _warn(self, problems: Iterable[Problem]) -> None:
        for told in problems:
            self._warnings.setdefault((told.code, told.zh), told)

    def _checked(self, chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, HeaderMatch, Checked]]:
        waiting: deque[tuple[Chunk, HeaderMatch, Future[Checked]]] = deque()
        try:
            for chunk in chunks:
                match = self._match(chunk.header)
                waiting.append((chunk, match, self._pool.submit(self._check, chunk, match)))
                if len(waiting) > self._ahead:
                    chunk, match, future = waiting.popleft()
                    yield chunk, match, future.result()
            while waiting:
                chunk, match, future = waiting.popleft()
                yield chunk, match, future.result()
        finally:
            for _, _, future in waiting:
                future.cancel()

    def _check(self, chunk: Chunk, match: HeaderMatch) -> Checked:
        places = [match.places.get(item.name) for item in self._plan.items]
        cells = [None if place is None else chunk.cells.column(place) for place in places]
        if match.row_id is not None:
            # the spreadsheet of rejects comes back: undo the escape that its CSV form has
            cells = [None if cell is None else _unescaped(cell) for cell in cells]
        return check_rows(self._plan, cells, chunk.cells.num_rows, self._received_on, self._sql, self._salt)

    def _settle(self, chunk: Chunk, match: HeaderMatch, checked: Checked) -> Judged:
        for name, count in checked.filled.items():
            self._filled[name] += count
        repeated = self._seen.repeated(checked.keys, checked.keyed, checked.rejected)
        findings, rejected = checked.findings, checked.rejected
        if repeated.any():
            findings = _with(findings, np.flatnonzero(repeated), self._plan.duplicate)
            rejected = rejected | repeated
        kept, out = ~rejected, np.flatnonzero(rejected)
        keep = pa.array(kept)
        row_ids = None if match.row_id is None else chunk.cells.column(match.row_id)
        lists = lists_by_row(findings.of(rejected), out, self._reasons)
        refused = _Refused(chunk, out, lists, row_ids)
        return Judged(
            kept=checked.typed if not len(out) else checked.typed.filter(keep),
            row_no=chunk.row_no[kept],
            operation=None if checked.operation is None else compute.filter(checked.operation, keep),
            flags=lists_by_row(findings.of(kept), np.flatnonzero(kept), self._flags),
            row_ids=None if row_ids is None else compute.filter(row_ids, keep),
            refused_row_no=refused.row_no,
            refused_reasons=refused.reasons,
            refused_cells=refused.cells,
            refused_row_ids=refused.row_ids,
            told=(*self._tell(findings, rejected, chunk.row_no), *_tell_unread(chunk.bad)),
            repeats=checked.typed.filter(pa.array(repeated)) if repeated.any() else None,
        )

    def _tell(self, findings: Findings, rejected: Mask, row_no: Numbers) -> Iterator[Told]:
        for reason in np.unique(findings.reasons):
            rows = np.sort(findings.rows[findings.reasons == reason])
            fate = rejected[rows]
            for rejects in (True, False):
                if (fate == rejects).any():
                    yield Told(self._plan.reasons[reason], rejects, row_no[rows[fate == rejects]])

    def _compare_with_agreed(self) -> None:
        expects = self._plan.resource.expects
        least, most = expects.rows.get("min"), expects.rows.get("max")
        if least is not None and self._received < least:
            raise refuse("rows.too-few", rows=self._received, least=least)
        if most is not None and self._received > most:
            self._warn([problem("rows.too-many", rows=self._received, most=most)])
        if not self._received:
            self._warn([problem("rows.none")])
            return
        for name, share in expects.fill.items():
            found = self._filled[name] / self._received
            if found < share:
                title = self._plan.resource.items[name].title.zh
                self._warn([problem("item.fill", name, title=title, share=f"{found:.1%}", least=f"{share:.1%}")])


class _Refused:
    """The rejected rows of a chunk, those that could not be read among them, in the order of the file."""

    def __init__(self, chunk: Chunk, out: Rows, lists: Any, row_ids: Any | None) -> None:
        numbers = [*chunk.row_no[out].tolist(), *(row.row_no for row in chunk.bad)]
        rows = chunk.cells.take(arrow.array(out)).to_pylist() if len(out) else []
        cells = [_as_json(chunk.header, list(row.values())) for row in rows]
        cells += [_as_json(chunk.header, row.cells) for row in chunk.bad]
        told = lists
        if chunk.bad:
            told = arrow.concat_arrays([lists, pa.array([[_told(row.problem)] for row in chunk.bad], REASONS)])
        order = np.argsort(np.array(numbers, np.int64), kind="stable")
        self.row_no: Numbers = np.array(numbers, np.int64)[order]
        self.reasons = told.take(pa.array(order))
        self.cells = [cells[place] for place in order]
        self.row_ids: list[str] | None = None
        if row_ids is not None:
            ids = [*row_ids.take(pa.array(out)).to_pylist(), *("" for _ in chunk.bad)]
            self.row_ids = [ids[place] for place in order]


def _unescaped(cells: Any) -> Any:
    return compute.replace_substring_regex(cells, "\\A'([=+@\t\r-])", "\\1")


def _with(findings: Findings, rows: Rows, reason: int) -> Findings:
    reasons = np.full(len(rows), reason, np.int32)
    return Findings(np.concatenate([findings.rows, rows]), np.concatenate([findings.reasons, reasons]))


def _told(reason: Problem) -> dict[str, str | None]:
    return {"code": reason.code, "item": reason.item, "zh": reason.zh, "en": reason.en}


def _tell_unread(bad: Sequence[BadRow]) -> Iterator[Told]:
    by_problem: dict[Problem, list[int]] = {}
    for row in bad:
        by_problem.setdefault(row.problem, []).append(row.row_no)
    for reason, numbers in by_problem.items():
        yield Told(reason, True, np.array(numbers, np.int64))


def _as_json(header: Sequence[str], cells: Sequence[str | None]) -> str:
    """The delivered cells of a row under their headers; cells beyond the header under their column's number."""
    names = [name or str(place + 1) for place, name in enumerate(header)]
    names += [str(place + 1) for place in range(len(names), len(cells))]
    return json.dumps({name: cell or "" for name, cell in zip(names, cells, strict=False)}, ensure_ascii=False)
