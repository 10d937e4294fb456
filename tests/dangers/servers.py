"""What clients see of the server itself: its certificate, key and protocols."""

from __future__ import annotations

import ssl

from nginx_dangers import ADMITTED, Danger, Visit

CAREFUL = Visit(trust="server-root.pem")
ABSENT = Visit(name="absent.test")
STRICT = Visit(name="strict.panel.test", host="strict.panel.test", newest=ssl.TLSVersion.TLSv1_2)
UNSERVED, MISMATCH = "TLSV1_ALERT_INTERNAL_ERROR", "Hostname mismatch, certificate is not valid for "

DANGERS = (
    Danger("tls-cert-expired", CAREFUL, "certificate has expired", ADMITTED),
    Danger("tls-cert-expired", CAREFUL, "certificate is not yet valid", ADMITTED, bad="bad_not_yet"),
    Danger(
        "tls-cert-name-mismatch",
        CAREFUL._replace(name="www.panel.test"),
        f"{MISMATCH}'www.panel.test'.",
        ADMITTED,
        good="good_both_names",
    ),
    Danger("tls-cert-name-mismatch", CAREFUL, f"{MISMATCH}'panel.test'.", ADMITTED, bad="bad_top_level"),
    Danger("tls-cert-variable-path", ABSENT, UNSERVED, ADMITTED, because="absent.test.pem"),
    Danger("tls-cert-variable-path", Visit(name="lone.test"), UNSERVED, ADMITTED, bad="bad_pattern", because="/.pem"),
    Danger("tls-cert-wrong-eku", CAREFUL, "unsuitable certificate purpose", ADMITTED),
    Danger("tls-chain-incomplete", CAREFUL, "unable to get local issuer certificate", ADMITTED),
    Danger("tls-key-inline-data", Visit(), UNSERVED, ADMITTED, bad="bad_broken", because="c2VjcmV0"),
    Danger("tls-protocols-in-nondefault-server", STRICT, "200 files", "TLSV1_ALERT_PROTOCOL_VERSION"),
)
