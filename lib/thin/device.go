package thin

import (
	"context"
	"fmt"
	"strings"

	"thinmount/lib/dm"
	"thinmount/lib/kmsg"
)

// makeDevice activates a device of one target, and drops what other names of ours
// lead to it. Why the kernel refuses a table it says in its log only.
func (s *System) makeDevice(ctx context.Context, c *dm.Control, name, uuid string, t dm.Target, cookie dm.CookieFlags) (info dm.Info, err error) {
	err = withKernelLog(func() error {
		info, err = c.Activate(ctx, name, uuid, []dm.Target{t}, dm.ActivateOptions{Cookie: cookie})
		return err
	})
	if err == nil {
		_, err = s.dropStaleNames(c, info)
	}
	return info, err
}

// withKernelLog adds to an error what device-mapper has said meanwhile.
func withKernelLog(do func() error) error {
	log := kmsg.Begin()
	defer log.Close()
	err := do()
	if err == nil {
		return nil
	}
	if said := log.Messages("device-mapper:"); len(said) > 0 {
		err = fmt.Errorf("%w (kernel: %s)", err, strings.Join(said, "; "))
	}
	return err
}
