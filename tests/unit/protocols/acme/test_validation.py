"""What holds a validation up, and whom: name servers that do not answer, and accounts whose hosts do not."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, ExitStack
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from acme_answers import acme_certificate, of_unknown_version
from counterseal.protocols.acme.objects import URLs
from counterseal.protocols.acme.problems import Failure
from counterseal.protocols.acme.rules import AcmeRules
from counterseal.protocols.acme.validation import caa, validator
from counterseal.protocols.acme.validation.caa import Asking, check_caa
from counterseal.protocols.acme.validation.connect import Reach, is_own
from counterseal.protocols.acme.validation.places import Places
from counterseal.protocols.acme.validation.resolver import Lookup, Resolver
from counterseal.protocols.acme.validation.tlsalpn01 import judge
from counterseal.protocols.acme.validation.validator import EACH_AT_ONCE, WAITING_EACH, Validator
from counterseal.service.metrics import Metrics
from counterseal.store.acme.records import AuthorizationRecord

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.service.access import Access

SECONDS = 30


class Mute(Resolver):
    """Name servers of which some do not answer, and others cannot."""

    async def caa(self, name: str) -> list[tuple[int, str, str]]:
        """Answer for the first two labels."""
        if name == "c.test":
            await asyncio.Event().wait()
        if name == "broken.test":
            raise Lookup(Failure("dns", "CAA of broken.test cannot be asked: NoNameservers"))
        return []


@pytest.mark.parametrize(
    ("domain", "detail"),
    [
        ("a.b.c.test", "CAA of a.b.c.test and the names above is not answered within 0.05 s"),
        ("www.broken.test", "CAA of broken.test cannot be asked: NoNameservers"),
    ],
)
def test_caa_that_cannot_be_asked_forbids(monkeypatch: pytest.MonkeyPatch, domain: str, detail: str) -> None:
    """RFC 8659 3; and however many labels there are, it does not take longer than one time."""
    monkeypatch.setattr(caa, "SECONDS", 0.05)
    asking = Asking(("ca.example.net",), domain, wildcard=False, account_url="https://ca/acme/1", method=None)
    failure = asyncio.run(check_caa(Reach(Mute()), asking))
    assert failure == Failure("caa", detail)


@pytest.mark.parametrize("text", ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1"])
def test_an_address_of_this_machine_is_its_own_however_it_is_wrapped(text: str) -> None:
    """The system spells some of them in another way than we do."""
    assert is_own(ip_address(text))
    assert not is_own(ip_address("192.0.2.1"))


def test_a_certificate_that_cannot_be_read_is_no_proof(tmp_path: Path) -> None:
    """A host shows what it likes: nothing, half of it, a version that there is not."""
    pem = acme_certificate(["a.test"], "proof", tmp_path).read_bytes()
    good = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    assert judge(good, "a.test", "proof") is None
    for content in (b"", good[:-9], of_unknown_version(good)):
        failure = judge(content, "a.test", "proof")
        assert failure is not None
        assert failure.kind == "incorrectResponse"


def test_one_account_does_not_hold_up_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its hosts never answer; another account's challenge is tried all the same."""
    tried: list[str] = []

    async def never(_: Validator, record: AuthorizationRecord, *__: object) -> Failure | None:
        tried.append(record.account)
        if record.account == "stuck":
            await asyncio.Event().wait()
        return None

    async def story() -> None:
        monkeypatch.setattr(validator.Validator, "_try", never)
        rules, urls = AcmeRules(), URLs("https://ca.test")
        tries = Validator(cast("Access", Kept()), rules, Reach(Resolver()), Metrics())
        stuck = [tries.start(record(f"s{number}", "stuck"), urls, "thumb") for number in range(WAITING_EACH)]
        assert not has_place(tries, "stuck")
        assert has_place(tries, "other")
        done = await asyncio.wait_for(tries.start(record("o", "other"), urls, "thumb"), SECONDS)
        assert done is not None
        assert tried.count("stuck") == EACH_AT_ONCE
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
        assert has_place(tries, "stuck")

    asyncio.run(story())


def test_many_accounts_do_not_hold_up_one_that_comes_last() -> None:
    """The first places that get free are its own, though hundreds wait longer."""

    async def story() -> None:
        places, got, leave = Places(8, 4), asyncio.Queue[str](), asyncio.Queue[None]()

        async def hold(account: str) -> None:
            async with places.one(account):
                got.put_nowait(account)
                await leave.get()

        tasks = [asyncio.create_task(hold(f"stuck{number % 3}")) for number in range(300)]
        first = [await got.get() for _ in range(8)]
        assert sorted(first) == ["stuck0"] * 3 + ["stuck1"] * 3 + ["stuck2"] * 2
        tasks += [asyncio.create_task(hold("honest")) for _ in range(6)]
        await asyncio.sleep(0)
        leave.put_nowait(None)
        leave.put_nowait(None)
        assert [await got.get() for _ in range(2)] == ["honest"] * 2
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with AsyncExitStack() as every:  # who was cancelled, before or at a place, keeps none
            for number in range(8):
                await every.enter_async_context(places.one(f"new{number}"))
            late = asyncio.create_task(hold("late"))
            await asyncio.sleep(0)
            assert got.empty(), "nor does it leave one more than there are"
        assert await got.get() == "late"
        late.cancel()

    asyncio.run(asyncio.wait_for(story(), SECONDS))


def test_of_accounts_that_have_as_few_places_who_waits_longest_is_next() -> None:
    """Not the one that asked again before its turn came."""

    async def story() -> list[str]:
        places, got = Places(1, 1), list[str]()

        async def take(name: str) -> None:
            async with places.one(name[0]):
                got.append(name)

        async with places.one("x"):
            tasks = [asyncio.create_task(take(name)) for name in ("a1", "b1", "a2")]
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        return got

    assert asyncio.run(asyncio.wait_for(story(), SECONDS)) == ["a1", "b1", "a2"]


def test_a_place_is_kept_until_its_challenge_is_started() -> None:
    """So many requests that are under way at once do not all find the last place free."""
    tries = Validator(cast("Access", Kept()), AcmeRules(), Reach(Resolver()), Metrics())
    with ExitStack() as begun:
        assert all(begun.enter_context(tries.place("busy")) for _ in range(WAITING_EACH))
        assert not has_place(tries, "busy")
        assert not has_place(tries, "busy")
    assert has_place(tries, "busy")


def has_place(tries: Validator, account: str) -> bool:
    """Return whether one more challenge of the account may be tried; it is not."""
    with tries.place(account) as free:
        return free


class Kept:
    """A store that takes every result."""

    async def write(self, job: Any, **_: object) -> AuthorizationRecord:  # noqa: ANN401 - any job
        """Return some authorization."""
        assert callable(job)
        return record("kept", "other")


def record(identifier: str, account: str) -> AuthorizationRecord:
    """Return an authorization whose challenge was attempted."""
    return AuthorizationRecord(
        id=identifier,
        account=account,
        kind="dns",
        value="a.test",
        wildcard=False,
        status="pending",
        token="t",
        created_at=0,
        expires_at=1,
        attempted="http-01",
    )
