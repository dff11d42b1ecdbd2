# What the second boot is to find: a pool in files, lines in fstab, mounts by units and by hand, and a service at work
# on one of them while the machine is shut down.
systemctl enable --now thin-pools.service # as after an installation: the first shutdown has to go well, too
thin-snap pool create --size 4G sys
for v in base alias auto hand pinned; do thin-snap create --size 128M --fs ext4 sys/$v; done
thin-snap create --size 512M --fs xfs sys/xfs
mkdir -p /srv/base /srv/alias /srv/auto /srv/hand /srv/xfs /srv/nosuch /srv/second
mount -t thin sys/xfs /srv/xfs
echo xfs >/srv/xfs/file
umount /srv/xfs
fstab "sys/base /srv/base thin defaults,noatime 0 0"
fstab "sys/base /srv/second thin noatime,nofail 0 0"
fstab "/run/thin/dev/sys/alias /srv/alias thin defaults 0 0"
fstab "sys/xfs /srv/xfs thin ro 0 0"
fstab "sys/auto /srv/auto thin noauto,x-systemd.automount 0 0"
fstab "sys/nosuch /srv/nosuch thin nofail 0 0"
systemctl daemon-reload
systemctl start srv-base.mount srv-alias.mount srv-xfs.mount srv-auto.automount
mount -t thin sys/hand /srv/hand
mount -t thin sys/hand /srv/hand
thin-snap activate sys/pinned
for v in base alias auto hand; do
	echo $v >/srv/$v/file
	sync /srv/$v/file
done
for v in base alias auto hand xfs; do mounted /srv/$v; done
systemd-run --quiet --unit writer -p RequiresMountsFor=/srv/base sh -c 'cd /srv/base; while :; do date >>log; sync log; sleep 0.1; done'
systemctl is-active thin-pools.service
