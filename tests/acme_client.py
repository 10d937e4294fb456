"""A small ACME client for tests and benchmarks, over kept-alive TLS; it sends whatever it is told to."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from acme_signing import ClientKey, b64, external_binding, jws

if TYPE_CHECKING:
    import ssl

SECONDS = 30


@dataclass
class Answered:
    """An answer: its status, headers and body."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body as JSON."""
        document: dict[str, Any] = json.loads(self.body)
        return document

    @property
    def problem(self) -> str:
        """The type of the problem without its prefix, empty when there is none."""
        if self.headers["content-type"] != "application/problem+json":
            return ""
        return str(self.json["type"]).removeprefix("urn:ietf:params:acme:error:")

    def links(self, relation: str) -> list[str]:
        """Return the URLs of the links with this relation."""
        parts = [line.split(";") for line in self.headers.get_all("link", ())]  # of each line the one, as some read it
        return [url.strip("<>") for url, rel in parts if rel == f'rel="{relation}"']


@dataclass
class Client:
    """One account at one server."""

    directory_url: str
    context: ssl.SSLContext
    key: ClientKey = field(default_factory=ClientKey)
    kid: str | None = None
    nonce: str | None = None
    directory: dict[str, Any] = field(default_factory=dict)
    connection: HTTPConnection | None = None

    def __post_init__(self) -> None:
        self.directory = self.fetch("GET", self.directory_url).json

    def close(self) -> None:
        """Close the connection, and forget the nonce: the next one may lead to a process that takes its own alone."""
        self.nonce = None
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def fetch(self, method: str, url: str, body: bytes | None = None, kind: str | None = None) -> Answered:
        """Send one request over the kept connection."""
        parts = urlsplit(url)
        if self.connection is None:
            self.connection = HTTPSConnection(parts.hostname or "", parts.port, timeout=SECONDS, context=self.context)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        self.connection.request(method, target, body, {"Content-Type": kind} if kind else {})
        response = self.connection.getresponse()
        answered = Answered(response.status, response.headers, response.read())
        if response.will_close:
            self.close()
        self.nonce = response.headers["replay-nonce"] or self.nonce
        return answered

    def take_nonce(self) -> str:
        """Return a nonce that was not used yet."""
        if self.nonce is None:
            self.fetch("HEAD", self.directory["newNonce"])
        nonce, self.nonce = self.nonce, None
        assert nonce is not None
        return nonce

    def sign(self, url: str, payload: object, *, with_jwk: bool = False, **header: Any) -> dict[str, Any]:  # noqa: ANN401 - any member of a header
        """Return the JWS of a request."""
        key = {"jwk": self.key.jwk} if with_jwk or self.kid is None else {"kid": self.kid}
        return jws(self.key, payload, **{"nonce": self.take_nonce(), "url": url, **key, **header})

    def post(self, url: str, payload: object = None, *, with_jwk: bool = False, **header: Any) -> Answered:  # noqa: ANN401 - any member of a header
        """Sign and send; a ``payload`` of None is a POST-as-GET."""
        return self.send(url, self.sign(url, payload, with_jwk=with_jwk, **header))

    def send(self, url: str, document: object) -> Answered:
        """Send a JWS, or whatever it is."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self.fetch("POST", url, body, "application/jose+json")

    def register(self, *, eab: tuple[str, str] | None = None, **members: object) -> Answered:
        """Make the account."""
        url = self.directory["newAccount"]
        bound = {"externalAccountBinding": external_binding(*eab, self.key, url)} if eab else {}
        answered = self.post(url, {"termsOfServiceAgreed": True, **bound, **members}, with_jwk=True)
        self.kid = answered.headers["location"]
        return answered

    def order(self, *names: str, kind: str = "dns", **members: Any) -> Answered:  # noqa: ANN401 - any member of an order
        """Order a certificate for these names."""
        identifiers = [{"type": kind, "value": name} for name in names]
        return self.post(self.directory["newOrder"], {"identifiers": identifiers, **members})

    def challenge(self, order: Answered, kind: str, which: int = 0) -> tuple[dict[str, Any], str]:
        """Return the challenge of one of an order's authorizations, and its key authorization."""
        authorization = self.post(order.json["authorizations"][which])
        (challenge,) = [one for one in authorization.json["challenges"] if one["type"] == kind]
        return challenge, f"{challenge['token']}.{self.key.thumbprint}"

    def wait(self, url: str, *until: str, seconds: float = SECONDS) -> Answered:
        """Poll until the status is one of these."""
        deadline = time.monotonic() + seconds
        while (answered := self.post(url)).json["status"] not in until:
            assert time.monotonic() < deadline, answered.json
            time.sleep(0.02)
        return answered

    def finalize(self, order: dict[str, Any], request: bytes) -> Answered:
        """Send the CSR."""
        return self.post(order["finalize"], {"csr": b64(request)})
