package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestProperties(t *testing.T) {
	many := Properties{}
	for i := range maxProperties {
		many[fmt.Sprintf("a.%d", i)] = "1"
	}
	long := strings.Repeat("x", maxPropertyValue)
	for _, p := range []Properties{
		nil, {}, {"org.example.build": "42"}, {"com.sun:auto-snapshot": "false"},
		{"0.a_+-:B": `a "b" \ , = ü <>`}, {"a.b": long}, many,
		{strings.Repeat("k", maxPropertyKey-1) + ".": "1"},
		{"a.1": long, "a.2": long, "a.3": long, "a.4": long[:maxPropertyValue-12]},
	} {
		if err := p.Check(); err != nil {
			t.Error(err)
		}
	}
	more := Properties{"b.more": "1"}
	for k, v := range many {
		more[k] = v
	}
	for want, p := range map[string]Properties{
		"is empty":                       {"": "1"},
		"129 bytes long":                 {strings.Repeat("k", maxPropertyKey) + ".": "1"},
		`begins with "."`:                {".a": "1"},
		`begins with "-"`:                {"-a.b": "1"},
		`has '=' in it`:                  {"a.b=c": "1"},
		`has ',' in it`:                  {"a.b,c": "1"},
		`has '/' in it`:                  {"a.b/c": "1"},
		`has 'ä' in it`:                  {"a.ä": "1"},
		`has '�' in it`:                  {"a.\xff": "1"},
		"neither a dot nor a colon":      {"build": "1"},
		"a.b: its value is empty":        {"a.b": ""},
		"1025 bytes long":                {"a.b": long + "x"},
		"a.b: its value is not UTF-8":    {"a.b": "\xff"},
		"has a control character":        {"a.b": "a\nb"},
		"65 properties are more than 64": more,
		"have 4097 bytes together": {"a.1": long, "a.2": long, "a.3": long,
			"a.4": long[:maxPropertyValue-11]},
	} {
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := (Properties{"build": "1"}).Check(); !errors.As(err, new(*NameError)) {
		t.Error(err)
	}
}

// The largest properties fit into half a slot of the journal, as JSON.
func TestPropertiesAreSmall(t *testing.T) {
	p := Properties{}
	for i := range 4 {
		key := fmt.Sprintf("a.%d", i)
		p[key] = strings.Repeat("<", maxPropertyValue-len(key)) // \u003c in JSON
	}
	b, err := json.Marshal(p)
	if err != nil || p.Check() != nil || len(b) > 32<<10 {
		t.Errorf("%d bytes, %v, %v", len(b), err, p.Check())
	}
}

func FuzzProperty(f *testing.F) {
	f.Add("org.example.build", "42")
	f.Add("a:b", "\u0085")
	f.Fuzz(func(t *testing.T, key, value string) {
		p := Properties{key: value}
		if p.Check() != nil {
			return
		}
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var back Properties
		if err := json.Unmarshal(b, &back); err != nil || back[key] != value {
			t.Errorf("%q=%q comes back as %q, %v", key, value, back, err)
		}
		if strings.ContainsAny(key, "=, \n") || strings.Contains(value, "\n") {
			t.Errorf("%q=%q breaks a line or a list of columns", key, value)
		}
	})
}
