"""The ready answers of the home that this process serves."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from django.conf import settings

from shutong.pipeline.answers.store import AnswersMissing, AnswerStore

_stores: dict[Path, AnswerStore] = {}


def store() -> AnswerStore:
    """The answers of the served home; the same object for every request, so that its connections are kept.

    Raises:
        AnswersMissing: this process serves no home.
    """
    home: Path | None = settings.SHUTONG_HOME
    if home is None:
        raise AnswersMissing(Path("answers"), "no home is served / 未指定数据之家")
    folder = Path(home) / "answers"
    if folder not in _stores:
        _stores[folder] = AnswerStore(folder)
    return _stores[folder]


def business_day(answers: AnswerStore) -> dt.date:
    """The business day of the run that the answers show: every countdown is relative to it."""
    return dt.date.fromisoformat(answers.derived("meta", AnswerStore.meta)["business_day"])
