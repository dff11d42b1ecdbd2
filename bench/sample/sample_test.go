package sample

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestCSV(t *testing.T) {
	want := Sample{Key{"jobs, each", "10", "ours"}, 3, 1500 * time.Microsecond,
		700 * time.Microsecond, 4096, 12}
	other := Sample{Key: Key{"umount", "", "LVM"}, Wall: time.Second}
	run, err := Read(strings.NewReader("# a fact\n" + Heading() + "\n" + want.CSV() + "\n" +
		other.CSV() + "\n" + want.CSV() + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := run.Samples[want.Key]; len(got) != 2 || got[0] != want {
		t.Errorf("got %+v, want twice %+v", got, want)
	}
	if got := run.Samples[other.Key]; len(got) != 1 || got[0] != other {
		t.Errorf("got %+v, want %+v", got, other)
	}
	if !reflect.DeepEqual(run.Facts, []string{"a fact"}) {
		t.Errorf("facts %q", run.Facts)
	}
	for _, bad := range []string{"mount,,ours,1\n", "mount,,ours,1,a,0,0,0\n"} {
		if _, err := Read(strings.NewReader(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestQuantile(t *testing.T) {
	values := []float64{40, 10, 30, 20}
	for q, want := range map[float64]float64{0: 10, 0.5: 25, 0.25: 17.5, 1: 40, 0.99: 39.7} {
		if got := Quantile(values, q); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v: %v, want %v", q, got, want)
		}
	}
	if got := Median([]float64{7}); got != 7 {
		t.Errorf("of one: %v", got)
	}
	if values[0] != 40 {
		t.Error("the values were sorted in place")
	}
}
