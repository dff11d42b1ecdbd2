//go:build kernel

package torture

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// holdFor is how long a device is held: longer than the one commands wait for a
// device that passes, now and then.
const holdFor = 1500 * time.Millisecond

// hold keeps a volume's device open for a while, if there is one: as a process,
// as a loop device, or as a device of device-mapper on top of it. A delete of
// the volume is refused until then, and no other command may fail by it.
func hold(t *testing.T, worker int, volume string, how int) outcome {
	device := "/dev/mapper/thin-" + strings.Replace(volume, "/", "@", 1)
	switch how % 3 {
	case 0:
		if c := exec.Command("sh", "-c", `exec 3<"$1" && sleep "$2"`, "sh", device,
			fmt.Sprint(holdFor.Seconds())); c.Run() != nil {
			return outcome{} // no such device
		}
	case 1:
		o := run(t, "losetup", "--read-only", "--find", "--show", device)
		if o.code != 0 {
			return outcome{}
		}
		time.Sleep(holdFor)
		return run(t, "losetup", "--detach", strings.TrimSpace(o.stdout))
	case 2:
		name := fmt.Sprintf("torture-hold-%d", worker)
		if o := run(t, "dmsetup", "create", name, "--readonly", "--table",
			"0 8 linear "+device+" 0"); o.code != 0 {
			return outcome{}
		}
		time.Sleep(holdFor)
		return run(t, "dmsetup", "remove", "--retry", name)
	}
	return outcome{}
}
