"""Scripts that are made on this machine: the Vega bundle for charts, from the library that also draws on the server."""

from __future__ import annotations

import functools
import gzip
import hashlib
import threading
from importlib.metadata import version
from pathlib import Path

import vl_convert
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

_STATIC = Path(__file__).with_name("static") / "portal"
_lock = threading.Lock()
_made: dict[str, tuple[bytes, bytes, str]] = {}


@functools.cache
def static_version() -> str:
    """A short tag of our own style and scripts: browsers keep them for an hour, and a new release has another tag."""
    digest = hashlib.sha256()
    for path in sorted(_STATIC.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def vega_bundle() -> tuple[bytes, bytes, str]:
    """The bundle (an ES module that sets ``window.vegaEmbed``), the same packed by gzip, and its tag.

    Made once per home and kept in its temp folder.
    """
    with _lock:
        if "vega" not in _made:
            folder = settings.FILE_UPLOAD_TEMP_DIR
            kept = Path(folder) / f"vega-{version('vl-convert-python')}.js" if folder else None
            if kept is not None and kept.exists():
                content = kept.read_bytes()
            else:
                # Without a snippet the bundle sets the three libraries on the window.
                content = vl_convert.javascript_bundle().encode()  # type: ignore[call-arg]
                if kept is not None:
                    _keep(kept, content)
            _made["vega"] = content, gzip.compress(content, mtime=0), f'"{hashlib.sha256(content).hexdigest()[:20]}"'
        return _made["vega"]


def _keep(path: Path, content: bytes) -> None:
    """Keep the bundle for other processes; a folder that cannot be written only costs two seconds there."""
    draft = path.with_suffix(f".{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)


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
