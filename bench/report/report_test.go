package main

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"thinmount/bench/counts"
	"thinmount/bench/sample"
)

var update = flag.Bool("update", false, "write the golden files")

func read(t *testing.T) measured {
	t.Helper()
	f, err := os.Open("testdata/run.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	run, err := sample.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return measured{run, counts.Table{{Name: "mount again", Counts: counts.Counts{"dm": 2,
		"mountinfo": 1}}}}
}

// The pages and pictures that a small CSV makes.
func TestGolden(t *testing.T) {
	m := read(t)
	for name, got := range map[string]string{
		"run.md": m.markdown("run"), "one.svg": m.drawOne(), "grown.svg": m.drawGrown(),
		"jobs.svg": m.drawJobs(),
	} {
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is not what the CSV makes (-update writes it):\n%s", name, got)
		}
	}
}

// A run of which no work was done draws nothing.
func TestNothing(t *testing.T) {
	m := measured{}
	if m.drawOne() != "" || m.drawGrown() != "" || m.drawJobs() != "" {
		t.Error("a picture of nothing")
	}
	for _, v := range m.verdicts() {
		if v.result != notMeasured {
			t.Error(v)
		}
	}
}

func TestVerdicts(t *testing.T) {
	all := read(t).verdicts()
	for _, want := range []verdict{
		{"mount", "at most 1.25 of floor in Go", "1.38", notMet},
		{"mount", "at most 1.4 of floor in C", "1.10", met},
		{"mount", "at least 1.4 times faster than dmsetup", "1.45", met},
		{"mount", "at least 3 times faster than LVM thin", "4.55", met},
		{"umount", "at most 1.25 of floor in Go", "-", notMeasured},
		{"mount again", "at most 1 ioctls", "2", notMet},
		{"mount again", "at most 1 reads of the mount table", "1", met},
		{"snapshot", "at most 3 fsyncs", "-", notMeasured},
		{"20 jobs", "at most 2 of btrfs", "2.50", notMet},
		{"mount, of many: 10000", "at most 1.2 of the same of 10", "1.05", met},
		{"list, of many: 10000", "at most 1 % of a bare Go program's start, in CPU for each volume",
			"19", notMet},
		{"list, of many: 10000", "at most 30 times a bare Go program's start", "2000", notMet},
		{"mount.thin", "at most 12 MB of memory", "8.19", met},
		{"mount.thin", "at most 4 MB on disk", "3.50", met},
		{"mount.thin", "at most 1.3 of a bare Go program's start", "2", notMet},
	} {
		if !slices.Contains(all, want) {
			t.Errorf("no %v in\n%v", want, all)
		}
	}
}

// A sum of which a part was not measured is not measured.
func TestTerms(t *testing.T) {
	there := func(v float64) term { return func(measured) (float64, bool) { return v, true } }
	lacks := func(measured) (float64, bool) { return 0, false }
	if v, ok := sum(2, there(3), there(4))(measured{}); v != 14 || !ok {
		t.Errorf("sum: %v %v", v, ok)
	}
	if _, ok := sum(2, there(3), lacks)(measured{}); ok {
		t.Error("a sum with a hole")
	}
	if v, ok := less(there(5), there(3))(measured{}); v != 2 || !ok {
		t.Errorf("less: %v %v", v, ok)
	}
	if _, ok := less(there(5), lacks)(measured{}); ok {
		t.Error("a difference with a hole")
	}
	zero := bound{value: there(1), over: there(0)}
	if v := zero.judge(measured{}); v.result != notMeasured {
		t.Errorf("over nothing: %v", v)
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{3: "3", 0.123: "0.12", 12.34: "12.3", 1234.5: "1234",
		0: "0"} {
		if got := number(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

// Each work that the report orders is one that the runner has: a misspelt one
// would never be measured.
func TestWorksAreMeasured(t *testing.T) {
	var source strings.Builder
	files, err := filepath.Glob("../runner/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	for _, work := range works {
		if !strings.Contains(source.String(), `"`+strings.TrimSuffix(work, ", each")+`"`) {
			t.Errorf("the runner has no %q", work)
		}
	}
}

func TestTicks(t *testing.T) {
	if got := ticks([]float64{3, 60}); !slices.Equal(got, []float64{5, 10, 20, 50}) {
		t.Errorf("%v", got)
	}
}

// Names whose lines end at the same place stand below each other.
func TestSpread(t *testing.T) {
	lines := []line{{"a", []point{{1, 5}}}, {"b", []point{{1, 5}}}, {"c", []point{{1, 100}}}}
	got := spread(lines, func(v float64) float64 { return v })
	if got[0] == got[1] || got[2] != 104 {
		t.Errorf("%v", got)
	}
}
