"""Jobs of the tests; the queue refers to them by their path."""

from __future__ import annotations

import time

from shutong.accounts.actions import create_account
from shutong.accounts.actors import SYSTEM
from shutong.jobs.work import job

calls: list[str] = []


@job
def remember(word: str) -> str:
    """Notes the word."""
    calls.append(word)
    return word


@job
def stumble(word: str) -> None:
    """Fails in a way that may pass by itself."""
    calls.append(word)
    raise ConnectionError(f"no line to {word}")


@job
def fall(word: str) -> None:
    """Fails for good; its message quotes what must not be stored."""
    calls.append(word)
    raise ValueError(f"bad value {word}")


@job
def make_account(number: int) -> None:
    """Writes something that a second run would find there already."""
    time.sleep(0.01)
    create_account(f"job-{number}", None, acting=SYSTEM)
