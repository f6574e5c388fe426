"""The data elements: every kind of value a declaration may name, with its check for one value and for a column.

A closed registry. ``unit`` is what a declaration says about a column (the money unit, the meaning of a bare
percentage, the code set); elements without units ignore it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from shutong.standards import areas, codes, contacts, coordinates, dates, industries, numbers, texts
from shutong.standards.codesets import CodeSet, code_set
from shutong.standards.verdict import Column, ColumnVerdict, Verdict

Unit = str | CodeSet | None
ScalarCheck = Callable[[str | None, Unit], Verdict]
ColumnCheck = Callable[[Column, Unit], ColumnVerdict]


@dataclass(frozen=True)
class Title:
    """A name in Chinese and in English."""

    zh: str
    en: str


@dataclass(frozen=True)
class Element:
    """A data element.

    ``type``: the Arrow type of its values. ``scalar(text, unit=None)``: the verdict on one cell, canonical as text.
    ``column(array, unit=None)``: the same for n cells, canonical as values of ``type``. ``units``: what ``unit`` may
    be, the default first. ``personal``: values identify or reach a person and are sealed by default.
    """

    name: str
    title: Title
    type: pa.DataType
    check_one: ScalarCheck
    check_many: ColumnCheck
    units: tuple[str | None, ...] = (None,)
    personal: bool = False

    def scalar(self, text: str | None, unit: Unit = None) -> Verdict:
        """Judge one cell. ValueError for a unit the element does not know."""
        return self.check_one(text, self._known(unit))

    def column(self, column: Column, unit: Unit = None) -> ColumnVerdict:
        """Judge a column of cells. ValueError for a unit the element does not know."""
        return self.check_many(column, self._known(unit))

    def _known(self, unit: Unit) -> Unit:
        if unit is None or isinstance(unit, CodeSet) or self.name == "code" or unit in self.units:
            return unit
        known = ", ".join(name for name in self.units if name) or "none"
        raise ValueError(f"element {self.name} has no unit {unit!r}; known units: {known}")


def _element(
    name: str,
    zh: str,
    en: str,
    one: Callable[[str | None], Verdict],
    many: Callable[[Column], ColumnVerdict],
    kind: pa.DataType | None = None,
    personal: bool = False,
) -> Element:
    def scalar(text: str | None, _unit: Unit) -> Verdict:
        return one(text)

    def column(values: Column, _unit: Unit) -> ColumnVerdict:
        return many(values)

    return Element(name, Title(zh, en), kind or pa.string(), scalar, column, personal=personal)


def _text_unit(unit: Unit) -> str | None:
    return unit if isinstance(unit, str) else None


def _set_of(unit: Unit) -> CodeSet:
    if unit is None:
        raise ValueError("element code needs its code set: give the set's name, or the set, as unit")
    return code_set(unit) if isinstance(unit, str) else unit


_ALL = (
    _element("text", "文本", "Text", texts.check_text, texts.column_text),
    _element("org-name", "组织名称", "Name of an organisation", texts.check_org_name, texts.column_org_name),
    _element(
        "person-name", "姓名", "Name of a person", texts.check_person_name, texts.column_person_name, personal=True
    ),
    _element("uscc", "统一社会信用代码", "Unified social credit code", codes.check_uscc, codes.column_uscc),
    _element("org-code", "组织机构代码", "Organisation code", codes.check_org_code, codes.column_org_code),
    _element(
        "registration-no",
        "工商注册号",
        "Registration number",
        codes.check_registration_no,
        codes.column_registration_no,
    ),
    _element("taxpayer-no", "纳税人识别号", "Taxpayer number", codes.check_taxpayer_no, codes.column_taxpayer_no),
    _element(
        "citizen-id",
        "公民身份号码",
        "Citizen identity number",
        codes.check_citizen_id,
        codes.column_citizen_id,
        personal=True,
    ),
    _element("mobile", "手机号", "Mobile number", contacts.check_mobile, contacts.column_mobile, personal=True),
    _element(
        "telephone", "电话号码", "Telephone number", contacts.check_telephone, contacts.column_telephone, personal=True
    ),
    _element("address", "地址", "Address", texts.check_address, texts.column_address),
    _element("area", "行政区划", "Administrative area", areas.check_area, areas.column_area),
    _element("industry", "行业", "Industry", industries.check_industry, industries.column_industry),
    _element("date", "日期", "Date", dates.check_date, dates.column_date, pa.date32()),
    _element("datetime", "时间", "Date and time", dates.check_datetime, dates.column_datetime, pa.timestamp("s")),
    _element("integer", "整数", "Whole number", numbers.check_integer, numbers.column_integer, pa.int64()),
    _element("decimal", "数值", "Number", numbers.check_decimal, numbers.column_decimal, numbers.DECIMAL),
    Element(
        "money",
        Title("金额", "Amount of money"),
        numbers.MONEY,
        lambda text, unit: numbers.check_money(text, _text_unit(unit)),
        lambda column, unit: numbers.column_money(column, _text_unit(unit)),
        tuple(numbers.MONEY_UNITS),
    ),
    Element(
        "percent",
        Title("百分比", "Percentage"),
        numbers.PERCENT,
        lambda text, unit: numbers.check_percent(text, _text_unit(unit)),
        lambda column, unit: numbers.column_percent(column, _text_unit(unit)),
        tuple(numbers.PERCENT_UNITS),
    ),
    Element(
        "longitude",
        Title("经度", "Longitude"),
        coordinates.COORDINATE,
        lambda text, unit: coordinates.check_longitude(text, _text_unit(unit)),
        lambda column, unit: coordinates.column_longitude(column, _text_unit(unit)),
        coordinates.SYSTEMS,
    ),
    Element(
        "latitude",
        Title("纬度", "Latitude"),
        coordinates.COORDINATE,
        lambda text, unit: coordinates.check_latitude(text, _text_unit(unit)),
        lambda column, unit: coordinates.column_latitude(column, _text_unit(unit)),
        coordinates.SYSTEMS,
    ),
    _element("boolean", "是否", "Yes or no", numbers.check_boolean, numbers.column_boolean, pa.bool_()),
    _element("url", "网址", "Web address", contacts.check_url, contacts.column_url),
    _element("email", "电子邮箱", "E-mail address", contacts.check_email, contacts.column_email, personal=True),
    Element(
        "code",
        Title("代码", "Code of a code set"),
        pa.string(),
        lambda text, unit: _set_of(unit).check(text),
        lambda column, unit: _set_of(unit).column(column),
        ("currency", "sex"),
    ),
)

ELEMENTS: dict[str, Element] = {element.name: element for element in _ALL}
"""Every data element by name."""
