"""Terms of service that changed since an account agreed to them (RFC 8555 7.3.3), where the rules have it agree again.

The RFC lets no client agree by a request of its own (7.3.2): a person opens the page that the refusal names. Its URL
carries a MAC for this account and these terms, which only the holder of the account's key was told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest, digest
from html import escape
from typing import TYPE_CHECKING

from counterseal.protocols.acme.encoding import encode
from counterseal.protocols.acme.exchange import Reply
from counterseal.protocols.acme.problems import Problem, not_found
from counterseal.store.acme.accounts import agree

if TYPE_CHECKING:
    from counterseal.authority.parts import Authority
    from counterseal.protocols.acme.exchange import Call
    from counterseal.protocols.acme.rules import AcmeRules

USE = "acme terms"
"""What the service's secret is asked for."""

_HEADERS = {"Content-Security-Policy": "default-src 'none'; form-action 'self'", "Referrer-Policy": "no-referrer"}
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Terms of service</title>
<p>The terms of service have changed: <a href="{terms}">{terms}</a></p>
{rest}
</html>
"""
_ASK = '<form method="post"><button>Agree for account {account}</button></form>'
_DONE = "<p>Account {account} has agreed: it can order certificates again.</p>"


def require_current_terms(call: Call) -> None:
    """Refuse an account that has not agreed to the terms as they are now; raises Problem ``userActionRequired``."""
    terms, owner = call.rules.terms_of_service, call.owner
    if not call.rules.agree_to_new_terms or terms is None or owner.terms == terms:
        return
    page = call.urls.at(f"terms/{owner.id}/{_code(call.parts.terms_secret, owner.id, terms)}")
    raise Problem(
        "userActionRequired",
        f"the terms of service have changed: {terms} (to agree, open {page})",
        links=((terms, "terms-of-service"),),
        instance=page,
    )


@dataclass(frozen=True, slots=True)
class Page:
    """The page on which a person agrees for an account, by its URL."""

    rules: AcmeRules
    secret: bytes = field(repr=False)
    account: str
    code: str

    def show(self) -> Reply:
        """Return it; raises Problem for a URL that nobody was told."""
        return self._page(self._terms(), _ASK)

    def agree(self, authority: Authority) -> Reply:
        """Note that the account has agreed; raises Problem for a URL that nobody was told."""
        terms = self._terms()
        agree(authority.store, self.account, terms)
        return self._page(terms, _DONE)

    def _terms(self) -> str:
        terms = self.rules.terms_of_service
        if terms is None or not compare_digest(_code(self.secret, self.account, terms).encode(), self.code.encode()):
            raise not_found("page: the terms may have changed once more")
        return terms

    def _page(self, terms: str, rest: str) -> Reply:
        text = _PAGE.format(terms=escape(terms), rest=rest.format(account=escape(self.account)))
        return Reply(text=text, headers=_HEADERS, media_type="text/html; charset=utf-8")


def _code(secret: bytes, account: str, terms: str) -> str:
    return encode(digest(secret, f"{account} {terms}".encode(), sha256))
