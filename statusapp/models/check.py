"""The results of checks. Their shape is fixed: small integers only, no surrogate key, no index but the key.

They have no foreign key either: the deletion of an endpoint must not delete millions of rows in one transaction. What
it leaves behind goes with the daily clean-up, in batches.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Index, Integer, LargeBinary, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from statusapp.domain.enums import CheckKind, ErrorKind, Outcome
from statusapp.extensions import Base
from statusapp.models.types import EnumCode

HERE = 0  # The location of the installation itself; other numbers are for probes in other places.


class HealthCheck(Base):
    """One check. `slot` is its due time and `late_us` how much later it began; durations are microseconds.

    Clustered by its key, so that the checks of one endpoint over a span lie together. On PostgreSQL the table is
    partitioned by day of `slot`: a day that is past its retention is dropped whole.
    """

    __tablename__ = "health_check"
    __table_args__ = {"sqlite_with_rowid": False, "postgresql_partition_by": "RANGE (slot)"}

    endpoint_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    location: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    slot: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[CheckKind] = mapped_column(EnumCode(CheckKind))
    outcome: Mapped[Outcome] = mapped_column(EnumCode(Outcome))
    error_kind: Mapped[ErrorKind] = mapped_column(EnumCode(ErrorKind))
    status_code: Mapped[int | None] = mapped_column(SmallInteger)
    late_us: Mapped[int] = mapped_column(BigInteger)
    dns_us: Mapped[int | None] = mapped_column(Integer)
    connect_us: Mapped[int | None] = mapped_column(Integer)
    tls_us: Mapped[int | None] = mapped_column(Integer)
    wait_us: Mapped[int | None] = mapped_column(Integer)
    transfer_us: Mapped[int | None] = mapped_column(Integer)
    total_us: Mapped[int] = mapped_column(Integer)
    size: Mapped[int | None] = mapped_column(Integer)
    peer: Mapped[bytes | None] = mapped_column(LargeBinary(16))


class CheckDetail(Base):
    """What a person wants to know of a bad or a manual check: its error in words, the conditions with values."""

    __tablename__ = "check_detail"
    __table_args__ = {"sqlite_with_rowid": False}

    endpoint_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    location: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    slot: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    error: Mapped[str | None] = mapped_column(Text)
    data: Mapped[dict[str, object] | None] = mapped_column(JSON)


class LatencyRollup(Base):
    """The checks of one endpoint in one block of time, summed up: an hour, three hours or a day of UTC.

    `step_s` is the block's length and `start` its first instant in microseconds. `count` is of checks that found
    something out, `failures` those of them that failed; the other columns are of the response times of those that did
    not. The percentiles can be computed from `histogram` (see `domain/histogram.py`); they stand here too, because a
    chart of hundreds of blocks wants nothing else. An empty histogram beside values is one that was never made.
    """

    __tablename__ = "latency_rollup"
    __table_args__ = (
        # All services together over time, without touching the histograms.
        Index("ix_latency_rollup_together", "step_s", "start", "endpoint_id", "count", "failures", "sum_us"),
        {"sqlite_with_rowid": False},
    )

    endpoint_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    step_s: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(Integer)
    failures: Mapped[int] = mapped_column(Integer)
    sum_us: Mapped[int] = mapped_column(BigInteger)
    min_us: Mapped[int | None] = mapped_column(Integer)
    max_us: Mapped[int | None] = mapped_column(Integer)
    p50_us: Mapped[int | None] = mapped_column(Integer)
    p95_us: Mapped[int | None] = mapped_column(Integer)
    p99_us: Mapped[int | None] = mapped_column(Integer)
    histogram: Mapped[bytes] = mapped_column(LargeBinary)
