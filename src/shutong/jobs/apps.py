"""The Django app of the area jobs."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Registers the area's tables under the label ``jobs``."""

    name = "shutong.jobs"
    label = "jobs"
    verbose_name = "后台任务"
    default_auto_field = "django.db.models.BigAutoField"
