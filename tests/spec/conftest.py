"""Two depths of property tests: ``SHUTONG_TEST_DEPTH=ci`` (the default) and ``deep``."""

import os

from hypothesis import HealthCheck, settings

_QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much]
settings.register_profile("spec-ci", max_examples=60, deadline=None, suppress_health_check=_QUIET, derandomize=True)
settings.register_profile("spec-deep", max_examples=3000, deadline=None, suppress_health_check=_QUIET)

PROFILE = settings.get_profile("spec-deep" if os.environ.get("SHUTONG_TEST_DEPTH") == "deep" else "spec-ci")
