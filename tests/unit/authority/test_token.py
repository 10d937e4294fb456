"""A one-time token gives what it stands for, to the key that asks first, and no more often than it may."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from authority_fixtures import small_ca
from counterseal.authority.create import add_ca
from counterseal.authority.token import Grant, acting, issued_before, make_token, prepare_by_token, token_of, use_up
from counterseal.errors import CountersealError, KeyAccessError, RefusedError
from counterseal.keystore.software import SoftwareSigner
from counterseal.pki.csr import CSR, parse_csr
from counterseal.pki.profile import Purpose
from counterseal.service.access import Access
from counterseal.service.issuing import issue
from counterseal.store.sqlite import open_store
from counterseal.store.tokens import forget_tokens, revoke_token, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.authority.parts import Authority
    from counterseal.authority.signing import Issued


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    """Give a small CA."""
    with small_ca(tmp_path) as authority:
        yield authority


def request(*names: str, common: str | None = None, key: ec.EllipticCurvePrivateKey | None = None) -> CSR:
    """Return a CSR that asks for these DNS names."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)] if common else [])
    builder = x509.CertificateSigningRequestBuilder(subject)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(map(x509.DNSName, names))), critical=False)
    signed = builder.sign(key or ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return parse_csr(signed.public_bytes(Encoding.DER))


async def spend(authority: Authority, secret: str, csr: CSR) -> Issued:
    """Issue by a token as a face does."""
    access = Access(authority, authority, lambda: replace(authority, store=open_store(authority.store.path)))
    try:
        token = await access.read(lambda authority: token_of(authority, secret))
        return await issue(
            access,
            lambda authority: prepare_by_token(authority, token, csr),
            acting=lambda authority: acting(authority, token),
            together=lambda authority: use_up(authority, token),
        )
    finally:
        await access.close()


def code(authority: Authority, secret: str, csr: CSR) -> str:
    """Return the code with which a use is refused."""
    with pytest.raises(CountersealError) as raised:
        asyncio.run(spend(authority, secret, csr))
    return raised.value.code


def test_a_token_gives_what_it_says(authority: Authority) -> None:
    """Name, group, further names and lifetime are the token's; the CSR gives the key, and may say the same or less."""
    grant = Grant("laptop", "client", ("DNS:laptop.test",), "staff", timedelta(days=5))
    _, secret = make_token(authority, grant)
    issued = asyncio.run(spend(authority, secret, request(common="laptop")))
    assert issued.record.subject == "CN=laptop,OU=staff"
    assert issued.record.names == ("DNS:laptop.test",)
    assert issued.record.not_after - issued.record.not_before == 5 * 86_400
    (token,) = tokens(authority.store)
    assert (issued.record.created_by, token.used) == (f"token:{token.id}", 1)
    assert secret.encode() not in authority.store.path.read_bytes()
    assert secret not in repr(token)


def test_a_token_can_say_which_ca_issues(authority: Authority) -> None:
    """Where there are several, a site may admit the clients of one alone."""
    add_ca(authority, "devices", Purpose.CLIENT, encrypt=False)
    _, secret = make_token(authority, Grant("pump", "client", issuer="devices"))
    assert asyncio.run(spend(authority, secret, request())).record.issuer == "devices"
    with pytest.raises(RefusedError):
        make_token(authority, Grant("pump", "client", issuer="servers"))


def test_what_a_csr_may_ask_for(authority: Authority) -> None:
    """No name that the token does not have; to be refused costs no use."""
    _, secret = make_token(authority, Grant("a.test", "server", ("b.test",)))
    for csr in (request("c.test"), request("a.test", "c.test"), request(common="mallory")):
        assert code(authority, secret, csr) == "token.other_name"
    assert asyncio.run(spend(authority, secret, request("b.test"))).record.names == ("DNS:a.test", "DNS:b.test")


def test_a_use_is_a_use(authority: Authority) -> None:
    """Then, when it is revoked, or when its time is over, it gives nothing; a wrong secret never did."""
    _, secret = make_token(authority, Grant("ann", "client", uses=2, expires_in=timedelta(hours=1)))
    later = replace(authority, clock=lambda: authority.clock() + timedelta(hours=1))
    assert code(later, secret, request()) == "token.expired"
    asyncio.run(spend(authority, secret, request()))
    asyncio.run(spend(authority, secret, request()))
    assert code(authority, secret, request()) == "token.used_up"
    assert code(authority, secret + "x", request()) == "token.unknown"
    other, revoked = make_token(authority, Grant("ben", "client"))
    revoke_token(authority.store, other.id, 1)
    assert code(authority, revoked, request()) == "token.revoked"


def test_an_answer_that_was_lost_can_be_asked_for_again(authority: Authority) -> None:
    """By the same key only."""
    _, secret = make_token(authority, Grant("ann", "client"))
    key = ec.generate_private_key(ec.SECP256R1())
    issued = asyncio.run(spend(authority, secret, request(key=key)))
    token = token_of(authority, secret)
    found = issued_before(authority, token, key.public_key())
    assert found is not None
    assert found.serial_number == issued.record.serial_number
    assert issued_before(authority, token, request().public_key) is None
    assert (
        issued_before(authority, replace(token, uses=2), key.public_key()) is None
    )  # another use is another certificate


def test_of_many_at_once_one_gets_the_certificate(authority: Authority) -> None:
    """The signatures of the others leave nothing but their line in the log."""
    _, secret = make_token(authority, Grant("ann", "client"))

    async def race() -> list[Issued | BaseException]:
        access = Access(authority, authority, lambda: authority)
        token = token_of(authority, secret)
        attempts = [
            issue(
                access,
                lambda authority: prepare_by_token(authority, token, request()),
                acting=lambda authority: acting(authority, token),
                together=lambda authority: use_up(authority, token),
            )
            for _ in range(8)
        ]
        outcomes = await asyncio.gather(*attempts, return_exceptions=True)
        await access.close()
        return outcomes

    outcomes = asyncio.run(race())
    refused = [one.code for one in outcomes if isinstance(one, RefusedError)]
    assert refused == ["token.used_up"] * 7
    assert len(authority.store.by_name("ann")) == 1
    logged = [use.action for use in authority.store.key_uses() if use.actor.startswith("token:")]
    assert sorted(logged) == ["certificate", *["certificate, discarded"] * 7]
    assert not authority.store.verify_key_uses().findings


def test_an_issue_that_fails_costs_no_use(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of the CA may be away for a moment."""
    _, secret = make_token(authority, Grant("ann", "client"))

    def fail(*_: object) -> bytes:
        raise KeyAccessError("key.away", "the key is away")

    with monkeypatch.context() as patch:
        patch.setattr(SoftwareSigner, "sign", fail)
        assert code(authority, secret, request()) == "key.away"
    assert asyncio.run(spend(authority, secret, request())).record.name == "ann"


@pytest.mark.parametrize(
    ("grant", "said"),
    [
        (Grant("ann", "clients"), "profile.unknown"),
        (Grant("ann", "client-probe", group="counterseal-probe"), "token.profile"),
        (Grant("ann", "client", uses=0), "token.uses"),
        (Grant("ann", "client", expires_in=timedelta(0)), "token.expires"),
        (Grant("ann", "client", ("1.2.3.4.5",)), "name.ip"),
        (Grant("a.test", "server", group="staff"), "token.group"),
        (Grant("ann", "client", lifetime=timedelta(days=9999)), "policy.refused"),
    ],
)
def test_what_could_not_be_issued_gets_no_token(authority: Authority, grant: Grant, said: str) -> None:
    """It is said to whoever makes it, not to whoever uses it."""
    with pytest.raises(CountersealError) as raised:
        make_token(authority, grant)
    assert raised.value.code == said
    assert not tokens(authority.store)


def test_old_tokens_are_forgotten_a_few_at_a_time(authority: Authority) -> None:
    """Those that can still be used stay."""
    for number in range(3):
        make_token(authority, Grant(f"old-{number}", "client"))
    later = replace(authority, clock=lambda: authority.clock() + timedelta(days=1))
    make_token(later, Grant("new", "client"))
    now = int(later.clock().timestamp())
    assert [forget_tokens(authority.store, now, 2) for _ in range(3)] == [2, 1, 0]
    assert [one.name for one in tokens(authority.store)] == ["new"]
