"""An answer that is given before access is decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.answers import succeeds
from counterseal.nginx.lint.edit import Edit, insert_before, remove, render_line
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.tree import Directive

ACCESS = ("auth_request", "deny", "auth_basic", "access_by_lua_block", "access_by_lua_file")


def check(configuration: Configuration) -> Iterator[Found]:
    """Find an unconditional 2xx ``return`` on a level that also has access rules of its own."""
    for server in configuration.servers:
        for level in server.having("return"):
            rules = [one for name in ACCESS for one in level.here(name) if one.arguments != ("off",)]
            if rules and level.name in {"server", "location"} and succeeds(level):
                answer = level.here("return")[0]
                message = f"is answered before {rules[0].name} is looked at"
                yield Found(at(answer), message, _answered_later(level, answer), decision=_DECISION)


def _answered_later(level: Level, answer: Directive) -> tuple[Edit, ...]:
    """Return the edits that give the answer after the access rules, from a named location; a server has none."""
    outer = level
    while outer.parent is not None and outer.parent.name == "location":
        outer = outer.parent
    if outer.name != "location" or outer.block is None:
        return (remove(answer),)
    name = f"@answer_{answer.line}"
    old = render_line(answer)
    later = Edit(answer.file, answer.line, answer.column, old, f"try_files /.none {name};")
    return insert_before(outer.block, f"location {name} {{ {old} }}"), later


_DECISION = "which other lines of the location, such as add_header, the answer needs"


RULE = Rule(
    code="mtls-return-skips-access-phase",
    severity=Severity.MEDIUM,
    summary="return stands beside auth_request, allow, deny or auth_basic in the same location.",
    evidence="return runs in the rewrite phase, before any of those: 200 without a certificate.",
    remedy="decide by if in the rewrite phase, too, or let a handler such as proxy_pass or try_files give the answer",
    reference="https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#return",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
