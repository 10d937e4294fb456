"""What is taken over of a CA under an offline root, what is refused with nothing taken, and its root's later lists."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from chains import DAY, NOW, SERVER_AUTH, ca, crl, end_entity, intermediate, root
from counterseal.authority.import_ca import Import, Imported, import_ca, rehearse_import
from counterseal.authority.issue import refuse_compromised
from counterseal.authority.parts import Authority
from counterseal.authority.publish import ending_lists, lacking_lists, publish, signing_cas, stale_lists
from counterseal.authority.revoke_ca import revoke_ca
from counterseal.authority.take_list import take_list
from counterseal.authority.timeline.gather import Kind, State, gather
from counterseal.errors import CountersealError, InputError, RefusedError
from counterseal.keystore.file import FileKeyStore
from counterseal.pki.crl import RevocationReason
from counterseal.store.records import Query, Status
from counterseal.store.sqlite import open_store
from pki_fixtures import key_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pki_fixtures import Issued

OTHER = key_of("p-256", 8)


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    """Make an empty store."""
    with open_store(tmp_path / "store.db", create=True) as store:
        yield Authority(store, FileKeyStore(tmp_path / "keys", lambda: None), lambda: NOW, os.urandom, "test")


def take(authority: Authority, taken: Issued, *chain: Issued, **more: Any) -> Imported:  # noqa: ANN401 - fields of Import
    """Take a CA over with those above it."""
    certificates = tuple(one.certificate for one in chain)
    return import_ca(authority, _import(taken, chain=certificates, **more))


def _import(taken: Issued, **more: Any) -> Import:  # noqa: ANN401 - same
    what = Import(taken.certificate, key_of("p-256", 2), encrypt=False)
    return replace(what, **{"private_key": taken.private_key, **more})


def der(*args: Any, **more: Any) -> bytes:  # noqa: ANN401 - those of chains.crl
    """Return a list."""
    return crl(*args, **more).public_bytes(Encoding.DER)


def below(issuer: Issued, *extensions: tuple[x509.ExtensionType, bool]) -> Issued:
    """Return the issuing CA under a root."""
    return ca("intermediate", issuer).having(*extensions).make()


def _length(length: int) -> tuple[x509.ExtensionType, bool]:
    return x509.BasicConstraints(ca=True, path_length=length), True


def test_the_cas_above_are_kept_without_a_key(authority: Authority) -> None:
    """Two of them, given in any order beside one that has nothing to do with it; only the CA itself signs lists."""
    policy = below(root())
    issuing = ca("issuing", policy, key=OTHER, serial_number=77).having((x509.ExtendedKeyUsage([SERVER_AUTH]), False))
    lists = (der(root(), next_update=NOW + 100 * DAY), der(policy, next_update=NOW + 2 * DAY))
    imported = take(authority, issuing.make(), root(), ca("other").make(), policy, crls=lists, name="web")
    standing = [(one.name, one.purpose, one.parent) for one in (imported.ca, *imported.above)]
    assert standing == [
        ("web", "server", "intermediate-1"),
        ("intermediate-1", "root", "root"),
        ("root", "root", None),
    ]
    assert [one.name for one in signing_cas(authority)] == ["web"] == list(stale_lists(authority))
    published = publish(authority)
    assert ([one.issuer for one in published.signed], set(published.without_key)) == (
        ["web"],
        {"intermediate-1", "root"},
    )
    assert [one.issuer for one in ending_lists(authority)] == ["intermediate-1"]
    spans = {span.name: span.state for span in gather(authority, ()).of(Kind.CRL)}
    assert spans == {"web": State.FINE, "root": State.FINE, "intermediate-1": State.DUE}
    assert authority.store.certificate(77, issuer="intermediate-1").name == "web"


def _expired_root() -> tuple[Issued, ...]:
    old = ca("root", end=NOW - DAY).make()
    return below(old), old


def _short_root() -> tuple[Issued, ...]:
    short = ca("root").having(_length(0)).make()
    return below(short), short


@pytest.mark.parametrize(
    ("given", "more", "code", "part"),
    [
        ((end_entity(root()).make(), root()), {}, "import.not_ca", "not a CA certificate: CN=server.example.com"),
        ((intermediate(), root()), {"private_key": OTHER}, "import.key", "the key is not that of the CA"),
        ((intermediate(),), {}, "import.chain", "the issuer of CN=intermediate was not given: CN=root"),
        ((intermediate(), ca("root", key=OTHER).make()), {}, "import.chain", "CN=root that was given has not signed"),
        (_expired_root(), {}, "import.dates", "expired on 2026-05-31 12:00 UTC: CN=root"),
        (_short_root(), {}, "import.unusable", "no server certificate of this CA would be good: CN=intermediate"),
        ((intermediate(), root()), {"name": "a/b"}, "ca.name", "not a name for a CA"),
        ((intermediate(), root()), {"name": "root"}, "ca.exists", "what the root is called"),
        (
            (intermediate(), root()),
            {"crls": (der(root(), revoked=[intermediate().certificate.serial_number]),)},
            "import.revoked",
            "CN=intermediate",
        ),
        ((intermediate(), root()), {"crls": (der(ca("other").make()),)}, "crl.issuer", "signed this list: CN=other"),
        ((intermediate(), root()), {"crls": (der(root(), key=OTHER),)}, "crl.issuer", "signed this list: CN=root"),
        (
            (intermediate(), root()),
            {"crls": (der(root(), this_update=NOW - 9 * DAY, next_update=NOW - 5 * DAY),)},
            "crl.unusable",
            "expired: its next_update was 2026-05-27",
        ),
        (
            (intermediate(), root()),
            {"crls": (der(root(), extensions=((x509.CRLNumber(1 << 80), False),)),)},
            "crl.unusable",
            "more than 63 bits",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    authority: Authority,
    given: tuple[Issued, ...],
    more: dict[str, Any],
    code: str,
    part: str,
) -> None:
    """In words, and nothing is taken: no CA, no certificate, no key."""
    with pytest.raises(CountersealError) as caught:
        take(authority, *given, **more)
    assert (caught.value.code, part in caught.value.message) == (code, True), caught.value.message
    assert (authority.store.cas(), authority.store.search(Query()).records) == ((), ())
    assert not list((authority.keystore.path("x").parent).glob("*"))


def test_another_ca_joins_under_the_same_root(authority: Authority) -> None:
    """A rehearsal changes nothing; under another root it is refused."""
    take(authority, intermediate(), root())
    second = ca("second", root(), key=OTHER, serial_number=78).make()
    what = _import(second, chain=(root().certificate,), name="second")
    assert rehearse_import(authority, what).ca.name == "second"
    assert {one.name for one in authority.store.cas()} == {"root", "issuing"}
    assert import_ca(authority, what).ca.parent == "root"
    strange = ca("root", key=OTHER).make()
    with pytest.raises(RefusedError, match="the root here is another one: CN=root"):
        take(authority, ca("third", strange).make(), strange, name="third")


def test_its_own_list_stands_in_for_an_index(authority: Authority) -> None:
    """Its entries are on the next list, whose number goes on; of the certificates nothing else is known."""
    own = der(intermediate(), revoked=[5, 6])
    imported = take(authority, intermediate(), root(), crls=(own,))
    assert (imported.certificates, imported.revoked) == (2, 2)
    (signed,) = publish(authority).signed
    assert (signed.entries, signed.number) == (2, 8)
    assert authority.store.certificate(5, issuer="issuing").revocation_reason == "key_compromise"


def test_a_list_of_a_ca_that_signs_here_tells_who_else_is_revoked(authority: Authority) -> None:
    """As after a restore: also one that has ended; it is not kept, and its number is not used again."""
    take(authority, intermediate(), root())
    number = ((x509.CRLNumber(70), False),)
    old = der(intermediate(), revoked=[0x77], extensions=number, this_update=NOW - 9 * DAY, next_update=NOW - DAY)
    given = take_list(authority, old)
    assert (given.is_own, given.is_new, take_list(authority, old).is_new) == (True, True, False)
    assert authority.store.certificate(0x77, issuer="issuing").status is Status.REVOKED
    assert authority.store.latest_crl("issuing") is None
    (signed,) = publish(authority).signed
    assert (signed.entries, signed.number) == (1, 71)


def test_a_newer_list_of_the_root_takes_the_place_of_the_last(authority: Authority) -> None:
    """What stands on it is revoked here; an older one, or one that forgets, is refused; one that is here is no news."""
    imported = take(authority, intermediate(), root(), crls=(der(root()),))
    second = (x509.CRLNumber(8), False)
    newer = der(root(), revoked=[0x99], extensions=(second,), this_update=NOW - timedelta(hours=1))
    assert take_list(authority, newer).is_new
    assert not take_list(authority, newer).is_new
    assert authority.store.certificate(0x99, issuer="root").status is Status.REVOKED
    for older in (der(root()), der(root(), extensions=(second,), next_update=NOW + 2 * DAY)):
        with pytest.raises(RefusedError, match="its number is"):
            take_list(authority, older)
    serial = intermediate().certificate.serial_number
    third = der(root(), revoked=[0x99, serial], extensions=((x509.CRLNumber(9), False),), this_update=NOW)
    assert take_list(authority, third).revoked == (imported.ca,)
    assert authority.store.certificate(serial, issuer="root").status is Status.REVOKED
    assert authority.store.ca("issuing").revocation_reason == "key_compromise"
    with pytest.raises(RefusedError, match="the key is compromised"):
        refuse_compromised(authority, intermediate().certificate.public_key())
    assert lacking_lists(authority) == ()
    forgetful = der(root(), extensions=((x509.CRLNumber(10), False),), this_update=NOW)
    with pytest.raises(
        RefusedError, match=r"issuing \(1234567890ABCDEF\), which is revoked here, does not stand on it"
    ):
        take_list(authority, forgetful)
    with pytest.raises(InputError, match="not a readable"):
        take_list(authority, b"none")


def test_a_file_of_another_certificate_keeps_no_revocation_away(authority: Authority, tmp_path: Path) -> None:
    """What is revoked is the number in the index, whatever lies under it in newcerts."""
    other = end_entity(root(), serial_number=99).make()
    (tmp_path / "newcerts").mkdir()
    (tmp_path / "newcerts" / "0A.pem").write_bytes(other.certificate.public_bytes(Encoding.PEM))
    index = f"R\t{NOW + 9 * DAY:%y%m%d%H%M%SZ}\t{NOW:%y%m%d%H%M%SZ},keyCompromise\t0A\tunknown\t/CN=ann\n"
    take(authority, root(), index=index, directory=tmp_path)
    found = authority.store.certificate(10, issuer="root")
    assert (found.status, found.name) == (Status.REVOKED, "ann")


def test_a_ca_with_a_compromised_key_is_refused(authority: Authority) -> None:
    """One that was revoked for it, under another subject; its key is not kept."""
    old, new = (ca(name, root(), key=OTHER, serial_number=number).make() for number, name in enumerate("ab", 1))
    take(authority, old, root(), name="old")
    revoke_ca(authority, "old", RevocationReason.CA_COMPROMISE)
    with pytest.raises(RefusedError, match="the key is compromised") as raised:
        take(authority, new, root(), name="new")
    assert (raised.value.code, authority.keystore.has("new")) == ("key.compromised", False)
