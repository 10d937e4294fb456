"""Tables of sites: every fault of a file at once, with the words that could be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.config.load import load_settings
from counterseal.errors import ConfigError
from counterseal.nginx.site import Site
from counterseal.nginx.stream_site import StreamSite
from counterseal.nginx.upstream import BackendCertificate

if TYPE_CHECKING:
    from pathlib import Path

SITES = """\
[sites.panel]
server_names = ["panel.test"]
listen = ["443"]
upstream = "https://app.internal:8443"
upstream_tls = { trust = "ca.pem", depth = 2, client_certificate = { certificate = "a.pem", key = "a.key" } }

[sites.db]
kind = "stream"
server_names = ["db.test"]
listen = ["5432"]
upstream = "tls://10.0.0.1:5432"
upstream_tls = { name = "db.internal", client_certificate = "issued", client_ca = "services" }
"""
FAULTY = """\
[sites.a]
kind = "web"
server_names = ["a.test"]
listen = ["x"]
upstream = "tls://10.0.0.1:1"
revocation = "sometimes"
upstream_tls = { nam = "x", client_certificate = "isued", depth = 99 }
allow = { serial_numbers = ["zz"] }

[sites.b]
kind = "stream"
server_names = ["b.test"]
listen = ["1"]
upstream = "https://b:1"
client_certificates = "optional"
locations = []
certificate = "b.pem"
"""


def faults_of(path: Path, text: str) -> list[str]:
    """Return every fault as ``where: message``."""
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(path).require()
    return [f"{finding.where}: {finding.message} ({finding.hint})" for finding in caught.value.findings]


def test_both_kinds_are_read(tmp_path: Path) -> None:
    """Each with its own keys; files lie beside the configuration."""
    path = tmp_path / "counterseal.toml"
    path.write_text(SITES)
    panel, db = load_settings(path).sites
    assert isinstance(panel.site, Site)
    assert isinstance(db.site, StreamSite)
    assert (panel.backend.trust, panel.backend.verify_depth) == (tmp_path / "ca.pem", 2)
    assert panel.backend.certificate_key == tmp_path / "a.key"
    assert panel.site.upstream_tls
    assert panel.site.upstream_tls.certificate is BackendCertificate.OWN
    assert (db.backend.trust, db.backend.client_ca) == (None, "services")
    assert list(db.site.backend_names.values()) == ["db.internal"]


def test_every_fault_of_every_site_is_told(tmp_path: Path) -> None:
    """Unknown keys and words with a suggestion, and what the values contradict, in one go."""
    told = "\n".join(faults_of(tmp_path / "counterseal.toml", FAULTY))
    for part in (
        "sites.a.upstream_tls.nam: unknown key: 'nam' (did you mean 'name'?)",
        "sites.a.kind: not a value for kind: 'web' (choose one of http, stream)",
        "sites.a.listen: cannot listen on 'x': no port",
        "sites.a.revocation: not a value for revocation: 'sometimes' (choose one of crl, map, both, auto)",
        "sites.a.upstream_tls.client_certificate: not a certificate for the backend: 'isued'",
        "sites.a.upstream_tls.depth: not a number of intermediates: 99",
        "sites.a.allow.serial_numbers: not a serial number in hexadecimal: 'zz'",
        "sites.a.upstream: not an upstream: 'tls://10.0.0.1:1'",
        "sites.b.locations: unknown key: 'locations'",
        "sites.b.upstream: not an upstream: 'https://b:1' (write HOST:PORT or unix:/path, and before it one of tcp://, tls://",
        "sites.b.client_certificates: a stream site with optional certificates",
        "sites.b.certificate: certificate and certificate_key go together",
    ):
        assert part in told, part
