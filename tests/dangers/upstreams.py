"""What nginx does to an upstream, and a stream server to whoever connects."""

from __future__ import annotations

from nginx_dangers import ADMITTED, ANYBODY, BOB, IMPOSTOR, PLAIN, UPSTREAM, Danger, Visit

SERVED, CLOSED = "200 upstream", "closed"
ASKING = (
    "ssl_certificate server.pem; ssl_certificate_key server.key; "
    "ssl_client_certificate root-only.pem; ssl_verify_client on; return 200 upstream;"
)
ONLY_BY_NAME = (
    f"server_name panel.test; {UPSTREAM} }} "
    "server { listen 127.0.0.1:9443 default_server ssl; ssl_reject_handshake on; return 200 upstream;"
)
DEEP = "ssl_certificate deep-server.pem; ssl_certificate_key deep-server.key; return 200 upstream;"
WHERE = 'return 200 "at $server_port";'
NO_ISSUER = "(2:unable to get issuer certificate)"
OVER, NAME = "(12:CRL has expired)", "upstream SSL certificate does not match"

DANGERS = (
    Danger("up-client-cert-without-chain", PLAIN, "400", SERVED, upstream=ASKING),
    Danger("up-crl-expired", PLAIN, "502", SERVED, because=OVER),
    Danger("up-crl-expired", PLAIN, "502", SERVED, good="good_newer", because=OVER),
    Danger("up-crl-missing-for-intermediate", PLAIN, "502", SERVED, because="(3:unable to get certificate CRL)"),
    Danger("up-grpc-verify-off", PLAIN, "200 impostor", "502", upstream=IMPOSTOR),
    Danger("up-grpc-verify-off", PLAIN, "200 impostor", "502", bad="bad_ca_named", upstream=IMPOSTOR),
    Danger("up-name-mismatch", PLAIN, "502", SERVED, because=f'{NAME} "127.0.0.1"'),
    Danger("up-name-mismatch", PLAIN, "502", SERVED, bad="bad_group", because=f'{NAME} "backend"'),
    Danger("up-name-mismatch", PLAIN, CLOSED, SERVED, "bad_stream", "good_stream", because=f'{NAME} "127.0.0.1"'),
    Danger("up-sni-off", PLAIN, "502", SERVED, upstream=ONLY_BY_NAME, because="unrecognized name"),
    Danger(
        "up-sni-off",
        PLAIN,
        CLOSED,
        SERVED,
        "bad_stream",
        "good_stream",
        upstream=ONLY_BY_NAME,
        because="unrecognized name",
    ),
    Danger("up-trusted-lacks-root", PLAIN, "502", SERVED, because=NO_ISSUER),
    Danger("up-verify-depth-default", PLAIN, "502", SERVED, upstream=DEEP, because=NO_ISSUER),
    Danger("up-verify-off", PLAIN, "200 impostor", "502", upstream=IMPOSTOR),
    Danger("up-verify-off", PLAIN, "200 impostor", "502", "bad_ca_named", "good_inherited", upstream=IMPOSTOR),
    Danger("stream-listen-without-ssl", Visit(tls=False), ADMITTED, CLOSED),
    Danger("stream-optional-not-enforced", ANYBODY, ADMITTED, CLOSED),
    Danger("stream-optional-not-enforced", Visit("other-alice"), ADMITTED, CLOSED, bad="bad_any_ca"),
    Danger("stream-optional-not-enforced", ANYBODY, ADMITTED, CLOSED, good="good_map"),
    Danger("stream-preread-after-tls", BOB, "200 at 9001", "200 at 9000", application=WHERE),
    Danger("stream-upstream-verify-off", PLAIN, "200 impostor", CLOSED, upstream=IMPOSTOR),
    Danger("stream-upstream-verify-off", PLAIN, "200 impostor", CLOSED, bad="bad_ca_named", upstream=IMPOSTOR),
)
