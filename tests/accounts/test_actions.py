"""The action wrapper: one transaction, one permission check, one audit entry, events on commit."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

import shutong
from shutong.accounts.actions import action, action_info, create_account, note, send
from shutong.accounts.actors import NOBODY, SYSTEM, Actor, NotAllowedError, actor_of
from shutong.accounts.models import Membership, User
from shutong.accounts.permissions import PERMISSIONS, ROLES
from shutong.audit.models import Entry
from shutong.jobs.models import Event

pytestmark = pytest.mark.django_db


@action(permission="quality.answer", department="ticket.department", audited=("ticket.id", "reason"))
def give_up(ticket: SimpleNamespace, reason: str, *, fail: bool = False, acting: Actor) -> str:
    """A verb of a test: makes a user row so that a rollback can be seen."""
    User.objects.create_user(f"row-{ticket.id}", None)
    note("t1", rows=3)
    send("quality.ticket_given_up", ticket=ticket.id)
    if fail:
        raise ValueError("no")
    return "given up"


@action(permission="quality.answer")
def outer(ticket: SimpleNamespace, *, swallow: bool = False, acting: Actor) -> None:
    """Calls another action inside its own transaction."""
    try:
        give_up(ticket, "x", fail=swallow, acting=acting)
    except ValueError:
        note(swallowed=True)


TICKET = SimpleNamespace(id="t1", department="market-supervision")


def test_one_entry_with_actor_objects_and_detail(steward: Actor) -> None:
    assert give_up(TICKET, "unreadable", acting=steward) == "given up"
    body = json.loads(Entry.objects.get().body)
    assert body["action"].endswith(".give_up")
    assert body["actor"] == {"id": "u-steward", "department": "market-supervision", "roles": ["steward"]}
    assert body["objects"] == ["t1"]
    assert body["detail"] == {"ticket.id": "t1", "reason": "unreadable", "rows": 3}
    assert Event.objects.get().payload == {"ticket": "t1"}


def test_a_failure_leaves_neither_rows_nor_entry_nor_event(steward: Actor) -> None:
    with pytest.raises(ValueError, match="no"):
        give_up(TICKET, "x", fail=True, acting=steward)
    assert not User.objects.exists()
    assert not Entry.objects.exists()
    assert not Event.objects.exists()


def test_another_department_is_refused(steward: Actor) -> None:
    other = SimpleNamespace(id="t2", department="tax")
    with pytest.raises(NotAllowedError, match="quality"):
        give_up(other, "x", acting=steward)
    assert not User.objects.exists()


@pytest.mark.parametrize("actor", [NOBODY, Actor("u9", "x", "market-supervision", frozenset({"auditor"}))])
def test_without_the_role_nothing_is_allowed(actor: Actor) -> None:
    with pytest.raises(NotAllowedError):
        give_up(TICKET, "x", acting=actor)


def test_an_own_scope_is_refused_where_the_action_names_no_department(steward: Actor) -> None:
    with pytest.raises(NotAllowedError):
        outer(TICKET, acting=steward)


def test_nested_actions_write_an_entry_each_in_one_transaction() -> None:
    outer(TICKET, acting=SYSTEM)
    names = [entry.action.split(".")[-1] for entry in Entry.objects.all()]
    assert names == ["give_up", "outer"]


def test_an_inner_failure_that_is_swallowed_leaves_only_the_outer_entry() -> None:
    outer(TICKET, swallow=True, acting=SYSTEM)
    assert [json.loads(entry.body)["detail"] for entry in Entry.objects.all()] == [{"swallowed": True}]
    assert not User.objects.exists()


def test_declaration_mistakes_are_found_at_import() -> None:
    with pytest.raises(ValueError, match="unknown permission"):
        action(permission="quality.anser")
    with pytest.raises(ValueError, match="acting"):
        action(permission="quality.answer")(lambda ticket: ticket)
    with pytest.raises(ValueError, match="does not begin"):

        @action(permission="quality.answer", audited=("tocket.id",))
        def verb(ticket: str, *, acting: Actor) -> None: ...


# Not verbs themselves: they only call actions, each of which is its own transaction.
COMPOSED = {"rules.reconcile_listings"}


def test_every_function_of_every_actions_module_is_an_action() -> None:
    bare = set()
    for path in sorted(Path(shutong.__file__).parent.glob("*/actions.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
                called = [one.func for one in node.decorator_list if isinstance(one, ast.Call)]
                if "action" not in [one.id for one in called if isinstance(one, ast.Name)]:
                    bare.add(f"{path.parent.name}.{node.name}")
    assert bare - COMPOSED == set(), "decorate with @action, or move what only calls actions to another module"


def test_the_wrapper_tells_what_it_guards() -> None:
    info = action_info(create_account)
    assert info is not None
    assert (info.name, info.permission) == ("accounts.create_account", "accounts.create")


def test_roles_name_known_permissions_only() -> None:
    for role in ROLES.values():
        assert set(role.permissions) <= set(PERMISSIONS)


def test_the_platform_role_cannot_be_given(db: None) -> None:
    user = User.objects.create_user("mallory", None)
    Membership.objects.create(user=user, role="system")
    assert actor_of(user).roles == frozenset()
