"""What nginx -V says, and what follows from it."""

from __future__ import annotations

import pytest

from counterseal.errors import NginxError
from counterseal.nginx.version import FEATURES, NginxVersion, named_openssl, parse_version, supports

DEBIAN = """nginx version: nginx/1.22.1
built with OpenSSL 3.0.22 25 Aug 2026 (running with OpenSSL 3.0.19 27 Jan 2026)
TLS SNI support enabled
configure arguments: --with-cc-opt='-g -O2 -fPIC' --prefix=/usr/share/nginx --conf-path=/etc/nginx/nginx.conf \
--error-log-path=stderr --pid-path=/run/nginx.pid --with-http_ssl_module --with-http_v2_module \
--with-stream_ssl_module --modules-path=/usr/lib/nginx/modules --with-stream=dynamic
"""
NEWEST = """nginx version: nginx/1.31.3 (Ubuntu)
built with OpenSSL 3.5.1 7 Apr 2026
configure arguments: --prefix=. --user=nobody --with-http_ssl_module --with-http_v2_module --with-stream_ssl_module
"""


def test_debian_is_read() -> None:
    """Version, the OpenSSL that runs rather than the one built with, modules and paths."""
    version = parse_version(DEBIAN, package="1.22.1-9+deb12u11")
    assert (version.number, version.openssl, version.package) == ((1, 22, 1), (3, 0, 19), "1.22.1-9+deb12u11")
    assert version.modules == {"http_ssl", "http_v2", "stream_ssl"}
    assert (set(version.dynamic), version.modules_path) == ({"stream"}, "/usr/lib/nginx/modules")
    assert (version.prefix, version.conf_path) == ("/usr/share/nginx", "/etc/nginx/nginx.conf")
    assert (version.pid_path, version.user, str(version)) == ("/run/nginx.pid", "nobody", "1.22.1")


def test_features_follow_version_openssl_and_module() -> None:
    """Each kind of bound decides."""
    old, new = parse_version(DEBIAN), parse_version(NEWEST)
    assert {row.name for row in FEATURES if supports(old, row.name)} == {"reject_handshake", "http2", "grpc", "stream"}
    assert all(supports(new, row.name) for row in FEATURES)
    assert not supports(NginxVersion((1, 31, 3)), "http2_directive")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("bash: nginx: command not found", "nginx.version"),
        ("nginx version: nginx/1.18.0\nconfigure arguments: --with-http_ssl_module", "nginx.too_old"),
        ("nginx version: nginx/1.24.0\nconfigure arguments: --with-http_v2_module", "nginx.no_ssl"),
        ("nginx version: nginx/1.24.0\nconfigure arguments: --with-cc-opt='-g", "nginx.version"),
    ],
)
def test_an_unusable_nginx_is_refused(text: str, code: str) -> None:
    """No nginx, one too old for a rejected handshake, one without TLS."""
    with pytest.raises(NginxError) as caught:
        parse_version(text)
    assert caught.value.code == code


def test_another_tls_library_has_no_openssl_version() -> None:
    """LibreSSL is no OpenSSL: nothing that needs a version of it is rendered."""
    text = DEBIAN.replace("OpenSSL", "LibreSSL")
    assert parse_version(text).openssl is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3.0.22", (3, 0, 22)),
        ("1.1.1w", (1, 1, 1)),
        ("3.0.22-1~deb12u2", (3, 0, 22)),
        ("1.1.1w-0+deb11u4", (1, 1, 1)),
        ("1:3.0.7-27.el9", (3, 0, 7)),
    ],
)
def test_an_openssl_is_named_as_its_package_is(text: str, number: tuple[int, int, int]) -> None:
    """The letter of the old numbers and an epoch do not count."""
    assert named_openssl(text) == number
