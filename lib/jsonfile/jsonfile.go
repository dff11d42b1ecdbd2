// Package jsonfile decodes the JSON of thinmount's own files, and says in words
// where it is damaged.
package jsonfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Decode reads one JSON value with nothing after it into to. A field of the
// wrong type is refused; unknown fields are ignored, so that files of newer
// versions can be read. reason says what is wrong, in words that follow the
// name of the file; "" is success.
func Decode(b []byte, to any) (reason string) {
	err := json.Unmarshal(b, to)
	if err == nil {
		return ""
	}
	syntax, isSyntax := errors.AsType[*json.SyntaxError](err)
	kind, isType := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case len(bytes.TrimSpace(b)) == 0:
		return "is empty"
	case isSyntax && strings.HasPrefix(err.Error(), "unexpected end"):
		return fmt.Sprintf("ends early, at byte %d", len(b))
	case isSyntax:
		return fmt.Sprintf("is no JSON at byte %d", syntax.Offset)
	case isType && kind.Field == "":
		return fmt.Sprintf("is a JSON %s, not an object", kind.Value)
	case isType:
		return fmt.Sprintf("%s: cannot be a JSON %s", fieldName(kind.Field), kind.Value)
	}
	return err.Error()
}

// fieldName is the path of a field in the file, without the names of embedded
// structs.
func fieldName(path string) string {
	var names []string
	for name := range strings.SplitSeq(path, ".") {
		if name == "" || !unicode.IsUpper(rune(name[0])) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ".")
}
