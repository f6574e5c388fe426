"""Codes of organisations and persons: the checks, their column twins, derivations and check digits in one place.

``check_*`` judge one value, ``column_*`` a whole Arrow column; ``make_*`` and ``check_digits_*`` complete codes.
"""

from shutong.standards.code_columns import (
    column_citizen_id,
    column_org_code,
    column_registration_no,
    column_taxpayer_no,
    column_uscc,
    org_code_of_taxpayer,
    org_code_of_uscc,
)
from shutong.standards.code_digits import (
    check_digits_citizen_id,
    check_digits_org_code,
    check_digits_registration_no,
    check_digits_uscc,
)
from shutong.standards.code_rules import (
    check_citizen_id,
    check_org_code,
    check_registration_no,
    check_taxpayer_no,
    check_uscc,
    make_citizen_id,
    make_org_code,
    make_registration_no,
    make_uscc,
    normalise_code,
)

__all__ = [
    "check_citizen_id",
    "check_digits_citizen_id",
    "check_digits_org_code",
    "check_digits_registration_no",
    "check_digits_uscc",
    "check_org_code",
    "check_registration_no",
    "check_taxpayer_no",
    "check_uscc",
    "column_citizen_id",
    "column_org_code",
    "column_registration_no",
    "column_taxpayer_no",
    "column_uscc",
    "make_citizen_id",
    "make_org_code",
    "make_registration_no",
    "make_uscc",
    "normalise_code",
    "org_code_of_taxpayer",
    "org_code_of_uscc",
]
