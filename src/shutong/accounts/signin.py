"""Signing in and out: one form, a lock after repeated failures, and an entry for each in the audit log."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import cast

from django import forms
from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from shutong.accounts.actors import NOBODY, Actor, actor_of
from shutong.accounts.models import SignInFailure, User
from shutong.audit import reads
from shutong.audit.chain import Outcome, Record

MAX_FAILURES = 5
LOCK = timedelta(minutes=15)
FORGET = timedelta(hours=24)

DEPARTMENT_KEY = "department"
"""Session key of the department a person with several acts for."""


class SignInForm(forms.Form):
    """User name and password. ``clean`` signs nobody in; ``sign_in`` does."""

    username = forms.CharField(
        label=_("用户名"),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("密码"),
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class SignInError(Exception):
    """Nobody was signed in. The text does not tell whether the user name exists."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en


class LockedError(SignInError):
    """Too many failures in a row from this address under this name."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        minutes = max(1, round((until - datetime.now(UTC)).total_seconds() / 60))
        super().__init__(
            f"登录失败次数过多，请 {minutes} 分钟后再试",
            f"too many failed sign-ins; try again in {minutes} minutes",
        )


def sign_in(request: HttpRequest, username: str, password: str) -> Actor:
    """Signs a person in and returns whom the person acts as.

    Raises:
        LockedError: the name is locked for this address; the password was not looked at.
        SignInError: wrong name or password, or a demo account outside a demo home.
    """
    who, address = _who(username), client_address(request)
    _refuse_locked(who, address)
    user = authenticate(request, username=username, password=password)
    if not isinstance(user, User) or (user.demo and not settings.SHUTONG_DEMO):
        _count_failure(who, address)
        _note("accounts.sign_in", "denied", NOBODY)
        raise SignInError("用户名或密码不正确", "wrong user name or password")
    SignInFailure.objects.filter(who=who, address=address).delete()
    login(request, user)
    actor = actor_of(user)
    _note("accounts.sign_in", "done", actor)
    return actor


def sign_out(request: HttpRequest) -> None:
    """Ends the session; nothing happens for somebody who was not signed in."""
    actor = actor_from(request)
    if actor is not NOBODY:
        _note("accounts.sign_out", "done", actor)
    logout(request)


def actor_from(request: HttpRequest) -> Actor:
    """Whom a request acts as: the signed-in person in the chosen department, or ``NOBODY``."""
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not user.is_active or (user.demo and not settings.SHUTONG_DEMO):
        return NOBODY
    return actor_of(user, request.session.get(DEPARTMENT_KEY))


def choose_department(request: HttpRequest, department: str) -> Actor:
    """Acts for another of one's own departments from now on; a foreign one changes nothing."""
    actor = actor_of(cast("User", request.user), department)
    if actor.department == department:
        request.session[DEPARTMENT_KEY] = department
    return actor_from(request)


def client_address(request: HttpRequest) -> str:
    """The address a request came from. Behind a proxy it is the proxy's: the lock then counts per user name."""
    return str(request.META.get("REMOTE_ADDR", ""))[:45]


def _who(username: str) -> str:
    # A password typed into the wrong field must not end up readable in a table.
    return hashlib.sha256(f"{settings.SECRET_KEY}\n{username.strip().lower()}".encode()).hexdigest()


def _refuse_locked(who: str, address: str) -> None:
    row = SignInFailure.objects.filter(who=who, address=address).first()
    if row and row.locked_until and row.locked_until > datetime.now(UTC):
        _note("accounts.sign_in", "denied", NOBODY)
        raise LockedError(row.locked_until)


def _count_failure(who: str, address: str) -> None:
    now = datetime.now(UTC)
    with transaction.atomic():
        SignInFailure.objects.filter(last_at__lt=now - FORGET).delete()
        SignInFailure.objects.get_or_create(who=who, address=address, defaults={"last_at": now})
        row = SignInFailure.objects.select_for_update().get(who=who, address=address)
        row.count += 1
        row.last_at = now
        if row.count >= MAX_FAILURES:
            row.locked_until = now + LOCK
            row.count = 0
        row.save()


def _note(what: str, outcome: Outcome, actor: Actor) -> None:
    reads.note(Record(what, outcome, actor.values()))
