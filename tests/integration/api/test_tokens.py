"""API tokens shown to a running service: who they are, what they open, and where they end."""

from __future__ import annotations

import json
import socket
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest

from api_client import CONFIGURATION, Client, make_api, make_client, make_token
from command import counterseal
from service_process import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Return a running service that the tests of this module share."""
    home = tmp_path_factory.mktemp("api") / "home"
    make_api(home, CONFIGURATION + '[serve]\nhttp_listen = "127.0.0.1:0"\n')
    with running(home) as service:
        yield service


def bearer(service: Running, name: str, *options: str) -> Client:
    """Return a client with a new token and no certificate."""
    return Client(service, token=make_token(service.home, name, *options)["secret"])


def test_a_token_issues_what_it_is_for(service: Running) -> None:
    """Its own profile, under its own name in the inventory and in the log of CA keys; and no other one."""
    made = make_token(service.home, "pipeline", "--role", "operator", "--profile", "server", "--from", "127.0.0.0/8")
    pipeline, actor = Client(service, token=made["secret"]), f"api:token:pipeline:{made['api_token']['id']}"
    wish = {"profile": "server", "name": "t.example.com", "packing": {"format": "pem"}}
    answer = pipeline.call("POST", "/v1/credentials", wish)
    assert (answer.status, answer.json["certificate"]["created_by"]) == (201, actor)
    grants = [{"role": "operator", "profiles": ["server"]}]
    assert pipeline.call("GET", "/v1/caller").json == {"name": actor[4:], "by_token": True, "grants": grants}
    assert actor in {use["actor"] for use in pipeline.call("GET", "/v1/key-uses?limit=1000").json["key_uses"]}
    refused = pipeline.call("POST", "/v1/credentials", {"profile": "client", "name": "eve"})
    assert (refused.status, refused.json["code"]) == (403, "api.forbidden")
    assert 'error="insufficient_scope"' in refused.response.headers["WWW-Authenticate"]
    listed = json.loads(counterseal(service.home, "api", "token", "list", "--json").stdout)["api_tokens"]
    (mine,) = (one for one in listed if one["name"] == "pipeline")
    assert (mine["last_used_from"], mine["last_used_at"] is None) == ("127.0.0.1", False)
    assert made["secret"] not in str(service.lines)
    assert made["secret"] not in json.dumps(listed)


def test_who_shows_none_is_told_how(service: Running) -> None:
    """RFC 6750 3: without a fault where nothing was shown, and with one where something else was."""
    nobody = Client(service).call("GET", "/v1/cas")
    challenges = nobody.response.headers.get_all("WWW-Authenticate")
    assert (nobody.status, challenges) == (401, ['Bearer realm="counterseal api"', "ClientCertificate"])
    wrong = Client(service, token="csa_0123456789ab_wrong").call("GET", "/v1/cas")
    assert (wrong.status, wrong.json["code"]) == (401, "api.token_unknown")
    assert 'error="invalid_token"' in wrong.response.headers["WWW-Authenticate"]
    empty = Client(service, token="").call("GET", "/v1/cas")
    assert (empty.status, empty.json["code"]) == (400, "api.token_malformed")


def test_a_token_decides_alone(service: Running) -> None:
    """Whatever certificate comes with it."""
    viewer = make_token(service.home, "auditor", "--role", "viewer")["secret"]
    assert Client(service, "admin", viewer).call("POST", "/v1/crls", {}).status == 403


def test_revoked_expired_or_from_elsewhere(service: Running) -> None:
    """It opens nothing from the next request on."""
    made = make_token(service.home, "leaver", "--role", "viewer")
    leaver = Client(service, token=made["secret"])
    assert leaver.call("GET", "/v1/cas").status == 200
    assert counterseal(service.home, "api", "token", "revoke", made["api_token"]["id"]).code == 0
    assert leaver.call("GET", "/v1/cas").json["code"] == "api.token_revoked"
    elsewhere = bearer(service, "elsewhere", "--role", "viewer", "--from", "192.0.2.0/24")
    answer = elsewhere.call("GET", "/v1/cas")
    assert (answer.status, answer.json["code"]) == (401, "api.token_network")


def test_tokens_are_made_over_the_api(service: Running) -> None:
    """By an admin with a certificate: not by an operator, and not by a token, which would outlive its own end."""
    wish, admin = {"name": "made", "role": "admin", "expires": "1d"}, Client(service, "admin")
    made = admin.call("POST", "/v1/api-tokens", wish)
    assert (made.status, made.json["api_token"]["created_by"]) == (201, "api:admin")
    client = Client(service, token=made.json["secret"])
    refused = client.call("POST", "/v1/api-tokens", wish)
    assert (refused.status, refused.json["code"]) == (403, "api.token_beyond")
    assert Client(service, "operator").call("POST", "/v1/api-tokens", wish).json["code"] == "api.forbidden"
    unknown = admin.call("POST", "/v1/api-tokens", wish | {"profiles": ["nothing"]})
    assert (unknown.status, unknown.json["code"]) == (404, "profile.unknown")
    path = f"/v1/api-tokens/{made.json['api_token']['id']}/revoke"
    assert admin.call("POST", path).json["state"] == "revoked"
    assert admin.call("POST", path).status == 409
    assert client.call("GET", "/v1/cas").json["code"] == "api.token_revoked"
    assert "made" in {one["name"] for one in admin.call("GET", "/v1/api-tokens").json["api_tokens"]}


def test_nobody_revokes_what_permits_more_than_he_has(service: Running) -> None:
    """An admin for some profiles ends API tokens for these alone; an operator one-time tokens likewise."""
    bounded = bearer(service, "bounded", "--role", "admin", "--profile", "server")
    inside = make_token(service.home, "inside", "--role", "operator", "--profile", "server")["api_token"]["id"]
    for options in (["--profile", "client"], [], ["--profile", "server", "--profile", "client"]):
        outside = make_token(service.home, "outside", "--role", "viewer", *options)["api_token"]["id"]
        refused = bounded.call("POST", f"/v1/api-tokens/{outside}/revoke")
        assert (refused.status, refused.json["code"]) == (403, "api.token_beyond")
    assert bounded.call("POST", f"/v1/api-tokens/{inside}/revoke").json["state"] == "revoked"
    admin = Client(service, "admin")
    for profile, name, status in (("client", "zoe", 403), ("server", "z.example.com", 200)):
        made = admin.call("POST", "/v1/tokens", {"profile": profile, "name": name}).json["token"]
        assert bounded.call("POST", f"/v1/tokens/{made['id']}/revoke").status == status


def test_a_token_makes_no_certificate_that_is_granted_anything(service: Running) -> None:
    """It would outlive the token; an admin with a certificate may."""
    wish = {"profile": "client", "name": "new-admin", "group": "admins"}
    refused = bearer(service, "minting", "--role", "admin").call("POST", "/v1/credentials", wish)
    assert (refused.status, refused.json["code"]) == (403, "api.escalation")
    assert Client(service, "admin").call("POST", "/v1/credentials", wish).status == 201


def test_a_rehearsal_makes_none(service: Running) -> None:
    """Neither adds nor revokes."""
    command = ("api", "token", "add", "rehearsed", "--role", "viewer", "--dry-run")
    told = counterseal(service.home, *command)
    assert (told.code, "would make an API token for rehearsed: viewer" in told.stdout) == (0, True)
    assert "csa_" not in told.stdout
    assert "rehearsed" not in counterseal(service.home, "api", "token", "list").stdout
    made = make_token(service.home, "kept", "--role", "viewer")
    told = counterseal(service.home, "api", "token", "revoke", made["api_token"]["id"], "--dry-run")
    assert (told.code, Client(service, token=made["secret"]).call("GET", "/v1/cas").status) == (0, 200)


@pytest.mark.parametrize(
    ("path", "part", "wish"),
    [
        ("/v1/tokens", "token", {"profile": "client", "name": "walter"}),
        ("/v1/api-tokens", "api_token", {"role": "viewer", "name": "walter"}),
    ],
)
def test_a_rehearsal_over_the_api_makes_none(service: Running, path: str, part: str, wish: dict[str, Any]) -> None:
    """It shows the token without a secret, checks all that the making checks, and takes none back."""
    admin = Client(service, "admin")
    before = admin.call("GET", path).json
    told = admin.call("POST", path, wish | {"dry_run": True})
    assert (told.status, list(told.json), told.json[part]["state"]) == (200, [part], "open")
    assert admin.call("POST", path, wish | {"dry_run": True, "expires": "0s"}).status == 422
    assert admin.call("GET", path).json == before
    made = admin.call("POST", path, wish)
    revoke = f"{path}/{made.json[part]['id']}/revoke"
    for _ in range(2):
        told = admin.call("POST", f"{revoke}?dry_run=true")
        assert (made.status, told.status, told.json["state"]) == (201, 200, "revoked")
    assert [admin.call("POST", revoke).status for _ in range(2)] == [200, 409]


def test_no_token_is_read_without_tls(service: Running) -> None:
    """The address without TLS has nothing of the API."""
    assert service.http_address is not None
    connection = HTTPConnection(service.http_address, timeout=30)
    connection.request("GET", "/v1/cas", headers={"Authorization": "Bearer csa_0_0"})
    assert connection.getresponse().status == 404
    connection.close()


def test_behind_a_proxy_no_address_is_known(tmp_path: Path) -> None:
    """On a Unix socket a token is read as in TLS; one that is bound to addresses opens nothing there."""
    home, path = tmp_path / "home", tmp_path / "s"
    make_api(home, CONFIGURATION + '[serve]\npublic_url = "https://localhost"\n')
    anywhere, bound = (
        make_token(home, name, "--role", "viewer", *options)["secret"]
        for name, options in (("anywhere", ()), ("bound", ("--from", "0.0.0.0/0", "--from", "::/0")))
    )
    with running(home, "--listen", f"unix:{path}"):
        assert over_unix(path, anywhere) == (200, None)
        assert over_unix(path, bound, "10.1.2.3") == (401, "api.token_network")


def test_behind_a_proxy_that_is_believed_its_word_counts(tmp_path: Path) -> None:
    """One ``X-Real-IP`` with an address; two, of which the client may have sent one, are none."""
    home, path = tmp_path / "home", tmp_path / "s"
    make_api(home, CONFIGURATION + '[serve]\npublic_url = "https://localhost"\ntrust_x_real_ip = true\n')
    bound = make_token(home, "bound", "--role", "viewer", "--from", "10.0.0.0/8")["secret"]
    with running(home, "--listen", f"unix:{path}"):
        assert over_unix(path, bound, "10.1.2.3") == (200, None)
        for values in ((), ("192.0.2.1",), ("10.1.2.3", "192.0.2.1"), ("10.1.2.3, 192.0.2.1",), ("unix:",)):
            assert over_unix(path, bound, *values) == (401, "api.token_network")


def over_unix(path: Path, token: str, *real_ip: str) -> tuple[int, str | None]:
    """Return status and error code of a request over a Unix socket, with these values of ``X-Real-IP``."""
    connection = HTTPConnection("localhost", timeout=30)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(30)
    connection.sock.connect(str(path))
    try:
        connection.putrequest("GET", "/v1/caller")
        for name, value in (("Authorization", f"Bearer {token}"), *(("X-Real-IP", one) for one in real_ip)):
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, json.loads(response.read()).get("code")
    finally:
        connection.close()


def test_one_caller_whatever_his_certificate(service: Running) -> None:
    """A renewed certificate is the same caller's, and one of another subject somebody else's, though of one name."""
    headers, wish = {"Idempotency-Key": "renewed"}, {"profile": "client", "name": "kept", "packing": {"format": "pem"}}
    make_client(service.home, "ci", "--group", "operators")
    ci = Client(service, "ci")
    first = ci.call("POST", "/v1/credentials", wish, headers).json
    old = counterseal(service.home, "rekey", "ci", "--out", str(service.home / "out"), "--force")
    assert old.code == 0, old.stderr
    assert ci.call("POST", "/v1/credentials", wish, headers).json == first
    other = Client(service, "admin").call("POST", "/v1/credentials", wish, headers).json
    assert other["certificate"]["serial_number"] != first["certificate"]["serial_number"]
