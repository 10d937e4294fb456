"""What can be asked for in a body, and what is answered when a certificate was issued, as types."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from counterseal.bundles.pkcs12 import FAST_ROUNDS, MAX_ROUNDS
from counterseal.protocols.api.shapes import Certificate, Described, DryRun, InForce, Lifetime, Name, Sealed, Text

Format = Literal["p12", "pem", "mobileconfig", "java", "kubernetes"]
KeyKind = Annotated[
    Literal["p-256", "p-384", "p-521", "ed25519", "rsa-2048", "rsa-3072", "rsa-4096"], Described(description="The key.")
]
Password = Annotated[
    str,
    Described(max_length=128, description="12 to 128 printable ASCII characters; without one, one is made."),
]


EXAMPLE_CSR = (
    "-----BEGIN CERTIFICATE REQUEST-----\n"
    "MIIBAjCBqQIBADAaMRgwFgYDVQQDDA9hcHAuZXhhbXBsZS5jb20wWTATBgcqhkjO\n"
    "PQIBBggqhkjOPQMBBwNCAATEjTmbNx7F+vM4jxQ30UCUOmQ0+ygLnMAFGCBi3jz0\n"
    "YFwnlhKlXJqbRVTp3SkLypu0bqzmGuFLGeeQlBFDOjV0oC0wKwYJKoZIhvcNAQkO\n"
    "MR4wHDAaBgNVHREEEzARgg9hcHAuZXhhbXBsZS5jb20wCgYIKoZIzj0EAwIDSAAw\n"
    "RQIhAMbo7QWKhNKS63PizfF1rkKSmD7el6O9G30v+KpIhB6mAiBWCvqI8+OTSzjV\n"
    "APpdsXnSOQUx3fzJDj3TNmkjGkOMNg==\n"
    "-----END CERTIFICATE REQUEST-----\n"
)
"""For CN and DNS:app.example.com, P-256; its key was thrown away."""


class Wish(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What a certificate is to say."""

    profile: Annotated[
        Name, Described(description="What it is for: server, client, or one of your own.", examples=["server"])
    ]
    names: Annotated[
        list[Text],
        Described(max_length=100, description="More names: a DNS name, IP:, email:, URI:.", examples=[["10.0.0.7"]]),
    ] = []
    group: Annotated[Name | None, Described(description="Group (OU) of a client, by which a site admits it.")] = None
    subject: Annotated[Text | None, Described(description="Subject instead of CN=name.")] = None
    lifetime: Annotated[Lifetime | None, Described(description="By default the profile's.")] = None
    issuer: Annotated[Name | None, Described(description="Its CA; by default the active one of the purpose.")] = None
    dry_run: DryRun = False


class Packing(Sealed, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """How a certificate and its key are handed over."""

    format: Annotated[Format, Described(description="For whom the files are.")] = "p12"
    password: Password | None = None
    compatible: Annotated[bool, Described(description="For old macOS, iOS, Android < 14, Windows Server 2016.")] = False
    rounds: Annotated[
        Annotated[int, Described(ge=FAST_ROUNDS, le=MAX_ROUNDS)] | None,
        Described(description="Key derivation of a PKCS#12; by default 20000."),
    ] = None


class SignWish(Wish, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A CSR to be signed; of its subject only the common name is taken."""

    csr: Annotated[
        str, Described(min_length=1, max_length=60_000, description="PEM, RFC 2986.", examples=[EXAMPLE_CSR])
    ]
    name: Annotated[Name | None, Described(description="What to call it; by default the CSR's own name.")] = None


class CredentialWish(Wish, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A certificate for a key that is made here, handed over once, and not kept."""

    name: Annotated[
        Name,
        Described(description="What to call it: a DNS name or an address of a server.", examples=["app.example.com"]),
    ]
    key: KeyKind = "p-256"
    packing: Packing = Packing()


class RenewWish(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How long the new one lives; null for as long as the one before."""

    lifetime: Lifetime | None = None
    dry_run: DryRun = False


class RekeyWish(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A new key for the same certificate; of the kind as before unless ``key`` says otherwise."""

    key: KeyKind | None = None
    lifetime: Lifetime | None = None
    revoke_old: Annotated[
        bool, Described(description="Revoke the one before as superseded, in the same step, and publish the list.")
    ] = False
    packing: Packing = Packing()
    dry_run: DryRun = False


class ExportWish(Sealed, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """How to pack it; every format but pem needs the private key, which is used for this answer and not kept."""

    packing: Packing = Packing(format="pem")
    private_key: Annotated[str, Described(max_length=20_000, description="PEM, not encrypted.")] | None = None


class File(msgspec.Struct, frozen=True):
    """A file of a bundle."""

    name: str
    content: Annotated[str, Described(extra_json_schema={"contentEncoding": "base64"})]


class Remark(msgspec.Struct, frozen=True):
    """Something to know about what was issued."""

    code: str
    message: str
    hint: str | None


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate that was issued, with its chain in PEM as a server sends it."""

    certificate: Certificate
    chain: str
    remarks: list[Remark]


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """What would be issued; its serial number would be drawn anew."""

    certificate: Certificate
    remarks: list[Remark]


class Bundle(Sealed, frozen=True, kw_only=True):
    """Files for a holder; ``password`` is that of the files where they have one."""

    certificate: Certificate
    files: list[File]
    password: str | None
    remarks: list[Remark]


class Rekeyed(Bundle, frozen=True, kw_only=True):
    """Files with the new key; of the certificate before, what ``revoke_old`` made of it, null without."""

    revoked: Certificate | None
    in_force: InForce | None


class Kept(Sealed, frozen=True):
    """What an answer is made from again: the certificate, and of a key made here the only copy there is."""

    issuer: str
    serial_number: str
    private_key: bytes | None = None
    password: str | None = None
    remarks: list[Remark] = msgspec.field(default_factory=list)
