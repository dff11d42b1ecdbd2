package catalog

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"thinmount/lib/jsonfile"
)

// records are records as encodeVolume writes them.
func records(t testing.TB) (all [][]byte) {
	t.Helper()
	p := Pool{Name: "demo", UUID: uuid}
	full := Volume{Name: "v", ID: 7, Size: 1 << 40, Origin: "base", OriginID: 3, FS: "xfs",
		Created: time.Date(2026, 11, 26, 11, 56, 7, 0, time.UTC), TransactionID: 1 << 50}
	small := Volume{Name: "v", Size: 512, Created: full.Created.Local()}
	precise := full
	precise.Created = precise.Created.Add(1234567)
	first := full
	first.OriginID = 0
	for _, v := range []Volume{full, small, precise, first} {
		b, reason := encodeVolume(filled(v, p), p)
		if reason != "" {
			t.Fatal(reason)
		}
		all = append(all, b)
	}
	return all
}

// TestQuickVolume wants each record that this program writes to be decoded
// without encoding/json, and to the same value. Any other form is left to
// encoding/json.
func TestQuickVolume(t *testing.T) {
	p := Pool{Name: "demo", UUID: uuid}
	for _, b := range records(t) {
		var want Volume
		reason := jsonfile.Decode(b, &want)
		got, ok := quickVolume(b, p)
		if !ok || reason != "" || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v, %s", b, got, ok, reason)
		}
		for _, other := range []string{
			strings.ReplaceAll(string(b), "\n", "\n "), strings.TrimSpace(string(b)),
			string(b) + "\n", strings.Replace(string(b), `"v"`, `"\u0076"`, 1),
			strings.Replace(string(b), `"v"`, `"é"`, 1),
			strings.Replace(string(b), `"format": 1`, `"format": 01`, 1),
			strings.Replace(string(b), `"id": `, `"id": 1`+strings.Repeat("0", 9), 1),
			strings.Replace(string(b), "{\n", "{\n  \"new\": 1,\n", 1),
			strings.Replace(string(b), "T11", " 11", 1), string(b[:len(b)/2]), "",
		} {
			if v, ok := quickVolume([]byte(other), p); ok && other != string(b) {
				t.Errorf("%s: %+v", other, v)
			}
		}
	}
}

func FuzzQuickVolume(f *testing.F) {
	for _, b := range records(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		got, ok := quickVolume(b, Pool{Name: "demo", UUID: uuid})
		if !bytes.Equal(b, before) {
			t.Error("the bytes were changed")
		}
		var want Volume
		reason := jsonfile.Decode(b, &want)
		if ok && (reason != "" || !reflect.DeepEqual(got, want)) {
			t.Errorf("%q: %+v, encoding/json has %+v, %s", b, got, want, reason)
		}
	})
}
