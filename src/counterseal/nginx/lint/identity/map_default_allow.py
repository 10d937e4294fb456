"""Whoever is not listed gets in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.comparisons import read_condition
from counterseal.nginx.lint.edit import insert_before, replace_word
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.variables import variables_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.comparisons import Comparison
    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.tree import Directive


def check(configuration: Configuration) -> Iterator[Found]:
    """Find maps of subjects whose default gets past the condition that refuses by them."""
    maps = {one.arguments[1]: one for one in configuration.maps if _is_of_subjects(one)}
    for server in configuration.servers if maps else ():
        for level in server.levels:
            for condition in level.inside("if"):
                asked = read_condition(condition.block) if condition.block and condition.here("return") else None
                found = maps.get(asked.subject) if asked is not None else None
                if asked is not None and found is not None:
                    yield from _default(found, asked)


def _is_of_subjects(directive: Directive) -> bool:
    return len(directive.arguments) > 1 and "ssl_client_s_dn" in variables_in(directive.arguments[0])


def _default(directive: Directive, asked: Comparison) -> Iterator[Found]:
    """Find the default that gets past, or that there is none where what is listed gets past: it is empty then."""
    message = f"whoever is not listed gets past the check of {asked.subject}"
    entries = [entry for entry in directive.directives if entry.arguments]
    default = next((entry for entry in entries if entry.name == "default"), None)
    if default is not None and _passes(asked, default.arguments[0]):
        yield Found(at(default), message, (replace_word(default, 0, _refused(asked)),), decision=_DECISION)
    elif default is None and _passes(asked, "") and any(_passes(asked, entry.arguments[0]) for entry in entries):
        edits = (insert_before(entries[0], f"default {_refused(asked)};"),)
        yield Found(at(directive), f"{message}: without a default it is empty", edits, decision=_DECISION)


def _passes(asked: Comparison, value: str) -> bool:
    """Whether the value gets past ``if ($admitted = 0)`` or ``if ($admitted != 1)``."""
    return {"=": asked.value != value, "!=": asked.value == value}.get(asked.operator, False)


def _refused(asked: Comparison) -> str:
    """Return a value that the condition refuses."""
    return asked.value if asked.operator == "=" else next(one for one in "01" if one != asked.value)


_DECISION = "whether everybody who may pass is listed"


RULE = Rule(
    code="id-map-default-allow",
    severity=Severity.HIGH,
    summary="A map of names admits everybody that it does not list.",
    evidence="Every other valid certificate was admitted: 200. Without a default the variable is empty, and so not 0.",
    remedy="write: default 0; and list whom to admit",
    reference="https://nginx.org/en/docs/http/ngx_http_map_module.html#map",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
