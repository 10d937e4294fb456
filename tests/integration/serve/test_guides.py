"""The guides of the service, command by command as they stand: EST, a machine that enrols itself, watching it."""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
from typing import TYPE_CHECKING

import pytest

from architecture.source_tree import ROOT
from command import counterseal
from guides import PROGRAMS, blocks, fit, program, run_script
from programs import run_program
from reminder_receivers import http_receiver, mail_receiver
from service_process import make_ca, running

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

URL = "https://ca.corp.example:8443"


def lines_of(block: str, program: str) -> str:
    """Return the commands of a block but those of ``program``: they need the network, or do not end."""
    return "".join(line for line in block.splitlines(keepends=True) if not line.startswith(program))


def test_est(tmp_path: Path) -> None:
    """A token, Counterseal's own client, and curl with openssl, twice: by the token, and by the certificate."""
    home, place = tmp_path / "home", tmp_path / "place"
    (configuration,) = blocks("est.md", "toml")
    make_ca(home, configuration)
    place.mkdir()
    begin, token, enroll, curl, again = blocks("est.md", "sh")
    run_script(lines_of(lines_of(begin, "pip"), "counterseal serve"), place, home)
    with running(home) as service:
        run_script(token + enroll.replace(URL, service.url).replace("/etc/gateway", "gateway"), place, home)
        assert (place / "gateway" / "gateway-7.key.pem").stat().st_mode & 0o777 == 0o600
        secret = json.loads(run_script(token.replace("> token.txt", "--json"), place, home))["secret"]
        script = (curl + again).replace(URL, service.url)
        run_script(script.replace("-u gateway-7", f"-u gateway-7:{secret}"), place, home)
    listed = json.loads(counterseal(home, "list", "--name", "gateway-7", "--json").stdout)["certificates"]
    assert [one["status"] for one in listed] == ["valid"] * 3
    run_program("openssl", "verify", "-CAfile", "root.pem", "-untrusted", "chain.pem", "cert.pem", cwd=place)


def test_a_machine_that_enrols_itself(tmp_path: Path) -> None:
    """With the token in a file, renewed with what comes after; and in one step over ssh."""
    home, place = tmp_path / "home", tmp_path / "place"
    make_ca(home)
    place.mkdir()
    at_the_ca, on_the_machine, over_ssh = blocks("enroll.md", "sh")
    (units,) = blocks("enroll.md", "ini")
    program(place / "bin" / "systemctl", f'#!/bin/sh\necho "$*" >>{place}/systemctl.log\n')
    program(place / "bin" / "ssh", '#!/bin/sh\n[ "$1" = ca.corp.example ] && shift && exec "$@"\n')
    path = f"{place}/bin:{PROGRAMS}:{os.environ['PATH']}"
    with running(home) as service:

        def here(script: str) -> str:
            return script.replace(URL, service.url).replace("/etc/pump", "pump")

        run_script(lines_of(at_the_ca, "counterseal serve").replace("# prints", "> token.txt #"), place, home)
        run_script(here(lines_of(on_the_machine, "pip")), place, home, PATH=path)
        run_script(here(on_the_machine.splitlines()[-1].replace(" --if-due", "")), place, home, PATH=path)
        assert (place / "systemctl.log").read_text() == "reload pump\n"
        (command,) = re.findall(r"ExecStart=/usr/local/bin/(.*)", units)
        run_script(here(command), place, home, PATH=path)
        run_script(here(over_ssh).replace("--out pump", "--out elsewhere"), place, home, PATH=path)
    assert {path.name for path in (place / "pump").glob("*.pem")} == {
        "pump-7.key.pem", "pump-7.cert.pem", "pump-7.chain.pem", "pump-7.fullchain.pem", "ca.pem",
    }  # fmt: skip


def test_watching_and_being_reminded(tmp_path: Path) -> None:
    """The unit for systemd, metrics for Prometheus, and reminders by mail with a log-in and by a signed webhook."""
    home, place = tmp_path / "home", tmp_path / "place"
    metrics, reminders = blocks("operate.md", "toml")
    (scraping,) = blocks("operate.md", "yaml")
    installing, reminding = blocks("operate.md", "sh")
    make_ca(home, metrics.replace(":9464", ":0"))
    place.mkdir()
    (unit,) = re.findall(r"^counterseal serve --print-unit.*", installing, re.MULTILINE)
    units = {"/etc/systemd/system": str(place), "/var/lib/counterseal": str(home)}
    run_script(fit(unit, units) + "\ncounterseal server localhost --san IP:127.0.0.1 --out .", place, home)
    assert f"serve --home {home}\n" in (place / "counterseal.service").read_text()
    with running(home) as service:
        text = run_program("curl", "-sS", f"http://{service.metrics_address}/metrics", cwd=place)
        assert "counterseal_ca_seconds_left" in text
        (place / "metrics").write_text(text)
        assert not run_program("sh", "-c", "promtool check metrics < metrics 2>&1", cwd=place)
        shutil.copy(ROOT / "deploy" / "prometheus" / "counterseal.rules.yml", place)
        (place / "prometheus.yml").write_text(scraping)
        assert "SUCCESS" in run_program("promtool", "check", "config", "prometheus.yml", cwd=place)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place / "localhost.fullchain.pem", place / "localhost.key.pem")
    run_script(f"umask 077; echo open sesame > mail.password; {secret_of_the_webhook()}", home, home)
    with http_receiver() as hook, mail_receiver("starttls", context, "open sesame") as box:
        receivers = {
            "https://hooks.example.com": f"http://127.0.0.1:{hook.port}",
            '"mail.example.com"': f'"127.0.0.1"\nport = {box.port}\nsecurity = "starttls"',
        }
        (home / "counterseal.toml").write_text(fit(reminders, receivers))
        run_script(reminding, place, home)
    assert (len(hook.posts), box.logins, len(box.mails)) == (1, ["counterseal"], 1)


def secret_of_the_webhook() -> str:
    """Return what the guide says that makes it."""
    (command,) = re.findall(r"`(echo [^`]*webhook.secret)`", (ROOT / "docs" / "guides" / "operate.md").read_text())
    return str(command)
