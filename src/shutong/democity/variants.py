"""Single values written another way: names as other departments write them, dates and digits as people type them.

Ways of a name, with how often each is taken among those that a name allows:

=====================  ======  ======================================================================================
former                 1 in 2  the name before, where there was one; the others share the rest
brackets                    8  （澜川） as (澜川), 〔澜川〕 or 【澜川】
branch-brackets            40  澜东分公司 as （澜东分公司）, (澜东)分公司 or （澜东）分公司 (only branches)
short-prefix                8  澜川市 as 澜川
no-prefix                  12  the area in front is missing; of city and county only the city, or both
space, full-width-space    10  a blank in the middle or around
short-form                 12  有限责任公司 as 有限公司, 股份有限公司 as 股份公司
traditional                 6  in traditional characters
mistyped                   12  one character of brand or trade for one that sounds or looks like it, now and then any
missing-character           4  one character of brand or trade left out
doubled-character           4  one character of brand or trade twice
abbreviation                8  brand and the first word of the trade, nothing else (only names with a legal form)
brand-company               3  brand and 公司 (only enterprises)
city-area                   5  the name as it is, with the area code of the city instead of the county
=====================  ======  ======================================================================================

Every third variant is written in two ways at once; the second one changes no character of brand and trade.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from shutong.democity.confusions import FREQUENT, confused
from shutong.democity.geography import Geography
from shutong.standards.names import simplified

_NUMERALS = "〇一二三四五六七八九"
_WIDE = str.maketrans(
    "0123456789.-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "０１２３４５６７８９．－ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ",
)
SHORT_FORMS = {
    "有限责任公司": "有限公司",
    "股份有限公司": "股份公司",
    "集团有限公司": "集团公司",
    "专业合作社": "合作社",
}
"""Legal forms and the short way to write them."""
_BRACKETS = (("(", ")"), ("〔", "〕"), ("【", "】"))
_SUSPECTED = 0.85
"""Share of mistyped characters that sound or look like the right one."""


@dataclass(frozen=True)
class Said:
    """A name in its pieces (``names.PIECES``) and how it is written down.

    ``text`` is the writing where it differs from the pieces in a row; ``short`` says that most of the name was left
    out; ``whole_city`` that the area beside it is the city's.
    """

    head: str
    brand: str
    middle: str
    trade: str
    form: str
    branch: str
    text: str | None = None
    short: bool = False
    whole_city: bool = False

    def written(self) -> str:
        """The name as it stands in the cell."""
        pieces = (self.head, self.brand, self.middle, self.trade, self.form, self.branch)
        return "".join(pieces) if self.text is None else self.text


@dataclass(frozen=True)
class Way:
    """A way in which one name can be written, and how often it is taken."""

    name: str
    weight: int
    say: Callable[[int], Said]
    lossy: bool = False


def name_variant(
    name: Said, former: Said | None, draw: int, geography: Geography, *, areas: bool = True
) -> tuple[Said, str]:
    """The name written another way, and which way it is.

    Args:
        name: as registered.
        former: the name before, where there was one.
        draw: a random number below 2**30 that chooses.
        areas: an area code stands beside the name.
    """
    if former and draw % 2:
        return former, "former"
    way = _chosen([way for way in _ways(name, geography) if areas or way.name != "city-area"], draw >> 1)
    said = way.say(draw >> 5)
    if draw % 3 == 0 and not said.short:
        others = [other for other in _ways(said, geography) if other.name != way.name and not other.lossy]
        said = _chosen(others, draw >> 9).say(draw >> 7)
    return said, way.name


def _chosen(ways: list[Way], draw: int) -> Way:
    place = draw % sum(way.weight for way in ways)
    for way in ways:
        place -= way.weight
        if place < 0:
            return way
    return ways[-1]


def _ways(name: Said, geography: Geography) -> Iterator[Way]:
    """Every single way in which this name may be written; once the writing was changed, only more of that."""
    yield from _signs(name)
    if name.text is not None:
        return
    yield from _prefixes(name, geography)
    if name.form in SHORT_FORMS:
        yield Way("short-form", 12, lambda _: replace(name, form=SHORT_FORMS[name.form]))
    yield from _slips(name)
    yield from _omissions(name)
    if not name.whole_city:
        yield Way("city-area", 5, lambda _: replace(name, whole_city=True), lossy=True)


def _signs(name: Said) -> Iterator[Way]:
    """Ways that change signs, blanks or the character set, and no character that counts."""
    text = name.written()
    if "（" in text:
        yield Way("brackets", 8, lambda draw: replace(name, text=_bracketed(text, draw)))
    if name.branch.endswith("分公司") and name.text is None:
        yield Way("branch-brackets", 40, lambda draw: replace(name, text=_branch_bracketed(name, draw)))
    middle = len(text) // 2
    head = len(name.head) if name.head else middle
    spaces = (f"{text[:head]} {text[head:]}", f" {text} ")
    yield Way("space", 6, lambda draw: replace(name, text=spaces[draw % 2]))
    yield Way("full-width-space", 4, lambda _: replace(name, text=f"{text[:middle]}\u3000{text[middle:]}"))
    old = text.translate(_traditional())
    if old != text:
        yield Way("traditional", 6, lambda _: replace(name, text=old))


def _bracketed(text: str, draw: int) -> str:
    left, right = _BRACKETS[draw % len(_BRACKETS)]
    return text.replace("（", left).replace("）", right)


def _branch_bracketed(name: Said, draw: int) -> str:
    place = name.branch.removesuffix("分公司")
    forms = (f"（{name.branch}）", f"({place})分公司", f"（{place}）分公司")
    return replace(name, branch=forms[draw % len(forms)]).written()


@cache
def _traditional() -> dict[int, str]:
    """A traditional form of each simplified character that has one; the first of several."""
    forms: dict[int, str] = {}
    for traditional, simple in simplified().items():
        forms.setdefault(ord(simple), traditional)
    return forms


def _prefixes(name: Said, geography: Geography) -> Iterator[Way]:
    """The area in front of the name shortened or left out."""
    place = next((place for place in (geography.province, geography.city) if name.head.startswith(place)), None)
    if place:
        yield Way("short-prefix", 8, lambda _: replace(name, head=place[:-1] + name.head[len(place) :]))
    if name.head:
        heads = [*([name.head[len(place) :]] if place and len(name.head) > len(place) else []), ""]
        yield Way("no-prefix", 12, lambda draw: replace(name, head=heads[draw % len(heads)]))


def _slips(name: Said) -> Iterator[Way]:
    """One character of brand or trade wrong, missing or twice."""

    def at(draw: int, edit: Callable[[str, int], str]) -> Said:
        body = name.brand + name.trade
        place = draw % len(body)
        if place < len(name.brand):
            return replace(name, brand=_edited(name.brand, place, edit, draw))
        return replace(name, trade=_edited(name.trade, place - len(name.brand), edit, draw))

    yield Way("mistyped", 12, lambda draw: at(draw, _mistyped), lossy=True)
    yield Way("missing-character", 4, lambda draw: at(draw, lambda _, __: ""), lossy=True)
    yield Way("doubled-character", 4, lambda draw: at(draw, lambda character, _: character * 2), lossy=True)


def _edited(piece: str, place: int, edit: Callable[[str, int], str], draw: int) -> str:
    return piece[:place] + edit(piece[place], draw >> 6) + piece[place + 1 :]


def _mistyped(character: str, draw: int) -> str:
    alike = confused(character)
    if alike and draw % 100 < _SUSPECTED * 100:
        return alike[draw % len(alike)]
    other = FREQUENT[draw % len(FREQUENT)]
    return other if other != character else FREQUENT[(draw + 1) % len(FREQUENT)]


def _omissions(name: Said) -> Iterator[Way]:
    """Most of the name left out; a branch is never called so, since what is left would be its head office."""
    if not name.form or name.branch:
        return
    word = first_word(name.trade)
    bare = replace(name, head="", middle="", short=True)
    yield Way("abbreviation", 8, lambda _: replace(bare, trade=word, form=""), lossy=True)
    if name.form.endswith("公司"):
        yield Way("brand-company", 3, lambda _: replace(bare, trade="", form="公司"), lossy=True)


def first_word(trade: str) -> str:
    """The first word of a trade: 网络 of 网络科技, 房地产 of 房地产开发; a trade of two or three characters is one."""
    return trade if len(trade) < 4 else trade[: len(trade) - 2]


def date_spelling(text: str, draw: int) -> str:
    """An ISO date as people and spreadsheets write it."""
    if len(text) != 10 or text[4] != "-":
        return text
    year, month, day = text.split("-")
    m, d = str(int(month)), str(int(day))
    spellings = (
        f"{year}/{m}/{d}",
        f"{year}{month}{day}",
        f"{year}年{m}月{d}日",
        f"{year}.{m}.{d}",
        f"{year}-{month}-{day} 00:00:00",
        f"{''.join(_NUMERALS[int(c)] for c in year)}年{_chinese(int(m))}月{_chinese(int(d))}日",
    )
    return spellings[draw % len(spellings)]


def full_width(text: str, draw: int) -> str:
    """Digits and capitals as full-width characters; every third time only the last four."""
    if draw % 3 == 0:
        return text[:-4] + text[-4:].translate(_WIDE)
    return text.translate(_WIDE)


def _chinese(number: int) -> str:
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else ("十" if tens == 1 else f"{_NUMERALS[tens]}十")
    return head + (_NUMERALS[ones] if ones else "")
