"""What nginx must hold for a site, from the store: CAs with their lists, issuers to pin, pairs for maps."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING

from counterseal.authority.parts import ROOT
from counterseal.authority.probes import unlisted_serials
from counterseal.errors import InputError, NotFoundError, hint_for, shell_line
from counterseal.moments import epoch
from counterseal.nginx.material import Material
from counterseal.nginx.site import Admit, Revocation
from counterseal.pki.crl import to_pem
from counterseal.pki.pem import encode_certificates
from counterseal.pki.profile import Purpose
from counterseal.pki.shown import show_serial
from counterseal.pki.subject import nginx_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cryptography import x509

    from counterseal.authority.parts import Authority
    from counterseal.authority.site_certificate import ServerCertificate
    from counterseal.nginx.any_site import AnySite
    from counterseal.nginx.material import UpstreamMaterial
    from counterseal.store.records import CARecord


def client_cas(authority: Authority, site: AnySite) -> tuple[CARecord, ...]:
    """Return the CAs whose clients the site admits: those it names, and who succeeded them, but for locked out ones.

    None are left where all are locked out: then it admits nobody. Raises NotFoundError ``site.client_ca``.
    """
    return tuple(record for record in _named(authority, site) if not is_locked_out(authority, record))


def revoked_client_cas(authority: Authority, site: AnySite) -> tuple[CARecord, ...]:
    """Return the CAs whose clients the site would admit, were they not locked out; raises as ``client_cas`` does."""
    return tuple(record for record in _named(authority, site) if is_locked_out(authority, record))


def is_locked_out(authority: Authority, record: CARecord) -> bool:
    """Whether the CA or one above it is revoked, or bears the name of one that is.

    A map knows a CA by its name alone: what a stolen key signs would pass as issued by the CA of the same name.
    """
    revoked = {_subject(authority, one) for one in authority.store.cas() if one.revoked_at is not None}
    return bool(revoked) and any(nginx_name(one.subject) in revoked for one in authority.path(record))


def locked_out_with(authority: Authority, ca: CARecord) -> tuple[CARecord, ...]:
    """Return the other CAs that ``is_locked_out`` only once this one is revoked: those below it or of its subject."""
    name = _subject(authority, ca)
    return tuple(
        record
        for record in authority.store.cas()
        if record.name != ca.name
        and name in (nginx_name(one.subject) for one in authority.path(record))
        and not is_locked_out(authority, record)
    )


def _subject(authority: Authority, record: CARecord) -> str:
    return nginx_name(authority.path(record)[0].subject)


def _named(authority: Authority, site: AnySite) -> tuple[CARecord, ...]:
    """Return the CAs that a site names, with who succeeded them; where one issues for all, that one."""
    if not site.verifies:
        return ()
    sole = sole_ca(authority)
    if sole is not None:
        return tuple(record for record in authority.succession(sole) if not _is_over(authority, record))
    named = (client_ca(authority, name, f"site {site.name!r} admits") for name in site.client_cas)
    lines = dict.fromkeys(chain.from_iterable(map(authority.succession, named)))
    return tuple(record for record in lines if not _is_over(authority, record))


def _named_as(authority: Authority, site: AnySite, record: CARecord) -> str:
    """Return by which of the site's client CAs an admitted one goes: itself, or the one that it succeeded."""
    if record.name in site.client_cas or sole_ca(authority) is not None:
        return record.name
    lines = ((name, authority.succession(authority.store.ca(name))) for name in site.client_cas)
    return next(name for name, line in lines if record in line)


def sole_ca(authority: Authority) -> CARecord | None:
    """Return the CA that is for servers and clients alike, as a single-tier root is, if there is no other for these."""
    fitting = authority.cas_for(Purpose.CLIENT)
    if not fitting or fitting[0].purpose != str(Purpose.ANY):
        return None
    return fitting[0] if set(authority.succession(fitting[0])) == set(fitting) else None


def client_ca(authority: Authority, name: str, wanted: str) -> CARecord:
    """Return the CA of this name that may issue to clients; ``wanted`` says who names it, in the error."""
    fitting = {record.name: record for record in authority.cas_for(Purpose.CLIENT)}
    if name not in fitting:
        adding = shell_line("counterseal", "ca", "add", name, "--purpose", "client")
        raise NotFoundError(
            "site.client_ca",
            f"{wanted} a client CA that does not exist: {name!r}",
            hint=hint_for(name, fitting, f"there are {', '.join(fitting) or 'none'}; add one: {adding}"),
        )
    return fitting[name]


def _is_over(authority: Authority, record: CARecord) -> bool:
    """Whether a retired CA has ended, and all that it issued with it."""
    return record.successor is not None and authority.path(record)[0].not_valid_after_utc <= authority.clock()


def material_of(
    authority: Authority, site: AnySite, server: ServerCertificate, upstream: UpstreamMaterial | None = None
) -> Material:
    """Return the material of a site, after ``publish``.

    Of a CA that is locked out nginx is given what is above it, so that it has some CA where no other is left. Raises
    InputError ``site.no_list`` where it wants a CRL of every CA that nginx is given, and one has none.
    """
    admitted = client_cas(authority, site)
    left = tuple(chain.from_iterable(_left_above(authority, one) for one in revoked_client_cas(authority, site)))
    paths = [authority.path(record) for record in admitted]
    given = _distinct(chain(*paths, *map(authority.path, left)))
    issuers = tuple(nginx_name(path[0].subject) for path in paths)
    revoked = _revoked(authority, admitted, issuers) if site.revocation is not Revocation.CRL else {}
    entries = sum(map(len, revoked.values()))
    unlisted = authority.without_list((*admitted, *left))
    settled = site.revocation.settle(entries, has_lists=not unlisted)
    by_map_alone = settled is Revocation.MAP  # a long list is then not even read
    if unlisted and not by_map_alone:
        raise InputError(
            "site.no_list",
            f"site {site.name!r} wants a list of every CA, and of {', '.join(unlisted)} there is none",
            hint='counterseal ca import-crl FILE, with the list that its key signed; or revocation = "map"',
        )
    return Material(
        certificate_chain=server.chain,
        private_key=server.private_key,
        client_cas_pem=encode_certificates(*given),
        verify_depth=max((len(path) - 1 for path in paths), default=1),
        crl_pem=b"" if by_map_alone else b"".join(map(to_pem, _lists(authority, admitted))),
        has_lists=not unlisted,
        issuer_dns=issuers,
        issuer_cas=tuple(_named_as(authority, site, record) for record in admitted),
        revoked=revoked,
        known=_known(authority, admitted, issuers) if site.admit is Admit.KNOWN else {},
        upstream=upstream,
        stapling_cas_pem=b"" if site.verifies else encode_certificates(authority.issuer(ROOT).trust_anchor),
    )


def settled_revocation(authority: Authority, site: AnySite) -> Revocation:
    """Return how nginx learns of the revocations of a site, by what is revoked now."""
    admitted = client_cas(authority, site)
    entries = sum(1 for one in admitted for _ in authority.store.revoked_serials(one.name))
    return site.revocation.settle(entries, has_lists=not authority.without_list(admitted))


def _left_above(authority: Authority, record: CARecord) -> tuple[CARecord, ...]:
    """Return the nearest CA above one that is locked out that is not so itself, if only its root."""
    above = authority.above(record)
    return next(((one,) for one in above if not is_locked_out(authority, one)), above[-1:])


def _lists(authority: Authority, admitted: Sequence[CARecord]) -> list[bytes]:
    """Return the CRLs of the admitted CAs and of those above them.

    The server CAs' are among them, so that a server certificate is refused for its purpose, which says more to a person
    than a list that is missing.
    """
    names = {record.name: None for record in admitted}
    for record in authority.store.cas():
        if record.purpose != str(Purpose.CLIENT):
            names.setdefault(record.name)
    return [crl.crl for name in names if (crl := authority.store.latest_crl(name)) is not None]


def _revoked(authority: Authority, admitted: Sequence[CARecord], issuers: Sequence[str]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)  # a CA and its successor may have one name
    for record, issuer in zip(admitted, issuers, strict=True):
        found[issuer].extend(authority.store.revoked_serials(record.name))
    return found


def _known(authority: Authority, admitted: Sequence[CARecord], issuers: Sequence[str]) -> dict[str, list[str]]:
    now, found = epoch(authority.clock()), defaultdict[str, list[str]](list)
    for record, issuer in zip(admitted, issuers, strict=True):
        left_out = {show_serial(serial).lower() for serial in unlisted_serials(authority, record.name, at=now)}
        serials = authority.store.known_serials(record.name, at=now)
        found[issuer].extend(serial for serial in serials if serial not in left_out)
    return found


def _distinct(certificates: Iterable[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    return tuple(dict.fromkeys(certificates))
