"""What cannot be shown as a case: it depends on the machine."""

from __future__ import annotations

from counterseal.nginx.lint.build import build
from counterseal.nginx.lint.engine import lint
from counterseal.nginx.parse import parse
from counterseal.nginx.version import named_version
from nginx_lint_lab import NOW


def test_the_bundle_of_the_system_is_known_by_its_path() -> None:
    """Whether it was read or not."""
    text = """
    http {
        server {
            listen 443 ssl;
            ssl_client_certificate /etc/ssl/certs/ca-certificates.crt;
            ssl_verify_client on;
        }
    }
    """
    model = build(parse(text), version=named_version("1.28.0"), now=NOW)
    assert "mtls-public-ca-bundle" in {finding.code for finding in lint(model, {"nginx.conf": text}).findings}
