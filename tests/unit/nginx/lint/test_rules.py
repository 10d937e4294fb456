"""What cannot be shown as a case: it depends on the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.compose.linting import lint_configuration
from counterseal.nginx.lint.build import build
from counterseal.nginx.lint.engine import lint
from counterseal.nginx.lint.files import NamedFile
from counterseal.nginx.lint.fix import Fix
from counterseal.nginx.parse import parse
from counterseal.nginx.version import named_version
from nginx_lint_lab import NOW, lab_files

if TYPE_CHECKING:
    from pathlib import Path


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


def test_a_forgotten_intermediate_is_known_from_the_file_beside(tmp_path: Path) -> None:
    """As with certbot's cert.pem, which is taken for fullchain.pem."""
    for name in ("leaf.pem", "server.key", "chain.pem"):
        (tmp_path / name).write_bytes(lab_files()[name])
    (tmp_path / "server.key").chmod(0o600)
    conf = tmp_path / "site.conf"
    conf.write_text("server { listen 443 ssl; ssl_certificate leaf.pem; ssl_certificate_key server.key; }")
    linting = lint_configuration(conf, text=None, version="1.28.0", directory=None, with_files=True)
    assert [finding.code for finding in linting.result.findings] == ["tls-chain-incomplete"]
    (tmp_path / "chain.pem").unlink()
    assert not lint_configuration(conf, text=None, version="1.28.0", directory=None, with_files=True).result.found


def test_a_file_closed_to_the_linter_is_for_somebody_who_may_read_it() -> None:
    """The configuration is not wrong, so no edit is suggested."""
    text = "server { listen 443 ssl; ssl_certificate a.pem; ssl_certificate_key a.key; }"
    files = {"a.key": NamedFile("a.key", fault="permission denied")}
    (located,) = lint(
        build(parse(text), version=named_version("1.28.0"), now=NOW, files=files), {"nginx.conf": text}
    ).found
    assert located.fix == Fix(command="sudo counterseal nginx lint")
