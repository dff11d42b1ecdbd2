package refcount

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const good = `{"volume":"demo/base","pool_uuid":"u1","thin_id":7,"device":"/dev/mapper/x",
	"dev":"253:5","mounted_on":"/a","mount_id":40,"references":2,"held":false,
	"since":"2026-01-02T03:04:05Z"}`

func TestDecode(t *testing.T) {
	change := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for _, tt := range []struct{ name, text, want string }{
		{"good", good, ""},
		{"unknown field", change(`"held"`, `"new":{"x":[1]},"held"`), ""},
		{"empty", "", "is empty"},
		{"truncated", good[:len(good)/2], "ends early"},
		{"zeros", strings.Repeat("\x00", 512), "is no JSON at byte"},
		{"two values", good + good, "is no JSON at byte"},
		{"array", "[]", "is a JSON array"},
		{"null", "null", `belongs to volume ""`},
		{"wrong type", change(`"references":2`, `"references":"2"`), "cannot be a JSON"},
		{"fraction", change(`"references":2`, `"references":2.5`), "cannot be a JSON"},
		{"negative references", change(`"references":2`, `"references":-2`),
			"references: -2 is not within"},
		{"too many references", change(`"references":2`, `"references":9223372036854775807`),
			"is not within"},
		{"more than an int", change(`"references":2`, `"references":9223372036854775808`),
			"cannot be a JSON"},
		{"no references", change(`"references":2`, `"references":0`),
			`references: 0, but mounted_on is "/a"`},
		{"no path", change(`"/a"`, `""`), "references: 2, but mounted_on"},
		{"relative path", change(`"/a"`, `"a"`), "is not absolute"},
		{"negative mount id", change(`40`, `-1`), "mount_id: -1"},
		{"thin id", change(`"thin_id":7`, `"thin_id":16777216`), "more than 24 bits"},
		{"negative thin id", change(`"thin_id":7`, `"thin_id":-7`), "cannot be a JSON"},
		{"another volume", change("demo/base", "demo/other"), `belongs to volume "demo/other"`},
		{"year 10000", change("2026-01", "12026-01"), "parsing time"},
	} {
		_, reason := decode([]byte(tt.text), base)
		if (reason == "") != (tt.want == "") || !strings.Contains(reason, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, reason, tt.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	r, _ := recorded()
	real, err := encode(r)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(real)
	f.Add([]byte(good))
	f.Add(real[:len(real)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		r, reason := decode(b, base)
		if reason != "" {
			return
		}
		again, err := encode(r)
		if err != nil {
			t.Fatalf("%+v was read, but cannot be written: %v", r, err)
		}
		if back, reason := decode(again, base); reason != "" || !back.Since.Equal(r.Since) ||
			back.References != r.References || back.MountedOn != r.MountedOn {
			t.Errorf("%+v comes back as %+v, %s", r, back, reason)
		}
	})
}

// damage puts something else in a record's place.
var damage = map[string]func(path string) error{
	"truncated": func(p string) error { return os.WriteFile(p, []byte(good[:40]), 0o600) },
	"empty":     func(p string) error { return os.WriteFile(p, nil, 0o600) },
	"hostile": func(p string) error {
		return os.WriteFile(p, []byte(strings.Replace(good, `":2`, `":-2`, 1)), 0o600)
	},
	"symlink": func(p string) error { return os.Symlink("/etc/passwd", p) },
	"link to a good one": func(p string) error {
		return errors.Join(os.WriteFile(p+".moved", []byte(good), 0o600), os.Symlink(p+".moved", p))
	},
	"directory": func(p string) error { return os.Mkdir(p, 0o700) },
	"fifo":      func(p string) error { return unix.Mkfifo(p, 0o600) },
	"group": func(p string) error {
		return errors.Join(os.WriteFile(p, []byte(good), 0o600), os.Chmod(p, 0o660))
	},
	"others": func(p string) error {
		return errors.Join(os.WriteFile(p, []byte(good), 0o600), os.Chmod(p, 0o606))
	},
	"huge": func(p string) error {
		text := `{"volume":"demo/base","new":"` + strings.Repeat("x", maxRecord) + `"}`
		return os.WriteFile(p, []byte(text), 0o600)
	},
	"endless": func(p string) error { return os.Symlink("/dev/zero", p) },
}

func TestDamagedRecordIsRebuilt(t *testing.T) {
	for name, put := range damage {
		t.Run(name, func(t *testing.T) {
			s := Store{Dir: filepath.Join(t.TempDir(), "thin")}
			if err := lock(t, s).Close(); err != nil { // makes the directories
				t.Fatal(err)
			}
			if err := put(s.recordPath(base)); err != nil {
				t.Fatal(err)
			}
			var corrupt *CorruptError
			if _, err := s.Read(base); !errors.As(err, &corrupt) ||
				corrupt.Path != s.recordPath(base) {
				t.Errorf("read: %v", err)
			}
			r := lock(t, s)
			defer r.Close()
			if err := r.Damage(); !errors.As(err, &corrupt) {
				t.Errorf("damage: %v", err)
			}
			_, o := recorded()
			got, err := r.Reconcile(o)
			if err != nil || got.References != 1 || got.MountedOn != "/a" {
				t.Fatalf("%+v, %v", got, err)
			}
			if onDisk, err := s.Read(base); err != nil || onDisk != got ||
				r.Damage() != nil {
				t.Errorf("after it: %+v, %v, damage %v", onDisk, err, r.Damage())
			}
		})
	}
}
