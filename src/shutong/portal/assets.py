"""What the pages load beside static files: the Vega bundle for charts, the tag of our own scripts, the mark of the site."""

from __future__ import annotations

import functools
import gzip
import hashlib
from importlib.resources import files
from pathlib import Path

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, HttpResponsePermanentRedirect
from django.templatetags.static import static
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

_STATIC = Path(__file__).with_name("static") / "portal"


@functools.cache
def static_version() -> str:
    """A short tag of our own style and scripts: browsers keep them for an hour, and a new release has another tag."""
    digest = hashlib.sha256()
    for path in sorted(_STATIC.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


@functools.cache
def vega_bundle() -> tuple[bytes, bytes, str]:
    """Vega, Vega-Lite and Vega-Embed in one script that sets ``window.vegaEmbed``; the same packed by gzip; its tag."""
    content = (files("js_lib_vega_embed") / "static/js_lib_vega_embed/vega-embed-full.js").read_bytes()
    return content, gzip.compress(content, mtime=0), f'"{hashlib.sha256(content).hexdigest()[:20]}"'


@require_safe
def vega(request: HttpRequest) -> HttpResponse:
    """``/assets/vega.js``."""
    content, packed, tag = vega_bundle()
    if request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified()
    takes_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(packed if takes_gzip else content, content_type="text/javascript; charset=utf-8")
    if takes_gzip:
        response["Content-Encoding"] = "gzip"
    response["ETag"], response["Cache-Control"] = tag, "public, max-age=86400"
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


@require_safe
def favicon(_request: HttpRequest) -> HttpResponse:
    """``/favicon.ico``, which browsers ask for beside answers that are no pages (JSON)."""
    return HttpResponsePermanentRedirect(static("portal/mark.svg"))
