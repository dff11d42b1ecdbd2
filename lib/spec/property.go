package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Properties are what users note about a volume, as org.example.build=42. A key
// has a dot or a colon in it, and a column of a list has neither: so no column
// of a later version takes the name of a property.
type Properties map[string]string

// The bounds of properties, in bytes but for the number. All properties of a
// volume together are small enough for its record to fit into the pool's
// journal, whose slot has 64 KiB, even where JSON writes six bytes for one.
const (
	maxPropertyKey   = 128
	maxPropertyValue = 1024
	maxProperties    = 64
	maxPropertyBytes = 4096
)

// CheckPropertyKey returns a *NameError if key cannot be the key of a property.
func CheckPropertyKey(key string) error {
	wrong := propertyKeyFlaw(key)
	if wrong == "" {
		return nil
	}
	return &NameError{"property", key, fmt.Sprintf("%s; allowed are 1 to %d of A-Z a-z "+
		"0-9 _ . : + -, with a letter or digit first, and a dot or colon in it, as "+
		"org.example.build", wrong, maxPropertyKey)}
}

// propertyKeyFlaw says what is wrong with a key, or "".
func propertyKeyFlaw(key string) string {
	switch {
	case key == "":
		return "is empty"
	case len(key) > maxPropertyKey:
		return fmt.Sprintf("is %d bytes long", len(key))
	case strings.IndexByte("_.:+-", key[0]) >= 0:
		return fmt.Sprintf("begins with %q", key[:1])
	}
	for _, r := range key {
		if r != ':' && !nameRune(r) {
			return fmt.Sprintf("has %q in it", r)
		}
	}
	if !IsPropertyKey(key) {
		return "has neither a dot nor a colon in it"
	}
	return ""
}

// IsPropertyKey reports whether name is that of a property, and not that of a
// column of a list. It does not look whether a property can have that key.
func IsPropertyKey(name string) bool { return strings.ContainsAny(name, ".:") }

// Check returns an error if a volume cannot have these properties.
func (p Properties) Check() error {
	if len(p) > maxProperties {
		return fmt.Errorf("%d properties are more than %d", len(p), maxProperties)
	}
	total := 0
	for _, key := range slices.Sorted(maps.Keys(p)) {
		if err := CheckPropertyKey(key); err != nil {
			return err
		}
		if wrong := propertyValueFlaw(p[key]); wrong != "" {
			return fmt.Errorf("property %s: its value %s", key, wrong)
		}
		total += len(key) + len(p[key])
	}
	if total > maxPropertyBytes {
		return fmt.Errorf("the keys and values of all properties have %d bytes together, which is "+
			"more than %d", total, maxPropertyBytes)
	}
	return nil
}

// propertyValueFlaw says what is wrong with a value, or "".
func propertyValueFlaw(value string) string {
	switch {
	case value == "":
		return "is empty"
	case len(value) > maxPropertyValue:
		return fmt.Sprintf("is %d bytes long, which is more than %d", len(value), maxPropertyValue)
	case !utf8.ValidString(value):
		return "is not UTF-8"
	case strings.ContainsFunc(value, unicode.IsControl):
		return "has a control character in it"
	}
	return ""
}
