"""The Django app of the area accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Registers the area's tables under the label ``accounts``."""

    name = "shutong.accounts"
    label = "accounts"
    verbose_name = "账户"
    default_auto_field = "django.db.models.BigAutoField"
