"""Which results are applied at once instead of within the second: those that may confirm an outage or its end."""

from __future__ import annotations

from statusapp.domain.enums import Outcome


class WakeUps:
    """Knows which services have had bad results lately, as far as one check run has seen them."""

    def __init__(self) -> None:
        self._good_ones_left: dict[int, int] = {}

    def matters(self, endpoint_id: int, outcome: Outcome, successes_to_confirm: int) -> bool:
        """Whether people may be waiting for this result: it is a failure, or one of the first good ones after one."""
        if outcome is Outcome.FAILED:
            self._good_ones_left[endpoint_id] = max(successes_to_confirm, 1)
            return True
        if outcome not in (Outcome.OK, Outcome.SLOW) or endpoint_id not in self._good_ones_left:
            return False
        self._good_ones_left[endpoint_id] -= 1
        if not self._good_ones_left[endpoint_id]:
            del self._good_ones_left[endpoint_id]
        return True
