"""TLS certificate: valid for its host, trusted, and not about to expire."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from cryptography import x509

from statusapp.domain.enums import ErrorKind, Outcome
from statusapp.domain.instants import to_us
from statusapp.domain.observations import Observation
from statusapp.domain.options import InvalidOption, option
from statusapp.domain.values import ProbeResult, Target
from statusapp.probes.connecting import ProbeFailed, connect
from statusapp.probes.guard import Guard
from statusapp.probes.kind import Kind, check_host

DAY_MS = 86_400_000
_contexts: dict[tuple[str, bool], ssl.SSLContext] = {}


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """The options of a certificate check."""

    server_name: str = option("", "the name to ask for; default: the host")
    degraded_days: int = option(14, "days before the end at which the service is degraded", low=0, high=3650)
    verify: bool = option(True, "whether the certificate must be trusted and of that name")
    ca_certificate: str = option("", "PEM of an authority to trust instead of the usual ones")

    def __post_init__(self) -> None:
        if self.ca_certificate:
            try:
                x509.load_pem_x509_certificates(self.ca_certificate.encode())
            except ValueError:
                raise InvalidOption("ca_certificate is not a certificate in PEM form", "ca_certificate") from None


async def probe(target: Target, result: ProbeResult, guard: Guard) -> Observation:
    """Shake hands and read the certificate."""
    parts = urlsplit(target.url)
    options: TlsOptions = target.options
    connection = await connect(parts.hostname or "", parts.port or 443, result, guard)
    began = time.monotonic()
    try:
        writer = await _shake_hands(connection, options, options.server_name or parts.hostname or "")
    except BaseException:
        connection.close()
        raise
    try:
        result.tls_us = int((time.monotonic() - began) * 1e6)
        return _judge(writer.get_extra_info("ssl_object").getpeercert(True), options, result)
    finally:
        writer.transport.abort()


async def _shake_hands(connection: socket.socket, options: TlsOptions, name: str) -> asyncio.StreamWriter:
    try:
        _, writer = await asyncio.open_connection(sock=connection, ssl=_context(options), server_hostname=name)
    except ssl.SSLCertVerificationError as error:
        raise ProbeFailed(ErrorKind.CERTIFICATE, f"certificate: {error.verify_message}") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        raise ProbeFailed(ErrorKind.TLS, f"no TLS: {str(reason or 'the connection was closed').lower()}") from error
    return writer


def _judge(encoded: bytes | None, options: TlsOptions, result: ProbeResult) -> Observation:
    if encoded is None:
        raise ProbeFailed(ErrorKind.CERTIFICATE, "the server has shown no certificate")
    certificate = x509.load_der_x509_certificate(encoded)
    ends = certificate.not_valid_after_utc
    left_ms = ends.timestamp() * 1000 - result.started_at / 1000
    result.certificate_expires_at = to_us(ends)
    result.detail = {
        "certificate": {
            "subject": certificate.subject.rfc4514_string(),
            "issuer": certificate.issuer.rfc4514_string(),
            "expires_at": ends.isoformat(),
        }
    }
    if left_ms < 0:
        raise ProbeFailed(ErrorKind.CERTIFICATE, f"the certificate expired on {ends:%Y-%m-%d %H:%M} UTC")
    if certificate.not_valid_before_utc > datetime.fromtimestamp(result.started_at / 1e6, UTC):
        raise ProbeFailed(ErrorKind.CERTIFICATE, f"the certificate is valid from {certificate.not_valid_before_utc} on")
    if left_ms < options.degraded_days * DAY_MS:
        result.outcome, result.error_kind = Outcome.SLOW, ErrorKind.CERTIFICATE
        result.error = f"the certificate expires on {ends:%Y-%m-%d %H:%M} UTC, in {left_ms / DAY_MS:.1f} days"
    return Observation(connected=True, peer=str(ip_address(result.peer or b"")), certificate_expires_in_ms=left_ms)


def _context(options: TlsOptions) -> ssl.SSLContext:
    """A context, made once for each authority: loading the usual ones takes 40 ms of CPU."""
    key = (options.ca_certificate, options.verify)
    if key not in _contexts:
        context = ssl.create_default_context(cadata=options.ca_certificate or None)
        if not options.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        _contexts[key] = context
    return _contexts[key]


KIND = Kind(
    "TLS certificate",
    ("tls",),
    "tls://www.example.org",
    TlsOptions,
    ("CONNECTED", "IP", "CERTIFICATE_EXPIRATION"),
    check_host,
    probe,
)
