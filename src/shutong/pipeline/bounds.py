"""Bounds of a run: one that would merge or lose too much stops before its commit and asks; yesterday stays in place.

A source that suddenly uses one code for a thousand names, or a register delivered half, is a fault of a delivery far
more often than the truth. The bounds are settings of the home; the first run of a home has nothing to compare with.
"""

from __future__ import annotations

from dataclasses import dataclass

from shutong.engine.engine import Engine
from shutong.engine.run import LakeRun
from shutong.engine.settings import Bounds


class BoundsExceededError(Exception):
    """A run was stopped because it would change more than its bounds allow. Nothing of it is visible.

    Args:
        found: what went beyond, in words.
    """

    def __init__(self, found: tuple[Excess, ...]) -> None:
        after_zh = "本次运行没有生效，仍为上次的结果。核对来源后，确认无误请用 shutong run --allow-changes 运行"
        after_en = "nothing of this run is visible; look at the sources, then run with --allow-changes if it is true"
        self.found = found
        self.zh = "；".join(one.zh for one in found) + "。" + after_zh
        self.en = "; ".join(one.en for one in found) + ". " + after_en
        super().__init__(f"{self.zh}\n{self.en}")


@dataclass(frozen=True)
class Excess:
    """One bound that was passed: its name, how many there are, how many are allowed, and words for a person."""

    bound: str
    count: int
    allowed: int
    zh: str
    en: str


_REDIRECTED = "SELECT DISTINCT value FROM i WHERE kind = 'redirected'"
_REGISTERED = "SELECT DISTINCT subject_id FROM i WHERE kind = 'uscc' AND registered AND current"

# Names that nothing but a code ties to the subject, among the rows that this run linked.
_NAMES = """SELECT l.subject_id, count(DISTINCT m.name_key) AS names FROM links l
 JOIN mentions m ON m.record_id = l.record_id AND m.role = l.role
WHERE l.kind = 'organisation' AND NOT m.registry AND l.current AND m.name_key IS NOT NULL
 AND l.method IN ('uscc', 'org_code', 'registration_no', 'taxpayer_no', 'certificate_no')
 AND l.evidence LIKE '%"name":"unknown"%' GROUP BY l.subject_id HAVING count(DISTINCT m.name_key) > :allowed
ORDER BY 2 DESC LIMIT 5"""


def check_bounds(engine: Engine, run: LakeRun, bounds: Bounds) -> None:
    """Compare what the run staged with what is visible.

    Raises:
        BoundsExceededError: more subjects would be merged or lost, or more names be put under one code, than allowed.
    """
    views = {"i": "identifiers"}
    registered = engine.query(f"SELECT count(*) AS n FROM ({_REGISTERED})", views).column("n")[0].as_py()
    found = [
        _excess(
            "merges",
            len(_new(run, engine, _REDIRECTED, "value")),
            max(bounds.merges, int(registered * bounds.merges_share)),
            ("个主体将被并入其他主体", "subjects would be merged into others"),
        ),
        _excess(
            "lost",
            len(_new(engine, run, _REGISTERED, "subject_id")),
            max(bounds.lost, int(registered * bounds.lost_share)),
            ("个登记主体将从各登记簿中消失", "registered subjects would vanish from the registers"),
        ),
        *_crowded(run, bounds.names_per_code),
    ]
    exceeded = tuple(one for one in found if one.count > one.allowed)
    if exceeded:
        raise BoundsExceededError(exceeded)


def _new(after: Engine | LakeRun, before: Engine | LakeRun, sql: str, column: str) -> set[str]:
    """The values that the first side has and the second has not; either side may be the run or the visible lake."""
    sides = []
    for side in (after, before):
        ask = side.peek if hasattr(side, "peek") else side.query
        sides.append(set(ask(sql, {"i": "identifiers"}).column(column).to_pylist()))
    return sides[0] - sides[1]


def _excess(bound: str, count: int, allowed: int, words: tuple[str, str]) -> Excess:
    zh = f"{count} {words[0]}，超过设定的 {allowed} 个"
    en = f"{count} {words[1]}, more than the {allowed} allowed"
    return Excess(bound, count, allowed, zh, en)


def _crowded(run: LakeRun, allowed: int) -> list[Excess]:
    tables = {"links": "links", "mentions": "mentions"}
    rows = run.peek(_NAMES, tables, {"allowed": allowed}).to_pylist()
    return [
        Excess(
            "names_per_code",
            row["names"],
            allowed,
            f"主体 {row['subject_id']} 的代码下出现 {row['names']} 个登记簿中没有的名称，超过设定的 {allowed} 个",
            f"{row['names']} names unknown to the registers come under the code of {row['subject_id']}, "
            f"more than the {allowed} allowed",
        )
        for row in rows
    ]
