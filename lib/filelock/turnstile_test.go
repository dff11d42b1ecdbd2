package filelock

import (
	"context"
	"path/filepath"
	"runtime/debug"
	"testing"
)

// If sharers that come after an exclusive waiter got the lock before it,
// sharers that overlap would keep it out for ever.
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

// A waiter that has given up must not keep others out: neither by the
// turnstile, nor by the lock that the kernel grants it too late.
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
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // so that a lost descriptor stays open
	unlock(t, first)
	unlock(t, second)
	awaitWaiters(t, path, false) // the kernel has granted the lock to the abandoned waiter
	unlock(t, must(t)(Exclusive(patience(t), path)))
}
