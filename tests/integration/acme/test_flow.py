"""ACME over the wire, as RFC 8555 has it, with a client that can also do what a good one never would."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from acme_client import Answered, Client
from acme_signing import ClientKey, b64, csr, jws
from command import counterseal
from counterseal.protocols.acme.renewal import CertificateName
from counterseal.store.acme.accounts import set_account_status
from counterseal.store.sqlite import open_store
from integration.acme.conftest import Lab, start_lab, verify
from postgresql_process import cluster

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def authorized(lab: Lab, client: Client, *names: str, **members: Any) -> Answered:  # noqa: ANN401 - any member
    """Order for these names and answer the challenges by HTTP; return the order when it is ready."""
    order = client.order(*names, **members)
    assert order.status == 201, order.json
    for which in range(len(order.json["authorizations"])):
        challenge, proof = client.challenge(order, "http-01", which)
        lab.web.put(challenge["token"], proof)
        client.post(challenge["url"], {})
    client.wait(order.headers["location"], "ready", "invalid")
    return order


def issued(lab: Lab, client: Client, *names: str, key: ec.EllipticCurvePrivateKey | None = None) -> Answered:
    """Return the certificate's answer for these names."""
    order = authorized(lab, client, *names)
    done = client.finalize(order.json, csr(*names, key=key))
    assert (done.status, done.json["status"]) == (200, "valid"), done.json
    return client.post(done.json["certificate"])


def leaf(answered: Answered) -> x509.Certificate:
    """Return the first certificate of a chain."""
    return x509.load_pem_x509_certificate(answered.body)


@pytest.mark.parametrize(
    "private",
    [
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP521R1()),
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["ES256", "ES384", "ES512", "EdDSA", "RS256"],
)
def test_a_whole_order_with_each_kind_of_account_key(lab: Lab, tmp_path: Path, private: object) -> None:
    """From the account to a chain that openssl verifies."""
    client = Client(lab.directory, lab.context, ClientKey(private))  # type: ignore[arg-type] # the kinds above
    assert client.register(contact=["mailto:ops@example.com"]).json["contact"] == ["mailto:ops@example.com"]
    answered = issued(lab, client, "www.example.com", "example.com")
    assert answered.headers["content-type"] == "application/pem-certificate-chain"
    names = leaf(answered).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["www.example.com", "example.com"]
    (tmp_path / "chain.pem").write_bytes(answered.body)
    verify(lab.service, tmp_path / "chain.pem")
    client.close()


def test_answers_carry_what_the_rfc_asks_for(lab: Lab) -> None:
    """A nonce with every answer to a POST and with every error, a link to the directory, no date in Retry-After."""
    client = lab.client()
    head, get = client.fetch("HEAD", client.directory["newNonce"]), client.fetch("GET", client.directory["newNonce"])
    assert (head.status, get.status) == (200, 204)
    assert {one.headers["cache-control"] for one in (head, get)} == {"no-store"}
    order = client.order("a.example.com")
    assert order.headers["replay-nonce"]
    assert order.headers["retry-after"].isdigit()
    assert order.links("index") == [lab.directory]
    wrong = client.order("not a name")
    assert (wrong.status, wrong.problem) == (400, "rejectedIdentifier")
    assert wrong.headers["replay-nonce"]
    authorization = client.post(order.json["authorizations"][0])
    assert authorization.headers["retry-after"].isdigit()
    assert {one["type"] for one in authorization.json["challenges"]} == {"http-01", "dns-01", "tls-alpn-01"}
    assert all(one["token"] for one in authorization.json["challenges"])
    challenge = client.post(authorization.json["challenges"][0]["url"])
    assert challenge.links("up") == order.json["authorizations"]
    assert challenge.headers["retry-after"].isdigit()
    client.close()


def test_a_nonce_is_used_once(lab: Lab) -> None:
    """Replayed, foreign, or missing: badNonce, with a new one; also after a request that failed."""
    client = lab.client()
    url = client.directory["newOrder"]
    good = client.sign(url, {"identifiers": [{"type": "dns", "value": "a.example.com"}]})
    assert client.send(url, good).status == 201
    again = client.send(url, good)
    assert (again.status, again.problem) == (400, "badNonce")
    assert again.headers["replay-nonce"]
    failing = client.sign(url, {"identifiers": []})
    assert client.send(url, failing).problem == "malformed"
    assert client.send(url, failing).problem == "badNonce"
    assert client.post(url, {}, nonce="AAAA").problem == "badNonce"
    assert client.post(url, {}, nonce="a b=").problem == "malformed"  # RFC 8555 6.5.2
    assert client.post(url, {}, nonce=None).problem in {"badNonce", "malformed"}
    client.close()


def test_a_request_counts_for_its_own_url_alone(lab: Lab) -> None:
    """RFC 8555 6.4: unauthorized."""
    client = lab.client()
    document = client.sign(client.directory["newOrder"], {})
    answered = client.send(client.directory["keyChange"], document)
    assert (answered.status, answered.problem) == (401, "unauthorized")
    client.close()


def test_the_key_is_named_as_each_resource_wants(lab: Lab) -> None:
    """Jwk for new accounts, kid for all else, both for revocation; a stranger's kid is no account."""
    client = lab.client()
    assert client.post(client.directory["newOrder"], {}, with_jwk=True).problem == "malformed"
    assert client.post(client.directory["newAccount"], {}).problem == "malformed"
    stranger = Client(lab.directory, lab.context, kid=client.kid)
    order = {"identifiers": [{"type": "dns", "value": "a.example.com"}]}
    answered = stranger.post(client.directory["newOrder"], order)
    assert (answered.status, answered.problem) == (400, "malformed")
    client.kid = f"{client.kid}x"
    assert client.post(client.directory["newOrder"], order).problem == "accountDoesNotExist"
    client.kid = "https://elsewhere.example/acme/account/1"
    assert client.post(client.directory["newOrder"], order).problem == "accountDoesNotExist"
    client.close()
    stranger.close()


def test_accounts_are_found_changed_and_deactivated(lab: Lab) -> None:
    """RFC 8555 7.3.1, 7.3.2, 7.3.6."""
    client = lab.client(registered=False)
    url = client.directory["newAccount"]
    assert client.post(url, {"onlyReturnExisting": True}, with_jwk=True).problem == "accountDoesNotExist"
    assert client.register(contact=["tel:123"]).problem == "unsupportedContact"
    assert client.register(contact=["mailto:a@b.example,c@d.example"]).problem == "invalidContact"
    made = client.register(contact=["mailto:a@b.example"])
    found = client.post(url, {"onlyReturnExisting": True}, with_jwk=True)
    assert (made.status, found.status, found.headers["location"]) == (201, 200, made.headers["location"])
    assert "externalAccountBinding" not in made.json
    unnamed = Client(lab.directory, lab.context)
    assert (unnamed.register(contact=None).status, unnamed.post(unnamed.kid or "").json["contact"]) == (201, [])
    unnamed.close()
    assert client.kid is not None
    assert client.post(client.kid, {"contact": []}).json["contact"] == []
    ignored = {"status": "revoked", "termsOfServiceAgreed": False, "orders": "https://x.test/", "more": 1}
    updated = client.post(client.kid, {"contact": ["mailto:e@f.example"], **ignored})
    assert (updated.status, updated.json["status"], updated.json["contact"]) == (200, "valid", ["mailto:e@f.example"])
    assert client.post(client.kid).json == updated.json
    other = lab.client()
    assert other.post(client.kid).problem == "unauthorized"
    assert client.post(client.kid, {"status": "deactivated"}).json["status"] == "deactivated"
    after = client.post(client.kid)
    assert (after.status, after.problem) == (401, "unauthorized")
    for refused in (client.order("a.example.com"), client.register()):
        assert (refused.status, refused.problem) == (401, "unauthorized")
    client.close()
    other.close()


def test_an_account_that_another_process_deactivates_is_so_at_once(lab: Lab) -> None:
    """What is known of accounts counts until anything is committed to the file, by whatever process."""
    client = lab.client()
    kid = str(client.kid)
    assert [client.post(kid).status for _ in range(3)] == [200] * 3
    with open_store(lab.service.home / "store.sqlite") as elsewhere:
        set_account_status(elsewhere, kid.rpartition("/")[2], "deactivated")
    assert client.post(kid).problem == "unauthorized"
    client.close()


def test_an_account_gets_another_key(lab: Lab) -> None:
    """RFC 8555 7.3.5; the old key is worth nothing afterwards, and a key with an account is a conflict."""
    client, other = lab.client(), lab.client()
    url, new = client.directory["keyChange"], ClientKey()
    payload = {"account": client.kid, "oldKey": client.key.jwk}
    for wrong in (
        jws(new, payload, url=f"{url}/x", jwk=new.jwk),
        jws(new, payload, url=url, jwk=new.jwk, nonce="n"),
        jws(new, {**payload, "account": other.kid}, url=url, jwk=new.jwk),
        jws(new, {**payload, "oldKey": other.key.jwk}, url=url, jwk=new.jwk),
        jws(client.key, payload, url=url, jwk=new.jwk),
        jws(new, payload, url=url, kid=client.kid),
        {"protected": "x"},
    ):
        assert client.post(url, wrong).problem in {"malformed", "badSignatureAlgorithm"}
    taken = client.post(url, jws(other.key, payload, url=url, jwk=other.key.jwk))
    assert (taken.status, taken.headers["location"]) == (409, other.kid)
    assert client.post(url, jws(new, payload, url=url, jwk=new.jwk)).status == 200
    assert client.post(client.kid or "").problem == "malformed"
    client.key = new
    assert client.post(client.kid or "").status == 200
    client.close()
    other.close()


@pytest.mark.parametrize("shared", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["file", "database"])
def test_of_several_new_keys_at_once_one_counts(tmp_path: Path, *, shared: bool) -> None:
    """A key that was the account's no longer changes anything, nor is anybody told that it did (RFC 8555 7.3.5)."""
    with ExitStack() as stack:
        store = f'[store]\nurl = "{cluster().create()}"\n' if shared else ""
        lab = start_lab(stack, tmp_path / "home", store)
        client, url, changes = lab.client(), "", []
        for new in (ClientKey() for _ in range(8)):
            other = Client(lab.directory, lab.context, client.key, client.kid)
            stack.callback(other.close)
            url = other.directory["keyChange"]
            inner = jws(new, {"account": client.kid, "oldKey": client.key.jwk}, url=url, jwk=new.jwk)
            changes.append((new, other, other.sign(url, inner)))
        with ThreadPoolExecutor(len(changes)) as pool:
            answers = list(pool.map(lambda change: change[1].send(url, change[2]), changes))
        (changed,) = [one for one, answer in zip(changes, answers, strict=True) if answer.status == 200]
        assert {answer.problem for answer in answers} <= {"", "malformed", "badNonce"}
        client.key = changed[0]
        assert client.post(client.kid or "").status == 200
        client.close()


def test_orders_are_listed_in_pages(lab: Lab) -> None:
    """RFC 8555 7.1.2.1: with a link to the next page, which is signed for with its query."""
    client = lab.client()
    made = [client.order("a.example.com").headers["location"] for _ in range(101)]
    first = client.post(f"{client.kid}/orders")
    (following,) = first.links("next")
    second = client.post(following)
    assert second.links("next") == []
    assert sorted(first.json["orders"] + second.json["orders"]) == sorted(made)
    assert client.post(f"{client.kid}/orders?after=x").problem == "malformed"
    client.close()


def test_an_authorization_is_used_again_and_given_back(lab: Lab) -> None:
    """A valid one makes the next order ready at once; a deactivated one does not (RFC 8555 7.5.2)."""
    client = lab.client()
    first = authorized(lab, client, "again.example.com")
    second = client.order("again.example.com")
    assert second.json["status"] == "ready"
    assert second.json["authorizations"] == first.json["authorizations"]
    (url,) = second.json["authorizations"]
    assert client.post(url, {"status": "valid"}).problem == "malformed"
    assert client.post(url, {"status": "deactivated"}).json["status"] == "deactivated"
    assert client.post(url, {"status": "deactivated"}).problem == "malformed"
    assert client.post(second.headers["location"]).json["status"] == "invalid"
    assert client.order("again.example.com").json["status"] == "pending"
    client.close()


def test_finalizing_needs_a_ready_order_and_a_csr_that_fits(lab: Lab) -> None:
    """Else the order stays as it is, and a better CSR works."""
    client = lab.client()
    pending = client.order("fit.example.com")
    early = client.finalize(pending.json, csr("fit.example.com"))
    assert (early.status, early.problem) == (403, "orderNotReady")
    order = authorized(lab, client, "fit.example.com")
    assert isinstance(client.key.private, ec.EllipticCurvePrivateKey)
    for wrong in (
        csr("other.example.com"),
        csr("fit.example.com", "more.example.com"),
        csr("fit.example.com", common_name="cn.example.com"),
        csr("fit.example.com", key=client.key.private),
        csr(),
        b"\x30\x00",
        b"-----BEGIN CERTIFICATE REQUEST-----",
        csr("fit.example.com") + b"x",
    ):
        assert client.finalize(order.json, wrong).problem == "badCSR"
    for extension, said in (
        (x509.TLSFeature([x509.TLSFeatureType.status_request]), "must-staple"),
        (x509.BasicConstraints(ca=True, path_length=None), "CA:TRUE"),
    ):
        refused = client.finalize(order.json, csr("fit.example.com", extensions=[extension]))
        assert (refused.problem, said in refused.body.decode()) == ("badCSR", True)
    assert client.post(order.json["finalize"], {"csr": "a b"}).problem == "malformed"
    assert client.post(order.headers["location"]).json["status"] == "ready"
    usual = x509.BasicConstraints(ca=False, path_length=None)
    assert client.finalize(order.json, csr(common_name="FIT.example.com", extensions=[usual])).json["status"] == "valid"
    twice = client.finalize(order.json, csr("fit.example.com"))
    assert (twice.status, twice.problem) == (403, "orderNotReady")
    client.close()


def test_of_many_who_finalize_at_once_one_gets_a_certificate(lab: Lab) -> None:
    """An order becomes one certificate, whatever its clients do at the same time."""
    client = lab.client()
    order = authorized(lab, client, "once.example.com")

    def finalize(_: int) -> str:
        same = Client(lab.directory, lab.context, client.key, client.kid)
        answered = same.finalize(order.json, csr("once.example.com"))
        same.close()
        return answered.problem or str(answered.json["status"])

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(finalize, range(8)))
    assert outcomes == ["orderNotReady"] * 7 + ["valid"]
    listed = json.loads(counterseal(lab.service.home, "list", "--name", "once.example.com", "--json").stdout)
    assert len(listed["certificates"]) == 1
    client.close()


def test_another_accounts_things_are_not_there(lab: Lab) -> None:
    """Neither orders nor authorizations, challenges, certificates."""
    owner, other = lab.client(), lab.client()
    order = authorized(lab, owner, "mine.example.com")
    done = owner.finalize(order.json, csr("mine.example.com"))
    for url in (order.headers["location"], order.json["finalize"], done.json["certificate"]):
        assert other.post(url, {"csr": ""} if url.endswith("finalize") else None).status == 404
    assert other.post(order.json["authorizations"][0]).status == 403
    owner.close()
    other.close()


@pytest.mark.parametrize(
    ("spelled", "host"),
    [
        ("CN.Example.com", "cn.example.com"),
        ("cn.example.com.", "cn.example.com"),
        ("bücher.example.com", "xn--bcher-kva.example.com"),
    ],
)
def test_a_common_name_has_its_one_form(lab: Lab, spelled: str, host: str) -> None:
    """As the names have; else a program that reads the CN alone would look for another host."""
    client = lab.client()
    order = authorized(lab, client, host, "www.example.com")
    done = client.finalize(order.json, csr("www.example.com", common_name=spelled))
    certificate = leaf(client.post(done.json["certificate"]))
    assert certificate.subject.rfc4514_string() == f"CN={host}"
    client.close()


def test_a_certificate_has_an_alternate_chain(lab: Lab) -> None:
    """One ends below the trust anchor, the other with it (RFC 8555 7.4.2)."""
    client = lab.client()
    usual = issued(lab, client, "chain.example.com")
    (alternate,) = usual.links("alternate")
    assert [line.count("<") for line in usual.headers.get_all("link")] == [1, 1]  # dehydrated takes one of a line
    longer = client.post(alternate)
    assert longer.body.startswith(usual.body)
    root = x509.load_pem_x509_certificate(lab.service.root.read_bytes())
    assert x509.load_pem_x509_certificates(longer.body)[-1] == root
    assert client.post(f"{alternate}9").status == 404
    client.close()


def test_profiles_are_chosen_by_name(lab: Lab) -> None:
    """Their rules hold from the order on (draft-ietf-acme-profiles)."""
    client = lab.client()
    told = client.directory["meta"]["profiles"]
    assert told == {"server": "server certificates, valid for 90d", "short": "server certificates, valid for 6h"}
    assert client.order("a.example.com", profile="other").problem == "invalidProfile"
    outside = client.order("a.example.org", "a.example.com", profile="short")
    assert outside.problem == "rejectedIdentifier"
    assert outside.json["subproblems"][0]["identifier"] == {"type": "dns", "value": "a.example.org"}
    order = authorized(lab, client, "a.example.com", profile="short")
    done = client.finalize(order.json, csr("a.example.com"))
    made = leaf(client.post(done.json["certificate"]))
    assert done.json["profile"] == "short"
    assert (made.not_valid_after_utc - made.not_valid_before_utc).total_seconds() == 6 * 3600
    client.close()


def test_an_order_can_ask_for_an_earlier_end(lab: Lab) -> None:
    """NotAfter is kept; what is out of range, and notBefore, are refused."""
    client = lab.client()
    tomorrow = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 24 * 3600))
    assert client.order("end.example.com", profile="short", notAfter=tomorrow).problem == "malformed"  # it has 6 h
    assert client.order("end.example.com", notAfter=tomorrow).status == 201
    for wrong in ({"notAfter": "2001-01-01T00:00:00Z"}, {"notAfter": "9999-01-01T00:00:00Z"}, {"notAfter": "soon"}):
        assert client.order("end.example.com", **wrong).problem == "malformed"
    assert client.order("end.example.com", notBefore="2030-01-01T00:00:00Z").problem == "malformed"
    wanted = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3 * 3600))
    order = authorized(lab, client, "end.example.com", notAfter=wanted)
    assert order.json["notAfter"] == wanted
    made = leaf(client.post(client.finalize(order.json, csr("end.example.com")).json["certificate"]))
    assert f"{made.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}" == wanted
    latest = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 6 * 3600))
    order = authorized(lab, client, "end.example.com", profile="short", notAfter=latest)
    made = leaf(client.post(client.finalize(order.json, csr("end.example.com")).json["certificate"]))
    assert f"{made.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}" == latest
    assert made.not_valid_after_utc - made.not_valid_before_utc <= timedelta(hours=6)
    client.close()


def test_renewal_information_and_what_replaces(lab: Lab) -> None:
    """RFC 9773: anybody may ask when; an order may replace a certificate of its account, once."""
    client, other = lab.client(), lab.client()
    order = authorized(lab, client, "renew.example.com", profile="short")
    made = leaf(client.post(client.finalize(order.json, csr("renew.example.com")).json["certificate"]))
    identifier = made.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    name = str(CertificateName(identifier or b"", made.serial_number))
    told = client.fetch("GET", f"{client.directory['renewalInfo']}/{name}")
    assert told.headers["retry-after"] == "900"  # of a window of half an hour, when six of its hours begin
    assert sorted(told.json["suggestedWindow"]) == ["end", "start"]
    assert client.fetch("GET", f"{client.directory['renewalInfo']}/AAAA.AA").status == 404
    assert client.fetch("GET", f"{client.directory['renewalInfo']}/x").problem == "malformed"
    another = other.order("renew.example.com", replaces=name)
    assert (another.problem, "'replaces'" in another.json["detail"]) == ("unauthorized", True)  # acme.sh looks for it
    assert client.order("unlike.example.com", replaces=name).problem == "malformed"
    assert client.order("renew.example.com", replaces="AAAA.AA").problem == "malformed"
    replacing = client.order("renew.example.com", replaces=name)
    assert (replacing.status, replacing.json["replaces"]) == (201, name)
    twice = client.order("renew.example.com", replaces=name)
    assert (twice.status, twice.problem) == (409, "alreadyReplaced")
    revoked = client.post(client.directory["revokeCert"], {"certificate": b64(made.public_bytes(Encoding.DER))})
    assert revoked.status == 200
    told = client.fetch("GET", f"{client.directory['renewalInfo']}/{name}")
    assert told.json["suggestedWindow"]["end"] <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    client.close()
    other.close()


def failed(lab: Lab, client: Client, order: Answered) -> None:
    """Let the first authorization of an order fail."""
    challenge, _ = client.challenge(order, "http-01")
    lab.web.put(challenge["token"], "not the proof")
    client.post(challenge["url"], {})
    client.wait(order.headers["location"], "invalid")


def given_back(_: Lab, client: Client, order: Answered) -> None:
    """Give the first authorization of an order back."""
    client.post(order.json["authorizations"][0], {"status": "deactivated"})


@pytest.mark.parametrize("spoil", [failed, given_back])
def test_an_order_that_failed_replaces_nothing(lab: Lab, spoil: Callable[[Lab, Client, Answered], None]) -> None:
    """RFC 9773 5: whatever made it invalid, another one may replace the certificate, and once."""
    client = lab.client()
    made = leaf(issued(lab, client, "again.example.com"))
    identifier = made.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    name = str(CertificateName(identifier or b"", made.serial_number))
    first = client.order("new.example.com", "again.example.com", replaces=name)
    assert client.order("again.example.com", replaces=name).problem == "alreadyReplaced"
    spoil(lab, client, first)
    assert client.post(first.headers["location"]).json["status"] == "invalid"
    second = client.order("again.example.com", replaces=name)
    assert (second.status, second.json["status"]) == (201, "ready")
    assert client.order("again.example.com", replaces=name).problem == "alreadyReplaced"
    assert client.finalize(second.json, csr("again.example.com")).json["status"] == "valid"
    assert client.order("again.example.com", replaces=name).problem == "alreadyReplaced"
    client.close()


def test_a_certificate_is_revoked_by_its_account_by_its_key_and_by_who_is_authorized(lab: Lab) -> None:
    """RFC 8555 7.6; by nobody else, for reasons that a holder can know, once; and a new CRL says so."""
    client, other = lab.client(), lab.client()
    url, key = client.directory["revokeCert"], ec.generate_private_key(ec.SECP256R1())
    certificates = [leaf(issued(lab, client, "gone.example.com", key=key)) for _ in range(3)]
    first, second, third = (b64(one.public_bytes(Encoding.DER)) for one in certificates)
    assert other.post(url, {"certificate": first}).problem == "unauthorized"
    assert other.post(url, {"certificate": first}, with_jwk=True).problem == "unauthorized"
    for reason in (2, 6, 7, 8, 10, 11, -1):
        assert client.post(url, {"certificate": first, "reason": reason}).problem == "badRevocationReason"
    root = x509.load_pem_x509_certificate(lab.service.root.read_bytes())
    assert client.post(url, {"certificate": b64(root.public_bytes(Encoding.DER))}).status == 404
    assert client.post(url, {"certificate": "AAAA"}).problem == "malformed"
    assert client.post(url, {"certificate": first, "reason": 4}).status == 200
    assert client.post(url, {"certificate": first}).problem == "alreadyRevoked"
    holder = Client(lab.directory, lab.context, ClientKey(key))
    assert holder.post(url, {"certificate": second, "reason": 1}, with_jwk=True).status == 200
    order = authorized(lab, client, "gone.example.com")
    refused = client.finalize(order.json, csr("gone.example.com", key=key))
    assert (refused.problem, "the key is compromised" in refused.json["detail"]) == ("badCSR", True)
    assert holder.register().problem == "badPublicKey"
    change = {"account": other.kid, "oldKey": other.key.jwk}
    to, its = other.directory["keyChange"], holder.key
    assert other.post(to, jws(its, change, url=to, jwk=its.jwk)).problem == "badPublicKey"
    authorized(lab, other, "gone.example.com")
    assert other.post(url, {"certificate": third}).status == 200
    authorized(lab, other, "hers.example.com")  # which authorizes nobody for a person
    for person in ("alice", "Alice Doe"):  # of whom one could be a host
        out = lab.service.home / person
        counterseal(lab.service.home, "client", person, "--no-p12", "--dns", "hers.example.com", "--out", str(out))
        hers = x509.load_pem_x509_certificate(next(out.glob("*.cert.pem")).read_bytes())
        assert other.post(url, {"certificate": b64(hers.public_bytes(Encoding.DER))}).problem == "unauthorized"
    large = ec.generate_private_key(ec.SECP521R1())
    fourth = b64(leaf(issued(lab, client, "gone.example.com", key=large)).public_bytes(Encoding.DER))
    largest = Client(lab.directory, lab.context, ClientKey(large))
    assert largest.post(url, {"certificate": fourth, "reason": 1}, with_jwk=True).status == 200
    deadline = time.monotonic() + 30
    while True:
        counterseal(lab.service.home, "crl", "--out", str(lab.service.home / "lists"))
        listed = json.loads(counterseal(lab.service.home, "list", "--name", "gone.example.com", "--json").stdout)
        if {one["status"] for one in listed["certificates"]} == {"revoked"}:
            break
        assert time.monotonic() < deadline
    reasons = [one["revocation_reason"] for one in listed["certificates"]]
    assert sorted(reasons) == ["key_compromise", "key_compromise", "superseded", "unspecified"]
    for one in (client, other, holder, largest):
        one.close()


def test_what_everybody_may_read_is_read_by_post_as_get_too(lab: Lab) -> None:
    """RFC 8555 6.3: the directory and a nonce. Such a request is signed, and spends its nonce, as any other."""
    client = lab.client()
    for url, status in ((lab.directory, 200), (client.directory["newNonce"], 204)):
        asked = client.sign(url, None)
        answered = client.send(url, asked)
        assert (answered.status, answered.headers["cache-control"]) == (status, "no-store")
        assert answered.body == client.fetch("GET", url).body
        assert client.take_nonce() not in {answered.headers["replay-nonce"], None}
        assert client.send(url, asked).problem == "badNonce"
        assert client.post(url, {}).problem == "malformed"
        assert client.fetch("PUT", url).headers["allow"] == "GET, HEAD, POST"
    client.close()


def test_nothing_but_post_and_nothing_unknown(lab: Lab) -> None:
    """405 with Allow, 404, 415: all of them problem documents (RFC 8555 6.3)."""
    client = lab.client()
    wrong = client.fetch("GET", client.directory["newOrder"])
    assert (wrong.status, wrong.problem, wrong.headers["allow"]) == (405, "malformed", "POST")
    assert client.post(f"{lab.service.url}/acme/nothing", {}).status == 404
    plain = client.fetch("POST", client.directory["newOrder"], b"{}", "application/json")
    assert (plain.status, plain.problem) == (415, "malformed")
    large = client.fetch("POST", client.directory["newOrder"], b"x" * 300_000, "application/jose+json")
    assert (large.status, large.problem) == (413, "malformed")
    client.close()
