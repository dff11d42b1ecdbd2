package thin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/fault"
	"thinmount/lib/filelock"
	"thinmount/lib/freeze"
	"thinmount/lib/fsprobe"
	"thinmount/lib/fstab"
	"thinmount/lib/job"
	"thinmount/lib/mkfs"
	"thinmount/lib/mount"
	"thinmount/lib/privdir"
	"thinmount/lib/refcount"
	"thinmount/lib/spec"
)

// typedErrors returns one error of each type that the packages declare. The
// user sees such an error below a fault.Error, which may name an object.
func typedErrors() map[string]error {
	return map[string]error{
		"catalog.CorruptError": &catalog.CorruptError{
			Path: "/var/lib/thin/p/pool.json", Reason: "is empty",
		},
		"catalog.MisplacedError": &catalog.MisplacedError{
			Dir: "/var/lib/thin/q", Pool: "p", Place: catalog.Copied,
		},
		"catalog.MismatchError": &catalog.MismatchError{Pool: "p", Catalog: 1, Kernel: 2},
		"spec.NameError":        spec.CheckVolumeName("x@y"),
		"dm.ForeignError":       &dm.ForeignError{Name: "thin-p@v", UUID: "CRYPT-1"},
		"dm.Error":              &dm.Error{Op: "remove", Name: "thin-p@v", Err: unix.EBUSY},
		"filelock.HeldError": &filelock.HeldError{
			Path: "/run/thin/locks/p@v", Holders: []filelock.Holder{{PID: 7}},
			Err: context.DeadlineExceeded,
		},
		"freeze.AboveError":   &freeze.AboveError{Path: "/mnt", Err: unix.EBUSY},
		"freeze.ResumedError": &freeze.ResumedError{Took: 2 * time.Second, Limit: time.Second},
		"fsprobe.OtherError": &fsprobe.OtherError{
			Result: fsprobe.Result{Type: "gpt", Kind: fsprobe.Container},
		},
		"fsprobe.AmbiguousError": &fsprobe.AmbiguousError{
			Found: []fsprobe.Result{{Type: "ext4"}, {Type: "xfs"}},
		},
		"fstab.LineError": &fstab.LineError{Line: 3, Reason: "has 3 fields"},
		"job.ExecError":   &job.ExecError{Program: "make", Err: unix.ENOENT},
		"mkfs.Error": &mkfs.Error{
			Program: "mkfs.ext4", Said: "mke2fs 1.47\nno room\n", Err: errors.New("exit status 1"),
		},
		"mkfs.MissingError": &mkfs.MissingError{Program: "mkfs.xfs", Package: "xfsprogs"},
		"mount.Error": &mount.Error{
			Op: "fsconfig", Target: "/mnt", FSType: "ext4", Kernel: []string{"EXT4-fs (dm-3): bad"},
			Err: unix.EINVAL,
		},
		"mount.OptionError": &mount.OptionError{Option: "x", Err: unix.EINVAL},
		"privdir.Error":     &privdir.Error{Path: "/run/thin", Err: unix.EROFS},
		"refcount.CorruptError": &refcount.CorruptError{
			Path: "/run/thin/refs/p@v.json", Reason: "is empty",
		},
		"fault.Error":  &fault.Error{Object: "p/v", Err: fault.ErrBusy},
		"fault.Retold": fault.Retold{Text: "carries ext4, not xfs", Err: unix.EINVAL},
	}
}

var (
	goWords = regexp.MustCompile(
		`context (canceled|deadline)|invalid character|unmarshal|exit status|` +
			`\bnil\b|0x[0-9a-f]{6,}`)
	errorMethod  = regexp.MustCompile(`(?m)^func \(\w+ \*?([A-Z]\w*)\) Error\(\) string`)
	packageBegin = regexp.MustCompile(
		`^(backing|catalog|check|dm|engine|fault|filelock|fsprobe|fstab|health|host|inspect|job|` +
			`kmsg|label|loop|mkfs|mount|mounting|pools|privdir|refcount|registry|running|thin|` +
			`thinpool|volumes): `)
)

// Every error has the same form: it begins with its object, in lower case, and
// is one line without a period. It contains no package names and no words of
// Go.
func TestTypedErrorsAreInForm(t *testing.T) {
	for name, err := range typedErrors() {
		for _, err := range []error{
			err, &fault.Error{Object: "p/v", Err: err}, fmt.Errorf("pool p: %w", err),
			fault.WaitError("p/v", err),
		} {
			text := fault.Text(err)
			first := []rune(text)[0]
			switch {
			case unicode.IsUpper(first), strings.HasSuffix(text, "."),
				strings.ContainsAny(text, "\n\t"), goWords.MatchString(text),
				packageBegin.MatchString(text),
				strings.Contains(text, ": : "), strings.Contains(text, "::"):
				t.Errorf("%s: %q", name, text)
			}
		}
	}
}

// typedErrors has every type of error of every package.
func TestTypedErrorsAreAll(t *testing.T) {
	listed := typedErrors()
	files, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range errorMethod.FindAllSubmatch(text, -1) {
			seen++
			if name := filepath.Base(filepath.Dir(path)) +
				"." + string(m[1]); listed[name] == nil && !strings.HasSuffix(path, "_test.go") {
				t.Errorf("%s is not in the table", name)
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d types were found", seen)
	}
}
