"""Whatever a configuration looks like, the linter answers: with findings, or with one of our errors."""

from __future__ import annotations

import base64
import random
import re
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterseal.errors import InputError
from counterseal.nginx.lint.build import build
from counterseal.nginx.lint.edit import apply_edits
from counterseal.nginx.lint.engine import lint
from counterseal.nginx.lint.files import read_pem
from counterseal.nginx.lint.output.fixes import left_by, show_left
from counterseal.nginx.lint.output.text import show_result
from counterseal.nginx.lint.patch import show_patch
from counterseal.nginx.parse import parse
from counterseal.nginx.reading import read_dump
from counterseal.nginx.tree import render_tree
from counterseal.nginx.version import named_version
from nginx_lint_lab import CASES, NOW, VERSIONS, lab_files, list_cases

MARKS = ("{", "}", ";", " ", "\n", "\r\n", "\t", '"', "'", "\\", "$", "${", "#", "(", ")", "~", "=", "!=", "@", "*")
WORDS = """
    if map geo set return rewrite location server http stream mail upstream include listen server_name error_page
    proxy_pass grpc_pass ssl_crl ssl_verify_client ssl_session_cache default on off optional shared: unix: data:
    https:// [::]: 443 99999999999 - / $ssl_client_verify $ssl_client_s_dn ($ssl_client_verify FAILED ssl_protocols
    access_by_lua_block loop.inc *.inc
"""
LARGE = 100_000
FRAGMENTS = (*MARKS, *WORDS.split(), "\x00", "\udcff")

NONE: frozenset[str] = frozenset()


@cache
def texts() -> tuple[str, ...]:
    """Return the cases, which reach every rule."""
    return tuple(case.text for case in list_cases())


@cache
def included() -> dict[str, str]:
    """Return what the cases include, and a file that includes itself."""
    return {"loop.inc": "include loop.inc;", **{path.name: path.read_text() for path in CASES.glob("*.inc")}}


def look(text: str) -> None:
    """Lint a text, show what was found, and apply what mends it; only our own error may come out."""
    try:
        assert render_tree(parse(text, file="f")) == text
        whole = read_dump({"f": text, **included()})
    except InputError:
        return
    for version in VERSIONS:
        result = lint(build(whole.tree, version=named_version(version), now=NOW), whole.texts)
        show_result(result, whole.texts)
        show_left(left_by(result, NONE), whole.texts)
        for edits in (result.edits(), *(one.fix.edits for one in result.found if one.fix)):
            changed = apply_edits(whole.texts, edits)
            show_patch(whole.texts, changed)
            for file, mended in changed.items():
                parse(mended, file=file)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=60))
def test_words_thrown_together(words: list[str]) -> None:
    """Mostly no configuration at all."""
    look(" ".join(words))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 2**32))
def test_cases_with_something_changed(number: int, seed: int) -> None:
    """Words of one case cut out, doubled, or put where they do not belong."""
    look(mutate(texts()[number % len(texts())], random.Random(seed)))  # noqa: S311 - nothing secret


@pytest.mark.parametrize(
    ("case", "name"),
    [
        ("file-malformed/bad", "ssl_verify_client"),
        ("mtls-duplicate-server-name/bad_optional", "ssl_client_certificate"),
        ("mtls-front-controller-open/bad", "try_files"),
        ("mtls-ocsp-without-resolver/bad", "ssl_ocsp"),
        ("mtls-ocsp-without-verify/bad", "ssl_ocsp"),
    ],
)
def test_a_line_that_is_only_begun(case: str, name: str) -> None:
    """Whoever is writing it has the linter run already; nginx says what is missing."""
    text, changes = re.subn(rf"\b{name} [^;]*;", f"{name};", (CASES / f"{case}.conf").read_text())
    assert changes
    look(text)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32))
def test_files_with_something_changed(seed: int) -> None:
    """A few octets of certificates, lists and keys are others; every rule about files looks at them."""
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    small = {name: content for name, content in lab_files().items() if len(content) < LARGE}
    files = {name: read_pem(name, damage(content, chance), mode=0o644) for name, content in small.items()}
    for text in chance.sample(texts(), 10):
        try:
            whole = read_dump({"f": text, **included()})
        except InputError:
            continue
        lint(build(whole.tree, version=named_version("1.28.0"), now=NOW, files=files), whole.texts)


def damage(pem: bytes, chance: random.Random) -> bytes:
    """Return PEM whose DER differs in up to three octets a block."""

    def damaged(match: re.Match[bytes]) -> bytes:
        der = bytearray(base64.b64decode(match[2]))
        for _ in range(chance.randint(0, 3)):
            der[chance.randrange(len(der))] = chance.choice((0, 1, 0x0C, 0x30, 0xFF, chance.randrange(256)))
        return b"%s\n%s%s" % (match[1], base64.encodebytes(der), match[3])

    return re.sub(rb"(-----BEGIN [A-Z0-9 ]+-----)\n(.*?)(-----END [A-Z0-9 ]+-----)", damaged, pem, flags=re.DOTALL)


def mutate(text: str, chance: random.Random) -> str:
    """Return the text with a few of its words changed."""
    words = text.split(" ")
    for _ in range(chance.randint(1, 6)):
        at, length = chance.randrange(len(words)), chance.randint(0, 2)
        words[at : at + length] = [chance.choice((*FRAGMENTS, *words)) for _ in range(chance.randint(0, 2))]
    return " ".join(words)
