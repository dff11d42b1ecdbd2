#!/bin/sh
# ci-jobs.sh POOL/VOLUME N PROGRAM [ARG...]: runs a program N times side by side,
# each time in a snapshot of the volume, which is deleted after it.
#
# The program finds the number of its job in $JOB. What it prints goes to the
# file JOB.log here. At the end one line for each job says how it ended; the exit
# status is 1 if a job has failed. At ctrl-C all jobs end, and leave nothing.
set -u
volume=$1 n=$2
shift 2

pids=''
for JOB in $(seq "$n"); do
	export JOB
	thin-snap run --snapshot-of "$volume" --ephemeral -- "$@" >"$JOB.log" 2>&1 &
	pids="$pids $!"
done
trap 'kill $pids' INT TERM

failed=0 job=0
for pid in $pids; do
	job=$((job + 1)) status=0
	wait "$pid" || status=$?
	while kill -0 "$pid" 2>/dev/null; do # a signal has ended the wait
		wait "$pid" || status=$?
	done
	echo "job $job: $status"
	[ "$status" = 0 ] || failed=1
done
exit "$failed"
