"""Signing in: the right password signs in, wrong ones lock, demo accounts work in a demo only."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import RequestFactory
from pytest_django import Settings

from shutong.accounts.actions import (
    AccountError,
    change_password,
    create_account,
    deactivate_account,
    give_role,
    reset_password,
    take_role,
)
from shutong.accounts.actors import NOBODY, SYSTEM, Actor, NotAllowedError, actor_of
from shutong.accounts.demo import SIGN_INS, NotADemoError, create_demo_accounts
from shutong.accounts.models import SignInFailure, User
from shutong.accounts.permissions import ROLES
from shutong.accounts.signin import (
    MAX_FAILURES,
    LockedError,
    SignInError,
    actor_from,
    choose_department,
    sign_in,
    sign_out,
)
from shutong.engine.home import Home

pytestmark = pytest.mark.django_db


def request(address: str = "10.0.0.1") -> HttpRequest:
    made = RequestFactory().post("/sign-in", REMOTE_ADDR=address)
    made.session = SessionStore()
    made.user = AnonymousUser()
    return made


@pytest.fixture
def user(home: Home) -> User:
    made = create_account("li", "correct horse", name="李", acting=SYSTEM)
    give_role(made, "steward", "tax", acting=SYSTEM)
    give_role(made, "steward", "customs", acting=SYSTEM)
    return made


def test_the_right_password_signs_in_and_out(user: User) -> None:
    made = request()
    actor = sign_in(made, "li", "correct horse")
    assert (actor.id, actor.department, actor.roles) == (f"u{user.pk}", "customs", frozenset({"steward"}))
    assert actor_from(made) == actor
    assert choose_department(made, "tax").department == "tax"
    assert choose_department(made, "police").department == "tax"
    sign_out(made)
    assert actor_from(made) is NOBODY


def test_wrong_passwords_lock_the_name_for_that_address_only(user: User) -> None:
    for _ in range(MAX_FAILURES):
        with pytest.raises(SignInError, match="不正确"):
            sign_in(request(), "li", "wrong")
    with pytest.raises(LockedError):
        sign_in(request(), "li", "correct horse")
    assert sign_in(request("10.0.0.2"), "li", "correct horse")
    SignInFailure.objects.update(locked_until=datetime.now(UTC) - timedelta(seconds=1))
    assert sign_in(request(), "LI".lower(), "correct horse")
    assert not SignInFailure.objects.filter(address="10.0.0.1").exists()


def test_an_unknown_name_answers_like_a_wrong_password_and_is_not_stored(user: User) -> None:
    with pytest.raises(SignInError) as unknown:
        sign_in(request(), "my-password-by-mistake", "x")
    with pytest.raises(SignInError) as wrong:
        sign_in(request(), "li", "x")
    assert str(unknown.value) == str(wrong.value)
    assert "my-password" not in str(list(SignInFailure.objects.values()))


def test_the_log_holds_sign_ins_without_names(user: User, home: Home) -> None:
    sign_in(request(), "li", "correct horse")
    with pytest.raises(SignInError):
        sign_in(request(), "li", "wrong")
    [segment] = (home.path / "audit").glob("*.log")
    text = segment.read_text("utf-8")
    assert text.count("accounts.sign_in") == 2
    assert "李" not in text


def test_a_deactivated_account_is_nobody(user: User) -> None:
    made = request()
    sign_in(made, "li", "correct horse")
    deactivate_account(user, acting=SYSTEM)
    made.user.refresh_from_db()
    assert actor_from(made) is NOBODY
    assert actor_of(user).roles == frozenset()
    with pytest.raises(SignInError):
        sign_in(request(), "li", "correct horse")


def test_demo_accounts_exist_in_a_demo_only(home: Home, settings: Settings) -> None:
    with pytest.raises(NotADemoError):
        create_demo_accounts(home, ["tax"])
    home.change_setting("demo", True)
    made = create_demo_accounts(home, ["tax", "customs"])
    assert {role for _, _, role in made} == set(ROLES) - {"system"}
    assert [name for name, _, role in made if role == "steward"] == ["steward-tax", "steward-customs"]
    again = create_demo_accounts(home, ["tax", "customs"])
    assert again == made
    assert User.objects.count() == len(made)
    # One that somebody changed meanwhile is made new, the others stay.
    reset_password(User.objects.get(username=made[0][0]), "correct horse battery", acting=SYSTEM)
    again = create_demo_accounts(home, ["tax", "customs"])
    assert again[0] != made[0] and again[1:] == made[1:]
    assert stat.S_IMODE((home.path / "keys" / SIGN_INS).stat().st_mode) == 0o600
    name, password, role = again[0]
    settings.SHUTONG_DEMO = True
    signed_in = request()
    assert role in sign_in(signed_in, name, password).roles
    assert role in actor_from(signed_in).roles
    # The same database served as a real home: the sign-in and even its open session are worth nothing.
    settings.SHUTONG_DEMO = False
    assert actor_from(signed_in) is NOBODY
    assert actor_of(User.objects.get(username=name)).roles == frozenset()
    with pytest.raises(SignInError):
        sign_in(request(), name, password)


def test_roles_are_given_with_their_department_and_taken(user: User) -> None:
    for role, department in (("steward", ""), ("auditor", "tax"), ("system", ""), ("boss", "")):
        with pytest.raises(AccountError):
            give_role(user, role, department, acting=SYSTEM)
    take_role(user, "steward", "customs", acting=SYSTEM)
    assert actor_of(user).department == "tax"


def test_nobody_gives_himself_a_role_and_administrators_are_separate(user: User) -> None:
    security = Actor(f"u{user.pk}", "", "", frozenset({"security-admin"}))
    with pytest.raises(AccountError, match="自己"):
        give_role(user, "auditor", acting=security)
    with pytest.raises(NotAllowedError):
        create_account("new", None, acting=security)
    with pytest.raises(NotAllowedError):
        give_role(user, "auditor", acting=Actor("u99", "", "", frozenset({"system-admin"})))


def test_only_ones_own_password_can_be_changed(user: User) -> None:
    change_password(user, "another long one", acting=actor_of(user))
    assert sign_in(request(), "li", "another long one")
    with pytest.raises(AccountError):
        change_password(user, "x", acting=Actor("u99", "", "tax", frozenset({"steward"})))


def test_a_taken_user_name_is_refused(user: User) -> None:
    with pytest.raises(AccountError, match="已存在"):
        create_account("li", None, acting=SYSTEM)
