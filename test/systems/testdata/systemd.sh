## systemctl start, stop and restart
fstab "ways/v $mnt thin noauto,noatime 0 0"
systemctl daemon-reload
for _ in 1 2 3; do
	systemctl start mnt.mount
	mounted $mnt
	systemctl restart mnt.mount
	mounted $mnt
	refs v 1
	[ "$(systemctl is-active mnt.mount)" = active ]
	systemctl stop mnt.mount
	unmounted $mnt
	gone v
done
systemctl start mnt.mount
systemctl reload mnt.mount
refs v 1
umount $mnt
eventually [ "$(systemctl is-active mnt.mount)" = inactive ]
gone v

## systemctl stop takes all references
fstab "ways/v /srv thin noauto 0 0"
systemctl daemon-reload
for _ in $(seq 40); do mount -t thin ways/v $mnt; done # systemd tries 32 times
eventually systemctl -q is-active mnt.mount
systemctl stop mnt.mount
unmounted $mnt
gone v
mount -t thin ways/v $mnt
mount -t thin ways/v $mnt
service() { systemd-run --quiet --service-type=oneshot "$@"; } # it waits for the end without a message bus
service umount -c $mnt # a service is no mount unit
refs v 1
service -p PrivateMounts=yes umount $mnt # nor has it our mount
refs v 1
service -p PrivateMounts=yes mount -t thin ways/v $mnt
refs v 1
umount $mnt
gone v

## a mount by hand is seen, and stays, while its device is there
mount -t thin ways/v $mnt
eventually systemctl -q is-active mnt.mount
[ "$(systemctl show --value -p What mnt.mount)" = /dev/mapper/thin-ways@v ]
systemctl daemon-reload
udevadm trigger --action=change /dev/mapper/thin-ways@v
udevadm settle
sleep 1
mounted $mnt
systemctl -q is-active mnt.mount
umount $mnt
gone v

## a volume that is unmounted and mounted again at once stays mounted
fstab "ways/v $mnt thin noauto 0 0"
systemctl daemon-reload
journalctl -q --sync
cursor=$(journalctl -q -n 1 --show-cursor | sed -n 's/^-- cursor: //p')
[ "$cursor" ]
for n in 1 2; do
	for _ in 1 2 3; do # systemd looks at mounts five times in a second, at most
		mount $mnt
		umount $mnt
	done
	mount $mnt
	sleep 2
	mounted $mnt
	refs v 1
	systemctl -q is-active mnt.mount
	umount $mnt
	gone v
done
journalctl -q --sync
not journalctl -q --no-pager --after-cursor "$cursor" -u mnt.mount -g '^Unmounting'

## x-systemd.automount, and its stop, which calls no helper
fstab "ways/v $mnt thin noauto,x-systemd.automount 0 0"
systemctl daemon-reload
systemctl start mnt.automount
inactive v
ls $mnt >/dev/null
[ "$(findmnt -n -o FSTYPE -t ext4 --mountpoint $mnt)" = ext4 ]
refs v 1
umount $mnt
ls $mnt >/dev/null
systemctl stop mnt.automount
unmounted $mnt
goes v
systemctl daemon-reload

## a mount by hand does not wait for an idle automount
mkdir -p /srv/deep/data
fstab "ways/v /srv/deep/data thin noauto,x-systemd.automount 0 0"
systemctl daemon-reload
systemctl start srv-deep-data.automount
for by in "mount /srv/deep/data" "mount -t thin ways/v /srv/deep/data" "mount.thin ways/v /srv/deep/data"; do
	SECONDS=0
	timeout -k 5 90 $by
	[ $SECONDS -lt 40 ] || die "$by: $SECONDS s"
	[ "$(findmnt -n -o SOURCE -t ext4 --mountpoint /srv/deep/data)" = /dev/mapper/thin-ways@v ]
	refs v 1
	umount /srv/deep/data
	gone v
done
ls /srv/deep/data >/dev/null
refs v 1
mount -t thin ways/v /srv/deep/data
refs v 1
umount /srv/deep/data
gone v
systemctl stop srv-deep-data.automount
unmounted /srv/deep/data
systemctl daemon-reload
rmdir /srv/deep/data /srv/deep

## neither a listing nor a mount elsewhere wakes an automount
mkdir /top
fstab "ways/v /top thin noauto,x-systemd.automount 0 0"
systemctl daemon-reload
systemctl start top.automount
thin-snap create --size 64M --fs ext4 ways/other
thin-snap list
thin-snap pool list
thin-snap pool check ways
mount -t thin ways/other $mnt
umount $mnt
[ -z "$(findmnt -n -o SOURCE -t ext4 --mountpoint /top)" ]
inactive v
not journalctl -q -b 0 --no-pager -u top.automount -g 'Got automount request'
thin-snap delete -y ways/other
systemctl stop top.automount
unmounted /top
systemctl daemon-reload
rmdir /top

## the unit of a volume that is missing fails, and its journal says why
fstab "ways/nosuch $mnt thin noauto 0 0"
systemctl daemon-reload
not systemctl start mnt.mount
journalctl -q --no-pager -o cat -u mnt.mount | grep -q '^mount.thin: ways/nosuch: no such volume (thin-snap list ways'
systemctl reset-failed mnt.mount
unmounted $mnt

## with nofail mount -a leaves out a missing volume
fstab "ways/nosuch $mnt thin nofail 0 0"
systemctl daemon-reload
mount -a -t thin
unmounted $mnt

## with nofail mount -a leaves out a pool without its disk or file
thin-snap pool create --size 64M --metadata-size 2M lacks
thin-snap create --size 16M --fs ext4 lacks/v
thin-snap pool deactivate lacks
mv /var/lib/thin/lacks/data /var/lib/thin/lacks-data
fstab "lacks/v $mnt thin nofail 0 0"
systemctl daemon-reload
mount -a -t thin
unmounted $mnt
mv /var/lib/thin/lacks-data /var/lib/thin/lacks/data
mount -a -t thin
mounted $mnt
umount $mnt
thin-snap pool delete -ry lacks

## a unit of its own, with x-systemd.requires= and a timeout
fstab "ways/v $mnt thin noauto,ro,x-systemd.requires=thin-pools.service,x-systemd.mount-timeout=30 0 0"
systemctl daemon-reload
systemctl start mnt.mount
has_option $mnt ro
systemctl show --value -p Requires mnt.mount | grep -q thin-pools.service
systemctl stop mnt.mount
gone v

## thin-pools.service can be enabled, disabled and preset
is_enabled() { [ "$(systemctl is-enabled thin-pools.service || true)" = "$1" ]; }
is_enabled disabled
systemctl enable thin-pools.service
is_enabled enabled
systemctl disable thin-pools.service
is_enabled disabled
systemctl preset thin-pools.service # Debian's policy enables what no file of presets names
is_enabled enabled
systemctl disable thin-pools.service
is_enabled disabled

## thin-pools.service: a stop, a restart and isolate unmount nothing
systemctl start thin-pools.service
mount -t thin ways/v $mnt
for verb in stop restart try-restart reload-or-restart; do
	not systemctl $verb thin-pools.service 2>/tmp/said
	grep 'Operation refused' /tmp/said
done
rm /tmp/said
systemctl isolate multi-user.target # the unit is not part of it while it is disabled
mounted $mnt
refs v 1
[ "$(systemctl is-active thin-pools.service)" = active ]
umount $mnt
gone v

## thin-pools.service: its stop takes pools down, and fails by the name of a busy volume
stop() { systemd-run --quiet -p Conflicts=thin-pools.service true; } # as shutdown.target does
systemctl start thin-pools.service
mount -t thin ways/v $mnt
mount -t thin ways/v $mnt
stop
until [ "$(systemctl is-active thin-pools.service)" = inactive ]; do sleep 0.1; done
unmounted $mnt
not dmsetup info thin-ways@@pool
systemctl start thin-pools.service
mount -t thin ways/v $mnt
holding $mnt
stop
until systemctl -q is-failed thin-pools.service; do sleep 0.1; done
mounted $mnt
release
systemctl status thin-pools.service >/tmp/status || true
grep -q 'ExecStop=.*status=1/FAILURE' /tmp/status
journalctl --sync
journalctl -q -b 0 --no-pager -o cat -u thin-pools.service | grep 'busy.*sleep'
systemctl reset-failed thin-pools.service
umount $mnt
gone v
rm /tmp/status
