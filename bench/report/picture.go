package main

import (
	"slices"
	"strconv"

	"thinmount/bench/sample"
)

// median is that of a key's wall times in ms, and 0 if there is none.
func (m measured) median(work, param, who string) float64 {
	v, _ := wall(work, param, who)(m)
	return v
}

// drawOne shows one command at a time beside those of others.
func (m measured) drawOne() string {
	var groups []group
	for _, work := range []struct{ name, title string }{
		{"mount", "mount"}, {"umount", "umount, with the device gone"}, {"snapshot",
			"snapshot of an idle origin"},
		{"snapshot, origin dirty", "snapshot of an origin that is mounted and written to"},
		{"delete", "delete a snapshot"},
	} {
		g := group{title: work.title}
		for _, who := range whos {
			if v := m.median(work.name, "", who); v > 0 {
				g.bars = append(g.bars, bar{who, v})
			}
		}
		if len(g.bars) > 0 {
			groups = append(groups, g)
		}
	}
	if len(groups) == 0 {
		return ""
	}
	return drawBars("One command at a time, median", "ms", groups)
}

// params are the sizes at which a work was measured.
func (m measured) params(work, who string) (all []float64) {
	for k := range m.Samples {
		if n, err := strconv.ParseFloat(k.Param, 64); err == nil && k.Work == work && k.Who == who {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

// over is a line of a work's time over its size.
func (m measured) over(name, work, who string, y func(n, ms float64) float64) (l line, ok bool) {
	l.name = name
	for _, n := range m.params(work, who) {
		ms := sample.Median(sample.Values(m.Samples[sample.Key{Work: work,
			Param: strconv.FormatFloat(n, 'f', -1, 64), Who: who}], sample.WallMS))
		l.points = append(l.points, point{n, y(n, ms)})
	}
	return l, len(l.points) > 0
}

// drawGrown shows what one command takes in a pool with more and more volumes.
func (m measured) drawGrown() string {
	var lines []line
	same := func(_, ms float64) float64 { return ms }
	for _, step := range []string{"list", "delete", "create", "snapshot", "mount", "umount",
		"show"} {
		if l, ok := m.over(step, step+", of many", sample.Ours, same); ok {
			lines = append(lines, l)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return drawLines("One command in a pool with many volumes, median", "volumes in the pool", "ms",
		lines)
}

// drawJobs shows how many jobs are done in a second when more run side by side.
func (m measured) drawJobs() string {
	var lines []line
	for _, who := range whos {
		if l, ok := m.over(who, "jobs", who, func(n,
			ms float64) float64 {
			return n / ms * 1000
		}); ok {
			lines = append(lines, l)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return drawLines("Jobs: copy a filesystem, mount it, write 2 MiB, read them, throw it away",
		"jobs side by side", "jobs a second", lines)
}
