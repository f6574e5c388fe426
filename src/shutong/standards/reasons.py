"""Every reason a check of the standards can give, once, with what the person who delivers the data should do.

The keys are stable: they stand in receipts, tickets and statistics. A key is ``<element>.<what is wrong>``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """What is wrong and what to do about it, in Chinese and in English."""

    zh: str
    en: str


_TEXTS: tuple[tuple[str, str, str], ...] = (
    ("empty", "没有值：请填写，确实没有时留空", "No value: fill it in, or leave it blank when there is none"),
    ("text.control", "含有不可见的控制字符：请删除后重新填写", "Holds invisible control characters: remove them"),
    ("text.encoding", "不是 UTF-8 编码的文字：请转成 UTF-8", "Not text in UTF-8: convert it to UTF-8"),
    # codes
    (
        "code.scientific",
        "编码被表格软件变成了科学计数法，后几位已丢失：请把该列设为文本后重新填写",
        "A spreadsheet turned the code into scientific notation and lost its digits: format the column as text",
    ),
    (
        "uscc.length",
        "统一社会信用代码应为18位：请核对证照",
        "A unified code has 18 characters: compare with the certificate",
    ),
    (
        "uscc.characters",
        "统一社会信用代码只用数字和大写字母，且不用 I、O、S、V、Z：请核对是否把 1、0、5、2 误作字母",
        "A unified code uses digits and capitals without I, O, S, V, Z: look for letters typed for 1, 0, 5, 2",
    ),
    (
        "uscc.area",
        "统一社会信用代码第3至8位应为6位数字的行政区划码",
        "Characters 3 to 8 of a unified code are 6 digits of area",
    ),
    (
        "uscc.check-digit",
        "统一社会信用代码校验位不符：有字符写错，请核对证照",
        "Check digit is wrong: a character is mistyped",
    ),
    (
        "org-code.length",
        "组织机构代码应为9位（8位本体加1位校验码）",
        "An organisation code has 9 characters (8 and a check)",
    ),
    (
        "org-code.characters",
        "组织机构代码只用数字和大写字母，末位为数字或 X",
        "An organisation code uses digits and capital letters and ends with a digit or X",
    ),
    (
        "org-code.check-digit",
        "组织机构代码校验码不符：请核对代码证",
        "Check digit is wrong: compare with the certificate",
    ),
    (
        "registration-no.length",
        "工商注册号应为15位数字（2007年以前的13位号请换用新号或统一社会信用代码）",
        "A registration number has 15 digits (13 digits, before 2007: give the new one or the unified code)",
    ),
    ("registration-no.characters", "工商注册号只用数字", "A registration number has digits only"),
    (
        "registration-no.check-digit",
        "工商注册号校验位不符：请核对执照",
        "Check digit is wrong: compare with the licence",
    ),
    (
        "registration-no.is-uscc",
        "这是统一社会信用代码，请填入统一社会信用代码栏",
        "This is a unified code: put it into the unified code column",
    ),
    (
        "taxpayer-no.length",
        "纳税人识别号应为18位（统一社会信用代码）或15位（旧号）",
        "A taxpayer number has 18 characters (the unified code) or 15 (old)",
    ),
    (
        "taxpayer-no.characters",
        "纳税人识别号含有不允许的字符：前6位为数字，其余为数字或大写字母",
        "A taxpayer number has 6 digits, then digits or capital letters",
    ),
    (
        "taxpayer-no.check-digit",
        "纳税人识别号校验位不符：请核对税务登记证",
        "Check digit is wrong: compare with the certificate",
    ),
    ("citizen-id.length", "公民身份号码应为18位", "A citizen identity number has 18 characters"),
    (
        "citizen-id.15-digits",
        "15位身份证号自2013年起停用：请填写18位公民身份号码",
        "15-digit identity numbers ended in 2013: give the number of 18",
    ),
    (
        "citizen-id.characters",
        "公民身份号码前17位为数字，末位为数字或 X",
        "A citizen identity number has 17 digits, then a digit or X",
    ),
    ("citizen-id.birth-date", "公民身份号码第7至14位不是存在的日期", "Characters 7 to 14 are not a date that exists"),
    ("citizen-id.check-digit", "公民身份号码校验位不符：请核对证件", "Check digit is wrong: compare with the card"),
    # dates
    (
        "date.format",
        "看不懂的日期：请写成 2024-01-02",
        "Not readable as a date: write 2024-01-02",
    ),
    ("date.impossible", "不存在的日期（如2月30日）：请核对", "A date that does not exist (30 February): check it"),
    (
        "date.ambiguous",
        "日、月次序或世纪不明：请写成 2024-01-02",
        "The order of day and month, or the century, is unclear: write 2024-01-02",
    ),
    ("date.incomplete", "日期不完整：请写出年、月、日", "Incomplete date: give year, month and day"),
    (
        "date.indefinite",
        "“长期”不是日期：长期有效请按规定填 2099-12-31",
        "'Indefinite' is not a date: write 2099-12-31 for unlimited validity",
    ),
    ("date.range", "年份应在1800至9999之间：请核对", "The year must lie between 1800 and 9999: check it"),
    ("date.time", "时间部分不存在（如25点）：请核对", "The time of day does not exist (25 o'clock): check it"),
    # numbers
    ("integer.format", "不是整数：只写数字，可带千位逗号", "Not a whole number: digits, thousands commas allowed"),
    ("integer.fraction", "应为整数，却带小数", "A whole number is wanted, this has decimals"),
    ("integer.range", "整数过大（超过64位）", "Too large (more than 64 bits)"),
    (
        "decimal.format",
        "不是数字：只写数字和小数点，可带千位逗号",
        "Not a number: digits and a decimal point, commas allowed",
    ),
    ("decimal.range", "数字过大（整数部分最多20位）", "Too large (at most 20 digits before the point)"),
    ("decimal.scale", "小数位过多（最多8位）", "Too many decimals (at most 8)"),
    (
        "coordinate.format",
        "不是经纬度：写成十进制度，例如 113.264385，或者度分秒，例如 113°15′51.8″",
        "Not a coordinate: decimal degrees such as 113.264385, or degrees, minutes and seconds such as 113°15′51.8″",
    ),
    (
        "longitude.range",
        "经度应在 -180 至 180 度之间：请核对单位，以及经纬度是否写反",
        "A longitude lies between -180 and 180 degrees: look at the unit and whether it is the latitude",
    ),
    (
        "latitude.range",
        "纬度应在 -90 至 90 度之间：请核对单位，以及经纬度是否写反",
        "A latitude lies between -90 and 90 degrees: look at the unit and whether it is the longitude",
    ),
    (
        "money.format",
        "不是金额：写数字，可带千位逗号及 元、万元、亿元",
        "Not an amount: a number, commas and 元, 万元, 亿元 allowed",
    ),
    (
        "money.currency",
        "外币金额：请折算为人民币或填入外币栏",
        "A foreign currency: convert to yuan or use the currency column",
    ),
    ("money.range", "金额过大（最多16位整数元）", "Too large (at most 16 digits of yuan)"),
    ("percent.format", "不是百分比：如 12.5% 或 12.5", "Not a percentage: write 12.5% or 12.5"),
    ("percent.range", "百分比过大（整数部分最多12位，小数最多6位）", "Too large (12 digits, 6 decimals)"),
    ("boolean.format", "应为 是 或 否（也可 Y/N、1/0）", "Write 是 or 否 (Y/N and 1/0 are understood)"),
    # names, places, contacts
    ("org-name.not-a-name", "不是名称：没有两个以上的文字", "Not a name: it has fewer than two letters or characters"),
    (
        "org-name.document-number",
        "这是文号而不是名称：可能错列",
        "A document number, not a name: columns may be shifted",
    ),
    ("org-name.length", "名称过长（最多100字）", "Too long for a name (at most 100 characters)"),
    (
        "person-name.not-a-name",
        "不是姓名：含有数字或符号，或没有文字",
        "Not a person's name: digits, signs or no letters",
    ),
    ("person-name.length", "姓名应为2至50个字", "A person's name has 2 to 50 characters"),
    ("address.too-short", "地址过短或没有文字：请写到门牌", "Too short or without letters: give street and number"),
    ("address.length", "地址过长（最多200字）", "Too long for an address (at most 200 characters)"),
    (
        "mobile.format",
        "手机号应为以1开头的11位数字（可带 +86）",
        "A mainland mobile number has 11 digits from 1 (+86 allowed)",
    ),
    (
        "telephone.format",
        "电话号码应为 区号-号码 或手机号",
        "A telephone number is area code and number, or a mobile number",
    ),
    ("url.format", "网址应如 https://example.com", "An address of the web looks like https://example.com"),
    ("email.format", "电子邮箱应如 name@example.com", "An e-mail address looks like name@example.com"),
    ("area.format", "行政区划码应为6位数字", "An area code has 6 digits"),
    (
        "area.province",
        "行政区划码前两位不是任何省级代码",
        "The first two digits of the area code belong to no province",
    ),
    (
        "industry.format",
        "行业代码应为门类字母或2至4位数字（可带门类字母）",
        "An industry code is a section letter or 2 to 4 digits (the letter may precede)",
    ),
    ("industry.unknown", "GB/T 4754-2017 中没有这个行业代码", "No such code in GB/T 4754-2017"),
    ("industry.section", "门类字母与行业代码不一致", "The section letter does not fit the code"),
    (
        "code.unknown",
        "不是代码表中的代码或名称：请对照代码表",
        "Neither a code nor a name of the code set: see its table",
    ),
    ("code.retired", "该代码在所述日期未在使用", "The code was not in use on that date"),
)

REASONS: dict[str, Reason] = {key: Reason(zh, en) for key, zh, en in _TEXTS}
"""Reason code to texts, for every reason of this area."""
