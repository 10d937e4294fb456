#!/bin/sh
# Boots this machine's own files under systemd and runs Counterseal in it as README and docs/guides/operate.md say.
# usage: tests/systemd_machine.sh      as root, with systemd, nginx and curl installed; not part of ./check
#
# The machine is an overlay in memory over / with namespaces of its own, network included: nothing of it outlives the
# run, and nothing of this machine changes. Counterseal is the one of this checkout. Where no overlay can be mounted, as
# in a container without CAP_SYS_ADMIN, it says so and ends with 77, which means skipped.
set -eu
checkout=$(cd "$(dirname "$0")/.." && pwd)
cgroup=/sys/fs/cgroup
[ ! -d "$cgroup/unified" ] || cgroup=$cgroup/unified
cgroup=$cgroup/counterseal-$$
work=$(mktemp -d /var/tmp/systemd.XXXXXX)
booted=
failures=0

skip() { echo "skipped: $1" && exit 77; }

clean_up() {
    if [ -n "$booted" ]; then kill -KILL "$booted" && wait "$booted" 2>/dev/null || true; fi # takes the machine with it
    find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
    rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# A machine over the files of this one; the first process of its namespaces becomes systemd.
boot='
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
cd /mnt/root
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
for place in run dev tmp; do mount -t tmpfs -o mode=755 tmpfs $place; done
chmod 1777 tmp
for device in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
    set -- $device
    mknod -m 666 dev/$1 c $2 $3
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=1777 tmpfs dev/shm
pivot_root . mnt
umount --lazy /mnt
mount --make-rshared / # or no credential reaches a service
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=other LANG=C.UTF-8 /lib/systemd/systemd --unit=basic.target
'

start_machine() {
    [ "$(id -u)" = 0 ] || skip "only root can boot a machine"
    for program in /lib/systemd/systemd /usr/sbin/nginx "$checkout/.venv/bin/counterseal"; do
        [ -x "$program" ] || skip "not installed: $program"
    done
    unshare --mount sh -c 'mount -t tmpfs tmpfs /mnt' 2>/dev/null || skip "nothing can be mounted here"
    mkdir "$cgroup" 2>/dev/null || skip "no control group can be made here"
    sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$cgroup" unshare --mount --pid --fork --kill-child \
        --uts --ipc --net --cgroup sh -ec "$boot" >"$work/boot.log" 2>&1 </dev/null &
    booted=$!
    wait_until "the machine is up" inside "systemctl is-active --quiet basic.target"
}

inside() { # command, as root in the machine
    first=$(cat "/proc/$booted/task/$booted/children" 2>/dev/null) && [ -n "$first" ] || return 1
    nsenter --target "${first% }" --mount --pid --uts --ipc --net --cgroup --root --wd env -i HOME=/root LANG=C.UTF-8 \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -c "$1" >"$work/out" 2>&1 </dev/null
}

wait_until() { # what, command...: half a minute, and it failed
    what=$1
    shift
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ "$tries" -lt 150 ] || { bad "$what" && return 0; }
        sleep 0.2
    done
    echo "ok    $what"
}

bad() {
    echo "FAIL  $1"
    sed 's/^/      | /' "$work/out" | tail -n 15
    ! inside "journalctl -u counterseal -o cat --no-pager -n 5" || sed 's/^/      journal | /' "$work/out"
    failures=$((failures + 1))
}

expect() { # what, command in the machine
    if inside "$2"; then echo "ok    $1"; else bad "$1"; fi
}

SECRET=/etc/counterseal/passphrase
SITE='[nginx]
config = "/etc/nginx/nginx.conf"
include_file = "/etc/nginx/conf.d/counterseal.conf"
[sites.panel]
server_names = ["panel.example.com"]
listen = ["443"]
root = "/srv"'

nginx_of_the_package() { # docs/guides/admin.md
    expect "nginx.service starts" "systemctl start nginx"
    expect "init" "printf 'correct horse battery\n' | install -D -m 0600 /dev/stdin $SECRET
        counterseal init --passphrase-file $SECRET && printf '%s\n' '$SITE' >/var/lib/counterseal/counterseal.toml"
    expect "a server and a client" "cd /root && counterseal server other.example.com --passphrase-file $SECRET \
        --out handout && counterseal client alice --passphrase-file $SECRET --out handout"
    expect "deploy, into /etc/nginx" "counterseal nginx deploy --install-include --passphrase-file $SECRET"
    expect "prove" "counterseal prove"
    expect "revoke, and nginx refuses" "counterseal revoke alice --passphrase-file $SECRET | grep 'in force and proved'"
    expect "nginx restarts with what was deployed" "systemctl restart nginx && counterseal prove"
    expect "stopped, it is said how to start it" "systemctl stop nginx
        counterseal nginx deploy --passphrase-file $SECRET 2>&1 | grep 'systemctl start nginx'"
    expect "and it starts" "systemctl start nginx && counterseal prove"
}

timer() {
    expect "timer install" "counterseal timer install --passphrase-file $SECRET"
    expect "doctor sees it" "counterseal doctor | grep 'ok  *timer  *counterseal-refresh.timer is active'"
    expect "set to a second from now" "mkdir -p /run/systemd/system/counterseal-refresh.timer.d &&
        printf '[Timer]\nOnCalendar=\nOnActiveSec=1s\nRandomizedDelaySec=0\nAccuracySec=1s\n' \
        >/run/systemd/system/counterseal-refresh.timer.d/soon.conf &&
        systemctl daemon-reload && systemctl restart counterseal-refresh.timer"
    wait_until "it fires, and refresh speaks to the journal" \
        inside "journalctl -u counterseal-refresh -o cat --no-pager | grep -x 'nothing is due'"
    expect "with success" "systemctl show -P Result counterseal-refresh.service | grep -x success"
    expect "of a home with a name that systemd would read otherwise" \
        "home='/var/lib/\$HOME of 50%n \"a\" \\a' && counterseal init --no-passphrase --home \"\$home\" &&
        counterseal timer install --home \"\$home\" && systemctl start counterseal-refresh.service && rm -r \"\$home\" &&
        ! systemctl start counterseal-refresh.service"
    expect "timer remove" "counterseal timer remove && ! systemctl is-active counterseal-refresh.timer &&
        ! ls /etc/systemd/system/counterseal-refresh.*"
}

service() { # docs/guides/operate.md
    expect "a user of its own, and its CA" "mv /var/lib/counterseal /var/lib/of-nginx && rm /etc/nginx/conf.d/counterseal.conf
        systemctl reload nginx && useradd --system --home-dir /var/lib/counterseal --shell /usr/sbin/nologin counterseal &&
        install -d -o counterseal -g counterseal -m 0711 /var/lib/counterseal &&
        systemd-run --pipe --wait --uid counterseal -p LoadCredential=counterseal-passphrase:$SECRET \
        counterseal init --home /var/lib/counterseal && printf '[serve]\nlisten = \"127.0.0.1:443\"\n' \
        >/var/lib/counterseal/counterseal.toml"
    expect "its unit" "counterseal serve --print-unit --home /var/lib/counterseal >/etc/systemd/system/counterseal.service
        systemd-analyze verify counterseal.service"
    expect "started, it answers on a port below 1024" "systemctl daemon-reload && systemctl enable --now counterseal &&
        curl -sfk https://127.0.0.1/healthz"
    expect "as a user without other privileges" "grep -x 'CapEff:.0000000000000400' \
        /proc/\$(systemctl show -P MainPID counterseal)/status"
    expect "the journal can be read" "journalctl -u counterseal -o cat --no-pager | grep '\"event\": \"serving\"'"
    expect "reload keeps the process" "before=\$(systemctl show -P MainPID counterseal) && systemctl reload counterseal &&
        test \$before = \$(systemctl show -P MainPID counterseal) && curl -sfk https://127.0.0.1/healthz"
    expect "killed" "systemctl kill --signal=KILL counterseal"
    wait_until "it comes back" inside "curl -sfk https://127.0.0.1/healthz"
    expect "stop is graceful" "systemctl stop counterseal && systemctl show -P Result counterseal | grep -x success &&
        journalctl -u counterseal -o cat --no-pager | grep '\"event\": \"stopped\"'"
    expect "no file belongs to another user" "! find /var/lib/counterseal ! -user counterseal ! -name counterseal.toml | grep ."
    expect "without its passphrase it does not start, and says so" "echo 'another passphrase' >$SECRET
        ! systemctl start counterseal && journalctl -u counterseal -o cat --no-pager | grep 'does not open the key'"
    expect "and is not tried again" "systemctl is-failed counterseal && systemctl show -P NRestarts counterseal | grep -x 0"
}

start_machine
# The service's user must reach this checkout and its interpreter; this opens them in the machine alone.
inside "ln -s $checkout/.venv/bin/counterseal /usr/local/bin/counterseal; chmod o+x /root; true
    for at in $checkout \$(readlink -f $checkout/.venv/bin/python); do
        while [ \$at != / ]; do chmod o+x \$at; at=\$(dirname \$at); done; done"
nginx_of_the_package
timer
service
echo "failures: $failures"
[ "$failures" = 0 ]
