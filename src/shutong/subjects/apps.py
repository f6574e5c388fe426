"""The Django app of the area subjects."""

from django.apps import AppConfig


class SubjectsConfig(AppConfig):
    """Registers the area's tables under the label ``subjects``."""

    name = "shutong.subjects"
    label = "subjects"
    verbose_name = "主体"
    default_auto_field = "django.db.models.BigAutoField"
