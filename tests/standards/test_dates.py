"""Dates in the spellings of real deliveries, and the reasons of those refused."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from shutong.standards.dates import check_date, check_datetime, column_date, column_datetime


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-02", "2024/1/2", "2024/01/02", "2024.1.2", "2024.01.02", "20240102", "2024年1月2日", "2024年01月02日",
        "2024 年 1 月 2 日", "二〇二四年一月二日", "二○二四年一月二日", "二零二四年一月二日", "45293", "45293.0",
        "２０２４－０１－０２", " 2024-01-02　", "2024-01-02 00:00:00", "2024/1/2 8:05", "2024-01-02T03:04:05.123",
        "20240102030405", "2024年1月2日 3时4分5秒", "2024-01-01T23:00:00Z", "2024-01-02T12:00:00+08:00", "2024-1-2",
    ],
)  # fmt: skip
def test_spellings(text):
    assert check_date(text).canonical == "2024-01-02"
    assert column_date(pa.array([text])).canonical.to_pylist() == [dt.date(2024, 1, 2)]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("二〇二四年十二月三十一日", "2024-12-31"),
        ("二〇二四年十月二十日", "2024-10-20"),
        ("二〇二四年十一月廿一日", "2024-11-21"),
        ("二〇二四年一〇月一〇日", "2024-10-10"),
        ("2024-02-29", "2024-02-29"),
        ("9999-12-31", "9999-12-31"),
    ],
)
def test_more_days(text, day):
    assert check_date(text).canonical == day


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2024-02-30", "date.impossible"), ("2023-02-29", "date.impossible"), ("2024-13-01", "date.impossible"),
        ("2024-00-10", "date.impossible"), ("20240230", "date.impossible"), ("二〇二四年十三月一日", "date.impossible"),
        ("01/02/2024", "date.ambiguous"), ("31/12/2024", "date.ambiguous"), ("24-01-02", "date.ambiguous"),
        ("24年1月2日", "date.ambiguous"), ("2024-01", "date.incomplete"), ("2024年1月", "date.incomplete"),
        ("2024", "date.incomplete"), ("202401", "date.incomplete"), ("1月2日", "date.incomplete"),
        ("长期", "date.indefinite"), ("1024-01-02", "date.range"), ("2024-01-02 25:00", "date.time"),
        ("2024-01-02 10:61", "date.time"), ("昨天", "date.format"), ("2024-01/02", "date.format"), ("1", "date.format"),
        ("2024-01-02\x00", "text.control"), ("x" * 100, "date.format"), ("— —", "empty"), ("无", "empty"), ("/", "empty"),
    ],
)  # fmt: skip
def test_refusals(text, reason):
    assert check_date(text).reason == reason
    assert column_date(pa.array([text])).reason_at(0) == reason


def test_every_day_of_four_centuries_by_columns():
    days = np.arange(np.datetime64("1800-01-01"), np.datetime64("2200-01-01"))
    texts = days.astype(str)
    for spelling in (texts, np.char.replace(texts, "-", "/"), np.char.replace(texts, "-", "")):
        verdict = column_date(pa.array(spelling.tolist()))
        assert (np.asarray(verdict.fault) == 0).all()
        assert (np.asarray(verdict.canonical) == days).all()


def test_moments_are_legal_time():
    assert check_datetime("2024-01-02T20:00:00Z").canonical == "2024-01-03T04:00:00"
    assert check_datetime("2024-01-02").canonical == "2024-01-02T00:00:00"
    column = column_datetime(pa.array(["2024-01-02 03:04:05", "2024/1/2 3:04", None]))
    expected = [
        dt.datetime.fromisoformat("2024-01-02T03:04:05"),
        dt.datetime.fromisoformat("2024-01-02T03:04:00"),
        None,
    ]
    assert column.canonical.to_pylist() == expected
