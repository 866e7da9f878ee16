"""What libcurl knows after a hop, as the fields of a result and as the facts that conditions ask for."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

import pycurl

from statusapp.domain.conditions import Condition
from statusapp.domain.instants import to_us
from statusapp.domain.observations import Observation
from statusapp.domain.values import ProbeResult
from statusapp.probes.http_transfer import Transfer

_NEEDS = {"BODY": "body", "HEADER": "headers", "CERTIFICATE_EXPIRATION": "certificate"}
# How libcurl's OpenSSL writes the end of a certificate's validity.
_EXPIRES = "%b %d %H:%M:%S %Y GMT"


@lru_cache(maxsize=4096)
def needed(conditions: tuple[tuple[Condition, bool], ...]) -> frozenset[str]:
    """Which facts these conditions need that are not read for every probe."""
    return frozenset(
        _NEEDS[condition.subject.placeholder] for condition, _ in conditions if condition.subject.placeholder in _NEEDS
    )


def read(result: ProbeResult, transfer: Transfer) -> None:
    """Add what one hop has measured. Times add up over the hops; code, peer and size are those of the last."""
    info = transfer.handle.getinfo
    _add_phases(result, info)
    result.size = transfer.received
    peer = info(pycurl.PRIMARY_IP)
    if peer:
        result.peer = socket.inet_pton(socket.AF_INET6 if ":" in peer else socket.AF_INET, peer)
    result.status_code = info(pycurl.RESPONSE_CODE) or None
    if info(pycurl.APPCONNECT_TIME_T):
        result.certificate_expires_at = _expires_at(transfer)


def observation(result: ProbeResult, transfer: Transfer, needs: frozenset[str]) -> Observation:
    """The facts for the conditions."""
    return Observation(
        status_code=result.status_code,
        total_us=result.total_us,
        peer=None if result.peer is None else str(ipaddress.ip_address(result.peer)),
        connected=result.peer is not None,
        body=None if transfer.body is None else bytes(transfer.body),
        headers=transfer.headers or {},
        certificate_expires_in_ms=_expires_in_ms(result) if "certificate" in needs else None,
    )


def _expires_in_ms(result: ProbeResult) -> float | None:
    if result.certificate_expires_at is None:
        return None
    return (result.certificate_expires_at - result.started_at) / 1000


def _expires_at(transfer: Transfer) -> int | None:
    """When the certificate ends that the server of this hop has shown."""
    chain = transfer.handle.getinfo(pycurl.INFO_CERTINFO)
    text = dict(chain[0]).get("Expire date") if chain else None
    return None if text is None else _instant(text)


@lru_cache(maxsize=4096)
def _instant(text: str) -> int | None:
    """The instant that libcurl writes so, in microseconds; a server shows the same one at every check."""
    try:
        return to_us(datetime.strptime(text, _EXPIRES).replace(tzinfo=UTC))
    except ValueError:
        return None


def _add_phases(result: ProbeResult, info: Callable[[int], int]) -> None:
    """Turn libcurl's times since the start into lengths; a phase that was not reached stays as it was."""
    total = info(pycurl.TOTAL_TIME_T)
    resolved = info(pycurl.NAMELOOKUP_TIME_T)
    connected = info(pycurl.CONNECT_TIME_T)
    secured = info(pycurl.APPCONNECT_TIME_T)
    answered = info(pycurl.STARTTRANSFER_TIME_T)
    result.total_us += total
    if resolved:
        result.dns_us = (result.dns_us or 0) + resolved
    if connected:
        result.connect_us = (result.connect_us or 0) + connected - resolved
    if secured:
        result.tls_us = (result.tls_us or 0) + secured - connected
    if connected and answered:
        result.wait_us = (result.wait_us or 0) + answered - (secured or connected)
        result.transfer_us = (result.transfer_us or 0) + total - answered
