"""The service is killed inside its one transaction of issuing, under load: nothing is lost, nothing is there twice."""

from __future__ import annotations

import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPException
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from api_client import CONFIGURATION, Client, make_api
from command import counterseal
from counterseal.compose.home import settings_of
from counterseal.compose.stores import open_store
from counterseal.pki.shown import show_serial
from counterseal.protocols.api.wishes import EXAMPLE_CSR
from postgresql_process import cluster
from service_process import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

CLIENTS, PATIENCE = 4, 120.0
DEATHS = (
    ("counterseal.store.issuance", "Issuance._record_all", 14),
    ("counterseal.store.session", "Session.commit", 70),
)
"""When all is decided and signed, and when all is written; both after numbers were reserved ahead."""


@dataclass
class Load:
    """Clients of which each asks again, with the same key, until it is answered."""

    service: Running | None = None
    answers: dict[str, str] = field(default_factory=dict)
    interrupted: set[str] = field(default_factory=set)
    stop: Event = field(default_factory=Event)

    def ask(self, key: str) -> str | None:
        """Return the serial number that the request with this key is answered; None where it has to be asked again."""
        service = self.service
        if service is None:
            return None
        body = {"csr": EXAMPLE_CSR, "profile": "server", "name": key}
        try:
            answer = Client(service, "operator").call("POST", "/v1/certificates", body, {"Idempotency-Key": key})
        except (OSError, HTTPException):
            self.interrupted.add(key)
            return None
        assert answer.status in {201, 409, 503}, answer.content
        return answer.json["certificate"]["serial_number"] if answer.status == 201 else None

    def work(self, number: int) -> None:
        """Get one certificate after the other."""
        count = 0
        while not self.stop.is_set():
            key, deadline = f"c{number}-{count}", time.monotonic() + PATIENCE
            while (serial := self.ask(key)) is None:
                assert time.monotonic() < deadline, f"never answered: {key}"
                time.sleep(0.02)
            self.answers[key] = serial
            count += 1


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Return a home with an API, its store in a file or in a server."""
    url = cluster().create() if request.param == "postgresql" else None
    make_api(tmp_path / "home", CONFIGURATION + (f'[store]\nurl = "{url}"\n' if url else ""))
    yield tmp_path / "home"
    if url:
        cluster().drop(url)


def test_a_kill_inside_the_transaction_loses_nothing(home: Path) -> None:
    """Each key has one certificate, the same after the restart; every certificate is its key's, and in the log."""
    load = Load()
    threads = [Thread(target=load.work, args=(number,)) for number in range(CLIENTS)]
    for death in DEATHS:
        with running(home, dying=death) as load.service:
            for thread in threads:
                if not thread.ident:
                    thread.start()
            assert load.service.process.wait(PATIENCE) == -signal.SIGKILL
    with running(home) as load.service:
        done = len(load.answers)
        deadline = time.monotonic() + PATIENCE
        while len(load.answers) < done + CLIENTS:
            assert time.monotonic() < deadline, "nothing is issued after the restart"
            time.sleep(0.02)
        load.stop.set()
        for thread in threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a client never finished"
        assert load.interrupted, "nobody was interrupted"
        for key in sorted(load.interrupted & load.answers.keys()):
            assert load.ask(key) == load.answers[key], "another certificate for the same key"
    _check(home, load)


def _check(home: Path, load: Load) -> None:
    with open_store(home, settings_of(home).store) as store:
        named = {key: [show_serial(one.serial_number) for one in store.by_name(key)] for key in load.answers}
        used = Counter(use.serial_number for use in store.key_uses() if use.action == "certificate")
    assert named == {key: [serial] for key, serial in load.answers.items()}
    assert max(used.values()) == 1, "a serial number was used twice"
    assert len(set(load.answers.values())) == len(load.answers), "one certificate for two keys"
    assert counterseal(home, "log", "verify").code == 0
