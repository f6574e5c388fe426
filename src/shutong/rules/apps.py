"""The Django app of the area rules."""

from django.apps import AppConfig


class RulesConfig(AppConfig):
    """Registers the area's tables under the label ``rules``."""

    name = "shutong.rules"
    label = "rules"
    verbose_name = "规则"
    default_auto_field = "django.db.models.BigAutoField"
