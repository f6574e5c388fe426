"""What an entry may say, and how it is bound to the one before."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shutong.audit.chain import ActorValues, AuditValueError, Record, body_of, link

ACTOR = ActorValues("u1", "tax", ("steward",))
AT = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


def body(**detail: object) -> str:
    return body_of(Record("a.b", "done", ACTOR, detail=detail), segment="writes", position=1, at=AT)  # type: ignore[arg-type]


def test_the_text_is_canonical() -> None:
    assert body(b=1, a="甲") == body(a="甲", b=1)
    assert '"at":"2026-01-02T03:04:05.000006+00:00"' in body()
    assert link("0" * 64, body()) != link("1" * 64, body())


@pytest.mark.parametrize(
    "value", ["11010519491231002X", "证件110105194912310021，", "13912345678", ["x", "13912345678"]]
)
def test_personal_numbers_are_refused_without_repeating_them(value: object) -> None:
    with pytest.raises(AuditValueError) as caught:
        body(note=value)
    assert "139" not in str(caught.value)
    assert "1949" not in str(caught.value)


@pytest.mark.parametrize(
    "value", ["91350100M000100Y43", "440301103097413", "b13912345678aa13912345678ff", "2026-11-22", 13912345678123]
)
def test_codes_of_organisations_hashes_and_days_are_ids(value: object) -> None:
    assert str(value) in body(note=value)


def test_other_types_and_long_texts_are_refused() -> None:
    for value in ({"a": 1}, 1.5, "x" * 201):
        with pytest.raises(AuditValueError):
            body(note=value)
