package engine

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/thintest"
)

// The kernel's errors for damaged metadata are reported as damage, with a
// remedy, for messages and mounts alike.
func TestDamagedMetadataIsTold(t *testing.T) {
	p, _, _ := testPool(t, catalog.KindFile)
	v := thintest.Volume("base", 1)
	for errno, told := range map[unix.Errno]bool{
		unix.ENOTBLK: true, unix.EILSEQ: true, unix.EBADMSG: true, unix.ENOENT: false,
		unix.EINVAL: false,
	} {
		for what, err := range map[string]error{
			"message": p.Explain(fmt.Errorf("x: %w", &dm.Error{Op: "message", Err: errno})),
			"mount": health.BlameMetadata(t.Context(), p.Sys, p.DM, v,
				&fault.Error{Object: "demo/base", Err: errno}),
		} {
			if got := errors.Is(err, fault.ErrPoolState) &&
				strings.Contains(err.Error(), health.DamagedText) &&
				strings.Contains(thintest.Show(host.RemedyOf(err)),
					`fault.CheckPool{Pool:"demo"} says how thin_repair`); got != told {
				t.Errorf("%s, %v: %v, hint %q", what, errno, err, thintest.Show(host.RemedyOf(err)))
			}
			if !errors.Is(err, errno) {
				t.Errorf("%s: %v is lost: %v", what, errno, err)
			}
		}
	}
}
