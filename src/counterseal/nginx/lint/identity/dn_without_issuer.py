"""Another CA gives out the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.comparisons import comparisons
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.guards import conditions_and_forwarding, is_pinned
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.store import stores
from counterseal.nginx.lint.variables import variables_in
from counterseal.nginx.lint.verification import pinned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography import x509

    from counterseal.nginx.lint.comparisons import Comparison
    from counterseal.nginx.lint.model import Configuration, Server


def check(configuration: Configuration) -> Iterator[Found]:
    """Find comparisons of the subject alone by which servers decide that more than one CA admits clients to."""
    shared = [(server, names) for server, names in _issuers(configuration) if len(names) > 1]
    used = frozenset[str]().union(*(_decided_by(server) for server, _ in shared))
    for one in comparisons(configuration) if shared else ():
        if "ssl_client_s_dn" not in one.variables or _knows_issuer(configuration, one, shared):
            continue
        is_used = one.outcome is None or variables_in(" ".join(one.source.arguments[1:])) <= used
        if is_used and (one.outcome is None or one.outcome not in {"", "0"}):
            message = f"{len(shared[0][1])} CAs can issue this name: {one.value}"
            edits = tuple(edit for server, names in shared for edit in pinned(server, names[:1]))
            yield Found(at(one.directive), message, edits, decision=_DECISION)


def _issuers(configuration: Configuration) -> Iterator[tuple[Server, tuple[x509.Name, ...]]]:
    """Yield each server with the CAs that issue its clients: those of the store that stand above no other of it."""
    for server, store in stores(configuration):
        above = {one.issuer for one in store.cas if one.issuer != one.subject}
        yield server, tuple(dict.fromkeys(one.subject for one in store.cas if one.subject not in above))


def _decided_by(server: Server) -> frozenset[str]:
    texts = (text for one in conditions_and_forwarding(server) for text in one.arguments)
    return frozenset[str]().union(*map(variables_in, texts))


def _knows_issuer(
    configuration: Configuration, one: Comparison, shared: list[tuple[Server, tuple[x509.Name, ...]]]
) -> bool:
    if "ssl_client_i_dn" in configuration.variables.behind(one.subject):
        return True
    return all(is_pinned(configuration, server) for server, _ in shared)


_DECISION = "which CA issues the names that are compared, if it is one"


RULE = Rule(
    code="id-dn-without-issuer",
    severity=Severity.HIGH,
    summary="Several CAs admit clients, and only the subject is compared.",
    evidence="The second CA issued the same name, CN=alice,OU=eng,O=Lab: 200.",
    remedy='add the issuer to the key: map "$ssl_client_i_dn/$ssl_client_s_dn" ...; or compare fingerprints',
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#variables",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
