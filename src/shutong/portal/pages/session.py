"""Signing in and out, and choosing the department one acts for."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from shutong.accounts.actors import Actor
from shutong.accounts.signin import SignInError, SignInForm, choose_department
from shutong.accounts.signin import sign_in as sign_in_person
from shutong.accounts.signin import sign_out as sign_out_person

from ..components import Field
from .frame import page, work_links


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return ""


def _start_of(actor: Actor) -> str:
    links = work_links(actor)
    return links[0].href if links else reverse("home")


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse | HttpResponseRedirect:
    """The sign-in form; afterwards the page one came from, or one's own first page."""
    error, form = "", SignInForm(request.POST or None)
    if request.method == "POST":
        if form.is_valid():
            try:
                actor = sign_in_person(request, form.cleaned_data["username"], form.cleaned_data["password"])
                return HttpResponseRedirect(_next(request) or _start_of(actor))
            except SignInError as problem:
                error = problem.en if (get_language() or "").startswith("en") else problem.zh
        else:
            error = _("请填写用户名和密码。")
    fields = [
        Field("username", _("用户名"), value=request.POST.get("username", ""), required=True, autocomplete="username"),
        Field("password", _("密码"), "password", required=True, autocomplete="current-password"),
        Field("next", "", "hidden", _next(request)),
    ]
    return page(request, "sign_in.html", 403 if error else 200, fields=fields, error=error)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponseRedirect:
    """End the session."""
    sign_out_person(request)
    return HttpResponseRedirect(reverse("home"))


@require_POST
def act_for(request: HttpRequest) -> HttpResponseRedirect:
    """Act for another of one's own departments."""
    if request.user.is_authenticated:
        actor = choose_department(request, request.POST.get("department", ""))
        return HttpResponseRedirect(_start_of(actor))
    return HttpResponseRedirect(reverse("sign-in"))
