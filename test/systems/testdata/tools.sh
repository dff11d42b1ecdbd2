## findmnt, lsblk, df and mount -l
mount -t thin ways/v $mnt
[ "$(findmnt -n -o SOURCE,FSTYPE --mountpoint $mnt | tr -s ' ')" = "/dev/mapper/thin-ways@v ext4" ]
lsblk -n -o NAME,TYPE,MOUNTPOINT /dev/mapper/thin-ways@v | grep -q "thin-ways@v *thin */mnt"
[ "$(df --output=source,target $mnt | tail -1 | tr -s ' ')" = "/dev/mapper/thin-ways@v /mnt" ]
mount -l | grep -q '^/dev/mapper/thin-ways@v on /mnt type ext4 .*helper=thin'
umount $mnt
gone v

## fstrim gives blocks back to the pool
used() { thin-snap list -Hp -o name,used ways | awk '$1 == "ways/v" {print $2}'; }
mount -t thin -o nodiscard ways/v $mnt
dd if=/dev/urandom of=$mnt/big bs=1M count=16 status=none
sync -f $mnt
before=$(used)
rm $mnt/big
sync -f $mnt
fstrim $mnt
[ "$(used)" -le $((before - 15000000)) ] || die "used $before bytes before, $(used) after"
umount $mnt
gone v

## resize2fs on the mounted filesystem
thin-snap create --size 256M ways/small
dev=$(thin-snap activate ways/small)
mke2fs -q -t ext4 $dev 64M
thin-snap deactivate ways/small
mount -t thin ways/small $mnt
before=$(stat -f -c %b $mnt)
resize2fs $(findmnt -n -o SOURCE $mnt) >/dev/null 2>&1
[ "$(stat -f -c %b $mnt)" -gt $((before * 3)) ]
umount $mnt
gone small
thin-snap delete -y ways/small

## xfs_growfs on the mounted directory
thin-snap create --size 512M ways/small
dev=$(thin-snap activate ways/small)
mkfs.xfs -q -d size=320m $dev
thin-snap deactivate ways/small
mount -t thin ways/small $mnt
before=$(stat -f -c %b $mnt)
xfs_growfs $mnt >/dev/null
[ "$(stat -f -c %b $mnt)" -gt $((before * 5 / 4)) ]
umount $mnt
gone small
thin-snap delete -y ways/small

## libmount has no complaint about our lines in utab
mount -t thin ways/v $mnt
LIBMOUNT_DEBUG=all mount -t thin ways/v $mnt 2>/tmp/said
LIBMOUNT_DEBUG=all findmnt -m >/dev/null 2>>/tmp/said || true
not grep -Ei 'parse error|syntax error' /tmp/said
grep -q 'helper=thin' /tmp/said
rm /tmp/said
umount $mnt
umount $mnt
gone v

## utab is left as it was, beside lines of others
mkdir -p /tmp/other
mount -t tmpfs -o x-note=other other /tmp/other
cp /run/mount/utab /tmp/utab.before
stat -c %a /run/mount/utab.lock >/tmp/mode.before
for _ in 1 2 3; do mount -t thin ways/v $mnt; done
umount $mnt
mount -t thin -o x-mine ways/v $mnt
for _ in 1 2 3; do umount $mnt; done
grep -q x-note=other /run/mount/utab
not grep -q thin /run/mount/utab
stat -c %a /run/mount/utab.lock | cmp - /tmp/mode.before
umount /tmp/other
rmdir /tmp/other
rm /tmp/utab.before /tmp/mode.before
gone v
