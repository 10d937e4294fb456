"""A CA with an API for tests: callers with client certificates, one for each role, and requests in JSON."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass, field
from http.client import HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from command import counterseal
from service_process import SECONDS, Running, make_ca

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from http.client import HTTPResponse
    from pathlib import Path

ROLES = ("viewer", "operator", "admin")
CONFIGURATION = "[api]\nrequests_per_minute = 0\n" + "".join(
    f'[[api.access]]\ngroup = "{role}s"\nrole = "{role}"\n' for role in ROLES
)


def make_api(home: Path, configuration: str = CONFIGURATION, names: Sequence[str] = (*ROLES, "nobody")) -> None:
    """Make a CA whose clients ``viewer``, ``operator`` and ``admin`` have these roles, and ``nobody`` none."""
    make_ca(home, configuration)
    for name in names:
        make_client(home, name, *(("--group", f"{name}s") if name in ROLES else ()))


def make_client(home: Path, name: str, *options: str) -> dict[str, Any]:
    """Make a client certificate with its files in ``home/out``; return what the command says."""
    made = counterseal(home, "client", name, "--no-p12", "--out", str(home / "out"), "--json", *options)
    assert made.code == 0, made.stderr
    document: dict[str, Any] = json.loads(made.stdout)
    return document


def make_token(home: Path, name: str, *options: str) -> dict[str, Any]:
    """Make an API token; return what the command says, its secret too."""
    made = counterseal(home, "api", "token", "add", name, "--json", *options)
    assert made.code == 0, made.stderr
    document: dict[str, Any] = json.loads(made.stdout)
    return document


@dataclass
class Answer:
    """What came back."""

    response: HTTPResponse
    content: bytes = field(repr=False)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.response.status

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever was answered
        """The content as JSON."""
        return json.loads(self.content)


@dataclass
class Client:
    """Calls the API of a service as the holder of a client certificate, with a token, or as nobody."""

    service: Running
    name: str | None = None
    token: str | None = field(default=None, repr=False)

    @property
    def files(self) -> tuple[Path, Path]:
        """The certificate with its chain, and its key."""
        out = self.service.home / "out"
        return out / f"{self.name}.fullchain.pem", out / f"{self.name}.key.pem"

    def connect(self) -> HTTPSConnection:
        """Return a connection that shows the certificate."""
        parts = urlsplit(self.service.url)
        context = ssl.create_default_context(cafile=str(self.service.root))
        if self.name is not None:
            context.load_cert_chain(*self.files)
        return HTTPSConnection(parts.hostname or "", parts.port, timeout=SECONDS, context=context)

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer to one request; a mapping is sent as JSON."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if content is not None else {}
        sent |= {"Authorization": f"Bearer {self.token}"} if self.token is not None else {}
        connection = self.connect()
        try:
            connection.request(method, path, content, sent | dict(headers or {}))
            response = connection.getresponse()
            return Answer(response, response.read())
        finally:
            connection.close()
