package main

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"thinmount/lib/helper"
)

// pipe is a stream whose reader may end first, as in thin-snap -v delete ... |
// head -1. pipe drops what is not read, so that no command fails or stops half
// way.
type pipe struct{ io.Writer }

// newPipe also catches SIGPIPE, which would end the process, whatever it writes
// to. A caught signal, unlike an ignored one, has its usual effect in the
// programs that are started.
func newPipe(f *os.File) pipe {
	helper.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	return pipe{f}
}

func (p pipe) Write(b []byte) (int, error) {
	n, err := p.Writer.Write(b)
	if errors.Is(err, unix.EPIPE) {
		return len(b), nil
	}
	return n, err
}
