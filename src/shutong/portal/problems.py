"""Errors of the JSON API as problem details (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

PROBLEM_JSON = "application/problem+json"


def problem_of(status: int, code: str, detail: str, **more: Any) -> dict[str, Any]:
    """A problem: ``type`` is a stable name below this site, ``detail`` what was wrong and what to do (zh, then en)."""
    return {"type": f"/api#{code}", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
