"""The Django app of the area exchange."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    """Registers the area's tables under the label ``exchange``."""

    name = "shutong.exchange"
    label = "exchange"
    verbose_name = "共享交换"
    default_auto_field = "django.db.models.BigAutoField"
