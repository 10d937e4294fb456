"""What is foretold of nginx is what nginx does: every client, chain, depth and list, on every nginx at hand."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from chains import DAY, ca
from counterseal.authority.verification_words import log_line
from counterseal.handshake.verify_reasons import VERIFY_REASONS
from counterseal.nginx.client_verification import ClientVerification, Request, VerifyClient, answer_client
from counterseal.nginx.verification_files import load_ca_file, load_crl_file
from counterseal.pki.openssl.release import takes_deltas
from integration.nginx_verify.lab import (
    LONG,
    NOW,
    Shown,
    authority,
    by_chain,
    by_fault,
    by_rsa_pss,
    client,
    crl,
    roots,
    rsa_root,
    serials,
)
from integration.nginx_verify.server import Answered, Files, Server
from pki_fixtures import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from counterseal.nginx.version import NginxVersion
    from nginx_process import PrivateNginx

pytestmark = pytest.mark.nginx
MESSAGES = {reason.code: reason.message for reason in VERIFY_REASONS}
_ALICE = Shown("alice", (client("alice", authority("rootA")).make(),))


@dataclass(frozen=True)
class Block:
    """One server block, and who knocks at it."""

    name: str
    files: Files
    clients: tuple[Shown, ...]
    verify_depth: int = 1
    verify_client: VerifyClient = VerifyClient.ON


def pem(certificates: Iterable[x509.Certificate | x509.CertificateRevocationList]) -> bytes:
    """Return certificates or lists one after the other."""
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def site_of(block: Block, version: NginxVersion) -> ClientVerification:
    """Return what nginx takes from the files of a block."""
    named = [load_ca_file(content) for content in (block.files.clients, block.files.trusted) if content is not None]
    lists = None if block.files.crl is None else load_crl_file(block.files.crl, version)
    store = [certificate for file in (*named, *((lists,) if lists else ())) for certificate in file.certificates]
    return ClientVerification(
        tuple(store),
        block.verify_depth,
        lists.crls if lists else None,
        block.verify_client,
        takes_deltas=takes_deltas(version.openssl),
    )


def foretold(block: Block, shown: Shown, version: NginxVersion) -> Answered:
    """Return what we say that nginx does."""
    told = answer_client(shown.certificates, site_of(block, version), at=NOW)
    verify = "NONE" if told.verification is None else f"FAILED:{MESSAGES[told.error]}" if told.error else "SUCCESS"
    return Answered(told.code or 200, verify, told.error if told.code == 495 else 0)


def assert_foretold(server: Server, blocks: list[Block], version: NginxVersion) -> None:
    """Ask nginx everything and compare; all differences are shown together."""
    for block in blocks:
        server.add(block.name, block.files, verify_client=block.verify_client, verify_depth=block.verify_depth)
    server.start()
    differences = []
    for block in blocks:
        for shown in block.clients:
            told, seen = foretold(block, shown, version), server.ask(block.name, shown)
            if told != seen:
                differences.append(f"{block.name}: {shown.name}: foretold {told}, seen {seen}")
    assert differences == []


def test_chains_and_depths(private_nginx: PrivateNginx, nginx_version: NginxVersion) -> None:
    """Every chain, complete or not, against every set of CAs and every depth."""
    stores = {
        "a": ("rootA",),
        "ai": ("rootA", "intA"),
        "aii": ("rootA", "intA", "int2A"),
        "i": ("intA",),
        "ab": ("rootA", "rootB"),
    }
    shown = tuple(by_chain())
    blocks = [
        Block(f"{name}-{depth}", Files(pem(roots(*stores[name]))), shown, depth)
        for name, depth in product(stores, range(4))
    ]
    assert_foretold(Server(private_nginx), blocks, nginx_version)


def test_faults_of_the_client(private_nginx: PrivateNginx, nginx_version: NginxVersion) -> None:
    """Dates, purposes, keys, forgeries, with and without lists, where a certificate is required or only wished for."""
    shown = (Shown("nothing", ()), *by_fault())
    current = pem([crl("rootA")])
    blocks = [
        Block(
            f"{mode.replace('_', '-')}-{'crl' if lists else 'plain'}",
            Files(pem(roots("rootA")), crl=lists),
            shown,
            verify_client=mode,
        )
        for mode in VerifyClient
        for lists in (None, current)
    ]
    assert_foretold(Server(private_nginx), blocks, nginx_version)


def test_lists(private_nginx: PrivateNginx, nginx_version: NginxVersion) -> None:
    """A list for every CA of the chain, and each way to get it wrong."""
    alice, bob = client("alice", authority("rootA")).make(), client("bob", authority("intA")).make()
    stranger = client("stranger", authority("rootB")).make()
    shown = (Shown("alice", (alice,)), Shown("bob and intA", (bob, authority("intA"))), Shown("stranger", (stranger,)))
    middle, bobs = serials(authority("intA")), serials(bob)
    delta = ((x509.CRLNumber(8), False), (x509.DeltaCRLIndicator(7), True))
    reasons = frozenset({x509.ReasonFlags.key_compromise})
    partly = ((x509.IssuingDistributionPoint(None, None, False, False, reasons, False, False), True),)
    lists = {
        "both": [crl("rootA"), crl("intA")],
        "revoked": [crl("rootA"), crl("intA", revoked=bobs)],
        "middle-revoked": [crl("rootA", revoked=middle), crl("intA")],
        "all-revoked": [crl("rootA", revoked=[*middle, *serials(alice)]), crl("intA", revoked=bobs)],
        "root-only": [crl("rootA")],
        "middle-only": [crl("intA")],
        "expired": [crl("rootA"), crl("intA", this_update=NOW - 3 * DAY, next_update=NOW - DAY)],
        "future": [crl("rootA"), crl("intA", this_update=NOW + DAY, next_update=NOW + 2 * DAY)],
        "forged": [crl("rootA"), crl("intA", key=authority("rootB").private_key)],
        "newer-revokes": [crl("rootA"), crl("intA", this_update=NOW - 2 * DAY), crl("intA", revoked=bobs)],
        "older-revokes": [crl("rootA"), crl("intA", this_update=NOW - 2 * DAY, revoked=bobs), crl("intA")],
        "delta": [crl("rootA"), crl("intA", extensions=delta)],
        "newer-delta": [
            crl("rootA"),
            crl("intA", this_update=NOW - 2 * DAY, revoked=bobs),
            crl("intA", extensions=delta),
        ],
        "partly": [crl("rootA"), crl("intA", extensions=partly)],
        "expired-and-current": [
            crl("rootA"),
            crl("intA", this_update=NOW - 3 * DAY, next_update=NOW - DAY),
            crl("intA"),
        ],
    }
    blocks = [Block(name, Files(pem(roots("rootA", "rootB")), crl=pem(found)), shown) for name, found in lists.items()]
    blocks.append(Block("too-deep", Files(pem(roots("rootA")), crl=pem(lists["both"])), shown, verify_depth=0))
    without_root = Files(pem(roots("intA")), crl=pem(lists["both"]))
    blocks.append(Block("no-root", without_root, shown))
    blocks.append(
        Block(
            "no-ca",
            Files(pem(roots("rootA")), crl=pem(lists["revoked"])),
            (*shown, Shown("self-signed", (authority("rootB"),))),
            verify_client=VerifyClient.OPTIONAL_NO_CA,
        )
    )
    assert_foretold(Server(private_nginx), blocks, nginx_version)


def test_two_lists_of_one_date_are_undecided(private_nginx: PrivateNginx, nginx_version: NginxVersion) -> None:
    """On glibc the first counts, as is foretold; elsewhere it may be the last, and one of two revokes, as is said."""
    bob = client("bob", authority("intA")).make()
    shown = Shown("bob and intA", (bob, authority("intA")))
    without, revoking = crl("intA"), crl("intA", revoked=serials(bob))
    server, foretold_errors = Server(private_nginx), {}
    for name, lists in (("revoking-first", (revoking, without)), ("revoking-last", (without, revoking))):
        block = Block(name, Files(pem(roots("rootA")), crl=pem([crl("rootA"), *lists])), (shown,))
        server.add(name, block.files)
        told = answer_client(shown.certificates, site_of(block, nginx_version), at=NOW)
        assert told.undecided == (authority("intA").certificate.subject,)
        foretold_errors[name] = told.error
    server.start()
    seen = {name: server.ask(name, shown).error for name in foretold_errors}
    assert sorted(seen.values()) == [0, 23]
    if b"/ld-linux" in private_nginx.binary.read_bytes():  # its loader, which glibc brings
        assert seen == foretold_errors


def test_what_else_is_in_the_files(private_nginx: PrivateNginx, nginx_version: NginxVersion) -> None:
    """A second file widens the trust, a certificate among lists may, a leaf is no anchor, an old root refuses all."""
    alice, stranger = client("alice", authority("rootA")).make(), client("stranger", authority("rootB")).make()
    old = ca("old root", key=key_of("p-256", 40), begin=NOW - 100 * DAY, end=NOW - DAY).make()
    olds = client("olds", old).make()
    shown = (Shown("alice", (alice,)), Shown("stranger", (stranger,)), Shown("olds", (olds,)))
    with_lists = pem([crl("rootA"), crl("rootB")])
    a, b = pem(roots("rootA")), pem(roots("rootB"))
    blocks = [
        Block("widened", Files(a, trusted=b), shown),
        Block("certificate-among-lists", Files(a, crl=with_lists + b), shown),
        Block("leaf-as-ca", Files(a + pem([stranger.certificate])), shown),
        Block("old-root", Files(a + pem([old.certificate])), shown),
    ]
    assert_foretold(Server(private_nginx), blocks, nginx_version)


def test_the_second_file_alone(private_nginx: PrivateNginx, nginx_version: NginxVersion) -> None:
    """An old nginx does not start without ssl_client_certificate; for a newer one the other file is as good."""
    block = Block("second-alone", Files(None, trusted=pem(roots("rootA"))), tuple(by_chain()))
    server = Server(private_nginx)
    if nginx_version.number >= (1, 27, 2):
        assert_foretold(server, [block], nginx_version)
    else:
        server.add(block.name, block.files)
        server.write()
        assert "no ssl_client_certificate for ssl_verify_client" in private_nginx.test().stderr


def test_rsa_pss(private_nginx: PrivateNginx, nginx_version: NginxVersion) -> None:
    """Keys and signatures of RSA-PSS, beside those of RSA PKCS #1."""
    root = rsa_root().certificate
    blocks = [Block("pss", Files(pem([*roots("rootA"), root])), tuple(by_rsa_pss()))]
    assert_foretold(Server(private_nginx), blocks, nginx_version)


def test_many_cas(private_nginx: PrivateNginx, nginx_version: NginxVersion) -> None:
    """A thousand CAs of other names do not hinder, although their names fill 65 kB of the handshake."""
    one = key_of("p-256", 41)
    crowd = [ca(f"one of many {number}", None, key=one, **LONG).make().certificate for number in range(1000)]
    shown = (_ALICE, *by_chain()[-2:])
    assert_foretold(
        Server(private_nginx), [Block("crowd", Files(pem([*crowd, *roots("rootA")])), shown)], nginx_version
    )


@pytest.mark.parametrize(
    ("mode", "asked"),
    [
        (VerifyClient.ON, Request(sni="a.test", host="b.test")),
        (VerifyClient.ON, Request(sni="a.test", host="A.TEST:443")),
        (VerifyClient.ON, Request(sni="a.test", host="a.test.")),
        (VerifyClient.ON, Request(sni="a.test", host="other.test")),
        (VerifyClient.OFF, Request(sni="a.test", host="b.test")),
        (VerifyClient.OPTIONAL, Request(sni="a.test", host="b.test")),
        (VerifyClient.ON, Request(tls=False, host="b.test")),
    ],
    ids=str,
)
def test_what_is_refused_before_any_certificate(
    mode: VerifyClient, asked: Request, private_nginx: PrivateNginx
) -> None:
    """Another Host than was negotiated, whose server verifies clients; and HTTP where TLS belongs."""
    server, files = Server(private_nginx), Files(pem(roots("rootA")))
    for name in ("a", "b"):
        server.add(name, files, verify_client=mode)
    server.start()
    site = ClientVerification(roots("rootA"), verify_client=mode)
    told = answer_client(_ALICE.certificates, site, at=NOW, request=asked)
    code, logged = server.ask_for(asked, _ALICE)
    assert code == (told.code or 200)
    assert (log_line(told) or "") in logged


@pytest.mark.parametrize(
    "name",
    [
        "good",
        "der",
        "empty",
        "truncated",
        "certificate",
        "certificate first",
        "text around",
        "broken base64",
        "good, then truncated",
        "key beside",
    ],
)
def test_files_with_which_nginx_does_not_start(
    name: str, private_nginx: PrivateNginx, nginx_version: NginxVersion
) -> None:
    """Whether ``nginx -t`` refuses a file of lists is foretold."""
    lists, certificate = pem([crl("rootA")]), pem(roots("rootA"))
    key = authority("rootA").private_key
    content = {
        "good": lists,
        "der": crl("rootA").public_bytes(Encoding.DER),
        "empty": b"",
        "truncated": lists[:-60],
        "certificate": certificate,
        "certificate first": certificate + lists,
        "text around": b"hello\n" + lists + b"bye\n",
        "broken base64": lists.replace(b"M", b"!", 2),
        "good, then truncated": lists + lists[:-60],
        "key beside": lists + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }[name]
    server = Server(private_nginx)
    server.add("a", Files(certificate, crl=content))
    server.write()
    refuses = "[emerg]" in private_nginx.test().stderr
    assert refuses == (load_crl_file(content, nginx_version).emerg is not None)
