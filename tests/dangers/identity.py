"""As whom a client is taken: by the conditions of nginx, and by an application that believes its headers."""

from __future__ import annotations

from nginx_dangers import ADMITTED, ANYBODY, BOB, Danger, Visit

FORGED = {"X-SSL-Client-Verify": "SUCCESS", "X-SSL-Client-S-DN": "CN=admin"}
FROM_PROXY = FORGED | {"X-Forwarded-For": "10.0.0.1"}
TOLD = "return 200 $http_x_ssl_client_verify,$http_x_ssl_client_s_dn;"
"""An application that says as whom it takes the client."""
KEPT = "add_header Cache-Control max-age=60; return 200 $http_x_ssl_client_s_dn;"
ADMIN = BOB._replace(headers=FORGED)
ALICE, LAB_ALICE, FOREIGN = Visit("alice"), Visit("lab-alice"), Visit("other-alice")
AS_ADMIN, AS_BOB = "200 SUCCESS,CN=admin", "200 SUCCESS,CN=bob"
OPEN = Visit(name="www.test", host="www.test", path="/public/", headers=FORGED)
NAMELESS = Visit(headers={"X_SSL_Client_S_DN": "CN=admin"})

OF_MODULES = (
    Danger(
        "id-header-passes-open-server",
        OPEN,
        AS_ADMIN,
        "200 ,",
        bad="bad_headers_more",
        good="good_headers_more",
        application=TOLD,
    ),
)
DANGERS = (
    Danger("id-cache-shared-between-clients", BOB, "200 CN=alice", "200 CN=bob", first=ALICE, application=KEPT),
    Danger(
        "id-cache-shared-between-clients",
        BOB,
        "200 CN=alice",
        "200 CN=bob",
        bad="bad_own_key",
        good="good_bypassed",
        first=ALICE,
        application=KEPT,
    ),
    Danger(
        "id-cache-shared-between-clients",
        ANYBODY,
        "200 SUCCESS",
        "403",
        bad="bad_verdict",
        good="good_verdict",
        first=ALICE,
        application="add_header Cache-Control max-age=60; return 200 $http_x_ssl_client_verify;",
    ),
    Danger("id-dn-legacy-format", LAB_ALICE, "403", ADMITTED),
    Danger("id-dn-legacy-format", LAB_ALICE, "403", ADMITTED, bad="bad_regex", good="good_legacy_variable"),
    Danger("id-dn-legacy-format", Visit("lab-mallory"), ADMITTED, "403", bad="bad_refusal"),
    Danger("id-dn-regex-unanchored", Visit("alice2"), ADMITTED, "403"),
    Danger("id-dn-regex-unanchored", Visit("comma"), ADMITTED, "403", bad="bad_comma", good="good_facts"),
    Danger("id-dn-regex-unanchored", Visit("ops"), ADMITTED, "403", bad="bad_condition", good="good_anchored"),
    Danger("id-dn-regex-unanchored", Visit("alice2"), ADMITTED, "403", bad="bad_issuer"),
    Danger("id-dn-without-issuer", ALICE, ADMITTED, "403"),
    Danger("id-dn-without-issuer", ALICE, ADMITTED, "403", good="good_issuer_checked"),
    Danger("id-dn-without-issuer", FOREIGN, ADMITTED, "400", good="good_one_ca"),
    Danger("id-fingerprint-format", BOB, "403", ADMITTED, good="good_known"),
    Danger("id-fingerprint-format", BOB, "403", ADMITTED, bad="bad_condition", good="good_known"),
    Danger("id-header-inheritance-lost", ADMIN, AS_ADMIN, AS_BOB, application=TOLD),
    Danger("id-header-inheritance-lost", ADMIN, AS_ADMIN, AS_BOB, "bad_http_level", "good_inherited", application=TOLD),
    Danger("id-header-not-overwritten", ADMIN, AS_ADMIN, AS_BOB, application=TOLD),
    Danger("id-header-not-overwritten", ADMIN, AS_ADMIN, "200 SUCCESS,", good="good_cleared", application=TOLD),
    Danger(
        "id-header-not-overwritten",
        ADMIN._replace(path="/api/x"),
        AS_ADMIN,
        AS_BOB,
        bad="bad_none_at_all",
        application=TOLD,
    ),
    Danger("id-header-passes-open-server", OPEN, AS_ADMIN, "200 ,", application=TOLD),
    Danger("id-header-passes-open-server", OPEN, AS_ADMIN, "200 ,", bad="bad_member", application=TOLD),
    Danger("id-map-default-allow", BOB, ADMITTED, "403"),
    Danger("id-map-default-allow", BOB, ADMITTED, "403", bad="bad_no_default"),
    Danger("id-map-default-allow", BOB, ADMITTED, "closed", bad="bad_stream", good="good_stream"),
    Danger("id-raw-cert-header", BOB, "400", ADMITTED),
    Danger("id-raw-cert-header", BOB, "400", ADMITTED, bad="bad_set", good="good_map"),
    Danger("id-raw-cert-header", BOB, "400", ADMITTED, bad="bad_folded"),
    Danger("id-serial-format", LAB_ALICE, "403", "200 files"),
    Danger("id-serial-format", LAB_ALICE, "200 files", "403", bad="bad_condition", good="good_condition"),
    Danger("id-trusts-request-header", Visit(headers=FROM_PROXY), ADMITTED, "403", "bad_real_ip", "good_real_ip"),
    Danger("id-trusts-request-header", Visit(headers=FORGED), ADMITTED, "400"),
    Danger("id-trusts-request-header", Visit(headers={"SSL-Client-S-DN": "CN=alice"}), ADMITTED, "400", bad="bad_map"),
    Danger(
        "id-underscore-headers", NAMELESS, "200 NONE,CN=admin", "200 NONE,", "bad_optional", "good_optional", None, TOLD
    ),
)
