"""What the dashboard shows of two CAs, asked of a real Prometheus that scrapes a real service."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from api_client import CONFIGURATION, Client, make_api, make_client
from command import counterseal
from integration.serve.test_watching import DASHBOARD, wait_for
from ports import free_port
from service_process import SECONDS, Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


@contextmanager
def prometheus(directory: Path, service: Running) -> Iterator[str]:
    """Scrape the service every second while the block runs; yields where to ask."""
    address, target = f"127.0.0.1:{free_port()}", service.metrics_address
    scrape = f"- job_name: counterseal\n  static_configs: [{{targets: ['{target}']}}]\n"
    (directory / "p.yml").write_text(f"global: {{scrape_interval: 1s}}\nscrape_configs:\n{scrape}")
    command = ["prometheus", f"--config.file={directory}/p.yml", f"--storage.tsdb.path={directory}/data"]
    with (directory / "prometheus.log").open("w") as log:
        process = subprocess.Popen([*command, f"--web.listen-address={address}"], stdout=log, stderr=log)
        try:
            yield address
        finally:
            process.terminate()
            process.wait(SECONDS)


def ask(address: str, title: str, *labels: str) -> dict[str, float]:
    """Return what a panel shows, by the values of its labels."""
    (panel,) = [one for one in json.loads(DASHBOARD.read_text())["panels"] if one["title"] == title]
    expression = panel["targets"][0]["expr"].replace("$instance", ".*")
    expression = expression.replace("$__range", "2m").replace("$__rate_interval", "2m")
    url = f"http://{address}/api/v1/query?query={urllib.parse.quote(expression)}"
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            found = json.load(answer)["data"]["result"]
    except OSError:  # it has not begun
        return {}
    return {" ".join(one["metric"][label] for label in labels): float(one["value"][1]) for one in found}


def test_what_two_cas_have_issued_and_revoked_is_added_up(tmp_path: Path) -> None:
    """The first certificate over the API too, whose counter began with 0."""
    home = tmp_path / "home"
    make_api(home, f'{CONFIGURATION}[serve]\nmetrics_listen = "127.0.0.1:0"\n', ["operator"])
    make_client(home, "gone")
    for words in (
        ("server", "gone.example.com", "--out", str(tmp_path)),
        ("revoke", "gone", "--reason", "superseded"),
        ("revoke", "gone.example.com", "--reason", "superseded"),
    ):
        assert counterseal(home, *words).code == 0
    with running(home) as service, prometheus(tmp_path, service) as address:
        deadline = time.monotonic() + 3 * SECONDS
        while ask(address, "Revoked now, by reason", "reason") != {"superseded": 2}:
            assert time.monotonic() < deadline, ask(address, "Revoked now, by reason", "reason")
            time.sleep(0.5)
        wish = {"profile": "client", "name": "new", "packing": {"format": "pem"}}
        assert Client(service, "operator").call("POST", "/v1/credentials", wish).status == 201
        counted = {"profile": "client", "issuer": "clients", "face": "api"}
        wait_for(service, 1, "counterseal_certificates_issued_total", **counted)
        while not ask(address, "Issued in this span", "profile").get("client"):
            assert time.monotonic() < deadline, ask(address, "Issued in this span", "profile")
            time.sleep(0.5)
        assert ask(address, "Issued a minute, by profile and face", "profile", "face")["client api"] > 0
