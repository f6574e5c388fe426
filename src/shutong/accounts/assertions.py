"""Assertions by which a department's program proves who it is (RFC 7523, private_key_jwt): the check of one.

Pure: no clock, no database. Whoever calls must refuse an id (``jti``) that was
used before, and remember it until ``LEEWAY`` after the assertion expires, since it passes until then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, GuestProtocol, OKPKey, RSAKey, import_key

ALGORITHMS = {"EC": ("ES256",), "RSA": ("PS256", "RS256"), "OKP": ("EdDSA",)}
"""What a key of each type may sign with. Symmetric algorithms and "none" are in no list."""
MIN_RSA_BITS = 2048
MAX_LENGTH = 8192
MAX_ID_LENGTH = 128
MAX_LIFETIME = timedelta(minutes=5)
LEEWAY = timedelta(seconds=30)

Key = ECKey | OKPKey | RSAKey


class AssertionRefusedError(ValueError):
    """The assertion or key proves nothing. ``reason`` is a short code for the audit log; it holds nothing that was sent."""

    def __init__(self, reason: str, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.reason = reason
        self.zh = zh
        self.en = en


@dataclass(frozen=True)
class ClientKey:
    """A public key of a program; it counts from ``valid_from`` until before ``valid_until``, and never once revoked."""

    kid: str
    jwk: Mapping[str, Any]
    valid_from: datetime
    valid_until: datetime | None = None
    revoked: bool = False


@dataclass(frozen=True)
class Assertion:
    """What a good assertion says: the program, the id that may be used once, and the instant it expires (UTC)."""

    client: str
    id: str
    kid: str
    expires: datetime


def public_key(jwk: Mapping[str, Any]) -> Key:
    """The key in a JWK (RFC 7517). Raises AssertionRefusedError for a private, symmetric, short or broken one."""
    bad = AssertionRefusedError(
        "key",
        "公钥须为 P-256、Ed25519 或不少于 2048 位的 RSA 公钥（JWK）。",
        "The key must be a public JWK: P-256, Ed25519, or RSA of 2048 bits or more.",
    )
    if jwk.get("kty") not in ALGORITHMS or "d" in jwk:
        raise bad
    try:
        key = import_key(dict(jwk))
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise bad from error
    if isinstance(key, RSAKey) and key.public_key.key_size >= MIN_RSA_BITS:
        return key
    if isinstance(key, ECKey | OKPKey) and jwk.get("crv") in {"P-256", "Ed25519"}:
        return key
    raise bad


def check_assertion(text: str, *, client: str, audience: str, keys: Sequence[ClientKey], now: datetime) -> Assertion:
    """Check signature and claims of a compact JWS against the program's keys. Raises AssertionRefusedError."""
    if len(text) > MAX_LENGTH:
        raise _refused("length")
    chosen: list[ClientKey] = []

    def find(found: GuestProtocol) -> Key:
        kid = found.headers().get("kid")
        key = next((key for key in keys if key.kid == kid), None)
        if key is None:
            raise _refused("kid")
        if key.revoked or now < key.valid_from or (key.valid_until is not None and now >= key.valid_until):
            raise _refused("key")
        if found.headers().get("alg") not in ALGORITHMS.get(str(key.jwk.get("kty")), ()):
            raise _refused("alg")
        chosen.append(key)
        return public_key(key.jwk)

    allowed = [name for names in ALGORITHMS.values() for name in names]
    try:
        claims = json.loads(jws.deserialize_compact(text, find, algorithms=allowed).payload)
    except AssertionRefusedError:
        raise
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise _refused("signature") from error
    if not isinstance(claims, dict):
        raise _refused("claims")
    return _judge(claims, chosen[0].kid, client, audience, now)


def _judge(claims: dict[str, Any], kid: str, client: str, audience: str, now: datetime) -> Assertion:
    if claims.get("iss") != client or claims.get("sub") != client:
        raise _refused("issuer")
    if claims.get("aud") not in (audience, [audience]):
        raise _refused("audience")
    used = claims.get("jti")
    if not isinstance(used, str) or not 0 < len(used) <= MAX_ID_LENGTH:
        raise _refused("id")
    expires = _instant(claims.get("exp"))
    starts = [_instant(claims[name]) for name in ("nbf", "iat") if name in claims]
    if expires + LEEWAY <= now:
        raise _refused("expired")
    if any(start - LEEWAY > now for start in starts):
        raise _refused("early")
    if expires > now + MAX_LIFETIME + LEEWAY or any(expires - start > MAX_LIFETIME for start in starts):
        raise _refused("lifetime")
    return Assertion(client, used, kid, expires)


def _instant(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refused("claims")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise _refused("claims") from error


def _refused(reason: str) -> AssertionRefusedError:
    return AssertionRefusedError(
        reason, f"客户端断言无效（{reason}）。", f"The client assertion is not valid ({reason})."
    )
