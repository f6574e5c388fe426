"""What every page has: the site's name, the reader, the ways into the signed-in part, the business day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shutong.accounts.actors import NOBODY, Actor
from shutong.accounts.permissions import ROLES
from shutong.accounts.signin import actor_from
from shutong.catalog.actions import current_catalog
from shutong.pipeline.answers.slips import code_key, is_personal_number
from shutong.pipeline.answers.store import AnswersMissing

from ..answers import business_day, store
from ..assets import static_version
from ..metadata import localised

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


@dataclass(frozen=True)
class Link:
    """A way into the signed-in part; pages under ``also`` belong to it too."""

    title: str
    href: str
    also: tuple[str, ...] = ()


def reader(request: HttpRequest) -> Actor | None:
    """Who is signed in, as an actor; None for the public."""
    known: Actor | None = getattr(request, "_actor", None)
    if known is None:
        known = actor_from(request)
        request._actor = known  # type: ignore[attr-defined]
    return None if known is NOBODY else known


def work_links(actor: Actor | None) -> list[Link]:
    """The signed-in part's pages that the reader may open."""
    if actor is None:
        return []
    links = []
    if actor.department and actor.may("collect.read", actor.department):
        links.append(Link(_("本部门"), reverse("department", args=[actor.department]), ("/batches", "/tickets")))
    if actor.may("exchange.read", actor.department or None):
        links.append(Link(_("共享"), reverse("sharing")))
    if actor.may("pipeline.read"):
        also = () if actor.department else ("/departments", "/batches", "/tickets")
        links.append(Link(_("运行"), reverse("operations"), also))
    if actor.may("catalog.figures"):
        links.append(Link(_("部门指标"), reverse("figures")))
    if actor.may("subjects.review"):
        links.append(Link(_("核对"), reverse("review")))
    if actor.may("audit.read"):
        links.append(Link(_("审计"), reverse("audit")))
    return links


def page(request: HttpRequest, template: str, http_status: int = 200, **context: Any) -> HttpResponse:
    """A page with the frame around it.

    Args:
        template: name below ``portal/``.
        http_status: status of the answer.
        context: what the template shows; ``answers``-dependent frame values are left out when there are no answers.
    """
    actor = reader(request)
    frame = {
        "site_name": localised(settings.SHUTONG_SITE_NAME),
        "demo": settings.SHUTONG_DEMO,
        "version": static_version(),
        "actor": actor,
        "actor_name": _name_of(actor),
        "actor_department": _department_of(actor),
        "other_departments": _other_departments(request, actor),
        "work_links": work_links(actor),
        "business_day": _day_or_none(),
        "here": request.path if _asks_personal(request) else request.get_full_path(),
    }
    return render(request, f"portal/{template}", {**frame, **context}, status=http_status)


def _name_of(actor: Actor | None) -> str:
    """What somebody is called; an account that only has its role for a name is called by it in the reader's language."""
    if actor is None:
        return ""
    english = (get_language() or "").startswith("en")
    called = {role.title_zh: role.title_en for role in ROLES.values()} if english else {}
    return called.get(actor.name, actor.name)


def _department_of(actor: Actor | None) -> str:
    """Title of the department that somebody acts for."""
    if actor is None or not actor.department:
        return ""
    department = current_catalog().departments.get(actor.department)
    return localised({"zh": department.title.zh, "en": department.title.en}) if department else actor.department


def _other_departments(request: HttpRequest, actor: Actor | None) -> list[tuple[str, str]]:
    """The departments that somebody could act for instead: name and title."""
    if actor is None or not actor.department:
        return []
    memberships = request.user.memberships  # type: ignore[union-attr]
    names = memberships.exclude(department__in=("", actor.department)).values_list("department", flat=True).distinct()
    known = current_catalog().departments
    return [
        (name, localised({"zh": known[name].title.zh, "en": known[name].title.en}) if name in known else name)
        for name in sorted(names)
    ]


def roles_with(permission: str) -> str:
    """The roles that have a permission, as the reader's language calls them."""
    english = (get_language() or "").startswith("en")
    having = [role for name, role in ROLES.items() if permission in role.permissions and name != "system"]
    return str(_("、")).join(role.title_en if english else role.title_zh for role in having)


def _asks_personal(request: HttpRequest) -> bool:
    return any(is_personal_number(code_key(value)) for values in request.GET.lists() for value in values[1])


def text_parameter(request: HttpRequest, name: str) -> str:
    """A text of the query string, at most 100 characters; empty where it is a personal number, which is not repeated."""
    text = request.GET.get(name, "")[:100]
    return "" if is_personal_number(code_key(text)) else text


def _day_or_none() -> dt.date | None:
    try:
        return business_day(store())
    except (AnswersMissing, KeyError):
        return None


def signed_in(permission: str) -> Callable[[View[P]], View[P]]:
    """Only for people with a permission: others sign in first, or get page 403.

    The view checks the department itself where the permission has a scope; here it is enough to have it somewhere.
    """

    def wrap(view: View[P]) -> View[P]:
        @wraps(view)
        def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            actor = reader(request)
            if actor is None:
                return redirect_to_login(request.get_full_path(), reverse("sign-in"))
            if not actor.may(permission, actor.department or None):
                raise PermissionDenied(_("打开这一页需要的角色：%(roles)s。") % {"roles": roles_with(permission)})
            return view(request, *args, **kwargs)

        return checked

    return wrap


def day_parameter(request: HttpRequest, name: str) -> dt.date | None:
    """A date of the query string; None where it is missing or no date."""
    try:
        return dt.date.fromisoformat(request.GET.get(name, ""))
    except ValueError:
        return None


def page_parameter(request: HttpRequest) -> int:
    """The page number of the query string, at least 1 and at most 1,000."""
    text = request.GET.get("page", "1")
    return min(max(int(text), 1), 1000) if text.isascii() and text.isdigit() and len(text) < 6 else 1
