"""What nginx answers is said for the version that was asked, and for those that answer otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from chains import NOW, cases, crl, intermediate, root
from counterseal.authority.verification import Given, NginxGiven, as_nginx, verify_certificate
from counterseal.authority.verification_json import verified_to_json
from counterseal.authority.verification_words import nginx_words, openssl_words
from counterseal.nginx.verification_files import LoadedFile
from counterseal.nginx.version import NginxVersion
from counterseal.pki.path.revocation_list import RevocationList
from counterseal.pki.profile import Purpose

if TYPE_CHECKING:
    from counterseal.pki.openssl.release import Release

CHAIN = next(case for case in cases() if case.name == "good client").chain
ANCHORS = (root().certificate,)
DELTA = crl(intermediate(), extensions=((x509.CRLNumber(8), False), (x509.DeltaCRLIndicator(7), True)))
LISTS = (crl(root()), DELTA)
ASKED = NginxGiven(
    NginxVersion((1, 28, 0)), LoadedFile(ANCHORS), tuple(one.public_bytes(Encoding.PEM) for one in LISTS)
)
GIVEN = Given(
    CHAIN,
    ANCHORS,
    "1 CA of a test",
    Purpose.CLIENT,
    NOW,
    crls=tuple(RevocationList(one.public_bytes(Encoding.DER)) for one in LISTS),
)


@pytest.mark.parametrize(
    ("openssl", "who", "code", "elsewhere"),
    [
        ((3, 0, 20), "nginx 1.28.0 with OpenSSL 3.0.20", None, 495),
        ((3, 0, 22), "nginx 1.28.0 with OpenSSL 3.0.22", 495, None),
        (None, "nginx 1.28.0", 495, None),
    ],
)
def test_a_delta_is_taken_by_one_openssl_and_not_by_another(
    openssl: Release | None, who: str, code: int | None, elsewhere: int | None
) -> None:
    """The answer, and so the exit code, is that of the version asked; the other one stands beside it."""
    verified = as_nginx(verify_certificate(GIVEN), replace(ASKED, version=replace(ASKED.version, openssl=openssl)))
    told = verified_to_json(verified)["nginx"]
    assert told is not None
    assert (told["who"], told["code"]) == (who, code)
    (other,) = told["elsewhere"]
    assert other["code"] == elsewhere
    assert "OpenSSL" in other["who"]
    assert verified.admitted == (code is None)
    assert sum(line.startswith("nginx ") for line in nginx_words(verified)) == 2


def test_both_kinds_of_openssl_are_told() -> None:
    """For curl, Python and others, whose OpenSSL nobody knows."""
    newer, older = openssl_words(verify_certificate(GIVEN))
    assert "refuses with 3" in newer
    assert "older OpenSSL: accepts" in older


def test_a_certificate_among_the_lists_is_trusted_before_1_27_2() -> None:
    """Each version says what the other does, and nobody speaks of OpenSSL, for which it makes no difference."""
    lists = [*(one.public_bytes(Encoding.PEM) for one in (crl(root()), crl(intermediate()), root().certificate))]
    nobody = LoadedFile((intermediate().certificate,))
    asked = replace(ASKED, cas=nobody, lists=(b"".join(lists),))
    for number, admits in (((1, 22, 1), True), ((1, 28, 0), False)):
        verified = as_nginx(verify_certificate(GIVEN), replace(asked, version=NginxVersion(number)))
        assert verified.admitted == admits
        (other,) = verified.other_nginx
        assert other.admits != admits
        assert "1.27.2" in other.who


def test_where_every_version_answers_the_same_one_speaks() -> None:
    """With full lists, and nothing beside them."""
    lists = tuple(one.public_bytes(Encoding.PEM) for one in (crl(root()), crl(intermediate())))
    verified = as_nginx(verify_certificate(GIVEN), replace(ASKED, lists=lists))
    assert verified.admitted
    assert verified.other_nginx == ()
