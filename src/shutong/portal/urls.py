"""The addresses of the site."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from . import assets
from .pages import browse, public

urlpatterns: list[URLPattern | URLResolver] = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("assets/vega.js", assets.vega, name="vega"),
    path("", public.home, name="home"),
    path("search", public.search_page, name="search"),
    path("subjects/<slug:subject_id>", public.subject, name="subject"),
    path("facts/<str:fact_id>", public.fact, name="fact"),
    path("records/<slug:record_id>", public.record, name="record"),
    path("lists", browse.lists, name="lists"),
    path("lists/<slug:name>.csv", browse.list_csv, name="list-csv"),
    path("lists/<slug:name>", browse.one_list, name="list"),
    path("statistics", browse.statistics, name="statistics"),
    path("statistics/<slug:name>", browse.indicator, name="indicator"),
    path("publicity", browse.publicity, name="publicity"),
    path("catalog", browse.catalog, name="catalog"),
    path("catalog/<slug:name>", browse.resource, name="resource"),
    path("about", browse.about, name="about"),
    path("accessibility", browse.accessibility, name="accessibility"),
    path("api", browse.api_guide, name="api-guide"),
    path("sign-in", public.home, name="sign-in"),
    path("sign-out", public.home, name="sign-out"),
]
