"""One attempt: connect, shake hands, ask once, and say everything that was seen.

Whatever the peer does ends in an observation within the attempt's timeout; only what the caller got wrong (an identity
that cannot be loaded, a header with a line break) is raised. TLS 1.3 reports a refused client certificate after the
client believes the handshake done, with the first read (RFC 8446 4.4.2.4), so every attempt reads.
"""

from __future__ import annotations

import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.errors import InputError
from counterseal.handshake.alert import alert_name
from counterseal.handshake.answer import parse_answer, parse_response
from counterseal.handshake.authorities import read_authorities
from counterseal.handshake.client_context import client_context
from counterseal.handshake.connect import Deadline, connect
from counterseal.handshake.early_data import read_early_data
from counterseal.handshake.observation import CONNECTING, Observation, Session

if TYPE_CHECKING:
    import socket

    from counterseal.handshake.observation import Attempt

MAXIMUM_ANSWER = 256 * 1024
_READ_SIZE = 16 * 1024
_GOODBYE_SECONDS = 0.5
_HANDSHAKE_CONTENT, _NEW_SESSION_TICKET, _CERTIFICATE_REQUEST = 22, 4, 13  # RFC 8446 B.1 and B.3


@dataclass(slots=True)
class _Sight:
    """What has been seen so far, so that a failure half way keeps it."""

    stage: str = CONNECTING
    raw: bytearray = field(default_factory=bytearray)
    tls: Observation = field(default_factory=Observation)
    request: bytes | None = None
    ticket: bytes = b""


def attempt(what: Attempt) -> Observation:
    """Make one attempt and return what was seen; never raises for what the peer did.

    Raises InputError and KeyAccessError for what the caller handed in.
    """
    request = request_of(what.host_header, what.path, what.headers, agent="prove")
    context = None if what.plain else _context(what)
    started = time.monotonic()
    sight = _Sight()
    try:
        _exchange(what, context, request, sight)
        failure = Observation(closed=True)
    except (OSError, ValueError) as error:
        failure = _failed(error, sight.stage, what.timeout)
    seen = with_answer(_with_failure(sight.tls, failure), bytes(sight.raw))
    return replace(seen, seconds=time.monotonic() - started)


def _context(what: Attempt) -> ssl.SSLContext:
    if what.session is not None:
        return what.session.context
    return client_context(what.tls_version, identity=what.identity, trust_anchors=what.trust_anchors)


def request_of(host: str, path: str, headers: tuple[tuple[str, str], ...] = (), *, agent: str = "probe") -> bytes:
    """Return a GET of ``path`` as HTTP/1.1; raises InputError ``probe.request`` for a space or a line break."""
    every = (("Host", host), ("User-Agent", f"counterseal-{agent}"), ("Accept", "*/*"), *headers)
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in every)]
    text = "\r\n".join([*lines, "Connection: close", "", ""])
    if any(mark in line for line in lines for mark in "\r\n\0") or " " in path:
        raise InputError("probe.request", f"the request holds a space or a line break: {path!r}")
    return text.encode("utf-8")


def _exchange(what: Attempt, context: ssl.SSLContext | None, request: bytes, sight: _Sight) -> None:
    deadline = Deadline.after(what.timeout)
    with connect(what.endpoint, deadline) as raw:
        if context is None:
            _ask(raw, request, deadline, sight)
            return
        _watch(context, sight)
        with _wrap(raw, context, what) as secured:
            sight.stage = "in the handshake"
            secured.settimeout(deadline.remaining())
            secured.do_handshake()
            sight.tls = _describe(secured, sight, trusted=what.trust_anchors is not None)
            try:
                _ask(secured, request, deadline, sight)
            finally:
                early_data = read_early_data(sight.ticket) if sight.tls.tls_version == "1.3" else 0
                sight.tls = replace(sight.tls, session=_session(context, secured), early_data=early_data)
            _say_goodbye(secured)


def _wrap(raw: socket.socket, context: ssl.SSLContext, what: Attempt) -> ssl.SSLSocket:
    return context.wrap_socket(
        raw,
        server_hostname=what.server_name,
        do_handshake_on_connect=False,
        session=None if what.session is None else what.session.ticket,
    )


def _watch(context: ssl.SSLContext, sight: _Sight) -> None:
    """See the CertificateRequest, and what comes with a session; only the message callback shows them."""

    def see(_connection: object, direction: str, _version: int, content: int, message: int, octets: bytes) -> None:
        if direction != "read" or content != _HANDSHAKE_CONTENT:
            return
        if message == _CERTIFICATE_REQUEST:
            sight.request = bytes(octets)
        elif message == _NEW_SESSION_TICKET:
            sight.ticket = bytes(octets)

    if hasattr(context, "_msg_callback"):
        context._msg_callback = see  # noqa: SLF001 - the one way to see a handshake message; guarded, and optional


def _describe(secured: ssl.SSLSocket, sight: _Sight, *, trusted: bool) -> Observation:
    certificate = secured.getpeercert(binary_form=True)
    resumed = bool(secured.session_reused)
    visible = hasattr(secured.context, "_msg_callback") and not resumed
    version = (secured.version() or "").removeprefix("TLSv")
    return Observation(
        tls_version=version or None,
        resumed=resumed,
        certificate_requested=sight.request is not None if visible else None,
        authorities=read_authorities(sight.request or b"", version),
        server_certificate_serial=_serial(certificate),
        server_verify=(0, "ok") if trusted else None,
    )


def _serial(certificate: bytes | None) -> int | None:
    try:
        return x509.load_der_x509_certificate(certificate).serial_number if certificate else None
    except ValueError:
        return None


def _ask(stream: socket.socket, request: bytes, deadline: Deadline, sight: _Sight) -> None:
    sight.stage = "waiting for the answer"
    stream.settimeout(deadline.remaining())
    with suppress(ConnectionError, ssl.SSLEOFError):  # who refused and left has its alert still to be read
        stream.sendall(request)
    while len(sight.raw) < MAXIMUM_ANSWER:
        stream.settimeout(deadline.remaining())
        received = stream.recv(_READ_SIZE)
        sight.raw += received
        response = parse_response(bytes(sight.raw))
        if not received or (response is not None and response.complete):
            return


def _session(context: ssl.SSLContext, secured: ssl.SSLSocket) -> Session | None:
    ticket = secured.session
    return None if ticket is None else Session(context, ticket)


def _say_goodbye(secured: ssl.SSLSocket) -> None:
    """Close in order: OpenSSL forbids the reuse of a session whose connection was cut (RFC 8446 6.1)."""
    with suppress(OSError, ValueError):
        secured.settimeout(_GOODBYE_SECONDS)
        secured.unwrap()


def _failed(error: OSError | ValueError, stage: str, timeout: float) -> Observation:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Observation(server_verify=(error.verify_code, error.verify_message), error="server not trusted")
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Observation(closed=True)
    if isinstance(error, ssl.SSLError):
        alert = alert_name(error.reason)
        return Observation(alert=alert, error=None if alert else f"{stage}: {error.reason or error}".lower())
    if isinstance(error, TimeoutError):
        return Observation(error=f"no end within {timeout:g} s, {stage}")
    if isinstance(error, ConnectionError) and stage != CONNECTING:
        return Observation(closed=True)
    return Observation(error=f"{stage}: {getattr(error, 'strerror', None) or error}".lower())


def _with_failure(seen: Observation, failure: Observation) -> Observation:
    return replace(
        seen,
        alert=failure.alert,
        closed=failure.closed,
        error=failure.error,
        server_verify=failure.server_verify or seen.server_verify,
    )


def with_answer(seen: Observation, raw: bytes) -> Observation:
    """Return the observation with what the HTTP answer in ``raw`` says, as far as it is one."""
    response = parse_response(raw)
    if response is None:
        unreadable = f"not HTTP: {raw[:40]!r}" if raw and seen.error is None else seen.error
        return replace(seen, error=unreadable)
    answer = parse_answer(response.status, response.body.decode("utf-8", "replace"))
    return replace(
        seen,
        status=response.status,
        reason_phrase=response.reason_phrase,
        location=response.headers.get("location"),
        page=sha256(response.body).digest(),
        closed=False,
        error=None,
        verify=answer.verify,
        code=answer.code,
        generation=answer.generation,
        decision=answer.decision,
    )
