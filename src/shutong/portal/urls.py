"""The addresses of the site."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from .pages import public

urlpatterns: list[URLPattern | URLResolver] = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("", public.home, name="home"),
    path("search", public.search_page, name="search"),
    path("subjects/<slug:subject_id>", public.subject, name="subject"),
    path("facts/<str:fact_id>", public.fact, name="fact"),
    path("records/<slug:record_id>", public.record, name="record"),
    path("lists", public.home, name="lists"),
    path("lists/<slug:name>", public.home, name="list"),
    path("statistics", public.home, name="statistics"),
    path("publicity", public.home, name="publicity"),
    path("catalog", public.home, name="catalog"),
    path("catalog/<slug:name>", public.home, name="resource"),
    path("about", public.home, name="about"),
    path("accessibility", public.home, name="accessibility"),
    path("api", public.home, name="api-guide"),
    path("sign-in", public.home, name="sign-in"),
    path("sign-out", public.home, name="sign-out"),
]
