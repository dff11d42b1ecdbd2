package refcount

import "testing"

// A path of whatever bytes comes back as it was, and adds no field: what is
// written of it is compared with the mount table.
func TestAnyPathComesBack(t *testing.T) {
	r, _ := recorded()
	for _, path := range []string{
		"/mnt/\xff", "/mnt/\xff\xfe/\u20ac", "/mnt/\ufffd", "/a\nb", `/a","references":7,"x":"`,
		`/a\"b\\`, "/a,b", "/\u2028", "/\x1b[2J", "/a\x7f<&>",
	} {
		r.MountedOn = path
		b, err := encode(r)
		if err != nil {
			t.Fatal(err)
		}
		if got, reason := decode(b, base); reason != "" || got != r {
			t.Errorf("%q: %+v, %s, from %s", path, got, reason, b)
		}
	}
}
