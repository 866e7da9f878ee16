"""HTTP probes: any number at once in one thread, on libcurl.

libcurl and not `requests`, because it costs a tenth of the CPU, has one deadline for a whole transfer and reports the
phases. Every probe is a fresh connection with a fresh look-up of the name: what is measured is what a new visitor gets.
A probe is one hop or several: the token it needs first, the request, each redirect. They share one deadline.
"""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from urllib.parse import SplitResult, urlsplit

import pycurl

from statusapp.domain.assessment import assess, scrub_result
from statusapp.domain.enums import ErrorKind, Outcome
from statusapp.domain.status_codes import parse_status_codes
from statusapp.domain.values import ProbeResult, Target
from statusapp.probes import http_facts, oauth
from statusapp.probes.guard import Guard
from statusapp.probes.http_options import METHOD, PLAIN, HttpOptions
from statusapp.probes.http_transfer import Transfer
from statusapp.probes.multi import Multi

logger = logging.getLogger(__name__)

Key = TypeVar("Key")

MAX_BODY_BYTES = 256 * 1024
REDIRECTS = (301, 302, 303, 307, 308)
SCHEMES = ("http", "https")

_ERROR_KINDS = {
    pycurl.E_COULDNT_RESOLVE_HOST: ErrorKind.DNS,
    pycurl.E_COULDNT_RESOLVE_PROXY: ErrorKind.DNS,
    pycurl.E_COULDNT_CONNECT: ErrorKind.CONNECT,
    pycurl.E_OPERATION_TIMEDOUT: ErrorKind.TIMEOUT,
    pycurl.E_SSL_CONNECT_ERROR: ErrorKind.TLS,
    pycurl.E_PEER_FAILED_VERIFICATION: ErrorKind.CERTIFICATE,
    pycurl.E_SSL_CERTPROBLEM: ErrorKind.TLS,
    pycurl.E_SSL_CIPHER: ErrorKind.TLS,
    pycurl.E_SSL_INVALIDCERTSTATUS: ErrorKind.CERTIFICATE,
}
# What only our own side can have caused: no memory, no certificates of ours, an address we were given wrong.
_INTERNAL_ERRORS = {
    pycurl.E_FAILED_INIT,
    pycurl.E_OUT_OF_MEMORY,
    pycurl.E_BAD_FUNCTION_ARGUMENT,
    pycurl.E_INTERFACE_FAILED,
    pycurl.E_SSL_CACERT_BADFILE,
    pycurl.E_URL_MALFORMAT,
}
# The same for a connection that could not even be tried: no descriptor, no port, no memory left on this machine.
_INTERNAL_ERRNOS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}


class _Probe(Generic[Key]):
    """One probe on its way through its hops."""

    __slots__ = (
        "deadline", "fetches_token", "hops_left", "key", "method", "needs", "options", "probe_id", "result", "target",
        "token", "url",
    )  # fmt: skip

    def __init__(self, key: Key, target: Target, probe_id: str, needs: frozenset[str]) -> None:
        self.key = key
        self.target = target
        self.probe_id = probe_id
        self.needs = needs
        self.options: HttpOptions = target.options or PLAIN
        self.url, self.method = target.url, target.method
        self.hops_left = self.options.follow_redirects
        self.token: str | None = None
        self.fetches_token = False
        self.result = ProbeResult(time.time_ns() // 1000, Outcome.OK)
        self.deadline = time.monotonic() + target.timeout_ms / 1000


class HttpProbes(Generic[Key]):
    """Probes in flight, each with a key of the caller's. Not for use by several threads, but for `wake`.

    Call `start` for each probe and `poll` in a loop; each end is told to `finished` with key and result.
    """

    def __init__(
        self,
        user_agent: str,
        finished: Callable[[Key, ProbeResult], None],
        guard: Guard | None = None,
        body_limit: int = MAX_BODY_BYTES,
    ) -> None:
        self._user_agent = user_agent
        self._finished = finished
        self._guard = guard or Guard()
        self._body_limit = body_limit
        self._idle: dict[str, list[Transfer]] = {}
        self._in_flight: set[Transfer] = set()
        self._tokens = oauth.Tokens()
        self._multi = Multi(self._ended)
        self.wake = self._multi.wake
        self.poll = self._multi.poll

    @property
    def in_flight(self) -> int:
        """How many probes have begun and not ended."""
        return len(self._in_flight)

    def start(self, key: Key, target: Target, probe_id: str = "-") -> None:
        """Begin one probe. What is wrong with the target becomes its result."""
        try:
            probe = _Probe(key, target, probe_id, http_facts.needed(target.expected.conditions))
            _check(target)
            if probe.options.oauth_token_url:
                probe.token = self._tokens.get(probe.options)
                probe.fetches_token = probe.token is None
            self._hop(probe)
        except (ValueError, pycurl.error) as error:
            self._finished(key, internal_error(str(error)))

    def close(self) -> None:
        """Break off what is in flight, without a result."""
        for transfer in self._in_flight:
            self._multi.remove(transfer.handle)
            transfer.handle.close()
        self._in_flight.clear()
        self._multi.close()

    def _hop(self, probe: _Probe[Key]) -> None:
        """Send the next request of a probe."""
        timeout_ms = max(int((probe.deadline - time.monotonic()) * 1000), 1)
        options = probe.options
        if probe.fetches_token:
            transfer = self._new("POST", reusable=False)
            transfer.aim(probe, options.oauth_token_url, timeout_ms, probe.probe_id, keep_body=True)
            transfer.connect_by(options)
            oauth.ask(transfer.handle, options)
        else:
            plain = options is PLAIN and "headers" not in probe.needs
            transfer = self._new(probe.method, reusable=plain)
            transfer.aim(probe, probe.url, timeout_ms, probe.probe_id, keep_body="body" in probe.needs)
            if not plain:
                self._set_options(transfer, probe)
        self._in_flight.add(transfer)
        self._multi.add(transfer.handle)

    def _set_options(self, transfer: Transfer, probe: _Probe[Key]) -> None:
        transfer.connect_by(probe.options)
        if "headers" in probe.needs:
            transfer.keep_headers()
        # A server that the operator did not name gets no secret of theirs.
        ours = _origin(probe.url) == _origin(probe.target.url)
        transfer.send(probe.options if ours else PLAIN, probe.probe_id, probe.token if ours else None)

    def _new(self, method: str, *, reusable: bool) -> Transfer:
        idle = self._idle.get(method)
        if reusable and idle:
            return idle.pop()
        transfer = Transfer(method, self._guard, self._user_agent, self._body_limit)
        transfer.reusable = reusable
        return transfer

    def _ended(self, handle: Any, code: int, message: str) -> None:
        transfer: Transfer = handle.transfer
        probe: _Probe[Key] = transfer.owner
        try:
            over = self._next_or_end(probe, transfer, code, message)
        except Exception as error:
            # Whatever a target answers is about this service alone; the checks of all others go on.
            logger.warning("an answer to a check cannot be read (%s)", type(error).__name__)
            _fail(probe.result, ErrorKind.PROTOCOL, "the answer cannot be read")
            over = True
        self._multi.remove(handle)
        self._in_flight.discard(transfer)
        if transfer.reusable:
            self._idle.setdefault(transfer.method, []).append(transfer)
        else:
            handle.close()
        if not over:
            try:
                self._hop(probe)
                return
            except (ValueError, pycurl.error) as error:
                _fail(probe.result, ErrorKind.PROTOCOL, f"the redirect cannot be followed: {error}")
        scrub_result(probe.result, probe.target.secrets)
        self._finished(probe.key, probe.result)

    def _next_or_end(self, probe: _Probe[Key], transfer: Transfer, code: int, message: str) -> bool:
        """Take in what a hop has brought; whether it was the last."""
        if code == pycurl.E_WRITE_ERROR and transfer.is_cut:
            code = 0
        if probe.fetches_token:
            return self._take_token(probe, transfer, code, message)
        http_facts.read(probe.result, transfer)
        if code:
            _break_off(probe, transfer, code, message)
            return True
        if probe.options.follow_redirects and probe.result.status_code in REDIRECTS:
            location = transfer.handle.getinfo(pycurl.REDIRECT_URL)
            if location:
                return not _follow(probe, location)
        if probe.result.status_code == 401:
            self._tokens.forget(probe.options)
        assess(probe.result, http_facts.observation(probe.result, transfer, probe.needs), probe.target.expected)
        return True

    def _take_token(self, probe: _Probe[Key], transfer: Transfer, code: int, message: str) -> bool:
        probe.fetches_token = False
        if code:
            _break_off(probe, transfer, code, message)
        else:
            try:
                probe.token = self._tokens.keep(probe.options, transfer)
            except oauth.NoToken as error:
                _fail(probe.result, ErrorKind.PROTOCOL, str(error))
        if probe.token is None:
            probe.result.error = f"the token server: {probe.result.error}"
        return probe.token is None


def internal_error(message: str) -> ProbeResult:
    """The result of a probe that we could not even begin."""
    return ProbeResult(time.time_ns() // 1000, Outcome.INTERNAL_ERROR, ErrorKind.INTERNAL, message)


def _check(target: Target) -> None:
    if not METHOD.fullmatch(target.method):
        raise ValueError(f"{target.method!r} is not an HTTP method")
    # Checked here because libcurl has one error for this and for an answer that is not HTTP.
    if not target.url.lower().startswith(("http://", "https://")):
        raise ValueError("the address is not an http or https one")
    parse_status_codes(target.expected.status_codes)


def _follow(probe: _Probe[Any], location: str) -> bool:
    """Aim a probe at where a redirect leads; False when it ends here."""
    if _scheme(location) not in SCHEMES:
        _fail(probe.result, ErrorKind.REFUSED, f"a redirect to {_scheme(location) or 'an unknown scheme'}: is refused")
        return False
    if probe.hops_left == 0:
        _fail(probe.result, ErrorKind.PROTOCOL, f"more than {probe.options.follow_redirects} redirects")
        return False
    probe.hops_left -= 1
    probe.url = location
    if probe.result.status_code == 303 or (probe.result.status_code in (301, 302) and probe.method == "POST"):
        probe.method = "HEAD" if probe.method == "HEAD" else "GET"
    return True


def _scheme(url: str) -> str:
    return url.partition(":")[0].lower()


def _origin(url: str) -> tuple[str, str | None, int]:
    parts: SplitResult = urlsplit(url)
    return parts.scheme.lower(), parts.hostname, parts.port or (443 if parts.scheme.lower() == "https" else 80)


def _break_off(probe: _Probe[Any], transfer: Transfer, code: int, message: str) -> None:
    """Say why a hop broke off, and whose fault it is."""
    result = probe.result
    if transfer.refused is not None:
        _fail(result, ErrorKind.REFUSED, transfer.refused)
        return
    own_fault = code in _INTERNAL_ERRORS or transfer.handle.getinfo(pycurl.OS_ERRNO) in _INTERNAL_ERRNOS
    result.outcome = Outcome.INTERNAL_ERROR if own_fault else Outcome.FAILED
    result.error_kind = ErrorKind.INTERNAL if own_fault else _ERROR_KINDS.get(code, ErrorKind.PROTOCOL)
    if result.error_kind is ErrorKind.TIMEOUT:
        result.error = f"no complete answer within {probe.target.timeout_ms / 1000:g} s"
    else:
        result.error = message or f"libcurl error {code}"


def _fail(result: ProbeResult, kind: ErrorKind, message: str) -> None:
    result.outcome, result.error_kind, result.error = Outcome.FAILED, kind, message
