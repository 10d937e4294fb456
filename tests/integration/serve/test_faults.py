"""Faults under a running service: 503, the reason in the log, what can be answered is; it goes on when they end."""

from __future__ import annotations

import json
import ssl
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from acme_client import Client as AcmeClient
from api_client import Client, make_api
from disks import fill, small_disk
from service_process import Running, running

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def issue(service: Running, name: str) -> tuple[int, str | None]:
    """Ask the API for a certificate; return the status and the code of the problem."""
    wish = {"profile": "client", "name": name, "packing": {"format": "pem"}}
    answer = Client(service, "operator").call("POST", "/v1/credentials", wish)
    return answer.status, answer.json.get("code")


def test_the_disk_of_the_store_is_full(tmp_path: Path) -> None:
    """Nothing is issued and nobody waits; what needs no write is answered, and no traceback fills the log."""
    with small_disk(tmp_path / "disk", size=8_000_000) as disk:
        make_api(disk / "home")
        with running(disk / "home") as service:
            assert issue(service, "before")[0] == 201
            filler = fill(disk)
            refused = (issue(service, f"meanwhile-{number}") for number in range(100))
            assert (503, "store.full") in refused  # once the log of the store has no room left in its own file
            with closing(
                AcmeClient(f"{service.url}/acme/directory", ssl.create_default_context(cafile=str(service.root)))
            ) as client:
                answer = client.register()
                assert (answer.status, answer.problem, answer.headers["retry-after"]) == (503, "serverInternal", "2")
            ready, body = service.request("GET", "/readyz")
            assert (ready.status, json.loads(body)["faults"][0]["code"]) == (503, "ready.store_refuses")
            assert service.request("GET", "/crl/clients.crl")[0].status == 200
            filler.unlink()
            assert issue(service, "after")[0] == 201
            assert "full" in service.logged("failure", code="store.full")["reason"]
            assert not [line for line in service.log if "traceback" in line]
