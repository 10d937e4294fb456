"""The same application behind an open door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.answers import PASSES, application, has_access_rules, is_reachable
from counterseal.nginx.lint.edit import insert_before
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.verification import verified_alike

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive


def check(configuration: Configuration) -> Iterator[Found]:
    """Find servers that hand the same paths to the same application as one where a certificate is required."""
    entrances = {
        entrance: server
        for server in configuration.guarded
        if server.verify == "on"
        for entrance, _ in _entrances(server)
    }
    for server in configuration.servers if entrances else ():
        if server.kind == "http" and not server.verifies and not server.rejects:
            for entrance, directive in _entrances(server):
                if entrance in entrances:
                    guarded = entrances[entrance].block
                    message = f"{directive.arguments[0]} requires a certificate at {at(guarded)}, not here"
                    is_tls = configuration.speaks_tls(server)
                    closed = (insert_before(directive, "return 403;"),)
                    edits = verified_alike(server, entrances[entrance]) if is_tls else closed
                    yield Found(at(directive), message, edits, harmed=guarded, decision=_DECISION)


def _entrances(server: Server) -> Iterator[tuple[tuple[str, ...], Directive]]:
    """Yield (location, what it is passed to) of the locations that nobody else guards."""
    for location in server.locations:
        directive = application(location)
        if directive is None or directive.name not in PASSES or "$" in (directive.arguments or "$")[0]:
            continue
        if is_reachable(location) and not has_access_rules(location):
            yield (*location.match, directive.name, directive.arguments[0].rstrip("/")), directive


_DECISION = "whether this entrance is wanted, and for whom"


RULE = Rule(
    code="mtls-same-backend-via-open-server",
    severity=Severity.HIGH,
    summary="The application behind a server that verifies clients is also reached through one that does not.",
    evidence="The same upstream answered 200 without a certificate through the other server name.",
    remedy="give the application one entrance, or the other server an authentication of its own",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_verify_client",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
