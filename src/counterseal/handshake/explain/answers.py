"""What an HTTP answer says about the client: nginx judges there, with codes of its own inside a 400.

495, 496 and 497 stand inside a 400 (ngx_http_special_response.c), 421 is RFC 9110 15.5.20. Where a stock page does not
say OpenSSL's reason, our own checks of the certificate may; what depends on the server's files is not guessed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from counterseal.handshake.authorities import Listed
from counterseal.handshake.explain.certificates import is_alone, read_certificates, show_authorities, show_authority
from counterseal.handshake.explain.client_refused import is_at_fault, refused_cause
from counterseal.handshake.explain.nginx_log import log_line, log_verify
from counterseal.handshake.explain.refusals import directive_for
from counterseal.handshake.explain.situation import Diagnosis, Situation
from counterseal.handshake.peer_causes import (
    BY_LIST,
    CERTIFICATE_LOST,
    CERTIFICATE_WITHHELD,
    MISDIRECTED_REQUEST,
    NO_PATH,
    SILENT_REFUSAL,
    VERIFIED_YET_REFUSED,
)
from counterseal.handshake.symptoms import Cause
from counterseal.handshake.verify_reasons import VERIFY_REASONS, verify_reason

if TYPE_CHECKING:
    from counterseal.handshake.verify_reasons import VerifyReason


def diagnose_answer(case: Situation) -> Diagnosis | None:
    """Return why the server refused, or None when its answer is no refusal."""
    if case.seen.code == 496:  # noqa: PLR2004 - nginx's own
        return _no_certificate(case)
    if case.seen.code == 495:  # noqa: PLR2004 - nginx's own
        return _refused_certificate(case)
    if case.seen.status == 421:  # noqa: PLR2004 - RFC 9110 15.5.20
        return Diagnosis(
            "the server answers 421: the name in the SNI and the name in the request are those of different sites",
            MISDIRECTED_REQUEST.cause,
            MISDIRECTED_REQUEST.fix,
            code=421,
            log=log_line(421),
            directive="server_name",
        )
    if case.story.request is None:  # nobody was asked for a certificate, so the answer is not about one
        return _AFTER_HANDSHAKE if _POST_HANDSHAKE in case.trace.answer.lower() else None
    if case.seen.status == 400:  # noqa: PLR2004 - RFC 9110 15.5.1, and nginx's for 495 and 496
        return replace(
            diagnose_certificate(case),
            happened="the server answers 400 on a page of its own; nginx does so about certificates",
        )
    return _forbidden(case) if case.seen.status in {401, 403} else None


def diagnose_certificate(case: Situation) -> Diagnosis:
    """Return why nginx refuses the client's certificate, or that there is none, whatever it answers with."""
    return _refused_certificate(case) if case.presented else _no_certificate(case)


def diagnose_silence(case: Situation) -> Diagnosis:
    """Return why a server that asked for a certificate closes without an answer, as nginx's stream block refuses."""
    happened = (
        "the handshake succeeds, then the server closes without an answer: so refuse nginx's stream block, return 444 "
        "in http, and Node"
    )
    found = replace(diagnose_certificate(case), happened=happened, code=None)
    if found.cause == SILENT_REFUSAL.cause:  # nothing shows that the certificate is the reason
        return replace(found, cause=_NOTHING_WRONG.cause, fix=_NOTHING_WRONG.fix, verify=None, log=None)
    return found


_NOTHING_WRONG = Cause(
    "the server's backend is away, or it refuses the client without a word: our own checks find nothing wrong with the "
    "certificate, so it would be for a list of revoked ones, or an allow list",
    "look whether the backend answers, and into the server's log (nginx: error_log at level info)",
)


def _no_certificate(case: Situation) -> Diagnosis:
    cause, directive = _why_none(case)
    return Diagnosis(
        "nginx answers 400 No required SSL certificate was sent (496 inside)",
        cause.cause,
        cause.fix,
        code=496,
        verify="NONE",
        log=log_line(496),
        directive=directive,
    )


def _why_none(case: Situation) -> tuple[Cause, str | None]:
    if case.presented:
        return CERTIFICATE_LOST, None
    if case.story.request is None and not case.story.resumed:
        named = case.story.offered is not None and case.story.offered.server_name is not None
        return (_ENDED_IN_FRONT, None) if named else (_NOT_ASKED, "ssl_verify_client of the default server")
    if case.withheld:
        return CERTIFICATE_WITHHELD, "ssl_conf_command ClientSignatureAlgorithms"
    return _none_sent(case.unfit), "ssl_verify_client optional; where some clients may come without"


def _none_sent(unfit: tuple[str, ...]) -> Cause:
    if not unfit:
        return _NONE_SENT
    return Cause(
        "ssl_verify_client is on and the client sent no certificate: none of those at hand is what the server asks for "
        f"(a browser then sends none, and says nothing): {', '.join(unfit[:_AT_MOST])}",
        "get a certificate of an accepted CA; or at the server, put the CA of this one into ssl_client_certificate",
    )


_AT_MOST = 3
_NONE_SENT = Cause(
    "ssl_verify_client is on and the client sent no certificate; a browser sends none when it has none of the CAs that "
    "the server names, and says nothing",
    "come with a certificate of one of the accepted CAs: --name, --cert and --key, or --p12; a browser must have it "
    "imported",
)


_ENDED_IN_FRONT = Cause(
    "the handshake asked for no certificate, and nginx misses one: something in front of nginx ends TLS, and comes to "
    "nginx without a certificate",
    "pass the TLS connection through to nginx (HAProxy: mode tcp); or let what stands in front verify the clients, and "
    "come with a certificate of its own (proxy_ssl_certificate)",
)
_NOT_ASKED = Cause(
    "the handshake asked for no certificate and the request needs one: without a name in the SNI the default server of "
    "the address shook hands, which verifies nobody, or something in front of nginx did",
    "send the name of the site in the SNI; at the server, let the default server verify too, or reject handshakes",
)


def _refused_certificate(case: Situation) -> Diagnosis:
    reason = verify_reason(case.seen.verify)
    said = case.seen.verify if reason or case.seen.verify not in {None, "FAILED"} else None
    if reason is None and case.likely is not None and said is None:
        reason = next((one for one in VERIFY_REASONS if one.code == case.likely), None)
    cause, directive = _why_refused(case, reason)
    verify = said
    if said is None and reason is not None:
        verify = f"FAILED:{reason.message} (by our own checks: the page does not say it)"
    return Diagnosis(
        "nginx answers 400 The SSL certificate error (495 inside)",
        cause.cause,
        cause.fix,
        code=495,
        verify=verify,
        log=None if said == "SUCCESS" else log_verify(reason),
        directive=directive,
    )


def _why_refused(case: Situation, reason: VerifyReason | None) -> tuple[Cause, str | None]:
    """Choose between OpenSSL's last word and the list of CAs, which is more telling where they differ."""
    if case.seen.verify == "SUCCESS":
        return VERIFIED_YET_REFUSED, "if, map"
    told = Cause(reason.cause, reason.fix) if reason else SILENT_REFUSAL
    directive = directive_for(reason.code if reason else None)
    if case.listed is Listed.ISSUER_ONLY and reason is not None and reason.code in NO_PATH:
        return BY_LIST[case.listed], "ssl_client_certificate"
    if case.listed is not Listed.NONE:
        return told, directive
    chain, request = read_certificates(case.story.client_chain), case.story.request
    if not chain or request is None:
        return BY_LIST[Listed.NONE], "ssl_client_certificate"
    known = told if reason is not None and reason.code == _ISSUER_NOT_SENT and is_alone(chain) else BY_LIST[Listed.NONE]
    named = show_authorities(request.authorities)
    issuer = show_authority(chain[-1].issuer.public_bytes())
    return (
        Cause(
            f"{known.cause}; the server names {named}, and above what the client sent is {issuer}",
            f"come with a certificate of a CA that the server names, or {known.fix}",
        ),
        "ssl_client_certificate",
    )


_ISSUER_NOT_SENT = 21


def _forbidden(case: Situation) -> Diagnosis:
    login = case.seen.status == 401  # noqa: PLR2004 - RFC 9110 15.5.2
    cause, who = (
        (_LOGIN_TOO if login else _why_forbidden(case), "the client came with a certificate")
        if case.presented
        else (_WANTED_HERE, "no client certificate was sent")
    )
    return Diagnosis(
        f"the server answers {case.seen.status}, and {who}",
        cause.cause,
        cause.fix,
        code=case.seen.status,
        verify=case.seen.verify,
        directive="if ($ssl_client_verify != SUCCESS), map, auth_request",
    )


def _why_forbidden(case: Situation) -> Cause:
    """Return what our own checks find where the server only says no, as with ``verify optional`` of HAProxy."""
    if case.seen.verify == "SUCCESS" or not is_at_fault(case):
        return _FORBIDDEN
    found = refused_cause(case)
    return Cause(f"the certificate does not verify, and the site goes by that: {found.cause}", found.fix)


_LOGIN_TOO = Cause(
    "the certificate is accepted, and a login is wanted beside it: by auth_basic, auth_request or the application",
    "log in; or read the application's log, if it should know the client by its certificate",
)
_FORBIDDEN = Cause(
    f"{VERIFIED_YET_REFUSED.cause}; or for a reason that has nothing to do with it: deny by address, the application",
    f"{VERIFIED_YET_REFUSED.fix}; nginx writes what deny refuses into its error.log",
)
_POST_HANDSHAKE = b"post-handshake authentication"
_AFTER_HANDSHAKE = Diagnosis(
    "the server answers 403: it cannot ask for a certificate after the handshake",
    "Apache verifies clients for this path alone (SSLVerifyClient in a Location or Directory), which in TLS 1.3 needs "
    "post-handshake authentication (RFC 8446 4.6.2); browsers do not offer it, nor does this client",
    "move SSLVerifyClient to the virtual host, or keep this site to TLS 1.2: SSLProtocol TLSv1.2",
)
_WANTED_HERE = Cause(
    "the site wants a client certificate for this path, or the refusal has nothing to do with TLS",
    "come with a certificate: --name, --cert and --key, or --p12",
)
