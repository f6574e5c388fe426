"""Titles, units and code texts of what the answers show, from the catalog that the run read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shutong.pipeline.answers.store import AnswerStore
from shutong.quality.wording import Named, in_words, without_unit
from shutong.standards.areas import area_name
from shutong.standards.elements import ELEMENTS, Title
from shutong.standards.industries import industry_name
from shutong.standards.verdict import REASONS

Content = Mapping[str, Any]


def localised(title: Any, default: str = "") -> str:
    """The text of a ``{zh, en}`` title in the language of the request; Chinese where the other is missing."""
    if not title:
        return default
    if isinstance(title, str):
        return title
    language = "en" if (get_language() or "zh").startswith("en") else "zh"
    return title.get(language) or title.get("zh") or default


@dataclass(frozen=True)
class Metadata:
    """Declarations by kind and name, as public metadata. All titles come in the language of the request."""

    contents: Mapping[str, Mapping[str, Content]]

    def of_kind(self, kind: str) -> Mapping[str, Content]:
        """Contents of one kind in declared order: department, resource, library, list, indicator, codes."""
        return self.contents.get(kind, {})

    def get(self, kind: str, name: str | None) -> Content:
        """One content; empty where it is not (or no longer) declared."""
        return self.of_kind(kind).get(name or "", {})

    def title(self, kind: str, name: str | None) -> str:
        """Title of a declaration; its name where it has none."""
        return localised(self.get(kind, name).get("title"), name or "")

    def department_of(self, resource: str | None) -> str:
        """Name of the department that provides a resource; empty where unknown."""
        return str(self.get("resource", resource).get("department") or "")

    def department_title(self, resource: str | None) -> str:
        """Title of the department that provides a resource."""
        return self.title("department", self.department_of(resource))

    def fact_kinds(self) -> dict[str, str]:
        """Kind of fact to its title, in declared order."""
        facts = (content.get("fact") for content in self.of_kind("resource").values())
        return {fact["kind"]: localised(fact["title"], fact["kind"]) for fact in facts if fact}

    def fact_title(self, kind: str) -> str:
        """Title of a kind of fact."""
        return self.fact_kinds().get(kind, kind)

    def item_title(self, resource: str, item: str) -> str:
        """Title of an item of a resource; of an amount without its column's unit, as values are shown with their own."""
        return _title(self._item(resource, item), item)

    def _item(self, resource: str, item: str) -> Content:
        found: Content = self.get("resource", resource).get("items", {}).get(item, {})
        return found

    def attribute_title(self, library: str, attribute: str) -> str:
        """Title of an attribute of a library."""
        return _title(self._attribute(library, attribute), attribute)

    def element_title(self, item: Content) -> str:
        """What kind of value an item holds: the title of its code set or data element."""
        if item.get("codes"):
            title = localised(self.get("codeset", item["codes"]).get("title"), item["codes"])
        else:
            element = ELEMENTS.get(item["element"])
            title = localised({"zh": element.title.zh, "en": element.title.en}) if element else str(item["element"])
        return title[:1].upper() + title[1:]

    def check_text(self, resource: str, check: Content) -> str:
        """A declared check in words."""
        if check.get("message"):
            return localised(check["message"])
        words = in_words(check["expr"], self._named(resource))
        return localised({"zh": words.zh, "en": words.en})

    def _named(self, resource: str) -> dict[str, Named]:
        items: Mapping[str, Content] = self.get("resource", resource).get("items", {})
        return {
            name: Named(Title(one["title"]["zh"], one["title"]["en"]), one["element"]) for name, one in items.items()
        }

    def flag_text(self, resource: str, flag: str) -> tuple[str, str]:
        """A stored flag (``code:item``) as the title of what it is about and what was found."""
        code, _colon, item = flag.rpartition(":")
        title = self.item_title(resource, item) if item else ""
        if code in REASONS:
            found = localised({"zh": REASONS[code].zh, "en": REASONS[code].en})
            # What follows the colon tells the clerk what to do.
            return title, found.split("：")[0].split(": ")[0]
        for check in self.get("resource", resource).get("checks", ()):
            if code == f"check:{check['name']}":
                return title, self.check_text(resource, check)
        return title, code

    def _attribute(self, library: str, attribute: str) -> Content:
        found: Content = self.get("library", library).get("attributes", {}).get(attribute, {})
        return found

    def show_item(self, resource: str, item: str, value: Any) -> str:
        """An item's (masked) value as it is read: code texts, money with its unit, yes and no."""
        return self.show(self._item(resource, item), value)

    def show_attribute(self, library: str, attribute: str, value: Any) -> str:
        """An attribute's (masked) value as it is read."""
        return self.show(self._attribute(library, attribute), value)

    def code_text(self, codes: str | None, value: Any) -> str:
        """Text of a code in a code set; the code itself where it is not known."""
        return localised(self.get("codes", codes).get(str(value)), str(value))

    def show(self, declared: Content, value: Any) -> str:
        """A value by the element of its item or attribute."""
        if value is None or value == "":
            return ""
        element = declared.get("element")
        if declared.get("codes"):
            return self.code_text(declared["codes"], value)
        if element == "money":
            return money(value)
        if element == "boolean":
            return _("是") if str(value).lower() in {"true", "1"} else _("否")
        if element == "area":
            return with_code(area_name(str(value)), str(value))
        if element == "industry":
            return with_code(industry_name(str(value)), str(value))
        return str(value)


def _title(declared: Content, default: str) -> str:
    title = localised(declared.get("title"), default)
    return without_unit(title) if declared.get("element") == "money" else title


def unit_text(unit: str) -> str:
    """The unit of an indicator in the reader's language; one that is not among the usual ones as it is declared."""
    usual = {
        "户": _("户"), "件": _("件"), "元": _("元"), "万元": _("万元"), "人": _("人"), "个": _("个"), "份": _("份"),
        "平方米": _("平方米"),
    }  # fmt: skip
    return usual.get(unit, unit)


def money(value: Any) -> str:
    """An amount in yuan with thousands separators; as it stands where it is masked."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    text = f"{amount:,.2f}".removesuffix(".00")
    return _("%(amount)s 元") % {"amount": text}


def with_code(name: str | None, code: str) -> str:
    """A name with its code behind; the code alone where the name is not known."""
    return f"{name}（{code}）" if name else code


def metadata(answers: AnswerStore) -> Metadata:
    """The metadata of the current answers, read once per answers file."""
    return answers.derived("metadata", _read)


def _read(answers: AnswerStore) -> Metadata:
    contents: dict[str, dict[str, Content]] = {}
    for row in answers.fetch("SELECT kind, name, content FROM answer_catalog ORDER BY kind, position"):
        contents.setdefault(row["kind"], {})[row["name"]] = orjson.loads(row["content"])
    return Metadata(contents)
