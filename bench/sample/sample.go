// Package sample is what a run of the benchmark writes down, as CSV, and the
// numbers that are made of it.
package sample

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Key says what was measured: the work, its size if it has one, and who did it.
type Key struct{ Work, Param, Who string }

// Sample is one measurement.
type Sample struct {
	Key
	Round int
	Wall  time.Duration
	CPU   time.Duration // user and system
	Peak  int64         // memory, KiB; 0 if it was not measured
	Bytes int64         // of a file
}

// Run is what one run wrote: its samples, and the facts about the machine.
type Run struct {
	Facts   []string
	Samples map[Key][]Sample
}

var heading = []string{"work", "param", "who", "round", "wall_us", "cpu_us", "peak_kib", "bytes"}

// Heading is the first line of the CSV.
func Heading() string { return strings.Join(heading, ",") }

// CSV is the sample as a line. Names have no quotes and no newlines.
func (s Sample) CSV() string {
	return fmt.Sprintf("%s,%s,%s,%d,%d,%d,%d,%d", field(s.Work), field(s.Param), field(s.Who),
		s.Round,
		s.Wall.Microseconds(), s.CPU.Microseconds(), s.Peak, s.Bytes)
}

func field(name string) string {
	if strings.Contains(name, ",") {
		return `"` + name + `"`
	}
	return name
}

// Read reads a CSV. Lines that begin with # are facts.
func Read(r io.Reader) (Run, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return Run{}, err
	}
	run := Run{Samples: map[Key][]Sample{}}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if fact, ok := strings.CutPrefix(line, "# "); ok {
			run.Facts = append(run.Facts, strings.TrimSpace(fact))
		} else if strings.TrimSpace(line) != Heading() {
			lines = append(lines, line)
		}
	}
	records := csv.NewReader(strings.NewReader(strings.Join(lines, "")))
	records.FieldsPerRecord = len(heading)
	all, err := records.ReadAll()
	if err != nil {
		return Run{}, err
	}
	for _, fields := range all {
		s, err := parse(fields)
		if err != nil {
			return Run{}, err
		}
		run.Samples[s.Key] = append(run.Samples[s.Key], s)
	}
	return run, nil
}

func parse(fields []string) (Sample, error) {
	var n [5]int64
	for i := range n {
		var err error
		if n[i], err = strconv.ParseInt(fields[3+i], 10, 64); err != nil {
			return Sample{}, fmt.Errorf("%q: %w", fields, err)
		}
	}
	return Sample{
		Key: Key{fields[0], fields[1], fields[2]}, Round: int(n[0]), Peak: n[3], Bytes: n[4],
		Wall: time.Duration(n[1]) * time.Microsecond, CPU: time.Duration(n[2]) * time.Microsecond,
	}, nil
}

// Values takes one number of each sample.
func Values(samples []Sample, of func(Sample) float64) []float64 {
	var all []float64
	for _, s := range samples {
		all = append(all, of(s))
	}
	return all
}

// WallMS is a sample's wall time in milliseconds.
func WallMS(s Sample) float64 { return float64(s.Wall.Microseconds()) / 1000 }

// CPUMS is a sample's processor time in milliseconds.
func CPUMS(s Sample) float64 { return float64(s.CPU.Microseconds()) / 1000 }

// Quantile returns the value below which a part q (0 to 1) of the values lies,
// between two of them by their distance. There must be one value at least.
func Quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low := int(at)
	if low+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}

// Median is the Quantile of one half.
func Median(values []float64) float64 { return Quantile(values, 0.5) }
