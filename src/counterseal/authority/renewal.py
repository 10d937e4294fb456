"""When a certificate is due to be replaced: when only a third of its life is left; and when a list is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from counterseal.moments import moment

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from counterseal.authority.parts import Authority
    from counterseal.store.records import CRLTimes


SHARE_LEFT = 1 / 3
"""The share of a lifetime that is left when a certificate is to be replaced."""

_ABSENT_SHARE, _ABSENT_LEFT = 0.1, timedelta(days=3)


def due_at(not_before: datetime, not_after: datetime, *, share_left: float = SHARE_LEFT) -> datetime:
    """Return the moment from which a certificate of this lifetime is to be replaced."""
    return not_after - (not_after - not_before) * share_left


def is_due(authority: Authority, certificate: x509.Certificate) -> bool:
    """Whether the certificate is to be replaced now; one that is not valid yet was dated by a clock that was ahead."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return not begin <= authority.clock() < due_at(begin, end)


def list_due_at(authority: Authority, crl: CRLTimes, *, key_here: bool) -> datetime:
    """Return the moment from which a list is to be replaced.

    Where the CA's key is here that is when it is as old as the refresh interval. Elsewhere somebody has to go and sign
    another: when a tenth of its time is left, and three days before its end at the latest.
    """
    begin, end = moment(crl.this_update), moment(crl.next_update)
    if key_here:
        return min(begin + authority.rules.crl_refresh, end)
    return min(due_at(begin, end, share_left=_ABSENT_SHARE), end - _ABSENT_LEFT)
