## the node is there when mount returns, and gone after the last umount
for _ in 1 2 3 4 5; do
	mount -t thin ways/v $mnt
	[ "$(readlink -f /dev/mapper/thin-ways@v)" = "$(readlink -f /dev/block/$(findmnt -n -o MAJ:MIN $mnt | tr -d ' '))" ]
	umount $mnt
	gone v
done

## 100 mounts and umounts back to back, on two volumes at a time
thin-snap snapshot ways/v ways/w
set +x
# cycle VOLUME DIR: says nothing as long as all is well.
cycle() {
	for n in $(seq 50); do
		mount -t thin ways/$1 $2 || echo "mount $n of $1"
		umount $2 || echo "umount $n of $1"
		[ ! -e /dev/mapper/thin-ways@$1 ] || echo "umount $n of $1: the node is left"
	done >/tmp/said.$1 2>&1
}
cycle v $mnt &
cycle w /srv
wait
set -x
said=$(cat /tmp/said.v /tmp/said.w)
rm /tmp/said.v /tmp/said.w
[ -z "$said" ] || die "$said"
gone v
gone w
thin-snap delete -y ways/w

## 64 mounts side by side, with libmount writing utab meanwhile
thin-snap pool create --size 1G crowd # of their own: a pool goes faster than 64 volumes
thin-snap create --size 64M --fs ext4 crowd/v
for n in $(seq 64); do
	thin-snap snapshot crowd/v crowd/s$n
	mkdir -p /tmp/s/$n /tmp/t/$n
done
thin-snap list -H -o name crowd | grep -c /s | grep -qx 64
# all PROGRAM…: with N for its number, 64 at once.
all() {
	pids=
	for n in $(seq 64); do
		$(printf '%s ' "$@" | sed "s/@N/$n/g") &
		pids="$pids $!"
	done
	for pid in $pids; do wait $pid || die "$* failed"; done
}
(for n in $(seq 64); do mount -t tmpfs -o x-note=$n t /tmp/t/$n; done) &
others=$!
all mount -t thin crowd/s@N /tmp/s/@N
wait $others
[ "$(findmnt -rn -o SOURCE | grep -c thin-crowd@s)" = 64 ]
[ "$(grep -c '^[^ ]* *SRC=.*OPTS=helper=thin\|^SRC=.*OPTS=helper=thin' /run/mount/utab)" = 128 ]
(for n in $(seq 64); do umount /tmp/t/$n; done) &
others=$!
all umount /tmp/s/@N
wait $others
not grep thin /run/mount/utab
not grep x-note /run/mount/utab
dmsetup info -c --noheadings -o name >/tmp/devices
ls /dev/mapper >>/tmp/devices
not grep thin-crowd@s /tmp/devices
rm /tmp/devices
thin-snap pool delete -r -y crowd
rmdir /tmp/s/* /tmp/t/* /tmp/s /tmp/t

## no semaphore is left
mount -t thin ways/v $mnt
umount $mnt
[ "$(ipcs -s | grep -c 0x0d4d)" = 0 ]

## a snapshot does not take over the links of its origin
mount -t thin ways/v $mnt
udevadm settle
find -L /dev/disk -samefile /dev/mapper/thin-ways@v 2>/dev/null | sort >/tmp/before
known() { udevadm info -q property -n /dev/mapper/thin-ways@$1 | grep -E '^(ID_|DEVLINKS|DM_UDEV_DISABLE)' | sort; }
watched() { [ -L "/run/udev/watch/b$(dmsetup info -c --noheadings --separator : -o major,minor thin-ways@$1)" ]; }
known v >/tmp/known
grep -q 'DM_UDEV_DISABLE_DISK_RULES_FLAG=1' /tmp/known
not watched v
echo dirty >$mnt/dirty
thin-snap snapshot ways/v ways/s # suspends and resumes the origin
udevadm settle
known v | cmp - /tmp/known
not watched v
dmsetup suspend thin-ways@v # as a killed snapshot leaves it
thin-snap list >/dev/null
udevadm settle
known v | cmp - /tmp/known
not watched v
mount -t thin ways/s /srv
udevadm settle
find -L /dev/disk -samefile /dev/mapper/thin-ways@v 2>/dev/null | sort | cmp - /tmp/before
[ -z "$(find -L /dev/disk/by-uuid /dev/disk/by-label -samefile /dev/mapper/thin-ways@s 2>/dev/null)" ]
[ -z "$(find -L /dev/disk/by-uuid -samefile /dev/mapper/thin-ways@v 2>/dev/null)" ]
umount /srv
umount $mnt
thin-snap delete -y ways/s
rm /tmp/before /tmp/known

## in another IPC namespace than udevd
timeout 60 unshare --ipc sh -euc "mount -t thin ways/v $mnt; [ -b /dev/mapper/thin-ways@v ]; umount $mnt; ! ipcs -s | grep 0x0d4d"
gone v

## with udevd stopped, no wait outlasts its deadline
systemctl stop systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket
timeout 60 mount -t thin ways/v $mnt && rc=0 || rc=$?
timeout 60 umount $mnt || rc=$?
systemctl start systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd.service
udevadm settle
[ "$rc" = 0 ]
goes v

## in a container that has /dev/mapper/control
thin-snap pool activate ways
cat >/tmp/contained <<'IN'
set -eu
mount -t tmpfs dev /dev
mkdir /dev/mapper
mknod /dev/mapper/control c 10 236
mknod -m 666 /dev/null c 1 3
mount -t tmpfs run /run
mount -t thin ways/v /mnt
[ -b /dev/mapper/thin-ways@v ]
findmnt -n --mountpoint /mnt
mount -t thin ways/v /mnt
umount /mnt
findmnt -n --mountpoint /mnt
umount /mnt
if findmnt -n --mountpoint /mnt; then exit 1; fi
[ ! -e /dev/mapper/thin-ways@v ]
[ -z "$(grep -s thin /run/mount/utab)" ]
IN
timeout 60 unshare -m --ipc --propagation private sh /tmp/contained
rm /tmp/contained
udevadm settle
gone v
