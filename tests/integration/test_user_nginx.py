"""A user's own nginx, started by hand from Debian's kind of configuration: one include line, and the rest is his."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from command import counterseal, here
from guides import blocks, run_script
from ports import free_port
from whole_answers import read_to_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
    _start(tmp_path)
    yield plain
    _stop(tmp_path)


def _start(tmp_path: Path) -> None:
    run, conf = tmp_path / "run", tmp_path / "conf" / "nginx.conf"
    subprocess.run([NGINX, "-c", conf, "-p", run, "-e", run / "error.log"], check=True, timeout=30)


def _stop(tmp_path: Path) -> None:
    file = tmp_path / "run" / "nginx.pid"
    if not file.exists() or not file.read_text():  # nginx -t leaves an empty one
        return
    pid = int(file.read_text())
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        time.sleep(0.01)


def _home(tmp_path: Path, *, name: str, port: int) -> Path:
    home = tmp_path / "home"
    assert here(home, "init", "--no-passphrase").code == 0
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
    """The same name on a plain port of the user's stops the deploy; a list that nobody uses is said, and no more.

    Its rehearsal refuses and says the same.
    """
    home = _home(tmp_path, name="panel.test", port=free_port())
    own = tmp_path / "conf" / "conf.d" / "own.conf"
    own.write_text(f"server {{ listen 127.0.0.1:{mine}; server_name panel.test; root {tmp_path}; }}\n")
    refused = counterseal(home, "nginx", "deploy", "--install-include")
    assert refused.code == 4, refused.stderr
    assert f"{own}:1:1: panel.test verifies clients" in refused.stderr
    rehearsed = counterseal(home, "nginx", "deploy", "--install-include", "--dry-run")
    assert (rehearsed.code, rehearsed.stderr) == (refused.code, refused.stderr)
    assert not (home / "nginx" / "current").exists()
    own.write_text(
        f"server {{ listen 127.0.0.1:{mine}; server_name x.test; ssl_client_certificate {home}/public/root.pem; }}\n"
    )
    rehearsed = counterseal(home, "nginx", "deploy", "--install-include", "--dry-run")
    deployed = counterseal(home, "nginx", "deploy", "--install-include")
    assert deployed.code == 0, deployed.stderr
    for ran in (deployed, rehearsed):
        assert f"high: {own}:1:" in ran.stderr
        assert "[mtls-verify-missing]" in ran.stderr


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
def test_one_address_of_our_wildcard_that_is_taken_is_refused_with_its_line(tmp_path: Path, mine: int) -> None:
    """Nginx would give what the proof asks there to the user's block: it is not tried first for ten seconds."""
    home = _home(tmp_path, name="panel.test", port=mine)
    settings = home / "counterseal.toml"
    settings.write_text(settings.read_text().replace("127.0.0.1:", ""))
    refused = counterseal(home, "nginx", "deploy", "--install-include")
    assert refused.code == 4, refused.stderr
    assert f"{tmp_path}/conf/nginx.conf:10" in refused.stderr
    assert f"port is taken where the proof asks for *:{mine}: 127.0.0.1:{mine}" in refused.stderr
    assert not (home / "nginx" / "current").exists()


@pytest.mark.nginx
@pytest.mark.skipif(not NGINX.exists(), reason="Debian's nginx is not installed")
@pytest.mark.usefixtures("mine")
def test_a_revocation_while_nginx_is_down_is_there_when_it_is_started(tmp_path: Path) -> None:
    """Started by hand it refuses at once; status says what is next, refresh proves it and is content after that."""
    port = free_port()
    home = _with_clients(tmp_path, port, "ann", "bob")
    assert [_meets(tmp_path, port, name) for name in ("ann", "bob")] == [200, 200]
    _stop(tmp_path)
    ran = counterseal(home, "revoke", "ann", "--dry-run")
    assert "would make a new generation for the next start of nginx, which does not run, unproved" in ran.stdout
    ran = counterseal(home, "revoke", "ann")
    assert ran.code == 0, ran.stderr
    assert ran.stdout.startswith("in force when nginx starts, tested but not proved: generation 2, ")
    command = f"{NGINX} -c {tmp_path}/conf/nginx.conf"
    assert "warning: nginx does not run" in ran.stderr
    assert f"hint: start it: {command}, then prove it: counterseal refresh" in ran.stderr
    assert _next(home) == f"{command}, then: counterseal refresh"
    assert json.loads(counterseal(home, "revoke", "bob", "--json").stdout)["proved"] is False
    assert counterseal(home, "nginx", "deploy").code == 1, "so it is not what comes next"
    assert counterseal(home, "refresh").stdout == "nothing is due\n", "it would be no more proved than it is"

    _start(tmp_path)
    assert [_meets(tmp_path, port, name) for name in ("ann", "bob")] == [400, 400]
    assert _next(home) == "counterseal refresh"
    refreshed = counterseal(home, "refresh")
    assert (refreshed.code, refreshed.stdout) == (0, "generation 4 is in force and proved\n")
    assert (_next(home), counterseal(home, "refresh").stdout) == (None, "nothing is due\n")


@pytest.mark.nginx
@pytest.mark.skipif(not NGINX.exists(), reason="Debian's nginx is not installed")
@pytest.mark.usefixtures("mine")
def test_the_step_that_status_names_is_one_that_works(tmp_path: Path) -> None:
    """Before the first deploy: no site, nothing that includes us, a line that nginx refuses, and nginx stopped."""
    home, conf = _home(tmp_path, name="panel.test", port=free_port()), tmp_path / "conf" / "nginx.conf"
    settings, right = (home / "counterseal.toml").read_text(), conf.read_text()
    (home / "counterseal.toml").write_text(settings.partition("[sites")[0])
    assert _next(home) == "counterseal nginx add SERVER_NAME --upstream HOST:PORT"
    (home / "counterseal.toml").write_text(settings)
    line = f"include {home}/nginx/current/http.con[f];"
    told = f"add this line to its http block, or pass --install-include: {line}, then: counterseal nginx deploy"
    assert _next(home) == told
    conf.write_text(right.replace("http {", f"http {{ {line}"))
    assert _next(home) == "counterseal nginx deploy"
    _stop(tmp_path)
    assert _next(home) == f"{NGINX} -c {conf}, then: counterseal nginx status"
    conf.write_text(f"{right}nonsense;\n")
    assert _next(home) == "mend what nginx -t names, then: counterseal nginx status"
    assert 'unknown directive "nonsense"' in counterseal(home, "nginx", "status").stdout


@pytest.mark.nginx
@pytest.mark.skipif(not NGINX.exists(), reason="Debian's nginx is not installed")
@pytest.mark.usefixtures("mine")
def test_what_a_revoked_client_has_open_without_a_bound_is_said_each_time(tmp_path: Path) -> None:
    """With the line to add, and what ends it now; where the line stands, nothing is said."""
    port, conf = free_port(), tmp_path / "conf" / "nginx.conf"
    conf.write_text(conf.read_text().replace("access_log off;", "access_log off; limit_rate_after 32k; limit_rate 1k;"))
    (tmp_path / "pages" / "long").write_bytes(bytes(1_000_000))
    home = _with_clients(tmp_path, port, "ann", "bob", "cat")
    with _connect(tmp_path, port, "ann") as stream:
        stream.sendall(b"GET /long HTTP/1.0\r\nHost: panel.test\r\n\r\n")
        assert stream.recv(1) == b"H"
        ran = counterseal(home, "revoke", "ann")
        assert ran.code == 0, ran.stderr
        assert "warning: what a revoked client has open in your nginx has no end" in ran.stderr
        told = f"hint: write outside every block of {conf}, and reload: worker_shutdown_timeout 30s;\n"
        assert told in ran.stderr
        (ending,) = [line for line in ran.stderr.splitlines() if line.startswith("  kill ")]
        assert stream.recv(1), "it runs on"
        run_script(ending, tmp_path, home)
        assert len(_rest_of(stream)) < 900_000
    shown = json.loads(counterseal(home, "revoke", "bob", "--json").stdout)
    assert (shown["old_workers_end"], shown["proved"]) == (False, True)
    assert told in counterseal(home, "ca", "revoke", "clients", "--yes").stderr
    conf.write_text(f"worker_shutdown_timeout 30s;\n{conf.read_text()}")
    ran = counterseal(home, "revoke", "cat")
    assert ran.code == 0, ran.stderr
    assert "warning" not in ran.stderr


@pytest.mark.nginx
@pytest.mark.skipif(not NGINX.exists(), reason="Debian's nginx is not installed")
@pytest.mark.usefixtures("mine")
def test_a_site_is_added_where_this_nginx_reads_it(tmp_path: Path) -> None:
    """In the directory that its http block includes, not in that of another block; else the line to add is said."""
    home, conf = tmp_path / "home", tmp_path / "conf" / "nginx.conf"
    (tmp_path / "conf" / "enabled").mkdir()
    (tmp_path / "conf" / "inner.conf").write_text("include enabled/*;\n")
    whole = conf.read_text().replace(f"include {conf.parent}/conf.d/*.conf;", "{}")
    elsewhere = f"{whole}include conf.d/*.conf;\n"  # as Debian's modules-enabled: nothing of http may stand there
    conf.write_text(elsewhere.replace("{}", "include inner.conf;"))
    assert counterseal(home, "init", "--no-passphrase").code == 0
    words = ("--root", str(tmp_path / "pages"), "--listen", f"127.0.0.1:{free_port()}", "--nginx", str(conf))
    added = counterseal(home, "nginx", "add", "panel.test", *words)
    assert f'include_file = "{conf.parent}/enabled/counterseal.conf"\n' in added.stdout
    assert added.stdout.endswith("next: counterseal nginx deploy --install-include\n")
    deployed = counterseal(home, "nginx", "deploy", "--install-include")
    assert deployed.code == 0, deployed.stderr

    (conf.parent / "enabled" / "counterseal.conf").unlink()
    conf.write_text(elsewhere.replace("{}", ""))
    refused = counterseal(home, "nginx", "deploy", "--install-include")
    line = f"include {home}/nginx/current/http.con[f];"
    assert refused.code == 1
    assert f"names the include file: {conf.parent}/enabled/counterseal.conf\n" in refused.stderr
    assert f"hint: add this line to its http block: {line}\n" in refused.stderr
    (home / "counterseal.toml").unlink()
    added = counterseal(home, "nginx", "add", "panel.test", *words)
    assert "include_file" not in added.stdout
    told = f"next: add this line to its http block: {line} ({conf}), then: counterseal nginx deploy\n"
    assert added.stdout.endswith(told)
    refused = counterseal(home, "nginx", "deploy", "--install-include")
    assert (refused.code, f"hint: add this line to its http block: {line}\n" in refused.stderr) == (1, True)
    conf.write_text(elsewhere.replace("{}", line))
    assert counterseal(home, "nginx", "deploy").code == 0


@pytest.mark.nginx
@pytest.mark.skipif(not NGINX.exists(), reason="Debian's nginx is not installed")
@pytest.mark.usefixtures("mine")
def test_a_way_round_us_holds_up_a_revocation_only_while_it_is_not_in_force(tmp_path: Path) -> None:
    """A reload for it would open that way. Once nginx has taken it, the revoked one is locked out, and it is said."""
    port = free_port()
    home = _with_clients(tmp_path, port, "ann", "bob", "cat")
    own, mine = tmp_path / "conf" / "conf.d" / "own.conf", free_port()
    own.write_text(f"server {{ listen 127.0.0.1:{mine}; server_name panel.test; root {tmp_path}; }}\n")
    held = counterseal(home, "revoke", "ann")
    assert held.code == 1
    assert "error: nginx still admits ann: the linter refuses the sites: " in held.stderr
    assert f"{own}:1:1: panel.test verifies clients" in held.stderr
    assert _meets(tmp_path, port, "ann") == 200
    with socket.socket() as unused:
        assert unused.connect_ex(("127.0.0.1", mine)) != 0, "nothing of it was put in force"

    _restart_after_a_while(tmp_path)
    ran = counterseal(home, "revoke", "bob")
    assert ran.code == 0, ran.stderr
    assert ran.stdout.startswith("in force and proved: generation 2, ")
    assert f"warning: {own}:1:1: panel.test verifies clients" in ran.stderr
    assert "hint: that is so already" in ran.stderr
    assert [_meets(tmp_path, port, name) for name in ("ann", "bob", "cat")] == [400, 400, 200]
    refused = counterseal(home, "nginx", "deploy", "--json")
    assert (refused.code, json.loads(refused.stdout)["error"]["code"]) == (4, "nginx.lint")


def _restart_after_a_while(tmp_path: Path) -> None:
    """Have nginx begin so late after all that was written that nobody doubts what it has read."""
    end = time.time() + 3
    while time.time() < end:  # whether it began before or after is known to 2 seconds
        time.sleep(0.1)
    _stop(tmp_path)
    _start(tmp_path)


def _new_link(conf: Path) -> None:
    (conf / "conf.d" / "open.conf").symlink_to("../available/open.conf")


def _new_include(conf: Path) -> None:
    main = conf / "nginx.conf"
    main.write_text(main.read_text().replace("access_log off;", "access_log off; include available/open.conf;"))


def _other_cause(conf: Path) -> None:
    (conf / "available" / "inner.inc").write_text("root /;\n")


def _one_less(conf: Path) -> None:
    (conf / "denied" / "all.inc").unlink()


def _one_more(conf: Path) -> None:
    with (conf / "conf.d" / "own.conf").open("a") as stream:
        stream.write(f"server {{ listen 127.0.0.1:{free_port()}; server_name panel.test; root /; }}\n")


def _other_link(conf: Path) -> None:
    (conf / "chosen").unlink()
    (conf / "chosen").symlink_to("second")


def _clock_set_forward(conf: Path) -> None:
    """Have the pid file be of when the clock had not been set: what /proc says moves with it."""
    pid_file = conf.parent / "run" / "nginx.pid"
    os.utime(pid_file, (pid_file.stat().st_mtime - 3600,) * 2)


@pytest.mark.nginx
@pytest.mark.skipif(not NGINX.exists(), reason="Debian's nginx is not installed")
@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("inside", "change"),
    [
        (None, _new_link),
        (None, _new_include),
        ("include available/inner.inc;", _other_cause),
        ("include denied/*.inc; root /;", _one_less),
        ("root /;", _one_more),
        ("include chosen/inner.inc;", _other_link),
        ("root /;", _clock_set_forward),
    ],
    ids=["link", "include", "cause", "less", "more", "directory", "clock"],
)
def test_a_reload_for_a_revocation_opens_no_new_way_round_us(
    tmp_path: Path, inside: str | None, change: Callable[[Path], None]
) -> None:
    """Whatever of the user's is younger than nginx, though the file with the finding is as old as it says."""
    port, conf, other = free_port(), tmp_path / "conf", free_port()
    home = _with_clients(tmp_path, port, "ann", "bob")
    for name in ("available", "denied", "first", "second"):
        (conf / name).mkdir()
    way_round = f"server {{ listen 127.0.0.1:{other}; server_name panel.test; %s }}\n"
    (conf / "available" / "open.conf").write_text(way_round % "root /;")
    for name in ("available/inner.inc", "denied/all.inc", "first/inner.inc"):
        (conf / name).write_text("return 403;\n")
    (conf / "second" / "inner.inc").write_text("root /;\n")
    (conf / "chosen").symlink_to("first")
    if inside is not None:
        (conf / "conf.d" / "own.conf").write_text(way_round % inside)
    _restart_after_a_while(tmp_path)
    change(conf)
    workers = _workers(tmp_path)
    held = counterseal(home, "revoke", "ann", "--json")
    error = json.loads(held.stdout)["error"]
    assert (held.code, error["code"]) == (1, "revoke.not_in_force"), held.stderr
    assert error["message"].startswith("nginx still admits ann: the linter refuses the sites: ")
    assert _workers(tmp_path) == workers, "nothing is put in force"
    _restart_after_a_while(tmp_path)
    ran = counterseal(home, "refresh")
    assert (ran.code, "hint: that is so already" in ran.stderr) == (3, True), ran.stderr
    assert [_meets(tmp_path, port, name) for name in ("ann", "bob")] == [400, 200]


def _workers(tmp_path: Path) -> str:
    """Return the numbers of the workers, once there are any."""
    pid = (tmp_path / "run" / "nginx.pid").read_text().strip()
    end = time.monotonic() + 30
    while not (found := Path(f"/proc/{pid}/task/{pid}/children").read_text()) and time.monotonic() < end:
        time.sleep(0.01)
    return found


@pytest.mark.nginx
@pytest.mark.skipif(not NGINX.exists(), reason="Debian's nginx is not installed")
@pytest.mark.usefixtures("mine")
def test_a_way_round_us_that_our_own_settings_make_holds_up_no_revocation(tmp_path: Path) -> None:
    """A name of the user's plain server, added to the site and never deployed: the site stays as it is in force."""
    port = free_port()
    home = _with_clients(tmp_path, port, "ann", "bob")
    settings = home / "counterseal.toml"
    settings.write_text(settings.read_text().replace('["panel.test"]', '["panel.test", "mine.test"]'))
    assert counterseal(home, "nginx", "deploy").code == 4
    ran = counterseal(home, "revoke", "ann")
    assert ran.code == 0, ran.stderr
    assert ran.stdout.startswith("in force and proved: generation 2, ")
    assert "warning: counterseal.toml is refused: the linter refuses the sites: " in ran.stderr
    assert "mine.test verifies clients" in ran.stderr
    assert [_meets(tmp_path, port, name) for name in ("ann", "bob")] == [400, 200]
    assert counterseal(home, "nginx", "deploy").code == 4


@pytest.mark.nginx
@pytest.mark.skipif(not NGINX.exists(), reason="Debian's nginx is not installed")
@pytest.mark.usefixtures("mine")
def test_a_revocation_goes_to_the_users_nginx_while_that_serves(tmp_path: Path) -> None:
    """The file asks for a private one by now, which was never begun, and is not by this."""
    port = free_port()
    home = _with_clients(tmp_path, port, "ann", "bob")
    settings = home / "counterseal.toml"
    lines = settings.read_text().splitlines()
    settings.write_text("\n".join(one for one in lines if not one.startswith(("config", "include_file"))))
    ran = counterseal(home, "revoke", "ann")
    assert ran.code == 0, ran.stderr
    assert ran.stdout.startswith("in force and proved: generation 2, ")
    assert "[nginx] config names another nginx than the generation in force: none" in ran.stderr
    assert [_meets(tmp_path, port, name) for name in ("ann", "bob")] == [400, 200]
    assert not (home / "nginx" / "run" / "nginx.pid").exists()


def _with_clients(tmp_path: Path, port: int, *names: str) -> Path:
    """Return a home whose site is in force in the user's nginx, with clients of these names."""
    home = _home(tmp_path, name="panel.test", port=port)
    (tmp_path / "pages" / "index.html").write_text("hello\n")
    conf = tmp_path / "conf" / "nginx.conf"
    if os.geteuid() == 0:  # else another user's workers, who may not look into our temporary directory
        conf.write_text(f"user root;\n{conf.read_text()}")
    for name in names:
        assert here(home, "client", name, "--no-p12", "--out", str(tmp_path / "out")).code == 0
    deployed = counterseal(home, "nginx", "deploy", "--install-include")
    assert deployed.code == 0, deployed.stderr
    return home


def _meets(tmp_path: Path, port: int, name: str) -> int:
    with _connect(tmp_path, port, name) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\nHost: panel.test\r\n\r\n")
        return int(read_to_end(connection).split()[1])


def _connect(tmp_path: Path, port: int, name: str) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(tmp_path / "out" / f"{name}.fullchain.pem", tmp_path / "out" / f"{name}.key.pem")
    raw = socket.create_connection(("127.0.0.1", port), timeout=30)
    return context.wrap_socket(raw, server_hostname="panel.test")


def _rest_of(stream: ssl.SSLSocket) -> bytes:
    """Return what still comes, however it ends."""
    found = b""
    with suppress(OSError):
        while part := stream.recv(65536):
            found += part
    return found


def _next(home: Path) -> str | None:
    """Return what status says is next."""
    found: str | None = json.loads(counterseal(home, "nginx", "status", "--json").stdout)["next"]
    return found


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
