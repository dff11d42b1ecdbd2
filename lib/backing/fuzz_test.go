package backing

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// FuzzParseLinear checks that a linear table that can be read has the same
// meaning when it is written as the kernel writes it.
func FuzzParseLinear(f *testing.F) {
	for _, s := range []string{"7:0 2048", "253:3 0", "8:16 18446744073709551615",
		"8:16 18446744073709551616", "7:0", "7:0 -1", "7:0 0x10", "7 2048", "",
		"7:0\n2048", "7:0 2048 x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, params string) {
		dev, offset, err := ParseLinear(params)
		if err != nil {
			if !strings.Contains(err.Error(), strconv.Quote(params)) {
				t.Errorf("%q: %v", params, err)
			}
			return
		}
		again := fmt.Sprintf("%s %d", dev, offset)
		if d, o, err := ParseLinear(again); err != nil || d != dev || o != offset {
			t.Errorf("%q reads as %q, and that as %s %d, %v", params, again, d, o, err)
		}
		if f := strings.Fields(params); len(f) < 2 || strings.Trim(f[0], "0123456789") != ":" ||
			offset != 0 && !strings.Contains(f[1], strconv.FormatUint(offset, 10)) {
			t.Errorf("%q reads as %q", params, again)
		}
	})
}
