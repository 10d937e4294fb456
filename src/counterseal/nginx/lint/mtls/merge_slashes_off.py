"""A second slash leads round the check of a location."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.answers import is_reachable, serves_content
from counterseal.nginx.lint.edit import replace_word
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.guards import guards, is_guarded
from counterseal.nginx.lint.locations import find_location
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration, Server


def check(configuration: Configuration) -> Iterator[Found]:
    """Find servers with a check in a prefix location alone, in which // is a path of its own."""
    for server in configuration.servers:
        switch = server.level.effective("merge_slashes")
        if server.kind != "http" or switch is None or switch.arguments != ("off",):
            continue
        path = _checked(configuration, server)
        if path is not None and not is_guarded(configuration, server.level) and _is_open(configuration, server):
            message = f"GET /{path} is another path than {path}, where the certificate is checked"
            yield Found(at(switch), message, (replace_word(switch, 0, "on"),), decision=_DECISION)


def _checked(configuration: Configuration, server: Server) -> str | None:
    outer = ((one.match, one) for one in server.level.inside("location"))
    paths = (path for (modifier, path), one in outer if modifier in _PREFIXES and guards(configuration, one))
    return next((path for path in paths if path != "/"), None)


def _is_open(configuration: Configuration, server: Server) -> bool:
    """Whether a path that begins with two slashes is answered without a check."""
    location = find_location(server, "//")
    if location is None:
        return serves_content(server)
    return is_reachable(location) and not is_guarded(configuration, location)


_PREFIXES = frozenset({"", "^~", "="})
_DECISION = "whether the application needs // in its paths; then check the certificate at server level"


RULE = Rule(
    code="mtls-merge-slashes-off",
    severity=Severity.HIGH,
    summary="merge_slashes is off, and only a location looks at the certificate.",
    evidence="GET //admin/x is not below /admin/ then: location / answered it without a certificate, 200, with the "
    "very file, on 1.22.1 and 1.31.3. With merge_slashes on, the default, it was refused, 403.",
    remedy="remove merge_slashes off, or check at server level",
    reference="https://nginx.org/en/docs/http/ngx_http_core_module.html#merge_slashes",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
