"""The declared procedures of sharing: a request, the dispute of a refusal, the life of a grant.

Their terms are the law's on the day the case is opened, at the place of the providing department; where the law had no
such term on that day there is none, and no extension where it provides for none.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from shutong.procedures.spec import Procedure, Term
from shutong.standards import terms

VERSION = 1
ASKER, OWNER, BUREAU, PLATFORM = "asker", "owner", "bureau", "platform"
_ROLES = {ASKER: "steward", OWNER: "steward", BUREAU: "data-officer", PLATFORM: "system"}
"""The role that takes the steps of each side; a steward is asker or owner by department, which the verbs check."""
_UNITS = {"wd": "working-days", "day": "days"}


def legal_term(name: str, day: dt.date, area: str | None) -> Term | None:
    """The term in force on ``day`` at ``area``, as procedures have it; None where the law had none."""
    try:
        found = terms.term(name, day, area or terms.NATION)
    except LookupError:
        return None
    return Term.model_validate({"count": found.n, "unit": _UNITS[found.unit], "basis": found.source})


def request_course(day: dt.date, area: str | None, *, shared: bool = False) -> Procedure:
    """A request: answered by the owner, then by the data bureau where a rule says so, and supplied.

    A request for missing material, once, stops the clock until it is answered; an extension, once, is asked by the
    owner with a reason and allowed by the bureau. What is granted by itself is confirmed by the owner within its own
    term. Withdrawing is open to the asker until the answer.

    Args:
        shared: the resource is shared already; some places give a shorter term for the answer then.
    """
    at_hand = legal_term("share-reply-shared", day, area) if shared else None
    reply = at_hand or legal_term("share-conditional-reply", day, area)
    at_once = legal_term("share-unconditional-reply", day, area)
    extension = legal_term("share-conditional-extension", day, area)
    states = {
        "received": _state("已提交", "Received"),
        "answering": _state("待提供部门答复", "Waits for the owner", reply),
        "awaiting-material": _state("待补正材料", "Waits for missing material"),
        "reviewing": _state("待数据局复核", "Waits for the data bureau", reply),
        "confirming": _state("已自动授权，待提供部门确认", "Granted by itself, to be confirmed", at_once),
        "supplying": _state("已同意，待提供数据", "Agreed, to be supplied", legal_term("share-supply", day, area)),
        "ready": _state("数据已就绪", "Ready", end=True),
        "refused": _state("不予共享", "Refused", end=True),
        "cancelled": _state("已撤回申请", "Withdrawn by the asker", end=True),
    }
    steps = {**_by_itself(), **_about_material()}
    answering = ["answering"]
    if extension is not None:
        states["extension-asked"] = _state("已申请延期，待数据局同意", "Extension asked of the bureau", reply)
        steps |= _extension(extension)
        answering.append("extension-asked")
    return _procedure(
        "share-request", "共享申请", "Request for sharing", "received", states, steps | _answers(answering)
    )


def _by_itself() -> dict[str, Any]:
    """What the platform does with a request that comes in."""
    start = ["received"]
    return {
        "to-owner": _step("转提供部门", "To the owner", start, "answering", PLATFORM),
        "grant-at-once": _step("自动授权", "Granted by itself", start, "confirming", PLATFORM),
        "not-shared": _step("目录不予共享", "Not shared by the catalog", start, "refused", PLATFORM, reason=True),
    }


def _about_material() -> dict[str, Any]:
    return {
        "ask-material": _step(
            "一次性告知补正", "Missing material told once", ["answering"], "awaiting-material", OWNER,
            reason=True, once=True, pauses_clock=True,
        ),
        "give-material": _step(
            "补正材料", "Missing material given", ["awaiting-material"], "answering", ASKER, reason=True, resumes_clock=True
        ),
    }  # fmt: skip


def _extension(term: Term) -> dict[str, Any]:
    asked = ["extension-asked"]
    return {
        "ask-extension": _step(
            "申请延期答复", "Extension asked", ["answering"], "extension-asked", OWNER,
            reason=True, once=True, restarts_clock=False,
        ),
        "extend": _step("同意延期", "Extension allowed", asked, "answering", BUREAU, extends=term),
        "keep-term": _step(
            "不同意延期", "Extension not allowed", asked, "answering", BUREAU, reason=True, restarts_clock=False
        ),
    }  # fmt: skip


def _answers(answering: list[str]) -> dict[str, Any]:
    """How the owner and the bureau answer, and how it ends."""
    unanswered = [*answering, "awaiting-material", "reviewing"]
    return {
        "approve": _step("同意共享", "Agreed", answering, "supplying", OWNER),
        "forward": _step(
            "同意并报数据局复核", "Agreed, to the bureau", answering, "reviewing", OWNER, restarts_clock=False
        ),
        "refuse": _step("不予共享", "Refused", answering, "refused", OWNER, reason=True),
        "confirm": _step("复核同意", "Agreed by the bureau", ["reviewing"], "supplying", BUREAU),
        "reject": _step("复核不同意", "Refused by the bureau", ["reviewing"], "refused", BUREAU, reason=True),
        "confirm-ready": _step("确认数据就绪", "Ready", ["confirming", "supplying"], "ready", OWNER),
        "cancel": _step("撤回申请", "Withdrawn", unanswered, "cancelled", ASKER, reason=True),
    }


def dispute_course(day: dt.date, area: str | None) -> Procedure:
    """The dispute of a refusal, whole or in part: the data bureau decides, and what it gives is to be supplied."""
    states = {
        "received": _state("争议已提交，待数据局处理", "Waits for the data bureau"),
        "upheld": _state("维持不予共享", "The refusal stands", end=True),
        "supplying": _state("改为共享，待提供数据", "To be supplied", legal_term("share-supply", day, area)),
        "ready": _state("数据已就绪", "Ready", end=True),
    }
    steps = {
        "uphold": _step("维持", "Refusal upheld", ["received"], "upheld", BUREAU, reason=True),
        "overturn": _step("改为共享", "Refusal overturned", ["received"], "supplying", BUREAU, reason=True),
        "confirm-ready": _step("确认数据就绪", "Ready", ["supplying"], "ready", OWNER),
    }
    return _procedure("share-dispute", "共享争议", "Dispute of a refusal", "received", states, steps)


def grant_course() -> Procedure:
    """The life of a grant: in force, suspended, withdrawn; each with a reason and effect at once."""
    states = {
        "active": _state("有效", "In force"),
        "suspended": _state("已暂停", "Suspended"),
        "withdrawn": _state("已撤销", "Withdrawn", end=True),
    }
    both = (OWNER, BUREAU)
    steps = {
        "suspend": _step("暂停", "Suspended", ["active"], "suspended", *both, reason=True),
        "resume": _step("恢复", "Resumed", ["suspended"], "active", *both, reason=True),
        "withdraw": _step("撤销", "Withdrawn", ["active", "suspended"], "withdrawn", *both, reason=True),
        "change": _step("变更", "Changed", ["active"], "active", *both, PLATFORM),
    }
    return _procedure("share-grant", "共享授权", "Grant", "active", states, steps)


def _state(zh: str, en: str, within: Term | None = None, *, end: bool = False) -> dict[str, Any]:
    return {"title": {"zh": zh, "en": en}, "within": within, "end": end}


def _step(
    zh: str, en: str, from_: list[str], to: str, *sides: str, reason: bool = False, **keys: Any
) -> dict[str, Any]:
    return {
        "title": {"zh": zh, "en": en}, "from": from_, "to": to, "roles": tuple(dict.fromkeys(_ROLES[one] for one in sides)),
        "party": "-".join(sides), "needs_reason": reason, **keys,
    }  # fmt: skip


def party_of(procedure: Procedure, step: str) -> str | None:
    """The side that a step of these procedures belongs to; None for a step that it does not have."""
    return procedure.steps[step].party if step in procedure.steps else None


def _procedure(name: str, zh: str, en: str, start: str, states: dict[str, Any], steps: dict[str, Any]) -> Procedure:
    return Procedure.model_validate({
        "procedure": name,
        "title": {"zh": zh, "en": en},
        "basis": "国发〔2016〕51号；政务数据共享条例（国务院令第809号）",
        "version": VERSION,
        "start": start,
        "states": states,
        "steps": steps,
    })  # fmt: skip
