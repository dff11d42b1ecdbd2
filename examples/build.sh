#!/bin/sh
# build.sh NAME: makes the volume images/NAME out of the volume images/base.
#
# It mounts a snapshot of images/base on a new folder and runs ./provision with
# that folder. If a step fails, or if a signal comes, it unmounts and deletes
# images/NAME again. The pool and the base are made once:
#
#	thin-snap pool create images
#	thin-snap create --size 2G --fs ext4 images/base
set -u
new=images/$1 job='' stopped='' status=0
stop() {
	stopped=$1
	[ -z "$job" ] || kill -KILL "$job" 2>/dev/null
}
trap 'stop 129' HUP
trap 'stop 130' INT
trap 'stop 143' TERM

dir=$(mktemp -d) || exit
thin-snap snapshot images/base "$new" || { status=$?; rmdir "$dir"; exit "$status"; }
if mount -t thin "$new" "$dir" && [ -z "$stopped" ]; then
	# A process that works in the volume keeps it busy. So every process that
	# provision starts, a daemon too, ends with provision.
	unshare --pid --fork --kill-child ./provision "$dir" &
	job=$!
	wait "$job" || status=$?
	[ -z "$stopped" ] || wait "$job"
	job=''
	# In a full pool write(2) succeeds, and only the sync fails.
	[ "$status" != 0 ] || sync -f "$dir" || status=$?
	[ "$status" != 0 ] || umount "$dir" || status=$?
else
	status=$?
fi
trap '' HUP INT TERM
[ -z "$stopped" ] || status=$stopped
if [ "$status" != 0 ]; then
	! mountpoint -q "$dir" || umount -f "$dir"
	thin-snap delete -y "$new"
fi
rmdir "$dir"
exit "$status"
