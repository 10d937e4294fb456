"""Profiles: the rules for a kind of certificate.

One issuer serves one purpose, and one profile belongs to one purpose, so that a stolen server certificate never opens a
client door. RFC 5280 4.2.1.3 (key usage), 4.2.1.12 (extended key usage); lifetimes after what clients accept in 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

SERVER_LIFETIME_ACCEPTED = timedelta(days=398)
"""Above this Apple's and Chromium's clients refuse a server certificate, even from a private CA on some platforms."""


class Purpose(StrEnum):
    """What an issuer's certificates are for."""

    SERVER = "server"
    CLIENT = "client"
    ANY = "any"

    @property
    def extended_key_usages(self) -> tuple[ObjectIdentifier, ...]:
        """The extended key usages that belong to this purpose (RFC 5280 4.2.1.12)."""
        return {
            Purpose.SERVER: (ExtendedKeyUsageOID.SERVER_AUTH,),
            Purpose.CLIENT: (ExtendedKeyUsageOID.CLIENT_AUTH,),
            Purpose.ANY: (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
        }[self]


@dataclass(frozen=True, slots=True)
class Profile:
    """The rules for one kind of end-entity certificate."""

    name: str
    purpose: Purpose
    lifetime: timedelta
    max_lifetime: timedelta
    name_kinds: frozenset[str]
    wildcards: bool = False
    requires_name: bool = False
    permitted_domains: tuple[str, ...] = ()
    min_rsa_bits: int = 2048
    probe: bool = False
    """Made for a proof: short-lived, marked by its OU, and possibly dated into the past."""


SERVER = Profile(
    "server",
    Purpose.SERVER,
    lifetime=timedelta(days=90),
    max_lifetime=timedelta(days=3650),
    name_kinds=frozenset({"DNS", "IP", "URI"}),
    wildcards=True,
    requires_name=True,
)
CLIENT = Profile(
    "client",
    Purpose.CLIENT,
    lifetime=timedelta(days=365),
    max_lifetime=timedelta(days=3650),
    name_kinds=frozenset({"DNS", "email", "URI"}),
)
SERVER_PROBE = Profile(
    "server-probe",
    Purpose.SERVER,
    lifetime=timedelta(hours=1),
    max_lifetime=timedelta(days=3650),
    name_kinds=frozenset(),
    probe=True,
)
CLIENT_PROBE = Profile(
    "client-probe",
    Purpose.CLIENT,
    lifetime=timedelta(hours=1),
    max_lifetime=timedelta(days=3650),
    name_kinds=frozenset(),
    probe=True,
)
BUILT_IN = {profile.name: profile for profile in (SERVER, CLIENT, SERVER_PROBE, CLIENT_PROBE)}

PROBE_GROUP = "counterseal-probe"
"""The OU that marks a certificate made for a proof; policy refuses it to everybody else."""
