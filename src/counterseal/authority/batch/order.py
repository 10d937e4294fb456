"""What holds for every row of a batch, and what a row asks for under it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.authority.order import order_client

if TYPE_CHECKING:
    from datetime import timedelta

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from counterseal.authority.batch.rows import ClientRow
    from counterseal.bundles.pkcs12 import Packing
    from counterseal.pki.keys import KeySpec
    from counterseal.pki.policy import Asked
    from counterseal.pki.profile import Profile


@dataclass(frozen=True, slots=True)
class BatchOrder:
    """What all rows have in common; ``group`` and ``lifetime`` are for rows that say nothing."""

    profile: Profile
    issuer: str
    key: KeySpec
    packing: Packing | None = None
    group: str | None = None
    lifetime: timedelta | None = None

    def asked(self, row: ClientRow, public_key: CertificatePublicKeyTypes) -> Asked:
        """Return what the row asks of policy; raises InputError."""
        return order_client(
            self.profile,
            row.name,
            public_key,
            more_names=row.names,
            group=row.group or (None if row.subject else self.group),
            subject=row.subject,
            lifetime=row.lifetime or self.lifetime,
        )

    def fingerprint(self) -> str:
        """Return what must be the same when an unfinished batch goes on."""
        packing = f"{self.packing.strength} {self.packing.rounds}" if self.packing else "none"
        return f"issuer {self.issuer}, key {self.key}, pkcs12 {packing}"
