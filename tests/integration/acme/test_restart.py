"""What a process that is killed leaves: a challenge is tried again by the next one, nothing is lost or issued twice."""

from __future__ import annotations

import json
import signal
import sqlite3
from contextlib import ExitStack, closing
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from cryptography import x509

from acme_client import Client
from acme_signing import csr
from command import counterseal
from integration.acme.conftest import Lab, start_lab
from service_process import running

if TYPE_CHECKING:
    from pathlib import Path


BEFORE_SIGNING = ("counterseal.authority.signing", "Prepared.sign", 1)


def kill_and_start_again(
    lab: Lab, stack: ExitStack, dying: tuple[str, str, int] | None = None, program: tuple[str, ...] = ()
) -> None:
    """End the service by SIGKILL and start it at the same address, to die before a certain call if that is said."""
    lab.service.process.kill()
    lab.service.process.wait(30)
    address = f"127.0.0.1:{urlsplit(lab.service.url).port}"
    lab.service = stack.enter_context(running(lab.service.home, "--listen", address, dying=dying, program=program))


def test_a_challenge_under_way_is_taken_up_again(tmp_path: Path) -> None:
    """The attempt is in the store before the answer leaves; the account and the order too. Nonces are not."""
    with ExitStack() as stack:
        lab = start_lab(stack, tmp_path / "home")
        client = lab.client()
        order = client.order("resumed.example.com")
        challenge, proof = client.challenge(order, "http-01")
        spent = client.sign(challenge["url"], {})
        assert client.send(challenge["url"], spent).json["status"] == "processing"
        unspent = client.sign(challenge["url"], None)
        kill_and_start_again(lab, stack)
        lab.web.put(challenge["token"], proof)
        client.close()
        assert [client.send(challenge["url"], old).problem for old in (spent, unspent)] == ["badNonce"] * 2
        client.wait(order.headers["location"], "ready")
        assert client.finalize(order.json, csr("resumed.example.com")).json["status"] == "valid"
        client.close()


def test_a_fault_of_the_server_is_told_in_the_protocol_s_words(tmp_path: Path) -> None:
    """RFC 8555 6.7: also one that nobody foresaw has a type, and a nonce to go on with; the reason is for the log."""
    with ExitStack() as stack:
        lab = start_lab(stack, tmp_path / "home")
        client = lab.client()
        with closing(sqlite3.connect(lab.service.home / "store.sqlite")) as store:
            store.execute("alter table acme_order rename to lost")
        failed = client.post(client.directory["newOrder"], {"identifiers": [{"type": "dns", "value": "a.example.com"}]})
        client.close()
    assert (failed.status, failed.problem) == (500, "serverInternal")
    assert "replay-nonce" in failed.headers
    assert "acme_order" not in str(failed.json)


def test_an_order_that_was_being_signed_is_finished(tmp_path: Path) -> None:
    """Killed between the reservation and the signature: the next process signs, once, with another serial number."""
    with ExitStack() as stack:
        lab = start_lab(stack, tmp_path / "home")
        client = lab.client()
        order = client.order("signed.example.com")
        challenge, proof = client.challenge(order, "http-01")
        lab.web.put(challenge["token"], proof)
        client.post(challenge["url"], {})
        ready = client.wait(order.headers["location"], "ready").json
        client.close()
        kill_and_start_again(lab, stack, BEFORE_SIGNING)
        with pytest.raises((OSError, HTTPException)):
            client.finalize(ready, csr("signed.example.com"))
        assert lab.service.process.wait(30) == -signal.SIGKILL
        client.close()
        kill_and_start_again(lab, stack)
        done = client.wait(order.headers["location"], "valid").json
        chain = x509.load_pem_x509_certificate(client.post(done["certificate"]).body)
        client.close()
        listed = json.loads(counterseal(lab.service.home, "list", "--name", "signed.example.com", "--json").stdout)
        assert [int(one["serial_number"], 16) for one in listed["certificates"]] == [chain.serial_number]
        assert counterseal(lab.service.home, "log", "verify").code == 0


def test_every_certificate_that_left_is_in_the_store(tmp_path: Path) -> None:
    """Killed again and again between orders: clients try again, and the log of key uses stays whole."""
    with ExitStack() as stack:
        lab = start_lab(stack, tmp_path / "home")
        client, got = lab.client(), 0
        for number in range(3):
            order = client.order("kept.example.com")
            if order.json["status"] != "ready":
                challenge, proof = client.challenge(order, "http-01")
                lab.web.put(challenge["token"], proof)
                client.post(challenge["url"], {})
                client.wait(order.headers["location"], "ready")
            assert client.finalize(order.json, csr("kept.example.com")).json["status"] == "valid"
            got += 1
            kill_and_start_again(lab, stack)
            client.close()
            client = Client(lab.directory, lab.context, client.key, client.kid)
            assert client.post(order.headers["location"]).json["status"] == "valid", number
        client.close()
        listed = json.loads(counterseal(lab.service.home, "list", "--name", "kept.example.com", "--json").stdout)
        assert len(listed["certificates"]) == got
        assert counterseal(lab.service.home, "log", "verify").code == 0
        uses = json.loads(counterseal(lab.service.home, "log", "show", "--json").stdout)["key_uses"]
        numbers = {one["serial_number"] for one in listed["certificates"]}
        who = [use["actor"] for use in uses if use["serial_number"] in numbers]
        account = str(client.kid).rpartition("/")[2]
        assert who == [f"acme:{account}"] * got
