"""The Django app of the area collect."""

from django.apps import AppConfig


class CollectConfig(AppConfig):
    """Registers the area's tables under the label ``collect``."""

    name = "shutong.collect"
    label = "collect"
    verbose_name = "归集"
    default_auto_field = "django.db.models.BigAutoField"
