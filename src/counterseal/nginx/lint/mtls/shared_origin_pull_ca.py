"""The certificate of a proxy that works for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, name_another
from counterseal.nginx.lint.trust import NAMES, roots
from counterseal.pki.subject import common_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration

_SHARED = frozenset({"origin-pull.cloudflare.net"})


def check(configuration: Configuration) -> Iterator[Found]:
    """Find a CA by which a content delivery network comes on behalf of all its customers among the client CAs."""
    for server in configuration.guarded:
        for directive in filter(None, map(server.level.file, NAMES)):
            file = configuration.file(directive)
            found = [common_name(one.subject) for one in roots(file)] if file is not None else []
            shared = next((name for name in found if name in _SHARED), None)
            if shared is not None:
                message = f"all customers of the network come with one certificate: {shared}"
                yield name_another(directive, "<client-ca.pem>", message, decision=_DECISION)


_DECISION = "which CA issued the client certificate of this zone alone"


RULE = Rule(
    code="mtls-shared-origin-pull-ca",
    severity=Severity.MEDIUM,
    summary="The client CA is the one with which Cloudflare comes for every customer.",
    evidence="nginx admits whatever the network sends (200), also for somebody else's zone that points to this "
    "machine; the certificate tells that it was Cloudflare, and not for whom.",
    remedy="upload a client certificate of your own CA for the zone, and name that CA here",
    reference="https://developers.cloudflare.com/ssl/origin-configuration/authenticated-origin-pull/",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
