# Before each script: what they share. The pool is ways, its volume v has ext4.
mnt=/mnt
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

die() { echo "$*" >&2; findmnt >&2; cat /run/mount/utab >&2; dmsetup info -c >&2; exit 1; }

# fails CODE PATTERN COMMAND…: exits with that code and says one line that matches.
fails() {
	want=$1 pattern=$2
	shift 2
	rc=0
	said=$("$@" 2>&1) || rc=$?
	[ "$rc" = "$want" ] || die "$*: exit status $rc, wanted $want: $said"
	[ "$(printf '%s\n' "$said" | wc -l)" = 1 ] || die "$*: more than a line: $said"
	printf '%s\n' "$said" | grep -Eq "$pattern" || die "$*: says: $said"
}

# not COMMAND…: fails if it does not; `set -e` takes no notice of `! COMMAND`.
not() {
	! "$@" || die "must not succeed: $*"
}

# eventually COMMAND…: is true within 10 seconds.
eventually() {
	for _ in $(seq 100); do
		! "$@" || return 0
		sleep 0.1
	done
	die "never: $*"
}

inactive() { ! dmsetup info "thin-ways@$1" >/dev/null 2>&1; }
# gone VOLUME: device and node, at once.
gone() {
	inactive "$1" || die "thin-ways@$1 is there"
	[ ! -L "/dev/mapper/thin-ways@$1" ] && [ ! -e "/dev/mapper/thin-ways@$1" ] || die "the node of thin-ways@$1 is there"
	[ ! -L "/run/thin/dev/ways/$1" ] || die "the alias of $1 is there"
}
# goes VOLUME: the kernel removes the device by itself, and the next mount finds all in order.
goes() {
	eventually inactive "$1"
	[ ! -S /run/udev/control ] || eventually [ ! -L "/dev/mapper/thin-ways@$1" ]
	mount -t thin "ways/$1" $mnt
	refs "$1" 1
	umount $mnt
	unmounted $mnt
	gone "$1"
}
mounted() { findmnt -n --mountpoint "$1" >/dev/null || die "$1 is not mounted"; }
unmounted() { ! findmnt -n --mountpoint "$1" || die "$1 is mounted"; }
has_option() { findmnt -n -o OPTIONS --mountpoint "$1" | tr , '\n' | grep -qx "$2" || die "$1 has no option $2: $(findmnt -n -o OPTIONS "$1")"; }
refs() { # refs VOLUME N
	n=$(thin-snap list -H -o name,references ways | awk -v v="ways/$1" '$1 == v {print $2}')
	[ "$n" = "$2" ] || die "$1 has $n references, wanted $2"
}
# holding DIR: a process works there until `release`; $holder is its pid.
holding() {
	(cd "$1" && exec sleep 1000) >/dev/null 2>&1 &
	holder=$!
	until [ "$(readlink /proc/$holder/cwd)" = "$1" ]; do sleep 0.05; done
}
release() { kill $holder; wait $holder 2>/dev/null || true; }
# namespace: a mount namespace that lives until `release`.
namespace() {
	unshare -m --propagation private sleep 1000 >/dev/null 2>&1 &
	holder=$!
	until [ "$(cat /proc/$holder/comm)" = sleep ]; do sleep 0.05; done
	ns=/proc/$holder/ns/mnt
}
fstab() { printf '%s\n' "$*" >>/etc/fstab; }
