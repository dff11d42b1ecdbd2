package dm

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// tracer prints commands for THIN_DEBUG. While keeping is above 0 it keeps
// them.
type tracer struct {
	to io.Writer

	mu      sync.Mutex
	keeping int
	kept    strings.Builder
}

// HoldTrace keeps what THIN_DEBUG prints until release is called. Standard
// error may be a file on the device that is suspended meanwhile: a write to it
// would hang. Calls may be nested: the last release prints.
func (c *Control) HoldTrace() (release func()) {
	t := &c.tracer
	t.mu.Lock()
	t.keeping++
	t.mu.Unlock()
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.keeping--; t.keeping == 0 && t.kept.Len() > 0 {
			io.WriteString(t.to, t.kept.String())
			t.kept.Reset()
		}
	}
}

// print prints a line, or keeps it. An error of the write is dropped, since the
// command itself has worked.
func (t *tracer) print(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.keeping > 0 {
		t.kept.WriteString(line)
		return
	}
	io.WriteString(t.to, line)
}

// traced prints one command with what it was given and what came of it. The
// flags are those of the answer; after an error, those that were sent.
func (c *Control) traced(cmd uint, r Ref, data []byte, h *header, err error) {
	if c.tracer.to == nil {
		return
	}
	result := "ok"
	if err != nil {
		result = err.Error()
	}
	c.tracer.print(fmt.Sprintf("dm %s %s %q: %s [%s]\n",
		opNames[cmd], r, printable(data), result, Flags(h.Flags)))
}

// traceTo is where commands are printed: nowhere without THIN_DEBUG.
func traceTo() io.Writer {
	if os.Getenv("THIN_DEBUG") == "" {
		return nil
	}
	return os.Stderr
}
