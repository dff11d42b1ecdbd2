package jsonfile

import (
	"encoding/json"
	"strings"
	"testing"
)

type inner struct {
	Size int64 `json:"size"`
}

type outer struct {
	Name string `json:"name"`
	Data inner  `json:"data"`
}

func TestDecode(t *testing.T) {
	for text, want := range map[string]string{
		`{"name":"a","data":{"size":1},"new":true}`: "",
		"":                        "is empty",
		" \n":                     "is empty",
		`{"name":"a"`:             "ends early, at byte 11",
		"garbage":                 "is no JSON at byte 1",
		`{"name":"a"} x`:          "is no JSON at byte 14",
		`[]`:                      "is a JSON array, not an object",
		`{"data":{"size":"1"}}`:   "data.size: cannot be a JSON string",
		`{"name":7}`:              "name: cannot be a JSON number",
		`{"data":{"size":1e400}}`: "data.size: cannot be a JSON number 1e400",
	} {
		var to outer
		if got := Decode([]byte(text), &to); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"", "{}", "[", `{"name":7}`, `{"data":{"size":"x"}}`, "nul", `{"name":"a"}x`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var to, again outer
		reason := Decode([]byte(s), &to)
		if err := json.Unmarshal([]byte(s), &again); (err == nil) != (reason == "") ||
			err == nil && to != again {
			t.Errorf("%q: %q, %v", s, reason, err)
		}
		if strings.Contains(reason, "invalid character") || strings.Contains(reason, "Go ") {
			t.Errorf("%q: %q", s, reason)
		}
	})
}
