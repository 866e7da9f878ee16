"""What tests of use cases do to the database, in one word each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, text

from statusapp.database import write_connection, write_rows
from statusapp.domain.enums import ErrorKind, Outcome, Rule, Status
from statusapp.domain.instants import SECOND, from_us
from statusapp.domain.values import ProbeResult, StatusChange
from statusapp.extensions import db
from statusapp.services import watermarks
from statusapp.services.claims import Claimed, claim_due
from statusapp.services.endpoint_drafts import EndpointDraft
from statusapp.services.endpoints import create_endpoint
from statusapp.services.results import Applied, Finished, apply_results, record_change
from statusapp.services.vault import current_vault

T0 = 1_795_514_417_000_123  # 2026-11-24 10:00:17.000123 UTC, on nobody's grid.
MINUTE = 60 * SECOND


class World:
    """A few verbs on the database of the test. Instants are microseconds."""

    def add(self, name: str = "Shop", at: int = T0, **values: Any) -> int:
        """A new endpoint, every 60 s unless said otherwise."""
        draft = EndpointDraft(name, "http://127.0.0.1:1/", interval_s=60)
        return create_endpoint(replace(draft, **values), from_us(at))

    def claim(self, now: int, limit: int = 1000) -> list[Claimed]:
        """Claim what is due."""
        with write_connection(db.engine) as connection:
            return claim_due(connection, now, limit, current_vault())

    def apply(self, claimed: Claimed, now: int, outcome: Outcome = Outcome.OK, took_us: int = 5000) -> list[Applied]:
        """Apply one result of a claim, made at its slot."""
        claim, _, policy = claimed
        failed = outcome is Outcome.FAILED
        result = ProbeResult(
            max(claim.slot, now - took_us),
            outcome,
            ErrorKind.CONNECT if failed else ErrorKind.NONE,
            "connection refused" if failed else None,
            status_code=None if failed else 200,
            total_us=took_us,
        )
        with write_connection(db.engine) as connection:
            return apply_results(connection, [Finished(claim, policy, result)], now)

    def check(self, now: int, outcome: Outcome = Outcome.OK, took_us: int = 5000) -> list[Applied]:
        """Claim the one check that is due and apply its result 10 ms after `now`."""
        (claimed,) = self.claim(now)
        return self.apply(claimed, max(now, claimed[0].slot) + 10_000, outcome, took_us)

    def run_for(self, endpoint_id: int, until: int, outcome: Outcome = Outcome.OK, took_us: int = 5000) -> None:
        """Make every check of the one endpoint on time."""
        while (due := self.state(endpoint_id).due_at) <= until:
            self.check(due, outcome, took_us)

    def store_checks(self, endpoint_id: int, checks: Iterable[tuple[int, Outcome, int]]) -> None:
        """Write checks, each with its slot, outcome and duration, straight into their table."""
        columns = "endpoint_id, location, slot, kind, outcome, error_kind, late_us, total_us"
        rows = [(endpoint_id, 0, slot, 0, int(outcome), 0, 0, total_us) for slot, outcome, total_us in checks]
        with write_connection(db.engine) as connection:
            write_rows(connection, f"INSERT INTO health_check ({columns}) VALUES", rows, "")

    def pull_back(self, name: str, instant: int) -> None:
        """Say that what is summed has changed from `instant` on."""
        with write_connection(db.engine) as connection:
            watermarks.pull_back(connection, name, instant)

    def change(self, endpoint_id: int, status: Status, at: int, now: int | None = None, reason: str = "") -> None:
        """Record that the status of a service changed at `at`, as known at `now`."""
        (current,) = self.rows(
            "SELECT status FROM status_change WHERE endpoint_id = :id AND ended_at IS NULL AND NOT superseded",
            id=endpoint_id,
        )
        rule = Rule.FAILED_IN_A_ROW if status is Status.MAJOR_OUTAGE else Rule.RECOVERED
        change = StatusChange(Status(current.status), status, at, rule)
        with write_connection(db.engine) as connection:
            record_change(connection, endpoint_id, change, at if now is None else now, reason or None)

    def state(self, endpoint_id: int) -> Row[Any]:
        """The row of `endpoint_state`."""
        return self.rows("SELECT * FROM endpoint_state WHERE endpoint_id = :id", id=endpoint_id)[0]

    def rows(self, statement: str, **values: Any) -> list[Row[Any]]:
        """What a statement returns."""
        with db.engine.connect() as connection:
            return list(connection.execute(text(statement), values))

    def execute(self, statement: str, **values: Any) -> None:
        """Run a statement that writes."""
        with write_connection(db.engine) as connection:
            connection.execute(text(statement), values)

    def scalar(self, statement: str, **values: Any) -> Any:
        """The one value that a statement returns."""
        return self.rows(statement, **values)[0][0]
