"""Reads what a grant lets out: checks that it is in force, asks the engine, opens sealed items, keeps to the quota.

Nothing here decides what may be seen; that is the compiled relation (``compute``). A withdrawal in the middle of a stream
ends it at the next batch.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

import pyarrow as pa

from shutong.collect.intake import seal_context
from shutong.engine.engine import Engine
from shutong.engine.errors import EngineError
from shutong.engine.keys import Keys
from shutong.exchange.compute import Granted, asked, granted, verified
from shutong.exchange.grant import Grant
from shutong.exchange.question import Condition, Question
from shutong.exchange.refusals import ExchangeError
from shutong.spec.columns import sealed
from shutong.spec.masks import masked
from shutong.spec.models import Mask, Resource

Method = Literal["api", "batch", "stream", "verify"]

BATCH_ROWS = 65_536


def check_use(grant: Grant, resource: Resource, method: Method, day: dt.date, used: int) -> int | None:
    """That a grant may be used so on a day; answers how many rows are left of its quota, None without one.

    Args:
        used: rows (verifications, each as one) that it gave on that day already.

    Raises:
        ExchangeError: suspended, withdrawn, before or after its term, by another method, quota used up.
    """
    if grant.state != "active":
        zh, en = {"suspended": ("授权已暂停", "suspended")}.get(grant.state, ("授权已撤销", "withdrawn"))
        raise ExchangeError(zh, f"the grant is {en}")
    if not grant.starts_on <= day <= grant.ends_on:
        raise ExchangeError(
            f"授权期限为 {grant.starts_on} 至 {grant.ends_on}",
            f"the grant counts from {grant.starts_on} to {grant.ends_on}",
        )
    if method not in grant.methods or method not in resource.share.methods:
        raise ExchangeError("授权不包括这种方式", "the grant does not include this method")
    if grant.quota is None:
        return None
    if used >= grant.quota:
        raise ExchangeError(f"今日限额 {grant.quota} 已用完", f"today's quota of {grant.quota} is used up")
    return grant.quota - used


def read(
    engine: Engine,
    keys: Keys,
    grant: Grant,
    resource: Resource,
    question: Question,
    day: dt.date,
    *,
    method: Method = "api",
    used: int = 0,
    still_valid: Callable[[], None] = lambda: None,
) -> pa.RecordBatchReader:
    """The answer to a question, batch by batch: ``record_id`` and the items asked for; ``n`` for a count.

    Args:
        used: rows that the grant gave on that day already.
        still_valid: called before each batch leaves; raises where the grant was withdrawn or suspended meanwhile.

    Raises:
        ExchangeError: the grant does not allow it, or the question is none. While reading: what ``still_valid`` raises,
            or the quota is used up (the rows before it were given).
    """
    left = check_use(grant, resource, method, day, used)
    if method == "verify":
        raise ExchangeError("授权只可核验，不提供数据", "the grant lets questions be verified, and no data out")
    one = granted(grant, resource, day)
    if left is not None and question.limit is not None and question.limit > left:
        question = replace(question, limit=left + 1)
    sql = asked(one, question)
    with_reason = _stream(engine, one, sql, day)
    chosen = () if question.count else one.items if question.items is None else question.items
    locked = {name: mask for name, mask in one.sealed.items() if name in chosen}
    schema = pa.schema(
        [pa.field(each.name, pa.string()) if each.name in locked else each for each in with_reason.schema]
    )

    def batches() -> Iterator[pa.RecordBatch]:
        with with_reason:
            yield from _limited(_opened(with_reason, keys, resource, locked, schema), left, still_valid, question.count)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _stream(engine: Engine, one: Granted, sql: str, day: dt.date) -> pa.RecordBatchReader:
    try:
        return engine.stream(sql, one.views, {"as_of": day}, batch_rows=BATCH_ROWS)
    except EngineError as error:
        # What the engine says may name values of rows that are not granted.
        raise _unreadable() from error


def _unreadable() -> ExchangeError:
    return ExchangeError("数据暂时无法读取，请联系数据局", "the data cannot be read at present: ask the data bureau")


def _opened(
    batches: pa.RecordBatchReader, keys: Keys, resource: Resource, locked: Mapping[str, Mask], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """The batches with their sealed items as masked text."""
    while True:
        try:
            batch = batches.read_next_batch()
        except StopIteration:
            return
        except (EngineError, pa.ArrowException) as error:
            raise _unreadable() from error
        columns = [
            _masked(keys, resource, name, locked[name], column) if name in locked else column
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _masked(keys: Keys, resource: Resource, name: str, mask: Mask, column: Any) -> pa.StringArray:
    texts = keys.unseal(seal_context(resource.resource, name), column).cast(pa.string())
    return pa.array([masked(text, mask) for text in texts.to_pylist()], pa.string())


def _limited(
    batches: Iterator[pa.RecordBatch], left: int | None, still_valid: Callable[[], None], free: bool
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        still_valid()
        if left is not None and not free:
            if batch.num_rows > left:
                if left:
                    yield batch.slice(0, left)
                raise ExchangeError(
                    "今日限额已用完，其余数据未提供", "today's quota is used up: the rest was not given"
                )
            left -= batch.num_rows
        yield batch


def verify(
    engine: Engine,
    keys: Keys,
    grant: Grant,
    resource: Resource,
    key: Mapping[str, str],
    where: tuple[Condition, ...],
    day: dt.date,
    *,
    used: int = 0,
) -> bool:
    """Whether a row with this key, within the grant, meets the conditions: yes or no, and nothing else.

    Args:
        key: a canonical value for every key item.

    Raises:
        ExchangeError: as ``check_use`` and ``compute.verified``.
    """
    check_use(grant, resource, "verify", day, used)
    hidden = {name: keys.match_one(text) if _is_sealed(resource, name) else text for name, text in key.items()}
    sql = verified(grant, resource, day, hidden, where)
    try:
        found = engine.query(sql, granted(grant, resource, day).views, {"as_of": day})
    except EngineError as error:
        raise _unreadable() from error
    return bool(found.column("yes")[0].as_py())


def _is_sealed(resource: Resource, name: str) -> bool:
    return name in resource.items and sealed(resource.items[name])
