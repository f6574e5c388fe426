"""Around every request: how long it took, anonymous views counted, and a page instead of an error before the first run."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

from shutong.audit.counts import pages
from shutong.pipeline.answers.store import AnswersMissing

from .measures import REQUESTS, SECONDS
from .pages.service import not_ready
from .problems import PROBLEM_JSON, problem_of

_QUIET = {"healthz", "readyz", "metrics", "vega"}
"""Asked by machines: measured, but no page views."""


class Observe:
    """Measures requests by the name of their address pattern; a path with a subject's id never becomes a label."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, measure, count."""
        started = time.perf_counter()
        response = _as_problem(request, self.get_response(request))
        match = request.resolver_match
        name = (match.url_name or "other") if match else "none"
        SECONDS.labels(name).observe(time.perf_counter() - started)
        REQUESTS.labels(name, str(response.status_code)).inc()
        if response.status_code == 200 and name not in _QUIET and match is not None:
            pages.count(name)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Before the first run there is nothing to show, and the page says so."""
        if not isinstance(exception, AnswersMissing):
            return None
        if request.path.startswith("/api/"):
            return JsonResponse(
                problem_of(503, "answers-missing", str(exception)), status=503, content_type=PROBLEM_JSON
            )
        return not_ready(request, exception)


def _as_problem(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """What the interface refuses before any of its own code runs (a method that an address does not take), as a problem."""
    if response.status_code != 405 or not request.path.startswith("/api/"):
        return response
    allowed = response.get("Allow", "")
    detail = f"此地址只接受 {allowed} / this address takes {allowed} only"
    problem = JsonResponse(problem_of(405, "method", detail), status=405, content_type=PROBLEM_JSON)
    problem["Allow"] = allowed
    return problem
