"""What went wrong, if anything did: what happened, why, what mends it, and what nginx writes about it where.

The first rule that fits is taken. Causes come from the tables that the proof uses too; here they are chosen by what a
single connection shows. nginx's own codes: 495, 496 and 497 stand inside a 400 (ngx_http_special_response.c).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from counterseal.handshake.explain.alerts import alert_diagnosis
from counterseal.handshake.explain.nginx_log import LogLine, log_line, log_verify
from counterseal.handshake.explain.plain_peers import NOT_TLS, name_plain_peer
from counterseal.handshake.explain.refusals import FAULTS, OTHER_FAULT, directive_for
from counterseal.handshake.peer_causes import (
    BY_LIST,
    CERTIFICATE_LOST,
    NAME_NOT_SERVED,
    NO_ANSWER,
    NO_PATH,
    NOTHING_LISTENS,
    PLAIN,
    SILENT_REFUSAL,
)
from counterseal.handshake.symptoms import Cause
from counterseal.handshake.trace.dial import Ending, Stage
from counterseal.handshake.verify_reasons import VERIFY_REASONS, verify_reason
from counterseal.handshake.wire.messages import Side
from counterseal.pki.shown import printable

if TYPE_CHECKING:
    from counterseal.handshake.authorities import Listed
    from counterseal.handshake.explain.story import Story
    from counterseal.handshake.observation import Observation
    from counterseal.handshake.trace.dial import Trace


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A failed connection explained.

    ``code`` is nginx's (400, 421, 495, 496, 497), ``verify`` its verify reason with OpenSSL's number, ``log`` the line
    to look for in error.log, ``directive`` what to change in nginx's configuration; None where it does not apply.
    """

    happened: str
    cause: str
    fix: str
    code: int | None = None
    verify: str | None = None
    log: LogLine | None = None
    directive: str | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that a diagnosis looks at.

    ``likely`` is the number of OpenSSL's verify error that our own checks of the client's certificate predict, and
    ``listed`` which CAs of its chain the server named.
    """

    trace: Trace
    story: Story
    seen: Observation
    likely: int | None = None
    listed: Listed | None = None

    @property
    def presented(self) -> bool:
        """Whether the client sent a certificate."""
        return bool(self.story.client_chain)


def diagnose(case: Situation) -> Diagnosis | None:
    """Return what went wrong, or None when the request was answered without a refusal."""
    if case.trace.ending is Ending.ALERT and case.story.alert and case.story.alert[0] is Side.SERVER:
        return _by_alert(case)
    if case.trace.ending in {Ending.OWN_FAULT, Ending.ALERT}:
        return _own_fault(case)
    if case.trace.ending is Ending.NOT_TLS:
        return _not_tls(case)
    if case.trace.ending is not Ending.DONE and case.seen.status is None:
        return _no_connection(case)
    return _by_answer(case)


def _by_alert(case: Situation) -> Diagnosis:
    assert case.story.alert is not None  # noqa: S101 - the caller looked
    found = alert_diagnosis(case.story.alert[1], case.story, case.listed)
    return Diagnosis(found.happened, found.cause.cause, found.cause.fix, log=found.log, directive=found.directive)


def _own_fault(case: Situation) -> Diagnosis:
    cause, directive = FAULTS.get(case.trace.fault, (OTHER_FAULT, None))
    happened = f"this client ended the handshake: {case.trace.fault.replace('_', ' ').lower()}"
    return Diagnosis(printable(happened), cause.cause, cause.fix, directive=directive)


def _not_tls(case: Situation) -> Diagnosis:
    name, shown = name_plain_peer(case.trace.opening)
    cause = PLAIN if name == "HTTP" else NOT_TLS
    return Diagnosis(
        f"the peer speaks no TLS but {name}: its first bytes are {shown}",
        cause.cause,
        cause.fix,
        directive="listen ADDRESS ssl;" if name == "HTTP" else None,
    )


def _no_connection(case: Situation) -> Diagnosis:
    words, cause = _CONNECTIONS.get((case.trace.ending, case.trace.stage)) or _CONNECTIONS[case.trace.ending, None]
    return Diagnosis(words.format(fault=printable(case.trace.fault)), cause.cause, cause.fix)


_CLOSED = Cause(
    "the peer takes connections and ends them before TLS: a port of another protocol, a proxy without a backend, "
    "nginx's stream block with a refused client, or a firewall",
    "compare the port with the listen directives, and read the peer's log",
)
_CONNECTIONS: dict[tuple[Ending, Stage | None], tuple[str, Cause]] = {
    (Ending.UNRESOLVED, None): (
        "the name does not resolve: {fault}",
        Cause("no resolver knows an address of this name", "check the name, or say where: --connect ADDRESS[:PORT]"),
    ),
    (Ending.REFUSED, None): ("the connection is refused", NOTHING_LISTENS),
    (Ending.UNREACHABLE, None): (
        "the address cannot be reached: {fault}",
        Cause("no route leads there", "check the address and the network between"),
    ),
    (Ending.SILENT, None): ("the peer is silent: no answer within the time", NO_ANSWER),
    (Ending.SILENT, Stage.HANDSHAKE): (
        "the peer takes the connection and stays silent in the handshake",
        Cause(
            "the port speaks a protocol in which the client goes on first, or whoever listens there does not answer",
            "compare the port with the listen directives; for SMTP, IMAP or PostgreSQL use --starttls",
        ),
    ),
    (Ending.CLOSED, None): ("the peer closes early, before TLS is established", _CLOSED),
    (Ending.CLOSED, Stage.REQUEST): (
        "the handshake succeeds, then the peer closes without an answer",
        Cause(
            "nginx's stream block refuses a client certificate in this way, and so does a server whose backend is away",
            "read error.log at level info for client SSL certificate verify error, or come with another certificate",
        ),
    ),
    (Ending.RESET, None): ("the peer resets the connection", _CLOSED),
    (Ending.STARTTLS, None): (
        "the peer does not turn to TLS: it {fault}",
        Cause("STARTTLS is not configured there, or the port speaks another protocol", "check the port and its server"),
    ),
}


def _by_answer(case: Situation) -> Diagnosis | None:
    if case.seen.code == 496:  # noqa: PLR2004 - nginx's own
        return _no_certificate(case)
    if case.seen.code == 495:  # noqa: PLR2004 - nginx's own
        return _refused_certificate(case)
    if case.seen.status == 421:  # noqa: PLR2004 - RFC 9110 15.5.20
        return Diagnosis(
            "the server answers 421: the name in the SNI and the name in the request are those of different sites",
            NAME_NOT_SERVED.cause,
            NAME_NOT_SERVED.fix,
            code=421,
            log=log_line(421),
            directive="server_name",
        )
    if case.seen.status in {401, 403}:
        return _forbidden(case)
    return None


def _no_certificate(case: Situation) -> Diagnosis:
    cause = CERTIFICATE_LOST if case.presented else _NONE_SENT
    return Diagnosis(
        "nginx answers 400 No required SSL certificate was sent (496 inside)",
        cause.cause,
        cause.fix,
        code=496,
        verify="NONE",
        log=log_line(496),
        directive=None if case.presented else "ssl_verify_client optional; where some clients may come without",
    )


_NONE_SENT = Cause(
    "ssl_verify_client is on and the client sent no certificate; a browser sends none when it has none of the CAs that "
    "the server names, and says nothing",
    "come with a certificate of one of the accepted CAs: --name, --cert and --key, or --p12; a browser must have it "
    "imported",
)


def _refused_certificate(case: Situation) -> Diagnosis:
    reason = verify_reason(case.seen.verify)
    said = case.seen.verify if reason or case.seen.verify not in {None, "FAILED"} else None
    if reason is None and case.likely is not None and said is None:
        reason = next((one for one in VERIFY_REASONS if one.code == case.likely), None)
    cause = Cause(reason.cause, reason.fix) if reason else SILENT_REFUSAL
    if reason is not None and reason.code in NO_PATH and case.listed in BY_LIST:
        cause = BY_LIST[case.listed]
    found = Diagnosis(
        "nginx answers 400 The SSL certificate error (495 inside)",
        cause.cause,
        cause.fix,
        code=495,
        verify=said,
        log=log_verify(reason),
        directive=directive_for(reason.code if reason else None),
    )
    if said is None and reason is not None:
        return replace(found, verify=f"FAILED:{reason.message} (by our own checks: the page does not say it)")
    return found


def _forbidden(case: Situation) -> Diagnosis:
    who = "the certificate was verified" if case.presented else "no client certificate was sent"
    return Diagnosis(
        f"the server answers {case.seen.status}, and {who}",
        "the site itself refuses: a pinned issuer, an allow list, a revocation map, or a check for this path"
        if case.presented
        else "the site wants a client certificate for this path, or the refusal has nothing to do with TLS",
        "compare issuer, subject and serial number with what the site admits"
        if case.presented
        else "come with a certificate: --name, --cert and --key, or --p12",
        code=case.seen.status,
        directive="if ($ssl_client_verify != SUCCESS), map, auth_request",
    )
