package main

import (
	"errors"
	"io"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// pipe is a stream whose reader may leave before the end, as in thin-snap -v
// delete ... | head -1. What it does not read is dropped: no command ends half
// way because of that, and none fails.
type pipe struct{ io.Writer }

// newPipe also keeps SIGPIPE from killing the process, whatever it writes to.
// It is caught, not ignored: programs that are started have it as ever.
func newPipe(f *os.File) pipe {
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	return pipe{f}
}

func (p pipe) Write(b []byte) (int, error) {
	n, err := p.Writer.Write(b)
	if errors.Is(err, unix.EPIPE) {
		return len(b), nil
	}
	return n, err
}
