"""DNS record: a resolver is asked for a name, and its answer compared with what is expected."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

import dns.asyncquery
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver

from statusapp.domain.enums import ErrorKind
from statusapp.domain.observations import Observation
from statusapp.domain.options import InvalidOption, option
from statusapp.domain.values import ProbeResult, Target
from statusapp.probes.connecting import ProbeFailed
from statusapp.probes.guard import Guard
from statusapp.probes.kind import Kind

RECORD_TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT")
PORT = 53
RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class DnsOptions:
    """The options of a DNS check."""

    record_type: str = option("A", "the type of record", choices=RECORD_TYPES)
    resolver: str = option("", "address of the resolver, with :port when it is not 53; default: the system's")
    expect: str = option("", "records that must be in the answer, separated by commas")

    def __post_init__(self) -> None:
        if self.resolver:
            _resolver(self.resolver)


async def probe(target: Target, result: ProbeResult, guard: Guard) -> Observation:
    """Ask over UDP, and over TCP when the answer is cut."""
    options: DnsOptions = target.options
    address, port = _resolver(options.resolver) if options.resolver else (_system_resolver(), PORT)
    guard.check(address)
    query = dns.message.make_query(_name(target.url), options.record_type)
    began = time.monotonic()
    answer = await _ask(query, address, port)
    result.wait_us = int((time.monotonic() - began) * 1e6)
    result.peer = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    rcode = dns.rcode.to_text(answer.rcode())
    wanted = dns.rdatatype.from_text(options.record_type)
    records = [_shown(record) for found in answer.answer if found.rdtype == wanted for record in found]
    result.detail = {"dns": {"rcode": rcode, "records": records[:50]}}
    asks_rcode = any(condition.subject.placeholder == "DNS_RCODE" for condition, _ in target.expected.conditions)
    if rcode != "NOERROR" and not asks_rcode:
        raise ProbeFailed(ErrorKind.DNS, f"{rcode} for {options.record_type} {_name(target.url)}")
    if rcode == "NOERROR" and not records and not asks_rcode:
        raise ProbeFailed(ErrorKind.DNS, f"there is no {options.record_type} record of {_name(target.url)}")
    missing = [text for text in _wanted(options.expect) if text not in {record.lower() for record in records}]
    if missing:
        found = ", ".join(records[:5]) or "nothing"
        raise ProbeFailed(ErrorKind.CONDITION, f"the answer does not hold {', '.join(missing)} (found {found})")
    return Observation(connected=True, peer=address, body="\n".join(records).encode(), dns_rcode=rcode)


async def _ask(query: dns.message.Message, address: str, port: int) -> dns.message.Message:
    """One answer. A datagram may get lost, so it is sent again each second; the deadline is kept outside."""
    while True:
        try:
            answer, _ = await dns.asyncquery.udp_with_fallback(
                query, address, timeout=RETRY_S, port=port, ignore_unexpected=True, ignore_errors=True
            )
        except dns.exception.Timeout:
            continue
        except (OSError, EOFError) as error:
            raise ProbeFailed(ErrorKind.CONNECT, f"the resolver {address} port {port}: {error}") from error
        except dns.exception.DNSException as error:
            raise ProbeFailed(ErrorKind.PROTOCOL, f"the resolver's answer cannot be read: {error}") from error
        return answer


def _shown(record: object) -> str:
    """A record as people write it: names without the dot at their end, texts without quotes."""
    text = str(record)
    return text[1:-1] if text.startswith('"') and text.count('"') == 2 else text.rstrip(".")


def _wanted(text: str) -> list[str]:
    return [part.strip().rstrip(".").lower() for part in text.split(",") if part.strip()]


def _name(url: str) -> str:
    return urlsplit(url).hostname or ""


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.port is not None or parts.path not in ("", "/") or parts.query or "@" in parts.netloc:
        raise ValueError("it must be a name and nothing else; the resolver is an option")
    try:
        dns.name.from_text(_name(url) or "..")
    except dns.exception.DNSException:
        raise ValueError("it must be the name to ask for") from None


def _resolver(text: str) -> tuple[str, int]:
    host, port = text, str(PORT)
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":") or str(PORT)
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        address = str(ip_address(host))
        number = int(port)
    except ValueError:
        number = 0
    if not 0 < number < 65536:
        raise InvalidOption("resolver must be an IP address, as in 9.9.9.9 or 127.0.0.1:5353", "resolver")
    return address, number


@lru_cache(maxsize=1)
def _system_resolver() -> str:
    try:
        return str(dns.resolver.get_default_resolver().nameservers[0])
    except (dns.resolver.NoResolverConfiguration, IndexError) as error:
        raise OSError("this machine has no resolver configured") from error


KIND = Kind(
    "DNS record", ("dns",), "dns://www.example.org", DnsOptions, ("DNS_RCODE", "BODY", "IP"), _check_address, probe
)
