package volumes

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/spec"
	"thinmount/lib/thintest"
)

// What is kept gets a name of its own, also after several rollbacks.
func TestKeptName(t *testing.T) {
	p, k := testPool(t, catalog.KindFile)
	long := strings.Repeat("x", 70)
	for i, row := range []struct{ of, asked, want string }{
		{"srv", "", "srv.old"}, {"srv", "", "srv.old-2"}, {"srv", "", "srv.old-3"},
		{"srv", "mine", "mine"}, {"other", "", "other.old"}, {long, "", ""}, {"srv", "a/b", ""},
	} {
		got, err := keptName(p.Sys, thintest.Named("demo/"+row.of), row.asked)
		if got != row.want || (err != nil) != (row.want == "") ||
			err != nil && !errors.Is(err, fault.ErrUsage) {
			t.Errorf("%s, %q: %s, %v", row.of, row.asked, got, err)
		}
		if err == nil {
			thintest.AddVolume(t, p.Catalog, k, got, spec.ID(i+1))
		}
	}
}

// Three locks are taken in the order of the names, and none is left after an
// error.
func TestLockAll(t *testing.T) {
	p, _ := testPool(t, catalog.KindFile)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	a, b, c := thintest.Named("demo/a"), thintest.Named("demo/b"), thintest.Named("demo/c")
	refs, err := lockAll(t.Context(), p.Sys, c, a, b)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []spec.Volume{c, a, b} {
		if refs[i].Volume() != want {
			t.Errorf("%v, want %v", refs[i].Volume(), want)
		}
	}
	if _, err := lockAll(ctx, p.Sys, thintest.Named("demo/aa"), b); !errors.Is(err,
		fault.ErrBusy) {
		t.Errorf("a lock that is held: %v", err)
	}
	for _, ref := range refs {
		ref.Close()
	}
	if _, err := lockAll(t.Context(), p.Sys, a, b, a); !errors.Is(err, fault.ErrExists) {
		t.Errorf("one volume twice: %v", err)
	}
	refs, err = lockAll(t.Context(), p.Sys, a, b, thintest.Named("demo/aa"))
	if err != nil {
		t.Fatalf("after errors: %v", err)
	}
	for _, ref := range refs {
		ref.Close()
	}
}

// If another rollback takes the name first that was chosen, another one is.
func TestKeptNameIsTaken(t *testing.T) {
	p, k := testPool(t, catalog.KindFile)
	srv, old := thintest.Named("demo/srv"), thintest.Named("demo/srv.old")
	refs, err := lockAll(t.Context(), p.Sys, old)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string)
	go func() {
		refs, err := lockForRollback(t.Context(), p.Sys, srv, thintest.Named("demo/monday"), "")
		if err != nil {
			t.Error(err)
			got <- ""
			return
		}
		unlockAll(p.Sys, refs[:2])
		got <- refs[2].Volume().Name
		refs[2].Close()
	}()
	time.Sleep(20 * time.Millisecond) // it waits for the lock
	thintest.AddVolume(t, p.Catalog, k, old.Name, 1)
	refs[0].Close()
	if name := <-got; name != "srv.old-2" {
		t.Errorf("%q", name)
	}
}
