"""Backends made for a proof: the certificates with which the prover plays the TLS backend of a site.

The impostors (expired, revoked, of another name, a client certificate) lie in the generation that they were made for,
and the next deploy revokes them; the one that nginx must take lives for one hour, in memory. All are marked by their
OU. Where nginx trusts another CA than ours, only those can be played that need no key of it: a foreign one, and one of
a CA that calls itself as the trusted one does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.foreign import make_foreign_probe
from counterseal.authority.probes import (
    GOOD_LIFETIME,
    Wanted,
    issue_probe,
    issue_probes,
    read_identity,
    retire_probes,
)
from counterseal.authority.revoke import revoke_record
from counterseal.fileset import SECRET, FileSet, PlannedFile
from counterseal.handshake.site import Backends
from counterseal.pki.crl import RevocationReason
from counterseal.pki.names import dns_name
from counterseal.pki.profile import BACKEND_PROBE, CLIENT_BACKEND_PROBE, Purpose

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.authority.parts import Authority
    from counterseal.handshake.observation import ProbeIdentity
    from counterseal.nginx.any_site import AnySite

OTHER = "counterseal-other"
_KEPT = ("expired", "other-name", "client-purpose", "revoked")


@dataclass(frozen=True, slots=True)
class BackendPlace:
    """Where the kept ones of a site lie below a generation."""

    site: str

    def path(self, kind: str) -> str:
        """Return the path of one of them."""
        return f"backends/{self.site}/{kind}.pem"


def make_backends(authority: Authority, site: AnySite) -> FileSet:
    """Return the impostors of one site as files of a generation, readable by the owner only.

    None that a CA would have to issue whose key is away.
    """
    name = next(iter(site.backend_names.values()))
    cas = authority.last_for(Purpose.SERVER), authority.last_for(Purpose.CLIENT)
    if authority.is_away(cas[0]):
        return FileSet()
    servers, clients = (ca.name for ca in cas)
    past, day = authority.clock() - timedelta(days=2), timedelta(days=1)
    ours, called = (dns_name(name),), f"backend-{site.name}"
    retire_probes(authority, BACKEND_PROBE, servers, called)
    wanted = {
        "expired": Wanted(BACKEND_PROBE, servers, called, day, past, ours),
        "other-name": Wanted(BACKEND_PROBE, servers, called, GOOD_LIFETIME, names=(dns_name(f"{OTHER}.{name}"),)),
        "revoked": Wanted(BACKEND_PROBE, servers, called, GOOD_LIFETIME, names=ours),
    }
    if not authority.is_away(cas[1]):
        retire_probes(authority, CLIENT_BACKEND_PROBE, clients, called)
        wanted["client-purpose"] = Wanted(CLIENT_BACKEND_PROBE, clients, called, GOOD_LIFETIME, names=ours)
    made = dict(zip(wanted, issue_probes(authority, list(wanted.values())), strict=True))
    revoke_record(authority, made["revoked"][0], RevocationReason.SUPERSEDED)
    place = BackendPlace(site.name)
    return FileSet(
        tuple(
            PlannedFile(place.path(kind), identity.certificate_chain + identity.private_key, SECRET)
            for kind, (_, identity) in made.items()
        )
    )


def backends_of(authority: Authority, site: AnySite, generation: Path, *, is_ours: bool) -> Backends:
    """Return the backends to play: the kept ones of the generation as far as it has them, and two made anew."""
    name = dns_name(next(iter(site.backend_names.values())))
    make = partial(make_foreign_probe, authority.clock(), authority.serial_number, profile=BACKEND_PROBE, names=(name,))
    foreign, trusted = make(), _trusted(site, generation)
    forged = make(common_name="probe forged", ca_subject=trusted) if trusted else None
    if not is_ours:
        return Backends(foreign=foreign, forged=forged)
    servers = authority.issuer_for(Purpose.SERVER)
    hour = timedelta(hours=1)
    _, good = issue_probe(authority, Wanted(BACKEND_PROBE, servers, f"backend-{site.name}", hour, names=(name,)))
    expired, other_name, client_purpose, revoked = (_kept(site, generation, kind) for kind in _KEPT)
    return Backends(good, foreign, forged, expired, other_name, client_purpose, revoked)


def _trusted(site: AnySite, generation: Path) -> x509.Name | None:
    """Return the name of a CA that nginx trusts for the backends of a site."""
    path = generation / "sites" / f"{site.name}.upstream-cas.pem"
    return x509.load_pem_x509_certificates(path.read_bytes())[0].subject if path.is_file() else None


def _kept(site: AnySite, generation: Path, kind: str) -> ProbeIdentity | None:
    path = generation / BackendPlace(site.name).path(kind)
    return read_identity(kind, path) if path.is_file() else None
