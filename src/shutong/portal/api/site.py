"""The interface put together: routers, errors as problem details, the OpenAPI document."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema

from shutong.exchange.refusals import ExchangeError
from shutong.pipeline.answers.store import AnswersMissing

from ..problems import PROBLEM_JSON, problem_of
from . import convert, exchange, public, signed

_logger = logging.getLogger(__name__)

DESCRIPTION = """
Everything the public pages show, as JSON, without signing in; batches, tickets and runs with the session of the site,
and for departments what was granted to them: a POST then needs the header `X-CSRFToken` of the site.

Lists take `limit` (1 to 100) and `offset`. Dates are ISO 8601, amounts yuan. Errors are problem details (RFC 9457).
Persons have no public data here: a personal number is neither searched nor repeated.

与公开页面相同的信息，无需登录；批次、工单和运行使用网站的登录会话。
"""


class Api(NinjaAPI):
    """Ninja with problem details documented as such."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """The document; the content type of every error is corrected."""
        schema = super().get_openapi_schema(**options)
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status, response in operation.get("responses", {}).items():
                    content = response.get("content", {})
                    if int(status) >= 400 and "application/json" in content:
                        response["content"] = {PROBLEM_JSON: content["application/json"]}
        return schema


api = Api(
    title="数通开放接口 Shutong API",
    version="1.0.0",
    description=DESCRIPTION,
    urls_namespace="api",
    docs_url="/docs",
    openapi_url="/openapi.json",
)
api.add_router("", public.router)
api.add_router("", signed.router)
api.add_router("", exchange.router)


def _problem(request: HttpRequest, status: int, code: str, detail: str, **more: Any) -> HttpResponse:
    response = api.create_response(request, problem_of(status, code, detail, **more), status=status)
    response["Content-Type"] = PROBLEM_JSON
    return response


def _on(kind: type[Exception]) -> Callable[[Callable[[HttpRequest, Any], HttpResponse]], Any]:
    return api.exception_handler(kind)


@_on(Http404)
def _missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return _problem(request, 404, "not-found", str(error) or "没有找到 / not found")


@_on(public.SubjectGone)
def _gone(request: HttpRequest, error: public.SubjectGone) -> HttpResponse:
    events = [convert.event(one) for one in error.gone.events]
    successors = [one["subject_id"] for one in error.gone.successors]
    more = {"subject_id": error.gone.subject_id, "events": events, "successors": successors}
    response = _problem(request, 410, "gone", str(error), **more)
    response["Cache-Control"] = "no-cache"
    return response


@_on(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    # The input itself is left out: it may be a personal number.
    errors = [
        {"where": ".".join(map(str, one["loc"])), "problem": one["msg"], "kind": one["type"]} for one in error.errors
    ]
    return _problem(
        request, 422, "invalid-parameters", "参数不符合要求 / a parameter is not as documented", errors=errors
    )


@_on(AuthenticationError)
def _unknown_reader(request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    return _problem(request, 401, "sign-in", "请先在网站登录 / sign in on the site first")


@_on(PermissionDenied)
def _denied(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    return _problem(request, 403, "not-allowed", str(error) or "没有权限 / not allowed")


@_on(ExchangeError)
def _not_granted(request: HttpRequest, error: ExchangeError) -> HttpResponse:
    return _problem(request, 409, "not-granted", str(error))


@_on(HttpError)
def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _problem(request, error.status_code, "request", str(error))


@_on(AnswersMissing)
def _no_answers(request: HttpRequest, error: AnswersMissing) -> HttpResponse:
    return _problem(request, 503, "answers-missing", str(error))


@_on(Exception)
def _failure(request: HttpRequest, error: Exception) -> HttpResponse:
    _logger.error("the interface failed at %s", request.path, exc_info=error)
    return _problem(request, 500, "internal", "系统出错，已经记录 / an error of ours; it was logged")
