"""An answer that is given before access is decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.answers import succeeds
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration

ACCESS = ("auth_request", "deny", "auth_basic", "access_by_lua_block", "access_by_lua_file")


def check(configuration: Configuration) -> Iterator[Found]:
    """Find an unconditional 2xx ``return`` on a level that also has access rules of its own."""
    for server in configuration.servers:
        for level in server.levels:
            rules = [one for name in ACCESS for one in level.here(name) if one.arguments != ("off",)]
            if rules and level.name in {"server", "location"} and succeeds(level):
                yield Found(at(level.here("return")[0]), f"is answered before {rules[0].name} is looked at")


RULE = Rule(
    code="mtls-return-skips-access-phase",
    severity=Severity.MEDIUM,
    summary="return stands beside auth_request, allow, deny or auth_basic in the same location.",
    evidence="return runs in the rewrite phase, before any of those: 200 without a certificate.",
    remedy="decide by if in the rewrite phase, too, or let a handler such as proxy_pass or try_files give the answer",
    reference="https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#return",
    check=check,
)
