"""What came in and what came of it, counted from the lake and the decisions: the figures of ``summary.json``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from shutong.engine.engine import Engine, engine_of
from shutong.engine.home import Home
from shutong.rules.models import Listing
from shutong.spec.catalog import Catalog


def summarise(home: Home, catalog: Catalog, stages: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Figures over the batches that are in, in total and per resource.

    Returns:
        ``total`` and each of ``resources``: received, accepted, rejected (received = accepted + rejected), flagged,
        batches, refused (batches), reasons (code, zh, en, rejected, flagged; the most frequent first); ``total`` also
        subjects, facts, listings, unidentified. ``stages``: as given, seconds and peak bytes.
    """
    engine = engine_of(home)
    try:
        batches = engine.query("SELECT resource, state, receipt FROM batches", {"batches": "batches"}).to_pylist()
        counts = {table: _count(engine, table) for table in ("facts", "unidentified")}
        subjects = _count(engine, "subjects")
    finally:
        engine.close()
    by_resource: dict[str, list[dict[str, Any]]] = {name: [] for name in catalog.resources}
    for batch in batches:
        by_resource.setdefault(batch["resource"], []).append(json.loads(batch["receipt"]))
    resources = [
        {"resource": name, "department": catalog.resources[name].department, **_figures(receipts)}
        for name, receipts in by_resource.items()
        if name in catalog.resources and receipts
    ]
    every = [receipt for receipts in by_resource.values() for receipt in receipts]
    listings = Listing.objects.filter(state=Listing.State.LISTED).count()
    total = {**_figures(every), "subjects": subjects, "listings": listings, **counts}
    return {"total": total, "resources": resources, "stages": list(stages)}


def _figures(receipts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    taken = [receipt for receipt in receipts if receipt["state"] == "in"]
    figures: dict[str, Any] = {
        key: sum(receipt[key] for receipt in taken) for key in ("received", "accepted", "rejected", "flagged")
    }
    rejected: Counter[str] = Counter()
    flagged: Counter[str] = Counter()
    texts: dict[str, tuple[str, str]] = {}
    for reason in (reason for receipt in taken for reason in receipt["reasons"]):
        rejected[reason["code"]] += reason["rejected"]
        flagged[reason["code"]] += reason["flagged"]
        texts.setdefault(reason["code"], (reason["zh"], reason["en"]))
    order = sorted(texts, key=lambda code: (-rejected[code], -flagged[code], code))
    reasons = [
        {"code": code, "zh": texts[code][0], "en": texts[code][1], "rejected": rejected[code], "flagged": flagged[code]}
        for code in order
    ]
    return {**figures, "batches": len(taken), "refused": len(receipts) - len(taken), "reasons": reasons}


def _count(engine: Engine, table: str) -> int:
    if not engine.lake.table(table).segments:
        return 0
    return int(engine.query("SELECT count(*) AS n FROM t", {"t": table}).column("n")[0].as_py())
