"""What nginx shows the TLS backends of a site: a client certificate that we issue and renew, or the user's own."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from counterseal.authority.issue import issue, rehearse
from counterseal.authority.order import MAX_COMMON_NAME, order_client
from counterseal.authority.site_certificate import is_current, keep, read_kept, read_server_certificate, with_chain
from counterseal.authority.site_material import client_ca
from counterseal.keystore.software import generate_key
from counterseal.nginx.upstream import BackendCertificate
from counterseal.pki.keys import P256
from counterseal.pki.pem import encode_private_key
from counterseal.pki.profile import Purpose

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from counterseal.authority.parts import Authority
    from counterseal.authority.served import ServedSite
    from counterseal.authority.signing import Issued
    from counterseal.authority.site_certificate import ServerCertificate
    from counterseal.nginx.any_site import AnySite
    from counterseal.store.records import CARecord

LIFETIME = timedelta(days=90)
GROUP = "nginx"
"""The OU by which a backend can tell nginx from people."""
KIND = "upstream"


def ensure_backend_certificate(authority: Authority, one: ServedSite, directory: Path) -> ServerCertificate | None:
    """Return what nginx shows, issuing a new one with a new key when there is none that still fits; None for nothing.

    Its subject is the first name of the site and OU ``nginx``. Raises FileError, NotFoundError ``site.client_ca``.
    """
    shown = _own(one) or _fitting(authority, one, directory)
    if shown is not None or not _is_ours(one.site):
        return shown
    return keep(directory, KIND, _make(authority, one, issue))


def rehearse_backend_certificate(authority: Authority, one: ServedSite, directory: Path) -> ServerCertificate | None:
    """Return what ``ensure_backend_certificate`` would; a new one is neither signed nor kept."""
    shown = _own(one) or _fitting(authority, one, directory)
    return _make(authority, one, rehearse) if shown is None and _is_ours(one.site) else shown


def needs_backend_certificate(authority: Authority, one: ServedSite, directory: Path) -> bool:
    """Whether one of ours is wanted and there is none that still fits: see ``ensure_backend_certificate``."""
    return _is_ours(one.site) and _fitting(authority, one, directory) is None


def _own(one: ServedSite) -> ServerCertificate | None:
    files = one.backend
    if files.certificate is None or files.certificate_key is None:
        return None
    return read_server_certificate(files.certificate, files.certificate_key)


def _make(authority: Authority, one: ServedSite, issuing: Callable[..., Issued]) -> ServerCertificate:
    key, profile = generate_key(P256), authority.profile("client")
    lifetime = min(LIFETIME, profile.lifetime)
    asked = order_client(profile, _common_name(one.site), key.public_key(), group=GROUP, lifetime=lifetime)
    issued = issuing(authority, asked, name=_called(one.site), issuer=_client_ca(authority, one).name)
    return with_chain(issued, encode_private_key(key))


def _fitting(authority: Authority, one: ServedSite, directory: Path) -> ServerCertificate | None:
    kept = read_kept(directory, KIND) if _is_ours(one.site) else None
    if kept is None or not is_current(authority, kept.certificate):
        return None
    ca, number = _client_ca(authority, one).name, kept.certificate.serial_number
    named = authority.store.by_name(_called(one.site))
    return kept if any((record.issuer, record.serial_number) == (ca, number) for record in named) else None


def _client_ca(authority: Authority, one: ServedSite) -> CARecord:
    name = one.backend.client_ca
    if name is None:
        return authority.last_for(Purpose.CLIENT)
    wanted = f"site {one.site.name!r} shows its backend a certificate of"
    return authority.succession(client_ca(authority, name, wanted))[-1]


def _is_ours(site: AnySite) -> bool:
    return site.upstream_tls is not None and site.upstream_tls.certificate is BackendCertificate.ISSUED


def _called(site: AnySite) -> str:
    return f"upstream:{site.name}"


def _common_name(site: AnySite) -> str:
    name = site.server_names[0].removeprefix("*").removeprefix(".")
    return name if len(name) <= MAX_COMMON_NAME else site.name
