package freeze

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"thinmount/lib/dm"
)

// device is that of the kernel tests.
const device = "thinmount-freeze-test"

// TestMain is also the watcher, and the child that is disturbed in the action.
func TestMain(m *testing.M) {
	RunIfWatcher()
	if limit := os.Getenv("FREEZE_CHILD"); limit != "" {
		os.Exit(child(limit))
	}
	os.Exit(m.Run())
}

// child is in the action until its stdin ends, and tells how that went.
func child(limit string) int {
	c, err := dm.Open()
	if err == nil {
		d, _ := time.ParseDuration(limit)
		_, err = Suspended(context.Background(), c, Request{Device: dm.ByName(device), Limit: d},
			func() error {
				fmt.Println("in action")
				_, err := io.ReadAll(os.Stdin)
				return err
			})
	}
	var resumed *ResumedError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &resumed) && resumed.TooLong():
		return 10
	case errors.As(err, &resumed):
		return 11
	}
	fmt.Println(err)
	return 1
}
