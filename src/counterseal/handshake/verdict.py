"""Read an observation as one word: did the request get past nginx's checks, and if not, where did it end.

A successful handshake says nothing: nginx answers a bad client certificate with HTTP 400 inside a finished handshake
(its verify callback always returns 1). So the verdict comes from the status, from the line on our own pages, and from
the texts of nginx's stock pages.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from counterseal.pki.shown import show_serial

if TYPE_CHECKING:
    from counterseal.handshake.observation import Observation


class Verdict(StrEnum):
    """Where a connection ended."""

    ADMITTED = "admitted"
    REFUSED = "refused"
    FORBIDDEN = "forbidden"
    MISDIRECTED = "misdirected"
    REDIRECTED = "redirected"
    PLAIN_REFUSED = "plain-refused"
    ALERT = "alert"
    UNANSWERED = "unanswered"


_BY_CODE = {495: Verdict.REFUSED, 496: Verdict.REFUSED, 497: Verdict.PLAIN_REFUSED}  # nginx's own, inside a 400
_BY_DECISION = {"admitted": Verdict.ADMITTED, "refused": Verdict.REFUSED}  # of who speaks no HTTP
_BY_STATUS = {
    400: Verdict.REFUSED,
    401: Verdict.FORBIDDEN,
    403: Verdict.FORBIDDEN,
    421: Verdict.MISDIRECTED,
    495: Verdict.REFUSED,
    496: Verdict.REFUSED,
}


def verdict(seen: Observation) -> Verdict:
    """Return where the connection ended; a 400 is taken for nginx's refusal unless our line says ``admitted``."""
    if seen.alert is not None:
        return Verdict.ALERT
    if seen.status is None:
        return _BY_DECISION.get(seen.decision or "", Verdict.UNANSWERED)
    if seen.decision == "admitted":
        return Verdict.ADMITTED
    if seen.code in _BY_CODE:
        return _BY_CODE[seen.code]
    if seen.location is not None and 300 <= seen.status < 400:  # noqa: PLR2004 - RFC 9110 15.4
        return Verdict.REDIRECTED
    return _BY_STATUS.get(seen.status, Verdict.FORBIDDEN if seen.decision == "refused" else Verdict.ADMITTED)


def describe_backend(seen: Observation) -> str:
    """Return in a few words what the prover saw of nginx as its backend."""
    if seen.backend is None:
        return "nginx did not connect to the backend"
    shown = seen.backend.client_serial
    certificate = "no certificate" if shown is None else f"certificate {show_serial(shown)}"
    request = (
        "the request arrived" if seen.backend.reached else f"no request arrived ({seen.backend.error or 'closed'})"
    )
    return f"{request}, nginx showed {certificate}"


def describe(seen: Observation) -> str:
    """Return the observation in a few words: status, reason, alert, and what nginx said about the certificate."""
    if seen.staple is not None:
        return seen.staple.text
    if seen.leaked is not None:
        return f"upstream saw forged {', '.join(seen.leaked)}" if seen.leaked else "no forged header arrived"
    if seen.server_verify is not None and seen.server_verify[0]:
        return f"server certificate: {seen.server_verify[1]} ({seen.server_verify[0]})"
    if seen.alert is not None:
        return f"alert {seen.alert}"
    if seen.status is None:
        return seen.reason_phrase or seen.error or "closed without an answer"
    verify = f", verify={seen.verify}" if seen.verify else ""
    location = f" to {seen.location}" if seen.location else ""
    resumed = ", session resumed" if seen.resumed else ""
    return f"{seen.status} {seen.reason_phrase}".rstrip() + location + verify + resumed
