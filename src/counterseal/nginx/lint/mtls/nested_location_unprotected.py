"""The check stands outside, and nginx does not run it inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.answers import is_reachable
from counterseal.nginx.lint.edit import insert_into, render_line
from counterseal.nginx.lint.guards import guards, is_guarded
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find locations without a check inside a location with one."""
    for server in configuration.servers:
        if not is_guarded(configuration, server.level):
            for location in server.locations:
                inner = location.inside("location")
                if inner and guards(configuration, location):
                    yield from _unguarded(configuration, location, inner)


def _unguarded(configuration: Configuration, location: Level, inner: Iterable[Level]) -> Iterator[Found]:
    outer = location.match[1]
    checks = tuple(guards(configuration, location))
    for level in inner:
        if level.block is not None and is_reachable(level) and not is_guarded(configuration, level):
            edits = tuple(edit for check in checks for edit in insert_into(level, render_line(check)))
            yield Found(at(level.block), f"the check of {outer} is not run here", edits)


RULE = Rule(
    code="mtls-nested-location-unprotected",
    severity=Severity.HIGH,
    summary="A location inside one that checks the certificate does not check it.",
    evidence="The conditions of the outer location are not run for the inner one: 200 without a certificate.",
    remedy="check at server level, or repeat the check in every location inside",
    reference="https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#if",
    check=check,
)
