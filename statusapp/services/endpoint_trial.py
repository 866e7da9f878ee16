"""Trying a check before it is saved: by the same probes and behind the same guard, but nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

from statusapp.domain.conditions import parse_condition
from statusapp.domain.options import read_options, secret_texts
from statusapp.domain.values import Expectations, ProbeResult, Target
from statusapp.domain.web_addresses import secrets_in
from statusapp.extensions import db
from statusapp.probes.engine import Probes
from statusapp.probes.kinds import kind_of
from statusapp.services.endpoint_drafts import EndpointDraft
from statusapp.services.probing import Probing, current_probing

# Somebody waits for the answer, and a server's thread with them.
MOST_TIMEOUT_MS = 15_000
_POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What a check has found. `was_cut` is when the draft would wait longer than a trial may."""

    result: ProbeResult
    was_cut: bool

    @property
    def peer(self) -> str | None:
        """The address of the server that answered."""
        return None if self.result.peer is None else str(ip_address(self.result.peer))


def try_endpoint(draft: EndpointDraft, probing: Probing | None = None) -> Trial:
    """Make the check of a draft once, now.

    Raises:
        InvalidEndpoint: when the draft cannot be saved as it is.
    """
    probing = probing or current_probing()
    draft = draft.validated()
    target = _target(replace(draft, timeout_ms=min(draft.timeout_ms, MOST_TIMEOUT_MS)))
    # No transaction while waiting for the network.
    db.session.rollback()
    found: list[ProbeResult] = []

    def finished(_key: str, result: ProbeResult) -> None:
        found.append(result)

    probes: Probes[Any] = Probes(probing.user_agent, finished, probing.guard, probing.body_limit)
    try:
        probes.start("trial", target, "trial")
        while not found:
            probes.poll(_POLL_S)
    finally:
        probes.close()
    return Trial(found[0], draft.timeout_ms > MOST_TIMEOUT_MS)


def _target(draft: EndpointDraft) -> Target:
    kind = kind_of(draft.url)
    return Target(
        draft.url,
        draft.timeout_ms,
        draft.method,
        Expectations(
            draft.expected_status_codes,
            tuple((parse_condition(text), degrades) for text, degrades in draft.conditions),
            None if draft.slow_ms is None else draft.slow_ms * 1000,
        ),
        read_options(kind.options, draft.options),
        secrets_in(draft.url) + secret_texts(kind.options, draft.options),
    )
