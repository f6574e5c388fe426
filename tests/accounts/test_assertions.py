"""Assertions of programs: good ones of every kind pass, and nothing else does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from shutong.accounts.assertions import AssertionRefusedError, ClientKey, check_assertion, public_key

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
AUDIENCE = "https://data.example/oauth/token"
PRIVATE = {
    "ES256": ECKey.generate_key("P-256"),
    "RS256": RSAKey.generate_key(2048),
    "EdDSA": OKPKey.generate_key("Ed25519"),
}
PRIVATE["PS256"] = PRIVATE["RS256"]
KEYS = [ClientKey(alg, key.as_dict(private=False), NOW - timedelta(days=1)) for alg, key in PRIVATE.items()]


def signed(alg: str = "ES256", kid: str | None = None, **changes: Any) -> str:
    at = int(NOW.timestamp())
    claims = {"iss": "tax", "sub": "tax", "aud": AUDIENCE, "jti": "one", "iat": at, "exp": at + 120} | changes
    return jws.serialize_compact({"alg": alg, "kid": kid or alg}, json.dumps(claims), PRIVATE[alg], algorithms=[alg])


def check(text: str, keys: list[ClientKey] = KEYS, now: datetime = NOW) -> Any:
    return check_assertion(text, client="tax", audience=AUDIENCE, keys=keys, now=now)


def refused(text: str, **more: Any) -> str:
    with pytest.raises(AssertionRefusedError) as caught:
        check(text, **more)
    return caught.value.reason


@pytest.mark.parametrize("alg", sorted(PRIVATE))
def test_a_good_assertion_passes(alg: str) -> None:
    found = check(signed(alg))
    assert (found.client, found.id, found.kid, found.expires) == ("tax", "one", alg, NOW + timedelta(seconds=120))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "health"}, "issuer"),
        ({"sub": "health"}, "issuer"),
        ({"aud": "https://other.example/"}, "audience"),
        ({"aud": [AUDIENCE, "https://other.example/"]}, "audience"),
        ({"jti": ""}, "id"),
        ({"jti": "x" * 129}, "id"),
        ({"exp": int(NOW.timestamp()) - 30}, "expired"),
        ({"nbf": int(NOW.timestamp()) + 31}, "early"),
        ({"exp": int(NOW.timestamp()) + 301}, "lifetime"),
        ({"exp": True}, "claims"),
        ({"exp": 1e300}, "claims"),
    ],
)
def test_wrong_claims_are_refused(changes: dict[str, Any], reason: str) -> None:
    assert refused(signed(**changes)) == reason


def test_clocks_may_differ_by_the_leeway_and_no_more() -> None:
    check(signed(), now=NOW + timedelta(seconds=149))
    check(signed(), now=NOW - timedelta(seconds=30))
    assert refused(signed(), now=NOW + timedelta(seconds=150)) == "expired"
    assert refused(signed(), now=NOW - timedelta(hours=1)) == "early"


def test_keys_that_do_not_count() -> None:
    key = KEYS[0]
    assert refused(signed(kid="unknown")) == "kid"
    assert refused(signed(), keys=[replace(key, revoked=True)]) == "key"
    assert refused(signed(), keys=[replace(key, valid_until=NOW)]) == "key"
    assert refused(signed(), keys=[replace(key, valid_from=NOW + timedelta(seconds=1))]) == "key"
    other = ClientKey("ES256", ECKey.generate_key("P-256").as_dict(private=False), key.valid_from)
    assert refused(signed(), keys=[other]) == "signature"


@pytest.mark.parametrize("alg", ["none", "HS256"])
def test_no_signature_and_the_public_key_as_secret(alg: str) -> None:
    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    body = f"{part(json.dumps({'alg': alg, 'kid': 'RS256'}).encode())}.{signed('RS256').split('.')[1]}"
    pem = PRIVATE["RS256"].as_pem(private=False)
    forged = part(hmac.new(pem, body.encode(), hashlib.sha256).digest()) if alg == "HS256" else ""
    assert refused(f"{body}.{forged}") in {"alg", "signature"}


@pytest.mark.parametrize("text", ["", "..", "a.b.c", "数据", "x" * 8193])
def test_broken_and_huge_input(text: str) -> None:
    assert refused(text) in {"signature", "length"}


def test_keys_that_may_not_be_registered() -> None:
    short = {"kty": "RSA", "n": base64.urlsafe_b64encode(b"\xff" * 128).rstrip(b"=").decode(), "e": "AQAB"}
    private = PRIVATE["ES256"].as_dict(private=True)
    curve = ECKey.generate_key("P-384").as_dict(private=False)
    for jwk in (short, private, curve, {"kty": "oct", "k": "c2VjcmV0"}, {}, {"kty": "EC", "crv": "P-256"}):
        with pytest.raises(AssertionRefusedError):
            public_key(jwk)


GOOD = signed("EdDSA")  # the last letter of its signature holds unused bits, so it is left alone


@given(st.integers(0, len(GOOD) - 2), st.characters(codec="ascii"))
def test_a_changed_assertion_never_passes(place: int, letter: str) -> None:
    changed = GOOD[:place] + letter + GOOD[place + 1 :]
    if changed != GOOD:
        refused(changed)
