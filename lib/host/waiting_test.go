package host

import (
	"testing"
	"time"

	"thinmount/lib/fault"
)

func TestWaitingFor(t *testing.T) {
	s := Default()
	said := make(chan string, 2)
	s.Wait = func(m fault.Message) { said <- m.String() }
	s.WaitingFor("nothing")()
	done := s.WaitingFor("demo")
	if got := <-said; got != "waiting for demo" {
		t.Error(got)
	}
	done()
	select {
	case got := <-said:
		t.Errorf("said %q although it was over", got)
	case <-time.After(patience / 10):
	}
}
