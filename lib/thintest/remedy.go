package thintest

import (
	"fmt"

	"thinmount/lib/fault"
)

// Show returns a remedy as text that a test can compare: "" for nil, a hint or
// message as it is, and a use case as its Go value.
func Show(r fault.Remedy) string {
	switch r := r.(type) {
	case nil:
		return ""
	case fault.Hint, fault.Message:
		return fmt.Sprint(r)
	}
	return fmt.Sprintf("%#v", r)
}
