"""What nginx needs to hold for one site: certificates, key, CRLs, and the lists behind the maps.

Decides only that nothing stands in the wrong file: ``nginx -t`` is silent on a CA key inside the client CA file, and
before 1.27.2 a certificate inside the CRL file becomes a trust anchor. What the certificates say was decided before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from counterseal.errors import ConfigError
from counterseal.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_LABEL = re.compile(rb"^-----BEGIN ([A-Z0-9 ]+)-----\r?$", re.MULTILINE)
_KEYS = frozenset({b"PRIVATE KEY", b"EC PRIVATE KEY", b"RSA PRIVATE KEY"})


@dataclass(frozen=True, slots=True)
class UpstreamMaterial:
    """The files for the TLS with the backends of one site.

    ``cas_pem``: roots and issuing CAs that a backend's certificate may come from; ``verify_depth`` and ``crl_pem`` as
    for clients, the CRLs empty where none is checked. ``certificate_chain`` and ``private_key``: what nginx shows a
    backend, end entity first with its intermediates, or empty.
    """

    cas_pem: bytes
    verify_depth: int
    crl_pem: bytes = b""
    certificate_chain: bytes = b""
    private_key: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        _refuse(_upstream_faults(self))

    @property
    def presents(self) -> bool:
        """Whether nginx shows its backends a certificate."""
        return bool(self.certificate_chain)


@dataclass(frozen=True, slots=True)
class Material:
    """The files and lists of one site.

    ``certificate_chain``: PEM, end entity first, without the trust anchor. ``private_key``: its key, unencrypted PEM.
    ``client_cas_pem``: roots and issuing CAs that verify clients; ``verify_depth``: the most intermediates between a
    client and its root. ``crl_pem``: one current CRL for every CA of those chains, roots included; ``has_lists`` is
    False where one of them has none, so that it cannot be.
    ``issuer_dns``: the names of the issuing CAs that a client certificate may come from, as ``pki.subject.nginx_name``
    prints them; ``issuer_cas``: the client CA of the site that each of them is, in the same order, or empty.
    ``revoked`` and ``known``: for the maps, by issuer name the serial numbers as nginx shows them, in either case.
    ``upstream``: for sites with a TLS backend. ``stapling_cas_pem``: the root above the site's own certificate, for
    OCSP responses that a delegate signed; only where no client is verified, who would be by this root, too.
    """

    certificate_chain: bytes
    private_key: bytes = field(repr=False)
    client_cas_pem: bytes = b""
    verify_depth: int = 1
    crl_pem: bytes = b""
    has_lists: bool = True
    issuer_dns: tuple[str, ...] = ()
    issuer_cas: tuple[str, ...] = ()
    revoked: Mapping[str, Collection[str]] = field(default_factory=dict, repr=False)
    known: Mapping[str, Collection[str]] = field(default_factory=dict, repr=False)
    upstream: UpstreamMaterial | None = None
    stapling_cas_pem: bytes = b""

    def __post_init__(self) -> None:
        _refuse(_faults(self))

    @property
    def revocations(self) -> int:
        """How many are revoked."""
        return sum(map(len, self.revoked.values()))


def _refuse(faults: list[str]) -> None:
    findings = tuple(Finding("material.invalid", Severity.CRITICAL, fault) for fault in faults)
    if findings:
        raise ConfigError("material.invalid", f"cannot use certificates: {findings[0].message}", findings=findings)


def _upstream_faults(upstream: UpstreamMaterial) -> list[str]:
    certificates, shown = frozenset({b"CERTIFICATE"}), int(upstream.presents or bool(upstream.private_key))
    expected = (
        ("CAs of the backend", upstream.cas_pem, certificates, 1),
        ("CRLs of the backend's CAs", upstream.crl_pem, frozenset({b"X509 CRL"}), 0),
        ("certificate for the backend", upstream.certificate_chain, certificates, shown),
        ("key for the backend", upstream.private_key, _KEYS, shown),
    )
    return [fault for name, pem, labels, least in expected if (fault := _pem_fault(name, pem, labels, least))]


def _faults(material: Material) -> list[str]:
    expected: tuple[tuple[str, bytes, frozenset[bytes], int], ...] = (
        ("certificate chain", material.certificate_chain, frozenset({b"CERTIFICATE"}), 1),
        ("private key", material.private_key, _KEYS, 1),
        ("client CAs", material.client_cas_pem, frozenset({b"CERTIFICATE"}), 0),
        ("CRLs", material.crl_pem, frozenset({b"X509 CRL"}), 0),
        ("CAs for stapling", material.stapling_cas_pem, frozenset({b"CERTIFICATE"}), 0),
    )
    faults = [fault for name, pem, labels, least in expected if (fault := _pem_fault(name, pem, labels, least))]
    if material.verify_depth < 0:
        faults.append(f"verify depth is negative: {material.verify_depth}")
    if material.issuer_cas and len(material.issuer_cas) != len(material.issuer_dns):
        faults.append(f"{len(material.issuer_cas)} CA names for {len(material.issuer_dns)} issuers")
    unprintable = [dn for dn in material.issuer_dns if not (dn and dn.isascii() and dn.isprintable())]
    faults.extend(f"issuer name is not as nginx prints it: {dn[:80]!r}" for dn in unprintable)
    return faults


def _pem_fault(name: str, pem: bytes, labels: frozenset[bytes], least: int) -> str | None:
    found = _LABEL.findall(pem)
    if len(found) < least:
        return f"no PEM block: {name}"
    wrong = sorted(set(found) - labels)
    if wrong:
        return f"PEM block {wrong[0].decode()} does not belong into: {name}"
    if pem and not pem.endswith(b"\n"):
        return f"PEM does not end with a line feed: {name}"
    return None
