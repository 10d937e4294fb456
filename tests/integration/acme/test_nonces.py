"""A nonce is spent by the request it came with, whatever became of that (RFC 8555 6.5), in a file and in a database."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import chain
from threading import Event
from typing import TYPE_CHECKING, NamedTuple

import pytest

from acme_answers import WELL_KNOWN
from acme_signing import b64, csr
from integration.acme.conftest import ENDLESS_HOUR, Lab, start_lab
from postgresql_process import cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from acme_client import Client

pytestmark = pytest.mark.slow

FEW_PLACES = ENDLESS_HOUR.format(
    more="from counterseal.protocols.acme.validation import validator; validator.WAITING_EACH = 1"
)
"""The service, but that one challenge of an account is tried at a time: 250 at once would take a test minutes."""

LIMITS = "attempts = 1\nfailures_per_hour = 1\norders_per_hour = 4"
MALFORMED, LIMITED = "malformed", "rateLimited"


class Asked(NamedTuple):
    """A request, a question where there is no payload, and the problem that comes of it, if one does."""

    url: str
    payload: object
    problem: str = ""


@pytest.mark.parametrize("shared", [False, True], ids=["file", "database"])
def test_a_nonce_is_used_once_by_whatever_it_was_for(tmp_path: Path, *, shared: bool) -> None:
    """By what was done, by what was refused and so undone, and by a question, found or not."""
    store = f'[store]\nurl = "{cluster().create()}"\n' if shared else ""
    with ExitStack() as stack:
        lab = start_lab(stack, tmp_path / "home", f"{LIMITS}\n{store}", program=("-c", FEW_PLACES))
        client = lab.client()
        stack.callback(client.close)
        for asked in chain(_answered_and_refused(lab, client), _limited(lab, client)):
            signed = client.sign(asked.url, asked.payload)
            assert client.send(asked.url, signed).problem == asked.problem, asked
            assert client.send(asked.url, signed).problem == "badNonce", asked


def _answered_and_refused(lab: Lab, client: Client) -> Iterator[Asked]:
    own, directory = client.order("a.example.com"), client.directory
    url, other = own.headers["location"], lab.client()
    theirs = other.order("c.example.com").headers["location"]
    other.close()
    yield Asked(directory["newOrder"], {"identifiers": [{"type": "dns", "value": "b.example.com"}]})
    yield Asked(directory["newOrder"], {"identifiers": []}, MALFORMED)
    yield Asked(directory["newOrder"], {"identifiers": [{"type": "mail", "value": "x"}]}, "unsupportedIdentifier")
    yield Asked(own.json["finalize"], {"csr": b64(csr("a.example.com"))}, "orderNotReady")
    yield Asked(directory["revokeCert"], {"certificate": "AAAA"}, MALFORMED)
    yield Asked(directory["keyChange"], {}, MALFORMED)
    yield Asked(client.kid or "", {"contact": ["tel:1"]}, "unsupportedContact")
    yield Asked(url, None)
    yield Asked(url + "x", None, MALFORMED)
    yield Asked(theirs, None, MALFORMED)


def _limited(lab: Lab, client: Client) -> Iterator[Asked]:
    """Challenges for which there is no place, or that fail too often, and too many orders; in this hour all of it."""
    hanging, go_on = client.order("d.example.com", "e.example.com"), Event()
    (tried, _), (waiting, _) = (client.challenge(hanging, "http-01", which) for which in range(2))
    lab.web.pages[WELL_KNOWN + tried["token"]] = lambda _: go_on.wait()
    try:
        assert client.post(tried["url"], {}).json["status"] == "processing"
        yield Asked(waiting["url"], {}, LIMITED)
    finally:
        go_on.set()
    assert client.wait(hanging.json["authorizations"][0], "invalid").status == 200
    yield Asked(waiting["url"], {}, LIMITED)
    assert client.order("f.example.com").status == 201
    yield Asked(client.directory["newOrder"], {"identifiers": [{"type": "dns", "value": "g.example.com"}]}, LIMITED)
