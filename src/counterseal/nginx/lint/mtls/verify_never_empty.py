"""The verdict is taken for a flag, or compared with what it never is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import replace_word
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive

_VALUES = frozenset({"SUCCESS", "NONE", "FAILED"})
_VERDICT = "$ssl_client_verify"


def check(configuration: Configuration) -> Iterator[Found]:
    """Find conditions in servers that verify clients, of which none names a verdict that there is."""
    for server in configuration.guarded:
        found = [(block, words) for block in _conditions(server) if (words := _words(block))]
        if any(_may_hold(*words[1:]) for _, words in found if len(words) > 1):
            continue
        for block, words in found:
            value = words[-1] if len(words) > 1 else ""
            known = f"never {value}" if value else "never empty: without a certificate it is NONE"
            yield Found(at(block), f"{_VERDICT} is {known}", _corrected(block, words), decision=_DECISION)


def _may_hold(operator: str, value: str) -> bool:
    """Whether a comparison can come true for one verdict, and not for another."""
    return value in _VALUES or "~" in operator or "$" in value


def _conditions(server: Server) -> Iterator[Directive]:
    conditions = (condition.block for level in server.levels for condition in level.inside("if"))
    return (block for block in conditions if block is not None)


def _words(condition: Directive) -> tuple[str, ...]:
    """Return the verdict, alone or with operator and value; nothing where another variable is looked at."""
    first, *others = condition.arguments or ("",)
    verdict = first.strip("()").replace("{", "").replace("}", "")
    if verdict != _VERDICT:
        return ()
    return (verdict, others[0], others[1].removesuffix(")")) if len(others) > 1 else (verdict,)


def _corrected(condition: Directive, words: tuple[str, ...]) -> tuple[Edit, ...]:
    """Compare with SUCCESS: unequal where it refuses, or where it asks for an empty one."""
    if len(words) == 1:
        end = "" if condition.arguments[-1] == ")" else ")"
        return (replace_word(condition, 0, f"({_VERDICT} = SUCCESS{end}"),)
    refuses = any(one.name == "return" and one.arguments and one.arguments[0] >= "400" for one in condition.directives)
    operator = "!=" if refuses or words[1:] == ("=", "") else "="
    end = ")" if condition.arguments[2].endswith(")") else ""
    return replace_word(condition, 1, operator), replace_word(condition, 2, f"SUCCESS{end}")


_DECISION = "who is to get past: whoever is SUCCESS, as a rule"


RULE = Rule(
    code="mtls-verify-never-empty",
    severity=Severity.HIGH,
    summary="$ssl_client_verify is used as a flag, or compared with a value that it never has.",
    evidence="It is SUCCESS, NONE or FAILED:reason, and no one of these is empty or 0: if ($ssl_client_verify) let a "
    'client without a certificate in, and so did if ($ssl_client_verify = "") { return 403; }',
    remedy="compare with SUCCESS: if ($ssl_client_verify != SUCCESS) { return 403; }",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#var_ssl_client_verify",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
