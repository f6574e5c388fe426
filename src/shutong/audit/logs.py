"""Log lines as JSON, with the run and the batch they belong to and no item values."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

_context: ContextVar[Mapping[str, str]] = ContextVar("shutong_log_context", default=MappingProxyType({}))

FIELDS = ("run", "batch", "request", "stage", "resource", "job", "seconds", "rows")
"""Extra fields that a log call may carry (``extra={"batch": …}``); others are dropped, lest a value slips in."""


@contextlib.contextmanager
def log_context(**ids: str) -> Iterator[None]:
    """Adds ids (run, batch, request, ...) to every log line of the block, nested blocks adding to outer ones."""
    token = _context.set({**_context.get(), **{key: value for key, value in ids.items() if key in FIELDS}})
    try:
        yield
    finally:
        _context.reset(token)


def current_context() -> Mapping[str, str]:
    """The ids of the enclosing ``log_context`` blocks."""
    return _context.get()


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at (UTC), level, logger, message, the context's ids and the error's type and place."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of ``record``."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_context.get(),
        }
        line.update({key: record.__dict__[key] for key in FIELDS if key in record.__dict__})
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            # The text of an exception may quote a delivered value; its place in the code never does.
            line["traceback"] = _places(record.exc_info[2])
        return json.dumps(line, ensure_ascii=False, default=str)


def error_places(error: BaseException) -> list[str]:
    """Where ``error`` passed through, outermost first, without its text: "file:line function"."""
    return _places(error.__traceback__)


def _places(traceback: Any) -> list[str]:
    places = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        places.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return places
