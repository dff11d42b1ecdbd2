package choose

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"thinmount/lib/thin"
)

func TestPatterns(t *testing.T) {
	named := func(s string) thin.Volume {
		pool, name, _ := strings.Cut(s, "/")
		return thin.Volume{Pool: pool, Name: name}
	}
	for _, row := range []struct {
		pattern, volume string
		is, matches     bool
	}{
		{"demo/ci-*", "demo/ci-1", true, true},
		{"demo/ci-*", "other/ci-1", true, false},
		{"demo/ci-?", "demo/ci-10", true, false},
		{"demo/[a-c]x", "demo/bx", true, true},
		{"demo/ci-1", "demo/ci-1", false, true},
	} {
		p := named(row.pattern)
		if IsPattern(p) != row.is || check(p) != nil ||
			matches(p, named(row.volume)) != row.matches {
			t.Errorf("%s and %s", row.pattern, row.volume)
		}
	}
	for _, wrong := range []string{"*/x", "d?mo/ci-*", "demo/[a"} {
		if check(named(wrong)) == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}

func TestLines(t *testing.T) {
	got, err := Lines(context.Background(), strings.NewReader("demo/a\n\n demo/b \r\ndemo/c"))
	if want := []string{"demo/a", "demo/b", "demo/c"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, w := io.Pipe()
	defer w.Close()
	if _, err := Lines(ctx, r); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
