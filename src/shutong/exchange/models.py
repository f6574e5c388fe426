"""What the area exchange must remember: requests, what was decided of each item, and every version of a grant."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar, Literal, cast

from django.db import models

from shutong.exchange.extent import Extent, Method
from shutong.exchange.grant import Grant
from shutong.procedures.models import Case
from shutong.spec.models import Mask


class Unchangeable(models.Model):
    """A row that is written once; a change of mind is another row."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Writes a new row.

        Raises:
            TypeError: the row is there already.
        """
        if self.pk is not None:
            raise TypeError(f"{type(self).__name__} is written once; write another row")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuses.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"{type(self).__name__} is never deleted")


class ExtentRow(models.Model):
    """The columns of an ``Extent``: how much of a resource is asked or given."""

    masks = models.JSONField(help_text="[item, mask] in the resource's order")
    rows = models.TextField(blank=True, help_text="row condition; empty for all rows")
    methods = models.JSONField(help_text="names of methods, in order")
    starts_on = models.DateField()
    ends_on = models.DateField(help_text="the last day")
    quota = models.BigIntegerField(null=True)

    class Meta:
        abstract = True

    @property
    def extent(self) -> Extent:
        """The columns as a value."""
        return Extent(
            masks={name: cast(Mask, mask) for name, mask in self.masks},
            rows=self.rows or None,
            methods=frozenset(cast("list[Method]", self.methods)),
            starts_on=self.starts_on,
            ends_on=self.ends_on,
            quota=self.quota,
        )


def columns_of(extent: Extent) -> dict[str, Any]:
    """The values of an ``ExtentRow`` for an extent."""
    return {
        "masks": [[name, mask] for name, mask in extent.masks.items()],
        "rows": extent.rows or "",
        "methods": sorted(extent.methods),
        "starts_on": extent.starts_on,
        "ends_on": extent.ends_on,
        "quota": extent.quota,
    }


class SharingGrant(models.Model):
    """A grant; what it gives on a day stands in its versions. ``case`` is its life as a procedure."""

    receiver = models.CharField(max_length=64, db_index=True)
    owner = models.CharField(max_length=64, db_index=True)
    resource = models.CharField(max_length=64, db_index=True)
    case = models.OneToOneField(Case, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"grant/{self.pk}"

    @property
    def latest(self) -> GrantVersion:
        """The newest version."""
        return self.versions.order_by("-number")[0]


class ShareRequest(ExtentRow):
    """What a department asks of a resource, and where that stands; the steps are those of its cases.

    ``outcome`` and the days beside it are what figures are counted from; ``renews`` is the grant it would prolong.
    """

    class Outcome(models.TextChoices):
        """What came of it."""

        OPEN = "", "办理中"
        GRANTED = "granted", "同意共享"
        PARTLY = "partly", "部分同意"
        REFUSED = "refused", "不予共享"
        CANCELLED = "cancelled", "已撤回"

    class Frequency(models.TextChoices):
        """How often the data is needed."""

        ONCE = "once", "一次"
        ON_DEMAND = "on-demand", "按需"
        REALTIME = "realtime", "实时"
        DAILY = "daily", "每日"
        WEEKLY = "weekly", "每周"
        MONTHLY = "monthly", "每月"

    asked_by = models.CharField(max_length=64)
    asked_by_name = models.CharField(max_length=64, blank=True)
    receiver = models.CharField(max_length=64, db_index=True)
    owner = models.CharField(max_length=64, db_index=True)
    resource = models.CharField(max_length=64, db_index=True)
    resource_version = models.IntegerField(help_text="version of the resource in the catalog when it was asked")
    purpose = models.TextField()
    basis = models.TextField(help_text="law under which the receiver needs it")
    frequency = models.CharField(max_length=10, choices=Frequency.choices)
    route = models.CharField(max_length=10, help_text="who decides: platform, owner, bureau or nobody")
    asked_on = models.DateField(help_text="business day")
    case = models.OneToOneField(Case, on_delete=models.PROTECT, null=True, related_name="+")
    dispute = models.OneToOneField(Case, on_delete=models.PROTECT, null=True, related_name="+")
    renews = models.ForeignKey(SharingGrant, on_delete=models.PROTECT, null=True, related_name="renewals")
    outcome = models.CharField(max_length=9, choices=Outcome.choices, blank=True, db_index=True)
    answered_on = models.DateField(null=True)
    answer_due_on = models.DateField(null=True, help_text="last day of the legal term when it was answered")
    ready_on = models.DateField(null=True)
    ready_due_on = models.DateField(null=True, help_text="last day of the legal term for supplying")

    class Meta:
        """Newest first; the ways it is looked up have an index."""

        ordering: ClassVar = ["-asked_on", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["owner", "outcome"], name="request_by_owner"),
            models.Index(fields=["receiver", "outcome"], name="request_by_receiver"),
        ]

    def __str__(self) -> str:
        return f"request/{self.pk}"

    @property
    def course(self) -> Case:
        """Its case; every request that was made has one."""
        if self.case is None:
            raise ValueError(f"{self} has no case")
        return self.case


class Decision(Unchangeable, ExtentRow):
    """One decision about a request and how much it gives; nothing of it counts where ``gives`` is false."""

    class Side(models.TextChoices):
        """Who decided."""

        PLATFORM = "platform", "系统自动"
        OWNER = "owner", "提供部门"
        BUREAU = "bureau", "数据局"

    request = models.ForeignKey(ShareRequest, on_delete=models.PROTECT, related_name="decisions")
    number = models.IntegerField()
    side = models.CharField(max_length=8, choices=Side.choices)
    gives = models.BooleanField()
    basis = models.TextField(blank=True, help_text="legal basis of a refusal")
    reason = models.TextField(blank=True)
    resource_version = models.IntegerField(help_text="version of the resource it was decided by")
    on = models.DateField(help_text="business day")
    at = models.DateTimeField(auto_now_add=True)
    by = models.CharField(max_length=64)
    by_name = models.CharField(max_length=64, blank=True)

    class Meta:
        """In the order in which they were made."""

        ordering: ClassVar = ["request", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["request", "number"], name="exchange_decision_once")]

    def __str__(self) -> str:
        return f"{self.request}/{self.number} {self.side}"


class ItemDecision(Unchangeable):
    """What a decision says of one item that was asked."""

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="items")
    item = models.CharField(max_length=63)
    given = models.BooleanField()
    asked_mask = models.CharField(max_length=10)
    mask = models.CharField(max_length=10, blank=True, help_text="mask it is given with; empty where it is not given")
    basis = models.TextField(blank=True, help_text="legal basis of leaving it out")

    class Meta:
        """In the order of the request; each item once."""

        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["decision", "item"], name="exchange_item_once")]

    def __str__(self) -> str:
        return f"{self.item} {'given' if self.given else 'refused'}"


class GrantVersion(Unchangeable, ExtentRow):
    """A grant as it is from ``on`` until the next version; versions are only added."""

    class State(models.TextChoices):
        """Whether it may be used."""

        ACTIVE = "active", "有效"
        SUSPENDED = "suspended", "已暂停"
        WITHDRAWN = "withdrawn", "已撤销"

    class Change(models.TextChoices):
        """What made the version."""

        GRANTED = "granted", "授权"
        RENEWED = "renewed", "续期"
        DISPUTED = "disputed", "争议处理"
        SUSPENDED = "suspended", "暂停"
        RESUMED = "resumed", "恢复"
        WITHDRAWN = "withdrawn", "撤销"

    grant = models.ForeignKey(SharingGrant, on_delete=models.PROTECT, related_name="versions")
    number = models.IntegerField()
    request = models.ForeignKey(ShareRequest, on_delete=models.PROTECT, related_name="versions")
    state = models.CharField(max_length=9, choices=State.choices)
    change = models.CharField(max_length=9, choices=Change.choices)
    by_bureau = models.BooleanField(help_text="the data bureau made it; its suspension is its own to lift")
    reason = models.TextField(blank=True)
    on = models.DateField(help_text="business day from which it counts")
    at = models.DateTimeField(auto_now_add=True)
    by = models.CharField(max_length=64)
    by_name = models.CharField(max_length=64, blank=True)

    class Meta:
        """In the order in which they were made."""

        ordering: ClassVar = ["grant", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["grant", "number"], name="exchange_version_once")]

    def __str__(self) -> str:
        return f"{self.grant}@{self.number}"

    @property
    def value(self) -> Grant:
        """The version as the pure value that queries are compiled from."""
        extent, grant = self.extent, self.grant
        return Grant(
            grant=str(grant),
            receiver=grant.receiver,
            resource=grant.resource,
            items=tuple(extent.masks),
            rows=extent.rows,
            masks=extent.masks,
            methods=extent.methods,
            purpose=self.request.purpose,
            starts_on=extent.starts_on,
            ends_on=extent.ends_on,
            quota=extent.quota,
            state=cast('Literal["active", "suspended", "withdrawn"]', self.state),
        )

    def counts_on(self, day: dt.date) -> bool:
        """Whether the version lets anything out on ``day``: in force, and within its term."""
        return self.state == self.State.ACTIVE and self.starts_on <= day <= self.ends_on


class Delivery(Unchangeable):
    """One use of a grant: what left, under which version, and the receipt that the home signed for it.

    ``departure`` names the entry of the records that left (``audit.departures``); a count or a verification has none.
    """

    delivery = models.CharField(max_length=32, unique=True)
    version = models.ForeignKey(GrantVersion, on_delete=models.PROTECT, related_name="deliveries")
    method = models.CharField(max_length=8)
    on = models.DateField(help_text="business day; the quota is counted by it")
    at = models.DateTimeField(auto_now_add=True)
    rows = models.IntegerField(help_text="rows that left; a verification or a count is one")
    digest = models.CharField(max_length=64)
    departure = models.CharField(max_length=32, blank=True)
    receipt = models.TextField()
    by = models.CharField(max_length=64)
    by_name = models.CharField(max_length=64, blank=True)

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["version", "on"], name="delivery_by_day")]

    def __str__(self) -> str:
        return self.delivery
