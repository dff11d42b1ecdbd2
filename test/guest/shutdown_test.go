package guest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// judge runs the script on a console's log.
func judge(t *testing.T, log string, stuck ...string) (string, bool) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "console.log")
	if err := os.WriteFile(file, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("./shutdown",
		append([]string{file, "7"}, stuck...)...).CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return string(out), err == nil
}

func TestShutdown(t *testing.T) {
	const begin, end = "guest: powering off\r\n", "[   48.0] systemd-shutdown[1]: Powering off.\r\n"
	for _, c := range []struct {
		name, log string
		shows     string // "" if nothing is wrong
	}{
		{"clean", "[\x1b[0;32m  OK  \x1b[0m] Unmounted \x1b[0;1;39m/srv/base\x1b[0m.\r\n", ""},
		{"short job", "\x1b[K[ \x1b[0;31m*\x1b[0m] Job slow.service/stop running (9s / 30s)\r\x1bM",
			""},
		{"the guest's own job", "[***] Job job.service/start running (6min 13s / no limit)\r\n",
			""},
		{"long job", "\x1b[K[ \x1b[0;31m*\x1b[0m] Job slow.service/stop running (46s / 90s)\r\x1bM",
			"slow.service/stop running (46s"},
		{"long job, described",
			"[***] (1 of 2) A stop job is running for /srv/base (1min 3s / no limit)\r\n",
			"/srv/base (1min 3s"},
		{"failed unit",
			"[\x1b[0;1;31mFAILED\x1b[0m] Failed unmounting \x1b[0;1;39m/srv/base\x1b[0m.\r\n",
			"Failed unmounting /srv/base"},
		{"LVM's lock",
			"[\x1b[0;1;31mFAILED\x1b[0m] Failed unmounting \x1b[0;1;39mrun-lock.mount\x1b[0m - " +
				"Legacy Locks Directory /run/lock.\r\n", ""},
		{"failed swap",
			"[\x1b[0;1;31mFAILED\x1b[0m] Failed deactivating swap \x1b[0;1;39mx.swap\x1b[0m.\r\n",
			"x.swap"},
		{"left mounted",
			"[   48.1] systemd-shutdown[1]: Failed to unmount /srv/base: Device or " +
				"resource busy\r\n", "Failed to unmount /srv/base"},
		{"left in the end",
			"[   48.1] systemd-shutdown[1]: Unable to finalize remaining DM devices, ignoring.\r\n",
			"remaining DM devices"},
		{"device left",
			"[   48.1] systemd-shutdown[1]: Could not detach DM /dev/dm-0: Device or " +
				"resource busy\r\n", "detach DM /dev/dm-0"},
		{"kernel", "[   48.1] WARNING: CPU: 0 PID: 1 at fs/super.c:1\r\n", "fs/super.c:1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := "[FAILED] Failed to start x.service.\r\n" // at boot, that is another matter
			out, ok := judge(t, before+begin+c.log+end)
			wrong, _, _ := strings.Cut(out, "guest: its console said last")
			if ok != (c.shows == "") || !strings.Contains(wrong, c.shows) ||
				strings.Contains(out, "x.service") {
				t.Errorf("ok is %v, said %q", ok, out)
			}
		})
	}
	if out, ok := judge(t, begin+end, "stuck"); ok || !strings.Contains(out, "did not end") {
		t.Errorf("stuck: ok is %v, said %q", ok, out)
	}
	if out, ok := judge(t, "panic\n"); ok || !strings.Contains(out, "does not say that it began") {
		t.Errorf("never began: ok is %v, said %q", ok, out)
	}
}
