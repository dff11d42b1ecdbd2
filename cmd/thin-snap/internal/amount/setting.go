package amount

import (
	"strconv"
	"strings"
	"time"

	"thinmount/cmd/thin-snap/internal/usage"
)

// Percent reads 10% or 10: the value of what.
func Percent(what, s string) (*int, error) {
	n, err := strconv.ParseUint(strings.TrimSuffix(s, "%"), 10, 8)
	if err != nil || n > 90 {
		return nil, &usage.Error{
			Message: what + ": not a percentage up to 90: " + s,
			Hint:    "as 10% or 5",
		}
	}
	percent := int(n)
	return &percent, nil
}

// Seconds reads 90, 90s or 2m: the value of what.
func Seconds(what, s string) (*time.Duration, error) {
	d, err := time.ParseDuration(s)
	if n, e := strconv.ParseUint(s, 10, 32); e == nil {
		d, err = time.Duration(n)*time.Second, nil
	}
	if err != nil || d < time.Second || d > 10*time.Minute || d%time.Second != 0 {
		return nil, &usage.Error{
			Message: what + ": not 1s to 10m in whole seconds: " + s,
			Hint:    "as 30s or 2m",
		}
	}
	return &d, nil
}
