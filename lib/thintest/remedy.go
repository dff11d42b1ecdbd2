package thintest

import (
	"fmt"

	"thinmount/lib/fault"
)

// Show is a remedy as tests compare it, "" for nil: a text is itself, a use case is
// its Go value.
func Show(r fault.Remedy) string {
	switch r := r.(type) {
	case nil:
		return ""
	case fault.Hint, fault.Message:
		return fmt.Sprint(r)
	}
	return fmt.Sprintf("%#v", r)
}
