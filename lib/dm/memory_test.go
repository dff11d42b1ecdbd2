package dm

import (
	"errors"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// asked returns a Control that remembers, over a kernel with one device, and
// counts the commands that the kernel gets.
func asked(t *testing.T) (c *Control, count func() int) {
	t.Helper()
	n := 0
	plain := NewControl(func(cmd uint, buf []byte) error {
		n++
		h := (*header)(unsafe.Pointer(&buf[0]))
		if cmd == cmdList {
			h.Data_size = h.Data_start
			return nil
		}
		if cString(h.Name[:]) == "none" {
			return unix.ENXIO
		}
		copy(h.Name[:], "a\x00")
		copy(h.Uuid[:], "u\x00")
		h.Dev, h.Target_count = encodeDev(DevNo{253, 1}), 0
		h.Flags = unix.DM_ACTIVE_PRESENT_FLAG
		return nil
	})
	return plain.Remember(), func() int { defer func() { n = 0 }(); return n }
}

func TestRemember(t *testing.T) {
	c, count := asked(t)
	look := func(want int, what string) {
		t.Helper()
		for _, r := range []Ref{ByName("a"), ByUUID("u"), ByDev(DevNo{253, 1})} {
			if info, err := c.Info(r); err != nil || info.Name != "a" || info.UUID != "u" {
				t.Errorf("%s: %v: %+v, %v", what, r, info, err)
			}
		}
		if n := count(); n != want {
			t.Errorf("%s: asked %d times, want %d", what, n, want)
		}
	}
	look(1, "first")
	look(0, "again")
	for what, change := range map[string]func() error{
		"resume":  func() error { _, err := c.Resume(ByName("a"), 0); return err },
		"remove":  func() error { _, err := c.Remove(ByName("a"), false, 0); return err },
		"message": func() error { _, err := c.Message(ByName("a"), 0, "x"); return err },
		"load":    func() error { return c.Load(ByName("a"), nil, false) },
		"commit":  func() error { _, _, err := c.Status(ByName("a"), 0); return err },
		"failure": func() error {
			if _, err := c.Message(ByName("none"), 0, "x"); !errors.Is(err, ErrNotExist) {
				return errors.New("no error")
			}
			return nil
		},
		"forget": func() error { c.Forget(); return nil },
	} {
		if err := change(); err != nil {
			t.Fatal(what, err)
		}
		count()
		look(1, what)
	}
	c.StopRemembering()
	look(3, "stopped")
}

// A device that a list does not have does not exist, until something changes.
func TestRememberWhatIsNotThere(t *testing.T) {
	c, count := asked(t)
	if _, err := c.List(""); err != nil {
		t.Fatal(err)
	}
	count()
	for _, r := range []Ref{ByName("b"), ByUUID("x"), ByDev(DevNo{253, 9})} {
		if _, err := c.Info(r); !errors.Is(err, ErrNotExist) {
			t.Errorf("info %v: %v", r, err)
		}
		if _, _, err := c.Table(r); !errors.Is(err, ErrNotExist) {
			t.Errorf("table %v: %v", r, err)
		}
		if _, _, err := c.Status(r, StatusNoFlush); !errors.Is(err, ErrNotExist) {
			t.Errorf("status %v: %v", r, err)
		}
	}
	if all, err := c.List("THIN-"); err != nil || !slices.Equal(all, []Device{}) {
		t.Errorf("%v, %v", all, err)
	}
	if n := count(); n != 0 {
		t.Errorf("asked %d times", n)
	}
	c.Forget()
	if _, err := c.Info(ByName("a")); err != nil || count() != 1 {
		t.Error(err)
	}
}

// A Control that Remember has not made asks each time.
func TestPlainControlAsksAnew(t *testing.T) {
	n := 0
	c := NewControl(func(uint, []byte) error { n++; return nil })
	for range 3 {
		if _, err := c.Info(ByName("a")); err != nil {
			t.Fatal(err)
		}
	}
	c.Forget()
	if n != 3 {
		t.Errorf("asked %d times, want 3", n)
	}
}
