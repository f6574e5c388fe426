"""Where tests find the public reference data (areas, industries, law texts), which is not part of the project."""

from __future__ import annotations

import os
from pathlib import Path


def reference_data() -> Path | None:
    """The folder named by ``SHUTONG_REFERENCE_DATA``, or ``shared/data`` beside the checkout; None when absent."""
    named = os.environ.get("SHUTONG_REFERENCE_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    return folder if folder.is_dir() else None
