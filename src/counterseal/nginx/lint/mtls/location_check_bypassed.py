"""A way round the check of a location."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.answers import is_reachable
from counterseal.nginx.lint.edit import Edit, insert_into
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.guards import guards, is_guarded
from counterseal.nginx.lint.locations import REGEX, Prefixes, find_location
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration, Server


def check(configuration: Configuration) -> Iterator[Found]:
    """Find regular expressions that take requests from a guarded prefix, and unguarded targets of its rewrites."""
    for server in configuration.servers:
        if server.kind != "http" or is_guarded(configuration, server.level):
            continue
        outer = server.level.inside("location")
        guarded = [location for location in outer if guards(configuration, location)]
        open_ones = dict.fromkeys(one for one in outer if is_reachable(one) and not is_guarded(configuration, one))
        if guarded and open_ones:
            yield from _taken_over(guarded, open_ones)
        for location in guarded if open_ones else ():
            yield from _rewritten(server, location, open_ones)


def _taken_over(guarded: list[Level], open_ones: Collection[Level]) -> Iterator[Found]:
    by_path = {path: location for location in guarded for modifier, path in [location.match] if modifier == ""}
    prefixes = Prefixes(by_path)
    for other in open_ones:
        taken = prefixes.taken_by(other) if other.match[0] in REGEX else []
        if taken and other.block is not None:
            below = taken[0] if len(taken) == 1 else f"{taken[0]} (and {len(taken) - 1:,} more)"
            message = f"takes requests below {below} over, and does not check the certificate"
            decision = f"whether requests below {below} are all for that location; else check the certificate in both"
            edits = tuple(edit for path in taken for edit in _preferred(by_path[path]))
            yield Found(at(other.block), message, edits, decision=decision)


def _rewritten(server: Server, location: Level, open_ones: Collection[Level]) -> Iterator[Found]:
    for rewrite in location.here("rewrite"):
        target = rewrite.arguments[1] if len(rewrite.arguments) > 1 else ""
        found = find_location(server, target.partition("$")[0]) if target.startswith("/") else None
        if found is not None and found in open_ones and rewrite.arguments[2:] != ("break",) and found is not location:
            message = f"leads to a location that answers without a check: {target}"
            edits = insert_into(found, "internal;")
            yield Found(at(rewrite), message, edits, decision=f"whether nobody is to ask for {target} directly")


def _preferred(location: Level) -> tuple[Edit, ...]:
    """Return the edit that has nginx look at no regular expression once this prefix is the longest."""
    block = location.block
    return (Edit(block.file, block.line, block.column, block.words[0].raw, "location ^~"),) if block else ()


RULE = Rule(
    code="mtls-location-check-bypassed",
    severity=Severity.HIGH,
    summary="Only a prefix location looks at the certificate, and another one can take its requests over.",
    evidence="Conditions are not inherited: the regular expression that matched the same path answered 200 without "
    "a certificate, and so did the location that a rewrite leads to.",
    remedy="check at server level, or write: location ^~ ...; make the target of a rewrite internal",
    reference="https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#if",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
