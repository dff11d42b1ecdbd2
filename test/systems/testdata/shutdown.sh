## filesystems were unmounted cleanly: no journal is replayed
mount -t thin sys/hand /srv/hand
[ "$(cat /srv/hand/file)" = hand ]
umount /srv/hand
ls /srv/auto >/dev/null
journalctl -q -k -b 0 --no-pager -o cat >/tmp/kernel
grep -E '(EXT4-fs|XFS) \(dm-' /tmp/kernel
not grep -E '\(dm-[0-9]+\).*(recover|replay|orphan)' /tmp/kernel
rm /tmp/kernel

## a service that worked in a volume was stopped first
[ -s /srv/base/log ]
journalctl -q -b -1 --no-pager -o cat -u thin-pools.service -u srv-base.mount |
	sed '/pool ways: /d' >/tmp/journal # before the shutdown, the unit was stopped with a volume of that pool busy
not grep -i 'busy' /tmp/journal
rm /tmp/journal

## pools were deactivated by their unit
journalctl -q -b -1 --no-pager -o cat -u thin-pools.service | grep -x 'deactivated pool sys'
