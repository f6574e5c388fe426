"""The Django app of the area audit."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Registers the area's tables under the label ``audit``."""

    name = "shutong.audit"
    label = "audit"
    verbose_name = "审计"
    default_auto_field = "django.db.models.BigAutoField"
