"""The Django app of the area catalog."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Registers the area's tables under the label ``catalog``."""

    name = "shutong.catalog"
    label = "catalog"
    verbose_name = "目录"
    default_auto_field = "django.db.models.BigAutoField"
