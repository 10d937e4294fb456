"""``upstream_tls`` of a site: what nginx asks of its TLS backends and shows them, and the files for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.authority.served import BackendFiles
from counterseal.config.raw import RawKeyPair
from counterseal.errors import ConfigError
from counterseal.findings import Finding, Severity
from counterseal.nginx.upstream import BackendCertificate, UpstreamTLS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from counterseal.config.raw import RawUpstreamTLS

DEEPEST = 20
_WHAT_IS_SHOWN = 'choose "none", "issued", or { certificate = "FILE", key = "FILE" }'


def upstream_tls_of(raw: RawUpstreamTLS, path: Callable[[str | None], Path | None]) -> tuple[UpstreamTLS, BackendFiles]:
    """Return the settings and their files; raises ConfigError ``site.invalid`` with every fault."""
    findings = tuple(_faults(raw))
    if findings:
        raise ConfigError("site.invalid", findings[0].message, findings=findings, hint=findings[0].hint)
    own = raw.client_certificate if isinstance(raw.client_certificate, RawKeyPair) else None
    certificate = BackendCertificate.OWN if own else BackendCertificate(str(raw.client_certificate))
    files = BackendFiles(
        trust=path(raw.trust),
        crl=path(raw.crl),
        verify_depth=raw.depth,
        certificate=path(own.certificate) if own else None,
        certificate_key=path(own.key) if own else None,
        client_ca=raw.client_ca,
    )
    return UpstreamTLS(raw.name, certificate, raw.relay_400), files


def _faults(raw: RawUpstreamTLS) -> Iterator[Finding]:
    shown = raw.client_certificate
    if isinstance(shown, str) and shown not in {BackendCertificate.NONE, BackendCertificate.ISSUED}:
        yield _fault("client_certificate", f"not a certificate for the backend: {shown!r}", _WHAT_IS_SHOWN)
    if raw.client_ca is not None and shown != BackendCertificate.ISSUED:
        yield _fault("client_ca", 'client_ca without client_certificate = "issued"', "leave it out")
    if raw.crl is not None and raw.trust is None:
        hint = "leave it out: the lists of our own CAs are always used"
        yield _fault("crl", f"crl without trust: {raw.crl}", hint)
    if raw.depth is not None and not 0 <= raw.depth <= DEEPEST:
        yield _fault("depth", f"not a number of intermediates: {raw.depth}", f"choose 0 to {DEEPEST}")


def _fault(key: str, message: str, hint: str) -> Finding:
    return Finding("site.invalid", Severity.CRITICAL, message, where=key, hint=hint)
