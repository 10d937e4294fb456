"""The verdict is taken for a flag, or compared with what it never is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.answers import is_reachable, return_code
from counterseal.nginx.lint.edit import replace_word
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.guards import guards
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.variables import bare_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive

_VALUES = frozenset({"SUCCESS", "NONE", "FAILED"})
_VERDICT = "$ssl_client_verify"


def check(configuration: Configuration) -> Iterator[Found]:
    """Find conditions where a certificate is optional, of which none names a verdict that there is.

    Nor does anything else decide there. Where nginx insists, they admit nobody: it is empty on a plain socket alone.
    """
    for server in configuration.guarded:
        found = [(level, one, words) for level, one in server.conditions if (words := _words(one))]
        if server.verify == "on" or any(_may_hold(server, level, words) for level, _, words in found):
            continue
        decided = _decided(configuration, server, [one for _, one, _ in found])
        for level, one, words in found:
            if one.block is not None and level not in decided:
                value = words[-1] if len(words) > 1 else ""
                known = f"never {value}" if value else "never empty: without a certificate it is NONE"
                edits = _corrected(one, one.block, words)
                yield Found(at(one.block), f"{_VERDICT} is {known}", edits, decision=_DECISION)


def _decided(configuration: Configuration, server: Server, conditions: list[Level]) -> set[Level]:
    """Return the levels where something decides that is neither one of the conditions nor made by one.

    What decides on the server does so for its locations, and where each of those has something, none is open.
    """
    flags = {bare_name(name) for level in conditions for one in level.here("set") for name in one.arguments[:1]}
    blocks = {id(one.block) for one in conditions}

    def is_another(guard: Directive) -> bool:
        return id(guard) not in blocks and flags.isdisjoint(configuration.variables.behind(*guard.arguments))

    decided = {level for level in server.levels if any(map(is_another, guards(configuration, level)))}
    reachable = [one for one in server.locations if is_reachable(one)]
    if reachable and decided.issuperset(reachable):
        decided.add(server.level)
    return set(server.levels) if server.level in decided else decided


def _may_hold(server: Server, level: Level, words: tuple[str, ...]) -> bool:
    """Whether a comparison can come true for one verdict, and not for another.

    Where it is ``optional`` nginx itself answers those who failed: a location for that error alone sees them.
    """
    if len(words) == 1:
        return False
    operator, value = words[1:]
    is_failure = value.startswith("FAILED:") and (server.verify != "optional" or level is not server.level)
    return value in _VALUES or is_failure or "~" in operator or "$" in value


def _words(condition: Level) -> tuple[str, ...]:
    """Return the verdict, alone or with operator and value; nothing where another variable is looked at."""
    first, *others = (condition.block and condition.block.arguments) or ("",)
    verdict = first.strip("()").replace("{", "").replace("}", "")
    if verdict != _VERDICT:
        return ()
    return (verdict, others[0], others[1].removesuffix(")")) if len(others) > 1 else (verdict,)


def _corrected(level: Level, condition: Directive, words: tuple[str, ...]) -> tuple[Edit, ...]:
    """Compare with SUCCESS: unequal where it refuses, or where it asks for an empty one."""
    if len(words) == 1:
        end = "" if condition.arguments[-1] == ")" else ")"
        return (replace_word(condition, 0, f"({_VERDICT} = SUCCESS{end}"),)
    refuses = (return_code(level) or "") >= "4"
    operator = "!=" if refuses or words[1:] == ("=", "") else "="
    end = ")" if condition.arguments[2].endswith(")") else ""
    return replace_word(condition, 1, operator), replace_word(condition, 2, f"SUCCESS{end}")


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
