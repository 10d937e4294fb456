"""A location without its last slash leads out of what it serves, into what another one guards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.answers import is_reachable
from counterseal.nginx.lint.edit import replace_word
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.guards import guards, is_guarded
from counterseal.nginx.lint.locations import beginning_with
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find locations whose ``alias`` or ``proxy_pass`` ends with a slash and which do not, beside a guarded one."""
    for server in configuration.servers:
        if server.kind != "http" or is_guarded(configuration, server.level):
            continue
        guarded = {_target(one): one.match[1] for one in server.locations if guards(configuration, one)}
        targets = sorted(guarded)
        for location in server.locations if guarded else ():
            modifier, path = location.match
            if modifier not in {"", "^~"} or path.endswith("/") or not is_reachable(location):
                continue
            above = _above(_target(location))
            inner = beginning_with(above, targets) if above else ()
            if inner and location.block is not None and not is_guarded(configuration, location):
                message = f"GET {path}../ leads past the check of {guarded[inner[0]]}"
                edit = replace_word(location.block, len(location.block.arguments) - 1, f"{path}/")
                yield Found(at(location.block), message, (edit,), decision=f"whether {path} itself is to be answered")


def _target(location: Level) -> str:
    """Return what a location's path becomes, a directory or a URL; to ``root`` and to a mere host it is appended."""
    path, passed = location.match[1], location.value("proxy_pass")
    if passed:
        return passed if "/" in passed.partition("://")[2] else f"{passed}{path}"
    return location.value("alias") or f"{location.value('root') or 'html'}{path}"


def _above(target: str) -> str:
    """Return what is one level above, with its slash; empty where the target ends without one, or is a top already."""
    above = target.rstrip("/").rpartition("/")[0]
    return f"{above}/" if target.endswith("/") and above.rpartition("/")[2] else ""


RULE = Rule(
    code="mtls-off-by-slash",
    severity=Severity.HIGH,
    summary="A location without a check lacks the slash that its alias or proxy_pass has.",
    evidence="With location /static and alias html/static/ GET /static../admin/x is the file html/static/../admin/x, "
    "which location /admin/ gives nobody without a certificate: 200. By proxy_pass a client came to /admin/ of the "
    "application in the same way.",
    remedy="write the slash in both: location /static/",
    reference="https://nginx.org/en/docs/http/ngx_http_core_module.html#alias",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
