"""The same application behind an open door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.doors import guarded_doors, is_nearer, open_doors
from counterseal.nginx.lint.edit import insert_before
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.verification import verified_alike

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.entrances import Entrance
    from counterseal.nginx.lint.model import Configuration, Server


def check(configuration: Configuration) -> Iterator[Found]:
    """Find ways without a certificate to what an application is asked for behind one, wholly and not in part."""
    guarded = guarded_doors(configuration)
    for server in configuration.servers if guarded else ():
        for entrance in open_doors(configuration, server):
            behind = guarded.reached_by(configuration, server, entrance)
            if behind is not None and not is_nearer(server, behind):
                message = f"{entrance.directive.arguments[0]} requires a certificate at {at(behind.block)}, not here"
                edits = _closed(configuration, server, entrance, behind)
                yield Found(at(entrance.directive), message, edits, harmed=behind.block, decision=_DECISION)


def _closed(configuration: Configuration, server: Server, entrance: Entrance, behind: Server) -> tuple[Edit, ...]:
    if configuration.speaks_tls(server) and server.kind == behind.kind and behind.verify == "on":
        return verified_alike(server, behind)
    return (insert_before(entrance.directive, "deny all;" if server.kind == "stream" else "return 403;"),)


_DECISION = "whether this entrance is wanted, and for whom"


RULE = Rule(
    code="mtls-same-backend-via-open-server",
    severity=Severity.HIGH,
    summary="The application behind a server that verifies clients is also reached through one that does not.",
    evidence="The same upstream answered 200 without a certificate through the other server name; what only "
    "location /admin/ of one server let through came through location / of the other, by the address of a member of "
    "the upstream group, too, and through a plain stream server.",
    remedy="give the application one entrance, or the other server an authentication of its own",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_verify_client",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
