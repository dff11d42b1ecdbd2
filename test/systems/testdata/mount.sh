## counts each mount of a volume and directory that fstab does not have
for n in 1 2 3 4; do
	mount -t thin ways/v $mnt
	refs v $n
done
for n in 3 2 1; do
	umount $mnt
	mounted $mnt
	refs v $n
done
umount $mnt
unmounted $mnt
gone v

## -o remount by directory
mount -t thin ways/v $mnt
mount -o remount,ro $mnt
has_option $mnt ro
mount -o remount,rw,noatime $mnt
has_option $mnt rw
has_option $mnt noatime
mount -o remount,x-note=1 $mnt
refs v 1
mount -t thin ways/v $mnt
umount $mnt
mounted $mnt
umount $mnt
unmounted $mnt
gone v

## -o remount through fstab
fstab "ways/v $mnt thin noauto,nosuid 0 0"
mount $mnt
mount -o remount,ro $mnt
has_option $mnt ro
has_option $mnt nosuid
refs v 1
mount -t thin -o remount,rw ways/v $mnt
has_option $mnt rw
fails 32 'Unknown parameter|Unrecognized mount option' mount -t thin -o remount,nosuchoption ways/v $mnt
umount $mnt
unmounted $mnt
gone v
fails 32 'not mounted on /mnt' mount -o remount,ro $mnt

## --bind
mount -t thin ways/v $mnt
mount --bind $mnt /srv
fails 32 'already mounted on /mnt' mount -t thin ways/v /srv
umount /srv
mounted $mnt
umount $mnt
gone v

## --move
mount --make-private /
mount -t thin ways/v $mnt
mount --move $mnt /srv
fails 32 'already mounted on /srv' mount -t thin ways/v $mnt
mount -t thin ways/v /srv
refs v 2
umount /srv
umount /srv
unmounted /srv
gone v

## -r and -o ro
for flag in -r -oro; do
	mount $flag -t thin ways/v $mnt
	has_option $mnt ro
	umount $mnt
	gone v
done

## -f checks and mounts nothing
mount -f -t thin ways/v $mnt
unmounted $mnt
gone v
fails 32 'no such volume' mount -f -t thin ways/nosuch $mnt

## -n, -s, -v
for flag in -n -s -v; do
	mount $flag -t thin ways/v $mnt
	mounted $mnt
	umount $mnt
	unmounted $mnt
	goes v
done
mount -v -t thin ways/v $mnt | grep -q 'mounting ways/v (ext4) on /mnt'
umount $mnt

## -N mounts in another namespace, and the volume is busy here
namespace
mount -N $ns -t thin ways/v $mnt
fails 32 "mounted on /mnt in the mount namespace of process $holder" mount -t thin ways/v $mnt
release
goes v

## -t thin.ext4 names the filesystem
mount -t thin.ext4 ways/v $mnt
umount $mnt
gone v

## -o X-mount.mkdir
rmdir /tmp/made 2>/dev/null || true
mount -o X-mount.mkdir -t thin ways/v /tmp/made
mounted /tmp/made
umount /tmp/made
rmdir /tmp/made
gone v

## -o X-mount.subdir, where mount(8) knows it
mount -t thin ways/v $mnt
mkdir -p $mnt/inner/deep
umount $mnt
mount -t thin -o X-mount.subdir=inner ways/v $mnt
mounted $mnt
if [ "$(mount --version | sed 's/.*2\.\([0-9]*\).*/\1/')" -ge 39 ]; then
	[ -d $mnt/deep ]
	fails 32 'already mounted on /mnt' mount -t thin ways/v /srv
fi
umount $mnt
unmounted $mnt
goes v

## -o x-… options of others
mount -t thin -o x-note=1,x-gvfs-hide ways/v $mnt
mount -t thin -o x-other ways/v $mnt
umount $mnt
mounted $mnt
umount $mnt
unmounted $mnt
gone v

## -o user is refused clearly, since the helper is not setuid
fstab "ways/v $mnt thin noauto,user 0 0"
fails 1 'only root can do that.*not setuid' setpriv --reuid 65534 --regid 65534 --clear-groups mount $mnt
unmounted $mnt
gone v

## -o loop and offset are refused
fails 1 'option offset cannot be used' /sbin/mount.thin ways/v $mnt -o rw,offset=512
fails 1 'option loop cannot be used' /sbin/mount.thin ways/v $mnt -o rw,loop
not mount -t thin -o loop ways/v $mnt
gone v

## an unknown option, in the filesystem's own words
fails 32 "Unknown parameter 'nosuchoption'|Unrecognized mount option \"?nosuchoption" mount -t thin -o nosuchoption ways/v $mnt
unmounted $mnt
goes v

## a comma inside quotes does not smuggle in an option
fails 32 'nosuchoption' mount -t thin -o 'rw,nosuchoption="a,ro,nosuid"' ways/v $mnt
fails 1 'a quote is not closed' /sbin/mount.thin ways/v $mnt -o 'rw,x="a'
goes v

## -o context= reaches the kernel, which has no SELinux here
not /sbin/mount.thin ways/v $mnt -o 'rw,context="system_u:object_r:tmp_t:s0:c1,c2"' 2>/tmp/said
grep -q 'context' /tmp/said
rm /tmp/said
goes v

## -o nofail and a volume that does not exist
mount -t thin -o nofail ways/nosuch $mnt
unmounted $mnt
fails 32 'ways/nosuch: no such volume' mount -t thin ways/nosuch $mnt

## POOL/VOLUME where the current folder has such a path
mkdir -p /tmp/cwd/ways/v
cd /tmp/cwd
mount -t thin ways/v $mnt
umount $mnt
cd /
rm -r /tmp/cwd
gone v

## POOL/VOLUME where the current folder has a symbolic link of that name: fstab tells
mkdir -p /tmp/cwd /tmp/elsewhere/x
ln -s /tmp/elsewhere/x /tmp/cwd/ways
mkdir -p /tmp/elsewhere/x/v
fstab "ways/v $mnt thin noauto 0 0"
cd /tmp/cwd
mount $mnt
umount $mnt
fails 1 '/tmp/elsewhere/x/v: neither POOL/VOLUME.*/run/thin/dev/POOL/VOLUME' mount -t thin ways/v /srv
cd /
rm -r /tmp/cwd /tmp/elsewhere
gone v

## by the alias, inactive and active
mount -t thin /run/thin/dev/ways/v $mnt
refs v 1
mount -t thin /run/thin/dev/ways/v $mnt
refs v 2
umount $mnt
umount $mnt
gone v

## one path, through symbolic links, bind mounts, /mnt/ and /mnt/../mnt
ln -sfn /mnt /tmp/link
mount -t thin ways/v $mnt
for dir in /mnt/ /mnt/../mnt /tmp/link /tmp/link/; do mount -t thin ways/v $dir; done
refs v 5
for dir in /srv /; do fails 32 'already mounted on /mnt' mount -t thin ways/v $dir; done
mkdir -p /tmp/bound
mount --bind /mnt /tmp/bound
fails 32 'already mounted on /mnt' mount -t thin ways/v /tmp/bound
umount /tmp/bound
rmdir /tmp/bound
rm /tmp/link
umount -f $mnt
gone v

## over another mount, and under one
mount -t tmpfs below $mnt
mount -t thin ways/v $mnt
mount -t tmpfs above $mnt
umount $mnt
mount -t thin ways/v $mnt
refs v 2
umount $mnt
umount $mnt
[ "$(findmnt -n -o FSTYPE $mnt)" = tmpfs ]
umount $mnt
gone v
