"""What a check answers: for one value a :class:`Verdict`, for a column a :class:`ColumnVerdict`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shutong.standards.reasons import REASONS, Reason

__all__ = [
    "EMPTY",
    "REASONS",
    "Column",
    "ColumnVerdict",
    "Faults",
    "Reason",
    "Values",
    "Verdict",
    "arrow",
    "compute",
    "fault",
    "passed",
]

arrow: Any = pa
compute: Any = pc
"""Arrow and its kernels, untyped: the stubs only follow types fixed in the source, and ours are chosen as data."""

Values: TypeAlias = "pa.Array[Any]"
Column: TypeAlias = "pa.Array[Any] | pa.ChunkedArray[Any]"
Faults: TypeAlias = "npt.NDArray[np.int8]"


@dataclass(frozen=True)
class Verdict:
    """Answer of a check for one value.

    ``valid`` is true only for a value that is there and right; an empty value has ``valid=False`` and the reason
    ``empty``, so that the caller decides whether emptiness is allowed. ``canonical`` is the one spelling the platform
    stores (None unless valid). ``reason`` is a stable key of :data:`REASONS`, ``reason_zh`` its Chinese text.
    """

    valid: bool
    canonical: str | None
    reason: str | None
    reason_zh: str | None

    @property
    def empty(self) -> bool:
        """True when there was no value to judge."""
        return self.reason == "empty"


def passed(canonical: str) -> Verdict:
    """The verdict of a right value."""
    return Verdict(True, canonical, None, None)


def fault(reason: str) -> Verdict:
    """The verdict of a wrong value; ``reason`` must be listed in :data:`REASONS` (KeyError otherwise)."""
    return Verdict(False, None, reason, REASONS[reason].zh)


EMPTY = fault("empty")


@dataclass(frozen=True)
class ColumnVerdict:
    """Answer of a check for a column of n rows.

    ``canonical``: n values of the element's Arrow type, null where the cell is empty or wrong.
    ``fault``: n times int8: 0 right, -1 empty, k > 0 wrong for ``reasons[k]``. ``reasons[0]`` is always ``"ok"``.
    """

    canonical: Values
    fault: Values
    reasons: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.fault)

    def reason_at(self, row: int) -> str | None:
        """The reason code of one row: None when right, ``empty``, or a key of :data:`REASONS`."""
        number = self.fault[row].as_py()
        if number < 0:
            return "empty"
        return self.reasons[number] if number else None

    def reason_codes(self) -> Values:
        """n reason codes as a dictionary array (``empty`` included), null where the value is right."""
        number = np.asarray(self.fault)
        names: Sequence[str] = (*self.reasons, "empty")
        where = np.where(number < 0, len(self.reasons), number).astype(np.int32)
        answer: Values = arrow.DictionaryArray.from_arrays(arrow.array(where, mask=number == 0), pa.array(names))
        return answer

    def counts(self) -> dict[str, int]:
        """How many rows have each reason (``ok`` and ``empty`` included; reasons that do not occur are left out)."""
        tally = np.bincount(np.asarray(self.fault).astype(np.int64) + 1, minlength=len(self.reasons) + 1)
        return {name: int(n) for name, n in zip(("empty", *self.reasons), tally, strict=True) if n}
