"""Every way to fail has a sentence, a cause and a fix; real servers are in tests/integration/handshake."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterseal.handshake.authorities import Listed
from counterseal.handshake.explain.diagnosis import diagnose
from counterseal.handshake.explain.situation import Diagnosis, Situation
from counterseal.handshake.explain.story import Story
from counterseal.handshake.observation import Observation
from counterseal.handshake.trace.dial import Ending, Stage, Trace
from counterseal.handshake.wire.alerts import ALERT_MEANINGS
from counterseal.handshake.wire.messages import CertificateRequest, Side
from counterseal.handshake.wire.numbers import TLS12, TLS13

CERTIFICATE = (b"certificate",)


def of_trace(ending: Ending, stage: Stage, *, opening: bytes = b"", fault: str = "") -> Diagnosis:
    """Diagnose a connection that ended before an answer."""
    found = diagnose(Situation(Trace(ending, stage, opening=opening, fault=fault), Story(), Observation()))
    assert found is not None
    return found


def of_answer(seen: Observation, *, likely: int | None = None, listed: Listed | None = None) -> Diagnosis | None:
    """Diagnose an answer to a client with a certificate."""
    story = Story(client_chain=CERTIFICATE)
    return diagnose(Situation(Trace(Ending.DONE, Stage.REQUEST), story, seen, likely, listed))


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize(
    "ending", [one for one in Ending if one not in {Ending.DONE, Ending.ALERT, Ending.NOT_TLS, Ending.OWN_FAULT}]
)
def test_every_ending_is_explained(ending: Ending, stage: Stage) -> None:
    """Whatever the stage."""
    found = of_trace(ending, stage, fault="cannot {resolve}")
    assert found.happened
    assert found.cause
    assert found.fix


@pytest.mark.parametrize(
    ("client_chain", "words"), [(None, "on the way from the server"), (CERTIFICATE, "on the way to the server")]
)
def test_a_silence_in_the_middle_of_a_handshake_is_about_the_way(
    client_chain: tuple[bytes, ...] | None, words: str
) -> None:
    """Who has begun TLS speaks no other protocol; the larger flight of one side is what got lost."""
    story = Story(version=TLS12, client_chain=client_chain)
    found = diagnose(Situation(Trace(Ending.SILENT, Stage.HANDSHAKE), story, Observation()))
    assert found is not None
    assert words in found.cause


@pytest.mark.parametrize(
    ("opening", "name"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP"),
        (b"<html><head>", "HTTP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
        (b"220 mail.example.com ESMTP Postfix\r\n", "SMTP"),
        (b"220 (vsFTPd 3.0.3)\r\n", "FTP or SMTP"),
        (b"* OK [CAPABILITY IMAP4rev1] ready\r\n", "IMAP"),
        (b"+OK ready\r\n", "POP3"),
        (b"-ERR unknown command\r\n", "Redis or POP3"),
        (b"RFB 003.008\n", "VNC"),
        (b"J\x00\x00\x00\x0a8.0.36\x00", "MySQL"),
        (b"\x00\x01\x02", "something else"),
    ],
)
def test_who_speaks_no_tls_is_named(opening: bytes, name: str) -> None:
    """By its first bytes, which are shown without control characters."""
    found = of_trace(Ending.NOT_TLS, Stage.HANDSHAKE, opening=opening)
    assert f"speaks no TLS but {name}: " in found.happened
    assert found.happened.isprintable()


_REFUSED = b"HTTP/1.1 400 Bad Request\r\n"


@pytest.mark.parametrize(
    ("opening", "directive", "words", "fix"),
    [
        (_REFUSED + b"Server: nginx/1.22.1\r\n", "listen ADDRESS ssl;", "listen lacks the ssl parameter", "listen"),
        (_REFUSED + b"Server: nginx\r\nDate: ", "listen ADDRESS ssl;", "listen lacks the ssl parameter", "listen"),
        (_REFUSED + b"Date: Thu\r\nServer: Apache/2.4.62 (Debian)\r\n", None, "its server, Apache,", "SSLEngine on"),
        (_REFUSED + b"server: Caddy\r\n", None, "its server, Caddy,", "switch TLS on"),
        (b"HTTP/1.1 400 Bad request\r\nContent-length: 90\r\n", None, "no Server header", "switch TLS on"),
        (_REFUSED + b"Server: \x1b[2J\xff\r\n", None, r"its server, \1B[2Jÿ,", "switch TLS on"),
        (b"<!DOCTYPE HTML>\n<html>", None, "no Server header", "switch TLS on"),
    ],
)
def test_plain_http_is_explained_by_who_answers(opening: bytes, directive: str | None, words: str, fix: str) -> None:
    """As nginx, Apache, Caddy, HAProxy and Python answer a ClientHello; nginx's directive is for nginx alone."""
    found = of_trace(Ending.NOT_TLS, Stage.HANDSHAKE, opening=opening)
    assert found.directive == directive
    assert words in found.cause
    assert fix in found.fix


@pytest.mark.parametrize("number", sorted(set(ALERT_MEANINGS) - {0}))
def test_every_alert_of_a_server_is_explained(number: int) -> None:
    """With its name; and one of no standard, by its number."""
    for description in (number, 250):
        story = Story(alert=(Side.SERVER, description))
        found = diagnose(Situation(Trace(Ending.ALERT, Stage.HANDSHAKE), story, Observation()))
        assert found is not None
        assert f"({description})" in found.happened
        assert found.fix


@pytest.mark.parametrize("number", [40, 42, 46, 116])
def test_an_alert_after_an_empty_certificate_means_that_one_is_required(number: int) -> None:
    """handshake_failure, bad_certificate, certificate_unknown and certificate_required, as different servers say it."""
    story = Story(client_chain=(), alert=(Side.SERVER, number))
    found = diagnose(Situation(Trace(Ending.ALERT, Stage.REQUEST), story, Observation()))
    assert found is not None
    assert found.cause.startswith("the server requires a client certificate")


@pytest.mark.parametrize(
    ("name", "likely", "failures", "listed", "words"),
    [
        ("bad_certificate", 10, (), None, "has expired"),
        ("certificate_revoked", 10, (), Listed.NONE, "is revoked"),
        ("access_denied", None, ("dates",), Listed.ROOT, "fails a check: dates"),
        ("certificate_expired", None, (), None, "one of the server's own"),
        ("certificate_unknown", None, (), Listed.ROOT, "our own checks find nothing wrong"),
        ("unknown_ca", None, (), Listed.NONE, "trusts no CA above"),
        ("unknown_ca", 21, (), None, "trusts no CA above"),  # the server names nobody
        (None, 26, (), None, "not made for clients"),
    ],
)
def test_a_refusal_that_says_little_is_explained_by_our_own_checks(
    name: str | None, likely: int | None, failures: tuple[str, ...], listed: Listed | None, words: str
) -> None:
    """Whatever the alert is called, or where none comes."""
    number = next((number for number, alert in ALERT_MEANINGS.items() if alert.name == name), 0)
    story = Story(client_chain=CERTIFICATE, alert=(Side.SERVER, number) if name else None)
    trace = Trace(Ending.ALERT if name else Ending.CLOSED, Stage.HANDSHAKE)
    found = diagnose(Situation(trace, story, Observation(), likely, listed, failures=failures))
    assert found is not None
    assert words in found.cause


def test_who_closes_on_a_client_without_certificate_requires_one() -> None:
    """Without an alert."""
    found = diagnose(Situation(Trace(Ending.RESET, Stage.HANDSHAKE), Story(client_chain=()), Observation()))
    assert found is not None
    assert "has asked for a certificate and got none" in found.happened
    assert found.cause.startswith("the server requires a client certificate")


@pytest.mark.parametrize(
    ("story", "words"),
    [
        (Story(), "failed to load the certificate or its key"),
        (Story(version=TLS12, server_chain=CERTIFICATE, group=29), "more than the 64 KB"),
        (Story(version=TLS13), "more than the 64 KB"),
        (Story(version=TLS13, server_chain=CERTIFICATE), "its key could not sign"),
        (Story(version=TLS12, server_chain=CERTIFICATE), "its key could not sign"),
        (Story(version=TLS12, request=CertificateRequest((), (), ())), "its key could not sign"),
    ],
)
def test_an_internal_error_means_what_would_have_come_next(story: Story, words: str) -> None:
    """RFC 8446 2 and RFC 5246 7.3 have the order of a server's messages."""
    case = Situation(Trace(Ending.ALERT, Stage.HANDSHAKE), replace(story, alert=(Side.SERVER, 80)), Observation())
    found = diagnose(case)
    assert found is not None
    assert words in found.cause


@pytest.mark.parametrize("fault", ["UNSUPPORTED_PROTOCOL", "DH_KEY_TOO_SMALL", "EE_KEY_TOO_SMALL", "NEVER_HEARD_OF"])
def test_what_our_own_side_refuses_is_explained(fault: str) -> None:
    """With OpenSSL's reason in words."""
    found = of_trace(Ending.OWN_FAULT, Stage.HANDSHAKE, fault=fault)
    assert fault.replace("_", " ").lower() in found.happened
    assert found.fix


@pytest.mark.parametrize(
    ("verify", "directive", "words"),
    [
        ("FAILED:unable to get local issuer certificate", "ssl_client_certificate", "ssl_verify_depth is smaller"),
        ("FAILED:certificate has expired", None, "past its not_after"),
        ("FAILED:CRL has expired", "ssl_crl", "past its next_update"),
        ("FAILED:certificate chain too long", "ssl_verify_depth", "more intermediates"),
        ("FAILED:unsuitable certificate purpose", None, "not made for clients"),
    ],
)
def test_a_verify_reason_leads_to_cause_and_directive(verify: str, directive: str | None, words: str) -> None:
    """By the table that the proof uses too."""
    found = of_answer(Observation(status=400, code=495, verify=verify))
    assert found is not None
    assert (found.code, found.verify, found.directive) == (495, verify, directive)
    assert words in found.cause


def test_a_page_without_a_reason_is_helped_by_our_own_checks() -> None:
    """What the certificate alone explains is said to be ours; what it does not, is not guessed."""
    seen = Observation(status=400, code=495, verify="FAILED")
    expired, unknown = of_answer(seen, likely=10), of_answer(seen)
    assert expired is not None
    assert unknown is not None
    assert expired.verify == "FAILED:certificate has expired (by our own checks: the page does not say it)"
    assert unknown.verify is None
    assert unknown.log is not None
    assert unknown.log.text == "client SSL certificate verify error"
    assert "does not say why" in unknown.cause


def test_the_list_of_cas_is_more_telling_than_openssls_last_word() -> None:
    """Another CA's file behind nginx says many things, and its list shows it."""
    seen = Observation(status=400, code=495, verify="FAILED:unable to get certificate CRL")
    found = of_answer(seen, listed=Listed.NONE)
    assert found is not None
    assert "none of the CAs above" in found.cause


@pytest.mark.parametrize(("status", "presented"), [(403, True), (403, False), (401, False)])
def test_a_refusal_of_the_site_itself(status: int, *, presented: bool) -> None:
    """With a certificate something else decides; without one it may be wanted."""
    story = Story(client_chain=CERTIFICATE if presented else None, request=CertificateRequest(()))
    found = diagnose(Situation(Trace(Ending.DONE, Stage.REQUEST), story, Observation(status=status)))
    assert found is not None
    assert ("allow list" in found.cause) is presented


@pytest.mark.parametrize(
    ("likely", "verify", "words"),
    [
        (
            10,
            None,
            "does not verify, and the site goes by that: the client's certificate, or that of a CA above it, has",
        ),
        (10, "SUCCESS", "verified, yet refused"),
        (None, None, "verified, yet refused"),
    ],
)
def test_a_refusal_of_a_bad_certificate_by_the_site_itself(likely: int | None, verify: str | None, words: str) -> None:
    """HAProxy's verify optional, and nginx's optional_no_ca, leave it to a rule."""
    story = Story(client_chain=CERTIFICATE, request=CertificateRequest(()))
    seen = Observation(status=403, verify=verify)
    found = diagnose(Situation(Trace(Ending.DONE, Stage.REQUEST), story, seen, likely))
    assert found is not None
    assert words in found.cause


def test_a_silence_in_which_nothing_is_wrong_with_the_certificate() -> None:
    """It is not said that nginx refused it."""
    story = Story(client_chain=CERTIFICATE, request=CertificateRequest(()))
    trace = Trace(Ending.CLOSED, Stage.REQUEST, finished_at=1.0)
    found = diagnose(Situation(trace, story, Observation(closed=True)))
    assert found is not None
    assert found.cause.startswith("the server's backend is away")
    assert (found.verify, found.log) == (None, None)
    bad = diagnose(Situation(trace, story, Observation(closed=True), 10))
    assert bad is not None
    assert "is past its not_after" in bad.cause


def test_a_login_is_wanted_beside_an_accepted_certificate() -> None:
    """401 is about a login (RFC 9110 15.5.2), and a certificate is none."""
    story = Story(client_chain=CERTIFICATE, request=CertificateRequest(()))
    found = diagnose(Situation(Trace(Ending.DONE, Stage.REQUEST), story, Observation(status=401)))
    assert found is not None
    assert "the certificate is accepted" in found.cause


@pytest.mark.parametrize("status", [400, 401, 403])
def test_who_asks_for_no_certificate_refuses_for_another_reason(status: int) -> None:
    """An application's own refusal is no failure of the handshake."""
    assert diagnose(Situation(Trace(Ending.DONE, Stage.REQUEST), Story(), Observation(status=status))) is None


@pytest.mark.parametrize(("presented", "code"), [(True, 495), (False, 496)])
def test_a_400_on_a_page_of_its_own(code: int, *, presented: bool) -> None:
    """An error_page in place of nginx's: what it is about follows from what the client sent."""
    story = Story(client_chain=CERTIFICATE if presented else (), request=CertificateRequest(()))
    found = diagnose(Situation(Trace(Ending.DONE, Stage.REQUEST), story, Observation(status=400), likely=10))
    assert found is not None
    assert found.happened.startswith("the server answers 400 on a page of its own")
    assert found.code == code
    assert ("past its not_after" in found.cause) is presented


@pytest.mark.parametrize("status", [200, 204, 301, 404, 500])
def test_an_answer_is_no_failure(status: int) -> None:
    """Whatever the application says."""
    assert of_answer(Observation(status=status)) is None
