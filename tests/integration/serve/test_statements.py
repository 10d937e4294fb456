"""Whatever the service asks its store, in either database: no statement reads a table from end to end.

A service is used in every way that certificates are made, shown, revoked and looked up; each statement that it ran is
explained by the database. So the same request costs the same with a thousand certificates and with a million.
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from acme_answers import web_server
from acme_client import Client as AcmeClient
from acme_signing import csr
from api_client import CONFIGURATION, Client, make_client
from counterseal.compose.home import settings_of
from counterseal.compose.stores import open_store
from counterseal.protocols.acme.renewal import CertificateName
from integration.serve.test_publication import fetch
from ports import free_port
from postgresql_process import cluster
from recording import DONE, UNDER_WAY
from service_process import SECONDS, Running, make_ca, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from acme_answers import Web
    from counterseal.store.store import Store

    Scans = Callable[[Store, str], list[str]]

pytestmark = pytest.mark.slow

FEW = {
    "ca": "a row for each CA",
    "key_use_head": "one row",
    "key_use_tallied": "one row",
    "key_use_tally": "a row for each profile, CA and face",
    "crl": "of which the newest of each CA is kept",
    "reminder": "a row for each thing that was reminded of",
    "lease": "a row for each CA",
    "reserved_block": "a row for each chunk of a batch that is under way, or was ended",
}
"""Tables that do not grow with what is issued, and why."""

OPEN = ("certificate_reserved", "acme_authorization_attempted", "acme_order_processing")
"""Indexes that hold only what is under way."""

FINISHED = ("r", "m", "CONSTANT")
"""What a search calls its finished pages, of which it merges several; and a row that is no table's."""

COUNTED = ("from revocation group by",)
"""What is counted beside all requests, once a minute."""


@dataclass
class Used:
    """A service that was used, the statements that it ran, and its store."""

    store: Store
    statements: list[str]
    scans: Scans


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def used(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Used]:
    """Return the statements of a service that was used in every way."""
    base = tmp_path_factory.mktemp("statements")
    home, record = base / "home", base / "statements"
    url = cluster().create() if request.param == "postgresql" else None
    more = f'[store]\nurl = "{url}"\n' if url else ""
    with web_server() as web:
        more += f'[acme]\nallow_networks = ["127.0.0.0/8"]\nhttp_port = {web.port}\n'
        more += '[serve]\nlisten = "127.0.0.1:0"\nmetrics_listen = "127.0.0.1:0"\nnames = ["127.0.0.1"]\n'
        more += f'http_listen = "127.0.0.1:{free_port()}"\n'
        make_ca(home, CONFIGURATION.replace("per_minute = 0", "per_minute = 60000") + more)
        make_client(home, "admin", "--group", "admins")
        with running(home, "--name", "127.0.0.1", recording=record) as service:
            use_api(service)
            use_acme(service, web)
            use_publication(service)
            wait_for_upkeep(record)
    lines: list[str] = [json.loads(line) for line in record.read_text().splitlines()]
    with open_store(home, settings_of(home).store) as store:
        if url:
            store.run("set enable_seqscan = off")  # tables are nearly empty: who scans all the same has no index
            store.run("set plan_cache_mode = force_generic_plan")
        asked = [one for one in lines if one.split()[0].lower() in {"select", "insert", "update", "delete", "with"}]
        yield Used(store, asked, scans_of_postgresql if url else scans_of_sqlite)
    if url:
        cluster().drop(url)


def use_api(service: Running) -> None:
    """Issue, look, revoke and hand out tokens by the API, and use one of them for EST."""
    admin, request = Client(service, "admin"), {"profile": "client", "name": "a", "packing": {"format": "pem"}}
    made = [
        call(admin, "POST", "/v1/credentials", request | {"name": f"a{number}"}, {"Idempotency-Key": f"k{number // 2}"})
        for number in (0, 0, 2)
    ]
    serials = [one["certificate"]["serial_number"] for one in made]
    for query in ("", "?limit=1", "?name=a0", "?name=a*", "?status=valid&issuer=clients&profile=client&limit=1"):
        page = call(admin, "GET", f"/v1/certificates{query}")
        if page.get("next"):
            call(admin, "GET", f"/v1/certificates?limit=1&after={page['next']}")
    for path in (f"certificates/{serials[0]}", "cas", "cas/clients", "crls", "profiles", "key-uses", "tokens"):
        call(admin, "GET", f"/v1/{path}")
    signed = call(admin, "POST", "/v1/certificates", {"csr": pem(csr("b.example.com")), "profile": "server"})
    call(admin, "POST", f"/v1/certificates/{signed['certificate']['serial_number']}/renew", {})
    call(admin, "POST", f"/v1/certificates/{serials[0]}/revoke", {"reason": "certificate_hold"})
    call(admin, "POST", f"/v1/certificates/{serials[0]}/unrevoke")
    call(admin, "POST", f"/v1/certificates/{serials[0]}/revoke", {"reason": "superseded"})
    bearer = Client(service, token=call(admin, "POST", "/v1/api-tokens", {"name": "ci", "role": "viewer"})["secret"])
    call(bearer, "GET", "/v1/caller")
    secret = call(admin, "POST", "/v1/tokens", {"profile": "client", "name": "device"})["secret"]
    headers = {"Content-Type": "application/pkcs10", "Authorization": f"Bearer {secret}"}
    answer, body = service.request("POST", "/.well-known/est/simpleenroll", base64.b64encode(csr()), headers)
    assert answer.status == 200, body


def use_acme(service: Running, web: Web) -> None:
    """Order, renew what is replaced, look, revoke and change the key."""
    client = AcmeClient(f"{service.url}/acme/directory", Client(service).connect()._context)  # type: ignore[attr-defined] # of the standard library
    client.register()
    chain, replaced = order(client, web), {}
    for _ in range(2):
        certificate = x509.load_pem_x509_certificate(chain)
        key = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        name = str(CertificateName(key or b"", certificate.serial_number))
        assert client.fetch("GET", f"{client.directory['renewalInfo']}/{name}").status == 200
        replaced = {"replaces": name}
        chain = order(client, web, **replaced)
    assert client.post(f"{client.kid}/orders").status in {200, 404}
    der = x509.load_pem_x509_certificate(chain).public_bytes(Encoding.DER)
    encoded = base64.urlsafe_b64encode(der).rstrip(b"=").decode()
    assert client.post(client.directory["revokeCert"], {"certificate": encoded}).status == 200
    client.close()


def order(client: AcmeClient, web: Web, **members: str) -> bytes:
    """Return the chain of a whole order."""
    ordered = client.order("127.0.0.1", kind="ip", **members)
    assert ordered.status == 201, ordered.json
    if ordered.json["status"] == "pending":
        challenge, proof = client.challenge(ordered, "http-01")
        web.put(challenge["token"], proof)
        client.post(challenge["url"], {})
        client.wait(ordered.headers["location"], "ready")
    client.finalize(ordered.json, csr(x509.IPAddress(ip_address("127.0.0.1"))))
    done = client.wait(ordered.headers["location"], "valid")
    return client.post(done.json["certificate"]).body


def use_publication(service: Running) -> None:
    """Ask for lists and by OCSP, with a nonce and without, and as a supervisor and Prometheus do."""
    ca = x509.load_der_x509_certificate(fetch(service, "/ca/clients.crt")[1])
    subject = x509.load_pem_x509_certificate((service.home / "out" / "admin.fullchain.pem").read_bytes())
    builder = ocsp.OCSPRequestBuilder().add_certificate(subject, ca, SHA1())  # noqa: S303 - as clients ask
    for asked in (builder, builder, builder.add_extension(x509.OCSPNonce(bytes(16)), critical=False)):
        content = asked.build().public_bytes(Encoding.DER)
        assert fetch(service, "/ocsp", "POST", content, Content_Type="application/ocsp-request")[0].status == 200
    for path in ("/crl/clients.crl", "/healthz"):
        assert fetch(service, path)[0].status in {200, 404}
    assert service.request("GET", "/readyz")[0].status == 200


def wait_for_upkeep(record: Path) -> None:
    """Wait until all work in the background was done once."""
    deadline = time.monotonic() + SECONDS
    while True:
        lines = [json.loads(line) for line in record.read_text().splitlines() if line.endswith('"')]
        waiting = {one.removeprefix(UNDER_WAY) for one in lines if one.startswith(UNDER_WAY)}
        waiting -= {one.removeprefix(DONE) for one in lines if one.startswith(DONE)}
        if not waiting:
            return
        assert time.monotonic() < deadline, waiting
        time.sleep(0.05)


def call(client: Client, method: str, path: str, body: Any = None, headers: Any = None) -> Any:  # noqa: ANN401 - JSON
    """Return what the API answers, which must not be a refusal."""
    answer = client.call(method, path, body, headers)
    assert answer.status < 300, (path, answer.content)
    return answer.json


def pem(der: bytes) -> str:
    """Return the CSR in PEM."""
    return x509.load_der_x509_csr(der).public_bytes(Encoding.PEM).decode()


def scans_of_sqlite(store: Store, sql: str) -> list[str]:
    """List the tables that SQLite would read from end to end; the first rows of an index in its order are none."""
    plan = [str(line) for *_, line in store.rows(f"explain query plan {sql}", (None,) * sql.count("?"))]
    in_order = " limit " in sql and "USE TEMP B-TREE FOR ORDER BY" not in plan
    lines = [line.split() for line in plan if line.startswith("SCAN ") and not (in_order and " USING " in line)]
    tables = dict(aliases(sql))
    return [tables.get(line[1], line[1]) for line in lines if line[-1] not in OPEN and line[1] not in FINISHED]


def scans_of_postgresql(store: Store, sql: str) -> list[str]:
    """List the tables that PostgreSQL would read from end to end, also by way of an index."""
    numbered, places = sql, sql.count("?")
    for number in range(1, places + 1):
        numbered = numbered.replace("?", f"${number}", 1)
    store.run(f"prepare asked as {numbered}")
    try:
        given = f"({', '.join(['null'] * places)})" if places else ""
        ((plan,),) = store.rows(f"explain (format json) execute asked{given}")
    finally:
        store.run("deallocate asked")
    return list(find_scans((plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]))


def find_scans(node: dict[str, Any], *, limited: bool = False) -> Iterator[str]:
    """Yield the tables that a plan reads from end to end; the first rows of an index in its order are none."""
    inner, kind = node.get("Plans", ()), node["Node Type"]
    bounded = "Index Cond" in node or any("Index Cond" in one for one in inner) or node.get("Index Name") in OPEN
    in_order = limited and "Index Name" in node and "Filter" not in node
    if "Relation Name" in node and kind.endswith("Scan") and not bounded and not in_order:
        yield node["Relation Name"]
    limited = kind == "Limit" or (limited and kind in ("Incremental Sort", "LockRows"))
    for one in inner:
        yield from find_scans(one, limited=limited)


def aliases(sql: str) -> Iterator[tuple[str, str]]:
    """Yield the other names that a statement has for tables, and these."""
    words = sql.replace(",", " ").replace("(", " ").replace(")", " ").split()
    for before, table, alias in zip(words, words[1:], words[2:], strict=False):
        if before.lower() in {"from", "join", "update", "into"}:
            yield alias, table


def test_no_statement_reads_a_table_from_end_to_end(used: Used) -> None:
    """But tables that do not grow with what is issued."""
    found = {
        sql: scans
        for sql in used.statements
        if not any(part in sql for part in COUNTED)
        and (scans := [one for one in used.scans(used.store, sql) if one not in FEW])
    }
    assert found == {}


def test_every_way_was_taken(used: Used) -> None:
    """What is above looked at the statements that matter: of each table that grows."""
    text = "\n".join(used.statements)
    for part in (
        "insert into certificate ",
        "insert into certificate_name",
        "insert into key_use ",
        "update certificate set status",
        "insert into acme_order",
        "from acme_authorization",
        *(["insert into acme_nonce"] if used.store.is_shared else []),
        "insert into acme_usage",
        "insert into allowance",
        "insert into api_answer",
        "update token",
        "insert into crl",
        "from revocation",
        "delete from acme_order",
        "delete from acme_nonce",
        "delete from api_answer",
        "delete from allowance",
        "delete from token",
    ):
        assert part in text, part
    assert len(used.statements) > 80


def test_a_scan_is_found(used: Used) -> None:
    """The first test can fail."""
    assert used.scans(used.store, "select serial_number from certificate c where subject = ?") == ["certificate"]
    assert used.scans(used.store, "select count(*) from acme_order") == ["acme_order"]
