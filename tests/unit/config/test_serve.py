"""Where certificates will say that lists, OCSP and CA certificates are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.config.load import load_settings
from counterseal.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "published_at"),
    [
        ("", None),
        ('names = ["ca.test"]', None),
        ('names = ["ca.test"]\nhttp_listen = "0.0.0.0:80"', "http://ca.test"),
        ('names = ["ca.test", "b.test"]\nhttp_listen = "0.0.0.0:8080"', "http://ca.test:8080"),
        ('names = ["fd00::1"]\nhttp_listen = "[::]:8080"', "http://[fd00::1]:8080"),
        ('names = ["ca.test"]\nhttp_listen = "127.0.0.1:0"', None),
        ('names = ["ca.test"]\nhttp_listen = "unix:/run/x"', None),
        ('http_listen = "0.0.0.0:80"', None),
        ('names = ["ca.test"]\nhttp_listen = "0.0.0.0:80"\nhttp_url = "http://pki.test/a/"', "http://pki.test/a"),
    ],
)
def test_the_url_in_certificates(tmp_path: Path, text: str, published_at: str | None) -> None:
    """What is given; else the first name with the port without TLS; else none."""
    (tmp_path / "counterseal.toml").write_text(f"[serve]\n{text}\n")
    assert load_settings(tmp_path / "counterseal.toml").rules.published_at == published_at


@pytest.mark.parametrize(("text", "named"), [("", True), ("enabled = true", True), ("enabled = false", False)])
def test_no_responder_is_named_where_none_answers(tmp_path: Path, text: str, *, named: bool) -> None:
    """Clients would ask it in vain."""
    (tmp_path / "counterseal.toml").write_text(f"[ocsp]\n{text}\n")
    assert load_settings(tmp_path / "counterseal.toml").rules.names_ocsp is named


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[serve]\nhttp_url = "https://pki.test"', "not a plain http URL"),
        ('[serve]\nhttp_url = "http://pki test"', "http://pki test"),
        ('[serve]\ntrust_proxy_protocol = ["lb"]', "not a network in trust_proxy_protocol: 'lb'"),
        ('[ocsp]\nnonces = "maybe"', "not a value for nonces"),
        ('[ocsp]\nlifetime = "30d"', "an OCSP answer cannot live for 30d"),
        ('[ocsp]\nlifetime = "5s"', "an OCSP answer cannot live for 5s"),
    ],
)
def test_what_cannot_be_meant(tmp_path: Path, text: str, said: str) -> None:
    """It is named, and nothing is guessed."""
    (tmp_path / "counterseal.toml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_settings(tmp_path / "counterseal.toml").require()
    assert said in raised.value.findings[0].message
