package dm

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

// The layouts of include/uapi/linux/dm-ioctl.h on 64-bit machines.
func TestLayouts(t *testing.T) {
	var h header
	for name, row := range map[string][2]uintptr{
		"dm_ioctl":             {unsafe.Sizeof(h), 312},
		"dm_ioctl.data_start":  {unsafe.Offsetof(h.Data_start), 16},
		"dm_ioctl.flags":       {unsafe.Offsetof(h.Flags), 28},
		"dm_ioctl.event_nr":    {unsafe.Offsetof(h.Event_nr), 32},
		"dm_ioctl.dev":         {unsafe.Offsetof(h.Dev), 40},
		"dm_ioctl.name":        {unsafe.Offsetof(h.Name), 48},
		"dm_ioctl.uuid":        {unsafe.Offsetof(h.Uuid), 176},
		"dm_target_spec":       {unsafe.Sizeof(targetSpec{}), 40},
		"dm_target_spec, read": {uintptr(targetSpecSize), 40},
		"dm_name_list.name":    {uintptr(nameListSize), 12},
		"dm_name_list, more":   {uintptr(nameListMoreSize), 8},
		"dm_target_versions":   {uintptr(targetVersionsSize), 16},
		"dm_target_spec.next":  {unsafe.Offsetof(targetSpec{}.Next), 20},
		"dm_target_spec.type_": {unsafe.Offsetof(targetSpec{}.Type), 24},
	} {
		if row[0] != row[1] {
			t.Errorf("%s: %d, want %d", name, row[0], row[1])
		}
	}
}

func TestEncodeTable(t *testing.T) {
	got, err := encodeTable([]Target{{0, 8, "zero", ""}, {8, 16, "linear", "8:0 2048"}})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(`
		0000000000000000 0800000000000000 00000000 30000000
			7a65726f000000000000000000000000 0000000000000000
		0800000000000000 1000000000000000 00000000 38000000
			6c696e65617200000000000000000000 383a302032303438 0000000000000000`, " ", "")
	want = strings.NewReplacer("\n", "", "\t", "").Replace(want)
	if hex.EncodeToString(got) != want {
		t.Errorf("%x, want %s", got, want)
	}
}

func TestEncodeTableRefuses(t *testing.T) {
	for name, target := range map[string]Target{
		"type too long":   {Type: strings.Repeat("t", 16)},
		"no type":         {},
		"type of words":   {Type: "a b"},
		"params too long": {Type: "linear", Params: strings.Repeat("p", maxParams)},
		"NUL in params":   {Type: "linear", Params: "a\x00b"},
	} {
		if _, err := encodeTable([]Target{target}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestEncodeMessage(t *testing.T) {
	if got, want := encodeMessage(5, "delete 1"), []byte(
		"\x05\x00\x00\x00\x00\x00\x00\x00delete 1\x00"); !bytes.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestDevNoRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := DevNo{uint32(rapid.IntRange(0, 1<<12-1).Draw(t, "major")),
			uint32(rapid.IntRange(0, 1<<20-1).Draw(t, "minor"))}
		if got := decodeDev(encodeDev(d)); got != d {
			t.Fatalf("%v became %v", d, got)
		}
		if got, err := ParseDevNo(d.String()); err != nil || got != d {
			t.Fatalf("%v became %v, %v", d, got, err)
		}
	})
}

func TestTargetRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Target{
			Start:  Sectors(rapid.Uint64().Draw(t, "start")),
			Length: Sectors(rapid.Uint64().Draw(t, "length")),
			Type:   rapid.StringMatching(`[a-z-]{1,15}`).Draw(t, "type"),
			Params: rapid.StringMatching(`([a-z0-9:]+( [a-z0-9:]+){0,5})?`).Draw(t, "params"),
		}
		if got, err := ParseTarget(want.String()); err != nil || got != want {
			t.Fatalf("%v became %v, %v", want, got, err)
		}
	})
}

func TestNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"thin-a@b": true, "a": true, strings.Repeat("n", 127): true, "a.b+c=d:e#f_g": true,
		"": false, ".": false, "..": false, "a/b": false, "a b": false, "a\nb": false,
		"a\x00b": false, "ä": false, strings.Repeat("n", 128): false,
	} {
		if err := checkName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func FuzzDecodeList(f *testing.F) {
	f.Add(make([]byte, 16))
	f.Add([]byte("\x00\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00name" +
		"\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := decodeList(b)
		if len(all) > len(b)/12 || err != nil && (all != nil || !errors.Is(err, errMalformed)) {
			t.Errorf("%d devices in %d bytes, %v", len(all), len(b), err)
		}
		for _, d := range all {
			if strings.Contains(d.Name+d.UUID, "\x00") || !bytes.Contains(b, []byte(d.Name)) ||
				d.unknown && d.UUID != "" {
				t.Errorf("%+v", d)
			}
		}
	})
}

func FuzzDecodeTable(f *testing.F) {
	b, _ := encodeTable([]Target{{0, 8, "zero", ""}, {8, 16, "linear", "8:0 2048"}})
	f.Add(b, 2)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		if targets, err := decodeTable(b, n%1000); err == nil && n%1000 > 0 &&
			len(targets) != n%1000 {
			t.Errorf("%d targets of %d", len(targets), n)
		}
	})
}

func FuzzDecodeVersions(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00thin\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := decodeVersions(b)
		if len(all) > len(b)/16 || err == nil && len(all) == 0 ||
			err != nil && (all != nil || !errors.Is(err, errMalformed)) {
			t.Errorf("%d versions in %d bytes, %v", len(all), len(b), err)
		}
	})
}

func FuzzParseTarget(f *testing.F) {
	f.Add("0 8 linear 8:0 2048")
	f.Fuzz(func(t *testing.T, s string) {
		target, err := ParseTarget(s)
		if err != nil {
			return
		}
		if again, err := ParseTarget(target.String()); err != nil || again.Type != target.Type ||
			again.Start != target.Start {
			t.Errorf("%q became %v, %v", s, again, err)
		}
	})
}
