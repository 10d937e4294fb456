"""What is asked about a certificate: for which purpose, under which names, when, and how revocation is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509
    from cryptography.x509.ocsp import OCSPResponse

    from counterseal.pki.path.revocation_list import RevocationList
    from counterseal.pki.profile import Purpose


class Revoked(NamedTuple):
    """A CA that whoever asks has revoked, whatever the lists say: its certificate, and since when and why in words."""

    certificate: x509.Certificate
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """``names`` must all be borne by the end entity; ``crls`` is None when nobody asks about revocation.

    ``lists_demanded``: whether a certificate fails whose issuer has no usable list among ``crls``; else only an entry
    counts, also one on a list that is out of its dates.

    ``revoked`` are CAs that nobody has to look up.

    ``depth`` is the most intermediates that may stand between end entity and anchor, None for no limit.
    """

    purpose: Purpose
    at: datetime
    names: tuple[x509.GeneralName, ...] = ()
    crls: tuple[RevocationList, ...] | None = None
    depth: int | None = None
    ocsp: tuple[OCSPResponse, ...] = ()
    lists_demanded: bool = True
    revoked: tuple[Revoked, ...] = ()
