## three times mount -a is one reference
fstab "ways/v $mnt thin defaults,noatime 0 0"
mount -a -t thin
mount -a -t thin
mount -a
refs v 1
has_option $mnt noatime
mount $mnt
mount -t thin ways/v $mnt
refs v 1
umount $mnt
unmounted $mnt
gone v

## three times mount -a with the alias: libmount itself skips what is mounted
fstab "/run/thin/dev/ways/v $mnt thin defaults 0 0"
mount -a -t thin
refs v 1
mount -a -v -t thin | grep -q 'already mounted'
mount -a -t thin
refs v 1
umount /run/thin/dev/ways/v
unmounted $mnt
gone v

## a directory named through a symbolic link
ln -sfn /mnt /tmp/link
fstab "ways/v /tmp/link thin defaults 0 0"
mount -a -t thin
mount -a -t thin
refs v 1
umount $mnt
unmounted $mnt
rm /tmp/link
gone v

## mount and umount by directory alone
fstab "ways/v $mnt thin noauto 0 0"
mount $mnt
umount $mnt
unmounted $mnt
gone v

## mount by name alone
fstab "ways/v $mnt thin noauto 0 0"
mount ways/v
mounted $mnt
umount $mnt
gone v

## a pair that is not in fstab counts beside one that is
fstab "ways/v /srv thin noauto 0 0"
mount -t thin ways/v $mnt
mount -t thin ways/v $mnt
refs v 2
fails 32 'already mounted on /mnt' mount /srv
umount $mnt
umount $mnt
gone v

## findmnt --verify has no errors
fstab "ways/v $mnt thin defaults 0 0"
fstab "/run/thin/dev/ways/v /srv thin noauto 0 0"
[ ! -d /run/systemd/system ] || systemctl daemon-reload # else it warns that the file is newer
findmnt --verify >/tmp/said 2>&1
grep -q '0 parse errors, 0 errors' /tmp/said
grep '\[W\]' /tmp/said >/tmp/warnings || true
not grep -Ev 'unsupported by the current kernel|unreachable source|cannot (detect|identify)|non-canonical|does not exist|on-disk' /tmp/warnings
rm /tmp/warnings
rm /tmp/said
