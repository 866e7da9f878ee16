"""One libcurl handle with everything that one hop of an HTTP probe needs set on it."""

from __future__ import annotations

from typing import Any

import pycurl

from statusapp.probes.guard import Guard, Refused
from statusapp.probes.http_options import HttpOptions

_IP_VERSIONS = {"any": pycurl.IPRESOLVE_WHATEVER, "4": pycurl.IPRESOLVE_V4, "6": pycurl.IPRESOLVE_V6}
_HTTP_VERSIONS = {
    "auto": pycurl.CURL_HTTP_VERSION_2TLS,
    "1.1": pycurl.CURL_HTTP_VERSION_1_1,
    "2": pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
}
WITH_BODY = ("POST", "PUT", "PATCH")


class Transfer:
    """A handle and what it has received. Handles of plain requests are used again for the same method."""

    __slots__ = ("_guard", "_limit", "body", "handle", "headers", "method", "owner", "received", "refused", "reusable")

    def __init__(self, method: str, guard: Guard, user_agent: str, body_limit: int) -> None:
        self.method = method
        self.reusable = True
        self.owner: Any = None
        self.headers: dict[str, str] | None = None
        self._guard = guard
        self._limit = body_limit
        self.handle = handle = pycurl.Curl()
        handle.setopt(pycurl.NOSIGNAL, 1)  # SIGALRM belongs to RQ.
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        handle.setopt(pycurl.FRESH_CONNECT, 1)
        handle.setopt(pycurl.FORBID_REUSE, 1)
        handle.setopt(pycurl.DNS_CACHE_TIMEOUT, 0)
        handle.setopt(pycurl.PROXY, "")  # Not the proxy that some environment variable names.
        handle.setopt(pycurl.USERAGENT, user_agent)
        handle.setopt(pycurl.ENCODING, "")  # Everything libcurl can inflate; what is counted is what comes out.
        handle.setopt(pycurl.OPT_CERTINFO, 1)  # Costs nothing without TLS, and with it little beside the handshake.
        handle.setopt(pycurl.WRITEFUNCTION, self._receive)
        handle.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)
        if method == "HEAD":
            handle.setopt(pycurl.NOBODY, 1)
        elif method in WITH_BODY:
            handle.setopt(pycurl.POSTFIELDS, "")
        if method not in ("GET", "HEAD", "POST"):
            handle.setopt(pycurl.CUSTOMREQUEST, method)
        handle.transfer = self

    def aim(self, owner: Any, url: str, timeout_ms: int, probe_id: str, *, keep_body: bool) -> None:
        """Make ready for a request; what an earlier one left is forgotten."""
        self.owner = owner
        self.received = 0
        self.refused: str | None = None
        self.body = bytearray() if keep_body else None
        self.handle.setopt(pycurl.URL, url.encode())
        self.handle.setopt(pycurl.TIMEOUT_MS, timeout_ms)
        if self.reusable:
            self.handle.setopt(pycurl.HTTPHEADER, [f"X-Probe-Id: {probe_id}"])

    def keep_headers(self) -> None:
        """Note the headers of the answer, with names in lower case."""
        self.reusable = False
        self.headers = {}
        self.handle.setopt(pycurl.HEADERFUNCTION, self._receive_header)

    def connect_by(self, options: HttpOptions) -> None:
        """Set what is about the connection: address family, proxy, TLS, HTTP version."""
        handle = self.handle
        self.reusable = False
        handle.setopt(pycurl.IPRESOLVE, _IP_VERSIONS[options.ip_version])
        handle.setopt(pycurl.HTTP_VERSION, _HTTP_VERSIONS[options.http_version])
        if options.proxy:
            handle.setopt(pycurl.PROXY, options.proxy.encode())
        if not options.verify_tls:
            handle.setopt(pycurl.SSL_VERIFYPEER, 0)
            handle.setopt(pycurl.SSL_VERIFYHOST, 0)
        if options.ca_certificate:
            handle.setopt(pycurl.CAINFO_BLOB, options.ca_certificate.encode())

    def send(self, options: HttpOptions, probe_id: str, token: str | None) -> None:
        """Set what only the origin that the operator named may see: headers, credentials, body, client certificate."""
        handle = self.handle
        headers = {"X-Probe-Id": probe_id}
        if options.body and self.method != "HEAD":
            handle.setopt(pycurl.POSTFIELDS, options.body.encode())
            handle.setopt(pycurl.CUSTOMREQUEST, self.method)
            headers["Content-Type"] = options.content_type or "text/plain; charset=utf-8"
            headers["Expect"] = ""
        bearer = token or options.bearer_token
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        lower = {name.lower(): name for name in headers}
        for name, value in options.headers.items():
            headers.pop(lower.get(name.lower(), ""), None)
            headers[name] = value
        # A header without a value is written with a semicolon; with nothing after its colon libcurl leaves it out.
        lines = [f"{name}: {value}" if value or name == "Expect" else f"{name};" for name, value in headers.items()]
        handle.setopt(pycurl.HTTPHEADER, [line.encode() for line in lines])
        if options.username:
            handle.setopt(pycurl.USERNAME, options.username.encode())
            handle.setopt(pycurl.PASSWORD, options.password.encode())
        if options.client_certificate:
            handle.setopt(pycurl.SSLCERT_BLOB, options.client_certificate.encode())
            handle.setopt(pycurl.SSLKEY_BLOB, options.client_key.encode())

    @property
    def is_cut(self) -> bool:
        """Whether the body was broken off because enough of it had been read to judge the answer."""
        return self.received > self._limit

    def _receive(self, data: bytes) -> int | None:
        self.received += len(data)
        if self.body is not None:
            self.body += data[: max(self._limit - len(self.body), 0)]
        return 0 if self.received > self._limit else None  # Returning 0 breaks the transfer off.

    def _receive_header(self, line: bytes) -> None:
        name, colon, value = line.decode("latin-1").partition(":")
        if self.headers is None:
            return
        if not colon and line.startswith(b"HTTP/"):
            self.headers.clear()  # The head before was of an interim answer.
        elif colon:
            self.headers[name.strip().lower()] = value.strip()

    def _open_socket(self, _purpose: int, address: Any) -> Any:
        try:
            return self._guard.open_socket(*address)
        except Refused as error:
            self.refused = str(error)
            return pycurl.SOCKET_BAD
