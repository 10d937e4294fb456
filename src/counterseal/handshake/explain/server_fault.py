"""Why clients refuse the server's certificate, in the words of the proof's table, from the checks that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.handshake.explain.diagnosis import Diagnosis
from counterseal.handshake.server_reasons import OTHER_SERVER_FAULT, SERVER_REASONS

if TYPE_CHECKING:
    from counterseal.pki.path.explain import PathReport

_EXPIRED, _SELF_SIGNED, _OTHER_ROOT, _NO_ISSUER, _PURPOSE, _NAME, _WEAK = 10, 18, 19, 20, 26, 62, 66
_BY_CODE = {
    "name": _NAME,
    "extended_key_usage": _PURPOSE,
    "validity": _EXPIRED,
    "key_strength": _WEAK,
    "trust_anchor": _NO_ISSUER,
}
"""The checks by OpenSSL's number, most telling first: what is wrong in the certificate before what is missing above."""


def server_fault(report: PathReport | None) -> Diagnosis | None:
    """Return why a client refuses this server, or None when it does not; all failed checks are named."""
    if report is None or report.valid:
        return None
    codes = [check.kind.code for check in report.failures]
    number = next((number for code, number in _BY_CODE.items() if code in codes), 0)
    number = _above(report) if number == _NO_ISSUER else number
    cause = SERVER_REASONS.get(number, OTHER_SERVER_FAULT)
    titles = ", ".join(dict.fromkeys(check.kind.title for check in report.failures))
    return Diagnosis(
        f"a client refuses the server's certificate: {titles}", cause.cause, cause.fix, directive="ssl_certificate"
    )


def _above(report: PathReport) -> int:
    """Tell a missing intermediate from a root that is not trusted: by what the server did send."""
    if report.certificates[0].subject == report.certificates[0].issuer:
        return _SELF_SIGNED
    return _OTHER_ROOT if len(report.certificates) > 1 else _NO_ISSUER
