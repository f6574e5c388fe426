"""The Django app of the area quality."""

from django.apps import AppConfig


class QualityConfig(AppConfig):
    """Registers the area's tables under the label ``quality``."""

    name = "shutong.quality"
    label = "quality"
    verbose_name = "质量"
    default_auto_field = "django.db.models.BigAutoField"
