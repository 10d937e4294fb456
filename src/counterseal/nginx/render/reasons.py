"""Why a client was refused, in plain words: what it means and what to do, naming nobody.

A reason is found in ``<verdict>|<$ssl_client_verify>``; the second half has OpenSSL's own texts, of which 3.0 changed a
few, so both spellings are known.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """A regular expression over verdict and verify text, a title, and a sentence or two."""

    pattern: str
    title: str
    text: str


_ASK = "Ask whoever runs this site for a new certificate."
_OPERATOR = "Nothing is wrong on your side: whoever runs this site has to mend it."
_INSTALL = (
    "This page is for people and devices with a client certificate. Either none is installed here, or the browser did "
    "not offer it: it leaves out expired ones and those of another issuer without a word. After installing one, close "
    "the browser and open it again."
)
_CHAIN = (
    "This site does not know who issued your certificate. Either it is one for another site, or the file you installed "
    "lacks the intermediate certificates: install the complete one again."
)
_RECONNECT = "The connection was made for another server name. Reload the page, or close the browser and open it again."
_LARGE = (
    "The address or the header of the request is longer than this site takes, most often because of too many cookies: "
    "delete those of this site, and try again. This says nothing about your certificate."
)
_CLOCK = "Your certificate begins to be valid later. Look at the date and time of this device, or wait."
_PURPOSE = "Your certificate was made for another purpose, such as a server or e-mail. Choose one made for clients."
_BACKEND = (
    "The application behind this site answered 400 to the server, which may concern the server's own certificate. This "
    "says nothing about yours."
)
_LIST = f"This site cannot tell which certificates are withdrawn, so it lets nobody in. {_OPERATOR}"
_STATUS = f"This site cannot find out which certificates are withdrawn, so it lets nobody in. {_OPERATOR}"
_DEPTH = f"This site is not set up for the chain of issuers of your certificate. {_OPERATOR}"

OTHER = Reason("", "Certificate not accepted", f"Your certificate does not pass the checks of this site. {_ASK}")

# The first match wins.
REASONS: tuple[Reason, ...] = (
    Reason("^200:", "Not available", "Your certificate is accepted, but there is nothing to see here."),
    Reason("^400:", "Request not understood", "The request is malformed. This says nothing about your certificate."),
    Reason("^494:", "Request too large", _LARGE),
    Reason("^403:", "Not on the list", "Your certificate is valid, but not among those that may see this page."),
    Reason("^421:", "Wrong connection for this name", _RECONNECT),
    Reason("^496:", "No certificate was sent", _INSTALL),
    Reason(
        "^497:", "This port speaks HTTPS", "The request came unencrypted. Use the same address with https:// before."
    ),
    Reason("^502:", "The application refused", _BACKEND),
    Reason("^495:issuer", "Certificate of another issuer", f"Your certificate is not one for this site. {_ASK}"),
    Reason("^495:revoked", "Certificate revoked", f"Your certificate was withdrawn. {_ASK}"),
    Reason("^495:unknown", "Certificate unknown", f"Your certificate is not in the list of those in use. {_ASK}"),
    Reason("FAILED:certificate has expired", "Certificate expired", f"Its time is over. {_ASK}"),
    Reason("FAILED:certificate is not yet valid", "Certificate not valid yet", _CLOCK),
    Reason("FAILED:certificate revoked", "Certificate revoked", f"Your certificate was withdrawn. {_ASK}"),
    Reason("FAILED:unable to (?:verify the first|get local issuer) certificate", "Issuer not known here", _CHAIN),
    Reason("FAILED:self.signed certificate", "Issuer not trusted", f"Nobody this site trusts issued it. {_ASK}"),
    Reason("FAILED:uns(?:uitable|upported) certificate purpose", "Not a client certificate", _PURPOSE),
    Reason("FAILED:(?:EE|CA) (?:certificate key|md) too weak", "Key or signature too weak", _ASK),
    Reason("FAILED:CA signature digest algorithm too weak", "Key or signature too weak", _ASK),
    Reason("FAILED:certificate signature failure", "Certificate forged or damaged", f"Its signature is wrong. {_ASK}"),
    Reason("FAILED:certificate status unknown", "Certificate unknown", f"It is not among those in use. {_ASK}"),
    Reason("FAILED:certificate status request failed", "Status of certificates unknown", _STATUS),
    Reason("FAILED:(?:unable to get certificate )?CRL", "List of revocations out of order", _LIST),
    Reason("FAILED:unable to get issuer certificate", "Issuers out of order", _DEPTH),
    Reason("FAILED:(?:certificate chain too long|path length constraint exceeded)", "Issuers out of order", _DEPTH),
    Reason("FAILED:invalid CA certificate", "Issuer is not an authority", f"It may not issue certificates. {_ASK}"),
    Reason("FAILED:key usage does not include", "Issuer is not an authority", f"It may not issue certificates. {_ASK}"),
    Reason(
        "FAILED:(?:permitted|excluded) subtree", "Name out of bounds", f"Its issuer may not issue that name. {_ASK}"
    ),
)
