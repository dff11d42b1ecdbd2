package systemd

import (
	"context"
	"os/exec"
	"strings"
	"time"
)

// again is the time between two questions.
const again = 50 * time.Millisecond

// systemctl is where distributions have it, merged with /usr or not.
const systemctl = "/bin/systemctl"

// WaitUnmounted waits until systemd does not believe any more that source is
// mounted by the mount unit, or until ctx ends. The mount is gone already. If
// systemd cannot be asked, there is nothing to wait for.
func WaitUnmounted(ctx context.Context, unit, source string) {
	waitUnmounted(ctx, func() (string, error) { return show(ctx, unit) }, source)
}

func waitUnmounted(ctx context.Context, show func() (string, error), source string) {
	for {
		said, err := show()
		if err != nil || !believes(said, source) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(again):
		}
	}
}

// show asks systemd for the state of a mount unit, and for what it mounts. It
// asks without a message bus where root has none.
func show(ctx context.Context, unit string) (string, error) {
	cmd := exec.CommandContext(ctx, systemctl, "show", "--property=ActiveState,What", "--", unit)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
	said, err := cmd.Output()
	return string(said), err
}

// believes tells whether the answer of show means that source is mounted. A
// unit that is stopping (deactivating) is not to be waited for: systemd may be
// waiting for us.
func believes(said, source string) bool {
	var active, same bool
	for line := range strings.Lines(said) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch key {
		case "ActiveState":
			active = value == "active"
		case "What":
			same = value == source
		}
	}
	return active && same
}
