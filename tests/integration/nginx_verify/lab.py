r"""The world of these tests: root, two intermediates, a foreign root, and clients of all kinds.

::

    rootA -- alice                      rootB -- stranger
       \- intA -- bob
             \- int2A -- carol

Made for the moment at which the tests run, because nginx cannot be told the time.
"""

from __future__ import annotations

from base64 import encodebytes
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519, padding
from cryptography.hazmat.primitives.serialization import Encoding as PemOrDer
from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

import chains
from chains import CLIENT_AUTH, DAY, SERVER_AUTH, Recipe, ca, end_entity, resigned, usage
from counterseal.pki import der, der_reader
from counterseal.pki.profile import Purpose
from pki_fixtures import Issued, key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime.now(UTC).replace(microsecond=0)
LONG = {"begin": NOW - 100 * DAY, "end": NOW + 100 * DAY}


@cache
def authority(name: str) -> Issued:
    """Return a CA by name."""
    above = {"intA": "rootA", "int2A": "intA", "int3A": "rootA"}.get(name)
    number = ("rootA", "intA", "int2A", "int3A", "rootB").index(name)
    return ca(name, authority(above) if above else None, key=key_of("p-256", 20 + number), **LONG).make()


def client(name: str, issuer: Issued, **changes: Any) -> Recipe:  # noqa: ANN401 - fields of the recipe
    """Return the recipe of a client."""
    return end_entity(issuer, Purpose.CLIENT, name=name, **{**LONG, **changes})


@dataclass(frozen=True)
class Shown:
    """What a client presents: its own certificate first."""

    name: str
    chain: tuple[Issued, ...]
    key: bytes | None = None
    """The private key in PEM, where it is not written as that of the first certificate."""

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The certificates alone."""
        return tuple(one.certificate for one in self.chain)


def by_chain() -> list[Shown]:
    """Return the clients of the table of chains and depths."""
    alice, bob, carol = (client(name, authority(issuer)).make() for name, issuer in _ISSUERS)
    stranger = client("stranger", authority("rootB")).make()
    first, second = authority("intA"), authority("int2A")
    return [
        Shown("nothing", ()),
        Shown("alice", (alice,)),
        Shown("alice with the root", (alice, authority("rootA"))),
        Shown("bob", (bob,)),
        Shown("bob and intA", (bob, first)),
        Shown("carol", (carol,)),
        Shown("carol and int2A", (carol, second)),
        Shown("carol, int2A and intA", (carol, second, first)),
        Shown("carol, intA and int2A, in the wrong order", (carol, first, second)),
        Shown("sibling and int3A", (client("dave", authority("int3A")).make(), authority("int3A"))),
        Shown("stranger", (stranger,)),
        Shown("stranger with the root", (stranger, authority("rootB"))),
    ]


_ISSUERS = (("alice", "rootA"), ("bob", "intA"), ("carol", "int2A"))


def by_fault() -> list[Shown]:
    """Return the clients of the table of failures; the issuer is rootA."""
    root = authority("rootA")
    plain = client("plain", root)
    no_ca = client("no-ca", root).make()
    without = client("without", root, key=key_of("p-256", 31)).without(x509.BasicConstraints, x509.KeyUsage).make()
    usages = {
        "serverAuth": [SERVER_AUTH],
        "emailProtection": [ExtendedKeyUsageOID.EMAIL_PROTECTION],
        "anyExtendedKeyUsage": [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE],
        "serverAuth and clientAuth": [SERVER_AUTH, CLIENT_AUTH],
    }
    forged = replace(plain, issuer=Issued(root.certificate, authority("rootB").private_key)).having(
        *chains.identifiers(plain.key, root.private_key)
    )
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")
    alone = replace(plain, issuer=None).having(*chains.identifiers(plain.key, plain.key))
    recipes = {
        "good": plain,
        "expired": replace(plain, end=NOW - DAY),
        "not yet valid": replace(plain, begin=NOW + DAY),
        **{f"purpose {name}": plain.having((x509.ExtendedKeyUsage(oids), False)) for name, oids in usages.items()},
        "no extended key usage": plain.without(x509.ExtendedKeyUsage),
        "no digitalSignature": plain.having((usage("key_encipherment"), True)),
        "key agreement": plain.having((usage("key_agreement"), True)),
        "no subject": replace(plain, name=""),
        "forged": forged,
        "self-signed": alone,
        "unknown critical extension": plain.having((unknown, True)),
        "no extensions but the key's": plain.without(x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage),
        **{kind: client(kind, root, key=key_of(kind)) for kind in ("p-384", "rsa-2048", "rsa-4096", "rsa-1024")},
    }
    made = [Shown(name, (recipe.make(),)) for name, recipe in recipes.items()]
    return [
        *made,
        Shown("ed25519", (_edwards(plain, ed25519.Ed25519PrivateKey.generate()),)),
        Shown("ed448", (_edwards(plain, ed448.Ed448PrivateKey.generate()),)),
        Shown("the root itself", (root,)),
        Shown("issued by one that is no CA", (client("below", no_ca, key=key_of("p-256", 32)).make(), no_ca)),
        Shown("issued by one without constraints", (client("below", without, key=key_of("p-256", 33)).make(), without)),
    ]


def rsa_root() -> Issued:
    """Return a root with an RSA key."""
    return ca("rsaA", None, key=key_of("rsa-2048", 20), **LONG).make()


def by_rsa_pss() -> list[Shown]:
    """Return clients with a key for RSA-PSS only (RFC 4055 1.2), signed by it, or both."""
    plain = client("plain", rsa_root(), key=key_of("rsa-2048", 21))
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    weak = replace(plain, rsa_padding=pss, begin=NOW - 2 * DAY, end=NOW - DAY)
    made = replace(client("of-pss", authority("rootA")), key=key_of("rsa-2048", 22)).make()
    own = resigned(made.certificate, authority("rootA"), _as_pss_key)
    key = made.private_key.private_bytes(PemOrDer.DER, PrivateFormat.PKCS8, NoEncryption())
    return [
        Shown("rsa", (plain.make(),)),
        Shown("signed by RSA-PSS", (replace(plain, rsa_padding=pss).make(),)),
        Shown("signed by RSA-PSS, expired", (weak.make(),)),
        Shown("key for RSA-PSS", (Issued(own, made.private_key),), _pem("PRIVATE KEY", _for_pss(key))),
    ]


_RSA, _RSA_PSS = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"


def _for_pss(key: bytes) -> bytes:
    """Return a public or private key whose algorithm is rsaEncryption as one for RSA-PSS."""
    fields = [field.whole for field in der_reader.read(key).children()]
    plain = der.sequence(der.object_identifier(_RSA), der.NULL)
    return der.sequence(*(der.sequence(der.object_identifier(_RSA_PSS)) if one == plain else one for one in fields))


def _as_pss_key(fields: list[bytes]) -> list[bytes]:
    return [*fields[:6], _for_pss(fields[6]), *fields[7:]]


def _pem(label: str, content: bytes) -> bytes:
    return f"-----BEGIN {label}-----\n{encodebytes(content).decode()}-----END {label}-----\n".encode()


def _edwards(recipe: Recipe, key: ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey) -> Issued:
    return replace(recipe, key=key).having(*chains.identifiers(key, authority("rootA").private_key)).make()


def crl(name: str, **changes: Any) -> x509.CertificateRevocationList:  # noqa: ANN401 - arguments of chains.crl
    """Return a list of a CA, current unless ``changes`` says otherwise."""
    dates = {"this_update": NOW - DAY, "next_update": NOW + DAY}
    return chains.crl(authority(name), **{**dates, **changes})


def roots(*names: str) -> tuple[x509.Certificate, ...]:
    """Return the certificates of these CAs."""
    return tuple(authority(name).certificate for name in names)


def serials(*issued: Issued) -> Sequence[int]:
    """Return the serial numbers to be revoked."""
    return [one.certificate.serial_number for one in issued]
