"""Why clients refuse the server's certificate, in the words of the proof's table, from the checks that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.handshake.explain.situation import Diagnosis
from counterseal.handshake.server_reasons import OTHER_SERVER_FAULT, SERVER_REASONS
from counterseal.handshake.symptoms import Cause

if TYPE_CHECKING:
    from datetime import datetime

    from counterseal.pki.path.explain import PathReport

_EARLY, _EXPIRED, _SELF_SIGNED, _OTHER_ROOT, _NO_ISSUER, _PURPOSE, _NAME, _WEAK = 9, 10, 18, 19, 20, 26, 62, 66
_BY_CODE = {
    "name": _NAME,
    "extended_key_usage": _PURPOSE,
    "validity": _EXPIRED,
    "key_strength": _WEAK,
    "trust_anchor": _NO_ISSUER,
}
"""The checks by OpenSSL's number, most telling first: what is wrong in the certificate before what is missing above."""


def server_fault(report: PathReport | None, at: datetime) -> Diagnosis | None:
    """Return why a client refuses this server, or None when it does not; all failed checks are named."""
    if report is None or report.valid:
        return None
    cause = SERVER_REASONS.get(_number(report, at)) or _told(report)
    titles = ", ".join(dict.fromkeys(check.kind.title for check in report.failures))
    return Diagnosis(
        f"a client refuses the server's certificate: {titles}", cause.cause, cause.fix, directive="ssl_certificate"
    )


def _told(report: PathReport) -> Cause:
    """Let the first failed check speak, where no entry of the table fits."""
    check = report.failures[0]
    return Cause(f"{OTHER_SERVER_FAULT.cause}: {check.message}", check.fix or OTHER_SERVER_FAULT.fix)


def _number(report: PathReport, at: datetime) -> int:
    codes = [check.kind.code for check in report.failures]
    end_entity = report.certificates[0]
    if "trust_anchor" in codes and end_entity.subject == end_entity.issuer:
        return _SELF_SIGNED
    number = next((number for code, number in _BY_CODE.items() if code in codes), 0)
    if number == _NO_ISSUER and len(report.certificates) > 1:
        return _OTHER_ROOT  # the intermediates were sent
    if number == _EXPIRED and all(one.not_valid_after_utc > at for one in report.certificates):
        return _EARLY
    return number
