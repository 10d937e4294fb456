"""Which location takes a path, where expressions of PCRE are tried by those of Python."""

from __future__ import annotations

import pytest

from counterseal.nginx.lint.build import build
from counterseal.nginx.lint.locations import takes
from counterseal.nginx.parse import parse
from counterseal.nginx.version import named_version
from nginx_lint_lab import NOW

LONG = f"/{300 * 'a'}"


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("^/u/(?<id>[0-9]+)$", "/u/1", "~"),
        ("^/u/(?<id>[0-9]+)$", "/u/x", ""),
        (r"^/u\(?<", "/u<", "~"),
        ("^/[[:alpha:]_]+$", "/a_", "~"),
        ("^/[[:alpha:]]+$", "/1", ""),
        ("^/[[:^alpha:]]+$", "/1", None),
        ("^/[[:punct:]]+$", "/1", None),
        ("^/(a|aa|a+)+$", "/aaa!", None),
        ("^/.*b", LONG, None),
    ],
)
def test_what_takes_a_path(pattern: str, path: str, expected: str | None) -> None:
    """The modifier of the location; None where an expression is not tried, as it is unknown or may take for ever."""
    text = f"http {{ server {{ location / {{ }} location ~ '{pattern}' {{ }} }} }}"
    configuration = build(parse(text, file="nginx.conf"), version=named_version("1.28.0"), now=NOW)
    taken = takes(configuration, configuration.servers[0], path)
    assert (taken and taken.match[0]) == expected
