"""Publishes declarations: packs from files, single ones from a screen."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shutong.accounts.actions import action, note, send
from shutong.accounts.actors import Actor
from shutong.catalog.difference import Change, Prefer
from shutong.catalog.models import Department, Publication, PublishedDeclaration
from shutong.catalog.plan import InstallConflictError, NextVersion, Plan, plan_change, plan_install
from shutong.catalog.published import current_catalog
from shutong.spec.catalog import Catalog

__all__ = ["InstallConflictError", "Installed", "current_catalog", "install_packs", "publish_declaration"]


@dataclass(frozen=True)
class Installed:
    """What was published: the publication's number (None where nothing changed) and the changes by declaration."""

    publication: int | None
    changes: tuple[Change, ...]


@action(permission="catalog.install")
def install_packs(paths: Sequence[Path], *, prefer: Prefer | None = None, acting: Actor) -> Installed:
    """Installs packs, or upgrades them: only declarations that changed get a new version.

    Args:
        paths: packs, or folders of packs.
        prefer: which side counts where the pack and somebody here changed the same key.

    Raises:
        PackError: with every problem of the packs; nothing was installed.
        InstallConflictError: both sides changed the same keys and ``prefer`` does not say which counts.
    """
    plan = plan_install(paths, prefer)
    if plan.conflicts:
        raise InstallConflictError(plan.conflicts)
    return _publish(plan, acting)


@action(permission="catalog.install", audited=("kind", "name"))
def publish_declaration(kind: str, name: str, content: Mapping[str, Any], *, acting: Actor) -> Installed:
    """Publishes a declaration that was changed on a screen. A later upgrade of its pack merges with the change.

    Raises:
        PackError: the content is wrong in itself or together with what is published.
    """
    return _publish(plan_change(kind, name, content), acting)


def _publish(plan: Plan, acting: Actor) -> Installed:
    if not plan.versions:
        return Installed(None, plan.changes)
    before = Publication.objects.select_for_update().order_by("-number").first()
    digest = hashlib.sha256((before.digest if before else "").encode())
    publication = Publication(number=before.number + 1 if before else 1, at=datetime.now(UTC), by=acting.id)
    rows = [_row(version, plan.catalog) for version in plan.versions]
    for row in rows:
        digest.update(f"\n{row.kind} {row.name} {row.version} {row.withdrawn}\n{row.content}".encode())
    publication.digest = digest.hexdigest()
    publication.save(force_insert=True)
    for row in rows:
        row.publication = publication
    PublishedDeclaration.objects.bulk_create(rows)
    _keep_departments(plan.catalog)
    note(*[str(row) for row in rows[:500]], publication=publication.number, versions=len(rows))
    send("catalog.published", publication=publication.number)
    return Installed(publication.number, plan.changes)


def _row(version: NextVersion, catalog: Catalog) -> PublishedDeclaration:
    kind, name = version.key
    last = PublishedDeclaration.objects.filter(kind=kind, name=name).order_by("-version").first()
    return PublishedDeclaration(
        kind=kind,
        name=name,
        version=last.version + 1 if last else 1,
        pack=version.pack,
        content=version.content or (last.content if last else "{}"),
        from_pack=version.from_pack,
        result_hash=catalog.hash_of(kind, name) if version.content is not None else "",
        withdrawn=version.content is None,
        source=version.source[:300],
    )


def _keep_departments(catalog: Catalog) -> None:
    for name, department in catalog.departments.items():
        Department.objects.update_or_create(
            name=name,
            defaults={
                "title_zh": department.title.zh,
                "title_en": department.title.en or "",
                "level": department.level,
                "area": department.area or "",
                "credit_code": department.credit_code or "",
                "current": True,
            },
        )
    Department.objects.exclude(name__in=list(catalog.departments)).update(current=False)
