"""The main file of an nginx that is ours as a whole.

Everything it writes lies in its run and log directories, so that any user can run it.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from counterseal.nginx.render.words import block, quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.render.layout import Layout, Rendering
    from counterseal.nginx.version import NginxVersion

_TEMPORARY = {
    "client_body_temp_path": None,
    "proxy_temp_path": "http_proxy",
    "fastcgi_temp_path": "http_fastcgi",
    "uwsgi_temp_path": "http_uwsgi",
    "scgi_temp_path": "http_scgi",
}
_TYPES = {
    "text/html": "html htm",
    "text/css": "css",
    "text/plain": "txt",
    "text/javascript": "js mjs",
    "application/json": "json map",
    "application/manifest+json": "webmanifest",
    "application/pdf": "pdf",
    "application/wasm": "wasm",
    "application/x-pkcs12": "p12",
    "application/x-apple-aspen-config": "mobileconfig",
    "application/xml": "xml",
    "font/woff2": "woff2",
    "image/avif": "avif",
    "image/gif": "gif",
    "image/jpeg": "jpg jpeg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/webp": "webp",
    "image/x-icon": "ico",
}


def main_lines(by: Rendering, *, streams: bool) -> Iterator[str]:
    """Yield ``nginx.conf``, with a stream block where there are stream sites."""
    layout, version = by.layout, by.version
    if streams and "stream" in version.dynamic:
        yield f"load_module {quote(stream_module(version))};"
    if layout.worker_user is not None:
        yield f"user {layout.worker_user};"
    yield "worker_processes auto;"
    yield f"pid {layout.running('nginx.pid')};"
    yield f"error_log {layout.log('error.log')} info;"
    yield f"worker_shutdown_timeout {layout.shutdown_timeout}s;"
    yield ""
    yield from block("events", ["worker_connections 1024;"])
    yield ""
    yield from block("http", _http_lines(layout, version))
    if streams:
        yield ""
        yield from block("stream", [f"include {layout.place('stream.conf')};"])


def stream_module(version: NginxVersion) -> str:
    """Return the path of the stream module, where that is a file of its own."""
    return str(PurePosixPath(version.prefix) / version.modules_path / "ngx_stream_module.so")


def _http_lines(layout: Layout, version: NginxVersion) -> Iterator[str]:
    for directive, module in _TEMPORARY.items():
        if module is None or module not in version.without:
            yield f"{directive} {layout.running(directive.removesuffix('_path'))};"
    yield from block("types", [f"{kind} {endings};" for kind, endings in _TYPES.items()])
    yield "default_type application/octet-stream;"
    yield "charset utf-8;"
    yield "server_tokens off;"
    yield "sendfile on;"
    yield "tcp_nopush on;"
    # Before 1.29.2 the default server of a socket decides; here as well, so that no server can forget it.
    yield "ssl_session_tickets off;"
    yield "ssl_session_cache off;"
    yield f"include {layout.place('http.conf')};"
