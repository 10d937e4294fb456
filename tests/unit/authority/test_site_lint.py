"""What stops a deploy beyond what is in force: findings are counted, because one file may have the same twice."""

from __future__ import annotations

from counterseal.authority.site_lint import beyond
from counterseal.findings import Finding, Severity
from counterseal.nginx.lint.catalogue import RULES
from counterseal.nginx.lint.engine import Located
from counterseal.nginx.lint.rule import Place


def located(message: str, line: int) -> Located:
    """Return a finding of one file."""
    finding = Finding("x", Severity.HIGH, message, line=line)
    return Located(finding, RULES[0], Place("/etc/nginx/own.conf", line, 1))


def test_a_second_one_like_the_first_is_new() -> None:
    """And one that has moved to another line is not."""
    first, second = located("a way round", 1), located("a way round", 7)
    assert beyond([first, second], [first]) == [second.finding]
    assert beyond([second], [first]) == []
    assert beyond([first], []) == [first.finding]
