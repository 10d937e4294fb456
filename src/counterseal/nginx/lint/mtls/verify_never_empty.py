"""The verdict is taken for a flag, or compared with what it never is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.answers import is_reachable
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.guards import guards, told
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.variables import bare_name
from counterseal.nginx.lint.verdicts import VERDICT, verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.lint.verdicts import Verdict
    from counterseal.nginx.tree import Directive

_VALUES = frozenset({"SUCCESS", "NONE", "FAILED"})


def check(configuration: Configuration) -> Iterator[Found]:
    """Find conditions where a certificate is optional, of which none names a verdict that there is.

    Nor does anything else decide there. Where nginx insists, they admit nobody: it is empty on a plain socket alone.
    """
    for server in configuration.guarded:
        found = list(verdicts(server)) if server.verify != "on" else []
        if not found or any(_may_hold(server, one) for one in found):
            continue
        decided = _decided(configuration, server, found)
        for one in found:
            if one.level not in decided and not _is_meant(configuration, server, one):
                known = f"never {one.value}" if one.value else "never empty: without a certificate it is NONE"
                operator = "!=" if one.refuses or one.is_of_plain_http else "="
                edits = one.compared(operator, "SUCCESS")
                yield Found(at(one.block), f"{VERDICT} is {known}", edits, decision=_DECISION)


def _may_hold(server: Server, one: Verdict) -> bool:
    """Whether a comparison can come true for one verdict, and not for another.

    Where it is ``optional`` nginx itself answers those who failed: a location for that error alone sees them.
    """
    is_failure = one.value.startswith("FAILED:") and (server.verify != "optional" or one.level is not server.level)
    return one.value in _VALUES or is_failure or "~" in one.operator or "$" in one.value


def _is_meant(configuration: Configuration, server: Server, one: Verdict) -> bool:
    """Whether it is for a plain socket of the server: as a redirect, or where an application is told the verdict."""
    is_plain_too = any(not socket.is_tls for socket in configuration.sockets_of(server))
    is_told = any("ssl_client_verify" in told(configuration, level) for level in (server.level, *server.locations))
    return is_plain_too and one.is_of_plain_http and (one.code.startswith("3") or is_told)


def _decided(configuration: Configuration, server: Server, found: list[Verdict]) -> set[Level]:
    """Return the levels where something decides that is neither one of the conditions nor made by one.

    What decides on the server does so for its locations, and where each of those has something, none is open.
    """
    settings = (inner for one in found for inner in one.block.directives if inner.name == "set")
    flags = {bare_name(name) for one in settings for name in one.arguments[:1]}
    blocks = {id(one.block) for one in found}

    def is_another(guard: Directive) -> bool:
        return id(guard) not in blocks and flags.isdisjoint(configuration.variables.behind(*guard.arguments))

    decided = {level for level in server.levels if any(map(is_another, guards(configuration, level)))}
    reachable = [one for one in server.locations if is_reachable(one)]
    if server.level in decided or (reachable and decided.issuperset(reachable)):
        return set(server.levels)
    return decided


_DECISION = "who is to get past: whoever is SUCCESS, as a rule"


RULE = Rule(
    code="mtls-verify-never-empty",
    severity=Severity.HIGH,
    summary="$ssl_client_verify is used as a flag, or compared with a value that it never has.",
    evidence="Over TLS it is SUCCESS, NONE or FAILED:reason, and none of these is empty or 0: if ($ssl_client_verify) "
    'let a client without a certificate in, and so did if ($ssl_client_verify = "") { return 403; }',
    remedy="compare with SUCCESS: if ($ssl_client_verify != SUCCESS) { return 403; }",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#var_ssl_client_verify",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
