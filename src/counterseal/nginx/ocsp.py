"""OCSP (RFC 6960): asking a responder about every client certificate, and stapling an answer about the site's own.

nginx asks over plain HTTP only, and hard-fails: without an answer about it no certificate passes.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from counterseal.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.any_site import AnySite

_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
_URL = re.compile(rf"http://{_HOST}(?::[0-9]{{1,5}})?(?:/[A-Za-z0-9._~%!@+=,:&()/-]*)?")
_RESOLVER = re.compile(r"(?P<address>[0-9.]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


class OCSPCheck(StrEnum):
    """About which certificates a responder is asked: the client's own, or every one of its chain but the root."""

    LEAF = "leaf"
    CHAIN = "chain"


@dataclass(frozen=True, slots=True)
class OCSP:
    """How clients are asked about. ``responder`` is a URL, None for that which each certificate names."""

    responder: str | None = None
    check: OCSPCheck = OCSPCheck.LEAF


def of_ocsp(site: AnySite) -> Iterator[Finding]:
    """Faults of what a site wants of OCSP."""
    if site.ocsp is not None:
        yield from _of_clients(site, site.ocsp)
    for resolver in site.resolver:
        if not _is_resolver(resolver):
            yield _fault("resolver", f"not a name server: {resolver[:80]!r}", "write an IP address, [IPV6] in brackets")
    if site.resolver and site.ocsp is None and not site.stapling:
        yield _fault("resolver", "resolver without ocsp or stapling", "leave it out: nothing else is looked up")


def _of_clients(site: AnySite, ocsp: OCSP) -> Iterator[Finding]:
    if not site.verifies:
        hint = 'set client_certificates = "required" or "optional": nginx would say nothing, and ask about nobody'
        yield _fault("ocsp", "ocsp without client certificates", hint)
    if ocsp.responder is None and not site.resolver:
        hint = "set ocsp.responder, or resolver: else nobody whose certificate names a responder by its host gets in"
        yield _fault("ocsp", "ocsp without responder and without resolver", hint)
    if ocsp.responder is not None and not _URL.fullmatch(ocsp.responder):
        hint = "write http://HOST[:PORT][/PATH]: nginx asks no responder over https, and starts with none"
        yield _fault("ocsp.responder", f"not the URL of an OCSP responder: {ocsp.responder[:80]!r}", hint)


def _is_resolver(text: str) -> bool:
    match = _RESOLVER.fullmatch(text)
    try:
        return match is not None and bool(ipaddress.ip_address(match["address"].strip("[]")))
    except ValueError:
        return False


def _fault(where: str, message: str, hint: str) -> Finding:
    return Finding("site.invalid", Severity.CRITICAL, message, where=where, hint=hint)
