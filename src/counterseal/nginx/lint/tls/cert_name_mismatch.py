"""A certificate for another name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.tls.pairs import another, pairs_of
from counterseal.pki.lint.linted import Linted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration

_UNSAID = frozenset({"", "_", "localhost"})


def check(configuration: Configuration) -> Iterator[Found]:
    """Find server names without a certificate; patterns and catch-all names are passed over."""
    for server in configuration.servers:
        own = list(pairs_of(configuration, server))
        served = [pair.end_entity for pair in own]
        if not served or None in served:
            continue
        covered = frozenset[str]().union(*(_names(one) for one in served if one is not None))
        for line in server.level.here("server_name"):
            for index, argument in enumerate(line.arguments):
                name = argument.lower()
                if name in _UNSAID or name.startswith("~") or "*" in name or "$" in name or "." not in name.strip("."):
                    continue
                if not _is_covered(name.removeprefix("."), covered):
                    known = ", ".join(sorted(covered)[:3]) or "none"
                    message = f"no certificate for {name}, only for {known}"
                    decision = f"which certificate covers {name}; counterseal server NAME... issues one"
                    yield Found(at(line, index), message, another(own[0]), decision=decision)


def _names(certificate: x509.Certificate) -> frozenset[str]:
    names = Linted.of(certificate, ()).names
    return frozenset(str(name.value).lower() for name in names if isinstance(name, x509.DNSName | x509.IPAddress))


def _is_covered(name: str, covered: frozenset[str]) -> bool:
    """Whether one of the names is it, or a wildcard for it: one with two labels at least behind the asterisk."""
    above = name.partition(".")[2]
    return name in covered or ("." in above and f"*.{above}" in covered)


RULE = Rule(
    code="tls-cert-name-mismatch",
    severity=Severity.HIGH,
    summary="No certificate of a server covers one of its names.",
    evidence="Every client refuses (curl ends with 60, alert 42); nginx -t is silent. A wildcard right below a "
    "top-level domain, such as *.test, covers no name for OpenSSL.",
    remedy="issue one certificate whose subject alternative names cover every server_name",
    reference="https://www.rfc-editor.org/rfc/rfc9525",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
