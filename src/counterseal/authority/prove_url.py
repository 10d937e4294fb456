"""Prove a server by its URL: with the clients of ours that it says it takes, or with those the caller brings.

Decides who knocks. A server names the CAs whose clients it takes (RFC 8446 4.2.4); where ours is among them, probes are
issued under it. Everybody else's server meets no certificate, one of a CA that nobody knows, and what the caller hands
in. What the server was meant to be, and how rows are judged, is the proof's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.foreign import make_foreign_probe
from counterseal.authority.probes import issue_good, make_probes
from counterseal.handshake.attempt import attempt
from counterseal.handshake.plan import attempt_as
from counterseal.handshake.prove import Proof, prove
from counterseal.handshake.site import Identities, Stapling
from counterseal.handshake.verdict import Verdict, verdict
from counterseal.pki.profile import Purpose

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from counterseal.authority.parts import Authority
    from counterseal.handshake.observation import Observation, ProbeIdentity
    from counterseal.handshake.site import SiteFacts

LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who proves: the CA at hand and where it keeps its canaries, if there is one; a certificate of the caller's."""

    clock: Callable[[], datetime]
    serial_number: Callable[[], int]
    authority: Authority | None = None
    canaries: Path | None = None
    client_ca: str | None = None
    own: ProbeIdentity | None = None


def prove_url(facts: SiteFacts, visitor: Visitor) -> Proof:
    """Prove the server that ``facts`` speak of; raises what issuing a probe raises."""
    identities = Identities(good=visitor.own, foreign=make_foreign_probe(visitor.clock(), visitor.serial_number))
    ca = _client_ca(facts, visitor)
    if ca is not None and visitor.authority is not None and visitor.canaries is not None:
        identities = _with_probes(identities, visitor.authority, ca, visitor.canaries)
    facts = replace(facts, stapling=Stapling(visitor.clock, meant=False))
    return prove(_with_allow_list(facts, identities.good), identities)


def _client_ca(facts: SiteFacts, visitor: Visitor) -> str | None:
    """Return the client CA of ours that the server names, or the one that the caller names."""
    if visitor.authority is None or facts.client_certificates == "none":
        return None
    if visitor.client_ca is not None:
        return visitor.authority.store.ca(visitor.client_ca).name
    named = _look(facts, None).authorities
    standing = (one for one in visitor.authority.cas_for(Purpose.CLIENT) if one.revoked_at is None)
    for record in standing:
        if x509.load_der_x509_certificate(record.certificate).subject.public_bytes() in named:
            return record.name
    return None


def _with_probes(identities: Identities, authority: Authority, ca: str, canaries: Path) -> Identities:
    """Add probes of ``ca``; the canary only where lists have long named it, for a new one no server can know."""
    has_canary = (canaries / f"{ca}.pem").is_file()
    probes = make_probes(authority, ca, canaries, with_unlisted=False, lifetime=LIFETIME)
    clients = (one for one in authority.store.cas() if one.purpose == str(Purpose.CLIENT) and one.state == "active")
    other = next((one for one in clients if one.name != ca and not authority.is_away(one)), None)
    return replace(
        identities,
        good=identities.good or probes.good,
        expired=probes.expired,
        server_purpose=probes.server_purpose,
        other_client_ca=issue_good(authority, other.name) if other else None,
        revoked=probes.revoked if has_canary else None,
    )


def _with_allow_list(facts: SiteFacts, good: ProbeIdentity | None) -> SiteFacts:
    """Add that the site has an allow list, where a page of ours says that a good certificate is not on it."""
    if good is None or not facts.is_ours:
        return facts
    seen = _look(facts, good)
    return replace(facts, has_allow=verdict(seen) is Verdict.FORBIDDEN and seen.verify == "SUCCESS")


def _look(facts: SiteFacts, identity: ProbeIdentity | None) -> Observation:
    version = facts.tls_versions[-1]
    return attempt(attempt_as(facts, identity, endpoint=facts.endpoints[0], tls_version=version, timeout=5))
