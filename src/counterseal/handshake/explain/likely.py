"""Which of OpenSSL's verify errors a server's refusal most likely is, where its page does not say.

Only those errors that the certificate alone explains: the order is OpenSSL's, which reports purpose before dates. What
depends on the server's files (another CA, a depth, a CRL) is not guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from counterseal.pki.path.explain import PathReport

_PURPOSE, _NOT_YET_VALID, _EXPIRED, _SIGNATURE = 26, 9, 10, 7
_BY_CODE = {"extended_key_usage": _PURPOSE, "key_usage": _PURPOSE, "signature": _SIGNATURE, "validity": _EXPIRED}


def likely_error(report: PathReport | None, at: datetime) -> int | None:
    """Return OpenSSL's number for the first failed check that a server makes too, or None when none explains it."""
    if report is None:
        return None
    codes = [_BY_CODE[check.kind.code] for check in report.failures if check.kind.code in _BY_CODE]
    first = next((code for code in (_PURPOSE, _SIGNATURE, _EXPIRED) if code in codes), None)
    early = any(certificate.not_valid_before_utc > at for certificate in report.certificates)
    return _NOT_YET_VALID if first == _EXPIRED and early else first
