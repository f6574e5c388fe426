"""The addresses of the site."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from . import assets
from .api.site import api
from .pages import (
    audit,
    batches,
    catalog,
    department,
    figures,
    libraries,
    lists,
    operations,
    plain,
    public,
    review,
    service,
    session,
    sharing,
    statistics,
    style,
    tickets,
)

handler403 = service.forbidden
handler404 = service.not_found
handler500 = service.failed

urlpatterns: list[URLPattern | URLResolver] = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("assets/vega.js", assets.vega, name="vega"),
    path("favicon.ico", assets.favicon, name="favicon"),
    path("healthz", service.healthz, name="healthz"),
    path("readyz", service.readyz, name="readyz"),
    path("metrics", service.metrics, name="metrics"),
    path("", public.home, name="home"),
    path("search", public.search_page, name="search"),
    path("subjects/<slug:subject_id>", public.subject, name="subject"),
    path("facts/<str:fact_id>", public.fact, name="fact"),
    path("records/<slug:record_id>", public.record, name="record"),
    path("lists", lists.lists, name="lists"),
    path("lists/<slug:name>.csv", lists.list_csv, name="list-csv"),
    path("lists/<slug:name>", lists.one_list, name="list"),
    path("statistics", statistics.statistics, name="statistics"),
    path("statistics/<slug:name>", statistics.indicator, name="indicator"),
    path("publicity", statistics.publicity, name="publicity"),
    path("catalog", catalog.catalog, name="catalog"),
    path("catalog/<slug:name>", catalog.resource, name="resource"),
    path("libraries", libraries.libraries, name="libraries"),
    path("libraries/<slug:name>", libraries.library, name="library"),
    path("about", plain.about, name="about"),
    path("accessibility", plain.accessibility, name="accessibility"),
    path("api", plain.api_guide, name="api-guide"),
    path("api/v1/", api.urls),
    path("", include("shutong.portal.api.ogc")),
    path("style", style.style, name="style"),
    path("sign-in", session.sign_in, name="sign-in"),
    path("sign-out", session.sign_out, name="sign-out"),
    path("act-for", session.act_for, name="act-for"),
    path("departments/<slug:name>", department.department, name="department"),
    path("departments/<slug:name>/tickets", tickets.tickets, name="tickets"),
    path("departments/<slug:name>/deliver", batches.deliver, name="deliver"),
    path("batches/<slug:batch_id>", batches.batch, name="batch"),
    path("batches/<slug:batch_id>/rejected.<slug:form>", batches.rejects, name="rejects"),
    path("tickets/<int:number>", tickets.ticket, name="ticket"),
    path("tickets/<int:number>/give-up", tickets.give_up, name="give-up"),
    path("operations", operations.operations, name="operations"),
    path("operations/run", operations.rerun, name="rerun"),
    path("operations/runs/<slug:run_id>", operations.run, name="run"),
    path("figures", figures.figures, name="figures"),
    path("review", review.review, name="review"),
    path("review/<slug:case_key>/decide", review.decide, name="review-decide"),
    path("review/decisions/<slug:decision_id>/undo", review.undo, name="review-undo"),
    path("sharing", sharing.sharing, name="sharing"),
    path("sharing/requests/<int:number>", sharing.share_request, name="share-request"),
    path("sharing/requests/<int:number>/<slug:verb>", sharing.share_step, name="share-step"),
    path("sharing/ask/<slug:resource>", sharing.ask, name="share-ask"),
    path("audit", audit.audit, name="audit"),
    path("audit/verify", audit.audit_verify, name="audit-verify"),
]
