"""Read a stapled OCSP response: does it say, credibly and today, that the certificate beside it is good.

A pure function of what the server sent. The checks are those of ``pki.path`` (RFC 6960 3.2); here is decided which kind
of fault they come to, because each kind has a cause of its own. A delegate's certificate is judged by the issuer.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography.x509 import ocsp

from counterseal.handshake.explain.certificates import demands_stapling, read_certificates
from counterseal.handshake.observation import Staple, StapleFault
from counterseal.pki.path import catalogue
from counterseal.pki.path.build import Path
from counterseal.pki.path.candidate import Candidate
from counterseal.pki.path.ocsp import responses
from counterseal.pki.path.question import Question
from counterseal.pki.path.signature import signature_fault
from counterseal.pki.profile import Purpose
from counterseal.pki.reading import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography import x509

    from counterseal.handshake.stapled import Stapled

_SKEW = timedelta(minutes=5)  # OCSP_check_validity in ngx_event_openssl_stapling.c


def read_staple(sent: Stapled, at: datetime, anchors: Sequence[x509.Certificate] = ()) -> Staple:
    """Return what the response beside the chain is worth at this time; an anchor may be the issuer, too."""
    demanded = bool(sent.chain) and demands_stapling(sent.chain[0])
    if sent.response is None:
        words = "no OCSP response came" + (", and the certificate demands one (must-staple)" if demanded else "")
        return Staple(words, StapleFault.ABSENT, demanded)
    chain = read_certificates(sent.chain)
    issuer = _issuer(chain, anchors)
    if issuer is None:
        words = "an OCSP response, and no issuer in the chain to verify it with"
        return Staple(words, StapleFault.NOT_BELIEVED, demanded)
    text, fault = _judged(chain[0], issuer, sent.response, at)
    return Staple(text, fault, demanded)


def _judged(
    certificate: x509.Certificate, issuer: Candidate, octets: bytes, at: datetime
) -> tuple[str, StapleFault | None]:
    try:
        response = ocsp.load_der_ocsp_response(octets)
    except UNREADABLE:
        return f"{len(octets)} octets that are no OCSP response", StapleFault.NOT_BELIEVED
    path = Path((Candidate(certificate), issuer), (None,))
    checks = tuple(responses(path, Question(Purpose.SERVER, _by_its_clock(response, at), ocsp=(response,))))
    for check in checks:
        if check.failed:
            of_status = check.kind is catalogue.REVOCATION
            return check.message, StapleFault.NOT_GOOD if of_status else StapleFault.NOT_BELIEVED
    return "; ".join(("good", *(check.message for check in checks[1:-1]))), None  # between who signed and the status


def _by_its_clock(response: ocsp.OCSPResponse, at: datetime) -> datetime:
    """Return when to judge the response: by the clock of a responder whose own is a little ahead, as nginx does."""
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        return at
    begins = max((single.this_update_utc for single in response.responses), default=at)
    return begins if at < begins <= at + _SKEW else at


def _issuer(chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]) -> Candidate | None:
    """Return who issued the first certificate, by its signature: another of the chain, or an anchor."""
    candidates = map(Candidate, (*chain[1:], *anchors) if chain else ())
    return next((one for one in candidates if signature_fault(Candidate(chain[0]), one) is None), None)
