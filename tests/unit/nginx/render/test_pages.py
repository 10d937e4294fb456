"""The pages: valid HTML, small enough for nginx, and a reason for every text that OpenSSL has."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import ClassVar

import pytest

from counterseal.nginx.parse import parse
from counterseal.nginx.render.reasons import OTHER, REASONS
from counterseal.nginx.tree import walk
from nginx_maps import find_map, look_up
from unit.nginx.render.sites import make_site, render_text

HTTP = render_text("http.conf", make_site())
LINE = (
    "counterseal: generation=7 site=$counterseal_site decision={} code={} "
    'verify="$ssl_client_verify" serial=$ssl_client_serial reused=$ssl_session_reused protocol=$ssl_protocol'
)

# X509_verify_cert_error_string of OpenSSL 1.1 and 3, as nginx has them in $ssl_client_verify.
TEXTS = {
    "certificate has expired": "Certificate expired",
    "certificate is not yet valid": "Certificate not valid yet",
    "certificate revoked": "Certificate revoked",
    "unable to verify the first certificate": "Issuer not known here",
    "unable to get local issuer certificate": "Issuer not known here",
    "self-signed certificate": "Issuer not trusted",
    "self signed certificate in certificate chain": "Issuer not trusted",
    "unsuitable certificate purpose": "Not a client certificate",
    "unsupported certificate purpose": "Not a client certificate",
    "EE certificate key too weak": "Key or signature too weak",
    "CA certificate key too weak": "Key or signature too weak",
    "CA md too weak": "Key or signature too weak",
    "CA signature digest algorithm too weak": "Key or signature too weak",
    "certificate signature failure": "Certificate forged or damaged",
    "unable to get certificate CRL": "List of revocations out of order",
    "CRL has expired": "List of revocations out of order",
    "CRL is not yet valid": "List of revocations out of order",
    "CRL signature failure": "List of revocations out of order",
    "unable to get issuer certificate": "Issuers out of order",
    "certificate chain too long": "Issuers out of order",
    "path length constraint exceeded": "Issuers out of order",
    "invalid CA certificate": "Issuer is not an authority",
    "key usage does not include certificate signing": "Issuer is not an authority",
    "permitted subtree violation": "Name out of bounds",
    "excluded subtree violation": "Name out of bounds",
    "certificate status unknown": "Certificate unknown",
    "certificate status request failed": "Status of certificates unknown",
    "application verification failure": OTHER.title,
}
VERDICTS = {
    "200:admitted|SUCCESS": "Not available",
    "400:malformed|": "Request not understood",
    "403:forbidden|SUCCESS": "Not on the list",
    "421:misdirected|SUCCESS": "Wrong connection for this name",
    "496:missing|NONE": "No certificate was sent",
    "494:large|SUCCESS": "Request too large",
    "497:plain|": "This port speaks HTTPS",
    "502:upstream|SUCCESS": "The application refused",
    "495:issuer|SUCCESS": "Certificate of another issuer",
    "495:revoked|SUCCESS": "Certificate revoked",
    "495:unknown|SUCCESS": "Certificate unknown",
    **{f"495:failed|FAILED:{text}": title for text, title in TEXTS.items()},
}


@pytest.mark.parametrize(("source", "title"), VERDICTS.items())
def test_every_refusal_has_its_title(source: str, title: str) -> None:
    """And a text that says what to do."""
    assert look_up(find_map(HTTP, "$counterseal_title"), source) == title
    assert look_up(find_map(HTTP, "$counterseal_text"), source).endswith(".")


def test_every_reason_is_used() -> None:
    """No reason waits for a text that OpenSSL does not have."""
    hit = [next((reason for reason in REASONS if re.search(reason.pattern, source)), OTHER) for source in VERDICTS]
    assert [reason.title for reason in REASONS if reason not in hit] == []


@pytest.mark.parametrize(
    ("verdict", "decision", "code"),
    [
        ("200:admitted", "admitted", "200"),
        ("200:open", "admitted", "200"),
        ("496:missing", "refused", "496"),
        ("403:forbidden", "refused", "403"),
        ("", "refused", "495"),
        ("anything", "refused", "495"),
    ],
)
def test_the_line_follows_the_verdict(verdict: str, decision: str, code: str) -> None:
    """What is no verdict counts as refused."""
    assert look_up(find_map(HTTP, "$counterseal_line"), verdict) == LINE.format(decision, code)


class _Balance(HTMLParser):
    """Notes every tag that is closed wrongly, and what the page refers to."""

    void: ClassVar = {"meta"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.faults += [f"{tag} {name}" for name, _ in attrs if name in {"src", "href", "style", "onload"}]
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"/{tag}")


def test_the_page_is_whole_and_refers_to_nothing() -> None:
    """Balanced tags, a language, a title, no image, script or link."""
    page = look_up(find_map(HTTP, "$counterseal_page"), "")
    reader = _Balance()
    reader.feed(page)
    assert (reader.faults, reader.open) == ([], [])
    assert {"html", "title", "main", "h1", "style"} <= set(reader.seen)
    assert not {"script", "link", "img"} & set(reader.seen)
    assert '<html lang="en">' in page
    assert "color-scheme:light dark" in page
    assert "<!-- $counterseal_line -->" in page


def test_every_word_fits_into_nginxs_buffer() -> None:
    """A word of the configuration may have 4096 octets at most (NGX_CONF_BUFFER)."""
    words = [word.raw for placed in walk(parse(HTTP)) for word in placed.directive.words]
    assert max(map(len, words)) < 4000
