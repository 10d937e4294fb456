"""What a site may want of OCSP, what contradicts itself, and what is rendered for it."""

from __future__ import annotations

from typing import Any

import pytest

from counterseal.errors import ConfigError
from counterseal.nginx.ocsp import OCSP, OCSPCheck
from counterseal.nginx.site import ClientCertificates
from unit.nginx.render.sites import make_material, make_site, pem, render_text

HERE = OCSP("http://10.0.0.7:8888/ocsp")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ocsp": HERE, "client_certificates": ClientCertificates.NONE, "client_cas": ()}, "ocsp without client cert"),
        ({"ocsp": OCSP()}, "ocsp without responder and without resolver"),
        ({"ocsp": OCSP("https://ocsp.test/")}, "not the URL of an OCSP responder"),
        ({"ocsp": OCSP("http://ocsp.test/$x")}, "not the URL of an OCSP responder"),
        ({"ocsp": HERE, "resolver": ("dns.test",)}, "not a name server: 'dns.test'"),
        ({"ocsp": HERE, "resolver": ("10.0.0.53; x",)}, "not a name server"),
        ({"resolver": ("10.0.0.53",)}, "resolver without ocsp or stapling"),
    ],
)
def test_what_nginx_would_pass_over_or_not_start_with_is_refused(changes: dict[str, Any], message: str) -> None:
    """Silently ignored, or everybody locked out."""
    with pytest.raises(ConfigError) as caught:
        make_site(**changes)
    assert any(message in finding.message for finding in caught.value.findings)


def test_a_responder_is_asked_about_the_client_alone_by_default() -> None:
    """The cache is named after the generation; a hanging responder is bounded."""
    text = render_text("sites/panel.conf", make_site(ocsp=HERE))
    assert "client_header_timeout 10s;" in render_text("default_servers.conf", make_site(ocsp=HERE))
    assert "client_header_timeout" not in render_text("default_servers.conf", make_site())
    for line in (
        "ssl_ocsp leaf;",
        'ssl_ocsp_responder "http://10.0.0.7:8888/ocsp";',
        "ssl_ocsp_cache shared:counterseal_panel_ocsp_g7:1m;",
        "ssl_stapling off;",
    ):
        assert line in text


def test_the_chain_is_asked_about_where_wanted_and_names_are_looked_up() -> None:
    """Each certificate names its own responder then."""
    text = render_text(
        "sites/panel.conf", make_site(ocsp=OCSP(check=OCSPCheck.CHAIN), resolver=("10.0.0.53", "[::1]:5353"))
    )
    assert "ssl_ocsp on;" in text
    assert "resolver 10.0.0.53 [::1]:5353;" in text
    assert "ssl_ocsp_responder" not in text


def test_stapling_adds_no_anchor_for_clients() -> None:
    """What ssl_trusted_certificate holds verifies clients, too: it stays what the client CAs are."""
    text = render_text("sites/panel.conf", make_site(stapling=True))
    assert "ssl_stapling on;" in text
    assert "ssl_stapling_verify on;" in text
    trusted = {line.split()[1] for line in text.splitlines() if "ssl_trusted_certificate" in line}
    assert trusted == {'"/srv/ngx/current/sites/panel.client-cas.pem";'}


def test_stapling_has_the_root_where_nobody_is_verified() -> None:
    """A responder's delegate is verified by it, and it can widen nothing."""
    open_site = make_site(stapling=True, client_certificates=ClientCertificates.NONE, client_cas=())
    held = make_material(stapling_cas_pem=pem("CERTIFICATE"))
    text = render_text("sites/panel.conf", open_site, held)
    assert 'ssl_trusted_certificate "/srv/ngx/current/sites/panel.stapling-cas.pem";' in text
    assert render_text("sites/panel.stapling-cas.pem", open_site, held) == pem("CERTIFICATE").decode()
    asking = render_text("sites/panel.conf", make_site(stapling=True), held)
    assert "stapling-cas" not in asking
