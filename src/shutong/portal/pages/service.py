"""What machines ask of the site: whether it lives, whether it is ready, and how it does; and its error pages."""

from __future__ import annotations

import logging

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shutong.pipeline.answers.store import AnswersMissing

from ..answers import store
from ..measures import exposition
from ..problems import PROBLEM_JSON, problem_of
from .frame import page

_logger = logging.getLogger(__name__)


@never_cache
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """The process can serve: the state database and the ready answers can be read. 503 names what cannot."""
    checks = {"state": "ok", "answers": "ok"}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        checks["state"] = "unreachable"
    try:
        store().meta()
    except AnswersMissing as problem:
        checks["answers"] = problem.reason
    ready = all(value == "ok" for value in checks.values())
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


@never_cache
@require_safe
def metrics(_request: HttpRequest) -> HttpResponse:
    """Figures in the format of Prometheus."""
    content, kind = exposition()
    return HttpResponse(content, content_type=kind)


def _for_program(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse | None:
    """Problem details for addresses below ``/api/``; None for pages, which people read."""
    if not request.path.startswith("/api/"):
        return None
    return JsonResponse(problem_of(status, code, detail), status=status, content_type=PROBLEM_JSON)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Page 404; the exception's text where we raised it ourselves."""
    answer = _for_program(request, 404, "not-found", "接口中没有这一地址 / the interface has no such address")
    if answer is not None:
        return answer
    own = str(exception) if exception.args and isinstance(exception.args[0], str) else ""
    return page(
        request, "error.html", 404, code=404, title=_("没有这一页"),
        text=own or _("地址可能有误，或内容已经移走。"), hint=_("可以从查询开始，或回到首页。"),
    )  # fmt: skip


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Page 403."""
    return page(
        request, "error.html", 403, code=403, title=_("没有权限"),
        text=str(exception) or _("您的角色不能打开这一页。"), hint=_("需要时请联系安全管理员授权，或换一个账号登录。"),
    )  # fmt: skip


def failed(request: HttpRequest) -> HttpResponse:
    """Page 500; drawn without the database where that is what failed."""
    answer = _for_program(request, 500, "internal", "系统出错，已经记录 / an error of ours; it was logged")
    if answer is not None:
        return answer
    try:
        return page(
            request, "error.html", 500, code=500, title=_("系统出错"),
            text=_("这不是您的操作造成的，错误已经记录。"), hint=_("请稍后再试；如果一直如此，请告诉运维人员发生的时刻。"),
        )  # fmt: skip
    except Exception:
        _logger.exception("the error page failed too")
        return HttpResponse("系统出错 / Internal error\n", status=500, content_type="text/plain; charset=utf-8")


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Page 403 for a form that was too old or came from elsewhere."""
    _logger.warning("csrf check failed: %s", reason)
    return page(
        request, "error.html", 403, code=403, title=_("表单已过期"),
        text=_("页面打开太久，或表单不是从本站发出的。"), hint=_("请返回上一页，刷新后重试。"),
    )  # fmt: skip


def not_ready(request: HttpRequest, problem: AnswersMissing) -> HttpResponse:
    """Page 503 while there are no ready answers."""
    _logger.warning("no ready answers: %s", problem.reason)
    return page(
        request, "error.html", 503, code=503, title=_("数据尚未准备好"),
        text=_("平台还没有完成第一次运行，暂时没有可查的内容。"), hint=_("运维人员请运行 shutong run，或在运行页面点“立即运行”。"),
    )  # fmt: skip
