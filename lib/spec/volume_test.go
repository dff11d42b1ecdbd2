package spec

import (
	"errors"
	"strings"
	"testing"
)

func TestCheckNames(t *testing.T) {
	// pool and volume are what the error says; "" if there is no error.
	for _, tt := range []struct{ name, pool, volume string }{
		{"base", "", ""},
		{"_x", "", ""},
		{"9", "", ""},
		{"a.b+c-d_E", "", ""},
		{strings.Repeat("x", 48), "", ""},
		{strings.Repeat("x", 49), "is 49 bytes long", ""},
		{strings.Repeat("x", 72), "is 72 bytes long", ""},
		{strings.Repeat("x", 73), "is 73 bytes long", "is 73 bytes long"},
		{strings.Repeat("x", 128), "is 128 bytes long", "is 128 bytes long"},
		{"", "is empty", "is empty"},
		{".", `begins with "."`, `begins with "."`},
		{"..", `begins with "."`, `begins with "."`},
		{".hidden", `begins with "."`, `begins with "."`},
		{"-rf", `begins with "-"`, `begins with "-"`},
		{"+x", `begins with "+"`, `begins with "+"`},
		{"a/b", "has '/' in it", "has '/' in it"},
		{"/", "has '/' in it", "has '/' in it"},
		{"a\nb", `has '\n' in it`, `has '\n' in it`},
		{"a\x00b", `has '\x00' in it`, `has '\x00' in it`},
		{"a@b", "has '@' in it", "has '@' in it"},
		{"a b", "has ' ' in it", "has ' ' in it"},
		{"a:b", "has ':' in it", "has ':' in it"},
		{"ä", "has 'ä' in it", "has 'ä' in it"},
		{"a\xff", `has '�' in it`, `has '�' in it`},
	} {
		for what, c := range map[string]struct {
			err   error
			want  string
			limit string
		}{
			"pool name":   {CheckPoolName(tt.name), tt.pool, "1 to 48 of A-Z a-z 0-9 _ . + -"},
			"volume name": {CheckVolumeName(tt.name), tt.volume, "1 to 72 of A-Z a-z 0-9 _ . + -"},
		} {
			if (c.err == nil) != (c.want == "") {
				t.Errorf("%s %q: %v", what, tt.name, c.err)
			}
			if c.err == nil {
				continue
			}
			var bad *NameError
			if !errors.As(c.err, &bad) || bad.What != what || bad.Name != tt.name {
				t.Errorf("%s %q: %#v", what, tt.name, c.err)
			}
			if text := c.err.Error(); !strings.HasPrefix(text, what+` "`) ||
				!strings.Contains(text, c.want+"; allowed are "+c.limit) {
				t.Errorf("%s %q: %s", what, tt.name, text)
			}
		}
	}
}

func TestParseVolume(t *testing.T) {
	for _, tt := range []struct{ spec, want string }{
		{"demo/base", ""},
		{"demo", "no '/'"},
		{"", "no '/'"},
		{"demo/", "volume name \"\": is empty"},
		{"/base", "pool name \"\": is empty"},
		{"demo/a/b", "more than one '/'"},
		{"/dev/sda", "more than one '/'"},
		{"../base", `begins with "."`},
		{"demo/..", `begins with "."`},
		{"demo /base", "has ' ' in it"},
	} {
		volume, err := ParseVolume(tt.spec)
		if (err == nil) != (tt.want == "") || err == nil && volume.String() != tt.spec {
			t.Errorf("%q: %q %v", tt.spec, volume, err)
		}
		var bad *NameError
		if err != nil &&
			(!errors.As(err, &bad) || !strings.Contains(err.Error(), tt.want) ||
				volume != Volume{}) {
			t.Errorf("%q: %q %v", tt.spec, volume, err)
		}
	}
}

// The kernel accepts the dm name that is made of a good spec, and the dm name
// shows the spec from which it was made.
func FuzzParseVolume(f *testing.F) {
	for _, s := range []string{
		"demo/base", "a-b/c", "a/b-c", "../x", "demo/a\x00", "p@q/r", "", "/",
		strings.Repeat("p", 48) + "/" + strings.Repeat("v", 72),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		volume, err := ParseVolume(spec)
		if err != nil {
			return
		}
		if volume.String() != spec {
			t.Errorf("%q reads as %q", spec, volume)
		}
		dm := "thin-" + volume.Pool + "@" + volume.Name
		if len(dm) > 127 || strings.Count(dm, "@") != 1 ||
			strings.ContainsAny(dm, " /\\\x00\n'\"") {
			t.Errorf("%q makes the dm name %q", spec, dm)
		}
	})
}
