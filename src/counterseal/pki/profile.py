"""Profiles: the rules for a kind of certificate.

One issuer serves one purpose, and one profile belongs to one purpose, so that a stolen server certificate never opens a
client door. RFC 5280 4.2.1.3 (key usage), 4.2.1.12 (extended key usage); lifetimes after what clients accept in 2026.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509.oid import ObjectIdentifier

SERVER_LIFETIME_ACCEPTED = timedelta(days=825)
"""Apple's clients refuse a server certificate above this from any CA (support.apple.com/103769).

The 398 days of Apple and the browsers are for the CAs that come with the system, not for those that a user added.
"""


class Purpose(StrEnum):
    """What an issuer's certificates are for."""

    SERVER = "server"
    CLIENT = "client"
    ANY = "any"
    OCSP = "ocsp"

    @property
    def extended_key_usages(self) -> tuple[ObjectIdentifier, ...]:
        """The extended key usages that belong to this purpose (RFC 5280 4.2.1.12)."""
        return _usages()[self]


@cache
def _usages() -> dict[Purpose, tuple[ObjectIdentifier, ...]]:
    from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415 - who lists certificates reads none

    return {
        Purpose.SERVER: (ExtendedKeyUsageOID.SERVER_AUTH,),
        Purpose.CLIENT: (ExtendedKeyUsageOID.CLIENT_AUTH,),
        Purpose.ANY: (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
        Purpose.OCSP: (ExtendedKeyUsageOID.OCSP_SIGNING,),
    }


@dataclass(frozen=True, slots=True)
class Profile:
    """The rules for one kind of end-entity certificate.

    ``name_kinds`` are the kinds of subject alternative names that it may have (DNS, IP, email, URI), ``requires_name``
    asks for a DNS name or IP address among them, and ``permitted_domains``, when given, for every DNS name, mailbox
    and URI to lie in one of these, which a URN cannot. ``max_is_set`` where somebody wrote the longest lifetime down. A
    ``probe`` is made for a proof: marked by its OU and possibly dated into the past.
    """

    name: str
    purpose: Purpose
    lifetime: timedelta
    max_lifetime: timedelta
    name_kinds: frozenset[str]
    wildcards: bool = False
    requires_name: bool = False
    permitted_domains: tuple[str, ...] = ()
    min_rsa_bits: int = 2048
    max_is_set: bool = False
    probe: bool = False

    def for_strangers(self) -> Profile:
        """Return the profile for whoever chooses a lifetime over the network: the usual one, or the maximum if set."""
        return self if self.max_is_set else replace(self, max_lifetime=self.lifetime)


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
RESPONDER = Profile(
    "ocsp",
    Purpose.OCSP,
    lifetime=timedelta(days=14),
    max_lifetime=timedelta(days=14),
    name_kinds=frozenset(),
)
"""Of an OCSP responder: under every CA, whatever it issues otherwise (RFC 6960 4.2.2.2); nobody can ask for one."""

BACKEND_PROBE = replace(SERVER_PROBE, name="backend-probe", name_kinds=frozenset({"DNS"}), requires_name=True)
CLIENT_BACKEND_PROBE = replace(CLIENT_PROBE, name="client-backend-probe", name_kinds=frozenset({"DNS"}))
_PROBES = (SERVER_PROBE, CLIENT_PROBE, BACKEND_PROBE, CLIENT_BACKEND_PROBE)
PROBES = tuple(profile.name for profile in _PROBES)
UNLISTED = (*PROBES, RESPONDER.name)
"""Of what we make for ourselves and replace ourselves: listings leave them out unless asked."""

BUILT_IN = {profile.name: profile for profile in (SERVER, CLIENT, *_PROBES)}

PROBE_GROUP = "counterseal-probe"
"""The OU that marks a certificate made for a proof; policy refuses it to everybody else."""
