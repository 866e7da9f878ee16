"""What tests of use cases do to the database, in one word each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Row, text

from statusapp.database import write_connection
from statusapp.domain.enums import ErrorKind, Outcome
from statusapp.domain.instants import SECOND, from_us
from statusapp.domain.values import ProbeResult
from statusapp.extensions import db
from statusapp.services.claims import Claimed, claim_due
from statusapp.services.endpoint_drafts import EndpointDraft
from statusapp.services.endpoints import create_endpoint
from statusapp.services.results import Applied, Finished, apply_results
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
