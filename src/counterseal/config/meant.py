"""Which key or word of counterseal.toml was meant by one that it does not have: near ones, and nginx's for the same."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from counterseal.config.raw import RawNginx, RawSite, RawStreamSite

if TYPE_CHECKING:
    from collections.abc import Iterable

_KEYS = {
    "allow": ("allowed", "allow_groups", "allowed_groups", "groups", "subjects", "ou"),
    "certificate": ("cert", "crt", "ssl_certificate", "server_certificate"),
    "certificate_key": ("key", "key_file", "private_key", "ssl_certificate_key"),
    "client_cas": ("ca", "cas", "client_ca", "ssl_client_certificate", "ssl_trusted_certificate"),
    "client_certificates": ("client_certificate", "ssl_verify_client", "verify_client", "mtls", "auth"),
    "identity_headers": ("headers", "proxy_set_header", "client_headers"),
    "listen": ("port", "ports", "address", "bind"),
    "locations": ("location", "paths"),
    "names": ("name", "hostname", "hostnames", "server_name", "server_names"),
    "ocsp": ("ssl_ocsp", "ssl_ocsp_responder"),
    "path": ("location", "prefix"),
    "redirect_from": ("redirect", "http_listen"),
    "revocation": ("crl", "ssl_crl"),
    "root": ("document_root", "directory", "dir"),
    "server_names": ("server_name", "names", "name", "hostname", "hostnames", "domains", "hosts"),
    "sessions": ("ssl_session_cache", "ssl_session_tickets"),
    "sites": ("server", "servers", "vhosts"),
    "stapling": ("ssl_stapling",),
    "store": ("database", "db", "postgresql", "sqlite", "inventory"),
    "tls": ("ssl_protocols", "protocols", "tls_version", "min_tls"),
    "upstream": ("proxy_pass", "grpc_pass", "backend", "target", "forward", "proxy"),
    "upstream_tls": ("proxy_ssl", "backend_tls"),
    "url": ("uri", "dsn", "host"),
}
_VALUES = {
    "required": ("on", "yes", "true", "mandatory", "require", "always"),
    "optional": ("optional_no_ca", "request"),
    "none": ("off", "no", "false", "disabled"),
    "off": ("no", "none", "false", "disabled"),
    "standard": ("on", "yes", "true", "x-ssl-client"),
    "stream": ("tcp", "tls", "l4"),
    "tls": ("ssl", "smtps"),
    "http-01": ("http",),
    "dns-01": ("dns",),
    "cache": ("on", "yes", "shared"),
    "intermediate": ("tlsv1.2", "1.2", "old"),
    "modern": ("tlsv1.3", "1.3"),
}

_OF_NGINX = re.compile("site|nginx|serv|host|http|web|prox|stream|location|tls|ssl", re.IGNORECASE)
_KEYS_OF_NGINX = frozenset(key for kind in (RawSite, RawStreamSite, RawNginx) for key in kind.__struct_fields__)


def meant_key(key: str, known: Iterable[str]) -> str | None:
    """Return which of the ``known`` keys was probably meant, None where no one can tell."""
    return _meant(key.lower().replace("-", "_"), list(known), _KEYS)


def hint_for_key(key: str, known: Iterable[str]) -> str:
    """Return what to write instead of a key that there is not."""
    names = list(known)
    meant = meant_key(key, names)
    return f"did you mean {meant!r}?" if meant else f"known are {', '.join(names)}"


def may_be_of_nginx(name: str, content: object) -> bool:
    """Return whether a section that is like none may hold a site, or say which nginx serves them.

    Its name may speak of one, or a key of theirs may be in it or in a table of it.
    """
    tables = [content, *content.values()] if isinstance(content, dict) else []
    keys = {name}.union(*(table for table in tables if isinstance(table, dict)))
    return _OF_NGINX.search(name) is not None or not keys.isdisjoint(_KEYS_OF_NGINX)


def meant_choice(text: str, known: Iterable[str]) -> str | None:
    """Return which of the ``known`` words was probably meant, None where no one can tell."""
    return _meant(text.lower(), list(map(str, known)), _VALUES)


def hint_for_choice(text: str, known: Iterable[str]) -> str:
    """Return which words there are instead of one that there is not, and which was probably meant."""
    words = list(map(str, known))
    meant, choose = meant_choice(text, words), f"choose one of {', '.join(words)}"
    return f"did you mean {meant!r}? {choose}" if meant else choose


def _meant(word: str, known: list[str], others: dict[str, tuple[str, ...]]) -> str | None:
    if word in known:
        return word
    named = (one for one in known if word in others.get(one, ()))
    return next(named, None) or next(iter(get_close_matches(word, known, n=1)), None)
