"""Anonymous page views: counted per page and day, nobody's entry."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F

from shutong.audit.models import PageCount

FLUSH_SECONDS = 30.0
FLUSH_VIEWS = 1000


class PageCounter:
    """Counts in memory and adds to the table every 30 s or 1,000 views; a killed process loses that much at most."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._flushed = time.monotonic()

    def count(self, page: str) -> None:
        """Counts a view of ``page`` (the name of its address pattern, never the address with its arguments)."""
        with self._lock:
            self._counts[page] += 1
            due = self._counts.total() >= FLUSH_VIEWS or time.monotonic() - self._flushed >= FLUSH_SECONDS
        if due:
            self.flush()

    def flush(self) -> int:
        """Adds what was counted to the table; returns how many views."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            self._flushed = time.monotonic()
        day = datetime.now(ZoneInfo("Asia/Shanghai")).date()
        with transaction.atomic():
            for page, views in sorted(counts.items()):
                row, _ = PageCount.objects.get_or_create(day=day, page=page[:80])
                PageCount.objects.filter(pk=row.pk).update(count=F("count") + views)
        return counts.total()


pages = PageCounter()
"""The counter of this process."""
