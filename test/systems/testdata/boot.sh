## mounts at boot, with the pool inactive before
has_option /srv/base noatime
[ "$(findmnt -n -o SOURCE /srv/base)" = /dev/mapper/thin-sys@base ]
[ "$(cat /srv/base/file)" = base ]
[ "$(systemctl is-active srv-base.mount)" = active ]
unmounted /srv/second # the first line of a volume wins, always
journalctl -q -b 0 --no-pager -o cat -u srv-second.mount | grep -q '^mount.thin: sys/base: line [0-9]* of /etc/fstab mounts it on /srv/base, '

## waits for no device unit
journalctl -q -b 0 --no-pager >/tmp/journal
not grep -E 'Timed out waiting for device.*thin|dev-mapper-thin.*(timed out|Dependency failed)' /tmp/journal
rm /tmp/journal

## mounts at boot by the alias
[ "$(findmnt -n -o SOURCE /srv/alias)" = /dev/mapper/thin-sys@alias ]
[ "$(cat /srv/alias/file)" = alias ]
umount /run/thin/dev/sys/alias
unmounted /srv/alias

## mounts read-only at boot, and xfs
has_option /srv/xfs ro
[ "$(cat /srv/xfs/file)" = xfs ]

## automounts at the first look
[ "$(findmnt -n -t ext4 -o SOURCE /srv/auto)" = "" ]
[ "$(cat /srv/auto/file)" = auto ]

## a mount at boot is one reference, and mount -a adds none
mount -a -t thin
[ "$(thin-snap list -H -o name,references sys | awk '$1 == "sys/base" {print $2}')" = 1 ]
umount /srv/base
unmounted /srv/base
systemctl start srv-base.mount
mounted /srv/base

## goes on without a volume that is nofail, and the journal says why
unmounted /srv/nosuch
journalctl -q -b 0 --no-pager -o cat -u srv-nosuch.mount | grep -q '^mount.thin: sys/nosuch: no such volume'
