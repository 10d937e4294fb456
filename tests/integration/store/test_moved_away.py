"""A store is moved away under services that run: none of them says or signs anything by it any more, and each ends."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import ExitStack
from http.client import HTTPException
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import ocsp
from more_replicas import start_replicas

from api_client import CONFIGURATION, Client, make_api, make_client
from command import counterseal
from counterseal.protocols.api.wishes import EXAMPLE_CSR
from integration.serve.test_ocsp import GOOD, REVOKED, request_of
from service_process import SECONDS, Running, running

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


MOVED_MEANWHILE = """
import sys
from counterseal.cli.run import run
from counterseal.compose import moving, serve
begin = serve.serve
def moved_first(home, *rest, **more):
    moving.move(home, "sqlite", None)
    begin(home, *rest, **more)
serve.serve = moved_first
sys.exit(run(sys.argv[1:]))
"""
"""The service, but that its store is moved after it has read where it is, and before it opens it."""


def question_about(service: Running, name: str) -> bytes:
    """Return an OCSP request about a new certificate of this name, to which the service answers ``good`` twice.

    So the second answer was kept.
    """
    serial = make_client(service.home, name)["certificate"]["serial_number"]
    ca = x509.load_der_x509_certificate(service.request("GET", "/ca/clients.crt")[1])
    question = request_of(int(serial, 16), ca, SHA256())
    assert [ask(service, question) for _ in range(2)] == [GOOD, GOOD]
    return question


def ask(service: Running, question: bytes) -> ocsp.OCSPCertStatus | int | None:
    """Return what the service says of a certificate, the status where it refuses, None where it is gone."""
    try:
        response, content = service.request("POST", "/ocsp/clients", question)
    except (OSError, HTTPException):
        return None
    return ocsp.load_der_ocsp_response(content).certificate_status if response.status == 200 else response.status


def issue(client: Client, name: str) -> int | None:
    """Return the status of the answer to who asks for a certificate, None where the service is gone."""
    try:
        return client.call("POST", "/v1/certificates", {"csr": EXAMPLE_CSR, "profile": "server", "name": name}).status
    except (OSError, HTTPException):
        return None


def start_again(home: Path, *program: str) -> tuple[int, str]:
    """Return how a service ends that cannot be started, and what it says."""
    command = [
        sys.executable,
        *(program or ("-m", "counterseal")),
        "serve",
        "--home",
        str(home),
        "--listen",
        "127.0.0.1:0",
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    return ended.returncode, ended.stderr


def test_from_a_file(tmp_path: Path, url: str) -> None:
    """Started anew, with the configuration that the move has written, the service goes on at the new place."""
    home = tmp_path / "home"
    make_api(home)
    with running(home) as service:
        operator = Client(service, "operator")
        question = question_about(service, "alice")
        assert issue(operator, "bob") == 201
        old = (home / "counterseal.toml").read_text()
        assert counterseal(home, "db", "move", url).code == 0
        assert issue(operator, "eve") in {503, None}
        assert counterseal(home, "revoke", "alice").code == 0
        assert ask(service, question) in {503, None}
        assert service.process.wait(SECONDS) == 1
    (told,) = (line for line in service.lines if line.startswith("error: "))
    assert f"the store was moved from {home / 'store.sqlite'} to postgresql://" in told
    assert not [line for line in service.lines if "traceback" in line]
    with running(home) as service:
        assert ask(service, question) is REVOKED
    assert counterseal(home, "log", "verify").code == 0
    (home / "counterseal.toml").write_text(old)
    code, told = start_again(home)
    assert code == 2, told
    assert f"moved from {home / 'store.sqlite.moved'} to postgresql://" in told


def test_from_postgresql_with_three_replicas(tmp_path: Path, url: str) -> None:
    """Those whose configuration still names the old place are not started anew, and no command goes on there."""
    home = tmp_path / "home"
    make_api(home, f'{CONFIGURATION}\n[store]\nurl = "{url}"\n')
    with ExitStack() as stack:
        first = stack.enter_context(running(home))
        others = start_replicas(stack, home)
        for other in others:
            (other.home / "root.pem").symlink_to(first.root)
            (other.home / "out").symlink_to(home / "out")
        services = [first, *others]
        question = question_about(first, "eve")
        assert {ask(one, question) for one in services} == {GOOD}
        assert issue(Client(others[0], "operator"), "bob") == 201
        found = counterseal(home, "doctor").stdout
        assert re.search("broken +store .*fsync is off", found), found  # as it is in the tests' own server
        assert re.search("ok +timer .*a running service signs the lists", found), found
        assert counterseal(home, "db", "move", "sqlite").code == 0
        assert {issue(Client(one, "operator"), "dan") for one in services} <= {503, None}
        assert counterseal(home, "revoke", "eve").code == 0
        assert {ask(one, question) for one in services} <= {503, None}
        assert [one.process.wait(SECONDS) for one in services] == [1, 1, 1]
    assert counterseal(home, "log", "verify").code == 0
    code, told = start_again(others[0].home)
    assert code == 2, told
    assert f"to {home / 'store.sqlite'}\nhint: have [store] in counterseal.toml name" in told
    for words in (("list",), ("revoke", "bob"), ("db", "upgrade"), ("client", "cid"), ("log", "verify")):
        refused = counterseal(others[0].home, *words)
        assert (refused.code, "the store was moved from" in refused.stderr) == (1, True), words
    looked = counterseal(others[0].home, "doctor")
    assert (looked.code, bool(re.search("store .*was moved", looked.stdout))) == (1, True)


def test_while_the_service_starts(tmp_path: Path, url: str) -> None:
    """It does not end as for a wrong setting, which nobody would start again: the configuration is right by then."""
    home = tmp_path / "home"
    make_api(home, f'{CONFIGURATION}\n[store]\nurl = "{url}"\n')
    code, told = start_again(home, "-c", MOVED_MEANWHILE)
    assert (code, "the store was moved from postgresql://" in told) == (1, True), told
    with running(home) as service:
        question_about(service, "alice")
