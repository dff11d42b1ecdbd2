package spec

import "testing"

func TestNewID(t *testing.T) {
	for n, ok := range map[uint64]bool{
		0: true, 7: true, 1<<24 - 1: true, 1 << 24: false, 1 << 32: false, 1<<64 - 1: false,
	} {
		if id, err := NewID(n); (err == nil) != ok || ok && uint64(id) != n {
			t.Errorf("%d: %d, %v", n, id, err)
		}
	}
}
