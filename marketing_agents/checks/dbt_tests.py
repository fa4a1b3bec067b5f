"""Results of dbt's data tests, attributed to partitions through the rows that dbt stored as failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketing_agents.days import LocalDay

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class DbtTest:
    """One data test: the model it looks at, how many rows failed, and where dbt stored them."""

    name: str
    model: str
    severity: str
    failures: int
    relation: str | None


@dataclass(frozen=True)
class FailedTest:
    """A test with failures. `days`: failed rows per partition, or None when the stored rows name no partition (then all are meant)."""

    test: DbtTest
    days: dict[LocalDay, int] | None

    def failures_on(self, day: LocalDay) -> int:
        """Failed rows that concern the partition."""
        return self.test.failures if self.days is None else self.days.get(day, 0)


def attribute(test: DbtTest, stored: pa.Table | None) -> FailedTest:
    """Split the failures of a test by partition, where the stored rows have `advertiser_id` and `date`."""
    if stored is None or not {"advertiser_id", "date"} <= set(stored.column_names):
        return FailedTest(test, None)
    pairs = zip(stored.column("advertiser_id").to_pylist(), stored.column("date").to_pylist(), strict=True)
    return FailedTest(test, dict(Counter(LocalDay(a, d) for a, d in pairs if a is not None and d is not None)))


def failed_on(failed: Sequence[FailedTest], day: LocalDay, model: str | None = None) -> dict[DbtTest, int]:
    """Tests (of one model, or of all) that failed on a partition, with the number of rows."""
    found = {f.test: f.failures_on(day) for f in failed if model in (None, f.test.model)}
    return {test: rows for test, rows in found.items() if rows}
