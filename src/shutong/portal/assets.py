"""Scripts that are made on this machine: the Vega bundle for charts, from the library that also draws on the server."""

from __future__ import annotations

import hashlib
import threading
from importlib.metadata import version
from pathlib import Path

import vl_convert
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.views.decorators.http import require_safe

_lock = threading.Lock()
_made: dict[str, tuple[bytes, str]] = {}


def vega_bundle() -> tuple[bytes, str]:
    """The bundle (an ES module that sets ``window.vegaEmbed``) and its tag; made once per home and kept in its temp."""
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
            _made["vega"] = content, f'"{hashlib.sha256(content).hexdigest()[:20]}"'
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
    content, tag = vega_bundle()
    if request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified()
    response = HttpResponse(content, content_type="text/javascript; charset=utf-8")
    response["ETag"], response["Cache-Control"] = tag, "public, max-age=86400"
    return response
