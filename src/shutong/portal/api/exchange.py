"""Grants and what they give, for the receiving department's people (and, once they can sign in, its programs)."""

from __future__ import annotations

from typing import Annotated, Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from ninja import Path, Router, Schema
from ninja.utils import check_csrf
from pydantic import ConfigDict, Field

from shutong.accounts.actors import Actor, NotAllowedError
from shutong.engine.engine import engine_of
from shutong.engine.keys import Keys
from shutong.exchange.deliveries import take_answer, take_page
from shutong.exchange.grants import grants_in_force, read_grant
from shutong.exchange.models import SharingGrant
from shutong.exchange.question import MOST_CONDITIONS, MOST_ROWS, MOST_TEXT, Condition, Operator, Question
from shutong.exchange.refusals import ExchangeError
from shutong.pipeline.jobs import the_home

from ..pages.frame import reader
from . import schemas
from .signed import ERRORS, session


def own_session(request: HttpRequest) -> Actor | None:
    """The signed-in person; a page of another site cannot take data in their name."""
    if request.method != "GET" and check_csrf(request) is not None:
        raise PermissionDenied("缺少 X-CSRFToken / the header X-CSRFToken is missing or wrong")
    return session(request)


router = Router(tags=["sharing"], auth=own_session)

_Number = Annotated[int, Path(ge=1, le=2_000_000_000)]
_Name = Annotated[str, Field(max_length=64)]
_Text = Annotated[str, Field(max_length=MOST_TEXT)]


class Strict(Schema):
    """A body that takes no keys it does not know."""

    model_config = ConfigDict(extra="forbid")


class ConditionIn(Strict):
    """A condition on one granted item; it sees the value as the grant shows it."""

    item: _Name
    operator: Operator
    value: _Text = ""


class OrderIn(Strict):
    """An item to order by."""

    item: _Name
    descending: bool = False


class QuestionIn(Strict):
    """A page of rows: all conditions hold; ``after`` is the record id that the page before ended with."""

    items: list[_Name] | None = Field(default=None, max_length=200)
    where: list[ConditionIn] = Field(default=[], max_length=MOST_CONDITIONS)
    order: list[OrderIn] = Field(default=[], max_length=MOST_CONDITIONS)
    after: _Text = ""
    limit: int = Field(default=100, ge=1, le=MOST_ROWS)
    count: bool = False


class VerificationIn(Strict):
    """A value for every key item, and the conditions that are to be verified."""

    key: dict[_Name, _Text]
    where: list[ConditionIn] = Field(min_length=1, max_length=MOST_CONDITIONS)


class GrantOut(Schema):
    """A grant in force: what it gives, for what, and until when."""

    id: int
    resource: str
    items: list[str]
    masks: dict[str, str]
    rows: str | None
    methods: list[str]
    purpose: str
    starts_on: str
    ends_on: str
    quota: int | None


class RowsOut(Schema):
    """Rows under a grant; ``receipt`` is the signed text, whose ``digest`` is of these rows."""

    rows: list[dict[str, Any]]
    more: bool
    receipt: str


class AnswerOut(Schema):
    """Yes or no, with the signed receipt."""

    yes: bool
    receipt: str


def _actor(request: HttpRequest) -> Actor:
    actor = reader(request)
    assert actor is not None, "the router lets nobody else in"  # noqa: S101
    return actor


def _grant(request: HttpRequest, number: int) -> SharingGrant:
    """The grant, for its two departments and the bureau; for others there is none."""
    try:
        return read_grant(f"grant/{number}", acting=_actor(request))
    except (ExchangeError, NotAllowedError):
        raise Http404("没有这一授权 / no such grant") from None


@router.get("/grants", response={200: list[GrantOut], **ERRORS}, summary="Grants in force")
def grants(request: HttpRequest) -> Any:
    """What the reader's department may use today."""
    actor = _actor(request)
    found = grants_in_force(actor.department, the_home().today()) if actor.department else []
    return [
        {"id": int(one.grant.partition("/")[2]), "resource": one.resource, "items": list(one.items),
         "masks": dict(one.masks), "rows": one.rows, "methods": sorted(one.methods), "purpose": one.purpose,
         "starts_on": str(one.starts_on), "ends_on": str(one.ends_on), "quota": one.quota}
        for one in found
    ]  # fmt: skip


def _conditions(found: list[ConditionIn]) -> tuple[Condition, ...]:
    return tuple(Condition(one.item, one.operator, one.value) for one in found)


@router.post(
    "/grants/{number}/rows", response={200: RowsOut, 409: schemas.Problem, **ERRORS}, summary="Rows of a grant"
)
def rows(request: HttpRequest, number: _Number, body: QuestionIn) -> Any:
    """A page of what the grant gives, or with ``count`` how many rows. It is on the books, with its receipt."""
    grant, home = _grant(request, number), the_home()
    question = Question(
        items=None if body.items is None else tuple(body.items),
        where=_conditions(body.where),
        order=tuple((one.item, one.descending) for one in body.order),
        after=body.after,
        limit=body.limit,
        count=body.count,
    )
    engine = engine_of(home)
    try:
        keys = Keys.open(home.keys_folder)
        page = take_page(grant, question, home.today(), engine=engine, keys=keys, acting=_actor(request))
    finally:
        engine.close()
    return {"rows": page.rows, "more": page.more, "receipt": page.receipt}


@router.post(
    "/grants/{number}/verify", response={200: AnswerOut, 409: schemas.Problem, **ERRORS}, summary="Verify a condition"
)
def verification(request: HttpRequest, number: _Number, body: VerificationIn) -> Any:
    """Whether the row of a key meets conditions: for what may not leave."""
    grant, home = _grant(request, number), the_home()
    engine = engine_of(home)
    try:
        keys = Keys.open(home.keys_folder)
        where = _conditions(body.where)
        yes, receipt = take_answer(
            grant, body.key, where, home.today(), engine=engine, keys=keys, acting=_actor(request)
        )
    finally:
        engine.close()
    return {"yes": yes, "receipt": receipt}
