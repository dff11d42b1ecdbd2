package helper

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// moved says that main was seen on another thread than the first.
var moved bool

func TestMain(m *testing.M) {
	for range 50 {
		// Without a lock, another thread takes main up after some of these.
		awake := make(chan bool)
		for range 4 {
			go func() { time.Sleep(10 * time.Microsecond); awake <- true }()
		}
		for range 4 {
			<-awake
		}
		moved = moved || unix.Gettid() != unix.Getpid()
	}
	os.Exit(m.Run())
}

// TestFirstThread wants main to stay on the first thread from the beginning.
func TestFirstThread(t *testing.T) {
	if moved {
		t.Error("main has left the first thread")
	}
}
