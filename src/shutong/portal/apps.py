"""The Django app of the area portal."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Registers the area's tables under the label ``portal``."""

    name = "shutong.portal"
    label = "portal"
    verbose_name = "门户"
    default_auto_field = "django.db.models.BigAutoField"
