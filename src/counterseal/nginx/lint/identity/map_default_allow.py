"""Whoever is not listed gets in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.comparisons import read_condition
from counterseal.nginx.lint.edit import replace_word
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
    defaults = dict(_defaults(configuration))
    for server in configuration.servers if defaults else ():
        for level in server.levels:
            for condition in level.inside("if"):
                asked = read_condition(condition.block) if condition.block and condition.here("return") else None
                default = defaults.get(asked.subject) if asked is not None else None
                if asked is not None and default is not None and _passes(asked, default.arguments[0]):
                    message = f"whoever is not listed gets past the check of {asked.subject}"
                    edits = (replace_word(default, 0, _refused(asked)),)
                    yield Found(at(default), message, edits, decision=_DECISION)


def _defaults(configuration: Configuration) -> Iterator[tuple[str, Directive]]:
    """Yield (variable, default) of every map that looks at the subject."""
    for one in configuration.maps:
        subject, *names = one.arguments or ("",)
        if names and "ssl_client_s_dn" in variables_in(subject):
            yield from ((names[0], entry) for entry in one.directives if entry.name == "default" and entry.arguments)


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
    evidence="Every other valid certificate was admitted: 200.",
    remedy="write: default 0; and list whom to admit",
    reference="https://nginx.org/en/docs/http/ngx_http_map_module.html#map",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
