"""A user's own nginx, started by hand from Debian's kind of configuration: one include line, and the rest is his."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from command import counterseal
from guides import blocks, run_script
from ports import free_port
from whole_answers import read_to_end

if TYPE_CHECKING:
    from collections.abc import Iterator

NGINX = Path("/usr/sbin/nginx")
MAIN = """\
pid {run}/nginx.pid;
error_log {run}/error.log;
events {{ worker_connections 64; }}
http {{
  client_body_temp_path {run}/b; proxy_temp_path {run}/p; fastcgi_temp_path {run}/f; uwsgi_temp_path {run}/u;
  scgi_temp_path {run}/s; access_log off;
  ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
  ssl_prefer_server_ciphers on;
  include {conf}/conf.d/*.conf;
  server {{ listen 127.0.0.1:{plain}; server_name mine.test; return 200 "mine\\n"; }}
}}
"""
SITE = """\
[nginx]
binary = "{nginx}"
config = "{conf}/nginx.conf"
include_file = "{conf}/conf.d/counterseal.conf"
[sites.panel]
server_names = ["{name}"]
listen = ["127.0.0.1:{port}"]
root = "{root}"
"""


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[int]:
    """Start the user's nginx and return its plain port; stop it by its pid."""
    run, conf, plain = tmp_path / "run", tmp_path / "conf", free_port()
    for folder in (run, conf / "conf.d", tmp_path / "pages"):
        folder.mkdir(parents=True)
    (conf / "nginx.conf").write_text(MAIN.format(run=run, conf=conf, plain=plain))
    subprocess.run([NGINX, "-c", conf / "nginx.conf", "-p", run, "-e", run / "error.log"], check=True, timeout=30)
    yield plain
    pid = int((run / "nginx.pid").read_text())
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        time.sleep(0.01)


def _home(tmp_path: Path, *, name: str, port: int) -> Path:
    home = tmp_path / "home"
    assert counterseal(home, "init", "--no-passphrase").code == 0
    site = SITE.format(nginx=NGINX, conf=tmp_path / "conf", name=name, port=port, root=tmp_path / "pages")
    (home / "counterseal.toml").write_text(site)
    return home


@pytest.mark.nginx
@pytest.mark.skipif(not NGINX.exists(), reason="Debian's nginx is not installed")
def test_one_include_line_is_all_we_own(tmp_path: Path, mine: int) -> None:
    """Deploy says which line to add, adds it when asked, proves, locks out, and leaves the user's file as it was."""
    home = _home(tmp_path, name="panel.test", port=free_port())
    before = (tmp_path / "conf" / "nginx.conf").read_bytes()
    refused = counterseal(home, "nginx", "deploy")
    assert refused.code == 1
    assert "--install-include" in refused.stderr
    deployed = counterseal(home, "nginx", "deploy", "--install-include")
    assert deployed.code == 0, deployed.stderr
    assert counterseal(home, "client", "ann", "--no-p12", "--out", str(tmp_path / "out")).code == 0
    revoked = counterseal(home, "revoke", "ann")
    assert revoked.code == 0, revoked.stderr
    assert "in force and proved" in revoked.stdout
    assert counterseal(home, "prove").code == 0
    assert (tmp_path / "conf" / "nginx.conf").read_bytes() == before
    with socket.create_connection(("127.0.0.1", mine), 30) as own:
        own.sendall(b"GET / HTTP/1.0\r\nHost: mine.test\r\n\r\n")
        assert read_to_end(own).endswith(b"mine\n")


@pytest.mark.nginx
@pytest.mark.skipif(not NGINX.exists(), reason="Debian's nginx is not installed")
@pytest.mark.usefixtures("mine")
def test_what_the_doctor_says_mends_it(tmp_path: Path) -> None:
    """A finding in the user's file, our include line gone, a line of his that nginx refuses; all typed as it stands."""
    home, conf = _home(tmp_path, name="panel.test", port=free_port()), tmp_path / "conf"
    assert counterseal(home, "nginx", "deploy", "--install-include").code == 0
    found = _not_well(home)
    assert "live on after the reload" in found["lint"]["message"]
    run_script(found["lint"]["mend"], tmp_path, home)
    (conf / "conf.d" / "counterseal.conf").unlink()
    with (conf / "nginx.conf").open("a") as stream:
        stream.write("nonsense;\n")
    refused = _not_well(home)["nginx"]
    assert f'unknown directive "nonsense" in {conf}/nginx.conf:' in refused["message"]
    assert refused["mend"] == "mend that line of your own, then: counterseal nginx deploy"
    (conf / "nginx.conf").write_text((conf / "nginx.conf").read_text().replace("nonsense;\n", ""))
    unread = _not_well(home)["nginx"]
    assert "nginx does not read our sites" in unread["message"]
    run_script(unread["mend"], tmp_path, home)
    assert _not_well(home) == {}


def _not_well(home: Path) -> dict[str, dict[str, str]]:
    """Return the lines of the doctor that are not ok, but for the machine's own."""
    checks = json.loads(counterseal(home, "doctor", "--no-proof", "--json").stdout)["checks"]
    return {one["check"]: one for one in checks if one["state"] != "ok" and one["check"] not in {"timer", "clock"}}


@pytest.mark.nginx
@pytest.mark.skipif(not NGINX.exists(), reason="Debian's nginx is not installed")
def test_a_way_round_us_is_refused_and_other_mistakes_are_told(tmp_path: Path, mine: int) -> None:
    """The same name on a plain port of the user's stops the deploy; a list that nobody uses is said, and no more."""
    home = _home(tmp_path, name="panel.test", port=free_port())
    own = tmp_path / "conf" / "conf.d" / "own.conf"
    own.write_text(f"server {{ listen 127.0.0.1:{mine}; server_name panel.test; root {tmp_path}; }}\n")
    refused = counterseal(home, "nginx", "deploy", "--install-include")
    assert refused.code == 4, refused.stderr
    assert f"{own}:1:1: panel.test verifies clients" in refused.stderr
    assert not (home / "nginx" / "current").exists()
    own.write_text(
        f"server {{ listen 127.0.0.1:{mine}; server_name x.test; ssl_client_certificate {home}/public/root.pem; }}\n"
    )
    deployed = counterseal(home, "nginx", "deploy", "--install-include")
    assert deployed.code == 0, deployed.stderr
    assert f"high: {own}:1:" in deployed.stderr
    assert "[mtls-verify-missing]" in deployed.stderr


@pytest.mark.nginx
@pytest.mark.skipif(not NGINX.exists(), reason="Debian's nginx is not installed")
def test_a_name_that_is_taken_is_refused_with_its_line(tmp_path: Path, mine: int) -> None:
    """Nothing is written, and the message names the user's file and line."""
    home = _home(tmp_path, name="mine.test", port=mine)
    refused = counterseal(home, "nginx", "deploy", "--install-include")
    assert refused.code == 4, refused.stderr
    assert f"{tmp_path}/conf/nginx.conf:10" in refused.stderr
    assert not (home / "nginx" / "current").exists()
    assert not list((tmp_path / "conf" / "conf.d").iterdir())


@pytest.mark.nginx
@pytest.mark.skipif(not NGINX.exists(), reason="Debian's nginx is not installed")
@pytest.mark.usefixtures("mine")
def test_the_guide_for_one_nginx(tmp_path: Path) -> None:
    """Line by line as it stands, with this nginx in the place of the system's; and a rehearsal of each deploy."""
    home, passphrase = tmp_path / "home", tmp_path / "passphrase"
    passphrase.write_text("horse staple battery\n")
    passphrase.chmod(0o600)
    first, deploying, *others = blocks("admin.md", "sh")
    unlocked = {"COUNTERSEAL_PASSPHRASE_FILE": str(passphrase)}
    run_script(first, tmp_path, home, **unlocked)
    (configuration,) = blocks("admin.md", "toml")
    configuration = configuration.replace("/etc/nginx", str(tmp_path / "conf"))
    (home / "counterseal.toml").write_text(configuration.replace('"443"', f'"127.0.0.1:{free_port()}"'))
    deploying = deploying.replace("/etc/counterseal/passphrase", str(passphrase))
    told = run_script(deploying.replace("timer install", "timer install --unit-dir units"), tmp_path, home, **unlocked)
    assert f"would write {tmp_path}/conf/conf.d/counterseal.conf (mode 0644," in told
    assert "generation 1 is in force and proved" in told
    assert "PRIVATE KEY" not in told
    assert "in force and proved: generation 2" in run_script("".join(others), tmp_path, home, **unlocked)
    assert (tmp_path / "handout" / "alice.p12").is_file()
    assert "counterseal" in (tmp_path / ".local/share/bash-completion/completions/counterseal").read_text()
