"""Hand-written sites for the proof, all under one certificate on one address; each says in one line what it decided.

``panel`` requires a certificate, ``other`` asks for none, ``mixed`` asks and demands it under ``/admin/``, ``vault``
has an allow list that no probe is on, and lets one reach the prover all the same. Words in ``@`` are filled in by
``prove_bench``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterseal.handshake.site import ClientCertificates

CONF = r"""
daemon off;
worker_processes 2;
worker_shutdown_timeout 2s;
pid @DIR@/nginx.pid;
error_log @DIR@/error.log info;
@USER@
events { worker_connections 128; }
http {
  access_log off;
  client_body_temp_path @DIR@/body; proxy_temp_path @DIR@/proxy; fastcgi_temp_path @DIR@/fastcgi;
  uwsgi_temp_path @DIR@/uwsgi; scgi_temp_path @DIR@/scgi;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_tickets off;
  ssl_session_cache off;
  map_hash_bucket_size 256;
  map "$ssl_client_verify:$ssl_client_i_dn" $issuer_admitted { default 0; "SUCCESS:CN=Test Client CA" 1; }
  map "$ssl_client_verify:$ssl_client_i_dn" $issuer_unpinned { default 0; "~^SUCCESS:" 1; }
  map $ssl_client_s_dn $listed { default 0; "CN=alice" 1; }
  map "$uri $ssl_client_s_dn" $to_the_prover {
    default 0;
    "~^/\.well-known/counterseal/headers .*OU=counterseal-probe$" 1;
  }
  map $listed$to_the_prover $kept_out { default 0; 00 1; }
  map $host $counterseal { default 'counterseal: generation=@GENERATION@ site=$host'; }
  map $host $seen { default 'verify="$ssl_client_verify" serial=$ssl_client_serial reused=$ssl_session_reused'; }

  server { # default
    listen 127.0.0.1:@TLS@ ssl default_server;
    listen 127.0.0.1:@TLS2@ ssl default_server;
    ssl_reject_handshake on;
    return 421;
  }
  # other blocks come here
  server { # panel
    listen 127.0.0.1:@TLS@ ssl;
    listen 127.0.0.1:@TLS2@ ssl;
    server_name panel.prove.test;
    ssl_certificate @DIR@/server.fullchain.pem; ssl_certificate_key @DIR@/server.key.pem;
    ssl_client_certificate @DIR@/client-ca.pem;
    ssl_verify_client on;
    ssl_verify_depth 1;
    ssl_crl @DIR@/client-crl.pem;
    if ($issuer_admitted = 0) { return 495; }
    include pages.conf;
    location / { return 200 "the application\n"; }
  }
  server { # other
    listen 127.0.0.1:@TLS@ ssl;
    server_name other.prove.test;
    ssl_certificate @DIR@/server.fullchain.pem; ssl_certificate_key @DIR@/server.key.pem;
    include pages.conf;
    location / { return 200 "the application\n"; }
  }
  server { # mixed
    listen 127.0.0.1:@TLS@ ssl;
    server_name mixed.prove.test;
    ssl_certificate @DIR@/server.fullchain.pem; ssl_certificate_key @DIR@/server.key.pem;
    ssl_client_certificate @DIR@/client-ca.pem;
    ssl_verify_client optional;
    ssl_verify_depth 1;
    ssl_crl @DIR@/client-crl.pem;
    set $why "";
    if ($ssl_client_verify = SUCCESS) { set $why $issuer_admitted; }
    if ($why = 0) { return 495; }
    include pages.conf;
    location / { return 200 "the application\n"; }
    location ^~ /admin/ {
      if ($ssl_client_verify != SUCCESS) { return 403; }
      return 200 "the back room\n";
    }
    location ~ \.php$ { return 200 "a script\n"; }
  }
  server { # vault
    listen 127.0.0.1:@TLS@ ssl;
    server_name vault.prove.test;
    ssl_certificate @DIR@/server.fullchain.pem; ssl_certificate_key @DIR@/server.key.pem;
    ssl_client_certificate @DIR@/client-ca.pem;
    ssl_verify_client on;
    ssl_verify_depth 1;
    ssl_crl @DIR@/client-crl.pem;
    if ($issuer_admitted = 0) { return 495; }
    if ($kept_out) { return 403; }
    include pages.conf;
    location / { return 200 "the application\n"; }
  }
  server { # redirect
    listen 127.0.0.1:@PLAIN@;
    server_name panel.prove.test;
    return 301 https://$host$request_uri;
  }
}
"""

PAGES = r"""
default_type text/html;
error_page 495 = @cs495;
error_page 496 = @cs496;
error_page 403 = @cs403;
location @cs495 { return 400 "<html><!-- $counterseal decision=refused code=495 $seen --></html>\n"; }
location @cs496 { return 400 "<html><!-- $counterseal decision=refused code=496 $seen --></html>\n"; }
location @cs403 { return 403 "<html><!-- $counterseal decision=refused code=403 $seen --></html>\n"; }
location @application { return 200 "the application\n"; }
location = /.well-known/counterseal {
  default_type text/plain;
  return 200 "$counterseal decision=admitted code=200 $seen\n";
}
location = /.well-known/counterseal/headers {
  include headers.conf;
  proxy_pass http://unix:@DIR@/prove.sock;
}
"""

HEADERS = """
proxy_set_header Host $host;
proxy_set_header X-SSL-Client-Verify $ssl_client_verify;
proxy_set_header X-SSL-Client-S-DN $ssl_client_s_dn;
proxy_set_header X-SSL-Client-I-DN $ssl_client_i_dn;
proxy_set_header X-SSL-Client-Serial $ssl_client_serial;
proxy_set_header X-SSL-Client-Fingerprint $ssl_client_fingerprint;
proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;
proxy_set_header X-SSL-Client-DN "";
proxy_set_header X-SSL-Client-CN "";
proxy_set_header SSL-Client-Verify "";
proxy_set_header SSL-Client-S-DN "";
proxy_set_header SSL-Client-Cert "";
proxy_set_header X-Client-Verify "";
proxy_set_header X-Client-DN "";
proxy_set_header X-Forwarded-Client-Cert "";
proxy_set_header X-Forwarded-TLS-Client-Cert "";
proxy_set_header X-Remote-User "";
proxy_set_header Remote-User "";
proxy_set_header Client-Cert "";
proxy_set_header Client-Cert-Chain "";
"""

SITES: dict[str, ClientCertificates] = {
    "panel": "required",
    "other": "none",
    "mixed": "optional",
    "vault": "required",
}
