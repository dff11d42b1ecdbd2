package choose

import (
	"bufio"
	"context"
	"io"
	"strings"
)

// Lines reads names from r, one on each line, and passes over empty lines. It
// ends with ctx, too: a user may press ctrl-C while he types them. Then a
// goroutine is left that reads on.
func Lines(ctx context.Context, r io.Reader) ([]string, error) {
	type result struct {
		names []string
		err   error
	}
	read := make(chan result, 1)
	go func() {
		var got result
		s := bufio.NewScanner(r)
		for s.Scan() {
			if name := strings.TrimSpace(s.Text()); name != "" {
				got.names = append(got.names, name)
			}
		}
		got.err = s.Err()
		read <- got
	}()
	select {
	case got := <-read:
		return got.names, got.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
