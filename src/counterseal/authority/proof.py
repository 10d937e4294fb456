"""Prove the sites of a generation: who they are, what they were meant to do, and with which identities to try them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from counterseal.authority.backend_facts import backend_facts
from counterseal.authority.backend_probes import backends_of
from counterseal.authority.endpoints import endpoint_of, endpoints_in
from counterseal.authority.foreign import make_foreign_probe
from counterseal.authority.parts import ROOT
from counterseal.authority.probes import end_of, has_probes, issue_good, read_probes, standing_of
from counterseal.authority.site_material import client_cas, revoked_client_cas
from counterseal.errors import FileError
from counterseal.handshake.sessions import remember_session
from counterseal.handshake.site import Backends, Identities, Leaver, SiteFacts, Stapling
from counterseal.nginx.site import Admit, Revocation, Sessions, Site, TLSProfile
from counterseal.pki.pem import encode_certificates
from counterseal.pki.profile import Purpose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from counterseal.authority.ground import Stage
    from counterseal.authority.parts import Authority
    from counterseal.handshake.observation import ProbeIdentity
    from counterseal.handshake.prove import Proof
    from counterseal.nginx.any_site import AnySite
    from counterseal.store.records import CARecord


def prove_sites(
    authority: Authority,
    sites: Sequence[AnySite],
    stage: Stage,
    *,
    leavers: Mapping[str, Leaver] | None = None,
    only: str | None = None,
) -> tuple[Proof, ...]:
    """Prove every site, or ``only`` one, with the probes of the generation; ``leavers`` (by site) were revoked with it.

    ``sites`` are all there are in any case: which of them share a socket decides what is tried.
    """
    from counterseal.handshake.prove import prove  # noqa: PLC0415 - a deploy loads it while it waits: ``load_beside``

    foreign = make_foreign_probe(authority.clock(), authority.serial_number)
    return tuple(
        prove(
            facts_of(authority, site, sites, stage),
            _identities(authority, site, sites, stage, foreign, (leavers or {}).get(site.name)),
        )
        for site in sites
        if only in {None, site.name}
    )


def remember_leavers(authority: Authority, sites: Sequence[AnySite], stage: Stage) -> dict[str, Leaver]:
    """Connect as the good probe of the generation in force and keep its sessions, before it is revoked.

    Where a CA was revoked since that generation was made, it is one of that CA's. No probe is of one whose key is away:
    it stays as it is, nor one that the store has forgotten. Who listens at an address that the generation does not have
    is not asked, for he may say nothing.
    """
    leavers, served = {}, endpoints_in(stage.generation)
    for site in sites:
        revoked = revoked_client_cas(authority, site)
        leaving = [record for record in client_cas(authority, site) if not authority.is_away(record)]
        ca = _first_in(stage, (*revoked, *leaving))
        if ca is not None:
            with suppress(FileError):  # it is damaged, and nobody's session can be kept
                good = read_probes(stage.generation, ca.name).good
                if standing_of(authority, good, ca.name) is None:
                    continue
                facts = facts_of(authority, site, sites, stage)
                facts = replace(facts, endpoints=tuple(one for one in facts.endpoints if one in served))
                leavers[site.name] = remember_session(facts, good, with_its_ca=ca in revoked)
    return leavers


def _first_in(stage: Stage, known: Sequence[CARecord]) -> CARecord | None:
    """Return the first of these CAs that the generation has probes of: one that was added since then has none."""
    return next((record for record in known if has_probes(stage.generation, record.name)), None)


def facts_of(authority: Authority, site: AnySite, sites: Sequence[AnySite], stage: Stage) -> SiteFacts:
    """Return what the proof has to know of a site."""
    anchor = authority.issuer(ROOT).trust_anchor
    settled = site.revocation.settle(0) if site.revocation is not Revocation.AUTO else None
    is_ours = _plays_backend(authority, site, stage)
    common = SiteFacts(
        site=site.name,
        endpoints=tuple(endpoint_of(listen) for listen in site.listen),
        server_name=site.server_names[0],
        client_certificates=site.client_certificates.value,
        tls_versions=("1.3",) if site.tls is TLSProfile.MODERN else ("1.2", "1.3"),
        has_allow=site.allow.restricts,
        known_only=site.admit is Admit.KNOWN,
        revocation=None if settled is None or settled is Revocation.AUTO else settled.value,  # type: ignore[arg-type] # a literal by construction
        asks_responder=site.ocsp is not None,
        generation=stage.number,
        backend=backend_facts(authority, site, stage.generation, socket=stage.prove_tls_socket, is_ours=is_ours),
        stapling=Stapling(authority.clock, meant=True) if site.stapling else None,
        trust_anchors=None if site.name in stage.own_certificate else encode_certificates(anchor),
    )
    if not isinstance(site, Site):
        return _with_stream(common, site, stage)
    sharing = _sharing(site, sites)
    rival = next((other.server_names[0] for other in sharing if _rivals(authority, site, other)), None)
    return _with_http(common, site, sharing, rival, stage)


def _with_http(common: SiteFacts, site: Site, sharing: Sequence[AnySite], rival: str | None, stage: Stage) -> SiteFacts:
    return replace(
        common,
        resumption=site.sessions is Sessions.CACHE,
        other_server_names=tuple(other.server_names[0] for other in sharing),
        rival_server_name=rival,
        plain_http=tuple(endpoint_of(listen) for listen in site.redirect_from),
        protected_paths=tuple(location.path for location in site.demanding),
        listed_paths=tuple(location.path for location in site.demanding if location.allow.restricts),
        identity_headers=site.proxies_http,  # where none are handed on, none may arrive either
        prove_socket=stage.prove_socket,
    )


def _rivals(authority: Authority, site: AnySite, other: AnySite) -> tuple[str, ...]:
    """Return the client CAs that the other site admits and this one does not, as far as one can issue a probe."""
    ours = {record.name for record in client_cas(authority, site)}
    theirs = (record for record in client_cas(authority, other) if not authority.is_away(record))
    return tuple(record.name for record in theirs if record.name not in ours)


def _with_stream(common: SiteFacts, site: AnySite, stage: Stage) -> SiteFacts:
    admitted, refused = stage.stream_sockets
    return replace(
        common, is_stream=True, prove_socket=admitted, refused_socket=refused if site.allow.restricts else None
    )


def _identities(
    authority: Authority,
    site: AnySite,
    sites: Sequence[AnySite],
    stage: Stage,
    foreign: ProbeIdentity,
    leaver: Leaver | None,
) -> Identities:
    admitted = _first_in(stage, sorted(client_cas(authority, site), key=authority.is_away))
    is_ours = _plays_backend(authority, site, stage)
    backends = backends_of(authority, site, stage.generation, is_ours=is_ours) if site.backend_names else Backends()
    revoked_cas = {
        record.name: issue_good(authority, record.name) if authority.keystore.has(record.key_id) else None
        for record in revoked_client_cas(authority, site)
    }
    if admitted is None:
        return Identities(foreign=foreign, revoked_cas=revoked_cas, leaver=leaver, backends=backends)
    probes = read_probes(stage.generation, admitted.name)
    others = _other_client_cas(authority, site, sites)
    return Identities(
        good=_dated(authority, probes.good),
        expired=probes.expired,
        foreign=foreign,
        server_purpose=probes.server_purpose,
        other_client_ca=issue_good(authority, others[0]) if others else None,
        unlisted=probes.unlisted and _dated(authority, probes.unlisted),
        revoked=probes.revoked,
        revoked_cas=revoked_cas,
        leaver=leaver,
        backends=backends,
    )


def _dated(authority: Authority, probe: ProbeIdentity) -> ProbeIdentity:
    """Return a probe that was good when its generation was made, and which says whether it still is."""
    return replace(probe, has_ended=end_of(probe) <= authority.clock())


def _plays_backend(authority: Authority, site: AnySite, stage: Stage) -> bool:
    """Whether a backend can be played that nginx must take: it trusts our server CAs there, and one of them issues."""
    if not site.backend_names or site.name in stage.own_backend:
        return False
    servers = authority.last_for(Purpose.SERVER)
    return servers.revoked_at is None and not authority.is_away(servers)


def _other_client_cas(authority: Authority, site: AnySite, sites: Sequence[AnySite]) -> tuple[str, ...]:
    """Return the client CAs that issue and that the site does not admit; those of sites on its sockets stand first."""
    names = {record.name for record in client_cas(authority, site)}
    rivals = [name for other in _sharing(site, sites) for name in _rivals(authority, site, other)]
    clients = (record for record in authority.store.cas() if record.purpose == "client" and record.state == "active")
    active = (record for record in clients if not authority.is_away(record))
    return tuple(dict.fromkeys([*rivals, *(record.name for record in active if record.name not in names)]))


def _sharing(site: AnySite, sites: Sequence[AnySite]) -> tuple[AnySite, ...]:
    return tuple(other for other in sites if other is not site and set(other.listen) & set(site.listen))
