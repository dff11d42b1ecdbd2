## by directory
mount -t thin ways/v $mnt
umount $mnt
unmounted $mnt
gone v

## by the alias
mount -t thin ways/v $mnt
[ "$(readlink /run/thin/dev/ways/v)" = /dev/mapper/thin-ways@v ]
umount /run/thin/dev/ways/v
unmounted $mnt
gone v
[ ! -L /run/thin/dev/ways/v ]

## by the device in the mount table
mount -t thin ways/v $mnt
mount -t thin ways/v $mnt
dev=$(findmnt -n -o SOURCE $mnt)
umount $dev
refs v 1
umount $dev
unmounted $mnt
gone v

## by a relative path, a symbolic link and a path with ..
ln -sfn /mnt /tmp/link
cd /
for dir in mnt mnt/ /tmp/link /mnt/../mnt /mnt/.; do
	mount -t thin ways/v $mnt
	umount $dir
	unmounted $mnt
	gone v
done
rm /tmp/link

## -l detaches, and the device goes at its last close
mount -t thin ways/v $mnt
holding $mnt
umount -l $mnt
unmounted $mnt
dmsetup info thin-ways@v >/dev/null
release
goes v

## -l of one of several references drops it
mount -t thin ways/v $mnt
mount -t thin ways/v $mnt
umount -l $mnt
mounted $mnt
refs v 1
umount -l $mnt
unmounted $mnt
goes v

## -f drops all references
for _ in 1 2 3; do mount -t thin ways/v $mnt; done
refs v 3
umount -f $mnt
unmounted $mnt
gone v

## -r makes a busy volume read-only and keeps the reference
mount -t thin -o nosuid ways/v $mnt
holding $mnt
umount -r $mnt
has_option $mnt ro
has_option $mnt nosuid
refs v 1
umount -r $mnt
release
umount $mnt
unmounted $mnt
gone v

## -R, with another mount on it
mount -t thin ways/v $mnt
mkdir -p $mnt/sub
mount -t tmpfs sub $mnt/sub
umount -R $mnt
unmounted $mnt
gone v

## -A, with a bind mount beside it
mount -t thin ways/v $mnt
mount --bind $mnt /srv
umount -A $mnt
unmounted $mnt
unmounted /srv
gone v

## -a, by the option that our mounts have
mount -t thin ways/v $mnt
umount -a -O helper=thin
unmounted $mnt
gone v

## -n, -c, -v, -q, -d
for flag in -n -c -v -q -d; do
	mount -t thin ways/v $mnt
	mount -t thin ways/v $mnt
	umount $flag $mnt
	refs v 1
	umount $flag $mnt
	unmounted $mnt
	gone v
done

## -N, of a mount in another namespace
namespace
mount -N $ns -t thin ways/v $mnt
unmounted $mnt
nsenter --mount=$ns findmnt -n --mountpoint $mnt
umount -N $ns $mnt
release
goes v

## without the helper: umount -i
mount -t thin ways/v $mnt
mount -t thin ways/v $mnt
umount -i $mnt
goes v

## without the helper: the bare system call
mount -t thin ways/v $mnt
perl -e 'my $dir = "/mnt"; exit(syscall(166, $dir, 0) ? 1 : 0)' # umount2(2)
goes v

## without the helper: the last process of a mount namespace dies
unshare -m --propagation private sh -ec "mount -t thin ways/v $mnt; findmnt -n --mountpoint $mnt"
goes v

## busy: refused, with the processes that hold it
mount -t thin ways/v $mnt
mount -t thin ways/v $mnt
mkdir -p $mnt/dir
exec 9>$mnt/open
holding $mnt/dir
umount $mnt # the one reference that may go
fails 32 "^umount.thin: /mnt: busy: .*sleep \(pid $holder, works in /mnt/dir\)" umount $mnt
fails 32 "sh \(pid $$, /mnt/open\)" umount $mnt
refs v 1
mounted $mnt
dmsetup info thin-ways@v >/dev/null
exec 9>&-
release
umount $mnt
gone v

## busy: refused, with the mount on it
mount -t thin ways/v $mnt
mkdir -p $mnt/sub
mount -t tmpfs sub $mnt/sub
fails 32 '/mnt/sub is mounted on it' umount $mnt
umount $mnt/sub
umount $mnt
gone v

## not mounted: refused
fails 32 'not mounted' umount $mnt

## a bind mount of it keeps the volume and the reference
mount -t thin ways/v $mnt
mount --bind $mnt /srv
umount $mnt
unmounted $mnt
refs v 1
umount /srv
goes v

## after mount --move
mount --make-private /
mount -t thin ways/v $mnt
mount -t thin ways/v $mnt
mount --move $mnt /srv
refs v 2
umount /srv
mounted /srv
umount /srv
unmounted /srv
gone v
