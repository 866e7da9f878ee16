"""Africa's Talking: whether its API knows our application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from statusapp.domain.enums import ExternalStatus
from statusapp.probes.external.service import DEADLINE_S, ExternalResult, Service, Target, answered
from statusapp.probes.external.web import ask, refused

NAME = "Africa's Talking"
API = "https://api.africastalking.com"
SANDBOX_API = "https://api.sandbox.africastalking.com"


def api_of(username: str) -> str:
    """The host of an application; the user name "sandbox" belongs to one of its own."""
    return SANDBOX_API if username == "sandbox" else API


def ask_africastalking(
    username: str, api_key: str, base_url: str | None = None, deadline_s: float = DEADLINE_S
) -> ExternalResult:
    """Fetch the application's data: https://developers.africastalking.com/docs/application"""
    url = f"{base_url or api_of(username)}/version1/user?username={quote(username, safe='')}"
    answer = ask(url, headers={"apiKey": api_key, "Accept": "application/json"}, deadline_s=deadline_s)
    if isinstance(answer, ExternalResult):
        return answer
    if answer.status_code != 200:
        return refused(answer)
    data = answer.json()
    if not isinstance(data, dict) or "UserData" not in data:
        return ExternalResult(ExternalStatus.UNKNOWN, "its answer is not understood", answer.duration_us)
    return answered("the application is known", answer.duration_us)


def _targets(options: Mapping[str, Any]) -> list[Target]:
    username, api_key = options["africastalking_username"], options["africastalking_api_key"]
    if not (username and api_key):
        return []
    return [Target(NAME, lambda: ask_africastalking(username, api_key))]


SERVICE = Service(("africastalking_username", "africastalking_api_key"), _targets)
