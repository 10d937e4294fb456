"""A part of a name is taken for the whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.comparisons import comparisons, rewritten
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.comparisons import Comparison
    from counterseal.nginx.lint.model import Configuration

_LAST_NAME = re.compile(r"\$\{?ssl_client_[si]_dn(?!.*ssl_client_[si]_dn).*", re.DOTALL)
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")
_ENDS = re.compile(r"^(?:\^|\(\^\|,\)|\.\*)+|(?:\(,\|\$\)|,|\.\*|\$)+$")
_TAKEN_OUT = re.compile(r"(?<!\\)\((?!\?[:>=!#|imsx-]|\?<[=!])")
_REFUSALS = frozenset({"", "0", "off", "no", "deny", "false"})


def check(configuration: Configuration) -> Iterator[Found]:
    """Find such expressions in maps, and in conditions that refuse everybody else or note the match."""
    for one in comparisons(configuration):
        is_dn = any(name.startswith(("ssl_client_s_dn", "ssl_client_i_dn")) for name in one.variables)
        if is_dn and one.is_regex and _admits(one) and not _is_anchored(one.value):
            message = f"matches a part of the name: {one.value}"
            yield Found(at(one.directive), message, rewritten(one, _anchored(one)), decision=_DECISION)


def _admits(one: Comparison) -> bool:
    if one.outcome is not None:
        return one.outcome.lower() not in _REFUSALS
    refuses = any(inner.name == "return" for inner in one.directive.directives)
    return refuses == one.operator.startswith("!")


def _is_anchored(pattern: str) -> bool:
    """Whether it begins where the name does, and ends with it, at a separator, or in a group that is taken out."""
    ends = pattern.endswith((",", "[|]", ")", r"\z")) or (pattern.endswith("$") and not pattern.endswith(r"\$"))
    return pattern.startswith("^") and (ends or _TAKEN_OUT.search(pattern) is not None)


def _anchored(one: Comparison) -> str:
    """Return the expression for names that begin with it, which end there or go on with another attribute."""
    head = _LAST_NAME.sub("", one.subject).replace("$ssl_client_verify", "SUCCESS")
    prefix = _VARIABLE.sub(lambda match: f"<{match[1].replace('_', '-')}>", head)
    return f"^{prefix}{_ENDS.sub('', one.value)}(,|$)"


_DECISION = "whether the names begin with this attribute; best compare the whole name, with the issuer"


RULE = Rule(
    code="id-dn-regex-unanchored",
    severity=Severity.HIGH,
    summary="Somebody is let in by a regular expression that matches a part of the distinguished name.",
    evidence='~CN=alice also matched CN=alice2, OU=CN=alice and CN="eve,CN=alice"; even (^|,)CN=alice(,|$) '
    "matches an escaped comma.",
    remedy='compare the whole name, with the issuer: map "$ssl_client_verify:$ssl_client_i_dn/$ssl_client_s_dn" ...',
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#variables",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT, Applicability.HAS_PLACEHOLDERS),
)
