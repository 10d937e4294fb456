"""Dial: connect, shake hands, ask once, and keep everything that went by.

Whatever the peer does ends in a Trace within the timeout. The server's certificate is not judged here, so that a bad
one is seen as well as a good one; who presents a client certificate has an empty trust store (``client_context``).
TLS 1.3 reports a refused client with the first read (RFC 8446 4.4.2.4), so every connection that was made is read from.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from counterseal.handshake.answer import parse_response
from counterseal.handshake.attempt import MAXIMUM_ANSWER
from counterseal.handshake.client_context import client_context
from counterseal.handshake.connect import Deadline, connect
from counterseal.handshake.observation import Session
from counterseal.handshake.trace.asking import question
from counterseal.handshake.trace.dial import Ending, Stage, Trace
from counterseal.handshake.trace.ending import ending_of
from counterseal.handshake.trace.recorder import Recorder
from counterseal.handshake.trace.starttls import Dialogue
from counterseal.handshake.trace.stream import ClientStream, peer_of
from counterseal.handshake.wire.messages import Side

if TYPE_CHECKING:
    from counterseal.handshake.trace.asking import Question
    from counterseal.handshake.trace.dial import Dial


SUITES = "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:RSA+AES:!aNULL:!eNULL:!aDSS:!AESCCM"
"""Of TLS 1.2; those of an RSA key exchange, too, which Python leaves out: what is looked at should be seen."""


@dataclass(slots=True)
class _Sight:
    """What has been seen so far, so that a failure half way keeps it."""

    trace: Trace
    stream: ClientStream | None = None
    passed_over: list[str] = field(default_factory=list)


def dial(what: Dial) -> Trace:
    """Make one connection and return what was seen; never raises for what the peer did.

    Raises InputError and KeyAccessError for what the caller handed in.
    """
    question(what, None)  # a path that cannot be asked for is told before anything is sent
    recorder = Recorder(Side.CLIENT)
    context = _context(what)
    recorder.watch(context)
    sight = _Sight(Trace(Ending.DONE, Stage.CONNECTING, starttls=what.starttls))
    try:
        _exchange(what, context, recorder, sight)
    except (OSError, ValueError) as error:
        opening = sight.stream.opening if sight.stream else b""
        ending, fault = ending_of(error, sight.trace.stage, opening, recorder.captured, own=Side.CLIENT)
        sight.trace = replace(sight.trace, ending=ending, fault=fault)
    opening = sight.stream.opening if sight.stream else b""
    return replace(
        sight.trace,
        captured=recorder.captured,
        opening=opening,
        passed_over=tuple(sight.passed_over),
        ended_at=recorder.elapsed(),
    )


def _context(what: Dial) -> ssl.SSLContext:
    if what.session is not None:
        return what.session.context
    context = client_context(what.tls_version, identity=what.identity, protocols=what.protocols)
    context.set_ciphers(SUITES)
    if what.keylog is not None:
        context.keylog_filename = str(what.keylog)
    return context


def _exchange(what: Dial, context: ssl.SSLContext, recorder: Recorder, sight: _Sight) -> None:
    deadline = Deadline.after(what.timeout)
    with connect(what.endpoint, deadline, passed_over=sight.passed_over) as raw:
        sight.trace = replace(sight.trace, peer=peer_of(raw))
        raw.sendall(what.preface)
        if what.starttls is not None:
            sight.trace = replace(sight.trace, stage=Stage.STARTTLS)
            dialogue = Dialogue(raw, deadline)
            try:
                dialogue.start(what.starttls)
            finally:
                sight.trace = replace(sight.trace, plain=tuple(dialogue.lines))
        sight.trace = replace(sight.trace, stage=Stage.HANDSHAKE)
        ticket = what.session.ticket if what.session else None
        stream = sight.stream = ClientStream(raw, deadline, context, what.server_name, ticket)
        stream.shake_hands()
        sight.trace = replace(
            sight.trace,
            stage=Stage.REQUEST,
            protocol=stream.tls.selected_alpn_protocol(),
            resumed=bool(stream.tls.session_reused),
            finished_at=recorder.elapsed(),
        )
        try:
            _ask(stream, question(what, stream.tls.selected_alpn_protocol()), sight)
        finally:
            ticket = stream.tls.session
            given = ticket is not None and (ticket.has_ticket or ticket.id)  # else it is one that cannot be offered
            sight.trace = replace(sight.trace, session=Session(context, ticket) if ticket and given else None)
        stream.close()


def _ask(stream: ClientStream, asked: Question | None, sight: _Sight) -> None:
    if asked is None:
        return
    sight.trace = replace(sight.trace, question=asked.name)
    with suppress(ConnectionError, ssl.SSLEOFError):  # who refused and left has its alert still to be read
        stream.send(asked.octets)
    answer = bytearray()
    while len(answer) < MAXIMUM_ANSWER:
        received = stream.receive()
        answer += received
        sight.trace = replace(sight.trace, answer=bytes(answer))
        response = parse_response(bytes(answer)) if asked.is_http else None
        if not answer:  # an orderly end in place of an answer
            sight.trace = replace(sight.trace, ending=Ending.CLOSED)
        if not received or not asked.is_http or (response is not None and response.complete):
            return
