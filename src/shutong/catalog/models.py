"""Published declarations: the truth at run time of what departments, resources, libraries and rules there are."""

from __future__ import annotations

from django.db import models


class Publication(models.Model):
    """One act of publishing: an installed or upgraded pack, or a declaration changed on a screen.

    ``digest`` stands for everything that is in force after it (SHA-256 over the digest before and what changed).
    """

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    by = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)


class PublishedDeclaration(models.Model):
    """One version of a declaration; never changed, only followed by the next.

    ``content`` is JSON with the keys of the YAML file in their order, ``result_hash`` the hash of what changes a result
    (``spec.Catalog.hash_of``), ``from_pack`` the pack file's content that this version knows of: where the two differ,
    somebody changed the declaration here, and an upgrade merges.
    """

    publication = models.ForeignKey(Publication, on_delete=models.PROTECT, related_name="declarations")
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=64)
    version = models.IntegerField()
    pack = models.CharField(max_length=64)
    content = models.TextField()
    from_pack = models.TextField(blank=True)
    result_hash = models.CharField(max_length=64, blank=True)
    withdrawn = models.BooleanField(default=False)
    source = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("kind", "name", "version")
        constraints = (models.UniqueConstraint(fields=("kind", "name", "version"), name="catalog_version_once"),)

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}@{self.version}"


class Department(models.Model):
    """A department as the packs in force declare it; one that no pack declares any more stays, no longer current."""

    name = models.CharField(max_length=64, primary_key=True)
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200, blank=True)
    level = models.CharField(max_length=20)
    area = models.CharField(max_length=12, blank=True)
    credit_code = models.CharField(max_length=18, blank=True)
    current = models.BooleanField(default=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
