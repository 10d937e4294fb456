"""Placeholder renderer used until the full one stands: one server block a site, refusing by default."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from counterseal.fileset import SECRET, FileSet, PlannedFile
from counterseal.nginx.site import ClientCertificates
from counterseal.nginx.version import supports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.nginx.material import Material
    from counterseal.nginx.render.layout import Layout
    from counterseal.nginx.site import Site
    from counterseal.nginx.version import NginxVersion


def render(
    sites: Sequence[tuple[Site, Material]], *, version: NginxVersion, generation: int, layout: Layout
) -> FileSet:
    """Return the files of a generation."""
    files = []
    blocks = []
    for site, material in sites:
        base = f"sites/{site.name}"
        files += [
            PlannedFile(f"{base}/fullchain.pem", material.certificate_chain),
            PlannedFile(f"{base}/key.pem", material.private_key, SECRET),
        ]
        if site.verifies:
            files += [
                PlannedFile(f"{base}/client-ca.pem", material.client_cas_pem),
                PlannedFile(f"{base}/crl.pem", material.crl_pem),
            ]
        blocks.append(_server(site, material, version, generation, layout))
    sockets = dict.fromkeys(str(listen) for site, _ in sites for listen in site.listen)
    rejecting = "".join(f"  listen {socket} ssl default_server;\n" for socket in sockets)
    http = (
        f"server {{\n{rejecting}  ssl_protocols TLSv1.2 TLSv1.3;\n  ssl_reject_handshake on;\n  return 421;\n}}\n"
        + "".join(blocks)
    )
    files.append(PlannedFile("http.conf", http.encode()))
    if layout.owns_main:
        files.append(PlannedFile("nginx.conf", _main(layout).encode()))
    return FileSet(tuple(files))


def _main(layout: Layout) -> str:
    user = f"user {layout.worker_user};\n" if layout.worker_user else ""
    temporary = "".join(
        f"  {kind}_temp_path {layout.run}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""{user}worker_processes 2;
pid {layout.run}/nginx.pid;
error_log {layout.run}/error.log info;
worker_shutdown_timeout 30s;
events {{}}
http {{
{temporary}  access_log {layout.run}/access.log;
  ssl_session_tickets off;
  ssl_session_cache off;
  map_hash_bucket_size 256;
  include {layout.current}/http.conf;
}}
"""


def _line(generation: int, site: Site, decision: str, code: str) -> str:
    return (
        f"counterseal: generation={generation} site={site.name} decision={decision} code={code} "
        'verify=\\"$ssl_client_verify\\" serial=$ssl_client_serial reused=$ssl_session_reused protocol=$ssl_protocol'
    )


def _server(site: Site, material: Material, version: NginxVersion, generation: int, layout: Layout) -> str:
    base = f"{layout.current}/sites/{site.name}"
    h2 = "" if supports(version, "http2_directive") else " http2"
    listens = "".join(f"  listen {listen} ssl{h2};\n" for listen in site.listen)
    lines = [f"  server_name {' '.join(site.server_names)};", "  ssl_protocols TLSv1.2 TLSv1.3;"]
    lines += [f"  ssl_certificate {base}/fullchain.pem;", f"  ssl_certificate_key {base}/key.pem;"]
    if supports(version, "http2_directive"):
        lines.append("  http2 on;")
    maps = ""
    if site.verifies:
        wanted = "on" if site.client_certificates is ClientCertificates.REQUIRED else "optional"
        lines += [
            f"  ssl_client_certificate {base}/client-ca.pem;",
            f"  ssl_verify_client {wanted};",
            f"  ssl_verify_depth {material.verify_depth};",
            f"  ssl_crl {base}/crl.pem;",
        ]
        for code in ("495", "496", "497"):
            lines.append(f"  error_page {code} =400 @refused_{code};")
            lines.append(
                f'  location @refused_{code} {{ return 400 "{_line(generation, site, "refused", code)}\\n"; }}'
            )
        allowed = "".join(f'  "~^SUCCESS:{re.escape(dn)}$" 1;\n' for dn in material.issuer_dns)
        default = "1" if wanted == "optional" else "0"
        key = '"$ssl_client_verify:$ssl_client_i_dn"'
        maps = f'map {key} $counterseal_issuer_{site.name} {{\n  default 0;\n  "NONE:" {default};\n{allowed}}}\n'
        lines.append(f"  if ($counterseal_issuer_{site.name} = 0) {{ return 403; }}")
        body = _line(generation, site, "refused", "403")
        lines.append("  error_page 403 @refused_403;")
        lines.append(f'  location @refused_403 {{ return 403 "{body}\\n"; }}')
    lines.append(
        "  location = /.well-known/counterseal { default_type text/plain; "
        f'return 200 "{_line(generation, site, "admitted", "200")}\\n"; }}'
    )
    target = f"proxy_pass {site.upstream}" if site.upstream else f"root {site.root or layout.run}"
    lines.append(f"  location / {{ {target}; }}")
    return f"{maps}server {{\n{listens}" + "\n".join(lines) + "\n}\n"
