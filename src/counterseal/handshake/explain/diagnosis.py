"""What went wrong, if anything did: what happened, why, what mends it, and what nginx writes about it where.

The first rule that fits is taken. Causes come from the tables that the proof uses too; here they are chosen by what a
single connection shows. What an HTTP answer says about the client is read in ``answers``.
"""

from __future__ import annotations

from counterseal.handshake.explain.alerts import alert_diagnosis
from counterseal.handshake.explain.answers import diagnose_answer, diagnose_silence
from counterseal.handshake.explain.client_refused import missing_cause, refused_cause
from counterseal.handshake.explain.common_ground import explain_lack
from counterseal.handshake.explain.middle import IN_FRONT, STALLED_AFTER, STALLED_BEFORE
from counterseal.handshake.explain.plain_peers import NOT_TLS, name_plain_peer, plain_http
from counterseal.handshake.explain.refusals import FAULTS, OTHER_FAULT
from counterseal.handshake.explain.refused_inside import diagnose_first_words
from counterseal.handshake.explain.situation import Diagnosis, Situation
from counterseal.handshake.peer_causes import NO_ROUTE, NOTHING_LISTENS
from counterseal.handshake.symptoms import Cause
from counterseal.handshake.trace.dial import Ending, Stage, StartTLS
from counterseal.handshake.trace.starttls import SSL_IS_OFF
from counterseal.handshake.wire.messages import Side
from counterseal.pki.shown import printable


def diagnose(case: Situation) -> Diagnosis | None:
    """Return what went wrong, or None when the request was answered without a refusal."""
    if case.trace.ending is Ending.ALERT and case.story.alert and case.story.alert[0] is Side.SERVER:
        return _by_alert(case)
    if case.trace.ending in {Ending.OWN_FAULT, Ending.ALERT}:
        return _own_fault(case)
    if case.trace.ending is Ending.NOT_TLS:
        return _not_tls(case)
    if case.trace.ending is Ending.CLOSED and case.trace.established and case.story.request is not None:
        return diagnose_silence(case)
    if case.trace.ending is not Ending.DONE and case.seen.status is None:
        return _no_connection(case)
    return diagnose_answer(case) if case.trace.starttls is None else diagnose_first_words(case)


def _by_alert(case: Situation) -> Diagnosis:
    found = alert_diagnosis(case)
    return Diagnosis(found.happened, found.cause.cause, found.cause.fix, log=found.log, directive=found.directive)


def _closed_on_the_certificate(case: Situation) -> Diagnosis:
    cause = refused_cause(case) if case.presented else missing_cause(case)
    seen = "has seen the client's certificate" if case.presented else "has asked for a certificate and got none"
    return Diagnosis(f"the server {seen}, and closes without a word", cause.cause, cause.fix)


def _own_fault(case: Situation) -> Diagnosis:
    cause, directive = FAULTS.get(case.trace.fault, (OTHER_FAULT, None))
    happened = f"this client ended the handshake: {case.trace.fault.replace('_', ' ').lower()}"
    return Diagnosis(printable(happened), cause.cause, cause.fix, directive=directive)


def _not_tls(case: Situation) -> Diagnosis:
    if case.in_front is not None:
        return IN_FRONT[case.in_front]
    name, shown = name_plain_peer(case.trace.opening)
    cause, directive = plain_http(case.trace.opening) if name == "HTTP" else (NOT_TLS, None)
    return Diagnosis(
        f"the peer speaks no TLS but {name}: its first bytes are {shown}",
        cause.cause,
        cause.fix,
        directive=directive,
    )


def _no_connection(case: Situation) -> Diagnosis:
    if case.in_front is not None:
        return IN_FRONT[case.in_front]
    asked = case.story.client_chain is not None and not case.trace.established
    if asked and case.trace.ending in {Ending.CLOSED, Ending.RESET}:
        return _closed_on_the_certificate(case)
    if case.trace.ending is Ending.SILENT and case.story.version is not None and not case.trace.established:
        return STALLED_AFTER if case.story.client_chain is not None else STALLED_BEFORE
    words, cause = _CONNECTIONS.get((case.trace.ending, case.trace.stage)) or _CONNECTIONS[case.trace.ending, None]
    if case.trace.starttls is StartTLS.POSTGRES and case.trace.fault == SSL_IS_OFF:
        cause = _POSTGRES_WITHOUT_TLS
    happened = words.format(fault=printable(case.trace.fault))
    if case.lack is not None:
        lacking = explain_lack(case.lack)
        return Diagnosis(happened, lacking.cause.cause, lacking.cause.fix, directive=lacking.directive)
    return Diagnosis(happened, cause.cause, cause.fix)


_CLOSED = Cause(
    "the peer takes connections and ends them before TLS: a port of another protocol, a proxy without a backend, "
    "nginx's stream block with a refused client, or a firewall",
    "compare the port with the listen directives, and read the peer's log",
)
_POSTGRES_WITHOUT_TLS = Cause(
    "ssl is off in postgresql.conf; or a pooler listens there that has no certificate for its clients",
    "set ssl = on with ssl_cert_file and ssl_key_file, and reload (PgBouncer: client_tls_sslmode and its files)",
)
_CONNECTIONS: dict[tuple[Ending, Stage | None], tuple[str, Cause]] = {
    (Ending.UNRESOLVED, None): (
        "{fault}",
        Cause("no resolver knows an address of this name", "check the name, or say where: --connect ADDRESS[:PORT]"),
    ),
    (Ending.REFUSED, None): ("the connection is refused", NOTHING_LISTENS),
    (Ending.UNREACHABLE, None): ("the address cannot be reached: {fault}", NO_ROUTE),
    (Ending.SILENT, None): (
        "the peer is silent: no answer within the time",
        Cause(
            "no packet came back: a firewall drops them, or the host is down or has another address",
            "look at the firewall and the route to the address; give it more time with --timeout",
        ),
    ),
    (Ending.SILENT, Stage.STARTTLS): (
        "the peer takes the connection and says nothing in the clear",
        Cause(
            "the port begins with TLS at once (as 465, 993 and 995 of mail do), or speaks a protocol in which the "
            "client goes on first; or whoever listens there does not answer",
            "leave --starttls out, or compare the port with the protocol",
        ),
    ),
    (Ending.SILENT, Stage.HANDSHAKE): (
        "the peer takes the connection and stays silent in the handshake",
        Cause(
            "the port speaks a protocol in which the client goes on first, or whoever listens there does not answer",
            "compare the port with the listen directives; for SMTP, IMAP, POP3 or PostgreSQL use --starttls",
        ),
    ),
    (Ending.CLOSED, None): ("the peer closes early, before TLS is established", _CLOSED),
    (Ending.CLOSED, Stage.REQUEST): (
        "the handshake succeeds, then the peer closes without an answer",
        Cause(
            "the server has nothing to say on this protocol, or its backend is away",
            "read the server's log, and ask in the protocol that it speaks",
        ),
    ),
    (Ending.SILENT, Stage.REQUEST): (
        "the handshake succeeds, and then no answer comes within the time",
        Cause(
            "the application behind does not answer, or another protocol than HTTP/1.1 is spoken there inside TLS; or "
            "the client's last packets of the handshake were lost",
            "read the server's log; give it more time with --timeout; ask in the protocol that it speaks",
        ),
    ),
    (Ending.RESET, None): ("the peer resets the connection", _CLOSED),
    (Ending.RESET, Stage.REQUEST): (
        "the handshake succeeds, then the peer resets the connection",
        Cause(
            "the server's backend is away, or the server refuses the client without a word",
            "read the server's log at the same second",
        ),
    ),
    (Ending.STARTTLS, None): (
        "the peer does not turn to TLS: it {fault}",
        Cause("STARTTLS is not configured there, or the port speaks another protocol", "check the port and its server"),
    ),
}
