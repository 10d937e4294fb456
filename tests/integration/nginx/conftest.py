"""What these tests share: every nginx at hand, a private one of each, and a bench that renders sites into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from counterseal.nginx.render import render
from counterseal.nginx.site import Listen, Site
from integration.nginx.lab import material
from nginx_process import layout_of, nginx_binary, nginx_version, private_nginx, serve
from ports import free_port

if TYPE_CHECKING:
    from counterseal.nginx.material import Material
    from counterseal.nginx.version import NginxVersion
    from nginx_process import PrivateNginx

__all__ = ["nginx_binary", "nginx_version", "private_nginx"]

Start: TypeAlias = Callable[..., int]


def make_site(port: int, **changes: Any) -> Site:  # noqa: ANN401 - any field of a site
    """Return a site ``panel`` for panel.test on that port."""
    fields: dict[str, Any] = {
        "name": "panel",
        "server_names": ("panel.test",),
        "listen": (Listen("127.0.0.1", port),),
        "client_cas": ("staff",),
    }
    if not {"upstream", "root", "locations"} & changes.keys():
        fields["upstream"] = "127.0.0.1:9"  # nobody listens there
    return Site(**{**fields, **changes})


@pytest.fixture
def start(private_nginx: PrivateNginx, nginx_version: NginxVersion) -> Start:
    """Return a function that serves one site, made from its changes, and returns its port."""

    def _start(given: Material | None = None, **changes: Any) -> int:  # noqa: ANN401 - any field of a site
        port = free_port()
        pair = (make_site(port, **changes), given or material(cas=changes.get("client_cas", ("staff",))))
        files = render([pair], version=nginx_version, generation=7, layout=layout_of(private_nginx.base))
        serve(private_nginx, files, ("127.0.0.1", port))
        return port

    return _start
