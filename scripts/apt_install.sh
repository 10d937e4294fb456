#!/bin/sh
# Installs Debian packages as root, and lets none of them start or enable its service on this machine.
# usage: scripts/apt_install.sh PACKAGE...
#
# Debian asks /usr/sbin/policy-rc.d before a package starts its service. While apt runs, one stands there that says no;
# it is taken away at the end, also after ctrl-C. A policy of the machine's own is left alone: if it would let nginx
# start, nginx is not installed. What nginx brings for the next boot is switched off again, if we brought nginx.
set -eu

policy=/usr/sbin/policy-rc.d
mark='# made by counterseal while it installs packages; safe to delete'

forbid_services() {
    if [ -e "$policy" ] && ! grep -qF "$mark" "$policy"; then
        verdict=0
        "$policy" nginx start >/dev/null 2>&1 || verdict=$?
        [ "$verdict" = 101 ] && return 0
        case " $* " in *" nginx "*)
            echo "error: $policy lets packages start their services, so nginx was not installed" >&2
            echo "hint: install nginx yourself, then run this again: apt-get install nginx" >&2
            return 1
        esac
        return 0
    fi
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    umask 022
    printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy"
    chmod 755 "$policy"
}

keep_off() { # unit...: Debian enables a new service for the next boot
    for unit in "$@"; do
        if command -v systemctl >/dev/null; then
            systemctl --quiet disable "$unit" >/dev/null 2>&1 || true
        elif command -v deb-systemd-helper >/dev/null; then
            deb-systemd-helper disable "$unit" >/dev/null 2>&1 || true
        fi
        [ ! -e "/etc/init.d/${unit%.service}" ] || update-rc.d "${unit%.service}" disable >/dev/null 2>&1 || true
        echo "$unit is installed but neither started nor enabled; for that: systemctl enable --now $unit"
    done
}

units_brought() { # package...: prints the units that they bring and this machine has not
    for package in "$@"; do
        case $package in
        nginx) [ -e /usr/sbin/nginx ] || echo nginx.service ;;
        caddy) [ -e /usr/bin/caddy ] || echo caddy.service ;;
        haproxy) [ -e /usr/sbin/haproxy ] || echo haproxy.service ;;
        certbot) [ -e /usr/bin/certbot ] || echo certbot.timer ;;
        esac
    done
}

install_packages() { # the lists at hand first; where they are missing or old, fetched once; apt speaks when it fails
    told=$(apt-get install "$@" 2>&1) && return 0
    apt-get update -qq || true
    told=$(apt-get install "$@" 2>&1) && return 0
    printf '%s\n' "$told" | tail -n 15 >&2
    return 1
}

units=$(units_brought "$@")
forbid_services "$@"
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
install_packages --yes -qq --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 "$@" </dev/null
# shellcheck disable=SC2086 # one word a unit
keep_off $units
