package main

import (
	"fmt"
	"strings"

	"thinmount/bench/counts"
	"thinmount/bench/sample"
)

// measured is what there is to judge by.
type measured struct {
	sample.Run
	counts counts.Table
}

// term is a number, if it was measured.
type term func(measured) (float64, bool)

// of makes a term of a number of each sample: its median.
func of(work, param, who string, number func(sample.Sample) float64) term {
	return func(m measured) (float64, bool) {
		s := m.Samples[sample.Key{Work: work, Param: param, Who: who}]
		if len(s) == 0 {
			return 0, false
		}
		return sample.Median(sample.Values(s, number)), true
	}
}

// wall is the median of wall times, in milliseconds.
func wall(work, param, who string) term { return of(work, param, who, sample.WallMS) }

func peakMB(s sample.Sample) float64 { return float64(s.Peak) * 1024 / 1e6 }
func sizeMB(s sample.Sample) float64 { return float64(s.Bytes) / 1e6 }

// calls is a number of the table of counted calls.
func calls(operation, column string) term {
	return func(m measured) (float64, bool) {
		c := m.counts.Of(operation)
		return float64(c[column]), c != nil
	}
}

// sum is all of them together, times its factor.
func sum(factor float64, all ...term) term {
	return func(m measured) (total float64, ok bool) {
		for _, t := range all {
			v, ok := t(m)
			if !ok {
				return 0, false
			}
			total += v
		}
		return total * factor, true
	}
}

// less is what one takes more than another.
func less(a, b term) term {
	return func(m measured) (float64, bool) {
		x, okX := a(m)
		y, okY := b(m)
		return x - y, okX && okY
	}
}

// bound is what is to be reached: a number, or its ratio to another, is at most
// the limit, or at least.
type bound struct {
	work  string
	text  string // "of the floor in Go"
	value term
	over  term // nil: the number itself is judged
	limit float64
	least bool
}

// ratio is a bound on the time of ours over another's.
func ratio(limit float64, work, param, who string) bound {
	return bound{work: title(work, param), text: "of " + who, limit: limit,
		value: wall(work, param, sample.Ours), over: wall(work, param, who)}
}

// faster is a bound on how many times another's time is ours.
func faster(limit float64, work, param, who string) bound {
	return bound{work: title(work, param), text: "times faster than " + who, limit: limit,
		least: true, value: wall(work, param, who), over: wall(work, param, sample.Ours)}
}

func title(work, param string) string {
	switch {
	case param == "":
		return work
	case strings.Contains(work, ", "):
		return work + ": " + param
	}
	return param + " " + work
}

func count(work, operation, column, text string, limit float64) bound {
	return bound{work: work, text: text, value: calls(operation, column), limit: limit}
}

// bounds are what is to be reached, in the order of the report.
func bounds() []bound {
	bare := wall("start", "", sample.BareGo)
	all := []bound{
		ratio(1.25, "mount", "", sample.FloorGo), ratio(1.4, "mount", "", sample.FloorC),
		faster(1.4, "mount", "", sample.Script), faster(3, "mount", "", sample.LVM),
		ratio(1.25, "umount", "", sample.FloorGo), faster(3, "umount", "", sample.LVM),
	}
	for _, verb := range []string{"mount", "umount"} {
		work := verb + " again"
		all = append(all, bound{work: work, text: "of `" + verb +
			" --version` and the helper's start", limit: 1.3,
			value: wall(work, "", sample.Ours), over: sum(1, wall(work, "", verb+" --version"),
				wall(work, "", verb+".thin --version"))})
	}
	all = append(all,
		count("mount again", "mount again", "dm", "ioctls", 1), count("mount again", "mount again",
			"mountinfo", "reads of the mount table", 1),
		count("umount again", "umount, not last", "dm", "ioctls", 1), count("umount again",
			"umount, not last", "mountinfo", "reads of the mount table", 1),
		bound{work: "snapshot", text: "of `dmsetup message`", limit: 1.3,
			value: wall("snapshot", "", sample.Ours), over: wall("snapshot", "", sample.Script)},
		faster(7, "snapshot", "", sample.LVM),
		count("snapshot", "snapshot, origin idle", "commit", "commits of the pool", 2),
		count("snapshot", "snapshot, origin idle", "sync", "fsyncs", 3),
		count("snapshot", "snapshot, origin idle", "dm", "ioctls", 8),
		ratio(1, "snapshot, origin dirty", "", sample.Script),
		bound{work: "snapshot, origin dirty", limit: 0.5,
			text:  "of the writers' longest stall with " + sample.Script,
			value: wall("stall", "", sample.Ours), over: wall("stall", "", sample.Script)},
		bound{work: "delete", text: "of `dmsetup message`", limit: 1.5,
			value: wall("delete", "", sample.Ours), over: wall("delete", "", sample.Script)},
	)
	for _, n := range []string{"20", "100"} {
		all = append(all, ratio(2, "jobs", n, sample.Btrfs), ratio(2.5, "jobs", n, sample.Overlay),
			faster(5, "jobs", n, sample.LVM))
	}
	over := func(n string) term {
		return less(wall("jobs", n, sample.Ours), wall("jobs", n, sample.WorkAlone))
	}
	all = append(all, bound{work: "100 jobs", text: "of five times the overhead of 20 jobs",
		value: over("100"), over: sum(5, over("20")), limit: 1})
	for _, work := range []string{"mounts side by side", "umounts side by side"} {
		all = append(all, ratio(1.3, work, "64", sample.FloorC),
			ratio(1.3, work, "64", sample.FloorGo))
	}
	for _, n := range []string{"10000", "100000"} {
		for _, step := range []string{"create", "snapshot", "mount", "umount", "show", "delete"} {
			work := step + ", of many"
			all = append(all, bound{work: title(work, n), text: "of the same of 10", limit: 1.2,
				value: wall(work, n, sample.Ours), over: wall(work, "10", sample.Ours)})
		}
	}
	all = append(all,
		bound{work: "list, of many: 10000",
			text: "% of a bare Go program's start, in CPU for each volume", limit: 1,
			value: sum(100.0/10000, of("list, of many", "10000", sample.Ours, sample.CPUMS)),
			over:  bare},
		bound{work: "list, of many: 10000", text: "times a bare Go program's start",
			value: wall("list, of many", "10000", sample.Ours), over: bare, limit: 30},
		bound{work: "list, of many: 10000", text: "MB of memory", limit: 100,
			value: of("memory", "10000", sample.List, peakMB)},
	)
	for _, verb := range []string{"mount", "umount"} {
		work := verb + ", many mounted"
		all = append(all, bound{work: title(work, "1000"), text: "of the first", limit: 1.5,
			value: wall(work, "1000", sample.Ours), over: wall(work, "0", sample.Ours)})
	}
	for _, who := range []string{sample.Ours, sample.Helper} {
		for _, verb := range []string{"mount", "umount"} {
			work := verb + ", long mount table"
			all = append(all, bound{work: title(work, "20000") + ", " + who, text: "of the first",
				value: wall(work, "20000", who), over: wall(work, "0", who), limit: 1.5})
		}
	}
	for _, size := range []string{"15T", "1P"} {
		for _, work := range []string{"create huge", "delete huge"} {
			all = append(all, bound{work: work + ": " + size, text: "of 1G", limit: 1.1,
				value: wall(work, size, sample.Ours), over: wall(work, "1G", sample.Ours)})
		}
	}
	for _, helper := range []string{"mount.thin", "umount.thin"} {
		all = append(all,
			bound{work: helper, text: "MB of memory", value: of("memory", "", helper, peakMB),
				limit: 12},
			bound{work: helper, text: "MB on disk", value: of("size", "", helper, sizeMB),
				limit: 4},
			bound{work: helper, text: "of a bare Go program's start", value: wall("start", "",
				helper), over: bare, limit: 1.3},
		)
	}
	return append(all, bound{work: "thin-snap", text: "MB on disk", value: of("size", "",
		"thin-snap", sizeMB), limit: 10})
}

// verdict is a bound and what became of it.
type verdict struct {
	work, bound, got, result string
}

func (v verdict) String() string {
	return fmt.Sprintf("%-12s %s: %s: %s", v.result, v.work, v.bound, v.got)
}

// The results.
const (
	met         = "met"
	notMet      = "not met"
	notMeasured = "not measured"
)

func (m measured) verdicts() (all []verdict) {
	for _, b := range bounds() {
		all = append(all, b.judge(m))
	}
	return all
}

func (b bound) judge(m measured) verdict {
	most := "at most"
	if b.least {
		most = "at least"
	}
	v := verdict{b.work, fmt.Sprintf("%s %v %s", most, b.limit, b.text), "-", notMeasured}
	value, ok := b.value(m)
	if b.over != nil && ok {
		var over float64
		if over, ok = b.over(m); ok {
			ok = over > 0
			value /= over
		}
	}
	if !ok {
		return v
	}
	v.got, v.result = number(value), notMet
	if b.least && value >= b.limit || !b.least && value <= b.limit {
		v.result = met
	}
	return v
}

// number has as many digits as say something.
func number(v float64) string {
	switch {
	case v == float64(int64(v)) && v < 1000:
		return fmt.Sprint(int64(v))
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}
