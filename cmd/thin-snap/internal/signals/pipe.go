package signals

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"thinmount/lib/helper"
)

// Pipe is a stream whose reader may end first, as in thin-snap -v delete ... |
// head -1. Pipe drops what is not read, so that no command fails or stops half
// way.
type Pipe struct{ io.Writer }

// NewPipe also catches SIGPIPE, which would end the process, whatever it writes
// to. A caught signal, unlike an ignored one, has its usual effect in the
// programs that are started.
func NewPipe(f *os.File) Pipe {
	helper.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	return Pipe{f}
}

// Write drops what the reader does not take.
func (p Pipe) Write(b []byte) (int, error) {
	n, err := p.Writer.Write(b)
	if errors.Is(err, unix.EPIPE) {
		return len(b), nil
	}
	return n, err
}
