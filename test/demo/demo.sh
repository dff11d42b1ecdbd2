#!/bin/sh
# The main job as a transcript, in a guest: every command, and between the steps
# what the kernel says is mounted (mountinfo) and active (dmsetup). Ends with
# nothing left, and says so.
set -u
failed=0

# run COMMAND: show it, do it, and stop if it fails.
run() {
	printf '\n# %s\n' "$*"
	"$@" || { echo "demo: exit status $?"; failed=1; exit 1; }
}

# refused COMMAND: show it, do it, and stop if it does not fail.
refused() {
	printf '\n# %s\n' "$*"
	"$@"
	rc=$?
	echo "(exit status $rc)"
	[ "$rc" = 32 ] || { echo "demo: that should have been refused with 32"; exit 1; }
}

# kernel: what the kernel knows of us, in its own words.
kernel() {
	echo "  mountinfo: $(sed -n 's/^[^ ]* [^ ]* [^ ]* [^ ]* \([^ ]*\) .* - \([^ ]*\) \([^ ]*thin-[^ ]*\) .*/\3 on \1 type \2/p' /proc/self/mountinfo | paste -sd '|' | sed 's/^$/nothing/; s/|/\n             /g')"
	echo "  dmsetup:   $(dmsetup ls 2>/dev/null | grep '^thin-' | sort | paste -sd '|' | sed 's/^$/nothing/; s/\t/ /g; s/|/\n             /g')"
}

work=$(mktemp -d)
mkdir "$work/mnt" "$work/srv" "$work/other" "$work/stuff"
cd "$work" || exit 1
echo 'written before the snapshot' > stuff/before

echo "thinmount on $(. /etc/os-release; echo "$PRETTY_NAME"), Linux $(uname -r), $(mount --version | sed 's/mount from //; s/ (.*//')"
run thin-snap pool create demo
run thin-snap create --size 2G --fs ext4 demo/base
run mount -t thin demo/base mnt
run cp -a stuff mnt/
run thin-snap snapshot demo/base demo/one
run sh -c 'echo "written after the snapshot" > mnt/stuff/after'
run mount -t thin demo/one srv
kernel
run ls mnt/stuff srv/stuff
run mount -t thin demo/base mnt
refused mount -t thin demo/base other
run thin-snap list
run thin-snap pool list
run cat /run/thin/refs/demo@base.json
run umount mnt
kernel
run umount mnt
kernel
run umount srv
kernel
run thin-snap delete -y demo/one
run thin-snap pool deactivate demo
kernel
run losetup -a
run mount -t thin demo/base mnt
run umount mnt
run mount -t thin.ext4 demo/base mnt
kernel
run umount mnt
run thin-snap pool delete -r -y demo
kernel
cd / && rm -r "$work"

echo
left=$(dmsetup ls 2>/dev/null | grep -c '^thin-'; losetup -a; grep thin- /proc/self/mountinfo; ls -A /var/lib/thin)
[ "$left" = 0 ] || { echo "demo: left behind: $left"; exit 1; }
echo 'Nothing is left: no mount, no device, no loop device, no file in /var/lib/thin.'
