"""The pages of the libraries: what each holds, from whom, and in which order of authority."""

from __future__ import annotations

from typing import Any

from django.test import Client


def test_libraries_are_listed_with_their_sources(site: Client, rows: dict[str, list[dict[str, Any]]]) -> None:
    page = site.get("/libraries").content.decode()
    assert "法人" in page and 'href="/libraries/legal-entity"' in page
    assert "population" not in page, "a library that is not public is not listed"
    catalog = site.get("/catalog").content.decode()
    assert 'href="/libraries"' in catalog


def test_a_library_names_the_authority_of_each_attribute(site: Client, rows: dict[str, list[dict[str, Any]]]) -> None:
    page = site.get("/libraries/legal-entity").content.decode()
    assert "来源，权威在前" in page and "市场主体登记信息：住所 › " in page
    english = site.get("/libraries/legal-entity", headers={"accept-language": "en"}).content.decode()
    assert "Sources, highest authority first" in english
    assert site.get("/libraries/population").status_code == 404
