"""All commands by name, grouped in the help by what the user is doing; each is loaded when it is used."""

from __future__ import annotations

import click

from counterseal import __version__
from counterseal.cli.lazy import Entry, LazyGroup

SECTIONS: dict[str, dict[str, Entry]] = {
    "Make": {
        "quickstart": Entry(
            "counterseal.cli.quickstart:quickstart", "Make a CA, serve mutual TLS with nginx, and prove it."
        ),
        "init": Entry("counterseal.cli.init:init", "Make the CA: a root and the issuing CAs under it."),
        "ca": Entry("counterseal.cli.ca:ca", "Look at the CAs, add one, have one succeed another, or revoke one."),
        "import-ca": Entry("counterseal.cli.import_ca:import_ca", "Take over a CA made by openssl or easy-rsa."),
        "server": Entry("counterseal.cli.server:server", "Make a server certificate and its key."),
        "client": Entry("counterseal.cli.client:client", "Make a client certificate, its key and a PKCS#12."),
        "sign": Entry("counterseal.cli.sign:sign", "Sign a CSR whose key stays where it is."),
    },
    "Hand out": {
        "export": Entry("counterseal.cli.export:export_", "Pack a certificate for a device, Java or Kubernetes."),
        "token": Entry(
            "counterseal.cli.token:token", "Make a one-time secret for which a machine or a person gets a certificate."
        ),
        "enroll": Entry(
            "counterseal.cli.enroll:enroll_",
            "Get this machine's first certificate from a CA elsewhere, for a one-time token.",
        ),
        "completion": Entry("counterseal.cli.completion:completion", "Print the completion script for a shell."),
    },
    "Look": {
        "list": Entry("counterseal.cli.list_:list_", "List certificates by status, profile, name or expiry."),
        "show": Entry("counterseal.cli.show:show", "Show one certificate of the inventory."),
        "handshake": Entry(
            "counterseal.cli.handshake:handshake",
            "Show a real TLS handshake, message by message, and explain how it ended.",
        ),
        "listen": Entry(
            "counterseal.cli.listen:listen", "Take TLS connections, and explain what each arriving client did."
        ),
        "timeline": Entry(
            "counterseal.cli.timeline:timeline",
            "Draw what expires when: CAs, revocation lists, sites and certificates.",
        ),
        "inspect": Entry(
            "counterseal.cli.inspect:inspect_", "Say what certificates, CSRs, CRLs, keys and PKCS#12 files are."
        ),
        "verify": Entry(
            "counterseal.cli.verify:verify", "Verify a certificate by every check of RFC 5280, and explain each."
        ),
    },
    "Deploy": {
        "nginx": Entry("counterseal.cli.nginx_group:nginx", "Render, deploy and look after what nginx serves."),
        "prove": Entry("counterseal.cli.prove:prove", "Prove with real handshakes who gets into the sites."),
    },
    "Serve": {
        "serve": Entry("counterseal.cli.serve:serve", "Serve the CA over the network: ACME, EST, OCSP, lists, an API."),
        "api": Entry("counterseal.cli.api:api", "Tokens for the API, for who has no client certificate."),
        "acme": Entry("counterseal.cli.acme:acme", "Keys for new ACME accounts, and the accounts there are."),
        "db": Entry("counterseal.cli.db:db", "Move the store to another database, or bring it to a newer schema."),
    },
    "Look after": {
        "revoke": Entry("counterseal.cli.revoke:revoke", "Revoke a certificate, and lock it out of nginx."),
        "unrevoke": Entry("counterseal.cli.revoke:unrevoke", "Take back a certificate_hold."),
        "renew": Entry("counterseal.cli.renew:renew", "Issue the same certificate again, here or by a CA elsewhere."),
        "rekey": Entry("counterseal.cli.rekey:rekey", "Issue the same certificate again, with a new key."),
        "refresh": Entry("counterseal.cli.refresh:refresh", "Do what is due: lists, site certificates, one deploy."),
        "timer": Entry("counterseal.cli.timer:timer", "Have refresh called by systemd or cron."),
        "reminders": Entry("counterseal.cli.reminders:reminders", "Be told by mail or webhook before something ends."),
        "doctor": Entry(
            "counterseal.cli.doctor:doctor", "Say on one page whether all is well, and what mends what is not."
        ),
        "crl": Entry(
            "counterseal.cli.crl:crl", "Publish new revocation lists, and with --out write them to files, too."
        ),
        "backup": Entry("counterseal.cli.backup:backup", "Write one encrypted file with everything."),
        "restore": Entry("counterseal.cli.backup:restore", "Bring a backup back onto a machine that has no CA."),
        "lint": Entry("counterseal.cli.lint:lint", "Judge certificates, CRLs and CSRs, also of others."),
        "log": Entry("counterseal.cli.log:log", "Show or verify the log of every use of a CA key."),
    },
}

EPILOG = """\b
Examples:
  counterseal init                          make the CA
  counterseal server panel.example.com      a server certificate
  counterseal client alice --group ops      a client certificate and its PKCS#12
  counterseal revoke alice                  lock it out

Exit codes: 0 done, 1 failed, 2 usage, 3 findings, 4 refused by policy.
"""


@click.group(
    cls=LazyGroup,
    sections=SECTIONS,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="counterseal %(version)s")
def main() -> None:
    """Counterseal: a private CA for mutual TLS behind nginx."""
