package usage

import (
	"errors"
	"fmt"
	"testing"
)

func TestErrorf(t *testing.T) {
	err := fmt.Errorf("outer: %w", Errorf("not a %s: %d", "size", 7))
	var wrong *Error
	if !errors.As(err, &wrong) || wrong.Message != "not a size: 7" || wrong.Hint != "" {
		t.Errorf("%#v", wrong)
	}
	if err.Error() != "outer: not a size: 7" {
		t.Error(err)
	}
}
