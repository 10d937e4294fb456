"""A rewrite ends the conditions that stand behind it."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.answers import application, is_reachable
from counterseal.nginx.lint.edit import insert_before, remove, render_line
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.guards import guards
from counterseal.nginx.lint.locations import find_location
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive

_ONE_PATH = re.compile(r"\^/(?:[\w/-]|\\\.)+\$")


def check(configuration: Configuration) -> Iterator[Found]:
    """Find ``break`` and rewrites with ``last`` or ``break`` in front of a check on the same level.

    One inside an ``if`` is taken for what it says: an exception. So is one of a single path that leads to a location
    which answers by itself.
    """
    for server in configuration.servers:
        for level in (server.level, *server.locations) if server.kind == "http" else ():
            ending = next((one for one in level.directives if _ends(server, level, one)), None)
            checks = () if ending is None else _behind(configuration, level, ending)
            if ending is not None and checks and not _is_checked_later(configuration, server, level):
                message = f"whom it rewrites is not asked for a certificate at {at(checks[0])}"
                edits = tuple(edit for one in checks for edit in _moved(one, ending))
                yield Found(at(ending), message, edits, decision=_DECISION)


def _ends(server: Server, level: Level, directive: Directive) -> bool:
    """Whether no other directive of the rewrite module is run on this level; ``last`` leaves a location altogether."""
    if directive.name == "rewrite" and len(directive.arguments) == len(("expression", "replacement", "flag")):
        *_, replacement, flag = directive.arguments
        if level is server.level:
            return flag in {"break", "last"} and "://" not in replacement and not _is_aside(server, directive)
        return flag == "break" and "://" not in replacement
    return directive.name == "break"


def _is_aside(server: Server, rewrite: Directive) -> bool:
    """Whether a single path is led to a location of its own that runs no application, such as a health check."""
    pattern, replacement, _ = rewrite.arguments
    location = find_location(server, replacement) if _ONE_PATH.fullmatch(pattern) else None
    return location is not None and location.match[1] != "/" and application(location) is None


def _behind(configuration: Configuration, level: Level, ending: Directive) -> tuple[Directive, ...]:
    """Return the conditions behind it, unless something of the access phase decides as well."""
    deciding = guards(configuration, level)
    before = {id(one) for one in takewhile(lambda one: one is not ending, level.directives)}
    if any(one.name != "if" or id(one) in before for one in deciding):
        return ()
    return deciding


def _is_checked_later(configuration: Configuration, server: Server, level: Level) -> bool:
    """Whether every location has a check of its own, which is run after those of the server."""
    locations = [one for one in server.locations if is_reachable(one)]
    return level is server.level and bool(locations) and all(guards(configuration, one) for one in locations)


def _moved(check: Directive, ending: Directive) -> tuple[Edit, ...]:
    """Put a check in front; one of an included file stays there, too, for whoever includes it."""
    there = insert_before(ending, render_line(check))
    return (there, remove(check)) if check.file == ending.file else (there,)


_DECISION = "whether the check needs something that is set in between"


RULE = Rule(
    code="mtls-check-skipped-by-rewrite",
    severity=Severity.HIGH,
    summary="A rewrite with last or break stands in front of the check of the certificate.",
    evidence="nginx then runs no other condition of that level: where rewrite ^/api/(.*)$ /v1/$1 break; stood before "
    "if ($ssl_client_verify != SUCCESS), GET /api/x was answered without a certificate, 200, and GET /x was not, 403.",
    remedy="check first, and rewrite then",
    reference="https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#rewrite",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
