"""How nginx decides: which server, location or socket asks for a certificate, and which conditions are looked at."""

from __future__ import annotations

from nginx_dangers import ADMITTED, ANYBODY, APPLICATION, BOB, PLAIN, Danger, Visit

FOREIGN = Visit("other-alice")
ADMIN = Visit(path="/public/../admin")
AS_PANEL = Visit(path="https://panel.test/", host="www.test")
API = Visit(path="/api/x")
SECRET = Visit(path="/secret")
CONTROLLER = Visit(path="/index.php/admin/")
ASKED_FOR = "return 200 $request_uri;"
"""An application that says what it was asked for."""
KEPT = 'add_header Cache-Control max-age=60; return 200 "at $server_port";'
"""An application that says which one it is, for a minute."""
WHERE = 'return 200 "at $server_port";'
"""An application that says which one it is."""
WHOM = "return 200 $http_host;"
"""An application that says by which name it was asked."""
PAGES = "/pages/"
BACKEND = "mtls-same-backend-via-open-server"
WWW = Visit(name="www.test", host="www.test")
"""Who comes to the other server, without a certificate."""
BY_HOST = WWW._replace(host="panel.internal")
BY_AGENT = WWW._replace(headers={"User-Agent": "x"})
OTHER = WWW._replace(path="/other/v1/x")

DANGERS = (
    Danger(
        "mtls-cache-read-by-open-server",
        WWW,
        "200 at 9000",
        "200 at 9001",
        first=BOB,
        application=KEPT,
    ),
    Danger(
        "mtls-cache-read-by-open-server",
        PLAIN._replace(path=PAGES),
        "200 at 9000",
        "200 at 9001",
        bad="bad_plain",
        good="good_plain",
        first=BOB._replace(path=PAGES),
        application=KEPT,
    ),
    Danger("mtls-check-by-http-host", AS_PANEL, "200 panel.test", "403", application="return 200 $http_host;"),
    Danger("mtls-check-by-http-host", Visit(host="PANEL.TEST"), ADMITTED, "403"),
    Danger("mtls-check-by-http-host", AS_PANEL, ADMITTED, "403", bad="bad_map", good="good_map"),
    Danger("mtls-check-by-request-uri", ADMIN, ADMITTED, "403"),
    Danger("mtls-check-by-request-uri", ADMIN, ADMITTED, "403", bad="bad_map"),
    Danger("mtls-check-skipped-by-rewrite", API, ADMITTED, "403"),
    Danger("mtls-check-skipped-by-rewrite", API, ADMITTED, "403", bad="bad_last", good="good_checked_later"),
    Danger("mtls-check-skipped-by-rewrite", API, ADMITTED, "403", bad="bad_location", good="good_without_flag"),
    Danger("mtls-check-skipped-by-rewrite", Visit(path="/admin"), ADMITTED, "403", "bad_one_path", "good_one_path"),
    Danger("mtls-duplicate-server-name", ANYBODY, "200 files", "400"),
    Danger("mtls-duplicate-server-name", ANYBODY, "200 files", "400", bad="bad_no_name"),
    Danger("mtls-duplicate-server-name", ANYBODY, "200 files", "400", bad="bad_optional"),
    Danger("mtls-duplicate-server-name", ANYBODY, "200 files", "400", bad="bad_with_dot"),
    Danger("mtls-error-page-forwards", ANYBODY, ADMITTED, "403"),
    Danger("mtls-error-page-forwards", ANYBODY, "200 welcome", "403", bad="bad_success"),
    Danger("mtls-error-page-forwards", ANYBODY, ADMITTED, "403", bad="bad_condition", good="good_condition"),
    Danger("mtls-error-page-forwards", SECRET, "200 /secret", "403", "bad_front_controller", application=ASKED_FOR),
    Danger(
        "mtls-error-page-forwards",
        ANYBODY,
        ADMITTED,
        "403",
        bad="bad_subrequest",
        good="good_subrequest",
        application=f"if ($http_x_client_verify = NONE) {{ return 403; }} {APPLICATION}",
    ),
    Danger("mtls-front-controller-open", CONTROLLER, ADMITTED, "404"),
    Danger("mtls-front-controller-open", CONTROLLER, ADMITTED, "404", bad="bad_rewrite", good="good_end"),
    Danger("mtls-front-controller-open", CONTROLLER, "502", "404", bad="bad_fastcgi", good="good_file"),
    Danger("mtls-front-controller-open", CONTROLLER, ADMITTED, "404", bad="bad_pcre", good="good_pcre"),
    Danger("mtls-listen-without-ssl", Visit(tls=False), ADMITTED, "400"),
    Danger("mtls-location-check-bypassed", Visit(path="/admin/x.php"), "502", "403"),
    Danger("mtls-location-check-bypassed", Visit(path="/internal/x"), ADMITTED, "403", "bad_rewrite", "good_at_server"),
    Danger("mtls-merge-slashes-off", Visit(path="//admin/files/x"), "200 files", "403"),
    Danger("mtls-nested-location-unprotected", Visit(path="/admin/files/x"), "200 files", "403"),
    Danger("mtls-off-by-slash", Visit(path="/static../admin/files/x"), "200 files", "404"),
    Danger(
        "mtls-off-by-slash",
        Visit(path="/public../admin/"),
        "200 admin",
        "404",
        bad="bad_proxy",
        good="good_proxy",
        application="location /admin/ { return 200 admin; }",
    ),
    Danger("mtls-optional-no-ca-dn-auth", FOREIGN, ADMITTED, "400"),
    Danger("mtls-optional-no-ca-dn-auth", FOREIGN, ADMITTED, "403", bad="bad_ca_named", good="good_fingerprint"),
    Danger("mtls-optional-not-enforced", ANYBODY, ADMITTED, "403"),
    Danger("mtls-optional-not-enforced", FOREIGN, ADMITTED, "400", bad="bad_any_ca"),
    Danger("mtls-optional-not-enforced", ANYBODY, ADMITTED, "403", bad="bad_plain_redirect"),
    Danger(
        "mtls-optional-not-enforced",
        ANYBODY,
        ADMITTED,
        "403",
        bad="bad_subrequest",
        good="good_subrequest",
        application=f"if ($http_x_client_verify = NONE) {{ return 403; }} {APPLICATION}",
    ),
    Danger("mtls-optional-not-enforced", ANYBODY, "200 verify=NONE", "403", bad="bad_only_shown", good="good_flag"),
    Danger("mtls-other-listener-unprotected", PLAIN, "200 files", "301", bad="bad_plain"),
    Danger("mtls-plaintext-sibling-listen", PLAIN, ADMITTED, "403", good="good_refused"),
    Danger("mtls-return-skips-access-phase", BOB._replace(path="/secret"), "200 secret", "403"),
    Danger("mtls-return-skips-access-phase", SECRET, "200 secret", "400", bad="bad_subrequest"),
    Danger(BACKEND, WWW, "200 at 9000", "200 at 9001", application=WHERE),
    Danger(BACKEND, WWW._replace(path="/admin/x"), ADMITTED, "404", bad="bad_part", good="good_part"),
    Danger(BACKEND, WWW, ADMITTED, "403", bad="bad_optional", good="good_optional"),
    Danger(BACKEND, OTHER, "200 /v1/x", "403", bad="bad_optional_path", good="good_optional", application=ASKED_FOR),
    Danger(BACKEND, WWW, "200 at 9000", "200 at 9001", bad="bad_member", good="good_member", application=WHERE),
    Danger(BACKEND, PLAIN, "200 at 9000", "200 at 9001", bad="bad_stream", good="good_stream", application=WHERE),
    Danger(BACKEND, PLAIN, ADMITTED, "closed", bad="bad_stream_map", good="good_stream_map"),
    Danger(BACKEND, BY_HOST, "200 panel.internal", "200 www.internal", "bad_host", "good_host", application=WHOM),
    Danger(BACKEND, BY_AGENT, ADMITTED, "403", bad="bad_header", good="good_key"),
    Danger("mtls-verify-compared-to-failed", ANYBODY, ADMITTED, "403"),
    Danger("mtls-verify-compared-to-failed", ANYBODY, ADMITTED, "403", bad="bad_regex"),
    Danger("mtls-verify-compared-to-failed", ANYBODY, "200 files", "403", bad="bad_map_regex", good="good_map"),
    Danger("mtls-verify-missing", ANYBODY, ADMITTED, "400"),
    Danger("mtls-verify-never-empty", ANYBODY, ADMITTED, "403"),
    Danger("mtls-verify-never-empty", ANYBODY, ADMITTED, "403", bad="bad_flag", good="good_both"),
    Danger("mtls-verify-never-empty", ANYBODY, ADMITTED, "403", bad="bad_word"),
    Danger("mtls-verify-never-empty", ANYBODY, ADMITTED, "403", bad="bad_one_location", good="good_map"),
    Danger("mtls-verify-missing", ANYBODY, ADMITTED, "400", bad="bad_off"),
)
OF_MODULES = (
    Danger("mtls-optional-not-enforced", ANYBODY, "200 files", "403", bad="bad_lua", good="good_lua"),
    Danger("mtls-optional-not-enforced", ANYBODY, "200 files", "403", bad="bad_lua", good="good_njs"),
)
