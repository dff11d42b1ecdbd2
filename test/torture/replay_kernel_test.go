//go:build kernel

package torture

import (
	"bytes"
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// logByHand is a log of nine entries on four sectors.
func logByHand() []byte {
	block := func(c byte) []byte { return bytes.Repeat([]byte{c}, 512) }
	b := make([]byte, 512)
	for i, x := range []uint64{logMagic, 1, 9, 512} {
		binary.LittleEndian.PutUint64(b[8*i:], x)
	}
	add := func(sector, sectors, flags uint64, data []byte, mark string) {
		e := make([]byte, 512)
		for i, x := range []uint64{sector, sectors, flags, uint64(len(mark))} {
			binary.LittleEndian.PutUint64(e[8*i:], x)
		}
		copy(e[32:], mark)
		b = append(append(b, e...), data...)
	}
	add(0, 1, 0, block('a'), "")
	add(5, 900, logDiscard, nil, "") // without data
	add(1, 2, 0, slices.Concat(block('b'), block('c')), "")
	add(0, 0, logFlush, nil, "")
	add(0, 0, logMark, nil, "made=t/x")
	add(0, 1, 0, block('d'), "")
	add(3, 1, logFUA, block('e'), "")
	add(1, 1, 0, block('f'), "")
	add(0, 0, logFlush, nil, "")
	return b
}

// TestTorturePowerReplay cuts a log made by hand.
func TestTorturePowerReplay(t *testing.T) {
	dir := t.TempDir()
	log, image, disk := filepath.Join(dir, "log"), filepath.Join(dir, "image"), filepath.Join(dir,
		"disk")
	if err := os.WriteFile(log, logByHand(), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := readLog(log)
	if err != nil {
		t.Fatal(err)
	}
	defer l.file.Close()
	if len(l.entries) != 9 || l.lastMark(5) != "made=t/x" || l.lastMark(4) != "" {
		t.Fatalf("%d entries: %v", len(l.entries), l.entries)
	}
	f, err := os.Create(image)
	if err == nil {
		err = f.Truncate(4 * 512)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := &replay{writeLog: l, image: f}
	for _, c := range []struct {
		n    int
		want []string // what the four sectors can be
	}{
		{0, []string{"\x00\x00\x00\x00"}},
		{3, []string{"\x00\x00\x00\x00", "a\x00\x00\x00", "\x00bc\x00", "abc\x00"}},
		{5, []string{"abc\x00"}},
		{8, []string{"abce", "dbce", "afce", "dfce"}},
		{9, []string{"dfce"}},
	} {
		seen := map[string]bool{}
		for seed := range uint64(200) {
			seen[firstBytes(t, r, c.n, seed, disk)] = true
		}
		if got := slices.Sorted(maps.Keys(seen)); !slices.Equal(got,
			slices.Sorted(slices.Values(c.want))) {
			t.Errorf("cuts at %d: %q, want all of %q", c.n, got, c.want)
		}
	}
}

// firstBytes are those of the four sectors after a cut.
func firstBytes(t *testing.T, r *replay, n int, seed uint64, disk string) string {
	t.Helper()
	if _, err := r.cut(n, rand.New(rand.NewPCG(seed, 0)), disk); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(disk)
	if err != nil {
		t.Fatal(err)
	}
	return string([]byte{b[0], b[512], b[1024], b[1536]})
}

// TestTorturePowerPromises holds promises against what is there.
func TestTorturePowerPromises(t *testing.T) {
	p := promises{}
	for _, mark := range []string{
		"try=t", "made=t", "try=t/a", "made=t/a", "file=t/a:f:7", "try=t/b", "made=t/b<t/a",
		"file=t/a:g:8", "drop=t/b", "gone=t/b", "try=t/c",
	} {
		if err := p.keep(mark); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(p["t/a"].files); n != 2 {
		t.Errorf("%d files in t/a", n)
	}
	for want, there := range map[int][]string{
		0: {"t", "t/a"}, 1: {"t", "t/a", "t/c", "t/b"}, 2: {"t", "t/c", "t/d"}, 3: {"t/b"},
	} {
		names := map[string]bool{}
		for _, name := range there {
			names[name] = true
		}
		if problems := p.broken(names); len(problems) != want {
			t.Errorf("with %v: %q, want %d", there, problems, want)
		}
	}
}
