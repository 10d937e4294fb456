"""A sister of the issuing CA lets clients in, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.guards import is_pinned
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.store import is_ca, stores
from counterseal.nginx.lint.verification import pinned
from counterseal.pki.lint.linted import Linted
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find CAs elsewhere in the configuration that are below a root of the store and may issue clients."""
    named = dict.fromkeys(one for file in configuration.files.values() for one in file.certificates if is_ca(one))
    for server, store in stores(configuration):
        if len(store.cas) == len(store.roots) or is_pinned(configuration, server):
            continue
        roots = {one.subject for one in store.roots}
        inside = {one.subject for one in store.cas}
        for ca in named:
            if ca.issuer in roots and ca.subject not in inside and _may_issue_clients(ca):
                message = f"the root also admits clients of {show_subject(ca.subject)}"
                edits = pinned(server, sorted(inside - roots, key=show_subject))
                yield Found(at(store.directive, 0), message, edits, decision=_DECISION)


def _may_issue_clients(ca: x509.Certificate) -> bool:
    usages = Linted.of(ca, ()).value(x509.ExtendedKeyUsage)
    allowed = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    return usages is None or bool(allowed & set(usages))


_DECISION = "whether the CAs of this file are all that may issue clients here"


RULE = Rule(
    code="mtls-sub-ca-not-pinned",
    severity=Severity.MEDIUM,
    summary="One issuing CA is meant, and its root admits every other CA below it.",
    evidence="A client of another CA below the same root got 200, though that CA is not in the file.",
    remedy='compare the issuer: map "$ssl_client_verify:$ssl_client_i_dn" ...; or use a root for clients alone',
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_client_certificate",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
