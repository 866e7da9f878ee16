"""How far checks are that somebody asked for. They share their slot, so no job has to be kept anywhere."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select

from statusapp.domain.enums import CheckKind
from statusapp.domain.errors import NotFound
from statusapp.extensions import db
from statusapp.models import EndpointState, HealthCheck
from statusapp.models.check import HERE


@dataclass(frozen=True, slots=True)
class CheckRun:
    """Checks of one slot, in microseconds: how many are made, and how many still wait for a worker."""

    slot: int
    done: int
    waiting: int

    @property
    def is_finished(self) -> bool:
        """Whether all have been made."""
        return not self.waiting


def get_check_run(slot: int) -> CheckRun:
    """How far the checks of this slot are.

    Raises:
        NotFound: when there are none.
    """
    state, check = EndpointState, HealthCheck
    key = and_(check.endpoint_id == state.endpoint_id, check.location == HERE, check.slot == slot)
    done = db.session.scalar(
        select(func.count()).select_from(state).join(check, key).where(check.kind == CheckKind.MANUAL)
    )
    in_flight = and_(state.claimed_slot == slot, state.claimed_kind == CheckKind.MANUAL)
    waiting = db.session.scalar(
        select(func.count()).where(or_(and_(state.extra_at == slot, state.extra_kind == CheckKind.MANUAL), in_flight))
    )
    if not done and not waiting:
        raise NotFound("There are no such checks, or not any more.")
    return CheckRun(slot, done or 0, waiting or 0)
