"""The challenges against real servers: what passes, what does not, and where the CA cannot be sent."""

from __future__ import annotations

import socket
import sqlite3
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from hashlib import sha256
from ipaddress import ip_address
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from acme_answers import WELL_KNOWN, acme_certificate, web_server
from acme_client import Client
from acme_signing import b64, csr
from integration.acme.conftest import ENDLESS_HOUR, Lab, start_lab
from nginx_process import BINARIES, PrivateNginx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from acme_answers import Web
    from acme_client import Answered


@pytest.fixture(scope="module")
def eager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Return a server that tries once, and whose failures are not limited."""
    with ExitStack() as stack:
        yield start_lab(stack, tmp_path_factory.mktemp("validation") / "home", "failures_per_hour = 0\nattempts = 1")


@pytest.fixture
def client(eager: Lab) -> Iterator[Client]:
    """Return a client with an account."""
    client = eager.client()
    yield client
    client.close()


def attempt(client: Client, order: Answered, kind: str) -> dict[str, Any]:
    """Let the challenge be tried, and return the authorization with its end."""
    challenge, _ = client.challenge(order, kind)
    assert client.post(challenge["url"], {}).status == 200
    ended = client.wait(order.json["authorizations"][0], "valid", "invalid").json
    assert len(ended["challenges"]) == 1  # of a decided authorization only the attempted one is shown
    return ended


def answered(lab: Lab, client: Client, order: Answered) -> dict[str, Any]:
    """Let http-01 be tried at a host that answers as it should, and return the authorization with its end."""
    challenge, proof = client.challenge(order, "http-01")
    lab.web.put(challenge["token"], proof)
    return attempt(client, order, "http-01")


def error_of(ended: dict[str, Any]) -> tuple[str, str]:
    """Return type and detail of a failed challenge's problem."""
    assert ended["status"] == "invalid"
    error = ended["challenges"][0]["error"]
    return error["type"].removeprefix("urn:ietf:params:acme:error:"), error["detail"]


def test_a_result_that_is_there_soon_comes_with_the_answer(eager: Lab, client: Client) -> None:
    """So that the client need not ask for it; what takes longer is ``processing``, so one in ten will do here."""
    answers = set()
    for number in range(10):
        order = client.order(f"soon{number}.example.com")
        challenge, proof = client.challenge(order, "http-01")
        eager.web.put(challenge["token"], proof)
        answers.add(client.post(challenge["url"], {}).json["status"])
        client.wait(order.headers["location"], "ready")
        if "valid" in answers:
            break
    assert "valid" in answers


def test_dns01_takes_one_right_record_among_many(eager: Lab, client: Client) -> None:
    """Also for a wildcard, which takes nothing else."""
    order = client.order("*.dns.example.com")
    challenge, proof = client.challenge(order, "dns-01")
    assert len(client.post(order.json["authorizations"][0]).json["challenges"]) == 1
    eager.dns.set_text("_acme-challenge.dns.example.com", "something else")
    eager.dns.set_text("_acme-challenge.dns.example.com", b64(sha256(proof.encode()).digest()))
    assert challenge["type"] == "dns-01"
    assert attempt(client, order, "dns-01")["status"] == "valid"
    done = client.finalize(order.json, csr("*.dns.example.com"))
    assert done.json["status"] == "valid"


def test_dns01_fails_with_what_was_found(eager: Lab, client: Client) -> None:
    """Nothing there, or only records of others."""
    assert error_of(attempt(client, client.order("none.example.com"), "dns-01")) == (
        "dns",
        "there is no TXT record at _acme-challenge.none.example.com",
    )
    eager.dns.set_text("_acme-challenge.wrong.example.com", "x")
    kind, detail = error_of(attempt(client, client.order("wrong.example.com"), "dns-01"))
    assert (kind, "1 TXT record, none with the value" in detail) == ("incorrectResponse", True)


@pytest.mark.parametrize(
    ("names", "changes", "problem"),
    [
        (["{host}"], {}, None),
        (["{host}", "more.example.com"], {}, "must name exactly"),
        (["other.example.com"], {}, "must name exactly"),
        (["{host}"], {"critical": False}, "not critical"),
        (["{host}"], {"change": lambda octets: octets[:-1] + b"x"}, "not of this account's key"),
        (["{host}"], {"change": lambda octets: octets + b"x"}, "not of this account's key"),
    ],
    ids=["right", "two names", "other name", "not critical", "other digest", "trailing octet"],
)
def test_tlsalpn01_takes_the_one_certificate(
    eager: Lab,
    client: Client,
    tmp_path: Path,
    names: list[str],
    changes: dict[str, Any],
    problem: str | None,
) -> None:
    """RFC 8737 3: exactly one name, the identifier critical and right."""
    host = f"{sha256(repr((names, problem)).encode()).hexdigest()[:8]}.tls.example.com"
    order = client.order(host)
    _, proof = client.challenge(order, "tls-alpn-01")
    certificate = acme_certificate([name.format(host=host) for name in names], proof, tmp_path, **changes)
    with speaking(eager, certificate):
        ended = attempt(client, order, "tls-alpn-01")
    if problem is None:
        assert ended["status"] == "valid"
    else:
        kind, detail = error_of(ended)
        assert (kind, problem in detail) == ("incorrectResponse", True), detail


def test_tlsalpn01_needs_its_protocol_and_a_server(eager: Lab, client: Client, tmp_path: Path) -> None:
    """A web server with the right certificate by chance is not enough (RFC 8737 3)."""
    order = client.order("alpn.example.com")
    _, proof = client.challenge(order, "tls-alpn-01")
    with speaking(eager, acme_certificate(["alpn.example.com"], proof, tmp_path), "http/1.1"):
        assert error_of(attempt(client, order, "tls-alpn-01"))[0] == "tls"
    kind, detail = error_of(attempt(client, client.order("nobody.example.com"), "tls-alpn-01"))
    assert (kind, "refused" in detail) == ("connection", True), detail


def test_tlsalpn01_says_that_nginx_does_not_speak_its_protocol(eager: Lab, client: Client, tmp_path: Path) -> None:
    """The usual web server ends the handshake with an alert (RFC 7301 3.2), for which the library has no constant."""
    own = acme_certificate(["alpn.example.com"], "", tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/run/pid; error_log stderr; events {{}} http {{ access_log off; server {{"
        f" listen 127.0.0.1:{eager.tls_port} ssl; ssl_certificate {own}; ssl_certificate_key {own}; }} }}"
    )
    nginx = PrivateNginx(tmp_path, BINARIES["debian"] or tmp_path, tmp_path / "nginx.conf")
    nginx.start(("127.0.0.1", eager.tls_port))
    try:
        kind, detail = error_of(attempt(client, client.order("alpn.example.com"), "tls-alpn-01"))
    finally:
        nginx.stop()
    assert (kind, "tlsv1 alert no application protocol" in detail) == ("tls", True), detail


def speaking(eager: Lab, certificate: Path, protocol: str = "acme-tls/1") -> Any:  # noqa: ANN401 - a context manager
    """Speak TLS at the server's port for tls-alpn-01."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols([protocol])
    return web_server(context, port=eager.tls_port)


def test_addresses_are_certified_by_http_and_by_tls(eager: Lab, client: Client, tmp_path: Path) -> None:
    """RFC 8738: without a name being looked up, and with the name of the reverse tree in TLS."""
    order = client.order("127.0.0.1", kind="ip")
    kinds = {one["type"] for one in client.post(order.json["authorizations"][0]).json["challenges"]}
    assert kinds == {"http-01", "tls-alpn-01"}
    assert answered(eager, client, order)["status"] == "valid"
    done = client.finalize(order.json, csr(x509.IPAddress(ip_address("127.0.0.1"))))
    chain = x509.load_pem_x509_certificate(client.post(done.json["certificate"]).body)
    names = chain.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("127.0.0.1")]
    second = client.order("127.0.0.1", kind="ip")
    client.post(second.json["authorizations"][0], {"status": "deactivated"})
    third = client.order("127.0.0.1", kind="ip")
    _, proof = client.challenge(third, "tls-alpn-01")
    with speaking(eager, acme_certificate(["127.0.0.1"], proof, tmp_path)):
        assert attempt(client, third, "tls-alpn-01")["status"] == "valid"


def endless(stream: Any) -> None:  # noqa: ANN401 - a file
    """Answer without end."""
    stream.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(10_000):
        stream.write(b"x" * 1000)


def noise(stream: Any) -> None:  # noqa: ANN401 - a file
    """Answer with what is no HTTP."""
    stream.write(b"\x00\x01\x02 hello\r\n\r\n")


def cut(stream: Any) -> None:  # noqa: ANN401 - a file
    """Answer half and hang up."""
    stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf")


def changing(stream: Any) -> None:  # noqa: ANN401 - a file
    """Answer that another protocol follows."""
    stream.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nmore")


def early(proof: str) -> Callable[[Any], None]:
    """Answer with a hint first (RFC 8297), then with the page."""

    def write(stream: Any) -> None:  # noqa: ANN401 - a file
        stream.write(b"HTTP/1.1 103 Early Hints\r\nLocation: /elsewhere\r\n\r\n")
        stream.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(proof)}\r\n\r\n{proof}".encode())

    return write


def to(location: str) -> Callable[[Web, str], Any]:
    """Return a page that redirects; ``{token}`` and ``{port}`` stand for what they are."""
    return lambda web, token: (302, {"Location": location.format(token=token, port=web.port)}, b"")


REFUSED: dict[str, tuple[Any, str, str]] = {
    "another text": (b"something else", "incorrectResponse", "not the key authorization"),
    "nothing": (b"", "incorrectResponse", "not the key authorization"),
    "not found": ((404, {}, b""), "incorrectResponse", "status 404"),
    "too long": (b"x" * 100_000, "incorrectResponse", "too long"),
    "endless": (endless, "incorrectResponse", "too long"),
    "no http": (noise, "connection", "does not speak HTTP"),
    "another protocol": (changing, "connection", "changes to a protocol not asked for"),
    "cut": (cut, "incorrectResponse", "not the key authorization"),
    "to a file": (to("file:///etc/passwd"), "connection", "no http or https URL"),
    "to another page": (
        to("http://intern.example.com:{port}/admin?/{token}"),
        "connection",
        "does not end in the token",
    ),
    "to another port": (to("http://intern.example.com:22/{token}"), "connection", "port 22"),
    "to metadata": (to("http://169.254.169.254/latest/{token}"), "connection", "link-local"),
    "to metadata in IPv6": (to("http://[::ffff:169.254.169.254]/{token}"), "connection", "link-local"),
    "to itself": (to("/.well-known/acme-challenge/{token}"), "connection", "redirects"),
    "with a password": (to("http://a:b@intern.example.com:{port}/{token}"), "connection", "no http or https URL"),
    "with a zone": (to("http://[fd99::5%1]/{token}"), "connection", "no http or https URL"),
    "with a zone in RFC 6874": (to("http://[fd99::5%25lo]/{token}"), "connection", "no http or https URL"),
    "to nonsense": (to("http://[::1/{token}"), "connection", "no URL"),
    "with a space": ((302, {"Location": "http://x/ {token}"}, b""), "connection", "no http or https URL"),
}


@pytest.mark.parametrize(("page", "kind", "detail"), REFUSED.values(), ids=REFUSED)
def test_http01_refuses(eager: Lab, client: Client, page: Any, kind: str, detail: str) -> None:  # noqa: ANN401 - any page
    """What is no key authorization, and redirects to where validation does not go."""
    order = client.order(f"{sha256(detail.encode() + repr(page).encode()).hexdigest()[:12]}.example.com")
    challenge, _ = client.challenge(order, "http-01")
    made = (
        page(eager.web, challenge["token"]) if callable(page) and page not in {endless, noise, cut, changing} else page
    )
    eager.web.pages[WELL_KNOWN + challenge["token"]] = made
    found = error_of(attempt(client, order, "http-01"))
    assert (found[0], detail in found[1]) == (kind, True), found
    assert "root:" not in found[1]


def test_http01_follows_a_redirect_to_where_the_token_is(eager: Lab, client: Client) -> None:
    """As from http to the port of https, whose certificate does not matter yet."""
    order = client.order("moved.example.com")
    challenge, proof = client.challenge(order, "http-01")
    token = challenge["token"]
    eager.web.pages[WELL_KNOWN + token] = (301, {"Location": f"http://cdn.example.com:{eager.web.port}/x/{token}"}, b"")
    eager.web.pages[f"/x/{token}"] = f"{proof}\n".encode()
    assert attempt(client, order, "http-01")["status"] == "valid"
    assert (f"cdn.example.com:{eager.web.port}", f"/x/{token}") in eager.web.asked


def test_a_challenge_under_way_does_not_succeed_by_being_given_back(eager: Lab, client: Client) -> None:
    """As certbot gives back what it has asked for when one of several names fails (RFC 8555 7.5.2)."""
    order, go_on = client.order("back.example.com"), Event()
    challenge, _ = client.challenge(order, "http-01")
    eager.web.pages[WELL_KNOWN + challenge["token"]] = lambda _: go_on.wait(30)
    try:
        assert client.post(challenge["url"], {}).json["status"] == "processing"
        given_back = client.post(order.json["authorizations"][0], {"status": "deactivated"})
        assert given_back.json["status"] == "deactivated"
        assert [one["status"] for one in given_back.json["challenges"]] == ["invalid"]
    finally:
        go_on.set()


def test_http01_waits_for_the_answer_behind_a_hint(eager: Lab, client: Client) -> None:
    """RFC 9110 15.2: whoever asks reads interim answers and goes on."""
    order = client.order("early.example.com")
    challenge, proof = client.challenge(order, "http-01")
    eager.web.pages[WELL_KNOWN + challenge["token"]] = early(proof)
    assert attempt(client, order, "http-01")["status"] == "valid"


def test_an_address_of_the_ca_itself_is_not_contacted(client: Client) -> None:
    """Nor wrapped in IPv6."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this machine has loopback addresses only")
        own = probe.getsockname()[0]
    for text in (own, f"::ffff:{own}"):
        kind, detail = error_of(attempt(client, client.order(str(ip_address(text)), kind="ip"), "http-01"))
        assert (kind, "an address of this CA itself" in detail) == ("connection", True), detail


@pytest.mark.parametrize("address", ["169.254.169.254", "0.0.0.1", "224.0.0.5"])
def test_a_name_that_points_to_where_validation_does_not_go(eager: Lab, client: Client, address: str) -> None:
    """No connection is made; a name with one good and one bad address is asked at the good one."""
    host = f"x{address.replace('.', '-')}.example.com"
    eager.dns.records[host, "A"] = [address]
    kind, detail = error_of(attempt(client, client.order(host), "http-01"))
    assert (kind, "by policy" in detail) == ("connection", True)
    eager.dns.records[f"both.{host}", "A"] = [address, "127.0.0.1"]
    order = client.order(f"both.{host}")
    assert answered(eager, client, order)["status"] == "valid"


def test_the_address_that_was_checked_is_the_one_that_is_used(eager: Lab, client: Client) -> None:
    """A name server that changes its mind between two questions is asked once (DNS rebinding)."""
    order = client.order("rebind.example.com")
    challenge, proof = client.challenge(order, "http-01")
    eager.web.put(challenge["token"], proof)
    before = len(eager.dns.asked)
    assert attempt(client, order, "http-01")["status"] == "valid"
    asked = [kind for name, kind in eager.dns.asked[before:] if name == "rebind.example.com"]
    assert sorted(asked) == ["A", "AAAA"]


def test_a_record_that_comes_late_is_found_by_a_later_attempt(lab: Lab) -> None:
    """Within the few seconds that validation takes."""
    client = lab.client()
    order = client.order("late.example.com")
    challenge, proof = client.challenge(order, "dns-01")
    client.post(challenge["url"], {})
    deadline = time.monotonic() + 30
    while ("_acme-challenge.late.example.com", "TXT") not in lab.dns.asked:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    lab.dns.set_text("_acme-challenge.late.example.com", b64(sha256(proof.encode()).digest()))
    assert client.wait(order.json["authorizations"][0], "valid", "invalid").json["status"] == "valid"
    client.close()


def test_this_machine_is_not_reached_unless_allowed(tmp_path: Path) -> None:
    """The default: loopback addresses are closed."""
    with ExitStack() as stack:
        lab = start_lab(stack, tmp_path / "home", "attempts = 1", allowed="")
        client = lab.client()
        kind, detail = error_of(attempt(client, client.order("own.example.com"), "http-01"))
        assert (kind, "a loopback address" in detail) == ("connection", True)
        client.close()


def test_caa_is_checked_where_it_is_configured(tmp_path: Path) -> None:
    """RFC 8659: the closest records count, wildcards have their own tag, unknown critical tags forbid."""
    with ExitStack() as stack:
        lab = start_lab(stack, tmp_path / "home", 'caa_identities = ["ca.example.net"]')
        lab.dns.records["open.example.com", "CAA"] = ['0 issue "other.example"', '0 issue "ca.example.net"']
        lab.dns.records["closed.example.com", "CAA"] = ['0 issue "other.example"']
        lab.dns.records["strange.example.com", "CAA"] = ['128 unheard "x"']
        lab.dns.records["octets.example.com", "CAA"] = [r'0 issue "\255\254"']
        lab.dns.records["method.example.com", "CAA"] = ['0 issue "ca.example.net; validationmethods=dns-01"']
        client = lab.client()
        outcomes = {}
        for host in ("open", "closed", "www.closed", "strange", "octets", "method", "free"):
            order = client.order(f"{host}.example.com")
            ended = answered(lab, client, order)
            outcomes[host] = "valid" if ended["status"] == "valid" else error_of(ended)[0]
        client.close()
    assert outcomes == {
        "open": "valid",
        "closed": "caa",
        "www.closed": "caa",
        "strange": "caa",
        "octets": "caa",
        "method": "caa",
        "free": "valid",
    }


def test_caa_is_asked_again_where_an_authorization_is_used_again(tmp_path: Path) -> None:
    """Right before issuing (RFC 8659 3): the owner of the domain may have changed his mind; the order stays ready."""
    with ExitStack() as stack:
        lab = start_lab(stack, tmp_path / "home", 'caa_identities = ["ca.example.net"]')
        lab.dns.records["a.example.com", "CAA"] = ['0 issue "ca.example.net"']
        client = lab.client()
        order = client.order("a.example.com")
        assert answered(lab, client, order)["status"] == "valid"
        again = client.order("a.example.com")
        assert again.json["status"] == "ready"
        signing = b64(csr(x509.DNSName("a.example.com")))
        for other in ("other.example", r"\255\254"):
            lab.dns.records["a.example.com", "CAA"] = [f'0 issue "{other}"']
            refused = client.post(again.json["finalize"], {"csr": signing})
            assert (refused.status, refused.problem) == (403, "caa")
            assert refused.json["subproblems"][0]["identifier"] == {"type": "dns", "value": "a.example.com"}
        lab.dns.records["a.example.com", "CAA"] = ['0 issue "ca.example.net"']
        assert client.post(again.json["finalize"], {"csr": signing}).json["status"] == "valid"
        client.close()


def test_caa_is_asked_again_where_it_was_asked_long_ago(tmp_path: Path) -> None:
    """An order may wait for days between its validation and its CSR."""
    with ExitStack() as stack:
        lab = start_lab(stack, tmp_path / "home", 'caa_identities = ["ca.example.net"]')
        lab.dns.records["a.example.com", "CAA"] = ['0 issue "ca.example.net"']
        client = lab.client()
        order = client.order("a.example.com")
        assert answered(lab, client, order)["status"] == "valid"
        lab.dns.records["a.example.com", "CAA"] = ['0 issue "other.example"']
        with closing(sqlite3.connect(lab.service.home / "store.sqlite")) as store, store:
            store.execute("update acme_order set created_at = created_at - 36000")
            store.execute("update acme_authorization set validated_at = validated_at - 30000")
        signing = b64(csr(x509.DNSName("a.example.com")))
        refused = client.post(order.json["finalize"], {"csr": signing})
        assert (refused.status, refused.problem) == (403, "caa")
        lab.dns.records["a.example.com", "CAA"] = ['0 issue "ca.example.net"']
        assert client.post(order.json["finalize"], {"csr": signing}).json["status"] == "valid"
        client.close()


def test_an_account_that_ends_while_caa_is_asked_gets_no_certificate(tmp_path: Path) -> None:
    """RFC 8555 7.3.6: what was asked before, and is not done yet, is not done."""
    with ExitStack() as stack:
        lab = start_lab(stack, tmp_path / "home", 'caa_identities = ["ca.example.net"]')
        client = lab.client()
        order = client.order("a.example.com")
        assert answered(lab, client, order)["status"] == "valid"
        again = client.order("a.example.com")
        asked, go_on = Event(), Event()

        def waits(_: str, kind: str) -> bool:
            if kind == "CAA":
                asked.set()
                go_on.wait(30)
            return False

        lab.dns.silent = waits
        other = Client(lab.directory, lab.context, client.key, client.kid)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(client.finalize, again.json, csr(x509.DNSName("a.example.com")))
            assert asked.wait(30)
            assert other.post(client.kid or "", {"status": "deactivated"}).status == 200
            go_on.set()
            assert (waiting.result().status, waiting.result().problem) == (401, "unauthorized")
        for one in (client, other):
            one.close()


def test_failures_and_orders_of_an_account_are_limited(tmp_path: Path) -> None:
    """429 with a few whole seconds to wait (RFC 8555 6.6); other accounts go on."""
    with ExitStack() as stack:
        limits = "attempts = 1\nfailures_per_hour = 1\norders_per_hour = 3"
        lab = start_lab(stack, tmp_path / "home", limits, program=("-c", ENDLESS_HOUR.format(more="")))
        client, other = lab.client(), lab.client()
        attempt(client, client.order("a.example.com"), "dns-01")
        second = client.order("b.example.com")
        challenge, _ = client.challenge(second, "dns-01")
        limited = client.post(challenge["url"], {})
        assert (limited.status, limited.problem) == (429, "rateLimited")
        assert 1 <= int(limited.headers["retry-after"]) <= 600
        assert client.order("c.example.com").status == 201
        assert client.order("d.example.com").problem == "rateLimited"
        assert other.order("d.example.com").status == 201
        client.close()
        other.close()
