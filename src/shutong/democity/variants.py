"""Single values spelled another way: names as other departments write them, dates and digits as people type them."""

from __future__ import annotations

from shutong.democity.geography import Geography

_NUMERALS = "〇一二三四五六七八九"
_WIDE = str.maketrans(
    "0123456789.-ABCDEFGHJKLMNPQRTUWXY", "０１２３４５６７８９．－ＡＢＣＤＥＦＧＨＪＫＬＭＮＰＱＲＴＵＷＸＹ"
)
_SHORT_FORMS = (
    ("有限责任公司", "有限公司"),
    ("股份有限公司", "股份公司"),
    ("集团有限公司", "集团公司"),
    ("专业合作社", "合作社"),
)


def name_variant(name: str, former: str | None, draw: int, geography: Geography) -> tuple[str, str]:
    """The name spelled another way, and which way; every third time two ways at once.

    Args:
        name: as registered.
        former: the name before, where there was one; then it is used every other time.
        draw: a random number that chooses among the ways this name allows.
    """
    if former and draw % 2:
        return former, "former"
    ways = _ways(name, geography)
    text, kind = ways[(draw >> 1) % len(ways)]
    if draw % 3 == 0:
        more = [way for way in _ways(text, geography) if way[1] != kind]
        text, _ = more[(draw >> 9) % len(more)]
    return text, kind


def _ways(name: str, geography: Geography) -> list[tuple[str, str]]:
    """Every single way in which this name may be spelled."""
    ways: list[tuple[str, str]] = []
    if "（" in name:
        ways.append((name.replace("（", "(").replace("）", ")"), "brackets"))
        ways.append((name.replace("（", "〔").replace("）", "〕"), "brackets"))
        ways.append((name.replace("（", "【").replace("）", "】"), "brackets"))
    place = geography.province if name.startswith(geography.province) else geography.city
    if name.startswith(place):
        ways.append((name[: len(place) - 1] + name[len(place) :], "short-prefix"))
        if not name[len(place) :].startswith(geography.county_names):
            ways.append((name[len(place) :], "no-prefix"))
        ways.append((f"{name[: len(place)]} {name[len(place) :]}", "space"))
    for long, short in _SHORT_FORMS:
        if long in name:
            ways.append((name.replace(long, short), "short-form"))
    middle = len(name) // 2
    ways.append((f"{name[:middle]}\u3000{name[middle:]}", "full-width-space"))
    ways.append((f" {name} ", "space"))
    return ways


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
