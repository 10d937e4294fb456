"""What nginx must hold for the TLS backends of a site: the CAs it trusts there with their lists, and what it shows."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.errors import InputError
from counterseal.files import read_file
from counterseal.nginx.material import UpstreamMaterial
from counterseal.pki.crl import to_pem
from counterseal.pki.pem import encode_certificates
from counterseal.pki.profile import Purpose

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.authority.parts import Authority
    from counterseal.authority.served import ServedSite
    from counterseal.authority.site_certificate import ServerCertificate

FOREIGN_DEPTH = 4
"""Intermediates that another CA may have; nginx counts one by default, and too small a number is a 502."""


def backend_material(authority: Authority, one: ServedSite, shown: ServerCertificate | None) -> UpstreamMaterial | None:
    """Return the files for a site's TLS backends, None where it has none; our CAs need published lists.

    ``shown`` is the certificate that nginx shows them, if any. Raises FileError, InputError ``site.trust``.
    """
    if not one.site.backend_names:
        return None
    cas, crls, depth = _ours(authority) if one.backend.trust is None else _theirs(one.backend.trust, one.backend.crl)
    return UpstreamMaterial(
        cas_pem=cas,
        verify_depth=depth if one.backend.verify_depth is None else one.backend.verify_depth,
        crl_pem=crls,
        certificate_chain=shown.chain if shown else b"",
        private_key=shown.private_key if shown else b"",
    )


def _ours(authority: Authority) -> tuple[bytes, bytes, int]:
    """Return our server CAs with their roots, the lists of all CAs, and the number of intermediates.

    Of a revoked CA only what is above it: nginx takes no backend of it once the root's list says so. No lists where a
    CA has none, as an imported one's root may: nginx asks for all, and would take no backend.
    """
    records = authority.cas_for(Purpose.SERVER)
    if not records:
        hint = "name the CAs of the backend: trust = FILE"
        raise InputError("site.trust", "no CA here issues to servers, whom a backend could be trusted for", hint=hint)
    paths = [authority.path(record) for record in records]
    kept = (path if one.revoked_at is None else path[1:] for one, path in zip(records, paths, strict=True))
    certificates = dict.fromkeys(chain.from_iterable(kept))
    # Those of the client CAs too, so that a client certificate is refused for its purpose, which says more than a list
    # that is missing.
    unlisted = authority.without_list(records)
    lists = [authority.store.latest_crl(record.name) for record in authority.store.cas()]
    return (
        encode_certificates(*certificates),
        b"".join(to_pem(crl.crl) for crl in lists if crl is not None and not unlisted),
        max(len(path) - 1 for path in paths),
    )


def _theirs(trust: Path, crl: Path | None) -> tuple[bytes, bytes, int]:
    content = read_file(trust)
    try:
        certificates = x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise InputError("site.trust", f"no certificates in PEM: {trust}") from error
    if not any(certificate.subject == certificate.issuer for certificate in certificates):
        hint = "add the self-signed root: nginx follows every chain up to one, and would take no backend"
        raise InputError("site.trust", f"no root among the CAs of the backend: {trust}", hint=hint)
    return content, read_file(crl) if crl else b"", FOREIGN_DEPTH
