package filelock

import (
	"context"
	"path/filepath"
	"runtime/debug"
	"testing"
)

// Sharers that overlap for ever would keep the exclusive waiter out for ever if
// those who come after it were let in before it.
func TestLaterSharerWaitsBehindExclusive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first := must(t)(Shared(patience(t), path))
	exclusive, later := make(chan *Lock), make(chan *Lock)
	go func() { l, _ := Exclusive(patience(t), path); exclusive <- l }()
	awaitWaiter(t, path)
	go func() { l, _ := Shared(patience(t), path); later <- l }()
	awaitWaiter(t, path+Turnstile)
	select {
	case <-later:
		t.Fatal("the later sharer overtook")
	default:
	}
	unlock(t, first)
	var x *Lock
	select {
	case x = <-exclusive:
	case <-later:
		t.Fatal("the later sharer overtook")
	}
	if x == nil {
		t.Fatal("the exclusive waiter failed")
	}
	unlock(t, x)
	if l := <-later; l == nil {
		t.Error("the later sharer failed")
	} else {
		unlock(t, l)
	}
}

// Who gives up waiting must not keep others out: neither by the turnstile nor
// by the lock that it is granted too late.
func TestAbandonedWaiterIsInNobodysWay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first := must(t)(Shared(patience(t), path))
	ctx, cancel := context.WithCancel(patience(t))
	gone := make(chan error)
	go func() { _, err := Exclusive(ctx, path); gone <- err }()
	awaitWaiter(t, path)
	cancel()
	if err := <-gone; err == nil {
		t.Fatal("an exclusive lock next to a shared one")
	}
	second := must(t)(Shared(patience(t), path))
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a lost descriptor stays open
	unlock(t, first)
	unlock(t, second)
	awaitWaiters(t, path, false) // the abandoned one has been granted the lock
	unlock(t, must(t)(Exclusive(patience(t), path)))
}
