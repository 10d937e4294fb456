"""A client that arrived, explained: what it offered, whether it came with a certificate, and what nginx would answer.

The same ladder, checks and causes as for a server; what differs is who is judged. nginx's answer to the certificate is
OpenSSL's last error (``pki.openssl``), because its verify callback lets everything through.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from counterseal.handshake.explain.certificates import read_certificates
from counterseal.handshake.explain.client_faults import CLIENT_ALERTS, OTHER_ALERT, client_fault, no_certificate
from counterseal.handshake.explain.derivation import Derivation, derive
from counterseal.handshake.explain.diagnosis import diagnose
from counterseal.handshake.explain.ladder import Rung, ladder_of
from counterseal.handshake.explain.matching import Match, OwnCertificate, match_own
from counterseal.handshake.explain.nginx_log import log_line
from counterseal.handshake.explain.sheet import Sheet, agreed_on, diagnosis_rows
from counterseal.handshake.explain.situation import Diagnosis, Situation
from counterseal.handshake.observation import Observation
from counterseal.handshake.symptoms import Cause
from counterseal.handshake.trace.dial import Ending
from counterseal.handshake.verify_reasons import VERIFY_REASONS
from counterseal.handshake.wire.alerts import alert_meaning
from counterseal.handshake.wire.messages import CertificateRequest, Side
from counterseal.pki.openssl.verify import verify
from counterseal.pki.path.explain import PathReport
from counterseal.pki.path.explain import explain as explain_path
from counterseal.pki.path.revocation_list import without_lists_of
from counterseal.pki.profile import Purpose
from counterseal.pki.shown import printable
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography import x509

    from counterseal.handshake.examine import Watched
    from counterseal.pki.path.question import Revoked
    from counterseal.pki.path.revocation_list import RevocationList


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known of a client; ``heading`` says in one sentence what it did."""

    watched: Watched
    ladder: tuple[Rung, ...]
    derivation: Derivation | None
    checks: PathReport | None
    matches: tuple[Match, ...]
    heading: str
    diagnosis: Diagnosis | None


def explain_arrival(
    watched: Watched,
    client_cas: Sequence[x509.Certificate],
    at: datetime,
    crls: Sequence[RevocationList] | None = None,
    *,
    lists_demanded: bool = True,
    revoked: Sequence[Revoked] = (),
) -> Arrival:
    """Explain what a client did; ``client_cas`` are those whose clients are meant to be let in (none: not judged).

    ``crls`` are the lists of these CAs that nginx has; None where revocation is not looked at. Where they are not
    ``lists_demanded`` the checks pass over what is wrong with a list itself, which nginx does not. ``revoked``
    are CAs known to be so whatever the lists say, which no site admits any more: nginx has no list of them.
    """
    story = watched.story
    chain = read_certificates(story.client_chain)
    checks = (
        explain_path(
            chain[0],
            chain[1:],
            client_cas,
            purpose=Purpose.CLIENT,
            at=at,
            crls=crls,
            lists_demanded=lists_demanded,
            revoked=revoked,
        ).best
        if chain and client_cas
        else None
    )
    held = None if crls is None else without_lists_of((one.certificate for one in revoked), crls)
    heading, diagnosis = _verdict(watched, chain, client_cas, at, held)
    return Arrival(
        watched,
        ladder_of(watched.trace, watched.decoded, story),
        derive(story),
        checks,
        _offered(chain, story.request, client_cas, at),
        heading,
        diagnosis,
    )


def sheet_of_arrival(arrival: Arrival, *, server: str) -> Sheet:
    """Return what is shown of an arrival; ``server`` is the name of the certificate that it was shown."""
    story, trace = arrival.watched.story, arrival.watched.trace
    name = printable(story.offered.server_name) if story.offered and story.offered.server_name else "no server name"
    return Sheet(
        title=f"TLS handshake of {trace.peer or 'a client'}",
        agreed=agreed_on(story),
        client=("Client", trace.peer or "unknown"),
        server=(f"asked for {name}", server),
        ladder=arrival.ladder,
        heading=arrival.heading,
        rows=tuple(diagnosis_rows(arrival.diagnosis)) if arrival.diagnosis else (),
        failed=arrival.diagnosis is not None,
        derivation=arrival.derivation,
        checks=() if arrival.checks is None else (("what a server checks of the client", arrival.checks),),
        matches=arrival.matches,
    )


def _offered(
    chain: Sequence[x509.Certificate],
    request: CertificateRequest | None,
    client_cas: Sequence[x509.Certificate],
    at: datetime,
) -> tuple[Match, ...]:
    """Say whether a browser offers this certificate to a server that names its CAs, whether it was one or not."""
    if not chain or request is None or not client_cas:
        return ()
    names = request.authorities or tuple(one.subject.public_bytes() for one in client_cas)
    named = CertificateRequest(request.signature_schemes, names)
    return match_own(named, [OwnCertificate("the client's certificate", tuple(chain))], at)


def _verdict(
    watched: Watched,
    chain: Sequence[x509.Certificate],
    client_cas: Sequence[x509.Certificate],
    at: datetime,
    crls: Sequence[RevocationList] | None,
) -> tuple[str, Diagnosis | None]:
    trace, story = watched.trace, watched.story
    if story.alert is not None and story.alert[0] is Side.CLIENT:
        return _alert(story.alert[1])
    if chain:
        return _presented(watched, chain, client_cas, at, crls)
    if trace.ending is Ending.NOT_TLS:
        return client_fault(Ending.NOT_TLS, trace.fault, trace.opening, story.offered)
    if trace.ending is Ending.CLOSED and story.request is not None:
        return "the client left when it was asked for a certificate", Diagnosis(_LEFT, _ASKING.cause, _ASKING.fix)
    if not trace.established:
        return client_fault(trace.ending, trace.fault, trace.opening, story.offered)
    why = no_certificate(story.request.authorities if story.request else ())
    found = Diagnosis(
        "nginx with ssl_verify_client on would answer 400 No required SSL certificate was sent (496 inside)",
        why.cause,
        why.fix,
        code=496,
        verify="NONE",
        log=log_line(496),
    )
    return "the client came without a certificate", found


_LEFT = "the client closes the connection after the request for a certificate"
_ASKING = Cause(
    "a browser leaves to ask its user, or to look whether it has a certificate that fits, and then comes again; if it "
    "does not, its user cancelled, or it does not trust the certificate that it was shown here",
    "look at the connection that follows",
)


def _presented(
    watched: Watched,
    chain: Sequence[x509.Certificate],
    client_cas: Sequence[x509.Certificate],
    at: datetime,
    crls: Sequence[RevocationList] | None,
) -> tuple[str, Diagnosis | None]:
    who = f"the client came with {show_subject(chain[0].subject) or '(no subject)'}"
    if not client_cas:
        return f"{who}; whether it would be let in is not judged without --client-ca", None
    lists = None if crls is None else [one.crl for one in crls]
    error = int(verify(chain[0], chain[1:], client_cas, purpose=Purpose.CLIENT, at=at, crls=lists).last)
    if error == 0:
        return f"{who}, and nginx would let it in", None
    reason = next((one for one in VERIFY_REASONS if one.code == error), None)
    said = f"FAILED:{reason.message}" if reason else f"FAILED:error {error}"
    answered = Observation(status=400, code=495, verify=said)
    found = diagnose(Situation(replace(watched.trace, ending=Ending.DONE), watched.story, answered))
    happened = "nginx would answer 400 The SSL certificate error (495 inside)"
    return f"{who}, and nginx would refuse it", replace(found, happened=happened) if found else None


def _alert(description: int) -> tuple[str, Diagnosis]:
    name, meaning = alert_meaning(description)
    cause = CLIENT_ALERTS.get(name, OTHER_ALERT)
    heading = f"the client ended the handshake with the alert {name}: {meaning}"
    return heading, Diagnosis(f"alert {name} ({description}) of the client", cause.cause, cause.fix)
