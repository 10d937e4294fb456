"""The checks that each side makes of the other's certificate, all of them, with the values that were compared.

Path validation itself is ``pki.path``; here is decided what is asked of it. The client's side is known whole: the name
it asked for, the chain it was sent, whom it trusts. Of the server's side only the names of its CAs are known, so where
the certificate of such a CA is not at hand, that the chain leads to it is taken from the name (RFC 8446 4.2.4).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.handshake.explain.certificates import (
    demands_stapling,
    read_certificate,
    read_certificates,
    show_authority,
)
from counterseal.handshake.observation import StapleFault
from counterseal.handshake.staple import read_staple
from counterseal.pki.names import dns_name, ip_address
from counterseal.pki.path import catalogue
from counterseal.pki.path.catalogue import Kind
from counterseal.pki.path.check import Check, Outcome, failed, passed, skipped, warned
from counterseal.pki.path.explain import PathReport
from counterseal.pki.path.explain import explain as explain_path
from counterseal.pki.profile import Purpose

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography import x509

    from counterseal.handshake.explain.story import Story
    from counterseal.handshake.stapled import Stapled
    from counterseal.pki.path.question import Revoked
    from counterseal.pki.path.revocation_list import RevocationList

ACCEPTED_CA = Kind(
    "accepted_ca",
    "CA that the server names",
    "RFC 8446 4.2.4",
    "none of the CAs above the certificate is among those that the server names in its request",
    "come with a certificate of a CA that the server names, or put its CA into ssl_client_certificate",
)
MUST_STAPLE = Kind(
    "must_staple",
    "stapled OCSP response",
    "RFC 7633, RFC 6066 8",
    "the certificate demands that an OCSP response comes with it; Firefox refuses it without, others do not look",
    "nginx: ssl_stapling on, the issuer in the file of ssl_certificate, a resolver, and a certificate that names its "
    "responder; each worker asks it at its first connection, which goes away without, so try again; or give a response "
    "of your own in ssl_stapling_file, or issue the certificate without the demand",
)


@dataclass(frozen=True, slots=True)
class Anchors:
    """Trust anchors at hand: whom the client trusts, and CAs that a server may trust for its clients.

    ``lists`` are revocation lists of the latter for the certificate that the client shows, None where there are none;
    what stands on them counts, and none is demanded. ``revoked`` are CAs known to be so whatever the lists say.
    """

    for_servers: tuple[x509.Certificate, ...] = ()
    for_clients: tuple[x509.Certificate, ...] = ()
    lists: tuple[RevocationList, ...] | None = None
    revoked: tuple[Revoked, ...] = ()


def check_server(
    story: Story, name: str | None, anchors: Anchors, at: datetime, *, stapled: Stapled | None = None
) -> PathReport | None:
    """Return what a client checks of the server's chain; None when none was shown (or none could be read).

    ``stapled`` is what came when an OCSP response was asked for; None when that was not seen.
    """
    chain = [encoded for encoded in story.server_chain or () if read_certificate(encoded) is not None]
    if not chain:
        return None
    names = () if name is None else _general_names(name)
    best = explain_path(chain[0], chain[1:], anchors.for_servers, purpose=Purpose.SERVER, at=at, names=names).best
    if story.server_chain and demands_stapling(story.server_chain[0]):
        best = _with(best, _stapling(stapled, anchors, at))
    return best if names or name is None else _with(best, failed(catalogue.NAME, 0, f"not a name: {name}"))


def _stapling(stapled: Stapled | None, anchors: Anchors, at: datetime) -> Check:
    demand = "must-staple: an OCSP response is demanded"
    if stapled is None:
        text = f"{demand}, and whether it comes was not seen"
        return skipped(MUST_STAPLE, 0, text, hint="ask with openssl s_client -status")
    staple = read_staple(stapled, at, anchors.for_servers)
    if staple.fault is StapleFault.ABSENT:
        return warned(MUST_STAPLE, 0, f"{demand}, and none comes when it is asked for")
    if staple.fault is not None:
        return warned(MUST_STAPLE, 0, f"{demand}, and what comes is worth nothing: {staple.text}")
    return passed(MUST_STAPLE, 0, f"{demand}, and comes when it is asked for: {staple.text}")


def check_client(story: Story, anchors: Anchors, at: datetime) -> PathReport | None:
    """Return what the server checks of the client's chain, as far as it shows from outside; None when none was sent."""
    chain = read_certificates(story.client_chain)
    if not chain:
        return None
    authorities = story.request.authorities if story.request else ()
    trusted = [one for one in anchors.for_clients if not authorities or one.subject.public_bytes() in authorities]
    best = explain_path(
        chain[0],
        chain[1:],
        trusted,
        purpose=Purpose.CLIENT,
        at=at,
        crls=anchors.lists,
        lists_demanded=False,
        revoked=anchors.revoked,
    ).best
    return _by_name(best, chain, authorities) if authorities else best


def _by_name(report: PathReport, chain: Sequence[x509.Certificate], authorities: Sequence[bytes]) -> PathReport:
    """Judge the top of the path by the names that the server sent."""
    issuers = {one.issuer.public_bytes() for one in (*chain, *report.certificates)}
    named = [show_authority(name) for name in authorities if name in issuers]
    listed = ", ".join(show_authority(name) for name in authorities)
    top = report.certificates[-1].issuer.public_bytes()
    known = "but the server names it" if top in authorities else "see the CAs that the server names"
    checks = tuple(
        check._replace(outcome=Outcome.SKIP, text=f"{check.message}; {known}", values=(), hint=None)
        if check.kind is catalogue.TRUST_ANCHOR and check.failed
        else check
        for check in report.checks
    )
    accepted = (
        passed(ACCEPTED_CA, None, f"{', '.join(named)} is among: {listed}")
        if named
        else failed(ACCEPTED_CA, None, f"{show_authority(top)} is none of: {listed}")
    )
    return replace(report, checks=(accepted, *checks))


def _with(report: PathReport, check: Check) -> PathReport:
    return replace(report, checks=(*report.checks, check))


def _general_names(name: str) -> tuple[x509.GeneralName, ...]:
    try:
        return (ip_address(name),)
    except InputError:
        pass
    try:
        return (dns_name(name),)
    except InputError:
        return ()
