"""When a certificate is due to be replaced: when only a third of its life is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from counterseal.authority.parts import Authority


SHARE_LEFT = 1 / 3
"""The share of a lifetime that is left when a certificate is to be replaced."""


def due_at(not_before: datetime, not_after: datetime, *, share_left: float = SHARE_LEFT) -> datetime:
    """Return the moment from which a certificate of this lifetime is to be replaced."""
    return not_after - (not_after - not_before) * share_left


def is_due(authority: Authority, certificate: x509.Certificate) -> bool:
    """Whether the certificate is to be replaced now."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return authority.clock() >= due_at(begin, end)
