"""Whom nginx believes: the files of client CAs and revocation lists, and which server of a socket looks at them."""

from __future__ import annotations

from nginx_dangers import ADMITTED, ANYBODY, BOB, Danger, Visit

ALICE = Visit("alice")
"""Her certificate stands in ``clients.crl``."""
FOREIGN = Visit("other-alice")
"""She has the name from a CA that most cases do not know."""
REVOKED_WITHOUT_SNI = ALICE._replace(name=None, host="strict.test")
BOB_WITHOUT_SNI = BOB._replace(name=None, host="other.test")
NO_LIST = "(3:unable to get certificate CRL)"
OVER = "(12:CRL has expired)"

DANGERS = (
    Danger(
        "mtls-ca-file-expired", Visit("former-bob"), "400", ADMITTED, good="good_renewed", because="(10:certificate has"
    ),
    Danger("mtls-ca-file-lacks-root", BOB, "400", ADMITTED, because="(2:unable to get issuer certificate)"),
    Danger(
        "mtls-ca-missing-intermediate", Visit("bob-alone"), "400", ADMITTED, because="(21:unable to verify the first"
    ),
    Danger("mtls-conf-command-replaces-trust", FOREIGN, "200 files", "400"),
    Danger(
        "mtls-conf-command-replaces-trust", BOB, "400", "200 files", bad="bad_http_level", good="good_not_inherited"
    ),
    Danger("mtls-crl-delta", ALICE, ADMITTED, "400"),
    Danger("mtls-crl-duplicate-issuer", ALICE, ADMITTED, "400"),
    Danger("mtls-crl-expired", BOB, "400", ADMITTED, because=OVER),
    Danger("mtls-crl-expired", BOB, "400", ADMITTED, good="good_newer", because=OVER),
    Danger("mtls-crl-file-contains-certificate", FOREIGN, ADMITTED, "400"),
    Danger("mtls-crl-missing-for-intermediate", BOB, "400", ADMITTED, because=NO_LIST),
    Danger("mtls-crl-not-on-default-server", REVOKED_WITHOUT_SNI, ADMITTED, "400"),
    Danger("mtls-crl-not-on-default-server", REVOKED_WITHOUT_SNI, ADMITTED, "400", bad="bad_other_list"),
    Danger("mtls-crl-not-yet-valid", BOB, "400", ADMITTED, because="(11:CRL is not yet valid)"),
    Danger("mtls-crl-without-verify", ALICE, ADMITTED, "400"),
    Danger("mtls-crl-without-verify", ALICE, ADMITTED, "400", bad="bad_ca_named"),
    Danger("mtls-crl-wrong-signature", BOB, "400", ADMITTED, because=NO_LIST),
    Danger("mtls-crl-wrong-signature", BOB, "400", ADMITTED, bad="bad_tampered", because="(8:CRL signature failure)"),
    Danger("mtls-cross-ca-no-sni", BOB_WITHOUT_SNI, ADMITTED, "TLSV1_UNRECOGNIZED_NAME"),
    Danger("mtls-cross-ca-no-sni", BOB_WITHOUT_SNI, ADMITTED, "400", good="good_default_asks_nobody"),
    Danger(
        "mtls-cross-ca-no-sni",
        BOB_WITHOUT_SNI._replace(name="unknown.test"),
        ADMITTED,
        "TLSV1_UNRECOGNIZED_NAME",
        bad="bad_default_server",
    ),
    Danger("mtls-depth-too-small", Visit("dora"), "400", ADMITTED, because="get issuer certificate)"),
    Danger("mtls-depth-too-small", Visit("dora"), "400", ADMITTED, bad="bad_default", because="issuer certificate)"),
    Danger("mtls-ocsp-without-verify", ANYBODY, ADMITTED, "400"),
    Danger("mtls-ocsp-without-verify", ANYBODY, ADMITTED, "400", bad="bad_ca_named"),
    Danger("mtls-public-ca-bundle", Visit("public-bob"), ADMITTED, "400"),
    Danger("mtls-same-ca-for-server-and-client", Visit("both", name="both.test"), ADMITTED, "400", good="good_own_ca"),
    Danger("mtls-shared-origin-pull-ca", Visit("origin-bob"), ADMITTED, "400"),
    Danger("mtls-sub-ca-not-pinned", Visit("sensor"), ADMITTED, "403"),
    Danger("mtls-sub-ca-not-pinned", Visit("sensor"), ADMITTED, "403", bad="bad_stream"),
    Danger("mtls-trusted-certificate-widens", FOREIGN, ADMITTED, "400", good="good_intermediate"),
    Danger("mtls-trusted-certificate-widens", FOREIGN, ADMITTED, "403", good="good_pinned"),
)
