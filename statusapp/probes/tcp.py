"""TCP connect: a port that accepts, and, when asked to, answers with an expected text."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from statusapp.domain.enums import ErrorKind
from statusapp.domain.observations import Observation
from statusapp.domain.options import option
from statusapp.domain.values import ProbeResult, Target
from statusapp.probes.connecting import ProbeFailed, connect, words
from statusapp.probes.guard import Guard
from statusapp.probes.kind import Kind, check_host_and_port

MAX_ANSWER = 64 * 1024
QUIET_S = 0.2
_ESCAPE = re.compile(r"\\([rnt\\])")
_ESCAPED = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}


@dataclass(frozen=True, slots=True)
class TcpOptions:
    """The options of a TCP check."""

    send: str = option("", "what is sent after connecting; \\r and \\n are line ends", secret=True)
    expect: str = option("", "a text that the answer must hold; \\r and \\n are line ends")


async def probe(target: Target, result: ProbeResult, guard: Guard) -> Observation:
    """Connect, send, and read until the expected text has come."""
    parts = urlsplit(target.url)
    options: TcpOptions = target.options
    connection = await connect(parts.hostname or "", parts.port or 0, result, guard)
    with connection:
        answer = b""
        wants_body = any(condition.subject.placeholder == "BODY" for condition, _ in target.expected.conditions)
        if options.send or options.expect or wants_body:
            answer = await _talk(connection, options, result)
    return Observation(connected=True, peer=str(ip_address(result.peer or b"")), body=answer, total_us=result.total_us)


async def _talk(connection: object, options: TcpOptions, result: ProbeResult) -> bytes:
    """What the server says: up to the expected text, or else until it is quiet."""
    loop = asyncio.get_running_loop()
    began, answer, expected = time.monotonic(), b"", _unescaped(options.expect)
    if options.send:
        await loop.sock_sendall(connection, _unescaped(options.send))  # type: ignore[arg-type]
    while len(answer) < MAX_ANSWER and not (expected and expected in answer):
        try:
            patience = None if expected or not answer else QUIET_S
            chunk = await asyncio.wait_for(loop.sock_recv(connection, 16384), patience)  # type: ignore[arg-type]
        except TimeoutError:
            break
        except OSError as error:
            raise ProbeFailed(ErrorKind.PROTOCOL, f"the connection broke off: {words(error)}") from error
        if not chunk:
            break
        answer += chunk
    result.wait_us = int((time.monotonic() - began) * 1e6)
    result.size = len(answer)
    if expected and expected not in answer:
        shown = answer[:80].decode("utf-8", "replace")
        raise ProbeFailed(ErrorKind.CONDITION, f"the answer does not hold {options.expect!r} (found {shown!r})")
    return answer


def _unescaped(text: str) -> bytes:
    return _ESCAPE.sub(lambda match: _ESCAPED[match[1]], text).encode()


KIND = Kind(
    "TCP port",
    ("tcp",),
    "tcp://db.example.org:5432",
    TcpOptions,
    ("CONNECTED", "IP", "BODY"),
    check_host_and_port,
    probe,
)
