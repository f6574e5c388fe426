"""The Django app of the area procedures."""

from django.apps import AppConfig


class ProceduresConfig(AppConfig):
    """Registers the area's tables under the label ``procedures``."""

    name = "shutong.procedures"
    label = "procedures"
    verbose_name = "程序"
    default_auto_field = "django.db.models.BigAutoField"
