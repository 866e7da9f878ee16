"""Public status pages of the Statuspage kind: what they say of the service they are about.

A page that cannot be read says nothing of its service.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from statusapp.domain.enums import ExternalStatus
from statusapp.probes.external.service import DEADLINE_S, ExternalResult, Service, Target, shortened
from statusapp.probes.external.web import ask

INDICATORS = {
    "none": ExternalStatus.OK,
    "maintenance": ExternalStatus.DEGRADED,
    "minor": ExternalStatus.DEGRADED,
    "major": ExternalStatus.DOWN,
    "critical": ExternalStatus.DOWN,
}


def ask_statuspage(base_url: str, deadline_s: float = DEADLINE_S) -> ExternalResult:
    """Fetch the overall status: https://metastatuspage.com/api (version 2, status.json)"""
    answer = ask(f"{base_url}/api/v2/status.json", deadline_s=deadline_s)
    if isinstance(answer, ExternalResult):
        return ExternalResult(ExternalStatus.UNKNOWN, f"the status page: {answer.message}")
    if answer.status_code != 200:
        message = f"the status page answers {answer.status_code}"
        return ExternalResult(ExternalStatus.UNKNOWN, message, answer.duration_us)
    data = answer.json()
    status = data.get("status") if isinstance(data, dict) else None
    indicator = status.get("indicator") if isinstance(status, dict) else None
    if not isinstance(status, dict) or not isinstance(indicator, str) or indicator not in INDICATORS:
        return ExternalResult(ExternalStatus.UNKNOWN, "the status page is not understood", answer.duration_us)
    description = status.get("description")
    message = shortened(description) if isinstance(description, str) and description.strip() else indicator
    return ExternalResult(INDICATORS[indicator], message, answer.duration_us)


def _targets(options: Mapping[str, Any]) -> list[Target]:
    return [
        Target((urlsplit(address).netloc + urlsplit(address).path)[:100], partial(ask_statuspage, address))
        for address in options["statuspages"]
    ]


SERVICE = Service(("statuspages",), _targets)
