"""Twilio: whether its API knows our account and says that it is active."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statusapp.domain.enums import ExternalStatus
from statusapp.probes.external.service import DEADLINE_S, ExternalResult, Service, Target, answered, shortened
from statusapp.probes.external.web import ask, refused

NAME = "Twilio"
API = "https://api.twilio.com"


def ask_twilio(
    account_sid: str, auth_token: str, base_url: str = API, deadline_s: float = DEADLINE_S
) -> ExternalResult:
    """Fetch the account: https://www.twilio.com/docs/iam/api/account#fetch-an-account-resource"""
    url = f"{base_url}/2010-04-01/Accounts/{account_sid}.json"
    answer = ask(url, auth=(account_sid, auth_token), deadline_s=deadline_s)
    if isinstance(answer, ExternalResult):
        return answer
    if answer.status_code == 404:
        return ExternalResult(ExternalStatus.UNKNOWN, "the account is not known there (404)", answer.duration_us)
    if answer.status_code != 200:
        return refused(answer)
    account = answer.json()
    status = account.get("status") if isinstance(account, dict) else None
    if status == "active":
        return answered("the account is active", answer.duration_us)
    if not isinstance(status, str):
        return ExternalResult(ExternalStatus.UNKNOWN, "its answer is not understood", answer.duration_us)
    return ExternalResult(ExternalStatus.DOWN, f"the account is {shortened(status)}", answer.duration_us)


def _targets(options: Mapping[str, Any]) -> list[Target]:
    account_sid, auth_token = options["twilio_account_sid"], options["twilio_auth_token"]
    if not (account_sid and auth_token):
        return []
    return [Target(NAME, lambda: ask_twilio(account_sid, auth_token))]


SERVICE = Service(("twilio_account_sid", "twilio_auth_token"), _targets)
