package filelock

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

func TestParseLock(t *testing.T) {
	for _, tt := range []struct {
		line string
		want procLock
		ok   bool
	}{
		{"1: FLOCK  ADVISORY  WRITE 23192 fe:00:9977890 0 EOF\n",
			procLock{"FLOCK", true, false, 23192, fileID{0xfe, 0, 9977890}}, true},
		{"1: -> FLOCK  ADVISORY  READ 7 08:101:18446744073709551615 0 EOF\n",
			procLock{"FLOCK", false, true, 7, fileID{8, 0x101, 1<<64 - 1}}, true},
		{"12: OFDLCK ADVISORY  READ -1 00:06:1028 0 EOF\n",
			procLock{"OFDLCK", false, false, -1, fileID{0, 6, 1028}}, true},
		{"3: POSIX  ADVISORY  WRITE 0 00:19:5 128 191\n",
			procLock{"POSIX", true, false, 0, fileID{0, 0x19, 5}}, true},
		// A file without an inode.
		{"4: FLOCK  ADVISORY  WRITE 5 <none>:0 0 EOF\n", procLock{}, false},
		{"4: FLOCK  ADVISORY  WRITE x 08:01:5 0 EOF\n", procLock{}, false},
		{"4: FLOCK  ADVISORY  WRITE 5 08:01:-5 0 EOF\n", procLock{}, false},
		{"4: FLOCK  ADVISORY  WRITE 5 g8:01:5 0 EOF\n", procLock{}, false},
		{"4: FLOCK  ADVISORY  WRITE 5\n", procLock{}, false},
		{"4 FLOCK  ADVISORY  WRITE 5 08:01:5 0 EOF\n", procLock{}, false},
		{"4: -> \n", procLock{}, false},
		{"\n", procLock{}, false},
		{"", procLock{}, false},
	} {
		got, ok := parseLock(tt.line)
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("%q: %+v, %v", tt.line, got, ok)
		}
	}
}

func FuzzParseLocks(f *testing.F) {
	f.Add([]byte(
		"1: FLOCK  ADVISORY  WRITE 23192 fe:00:9977890 0 EOF\n" +
			"1: -> FLOCK  ADVISORY  READ 7 08:101:5 0 EOF\n"))
	f.Add([]byte(
		"2: OFDLCK ADVISORY  READ -1 00:06:1028 0 EOF\n" +
			"3: LEASE  ACTIVE    READ  9 00:19:5 0 EOF\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, l := range parseLocks(b) {
			line := "1: " + l.class + " ADVISORY " +
				map[bool]string{true: "WRITE ", false: "READ "}[l.write] +
				strconv.Itoa(l.pid) + " " + strconv.FormatUint(uint64(l.file.major), 16) + ":" +
				strconv.FormatUint(uint64(l.file.minor), 16) + ":" +
				strconv.FormatUint(l.file.inode, 10)
			again, ok := parseLock(line)
			again.waiting = l.waiting
			if !ok || again != l {
				t.Errorf("%+v prints as %q, which reads as %+v", l, line, again)
			}
		}
	})
}

// fakeProc makes a proc filesystem in which pid 5 holds path and pid 6 waits
// for it.
func fakeProc(t *testing.T, path, cmdline string) proc {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "5"), 0o700); err != nil {
		t.Fatal(err)
	}
	real, err := os.ReadFile("/proc/locks")
	if err != nil {
		t.Fatal(err)
	}
	var locks []byte
	for _, l := range parseLocks(real) {
		if l.pid == os.Getpid() {
			id := strconv.FormatUint(uint64(l.file.major), 16) + ":" +
				strconv.FormatUint(uint64(l.file.minor), 16) + ":" +
				strconv.FormatUint(l.file.inode, 10)
			locks = append(locks,
				"1: FLOCK ADVISORY WRITE 5 "+id+" 0 EOF\n1: -> FLOCK ADVISORY WRITE 6 "+id+
					" 0 EOF\n2: POSIX ADVISORY WRITE 7 "+id+" 0 EOF\n"...)
		}
	}
	for name, b := range map[string][]byte{"locks": locks, "5/cmdline": []byte(cmdline)} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return proc(dir)
}

func TestHolders(t *testing.T) {
	for _, tt := range []struct{ cmdline, want string }{
		{"thin-snap\x00create\x00demo/base\x00", "pid 5 (thin-snap create demo/base)"},
		{"", "pid 5"},
		{"a\x1b[2Jb\nc", `pid 5 ("a\x1b[2Jb\nc")`},
		{"Gänse", "pid 5 (Gänse)"},
	} {
		path := filepath.Join(t.TempDir(), "lock")
		l := must(t)(TryExclusive(path))
		got, err := fakeProc(t, path, tt.cmdline).holders(path)
		if err != nil || len(got) != 1 || got[0].String() != tt.want {
			t.Errorf("%q: %v, %v; want %s", tt.cmdline, got, err, tt.want)
		}
		unlock(t, l)
	}
}

func TestHoldersOfFreeLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock(t, must(t)(TryExclusive(path)))
	if got, err := holdersOf(path); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := holdersOf(path + "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

func TestHeldErrorText(t *testing.T) {
	for _, tt := range []struct {
		holders []Holder
		want    string
	}{
		{nil, "/l: held by another process: context deadline exceeded"},
		{[]Holder{{5, "x y"}, {6, ""}},
			"/l: held by pid 5 (x y), pid 6: context deadline exceeded"},
	} {
		if got := (&HeldError{"/l", tt.holders, context.DeadlineExceeded}).Error(); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}
