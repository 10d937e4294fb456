"""A comparison that never comes true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.answers import return_code
from counterseal.nginx.lint.edit import Edit, insert_before, replace_word
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.guards import guards
from counterseal.nginx.lint.rule import Found, Rule, Span, at
from counterseal.nginx.lint.variables import variables_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive


def check(configuration: Configuration) -> Iterator[Found]:
    """Find comparisons with FAILED in conditions and maps, and those that let NONE or FAILED:reason through."""
    for server in configuration.servers:
        yield from (found for _, one in server.conditions if (found := _condition(one, server)))
    admits_any = any(server.verify == "optional_no_ca" for server in configuration.servers)
    decisive = _decisive(configuration)
    for one in configuration.maps:
        if one.arguments[:1] == ("$ssl_client_verify",):
            yield from _map(one, admits_any=admits_any)
            if variables_in(one.arguments[-1]) & decisive:
                yield from _list_of_failures(one)


def _condition(level: Level, server: Server) -> Found | None:
    condition = level.block
    if condition is None:
        return None
    words = [text.strip("() ") for text in condition.arguments if text not in {"(", ")"}]
    if len(words) != len(("variable", "operator", "value")) or words[0].strip("${}") != "ssl_client_verify":
        return None
    operator, value = words[1], words[2]
    message = None
    if operator in {"=", "!="} and value == "FAILED":
        message = "$ssl_client_verify is never FAILED alone: it is FAILED:reason"
    elif operator == "=" and value == "NONE" and server.verify == "optional_no_ca":
        message = "certificates that fail the verification get past this: they are FAILED:reason"
    elif operator in {"~", "~*"} and "FAILED" in value and "NONE" not in value and server.verify != "on":
        message = "clients without a certificate get past this: they are NONE"
    edits = _allow_list(level, condition, operator)
    if edits or message is None:
        return Found(at(condition), message, edits) if message else None
    return Found(at(condition), message, _as_expression(condition, operator), decision=_DECISION)


def _allow_list(level: Level, condition: Directive, operator: str) -> tuple[Edit, ...]:
    """Turn a condition that refuses whom it names into one that refuses whom SUCCESS does not."""
    if operator == "!=" or (return_code(level) or "") < "4":
        return ()
    place = condition.arguments.index(operator)
    end = ")" if condition.words[place + 2].raw.endswith(")") else ""
    return replace_word(condition, place, "!="), replace_word(condition, place + 1, f"SUCCESS{end}")


def _as_expression(condition: Directive, operator: str) -> tuple[Edit, ...]:
    """Compare with every failure where FAILED alone stands."""
    place = condition.arguments.index(operator)
    if operator not in {"=", "!="} or "FAILED" not in condition.arguments[place + 1]:
        return ()
    word = condition.words[place + 2]
    return (
        replace_word(condition, place, "~" if operator == "=" else "!~"),
        replace_word(condition, place + 1, word.raw.replace("FAILED", "^FAILED")),
    )


def _map(directive: Directive, *, admits_any: bool) -> Iterator[Found]:
    """Find the key FAILED where it makes a difference: what it stands for is not what everything else gets.

    With ``optional`` a bad certificate is answered 400 before, so a map that also has NONE is complete.
    """
    values = {entry.name.upper(): entry.arguments for entry in directive.directives}
    for entry in directive.directives:
        is_complete = values.get("NONE") == entry.arguments and not admits_any
        if entry.name.upper() == "FAILED" and entry.arguments != values.get("DEFAULT", ("",)) and not is_complete:
            message = "this key never matches: $ssl_client_verify is FAILED:reason"
            edit = Edit(entry.file, entry.line, entry.column, entry.words[0].raw, "~^FAILED")
            yield Found(at(entry), message, (edit,), decision=_DECISION)


def _decisive(configuration: Configuration) -> frozenset[str]:
    """Return the variables by which servers that do not insist on a certificate decide, and by nothing else."""
    found: set[str] = set()
    for server in configuration.servers:
        for level in server.having("if") if server.verify.startswith("optional") else ():
            named = [variables_in(" ".join(guard.arguments)) for guard in guards(configuration, level)]
            if all("ssl_client_verify" not in names for names in named):
                found.update(*named)
    return frozenset(found)


def _list_of_failures(directive: Directive) -> Iterator[Found]:
    """Find the first key of a map that knows nothing but failures: what it gives for NONE, SUCCESS gets, too."""
    keys = [entry for entry in directive.directives if entry.name.lower() not in {"default", "volatile"}]
    names = [key.name.upper() for key in keys]
    if names and all(name.startswith("~") and "FAILED" in name and "NONE" not in name for name in names):
        edits = (insert_before(keys[0], f"NONE {keys[0].words[1].raw};"),)
        yield Found(
            at(keys[0]), "clients without a certificate get past this: they are NONE", edits, decision=_DECISION
        )


_DECISION = "who is meant: all that fail, all without a certificate, or whoever is not SUCCESS"


RULE = Rule(
    code="mtls-verify-compared-to-failed",
    severity=Severity.HIGH,
    summary="$ssl_client_verify is compared with FAILED, which it never equals.",
    evidence="Since 1.11.7 the value is FAILED:reason, so = FAILED never matches; and a client without a "
    "certificate is NONE: both got 200.",
    remedy="name what may pass, not what may not: if ($ssl_client_verify != SUCCESS) { return 403; }",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#var_ssl_client_verify",
    check=check,
    affected=(Span(since=(1, 11, 7)),),
    fixes=(Applicability.MACHINE_APPLICABLE, Applicability.MAYBE_INCORRECT),
)
