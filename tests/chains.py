"""Chains for path validation, made by the cryptography library alone: one good one, and one for every way to break.

::

    root -- intermediate -- end entity (server.example.com, 192.0.2.7; or a client)

A case names the one check that fails and where, and the number with which OpenSSL refuses (X509_V_ERR), 0 where it
accepts. The cases are used by the unit tests and, against ``openssl verify``, by the integration tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from counterseal.pki import der, der_reader
from counterseal.pki.path.revocation_list import RevocationList
from counterseal.pki.profile import Purpose
from pki_fixtures import Issued, PrivateKey, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOST = x509.DNSName("server.example.com")
DAY = timedelta(days=1)
SERVER_AUTH, CLIENT_AUTH = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
KEYS = {"root": 1, "intermediate": 2, "end entity": 3, "other": 4}


def usage(*names: str) -> x509.KeyUsage:
    """Return a key usage of these names of the library (``digital_signature``, ``key_cert_sign`` ...)."""
    every = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: name in names for name in every})


@dataclass(frozen=True)
class Recipe:
    """What a certificate is made of; extensions by class, with their criticality; None leaves one out."""

    name: str
    key: PrivateKey
    issuer: Issued | None = None
    issuer_name: str | None = None
    serial_number: int = 0x1234567890ABCDEF
    begin: datetime = NOW - 100 * DAY
    end: datetime = NOW + 100 * DAY
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ()
    rsa_padding: padding.PSS | None = None

    def having(self, *extensions: tuple[x509.ExtensionType, bool]) -> Recipe:
        """Return the recipe with these extensions in place of those of the same kind."""
        kinds = {
            type(value) if not isinstance(value, x509.UnrecognizedExtension) else value.oid for value, _ in extensions
        }
        kept = tuple(one for one in self.extensions if type(one[0]) not in kinds)
        return replace(self, extensions=(*kept, *extensions))

    def without(self, *kinds: type[x509.ExtensionType]) -> Recipe:
        """Return the recipe without extensions of these kinds."""
        return replace(self, extensions=tuple(one for one in self.extensions if type(one[0]) not in kinds))

    def make(self) -> Issued:
        """Sign it."""
        issuer = self.issuer
        above = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.issuer_name)]) if self.issuer_name else None
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)] if self.name else [])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(above or (issuer.certificate.subject if issuer else subject))
            .public_key(self.key.public_key())
            .serial_number(self.serial_number)
            .not_valid_before(self.begin)
            .not_valid_after(self.end)
        )
        for value, critical in self.extensions:
            builder = builder.add_extension(value, critical)
        signer = issuer.private_key if issuer else self.key
        without_hash = isinstance(signer, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
        return Issued(
            builder.sign(signer, None if without_hash else hashes.SHA256(), rsa_padding=self.rsa_padding), self.key
        )


def identifiers(key: PrivateKey, issuer_key: PrivateKey) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    """Return both key identifiers."""
    return (
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False),
    )


def ca(name: str, issuer: Issued | None = None, *, key: PrivateKey | None = None, **changes: Any) -> Recipe:  # noqa: ANN401 - fields of the recipe
    """Return the recipe of a CA, self-signed without ``issuer``."""
    own = key or key_of("p-256", KEYS.get(name, 9))
    basics = (
        *identifiers(own, issuer.private_key if issuer else own),
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (usage("key_cert_sign", "crl_sign"), True),
    )
    return Recipe(name, own, issuer, extensions=basics, **changes)


def end_entity(issuer: Issued, purpose: Purpose = Purpose.SERVER, **changes: Any) -> Recipe:  # noqa: ANN401 - fields of the recipe
    """Return the recipe of a server or a client."""
    own = changes.pop("key", None) or key_of("p-256", KEYS["end entity"])
    names = [HOST, x509.IPAddress(ip_address("192.0.2.7"))]
    basics = (
        *identifiers(own, issuer.private_key),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (usage("digital_signature"), True),
        (x509.ExtendedKeyUsage([*purpose.extended_key_usages]), False),
        *([(x509.SubjectAlternativeName(names), False)] if purpose is Purpose.SERVER else []),
    )
    return Recipe(changes.pop("name", HOST.value), own, issuer, extensions=basics, **changes)


@cache
def root() -> Issued:
    """Return the root of all cases."""
    return ca("root").make()


@cache
def intermediate() -> Issued:
    """Return the CA below it."""
    return ca("intermediate", root()).make()


def crl(
    issuer: Issued,
    *,
    revoked: Iterable[int] = (),
    this_update: datetime = NOW - DAY,
    next_update: datetime = NOW + DAY,
    key: PrivateKey | None = None,
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ((x509.CRLNumber(7), False),),
) -> x509.CertificateRevocationList:
    """Return a full list of ``issuer``, signed by ``key`` where it is not the issuer's."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(this_update).next_update(next_update)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    for serial in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(this_update)
        builder = builder.add_revoked_certificate(
            entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), False).build()
        )
    return builder.sign(key or issuer.private_key, hashes.SHA256())


def resigned(
    certificate: x509.Certificate,
    issuer: Issued,
    change: Callable[[list[bytes]], list[bytes]],
    algorithm: str = "sha256",
) -> x509.Certificate:
    """Return a certificate whose fields (version first, in DER) were changed as no builder does, signed by ECDSA."""
    oids = {"sha256": "1.2.840.10045.4.3.2", "sha1": "1.2.840.10045.4.1"}
    identifier = der.sequence(der.object_identifier(oids[algorithm]))
    fields = [field.whole for field in der_reader.read(certificate.tbs_certificate_bytes).children()]
    fields[2] = identifier
    signed = der.sequence(*change(fields))
    key = issuer.private_key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    digest = hashes.SHA1() if algorithm == "sha1" else hashes.SHA256()  # noqa: S303 - what a case needs
    signature = key.sign(signed, ec.ECDSA(digest))
    return x509.load_der_x509_certificate(der.sequence(signed, identifier, der.bit_string(signature)))


@dataclass(frozen=True)
class Case:
    """One question and its answer: the check that fails, at which certificate; what OpenSSL says."""

    name: str
    chain: tuple[x509.Certificate, ...]
    fails: tuple[tuple[str, int | None], ...]
    openssl: int = 0
    purpose: Purpose = Purpose.SERVER
    anchors: tuple[x509.Certificate, ...] = field(default_factory=lambda: (root().certificate,))
    names: tuple[x509.GeneralName, ...] = (HOST,)
    crls: tuple[x509.CertificateRevocationList, ...] | None = None
    depth: int | None = None
    at: datetime = NOW
    warns: tuple[tuple[str, int | None], ...] = ()

    @property
    def lists(self) -> list[RevocationList] | None:
        """The lists as path validation takes them."""
        return None if self.crls is None else [RevocationList(crl.public_bytes(Encoding.DER)) for crl in self.crls]


def _server(change: Callable[[Recipe], Recipe] = lambda recipe: recipe) -> tuple[x509.Certificate, ...]:
    leaf = change(end_entity(intermediate())).make()
    return (leaf.certificate, intermediate().certificate)


def _client(change: Callable[[Recipe], Recipe] = lambda recipe: recipe) -> tuple[x509.Certificate, ...]:
    leaf = change(end_entity(intermediate(), Purpose.CLIENT, name="alice")).make()
    return (leaf.certificate, intermediate().certificate)


def _below(change: Callable[[Recipe], Recipe]) -> tuple[x509.Certificate, ...]:
    """Return a server below a changed intermediate."""
    middle = change(ca("intermediate", root())).make()
    return (end_entity(middle).make().certificate, middle.certificate)


def _network(text: str) -> x509.IPAddress:
    return x509.IPAddress(ip_network(text))


def _long() -> tuple[x509.Certificate, ...]:
    """Two CAs below the root."""
    lower = ca("lower", intermediate(), key=key_of("p-256", 5)).make()
    return (end_entity(lower).make().certificate, lower.certificate, intermediate().certificate)


def _path_length(admitted: int) -> tuple[x509.Certificate, ...]:
    upper = ca("intermediate", root()).having((x509.BasicConstraints(True, admitted), True)).make()
    lower = ca("lower", upper, key=key_of("p-256", 5)).make()
    return (end_entity(lower).make().certificate, lower.certificate, upper.certificate)


def _late(recipe: Recipe) -> Recipe:
    return replace(recipe, end=NOW - DAY)


def _early(recipe: Recipe) -> Recipe:
    return replace(recipe, begin=NOW + DAY)


def _old_root(change: Callable[[Recipe], Recipe]) -> tuple[tuple[x509.Certificate, ...], tuple[x509.Certificate, ...]]:
    old = change(ca("root")).make()
    middle = ca("intermediate", old).make()
    return (end_entity(middle).make().certificate, middle.certificate), (old.certificate,)


def _foreign() -> Issued:
    return ca("foreign root", key=key_of("p-256", KEYS["other"])).make()


def _dates() -> list[Case]:
    expired, expired_anchor = _old_root(_late)
    unborn, unborn_anchor = _old_root(_early)
    return [
        Case("end entity expired", _server(_late), (("validity", 0),), 10),
        Case("end entity not yet valid", _server(_early), (("validity", 0),), 9),
        Case("intermediate expired", _below(_late), (("validity", 1),), 10),
        Case("intermediate not yet valid", _below(_early), (("validity", 1),), 9),
        Case("root expired", expired, (("validity", 2),), 10, anchors=expired_anchor),
        Case("root not yet valid", unborn, (("validity", 2),), 9, anchors=unborn_anchor),
    ]


def _chaining() -> list[Case]:
    foreign = _foreign()
    theirs = end_entity(foreign).make().certificate
    lonely = replace(end_entity(intermediate()), issuer=None).having(
        *identifiers(key_of("p-256", 3), key_of("p-256", 3))
    )
    forged = replace(end_entity(intermediate()), issuer=Issued(intermediate().certificate, foreign.private_key))
    elsewhere = end_entity(intermediate()).having(*identifiers(key_of("p-256", 3), foreign.private_key))
    middle = intermediate().certificate
    return [
        Case("intermediate missing", _server()[:1], (("trust_anchor", 0),), 20),
        Case("root unknown", (*_server(),), (("trust_anchor", 1),), 20, anchors=(foreign.certificate,)),
        Case("root sent but not trusted", (theirs, foreign.certificate), (("trust_anchor", 1),), 19),
        Case("self-signed", (lonely.make().certificate,), (("trust_anchor", 0),), 18),
        Case("signed by another key", (forged.make().certificate, middle), (("signature", 0),), 7),
        Case("names another key", (elsewhere.make().certificate, middle), (("key_identifier", 0),), 20),
        Case("depth just enough", _long(), (), depth=2),
        Case("depth too small", _long(), (("depth", None),), 22, depth=1),
        Case("certificates of others beside", (*_server(), foreign.certificate, theirs), ()),
    ]


def _authorities() -> list[Case]:
    plain = (x509.BasicConstraints(ca=False, path_length=None), True)
    lax = (x509.BasicConstraints(ca=True, path_length=None), False)
    return [
        Case(
            "issuer without basicConstraints",
            _below(lambda one: one.without(x509.BasicConstraints)),
            (("basic_constraints", 1),),
            79,
        ),
        Case("issuer is no CA", _below(lambda one: one.having(plain)), (("basic_constraints", 1),), 79),
        Case("basicConstraints not critical", _below(lambda one: one.having(lax)), (("basic_constraints", 1),), 0),
        Case("path length exceeded", _path_length(0), (("path_length", 2),), 25),
        Case("path length just enough", _path_length(1), ()),
        Case(
            "issuer without keyCertSign",
            _below(lambda one: one.having((usage("crl_sign"), True))),
            (("key_usage", 1),),
            79,
        ),
        Case("issuer without key usage", _below(lambda one: one.without(x509.KeyUsage)), (), warns=(("key_usage", 1),)),
        Case(
            "CA as a server",
            _server(lambda one: one.having((x509.BasicConstraints(True, None), True))),
            (("basic_constraints", 0),),
            0,
        ),
    ]


def _usages() -> list[Case]:
    client_only, any_only = (
        x509.ExtendedKeyUsage([CLIENT_AUTH]),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]),
    )
    both = x509.ExtendedKeyUsage([SERVER_AUTH, CLIENT_AUTH])
    return [
        Case(
            "client certificate as a server",
            _server(lambda one: one.having((client_only, False))),
            (("extended_key_usage", 0),),
            26,
        ),
        Case("server certificate as a client", _server(), (("extended_key_usage", 0),), 26, Purpose.CLIENT, names=()),
        Case(
            "anyExtendedKeyUsage alone",
            _server(lambda one: one.having((any_only, False))),
            (("extended_key_usage", 0),),
            26,
        ),
        Case("both purposes", _server(lambda one: one.having((both, False))), ()),
        Case(
            "no extended key usage",
            _server(lambda one: one.without(x509.ExtendedKeyUsage)),
            (),
            warns=(("extended_key_usage", 0),),
        ),
        Case(
            "no extended key usage, client",
            _client(lambda one: one.without(x509.ExtendedKeyUsage)),
            (),
            purpose=Purpose.CLIENT,
            names=(),
        ),
        Case(
            "intermediate for clients only",
            _below(lambda one: one.having((client_only, False))),
            (("extended_key_usage", 1),),
            26,
        ),
        Case("intermediate for both", _below(lambda one: one.having((both, False))), ()),
        Case(
            "key for encipherment of data only",
            _server(lambda one: one.having((usage("data_encipherment"), True))),
            (("key_usage", 0),),
            26,
        ),
        Case(
            "client key for encipherment only",
            _client(lambda one: one.having((usage("key_encipherment"), True))),
            (("key_usage", 0),),
            26,
            Purpose.CLIENT,
            names=(),
        ),
        Case(
            "keyCertSign without being a CA",
            _server(lambda one: one.having((usage("digital_signature", "key_cert_sign"), True))),
            (("key_usage", 0),),
            0,
        ),
    ]


def _extensions() -> list[Case]:
    unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")
    nothing = ()
    critical_aki = tuple((value, True) for value, _ in identifiers(key_of("p-256", 3), intermediate().private_key)[1:])
    return [
        Case(
            "unknown critical extension",
            _server(lambda one: one.having((unknown, True))),
            (("critical_extensions", 0),),
            34,
        ),
        Case("unknown extension, not critical", _server(lambda one: one.having((unknown, False))), nothing),
        Case(
            "unknown critical extension of a CA",
            _below(lambda one: one.having((unknown, True))),
            (("critical_extensions", 1),),
            34,
        ),
        Case(
            "name constraints of an end entity",
            _server(lambda one: one.having((x509.NameConstraints([HOST], None), True))),
            (("extensions", 0),),
            0,
        ),
        Case(
            "critical authority key identifier",
            _server(lambda one: one.having(*critical_aki)),
            (("extensions", 0),),
            34,
        ),
        Case(
            "no authority key identifier",
            _server(lambda one: one.without(x509.AuthorityKeyIdentifier)),
            (("key_identifier", 0),),
            0,
        ),
        Case(
            "no authority key identifier, client",
            _client(lambda one: one.without(x509.AuthorityKeyIdentifier)),
            nothing,
            0,
            Purpose.CLIENT,
            names=(),
            warns=(("key_identifier", 0),),
        ),
    ]


def _names() -> list[Case]:
    other, address = x509.DNSName("other.example.com"), x509.IPAddress(ip_address("192.0.2.8"))
    wildcard = x509.SubjectAlternativeName([x509.DNSName("*.example.com")])
    bare = (x509.SubjectAlternativeName([other]), False)
    critical = (x509.SubjectAlternativeName([HOST]), True)
    return [
        Case("another name", _server(), (("name", 0),), 62, names=(other,)),
        Case("another address", _server(), (("name", 0),), 64, names=(address,)),
        Case("the address", _server(), (), names=(x509.IPAddress(ip_address("192.0.2.7")),)),
        Case(
            "wildcard", _server(lambda one: one.having((wildcard, False))), (), warns=(("subject_alternative_name", 0),)
        ),
        Case(
            "wildcard for two labels",
            _server(lambda one: one.having((wildcard, False))),
            (("name", 0),),
            62,
            names=(x509.DNSName("a.b.example.com"),),
        ),
        Case("only the common name", _server(lambda one: one.having(bare)), (("name", 0),), 62),
        Case(
            "no names at all",
            _server(lambda one: one.without(x509.SubjectAlternativeName)),
            (("subject_alternative_name", 0), ("name", 0)),
            0,
        ),
        Case("no subject", _server(lambda one: replace(one, name="").having(critical)), ()),
        Case(
            "no subject, names not critical",
            _server(lambda one: replace(one, name="")),
            (("subject_alternative_name", 0),),
            0,
        ),
        Case("no name asked for", _server(), (), names=()),
    ]


def _subtrees() -> list[Case]:
    def under(
        leaf_names: Iterable[x509.GeneralName] = (), **constraints: Iterable[x509.GeneralName]
    ) -> tuple[x509.Certificate, ...]:
        limits = x509.NameConstraints(
            **{
                f"{kind}_subtrees": list(names) or None
                for kind, names in {"permitted": (), "excluded": (), **constraints}.items()
            }
        )
        middle = ca("intermediate", root()).having((limits, True)).make()
        names = x509.SubjectAlternativeName([HOST, *leaf_names])
        return (end_entity(middle).having((names, False)).make().certificate, middle.certificate)

    address, mail = x509.IPAddress(ip_address("192.0.2.7")), x509.RFC822Name("ops@example.com")
    spiffe = x509.UniformResourceIdentifier("spiffe://example.com/a")
    violated = (("name_constraints", 0),)
    elsewhere = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "elsewhere")]))
    own = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST.value)]))
    return [
        Case("DNS permitted", under(permitted=[x509.DNSName("example.com")]), ()),
        Case("DNS outside the permitted", under(permitted=[x509.DNSName("example.org")]), violated, 47),
        Case("DNS excluded", under(excluded=[x509.DNSName("example.com")]), violated, 48),
        Case("DNS beside the excluded", under(excluded=[x509.DNSName("example.org")]), ()),
        Case("address permitted", under([address], permitted=[_network("192.0.2.0/24")]), ()),
        Case("address outside the permitted", under([address], permitted=[_network("198.51.100.0/24")]), violated, 47),
        Case("address excluded", under([address], excluded=[_network("192.0.2.0/24")]), violated, 48),
        Case("mailbox permitted", under([mail], permitted=[x509.RFC822Name("example.com")]), ()),
        Case("mailbox outside the permitted", under([mail], permitted=[x509.RFC822Name("example.org")]), violated, 47),
        Case("mailbox excluded", under([mail], excluded=[x509.RFC822Name("example.com")]), violated, 48),
        Case("URI permitted", under([spiffe], permitted=[x509.UniformResourceIdentifier("example.com")]), ()),
        Case(
            "URI outside the permitted",
            under([spiffe], permitted=[x509.UniformResourceIdentifier("example.org")]),
            violated,
            47,
        ),
        Case("URI excluded", under([spiffe], excluded=[x509.UniformResourceIdentifier("example.com")]), violated, 48),
        Case("subject permitted", under(permitted=[own]), ()),
        Case("subject outside the permitted", under(permitted=[elsewhere]), violated, 47),
        Case("subject excluded", under(excluded=[own]), violated, 48),
    ]


def _policies() -> list[Case]:
    """Return what requireExplicitPolicy, mappings and inhibitions come to; the policies are A, B and any."""
    first, second, any_policy = ("1.3.6.1.4.1.55555.2", "1.3.6.1.4.1.55555.3", "2.5.29.32.0")

    def demand(inhibit_mapping: int | None = None) -> tuple[x509.ExtensionType, bool]:
        return (x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=inhibit_mapping), True)

    def asserting(oid: str) -> tuple[x509.ExtensionType, bool]:
        return (x509.CertificatePolicies([x509.PolicyInformation(ObjectIdentifier(oid), None)]), False)

    def mapping(above: str, below: str) -> tuple[x509.ExtensionType, bool]:
        pair = der.sequence(der.object_identifier(above), der.object_identifier(below))
        return (x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.33"), der.sequence(pair)), True)

    def chain(
        leaf: str | None,
        *cas: tuple[tuple[x509.ExtensionType, bool], ...],
        leaf_extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (),
    ) -> tuple[x509.Certificate, ...]:
        """Return an end entity that asserts ``leaf`` below CAs with these extensions, the upper one first."""
        made = [root()]
        for number, extensions in enumerate(cas):
            made.append(ca(f"policy {number}", made[-1], key=key_of("p-256", 80 + number)).having(*extensions).make())
        recipe = end_entity(made[-1]).having(*([asserting(leaf)] if leaf else []), *leaf_extensions)
        return tuple(one.certificate for one in (recipe.make(), *reversed(made[1:])))

    refused = (("policies", None),)
    upper = (demand(inhibit_mapping=0), asserting(first))
    no_any = ((x509.InhibitAnyPolicy(0), True), demand(), asserting(first))
    return [
        Case("policy required and there", chain(first, (demand(), asserting(first))), ()),
        Case("policy required and missing", chain(None, (demand(), asserting(first))), refused, 43),
        Case("policy required, another one there", chain(second, (demand(), asserting(first))), refused, 43),
        Case("policy mapped", chain(second, (demand(), asserting(first), mapping(first, second))), ()),
        Case("policy mapped away", chain(first, (demand(), asserting(first), mapping(first, second))), refused, 43),
        Case("mapping inhibited", chain(second, upper, (asserting(first), mapping(first, second))), refused, 43),
        Case("any policy", chain(first, (demand(), asserting(any_policy))), ()),
        Case("any policy inhibited", chain(first, no_any, (asserting(any_policy),)), refused, 43),
        Case(
            "policy required by the end entity",
            chain(None, (asserting(first),), leaf_extensions=(demand(),)),
            refused,
            43,
        ),
        Case("policies asserted and none required", chain(second, (asserting(first),)), ()),
    ]


def _keys() -> list[Case]:
    old = resigned(_server()[0], intermediate(), lambda fields: fields, "sha1")
    return [
        Case("RSA of 1024 bits", _server(lambda one: replace(one, key=key_of("rsa-1024"))), (("key_strength", 0),), 66),
        Case("RSA of 2048 bits", _server(lambda one: replace(one, key=key_of("rsa-2048"))), ()),
        Case("signed with SHA-1", (old, intermediate().certificate), (("signature_algorithm", 0),), 68),
    ]


def _revocation() -> list[Case]:
    of_root, of_middle = crl(root()), crl(intermediate())
    foreign = _foreign()
    serial = _server()[0].serial_number
    users, cas = (
        x509.IssuingDistributionPoint(None, None, users, not users, None, False, False) for users in (True, False)
    )
    numbered, delta = (x509.CRLNumber(7), False), x509.DeltaCRLIndicator(6)
    indirect = x509.IssuingDistributionPoint(None, None, False, False, None, True, False)
    partly = x509.IssuingDistributionPoint(
        None, None, False, False, frozenset({x509.ReasonFlags.key_compromise}), False, False
    )
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    unsigning = ca("intermediate", root()).having((usage("key_cert_sign"), True)).make()

    def case(
        name: str, fails: tuple[tuple[str, int | None], ...], openssl: int, *lists: x509.CertificateRevocationList
    ) -> Case:
        return Case(name, _server(), fails, openssl, crls=lists)

    def marked(extension: x509.ExtensionType, *, critical: bool = True) -> x509.CertificateRevocationList:
        return crl(intermediate(), extensions=(numbered, (extension, critical)))

    unusable, critically_numbered = (("crl", 0),), crl(intermediate(), extensions=((x509.CRLNumber(7), True),))
    return [
        case("on no list", (), 0, of_root, of_middle),
        case("end entity revoked", (("revocation", 0),), 23, of_root, crl(intermediate(), revoked=[serial])),
        case(
            "intermediate revoked",
            (("revocation", 1),),
            23,
            crl(root(), revoked=[intermediate().certificate.serial_number]),
            of_middle,
        ),
        case("another serial number revoked", (), 0, of_root, crl(intermediate(), revoked=[serial + 1])),
        case("list of the intermediate missing", (("crl", 0),), 3, of_root),
        case("list of the root missing", (("crl", 1),), 3, of_middle),
        case("list of another CA", (("crl", 0),), 3, of_root, crl(foreign)),
        case(
            "list expired",
            (("crl", 0),),
            12,
            of_root,
            crl(intermediate(), this_update=NOW - 3 * DAY, next_update=NOW - DAY),
        ),
        case(
            "list from the future",
            (("crl", 0),),
            11,
            of_root,
            crl(intermediate(), this_update=NOW + DAY, next_update=NOW + 2 * DAY),
        ),
        case("list signed by another key", (("crl", 0),), 8, of_root, crl(intermediate(), key=foreign.private_key)),
        case("list for CAs", (("crl", 0),), 44, of_root, crl(intermediate(), extensions=(numbered, (cas, True)))),
        case("list for end entities", (), 0, of_root, crl(intermediate(), extensions=(numbered, (users, True)))),
        case(
            "old list beside the new",
            (("revocation", 0),),
            23,
            of_root,
            crl(intermediate(), this_update=NOW - 2 * DAY),
            crl(intermediate(), revoked=[serial]),
        ),
        case("delta", unusable, 0, of_root, marked(delta)),
        case("delta, not critical", unusable, 0, of_root, marked(delta, critical=False)),
        case("indirect list", unusable, 3, of_root, marked(indirect)),
        case("list for a reason", unusable, 3, of_root, marked(partly)),
        case("unknown extension of the list", unusable, 36, of_root, marked(unknown)),
        case("unknown extension of the list, not critical", (), 0, of_root, marked(unknown, critical=False)),
        case("number of the list critical", unusable, 36, of_root, critically_numbered),
        case("list without a number", (("crl", 0),), 0, of_root, crl(intermediate(), extensions=())),
        Case(
            "CA without cRLSign",
            (end_entity(unsigning).make().certificate, unsigning.certificate),
            (("crl", 0),),
            35,
            crls=(of_root, crl(unsigning)),
        ),
    ]


@cache
def cases() -> tuple[Case, ...]:
    """Return all cases."""
    good = [
        Case("good server", _server(), ()),
        Case("good client", _client(), (), purpose=Purpose.CLIENT, names=()),
    ]
    groups = (_dates, _chaining, _authorities, _usages, _extensions, _names, _subtrees, _policies, _keys, _revocation)
    return (*good, *(case for group in groups for case in group()))
