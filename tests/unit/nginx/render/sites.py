"""Sites and material without a real certificate in them, for tests that only look at text."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from counterseal.nginx.material import Material
from counterseal.nginx.render import Layout, render
from counterseal.nginx.site import Listen, Site
from counterseal.nginx.version import NginxVersion

OLD = NginxVersion((1, 22, 1), (3, 0, 19), frozenset({"http_ssl", "http_v2"}))
NEW = NginxVersion((1, 31, 3), (3, 5, 0), frozenset({"http_ssl", "http_v2"}))
BASE = PurePosixPath("/srv/ngx")
LAYOUT = Layout(BASE / "current", BASE / "run", BASE / "run" / "prove.sock")
STAFF, PARTNERS = "CN=Staff CA,O=Lab", "CN=Partners CA,O=Lab"


def make_site(**changes: Any) -> Site:  # noqa: ANN401 - any field of a site
    """Return a site with some fields changed."""
    fields: dict[str, Any] = {
        "name": "panel",
        "server_names": ("panel.test",),
        "listen": (Listen("*", 443),),
        "client_cas": ("staff",),
        "upstream": "127.0.0.1:8000",
    }
    return Site(**{**fields, **changes})


def make_material(**changes: Any) -> Material:  # noqa: ANN401 - any field of a material
    """Return material whose PEM blocks are empty."""
    fields: dict[str, Any] = {
        "certificate_chain": pem("CERTIFICATE"),
        "private_key": pem("PRIVATE KEY"),
        "client_cas_pem": pem("CERTIFICATE"),
        "crl_pem": pem("X509 CRL"),
        "issuer_dns": (STAFF,),
        "issuer_cas": ("staff",),
    }
    return Material(**{**fields, **changes})


def pem(label: str) -> bytes:
    """Return a PEM block of that kind with no sense in it."""
    return f"-----BEGIN {label}-----\nAA==\n-----END {label}-----\n".encode()


def render_text(path: str, site: Site, material: Material | None = None, *, version: NginxVersion = OLD) -> str:
    """Return one rendered file."""
    files = render([(site, material or make_material())], version=version, generation=7, layout=LAYOUT)
    return files[path].content.decode()
