"""Two depths of the property tests: SHUTONG_TEST_DEPTH=ci (default, few examples) or deep."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

DEPTH = os.environ.get("SHUTONG_TEST_DEPTH", "ci")
settings.register_profile(
    "standards-ci", max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
settings.register_profile("standards-deep", max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("standards-deep" if DEPTH == "deep" else "standards-ci")
