"""The addresses of the site."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from . import assets
from .api.site import api
from .pages import browse, operations, public, service, session, style, work

handler403 = service.forbidden
handler404 = service.not_found
handler500 = service.failed

urlpatterns: list[URLPattern | URLResolver] = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("assets/vega.js", assets.vega, name="vega"),
    path("healthz", service.healthz, name="healthz"),
    path("readyz", service.readyz, name="readyz"),
    path("metrics", service.metrics, name="metrics"),
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
    path("api/v1/", api.urls),
    path("style", style.style, name="style"),
    path("sign-in", session.sign_in, name="sign-in"),
    path("sign-out", session.sign_out, name="sign-out"),
    path("act-for", session.act_for, name="act-for"),
    path("departments/<slug:name>", work.department, name="department"),
    path("departments/<slug:name>/deliver", work.deliver, name="deliver"),
    path("batches/<slug:batch_id>", work.batch, name="batch"),
    path("batches/<slug:batch_id>/rejected.<slug:form>", work.rejects, name="rejects"),
    path("tickets/<int:number>", work.ticket, name="ticket"),
    path("tickets/<int:number>/give-up", work.give_up, name="give-up"),
    path("operations", operations.operations, name="operations"),
    path("operations/run", operations.rerun, name="rerun"),
    path("operations/runs/<slug:run_id>", operations.run, name="run"),
    path("audit", operations.audit, name="audit"),
    path("audit/verify", operations.audit_verify, name="audit-verify"),
]
