package thin

import (
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/thinpool"
)

// TestInCommon lets looks be blind now and then: what is wrong is found all the
// same, or the check says that it could not look.
func TestInCommon(t *testing.T) {
	orphan := func() *facts {
		f := soundFacts()
		f.meta.Devices[77] = thinpool.Device{Details: thinpool.Details{TransactionID: 2}}
		return f
	}
	noMetadata := func() *facts {
		f := orphan()
		f.meta, f.metaErr = nil, unix.EIO
		return f
	}
	noRecord := func() *facts {
		f := orphan()
		f.damaged = map[string]error{"one": catalog.ErrNoVolume}
		return f
	}
	noLabel := func() *facts {
		f := orphan()
		f.backings[0].err, f.meta = unix.EIO, nil
		return f
	}
	type looks []func() *facts
	for _, row := range []struct {
		name  string
		looks looks
		want  []string
		err   error
	}{
		{"sound", looks{soundFacts}, nil, nil},
		{"wrong", looks{orphan, orphan}, []string{KindOrphan}, nil},
		{"mended in between", looks{orphan, soundFacts}, nil, nil},
		{"no metadata at first", looks{noMetadata, orphan, orphan}, []string{KindOrphan}, nil},
		{"no metadata the second time", looks{orphan, noMetadata, orphan, orphan}, []string{KindOrphan}, nil},
		{"never metadata", looks{noMetadata, noMetadata}, []string{KindMetadata}, nil},
		{"no record at first", looks{noRecord, orphan, orphan}, []string{KindOrphan}, nil},
		{"no label the second time", looks{orphan, noLabel, orphan, orphan}, []string{KindOrphan}, nil},
		{"at times", looks{orphan, noMetadata, orphan, noMetadata}, nil, errUnsteady},
	} {
		t.Run(row.name, func(t *testing.T) {
			n := 0
			found, err := inCommon(func(again bool) (*facts, error) {
				if again != (n > 0) {
					t.Errorf("look %d: again is %v", n, again)
				}
				n++
				return row.looks[n-1](), nil
			})
			var kinds []string
			for _, f := range found {
				kinds = append(kinds, f.Kind)
			}
			if !slices.Equal(kinds, row.want) || !errors.Is(err, row.err) || n != len(row.looks) {
				t.Errorf("found %v, %v in %d looks, want %v, %v in %d", kinds, err, n, row.want, row.err, len(row.looks))
			}
		})
	}
	if _, err := inCommon(func(bool) (*facts, error) { return nil, unix.EIO }); err != unix.EIO {
		t.Errorf("a look that fails: %v", err)
	}
}
