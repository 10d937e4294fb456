"""What is rendered for a TLS backend, and that no part of its verification can be left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from counterseal.errors import ConfigError
from counterseal.nginx.material import UpstreamMaterial
from counterseal.nginx.render import render
from counterseal.nginx.site import Allow, ClientCertificates, Location, Site
from counterseal.nginx.upstream import BackendCertificate, UpstreamTLS
from unit.nginx.render.sites import LAYOUT, NEW, OLD, make_material, make_site, pem, render_text

GOLDEN = Path(__file__).parent / "golden"
SHOWN = UpstreamMaterial(pem("CERTIFICATE"), 1, pem("X509 CRL"), pem("CERTIFICATE"), pem("PRIVATE KEY"))
SILENT = UpstreamMaterial(pem("CERTIFICATE"), 4)
TLS = UpstreamTLS("app.internal", BackendCertificate.ISSUED)
ADMIN = Location("/admin/", ClientCertificates.REQUIRED, Allow(groups=("ops",)))


def backend_site(upstream: str = "https://10.0.0.5:8443", tls: UpstreamTLS = TLS, **changes: object) -> Site:
    """Return a site with one TLS backend."""
    return make_site(upstream=upstream, upstream_tls=tls, **changes)


@pytest.mark.parametrize("kind", ["conf", "proxy_ssl.conf"])
def test_a_tls_backend_is_as_written_down(kind: str) -> None:
    """Name, server name, depth, CRL, chain; and the 400 of a backend stays here."""
    site = backend_site(client_certificates=ClientCertificates.OPTIONAL, locations=(ADMIN,))
    text = render_text(f"sites/panel.{kind}", site, make_material(upstream=SHOWN))
    assert text == (GOLDEN / f"backend.{kind}").read_text()


def test_what_nginx_has_nothing_for_is_left_out() -> None:
    """No certificate is shown, and a CRL of the user's http block is not inherited."""
    text = render_text("sites/panel.proxy_ssl.conf", backend_site(), make_material(upstream=SILENT))
    assert 'proxy_ssl_crl "";' in text
    assert "proxy_ssl_certificate" not in text


def test_grpc_has_its_own_directives() -> None:
    """The same headers and the same verification; no proxied location is left for the proof of headers."""
    site = backend_site("grpcs://10.0.0.5:8443")
    files = render([(site, make_material(upstream=SHOWN))], version=NEW, generation=7, layout=LAYOUT)
    server, tls = (files[f"sites/panel.{kind}"].content.decode() for kind in ("conf", "grpc_ssl.conf"))
    assert "proxy_" not in server + tls
    assert "grpc_ssl_verify on;" in tls
    assert 'grpc_pass "grpcs://counterseal_panel_1";' in server
    assert 'server "10.0.0.5:8443";' in server
    assert b"grpc_set_header X-SSL-Client-Verify" in files["sites/panel.grpc.conf"].content


def test_relaying_400_is_for_who_asks() -> None:
    """An interface whose own 400 a client must read."""
    text = render_text(
        "sites/panel.conf", backend_site(tls=replace(TLS, relay_400=True)), make_material(upstream=SHOWN)
    )
    assert "proxy_intercept_errors off;" in text
    assert "error_page 400 =502" not in text


@pytest.mark.parametrize(
    ("version", "upstream", "message"),
    [
        (replace(OLD, without=frozenset({"http_grpc"})), SHOWN, "this nginx cannot pass on gRPC"),
        (OLD, None, "no CA certificates for the backend of site: panel"),
    ],
)
def test_what_this_nginx_or_the_material_lacks_is_refused(
    version: object, upstream: UpstreamMaterial | None, message: str
) -> None:
    """At render time, with the reason."""
    site = backend_site("grpcs://10.0.0.5:8443")
    with pytest.raises(ConfigError) as caught:
        render([(site, make_material(upstream=upstream))], version=version, generation=7, layout=LAYOUT)  # type: ignore[arg-type] # a version of the table
    assert message in caught.value.message
