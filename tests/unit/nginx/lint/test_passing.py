"""An application is known by the addresses of whoever may be asked."""

from __future__ import annotations

import pytest

from counterseal.nginx.lint.build import build
from counterseal.nginx.lint.passing import members
from counterseal.nginx.parse import parse
from counterseal.nginx.version import named_version
from nginx_lint_lab import NOW

TEXT = """http { upstream app { server 127.0.0.1:9000; server Backend.test; server unix:/run/App.sock weight=2;
server 127.0.0.1:9009 down; keepalive 8; } }"""


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("http://app/v1/", {"127.0.0.1:9000", "backend.test:80", "unix:/run/App.sock"}),
        ("app", {"127.0.0.1:9000", "backend.test:80", "unix:/run/App.sock"}),
        ("https://Backend.test$request_uri", {"backend.test:443"}),
        ("grpcs://[::1]", {"[::1]:443"}),
        ("localhost:9000", {"127.0.0.1:9000", "[::1]:9000"}),
        ("http://unix:/run/App.sock:/v1/", {"unix:/run/App.sock"}),
        ("http://$backend", set()),
        ("", set()),
    ],
)
def test_members_of_a_target(target: str, expected: set[str]) -> None:
    """Host and port as nginx completes them; a group member that is down is not asked."""
    configuration = build(parse(TEXT, file="nginx.conf"), version=named_version("1.28.0"), now=NOW)
    assert members(configuration, target) == expected
