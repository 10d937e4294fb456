"""Maps of ``$ssl_client_verify`` that list failures: keys that never match, and lists that NONE is not on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.lint.edit import Edit, insert_before
from counterseal.nginx.lint.guards import guards
from counterseal.nginx.lint.rule import Found, at
from counterseal.nginx.lint.variables import variables_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.tree import Directive

DECISION = "who is meant: all that fail, all without a certificate, or whoever is not SUCCESS"


def find_in_maps(configuration: Configuration) -> Iterator[Found]:
    """Find the key FAILED, and lists of nothing but failures by which servers decide."""
    admits_any = any(server.verify == "optional_no_ca" for server in configuration.servers)
    decisive = _decisive(configuration)
    for one in configuration.maps:
        if one.arguments[:1] == ("$ssl_client_verify",):
            yield from _never_matching(one, admits_any=admits_any)
            if variables_in(one.arguments[-1]) & decisive:
                yield from _list_of_failures(one)


def _never_matching(directive: Directive, *, admits_any: bool) -> Iterator[Found]:
    """Find the key FAILED where it makes a difference: what it stands for is not what everything else gets.

    With ``optional`` a bad certificate is answered 400 before, so a map that also has NONE is complete.
    """
    values = {entry.name.upper(): entry.arguments for entry in directive.directives}
    for entry in directive.directives:
        is_complete = values.get("NONE") == entry.arguments and not admits_any
        if entry.name.upper() == "FAILED" and entry.arguments != values.get("DEFAULT", ("",)) and not is_complete:
            message = "this key never matches: $ssl_client_verify is FAILED:reason"
            edit = Edit(entry.file, entry.line, entry.column, entry.words[0].raw, "~^FAILED")
            yield Found(at(entry), message, (edit,), decision=DECISION)


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
        yield Found(at(keys[0]), "clients without a certificate get past this: they are NONE", edits, decision=DECISION)
