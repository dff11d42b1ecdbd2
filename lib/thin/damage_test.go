package thin

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
)

// What the kernel says of damaged metadata is told as that, with the way out,
// whatever was being done.
func TestDamagedMetadataIsTold(t *testing.T) {
	p, _, _ := testPool(t, catalog.KindFile)
	v := testVolume("base", 1)
	for errno, told := range map[unix.Errno]bool{unix.ENOTBLK: true, unix.EILSEQ: true, unix.EBADMSG: true, unix.ENOENT: false, unix.EINVAL: false} {
		for what, err := range map[string]error{
			"message": p.explain(fmt.Errorf("x: %w", &dm.Error{Op: "message", Err: errno})),
			"mount":   p.sys.blameMetadata(t.Context(), p.dm, v, &Error{Object: "demo/base", Err: errno}),
		} {
			if got := errors.Is(err, ErrPoolState) && strings.Contains(err.Error(), damagedText) && strings.Contains(Hint(err), "thin_repair"); got != told {
				t.Errorf("%s, %v: %v, hint %q", what, errno, err, Hint(err))
			}
			if !errors.Is(err, errno) {
				t.Errorf("%s: %v is lost: %v", what, errno, err)
			}
		}
	}
}
