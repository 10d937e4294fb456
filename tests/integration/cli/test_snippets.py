"""Our parts in a server block that the user keeps: written, included, and written again after a revocation."""

from __future__ import annotations

from pathlib import Path

import pytest

from command import here
from counterseal.handshake.attempt import attempt
from counterseal.handshake.observation import Attempt, Endpoint, ProbeIdentity
from nginx_process import PrivateNginx, nginx_binary, private_nginx, worker_user
from ports import free_port

__all__ = ["nginx_binary", "private_nginx"]

pytestmark = pytest.mark.nginx
OWN = """{user}
pid {run}/nginx.pid;
error_log {run}/error.log info;
events {{ worker_connections 64; }}
http {{
  client_body_temp_path {run}/b; proxy_temp_path {run}/p; fastcgi_temp_path {run}/f; uwsgi_temp_path {run}/u;
  scgi_temp_path {run}/s; access_log off;
  {of_all}
  server {{
    listen 127.0.0.1:{port} ssl;
    server_name panel.test;
    ssl_certificate {out}/panel.test.fullchain.pem; ssl_certificate_key {out}/panel.test.key.pem;
    {of_block}
    location / {{ return 200 mine; }}
  }}
}}
"""
OF_ALL = "include {parts}/http.conf; include {parts}/snippets/default_server.conf;"
OF_BLOCK = "include {parts}/snippets/panel.tls.conf; include {parts}/snippets/panel.client.conf;"
SITE = """\
[nginx]
binary = "{nginx.binary}"
config = "{nginx.conf}"
[sites.panel]
server_names = ["panel.test"]
listen = ["127.0.0.1:{port}"]
root = "{out}"
"""


@pytest.mark.parametrize("nginx_binary", ["debian"], indirect=True)
def test_a_block_of_the_users_own_locks_out_who_was_revoked(tmp_path: Path, private_nginx: PrivateNginx) -> None:
    """Nobody is told to give it up; after a revocation the same command writes what has changed, and nothing else."""
    home, out, parts, port = tmp_path / "home", tmp_path / "out", tmp_path / "parts", free_port()
    user = f"user {worker_user()};" if worker_user() else ""
    filled = {"user": user, "run": private_nginx.base / "run", "out": out, "port": port}
    private_nginx.conf.parent.mkdir()
    private_nginx.conf.write_text(OWN.format(**filled, of_all="", of_block=""))
    assert here(home, "init", "--no-passphrase").code == 0
    assert here(home, "server", "panel.test", "--out", str(out)).code == 0
    assert here(home, "client", "bob", "--no-p12", "--out", str(out)).code == 0
    (home / "counterseal.toml").write_text(SITE.format(nginx=private_nginx, port=port, out=out))
    rendering = ("nginx", "render", "--snippets", "--out", str(parts))
    assert here(home, *rendering, "--dry-run").code == 0
    assert not parts.exists()
    written = here(home, *rendering)
    assert written.code == 0, written.stderr
    whole = OWN.format(**filled, of_all=OF_ALL.format(parts=parts), of_block=OF_BLOCK.format(parts=parts))
    private_nginx.conf.write_text(whole)
    private_nginx.start(("127.0.0.1", port))
    bob = ProbeIdentity("bob", (out / "bob.fullchain.pem").read_bytes(), (out / "bob.key.pem").read_bytes())
    assert (decision(port, bob), decision(port, None)) == ("admitted 200", "refused 496")
    assert here(home, "revoke", "bob").code == 0
    before = {path: path.read_bytes() for path in parts.rglob("*") if path.is_file()}
    assert here(home, *rendering).code == 0
    changed = {str(path.relative_to(parts)) for path, octets in before.items() if path.read_bytes() != octets}
    assert changed == {"maps/revoked.map", "sites/panel.crl.pem"}
    private_nginx.reload()
    private_nginx.wait_for(lambda: decision(port, bob) == "refused 495", "the revocation to be in force")


def test_all_the_rest_is_for_a_deploy(tmp_path: Path) -> None:
    """Whoever leaves out --snippets is told; nothing is written."""
    ran = here(tmp_path / "home", "nginx", "render", "--out", str(tmp_path / "parts"))
    assert (ran.code, "--out is for snippets alone" in ran.stderr) == (2, True)
    assert not Path(tmp_path / "parts").exists()


def decision(port: int, identity: ProbeIdentity | None) -> str:
    """Return what nginx decided about a client, with its code."""
    seen = attempt(Attempt(Endpoint("127.0.0.1", port), "panel.test", f"panel.test:{port}", identity=identity))
    return f"{seen.decision} {seen.code}"
