"""Telephones, web addresses and e-mail addresses."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa

from shutong.standards.code_digits import BAD, digit_pairs, values_of
from shutong.standards.columns import (
    RETRY,
    by_distinct,
    layout,
    over_blocks,
    pair,
    present,
    reasons_of,
    rows_of_width,
    settle,
)
from shutong.standards.text import fold, has_controls, is_empty, squeeze
from shutong.standards.verdict import EMPTY, Column, ColumnVerdict, Faults, Values, Verdict, fault, passed

MOBILE_REASONS = reasons_of("mobile.format", "text.control")
TELEPHONE_REASONS = reasons_of("telephone.format", "text.control")
URL_REASONS = reasons_of("url.format", "text.control")
EMAIL_REASONS = reasons_of("email.format", "text.control")

_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})")
_LANDLINE = re.compile(
    r"(?:(?:\+?86|0086)?(0?(?:10|2[0-9])|0[3-9][0-9]{2}))?([1-9][0-9]{6,7})(?:(?:-|转|X|EXT\.?)([0-9]{1,6}))?"
)
_SERVICE = re.compile(r"(?:400|800)[0-9]{7}|9[5-6][0-9]{3,6}|1[0-2][0-9]{1,3}")
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
)
_HOST = re.compile(r"(?:[\w](?:[\w-]{0,61}[\w])?\.)+[\w-]{2,24}|[0-9]{1,3}(?:\.[0-9]{1,3}){3}|localhost")


def check_mobile(text: str | None) -> Verdict:
    """A mobile number of mainland China; canonical: 11 digits without the country code."""
    if text is None or is_empty(text):
        return EMPTY
    if has_controls(text):
        return fault("text.control")
    match = _MOBILE.fullmatch(squeeze(text).replace("-", "")) if len(text) <= 64 else None
    return passed(match[1]) if match else fault("mobile.format")


def column_mobile(column: Column) -> ColumnVerdict:
    """Twin of :func:`check_mobile`; 11 plain digits take the fast way."""
    return over_blocks(column, _mobile_block, pa.string(), MOBILE_REASONS)


def _mobile_block(block: Values) -> tuple[Values, Faults]:
    data, starts = layout(block)
    lengths, there = np.diff(starts), present(block)
    faults = np.where(there & (lengths > 0), np.int8(RETRY), np.int8(-1))
    rows, matrix = rows_of_width(data, starts, there & (lengths == 11), 11)
    if len(rows):
        number = [digit_pairs().take(pair(matrix, place)) for place in range(0, 10, 2)]
        good = (number[0] >= 13) & (number[0] <= 19) & (values_of("0123456789").take(matrix[:, 10]) != BAD)
        for part in number[1:]:
            good &= part != BAD
        faults[rows] = np.where(good, np.int8(0), np.int8(RETRY))
    return settle(block, None, faults, check_mobile, pa.string(), MOBILE_REASONS)


def check_telephone(text: str | None) -> Verdict:
    """A telephone number: mobile, landline (``010-12345678-12``; the area code may be missing) or service number."""
    if text is None or is_empty(text):
        return EMPTY
    if has_controls(text):
        return fault("text.control")
    digits = squeeze(text) if len(text) <= 64 else ""
    mobile = _MOBILE.fullmatch(digits.replace("-", ""))
    if mobile:
        return passed(mobile[1])
    bare = re.sub(r"[()]", "", digits)
    head, dash, tail = bare.rpartition("-")
    if _SERVICE.fullmatch(bare.replace("-", "")):
        return passed(bare.replace("-", ""))
    # A last group of up to six digits behind a number that is already complete is an extension.
    for number in ((head.replace("-", "") + "-" + tail) if dash else "", bare.replace("-", "")):
        match = _LANDLINE.fullmatch(number)
        if match:
            return passed("-".join(part for part in (_area_code(match[1]), match[2], match[3]) if part))
    return fault("telephone.format")


def _area_code(digits: str | None) -> str | None:
    return digits if digits is None or digits.startswith("0") else "0" + digits


def column_telephone(column: Column) -> ColumnVerdict:
    """Twin of :func:`check_telephone`."""
    return by_distinct(column, check_telephone, TELEPHONE_REASONS)


def check_email(text: str | None) -> Verdict:
    """An e-mail address; the domain becomes lower case."""
    if text is None or is_empty(text):
        return EMPTY
    if has_controls(text):
        return fault("text.control")
    tidy = fold(text)
    if len(tidy) > 254 or not _EMAIL.fullmatch(tidy):
        return fault("email.format")
    name, _, domain = tidy.rpartition("@")
    return passed(f"{name}@{domain.lower()}")


def column_email(column: Column) -> ColumnVerdict:
    """Twin of :func:`check_email`."""
    return by_distinct(column, check_email, EMAIL_REASONS)


def check_url(text: str | None) -> Verdict:
    """A web address (http, https, ftp); a bare host or path gets ``http://``; scheme and host become lower case."""
    if text is None or is_empty(text):
        return EMPTY
    if has_controls(text):
        return fault("text.control")
    tidy = fold(text)
    if len(tidy) > 2000 or any(character.isspace() for character in tidy):
        return fault("url.format")
    try:
        parts = urlsplit(tidy if "://" in tidy else f"http://{tidy}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return fault("url.format")
    if parts.scheme not in ("http", "https", "ftp") or not _HOST.fullmatch(host) or "@" in parts.netloc:
        return fault("url.format")
    return passed(parts._replace(netloc=f"{host}:{port}" if port is not None else host).geturl())


def column_url(column: Column) -> ColumnVerdict:
    """Twin of :func:`check_url`."""
    return by_distinct(column, check_url, URL_REASONS)
