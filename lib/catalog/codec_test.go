package catalog

import (
	"maps"
	"strings"
	"testing"
	"time"

	"thinmount/lib/spec"
)

const uuid = "0123456789abcdef0123456789abcdef"

// goodPool has what pool.json had before there was a journal.
func goodPool() Pool {
	return Pool{
		Format: 1, Name: "demo", UUID: uuid, Created: time.Unix(1700000000, 0).UTC(),
		BlockSize: 128, OnFull: spec.OnFullError,
		Data:          Backing{KindFile, "/var/lib/thin/demo/data", 1 << 30},
		Metadata:      Backing{KindDevice, "/dev/disk/by-id/x", 64 << 20},
		TransactionID: 4, NextID: 9,
		Intents: []Intent{
			{Op: OpCreate, Volume: "fresh", ID: 8, TransactionID: 5},
			{Op: OpDelete, Volume: "old", ID: 2},
		},
	}
}

// encodePool encodes all of p as pool.json was before there was a journal.
func encodePool(p Pool) (b []byte, reason string) {
	if reason := p.flaw(); reason != "" {
		return nil, reason
	}
	return encode(p)
}

func goodVolume() Volume {
	return Volume{
		Format: recordFormat, Name: "base", Pool: "demo", PoolUUID: uuid, ID: 3, Size: 1 << 30,
		Origin: "root", OriginID: 1, FS: "ext4",
		Created: time.Unix(1700000001, 0).UTC(), TransactionID: 4,
	}
}

// damaged is a file in which one thing is wrong (old replaced by new), and what
// the decoder says about it.
type damaged struct{ name, old, new, want string }

// everyFile lists what can be wrong with any JSON file.
var everyFile = []damaged{
	{"nothing", "", "", ""},
	{"unknown field", `"format"`, `"new": {"a": [1]}, "format"`, ""},
	{"format of tomorrow", `"format": 1`, `"format": 3`, "format: 3; this program knows"},
	{"no format", `"format"`, `"xormat"`, "format: 0"},
	{"wrong type", `"format": 1`, `"format": "1"`, "cannot be a JSON string"},
	{"NUL bytes", "{", "\x00{", "is no JSON at byte"},
	{"more after the end", "\n}\n", "\n}\n{}", "is no JSON at byte"},
	{"huge number", `"transaction_id": 4`, `"transaction_id": 18446744073709551616`,
		"cannot be a JSON number"},
	{"great number", `"transaction_id": 4`, `"transaction_id": 18446744073709551615`,
		"transaction_id: 18446744073709551615 is more than"},
	{"negative number", `"transaction_id": 4`, `"transaction_id": -4`, "cannot be a JSON number"},
	{"time", `"2023-11`, `"x`, "parsing time"},
}

func TestDecodePool(t *testing.T) {
	b, reason := encodePool(goodPool())
	if reason != "" {
		t.Fatal(reason)
	}
	for _, tt := range append([]damaged{
		{"other name", `"name": "demo"`, `"name": "other"`,
			`belongs to pool "other", but lies in the folder of "demo"`},
		{"short uuid", uuid, uuid[1:], "uuid: "},
		{"uuid with signs", uuid, "01234567-89ab-cdef-0123456789abcd", "uuid: "},
		{"block size 0", `"block_size": 128`, `"block_size": 0`, "block_size: 0"},
		{"odd block size", `"block_size": 128`, `"block_size": 129`, "block_size: 129"},
		{"great block size", `"block_size": 128`, `"block_size": 2097280`, "block_size: 2097280"},
		{"on full", `"on_full": "error"`, `"on_full": ""`, "on_full: "},
		{"no margin", `"on_full"`, `"margin": null, "on_full"`, ""},
		{"margin of nothing", `"on_full"`, `"margin": 0, "on_full"`, ""},
		{"greatest margin", `"on_full"`, `"margin": 90, "on_full"`, ""},
		{"great margin", `"on_full"`, `"margin": 91, "on_full"`, "margin: 91"},
		{"negative margin", `"on_full"`, `"margin": -1, "on_full"`, "margin: -1"},
		{"freeze limit", `"on_full"`, `"freeze_limit": 600, "on_full"`, ""},
		{"great freeze limit", `"on_full"`, `"freeze_limit": 601, "on_full"`,
			"freeze_limit: 601 s"},
		{"endless freeze limit", `"on_full"`, `"freeze_limit": 9223372036854775807, "on_full"`,
			"freeze_limit: 9223372036854775807 s"},
		{"negative freeze limit", `"on_full"`, `"freeze_limit": -1, "on_full"`,
			"freeze_limit: -1 s"},
		{"broken margin", `"on_full"`, `"margin": 5.5, "on_full"`, "cannot be a JSON number"},
		{"next id", `"next_id": 9`, `"next_id": 16777217`, "next_id: 16777217"},
		{"last next id", `"next_id": 9`, `"next_id": 16777216`, ""},
		{"kind", `"kind": "file"`, `"kind": "http"`, `data: kind: "http"`},
		{"relative path", `"/dev/disk`, `"dev/disk`, "metadata: path: "},
		{"NUL in path", `"/dev/disk`, `"/dev\u0000disk`, "metadata: path: "},
		{"negative size", `1073741824`, `-1`, "data: size: -1"},
		{"unknown op", `"op": "delete"`, `"op": "resize"`,
			`operations[1]: op: "resize" is unknown`},
		{"op name", `"volume": "old"`, `"volume": "../x"`, "operations[1]: volume name"},
		{"op without volume", `"volume": "old"`, `"xolume": "old"`, "operations[1]: volume name"},
		{"op id", `"id": 2`, `"id": 16777216`, "operations[1]: id: 16777216"},
		{"two ops on a volume", `"volume": "old"`, `"volume": "fresh"`,
			`operations[1]: volume: "fresh" is in another`},
		{"op of the past", `"transaction_id": 5`, `"transaction_id": 4`,
			"operations[0]: transaction_id: 4 is neither 0 nor 5"},
		{"op of the future", `"transaction_id": 5`, `"transaction_id": 6`,
			"operations[0]: transaction_id: 6"},
		{"two ops at the kernel", `"transaction_id": 0`, `"transaction_id": 5`,
			"operations[1]: transaction_id: 5 is that of another"},
		{"pool op with volume", `"op": "delete"`, `"op": "delete-pool"`,
			"operations[1]: delete-pool: has a volume"},
	}, everyFile...) {
		_, reason := decodePool([]byte(replaced(t, string(b), tt)), "demo")
		judge(t, tt, reason)
	}
	truncations(t, b, func(b []byte) string { _, reason := decodePool(b, "demo"); return reason })
}

// A record without properties is written as before there were any.
func TestRecordWithoutProperties(t *testing.T) {
	const want = `{
  "format": 1,
  "name": "base",
  "pool": "demo",
  "pool_uuid": "0123456789abcdef0123456789abcdef",
  "id": 3,
  "size": 1073741824,
  "origin": "root",
  "origin_id": 1,
  "fs": "ext4",
  "created": "2023-11-14T22:13:21Z",
  "transaction_id": 4
}
`
	for _, p := range []spec.Properties{nil, {}} {
		v := goodVolume()
		v.Properties = p
		if b, reason := encodeVolume(v, goodPool()); string(b) != want {
			t.Errorf("%s, %s", b, reason)
		}
	}
	v := goodVolume()
	v.Properties = spec.Properties{"a.c": "<", "a.b": "1"}
	b, reason := encodeVolume(v, goodPool())
	if !strings.Contains(string(b), `"a.b": "1"`) {
		t.Errorf("%s, %s", b, reason)
	}
	truncations(t, b,
		func(b []byte) string { _, reason := decodeVolume(b, "base", goodPool()); return reason })
}

// JSON cannot hold this path unchanged, so encodePool refuses it.
func TestPathOfAnyBytes(t *testing.T) {
	p := goodPool()
	p.Data.Path = "/mnt/\xff/data"
	if b, reason := encodePool(p); !strings.Contains(reason, "data: path: ") || b != nil {
		t.Errorf("%s, %q", b, reason)
	}
}

// A pool.json that sets no margin, such as an old one, has the default margin.
// A margin of 0 is kept.
func TestMargin(t *testing.T) {
	none, five := 0, 5
	for want, margin := range map[int]*int{defaultMargin: nil, 0: &none, 5: &five} {
		p := goodPool()
		p.Margin = margin
		b, _ := encodePool(p)
		back, reason := decodePool(b, "demo")
		if reason != "" || back.FreeMargin() != want ||
			strings.Contains(string(b), "margin") != (margin != nil) {
			t.Errorf("margin %d comes back as %d, %s: %s", want, back.FreeMargin(), reason, b)
		}
	}
}

func TestDecodeVolume(t *testing.T) {
	p := goodPool()
	b, reason := encodeVolume(goodVolume(), p)
	if reason != "" {
		t.Fatal(reason)
	}
	for _, tt := range append([]damaged{
		{"other name", `"name": "base"`, `"name": "other"`,
			`belongs to volume "other", but is called "base"`},
		{"other pool", `"pool": "demo"`, `"pool": "other"`, `pool: is "other", not "demo"`},
		{"other uuid", uuid, strings.Repeat("0", 32), "pool_uuid: belongs to pool"},
		{"id", `"id": 3`, `"id": 16777216`, "id: 16777216"},
		{"id of more than 32 bits", `"id": 3`, `"id": 4294967296`, "cannot be a JSON number"},
		{"origin id", `"origin_id": 1`, `"origin_id": 16777216`, "origin_id: 16777216"},
		{"origin", `"origin": "root"`, `"origin": "a/b"`, "origin: volume name"},
		{"no size", `1073741824`, `0`, "size: 0"},
		{"odd size", `1073741824`, `1073741825`, "size: 1073741825"},
		{"negative size", `1073741824`, `-512`, "size: -512"},
		{"fraction", `1073741824`, `512.5`, "cannot be a JSON number"},
		{"properties", `"fs"`, `"properties": {"a.b": "1", "a:c": "\u00fc"}, "fs"`, ""},
		{"no properties", `"fs"`, `"properties": null, "fs"`, ""},
		{"list of properties", `"fs"`, `"properties": ["a.b"], "fs"`,
			"properties: cannot be a JSON array"},
		{"number as a property", `"fs"`, `"properties": {"a.b": 1}, "fs"`,
			"cannot be a JSON number"},
		{"property without a dot", `"fs"`, `"properties": {"name": "1"}, "fs"`,
			`properties: property "name": has neither`},
		{"property that leaves its line", `"fs"`, `"properties": {"a.b": "1\n2"}, "fs"`,
			"properties: property a.b: its value has a control character"},
		{"empty property", `"fs"`, `"properties": {"a.b": ""}, "fs"`, "its value is empty"},
		{"long property", `"fs"`,
			`"properties": {"a.b": "` + strings.Repeat("x", 1025) + `"}, "fs"`,
			"1025 bytes long"},
	}, everyFile...) {
		_, reason := decodeVolume([]byte(replaced(t, string(b), tt)), "base", p)
		judge(t, tt, reason)
	}
	truncations(t, b,
		func(b []byte) string { _, reason := decodeVolume(b, "base", p); return reason })
}

func replaced(t *testing.T, s string, d damaged) string {
	t.Helper()
	if !strings.Contains(s, d.old) {
		t.Fatalf("%s: no %s in %s", d.name, d.old, s)
	}
	return strings.Replace(s, d.old, d.new, 1)
}

func judge(t *testing.T, d damaged, reason string) {
	t.Helper()
	if (reason == "") != (d.want == "") || !strings.Contains(reason, d.want) {
		t.Errorf("%s: %q, want %q", d.name, reason, d.want)
	}
}

// truncations checks that decode refuses every file that ends early.
func truncations(t *testing.T, b []byte, decode func([]byte) string) {
	t.Helper()
	whole := len(strings.TrimSpace(string(b)))
	for n := range whole {
		if decode(b[:n]) == "" {
			t.Errorf("the first %d bytes of %d are read", n, whole)
		}
	}
}

func FuzzDecodePool(f *testing.F) {
	b, _ := encodePool(goodPool())
	f.Add(b)
	f.Add(b[:len(b)/2])
	for _, margin := range []string{"0", "90", "null", "-1"} {
		f.Add([]byte(strings.Replace(string(b), `"on_full"`, `"margin": `+margin+`, "on_full"`, 1)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, reason := decodePool(b, "demo")
		if reason != "" {
			return
		}
		again, reason := encodePool(p)
		if reason != "" {
			t.Fatalf("%+v was read, but cannot be written: %s", p, reason)
		}
		back, reason := decodePool(again, "demo")
		if reason != "" || back.TransactionID != p.TransactionID ||
			len(back.Intents) != len(p.Intents) || back.Data != p.Data ||
			back.FreeMargin() != p.FreeMargin() {
			t.Errorf("%+v comes back as %+v, %s", p, back, reason)
		}
		for _, kernel := range []uint64{p.TransactionID, p.TransactionID + 1} {
			if steps, err := p.Recovery(kernel); err == nil && len(steps) > len(p.Intents) {
				t.Errorf("%d steps for %d operations", len(steps), len(p.Intents))
			}
		}
	})
}

func FuzzDecodeVolume(f *testing.F) {
	b, _ := encodeVolume(goodVolume(), goodPool())
	f.Add(b)
	f.Add(b[:len(b)/2])
	v := goodVolume()
	v.Properties = spec.Properties{"org.example.build": "42"}
	b, _ = encodeVolume(v, goodPool())
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		v, reason := decodeVolume(b, "base", goodPool())
		if reason != "" {
			return
		}
		again, reason := encodeVolume(v, goodPool())
		if reason != "" {
			t.Fatalf("%+v was read, but cannot be written: %s", v, reason)
		}
		if back, reason := decodeVolume(again, "base", goodPool()); reason != "" ||
			!back.Created.Equal(v.Created) || back.ID != v.ID || back.Size != v.Size ||
			!maps.Equal(back.Properties, v.Properties) {
			t.Errorf("%+v comes back as %+v, %s", v, back, reason)
		}
	})
}
