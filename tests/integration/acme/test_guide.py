"""The guide to ACME: its commands as they stand, by the clients it names, against a service set up as it says.

Put in is only what the reader's machine has: ports, paths, a name server, and the hosts file and trust store of a view
of the file system that the clients get.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from acme_dns import name_server
from guides import blocks, fit, program, run_script, table_row
from nginx_process import BINARIES, PrivateNginx, worker_user
from ports import free_port
from programs import run_program
from service_process import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = "127.0.0.1 localhost ca.corp.example www.corp.example\n"
INSIDE = "mount --bind hosts /etc/hosts && mount --bind root.pem /etc/ssl/certs/ca-certificates.crt && . ./script"
NGINX = """\
pid {run}/nginx.pid;
error_log {run}/error.log;
{user}
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {run}/b; proxy_temp_path {run}/p; fastcgi_temp_path {run}/f; uwsgi_temp_path {run}/u;
  scgi_temp_path {run}/s;
  {servers}
}}
"""
LAB = '[acme]\nallow_networks = ["127.0.0.0/8"]\nresolvers = ["{dns}"]\nhttp_port = {port}\n'
UACME_HOOK = '#!/bin/sh\n[ "$2" = http-01 ] || exit 1\n[ "$1" != begin ] || printf %s "$5" >"{well_known}/$4"\n'
SYSTEMCTL = '#!/bin/sh\necho "$*" >>{place}/systemctl.log\nkill -HUP "$(cat {place}/run/nginx.pid)"\n'


def as_a_client(place: Path, home: Path, *commands: str) -> str:
    """Run commands on a machine that knows the names of the guide, and trusts the root."""
    (place / "script").write_text("\n".join(commands))
    (place / "hosts").write_text(NAMES)
    trust = {name: str(place / "root.pem") for name in ("REQUESTS_CA_BUNDLE", "LEGO_CA_CERTIFICATES")}
    command = f"unshare --map-root-user --mount bash -euc '{INSIDE}'"
    return run_script(command, place, home, PATH=f"{place}/bin:{os.environ['PATH']}", **trust)


@contextmanager
def serving(place: Path, servers: str, port: int) -> Iterator[None]:
    """Run Debian's nginx with these servers."""
    run, user = place / "run", worker_user()
    run.mkdir(exist_ok=True)
    shown = NGINX.format(run=run, servers=servers, user=f"user {user};" if user else "")
    (place / "nginx.conf").write_text(shown)
    nginx = PrivateNginx(place, BINARIES["debian"] or place, place / "nginx.conf")
    nginx.start(("127.0.0.1", port))
    try:
        yield
    finally:
        nginx.stop()


def by_lego(values: dict[str, str], port: int) -> str:
    """Return the guide's command for lego, which answers http-01 itself."""
    _, command = table_row("acme.md", "lego")
    own = {"lego --server": "lego --path lego --accept-tos --server", "--http ": f"--http --http.port :{port} "}
    return fit(command, own | values)


def by_others(place: Path, values: dict[str, str]) -> list[str]:
    """Return the guide's commands for uacme and dehydrated, which lay out their answers where nginx finds them."""
    well_known = place / "www" / ".well-known" / "acme-challenge"
    program(place / "hook", UACME_HOOK.format(well_known=well_known))
    trust, register, issue = table_row("acme.md", "dehydrated")
    bound = f'EAB_KID="{values["ID"]}"\nEAB_HMAC_KEY="{values["KEY"]}"\n'
    own = f'CA="{values["URL"]}"\nBASEDIR="{place}/dehydrated"\nWELLKNOWN="{well_known}"\n{trust}\n{bound}'
    (place / "dehydrated").mkdir()
    (place / "config").write_text(own)
    account, order = table_row("acme.md", "uacme")
    mine = {"uacme": "uacme -y -c uacme", "dehydrated": "dehydrated -f config", "HOOK": "./hook"}
    return [f"mkdir -p {well_known}", *(fit(line, mine | values) for line in (account, order, register, issue))]


@pytest.mark.slow
@pytest.mark.nginx
@pytest.mark.skipif(not (BINARIES["debian"] and BINARIES["debian"].exists()), reason="Debian's nginx is not installed")
def test_every_command_of_the_guide_works(tmp_path: Path) -> None:
    """A CA for a domain, a key for accounts, a certificate by each of four clients, and the service behind an nginx."""
    place, home, passphrase = tmp_path / "place", tmp_path / "home", tmp_path / "passphrase"
    port, web_port = free_port(), free_port()
    (place / "www").mkdir(parents=True)
    passphrase.write_text("horse staple battery\n")
    passphrase.chmod(0o600)
    values = {
        "/etc/counterseal/passphrase": str(passphrase),
        "/etc/nginx/ca": str(place / "ca"),
        "/run/counterseal/serve.sock": str(place / "serve.sock"),
        "/var/www/acme": str(place / "www"),
        "0.0.0.0:443": f"127.0.0.1:{port}",
        "https://ca.corp.example": f"https://ca.corp.example:{port}",
        "listen 443": f"listen 127.0.0.1:{port}",
        "listen 80": f"listen 127.0.0.1:{web_port}",
        "certbot certonly": "certbot certonly --config-dir bot --work-dir bot/work --logs-dir bot/logs",
    }
    making, starting, certbot, certifying = (fit(one, values) for one in blocks("acme.md", "sh"))
    configuration, behind = (fit(one, values) for one in blocks("acme.md", "toml"))
    web, proxy = (fit(one, values) for one in blocks("acme.md", "nginx"))
    unlocked = {"COUNTERSEAL_PASSPHRASE_FILE": str(passphrase)}
    run_script(making.splitlines()[1], place, home, **unlocked)
    run_script("counterseal ca export > root.pem", place, home)
    serve, add_key = starting.splitlines()
    options = serve.partition("#")[0].split()[2:]
    with name_server() as dns:
        configuration = configuration.replace("[acme]\n", LAB.format(dns=dns.address, port=web_port))
        (home / "counterseal.toml").write_text(configuration)
        key = json.loads(run_script(add_key.replace(" #", " --json #"), place, home))
        bound = {"URL": f"https://ca.corp.example:{port}/acme/directory", "ID": key["external_key"]["id"]}
        bound["KEY"] = key["hmac_key"]
        program(place / "bin" / "systemctl", SYSTEMCTL.format(place=place))
        with running(home, *options):
            as_a_client(place, home, by_lego(bound, web_port))
            with serving(place, web, web_port):
                as_a_client(place, home, fit(certbot, bound), *by_others(place, bound))
        (home / "counterseal.toml").write_text(behind + configuration[configuration.index("[acme]") :])
        run_script(certifying, place, home, **unlocked)
        with running(home, *options), serving(place, web + proxy, port):
            renew = "certbot renew --force-renewal --no-random-sleep-on-renew --config-dir bot --work-dir bot/work"
            as_a_client(place, home, f"{renew} --logs-dir bot/logs")
    assert (place / "systemctl.log").read_text() == "reload nginx\n" * 2
    listed = json.loads(run_script("counterseal list --name www.corp.example --json", place, home))["certificates"]
    assert [one["status"] for one in listed] == ["valid"] * 5
    chains = ["bot/live/www.corp.example/fullchain.pem", "lego/certificates/www.corp.example.crt"]
    for chain in [*chains, "uacme/www.corp.example/cert.pem", "dehydrated/certs/www.corp.example/fullchain.pem"]:
        command = ["openssl", "verify", "-purpose", "sslserver", "-CAfile", "root.pem", "-untrusted", chain, chain]
        run_program(*command, cwd=place)
