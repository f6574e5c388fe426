"""People who sign in, their departments and roles, and failed sign-ins."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from shutong.accounts.permissions import ROLES


class UserManager(BaseUserManager["User"]):
    """Makes users. There is no superuser: what somebody may do follows from memberships alone."""

    def create_user(self, username: str, password: str | None, *, name: str = "") -> User:
        """A new active user; without a password nobody can sign in as it."""
        user = self.model(username=username, name=name or username)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A person who can sign in."""

    username = models.CharField("用户名", max_length=64, unique=True)
    name = models.CharField("姓名", max_length=64, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    demo = models.BooleanField(default=False)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    def get_full_name(self) -> str:
        """The name shown beside what the person did."""
        return self.name or self.username

    def __str__(self) -> str:
        return self.username


class Membership(models.Model):
    """A role that a user has, in a department where the role is one of departments."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=32, choices=[(name, role.title_zh) for name, role in ROLES.items()])
    department = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "role", "department"), name="accounts_membership_once"),)


class SignInFailure(models.Model):
    """Failed sign-ins in a row from one address under one name; the name is kept as a hash, it may be a password."""

    who = models.CharField(max_length=64)
    address = models.CharField(max_length=45)
    count = models.IntegerField(default=0)
    last_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("who", "address"), name="accounts_failure_once"),)
