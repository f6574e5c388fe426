"""The Django app of the area pipeline."""

from django.apps import AppConfig


class PipelineConfig(AppConfig):
    """Registers the area's tables under the label ``pipeline``."""

    name = "shutong.pipeline"
    label = "pipeline"
    verbose_name = "流水线"
    default_auto_field = "django.db.models.BigAutoField"
