#!/bin/bash
# In a guest without thinmount, with systemd as PID 1: what dpkg does with the package, while volumes are mounted.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -euo pipefail
step() { echo "== $*"; }
die() { echo "FAIL: $*"; exit 1; }
not() { ! "$@" || die "must not succeed: $*"; }
trap 'systemctl --no-pager status thin-pools || true; dpkg -s thinmount || true; findmnt || true' ERR
export DEBIAN_FRONTEND=noninteractive

step install
dpkg -i /packages/old.deb
thin-snap --version | grep -w 1.0.0
systemctl -q is-enabled thin-pools
systemctl -q is-active thin-pools
for page in thin-snap mount.thin umount.thin; do zcat "/usr/share/man/man8/$page.8.gz" | grep -q '^\.Dt'; done
thin-snap pool create --size 256M p
thin-snap create --size 64M --fs ext4 p/v
mount -t thin p/v /mnt
echo data >/mnt/file

step 'upgrade, with a volume mounted'
dpkg -i /packages/new.deb
thin-snap --version | grep -w 1.0.1
systemctl -q is-enabled thin-pools
systemctl -q is-active thin-pools
[ "$(findmnt -n -o SOURCE /mnt)" = /dev/mapper/thin-p@v ]
[ "$(cat /mnt/file)" = data ]

step 'remove is refused, with a volume mounted'
not dpkg -r thinmount 2>/tmp/said
grep 'p/v' /tmp/said
grep 'hint: thin-snap pool deactivate --all --unmount' /tmp/said
dpkg -s thinmount | grep '^Status: .* installed$'
[ "$(cat /mnt/file)" = data ]
umount /mnt

step 'remove keeps pools and the decision about the unit'
systemctl -q disable thin-pools
dpkg -L thinmount >/tmp/files
dpkg -r thinmount
[ ! -e /usr/sbin/thin-snap ] || die "thin-snap is left"
not systemctl -q is-active thin-pools
[ -s /var/lib/thin/p/pool.json ]
[ -z "$(dmsetup ls | grep thin-)" ] || die 'devices are left'

step 'install again'
dpkg -i /packages/new.deb
not systemctl -q is-enabled thin-pools
mount -t thin p/v /mnt
[ "$(cat /mnt/file)" = data ]
umount /mnt

step 'purge keeps pools, and nothing else'
dpkg -P thinmount | tee /tmp/said
grep '/var/lib/thin stays' /tmp/said
[ -s /var/lib/thin/p/pool.json ]
while read -r f; do [ -d "$f" ] || [ ! -e "$f" ] || die "$f is left"; done </tmp/files
left=$(find /etc /var/lib/systemd /usr/share/doc /usr/lib/systemd -name '*thin-pools*' -o -name 'thinmount*')
[ -z "$left" ] || die "left: $left"
dpkg -i /packages/new.deb
systemctl -q is-enabled thin-pools # as at the first time
thin-snap pool delete -r -y p
dpkg -P thinmount
[ ! -e /var/lib/thin ] || die '/var/lib/thin is left, without a pool'
echo 'all is well'
