"""No sequence of steps ever yields a grant with more than was asked, or than the resource declares."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import random
from typing import Any

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shutong.accounts.actors import NotAllowedError
from shutong.catalog.published import current_catalog
from shutong.exchange import actions, grant_actions
from shutong.exchange.extent import Answer, Extent, check_extent, covers, given
from shutong.exchange.models import Decision, GrantVersion, ShareRequest, SharingGrant
from shutong.exchange.refusals import ExchangeError
from shutong.procedures.cases import StepError
from shutong.spec.loader import load_packs
from tests.exchange.people import CIVIL, CIVIL_2, LAST, MONDAY, OFFICER, OFFICER_2, PACK, TAX, day, wanted

MASKS = ("none", "surname", "middle", "last4", "hide", "address")
ITEMS = ("code", "period", "amount", "contact", "estimate")
METHODS = ("api", "batch", "verify", "stream")
ROWS = (None, "period >= '2026'", "amount > 0", "true", "amount", "code = 'x' OR true")
INCOME = load_packs([PACK]).resources["income"]
DEEP = os.environ.get("SHUTONG_TEST_DEPTH") == "deep"

some_masks = st.dictionaries(st.sampled_from(ITEMS), st.sampled_from(MASKS), max_size=5)
some_methods = st.frozensets(st.sampled_from(METHODS), max_size=4)
some_days = st.dates(MONDAY - dt.timedelta(days=10), LAST + dt.timedelta(days=10))
answers = st.builds(
    Answer,
    without=st.dictionaries(st.sampled_from(ITEMS), st.sampled_from(["某法第一条规定", ""]), max_size=3),
    masks=some_masks,
    rows=st.sampled_from(ROWS),
    methods=st.none() | some_methods,
    starts_on=st.none() | some_days,
    ends_on=st.none() | some_days,
    quota=st.none() | st.integers(-1, 200),
)
extents = st.builds(
    Extent,
    masks=some_masks,
    rows=st.sampled_from(ROWS),
    methods=some_methods,
    starts_on=some_days,
    ends_on=some_days,
    quota=st.none() | st.integers(-1, 200),
)


def assert_within(less: Extent, more: Extent) -> None:
    """All of ``less`` is in ``more``; a narrower row condition is the wider one and something else."""
    assert set(less.masks) <= set(more.masks)
    assert all(covers(mask, more.masks[name]) for name, mask in less.masks.items())
    assert less.methods <= more.methods
    assert more.starts_on <= less.starts_on <= less.ends_on <= more.ends_on
    assert more.quota is None or (less.quota is not None and less.quota <= more.quota)
    if more.rows is not None:
        assert less.rows == more.rows or f"({more.rows}) AND (" in (less.rows or "")


def assert_declared(extent: Extent) -> None:
    assert extent.masks
    assert set(extent.masks) <= set(INCOME.items)
    assert extent.methods
    assert extent.methods <= set(INCOME.share.methods)


@hypothesis_settings(max_examples=2000 if DEEP else 150, deadline=None)
@hypothesis_given(extents, answers, some_days)
def test_an_answer_only_takes_away(asked: Extent, answer: Answer, on: dt.date) -> None:
    try:
        check_extent(asked, INCOME)
        result = given(asked, answer, INCOME, on)
    except ExchangeError as error:
        assert error.zh
        assert error.en
        return
    assert_within(result, asked)
    assert_declared(result)
    assert result.starts_on >= on
    assert not set(result.masks) & set(answer.without)


def test_covering_is_an_order() -> None:
    for one in MASKS:
        assert covers(one, one)
        assert covers("hide", one)
        assert covers(one, "none")
        for other in MASKS:
            assert not (covers(one, other) and covers(other, one)) or one == other
            for third in MASKS:
                assert not (covers(one, other) and covers(other, third)) or covers(one, third)


def _answer(chance: random.Random, request: ShareRequest) -> Answer:
    """Mostly one that may be given, now and then one that reaches beyond what was asked."""
    pick = chance.random
    names = ITEMS if pick() < 0.1 else tuple(request.extent.masks)
    methods = METHODS if pick() < 0.1 else tuple(request.extent.methods)
    return Answer(
        without={name: "某法第一条规定" for name in names if pick() < 0.15},
        masks={name: chance.choice(("hide", *MASKS)) for name in names if pick() < 0.1},
        rows=chance.choice(ROWS) if pick() < 0.3 else None,
        methods=frozenset(name for name in methods if pick() < 0.7) if pick() < 0.3 else None,
        ends_on=day(chance.randrange(200)) if pick() < 0.2 else None,
        quota=chance.randrange(300) if pick() < 0.2 else None,
    )


def _step(chance: random.Random, on: dt.date) -> None:
    """Somebody does something somewhere, sensible or not."""
    requests, grants = list(ShareRequest.objects.all()), list(SharingGrant.objects.all())
    who = chance.choice([CIVIL, CIVIL_2, TAX, TAX, OFFICER, OFFICER_2])
    words = "某法第一条规定"
    if not requests or chance.random() < 0.15:
        items = tuple(name for name in ITEMS if chance.random() < 0.6)
        keys: dict[str, Any] = {
            "items": items,
            "masks": {name: chance.choice(MASKS) for name in items if chance.random() < 0.3},
            "methods": frozenset(name for name in METHODS[:3] if chance.random() < 0.7),
            "rows": chance.choice(ROWS[:4]),
            "starts_on": on,
            "quota": chance.choice([None, 100]),
        }
        actions.ask_for_data("civil-affairs", wanted(**keys), on, acting=CIVIL)
        return
    if grants and chance.random() < 0.3:
        grant = chance.choice(grants)
        if chance.random() < 0.5:
            grant_actions.renew_grant(grant, LAST + dt.timedelta(days=chance.randrange(60)), words, on, acting=CIVIL)
        else:
            verb = chance.choice(
                [grant_actions.suspend_grant, grant_actions.resume_grant, grant_actions.withdraw_grant]
            )
            verb(grant, words, on, acting=who)
        return
    open_ = [one for one in requests if not one.outcome]
    request = chance.choice(open_ if open_ and chance.random() < 0.7 else requests)
    bureau = who if chance.random() < 0.3 else chance.choice([OFFICER, OFFICER_2])
    owner = who if chance.random() < 0.3 else TAX
    verbs: list[Any] = [
        lambda: actions.agree(request, on, answer=_answer(chance, request), acting=owner),
        lambda: actions.agree(request, on, answer=_answer(chance, request), acting=TAX),
        lambda: actions.confirm_review(request, on, answer=_answer(chance, request), acting=bureau),
        lambda: actions.refuse(request, words, on, acting=owner),
        lambda: actions.reject_review(request, words, on, acting=bureau),
        lambda: actions.dispute(request, words, on, acting=CIVIL),
        lambda: actions.overturn(request, words, on, answer=_answer(chance, request), acting=bureau),
        lambda: actions.uphold(request, words, on, acting=bureau),
        lambda: actions.ask_for_material(request, words, on, acting=owner),
        lambda: actions.give_material(request, words, on, acting=CIVIL),
        lambda: actions.cancel_request(request, words, on, acting=CIVIL_2),
        lambda: actions.confirm_ready(request, on, acting=owner),
    ]
    # What gives is tried as often as everything else together.
    chance.choice([*verbs[:3] * 3, *verbs])()


@pytest.mark.parametrize("seed", range(40 if DEEP else 4))
@pytest.mark.usefixtures("catalog")
def test_no_sequence_of_steps_gives_more_than_was_asked_or_declared(seed: int) -> None:
    chance = random.Random(seed)
    for number in range(200):
        with contextlib.suppress(ExchangeError, StepError, NotAllowedError):
            _step(chance, day(number // 6))
    versions = list(GrantVersion.objects.select_related("grant", "request"))
    assert len(versions) > 3, "the steps led somewhere"
    assert current_catalog().resources["income"] == INCOME
    for version in versions:
        assert_within(version.extent, version.request.extent)
        assert_declared(version.extent)
        deciders = set(version.request.decisions.filter(gives=True).values_list("side", flat=True))
        core = "estimate" in version.extent.masks or version.extent.masks.get("contact", "hide") not in (
            "hide",
            "middle",
        )
        assert deciders & {"owner", "bureau"}
        assert not core or Decision.Side.BUREAU in deciders, "core and bare sensitive items never by the owner alone"
    for grant in SharingGrant.objects.all():
        ordered = list(grant.versions.all())
        assert [one.number for one in ordered] == list(range(1, len(ordered) + 1))
        assert [one.on for one in ordered] == sorted(one.on for one in ordered)
        ended = [one.number for one in ordered if one.state == "withdrawn"]
        assert ended in ([], [len(ordered)]), "nothing comes after a withdrawal"
        assert grant.case is not None
        assert grant.case.state == ordered[-1].state
