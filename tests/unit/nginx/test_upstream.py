"""How an upstream is written, which name its certificate must have, and what contradicts itself."""

from __future__ import annotations

from typing import Any

import pytest

from counterseal.errors import ConfigError, InputError
from counterseal.nginx.material import UpstreamMaterial
from counterseal.nginx.site import Location
from counterseal.nginx.upstream import Scheme, Upstream, UpstreamTLS
from unit.nginx.render.sites import make_site, pem

TLS = UpstreamTLS()


@pytest.mark.parametrize(
    ("text", "scheme", "address", "host"),
    [
        ("127.0.0.1:9000", Scheme.HTTP, "127.0.0.1:9000", None),
        ("http://app:80", Scheme.HTTP, "app:80", "app"),
        ("https://App.internal:8443", Scheme.HTTPS, "App.internal:8443", "app.internal"),
        ("https://[::1]:8443", Scheme.HTTPS, "[::1]:8443", None),
        ("grpcs://unix:/run/app.sock", Scheme.GRPCS, "unix:/run/app.sock", None),
        ("grpc://10.0.0.1:1", Scheme.GRPC, "10.0.0.1:1", None),
    ],
)
def test_an_upstream_is_read(text: str, scheme: Scheme, address: str, host: str | None) -> None:
    """Scheme, address, and the host whose name a certificate can have."""
    upstream = Upstream.parse(text)
    assert (upstream.scheme, upstream.address, upstream.host) == (scheme, address, host)


@pytest.mark.parametrize("text", ["ftp://a:1", "https://a", "https://a:1/path", "https://a:0", "https://$a:1", ""])
def test_what_is_none_is_refused(text: str) -> None:
    """Paths, variables, ports out of range and protocols that we do not speak."""
    with pytest.raises(InputError, match="not an upstream"):
        Upstream.parse(text)


@pytest.mark.parametrize(
    ("text", "amiss"),
    [
        ("unix:/run/my app.sock", "takes letters, digits and . _ @ + - alone, not ' '"),
        ("https://unix:/run/$x.sock", "takes letters, digits and . _ @ + - alone, not '$'"),
        ("unix:app.sock", "the path of a socket begins with /"),
        (f"unix:/{'a' * 107}", "the path of a socket has at most 107 octets"),
        ("app:80/x", "no path behind the port"),
        ("app", "the port is missing"),
    ],
)
def test_it_is_said_what_is_amiss(text: str, amiss: str) -> None:
    """A space in a path is easily overlooked."""
    with pytest.raises(InputError) as caught:
        Upstream.parse(text)
    assert (caught.value.hint or "").endswith(amiss)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"upstream": "https://app:1"}, "no upstream_tls for https://app:1"),
        ({"upstream": "app:1", "upstream_tls": TLS}, "upstream_tls without a TLS upstream"),
        ({"upstream": "https://10.0.0.1:1", "upstream_tls": TLS}, "nginx matches no IP address or socket"),
        ({"upstream": "https://app:1", "upstream_tls": UpstreamTLS("*.app")}, "not the name of a backend"),
        ({"upstream": "https://app:1", "upstream_tls": UpstreamTLS("a b")}, "not the name of a backend"),
    ],
)
def test_a_backend_that_cannot_be_verified_is_refused(changes: dict[str, Any], message: str) -> None:
    """Nginx would verify nobody, or take nobody."""
    with pytest.raises(ConfigError) as caught:
        make_site(**changes)
    assert any(message in finding.message for finding in caught.value.findings)


def test_a_location_may_have_the_tls_backend() -> None:
    """Its host is the name that is asked for, once a protocol."""
    locations = (Location("/a", upstream="https://one:1"), Location("/b", upstream="grpcs://two:2"))
    site = make_site(upstream_tls=TLS, locations=locations)
    assert site.backend_names == {Scheme.HTTPS: "one", Scheme.GRPCS: "two"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cas_pem": b""}, "no PEM block: CAs of the backend"),
        ({"crl_pem": pem("CERTIFICATE")}, "PEM block CERTIFICATE does not belong into: CRLs of the backend's CAs"),
        ({"certificate_chain": pem("CERTIFICATE")}, "no PEM block: key for the backend"),
        ({"private_key": pem("PRIVATE KEY")}, "no PEM block: certificate for the backend"),
    ],
)
def test_what_stands_in_the_wrong_file_is_refused(changes: dict[str, Any], message: str) -> None:
    """As for the files of clients."""
    with pytest.raises(ConfigError) as caught:
        UpstreamMaterial(**{"cas_pem": pem("CERTIFICATE"), "verify_depth": 1, **changes})
    assert message in {finding.message for finding in caught.value.findings}
