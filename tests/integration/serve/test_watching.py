"""``/readyz`` and ``/metrics`` of a real service: what is wrong is named, what happened is counted."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from prometheus_client.parser import text_string_to_metric_families

from acme_client import Client as AcmeClient
from architecture.source_tree import ROOT
from command import counterseal
from postgresql_process import Cluster
from service_process import SECONDS, Running, make_ca, running

if TYPE_CHECKING:
    from collections.abc import Iterator

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Return a running service with an address for Prometheus."""
    home = tmp_path_factory.mktemp("watching") / "home"
    make_ca(home, '[serve]\nmetrics_listen = "127.0.0.1:0"\n')
    certify_and_revoke(home, "bo")  # before: revocations are counted at the start, and then once a minute
    with running(home) as service:
        yield service


def scrape(service: Running) -> Samples:
    """Read the metrics as Prometheus does."""
    with urllib.request.urlopen(f"http://{service.metrics_address}/metrics", timeout=SECONDS) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        text = answer.read().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    """Return one sample."""
    return samples.get((name, frozenset(labels.items())))


def wait_for(service: Running, expected: float, name: str, **labels: str) -> None:
    """Scrape until it is so: what is counted in the background comes when it comes."""
    deadline = time.monotonic() + 2 * SECONDS
    while (found := value(scrape(service), name, **labels)) != expected:
        assert time.monotonic() < deadline, (name, labels, found)
        time.sleep(0.2)


def certify_and_revoke(home: Path, name: str) -> None:
    """Have the command line issue a certificate and revoke it."""
    made = counterseal(home, "client", name, "--out", str(home / name))
    assert made.code == 0, made.stderr
    assert counterseal(home, "revoke", name, "--reason", "superseded").code == 0


def ask_ocsp(service: Running) -> None:
    """Ask the responder about the service's own certificate."""
    chain = (service.home / "serve" / "server.fullchain.pem").read_bytes()
    certificate, issuer, *_ = x509.load_pem_x509_certificates(chain)
    question = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, SHA256()).build()
    octets = question.public_bytes(Encoding.DER)
    response, _ = service.request("POST", "/ocsp", octets, {"Content-Type": "application/ocsp-request"})
    assert response.status == 200


def test_a_service_that_can_work_is_ready(service: Running) -> None:
    """And looking costs no use of a CA key."""
    before = counterseal(service.home, "log", "show", "--json").stdout
    response, body = service.request("GET", "/readyz")
    assert (response.status, json.loads(body)) == (200, {"status": "ready"})
    assert counterseal(service.home, "log", "show", "--json").stdout == before


def test_what_is_not_ready_is_named(tmp_path: Path) -> None:
    """An issuing CA without its key, and a list that has ended; the process lives on."""
    home = tmp_path / "home"
    make_ca(home, '[ca]\ncrl_lifetime = "2s"\ncrl_refresh = "1s"\n')
    with running(home) as service:
        key = home / "keys" / "clients.key.pem"
        key.rename(tmp_path / "away.pem")
        deadline = time.monotonic() + 2 * SECONDS
        while True:
            response, body = service.request("GET", "/readyz")
            problem = json.loads(body)
            codes = {(fault["code"], fault["what"]) for fault in problem.get("faults", ())}
            if {("ready.key_missing", "CA clients"), ("ready.crl_ended", "CA clients")} <= codes:
                break
            assert time.monotonic() < deadline, problem
            time.sleep(0.2)
        assert (response.status, response.headers["Content-Type"]) == (503, "application/problem+json")
        assert "CA clients: the CA's key is not here" in problem["detail"]
        assert service.request("GET", "/healthz")[0].status == 200


def test_a_store_that_takes_no_write_is_not_ready(tmp_path: Path) -> None:
    """Here another process holds its lock for longer than anybody should."""
    home = tmp_path / "home"
    make_ca(home)
    with running(home) as service, closing(sqlite3.connect(home / "store.sqlite", isolation_level=None)) as other:
        other.execute("begin immediate")
        response, body = service.request("GET", "/readyz")
        assert (response.status, json.loads(body)["faults"][0]["code"]) == (503, "ready.store_slow")
        other.execute("rollback")


def test_a_database_that_is_silent_is_told(tmp_path: Path) -> None:
    """Nobody who asks waits for it: the process lives, is not ready, and tells what it knows itself."""
    with tempfile.TemporaryDirectory(prefix="cs-") as directory, ExitStack() as stack:
        Path(directory).chmod(0o711)
        database = Cluster(Path(directory) / "p")
        stack.callback(database.stop, "immediate")
        make_ca(tmp_path / "home", f'[store]\nurl = "{database.create()}"\n[serve]\nmetrics_listen = "127.0.0.1:0"\n')
        service = stack.enter_context(running(tmp_path / "home"))
        assert value(scrape(service), "counterseal_db_up") == 1
        database.send(signal.SIGSTOP)
        try:
            for _ in range(2):  # the second time the first look is still under way
                began = time.monotonic()
                assert service.request("GET", "/healthz")[0].status == 200
                response, body = service.request("GET", "/readyz")
                assert (response.status, json.loads(body)["faults"][0]["code"]) == (503, "ready.store_slow")
                samples = scrape(service)
                assert value(samples, "counterseal_db_up") == 0
                assert value(samples, "counterseal_db_commits_total") is not None
                assert value(samples, "counterseal_crl_number", ca="clients") is None
                assert time.monotonic() - began < 12
        finally:
            database.send(signal.SIGCONT)
        wait_for(service, 1, "counterseal_db_up")
        deadline = time.monotonic() + SECONDS
        while service.request("GET", "/readyz")[0].status != 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_what_happened_is_counted(service: Running) -> None:
    """Also what another process did: the counts of certificates come from the store."""
    before = scrape(service)
    certify_and_revoke(service.home, "ann")
    ask_ocsp(service)
    service.request("GET", "/crl/nobody.crl")
    issued = {"profile": "client", "issuer": "clients", "face": "local"}
    wait_for(service, 2, "counterseal_certificates_issued_total", **issued)
    after = scrape(service)
    assert value(after, "counterseal_ocsp_answers_total", status="good") == 1
    assert value(after, "counterseal_refused_total", face="crl", reason="store.no_ca") == 1
    assert value(after, "counterseal_http_requests_total", face="crl", status="404") == 1
    assert (value(after, "counterseal_http_request_duration_seconds_count", face="ocsp") or 0) >= 1
    assert (value(after, "counterseal_key_uses_total", ca="clients", purpose="crl") or 0) >= 2
    number = value(before, "counterseal_crl_number", ca="clients")
    assert number is not None
    assert value(after, "counterseal_crl_number", ca="clients") == number + 1
    assert (value(after, "counterseal_ca_seconds_left", ca="root", state="active") or 0) > 3640 * 86400
    assert 0 < (value(after, "counterseal_own_certificate_seconds_left") or 0) < 400 * 86400
    assert value(after, "process_start_time_seconds")


def test_a_validation_is_counted_with_its_result(service: Running) -> None:
    """Here one that policy refuses: this machine itself is closed to it."""
    context = ssl.create_default_context(cafile=str(service.root))
    with closing(AcmeClient(f"{service.url}/acme/directory", context)) as client:
        assert client.register().status == 201
        order = client.order("127.0.0.1", kind="ip")
        challenge, _ = client.challenge(order, "http-01")
        client.post(challenge["url"], {})
        client.wait(order.headers["location"], "invalid")
        problem = client.post(challenge["url"]).json["error"]["type"].rpartition(":")[2]
    wait_for(service, 1, "counterseal_acme_validations_total", type="http-01", result=problem)


def test_metrics_are_answered_nowhere_else(service: Running) -> None:
    """Neither to whoever reaches the CA, nor is anything but them at their address."""
    assert service.request("GET", "/metrics")[0].status == 404
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://{service.metrics_address}/healthz", timeout=SECONDS)


def test_a_strangers_url_makes_no_label(service: Running) -> None:
    """However many they try, there is one more series."""
    for path in ("/wp-login.php", "/%22evil", "/a/b/c"):
        service.request("GET", path)
    faces = {dict(labels).get("face") for name, labels in scrape(service) if name == "counterseal_http_requests_total"}
    assert faces <= {"none", "acme", "ca", "crl", "healthz", "metrics", "ocsp", "readyz"}
    assert value(scrape(service), "counterseal_http_requests_total", face="none", status="404") is not None


METRIC = re.compile(r"\b(?:counterseal|process)_[a-z0-9_]+")
DASHBOARD = ROOT / "deploy" / "grafana" / "counterseal.json"
RULES = ROOT / "deploy" / "prometheus" / "counterseal.rules.yml"
UNTIL_ASKED = {"counterseal_acme_validations_total"}
"""Series that begin with the first event, which another test makes."""


def expressions(panels: list[dict[str, Any]]) -> list[str]:
    """Return the queries of the dashboard."""
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


def test_dashboard_and_alerts_ask_for_what_is_there(service: Running) -> None:
    """Every metric that a panel or a rule names is in a real scrape; every panel has a place of its own."""
    ask_ocsp(service)
    service.request("GET", "/crl/nobody.crl")
    dashboard = json.loads(DASHBOARD.read_text())
    queries = expressions(dashboard["panels"])
    assert len(queries) > 20
    asked = set(METRIC.findall(" ".join([*queries, RULES.read_text()])))
    assert asked - UNTIL_ASKED - {name for name, _ in scrape(service)} == set()
    places = [tuple(panel["gridPos"].values())[:2] for panel in dashboard["panels"]]
    assert len(set(places)) == len(places)


def test_prometheus_takes_the_alerts() -> None:
    """As its own tool reads them."""
    promtool = subprocess.run(
        ["promtool", "check", "rules", str(RULES)], capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert promtool.returncode == 0, promtool.stdout + promtool.stderr


ENDING = """
rule_files: [{rules}]
tests:
  - interval: 1m
    input_series:
      - {{ series: 'counterseal_ca_seconds_left{{ca="one", state="active"}}', values: 8640000x9 }}
      - {{ series: 'counterseal_ca_seconds_left{{ca="two", state="retired"}}', values: 8640000x9 }}
      - {{ series: 'counterseal_ca_seconds_left{{ca="three", state="revoked"}}', values: -86400x9 }}
    alert_rule_test:
      - eval_time: 5m
        alertname: CountersealCAEndsSoon
        exp_alerts:
          - exp_labels: {{ severity: warning, ca: one, state: active }}
            exp_annotations:
              summary: "CA one ends in 100d 0h 0m 0s: make a new one now, its certificates end with it"
"""


def test_only_a_ca_that_issues_is_to_be_replaced(tmp_path: Path) -> None:
    """As Prometheus decides: the alert would go on for ever for one that was replaced in time."""
    (tmp_path / "test.yml").write_text(ENDING.format(rules=RULES))
    promtool = subprocess.run(
        ["promtool", "test", "rules", str(tmp_path / "test.yml")],
        capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    assert promtool.returncode == 0, promtool.stdout + promtool.stderr
