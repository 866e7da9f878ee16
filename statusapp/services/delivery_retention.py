"""What was sent long ago goes. What still waits stays, and so does who was told of an alert that is not over."""

from __future__ import annotations

from sqlalchemy import Connection, text

from statusapp.services.batches import Batches

_OLDEST = text("""
DELETE FROM alert_delivery WHERE id IN (
    SELECT d.id FROM alert_delivery AS d WHERE d.created_at < :before AND d.state NOT IN (0, 2)
    AND NOT EXISTS (SELECT 1 FROM alert AS a WHERE a.id = d.alert_id AND a.resolved_at IS NULL)
    ORDER BY d.created_at LIMIT :size)
""")


def delete_deliveries(batches: Batches, before: int) -> int:
    """Delete messages that were written before an instant in microseconds; how many they were."""

    def work(connection: Connection, size: int) -> int:
        return connection.execute(_OLDEST, {"before": before, "size": size}).rowcount

    return batches.run(work)
