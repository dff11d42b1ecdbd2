package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"thinmount/bench/counts"
	"thinmount/bench/sample"
)

// whos are the candidates in the order of the tables and pictures.
var whos = []string{
	sample.Ours, sample.Helper, sample.FloorC, sample.FloorGo, sample.Script, sample.LVM,
	sample.Btrfs, sample.Overlay, sample.Reflink, sample.WorkAlone,
}

// ordered are the keys of the samples, each work where it first ran.
func (m measured) ordered() []sample.Key {
	rank := func(who string) int {
		if i := slices.Index(whos, who); i >= 0 {
			return i
		}
		return len(whos)
	}
	size := func(param string) float64 {
		n, _ := strconv.ParseFloat(param, 64)
		return n
	}
	keys := slices.Collect(maps.Keys(m.Samples))
	slices.SortFunc(keys, func(a, b sample.Key) int {
		return cmp.Or(cmp.Compare(place(a.Work), place(b.Work)), cmp.Compare(a.Work, b.Work),
			cmp.Compare(size(a.Param), size(b.Param)), cmp.Compare(a.Param, b.Param),
			cmp.Compare(rank(a.Who), rank(b.Who)), cmp.Compare(a.Who, b.Who))
	})
	return keys
}

// works are the works in the order of the report. Those not here come last.
var works = []string{
	"start", "mount", "umount", "mount again", "umount again", "snapshot", "snapshot, origin dirty",
	"stall", "delete",
	"create huge", "delete huge", "mounts side by side", "mounts side by side, each",
	"umounts side by side",
	"umounts side by side, each", "jobs", "jobs, each",
}

func place(work string) int {
	if i := slices.Index(works, work); i >= 0 {
		return i
	}
	return len(works)
}

func (m measured) markdown(suite string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# What was measured: %s\n\n", suite)
	b.WriteString("bench/run wrote this page. [README.md](README.md) says " +
		"how to read and to repeat it.\n\n")
	seen := map[string]bool{}
	for _, fact := range m.Facts {
		if !seen[fact] {
			b.WriteString("- " + fact + "\n")
		}
		seen[fact] = true
	}
	b.WriteString("\n## What is to be reached\n\n" +
		"| work | bound | measured | |\n|---|---|---|---|\n")
	for _, v := range m.verdicts() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", v.work, v.bound, v.got, v.result)
	}
	b.WriteString("\n## Times\n\n" +
		"The median, and the middle half of the values (quartiles), in ms. " +
		"Where many run side by side,\neach of them has a line \"each\" with " +
		"the 99th percentile. Stall: the longest time that a writer\nwaited for a sync.\n\n" +
		"| work | | who | median | middle half | p99 | CPU | runs | to thinmount |\n" +
		"|---|---|---|---|---|---|---|---|---|\n")
	for _, k := range m.ordered() {
		if k.Work != "memory" && k.Work != "size" {
			m.timeRow(&b, k)
		}
	}
	b.WriteString("\n## Memory and sizes\n\n| what | who | |\n|---|---|---|\n")
	for _, k := range m.ordered() {
		switch k.Work {
		case "memory":
			fmt.Fprintf(&b, "| peak of memory %s | %s | %s MB |\n", k.Param, k.Who,
				number(sample.Median(sample.Values(m.Samples[k], peakMB))))
		case "size":
			fmt.Fprintf(&b, "| size on disk | %s | %s MB |\n", k.Who,
				number(sizeMB(m.Samples[k][0])))
		}
	}
	m.countRows(&b)
	return b.String()
}

// timeRow is the line of a key.
func (m measured) timeRow(b *strings.Builder, k sample.Key) {
	s := m.Samples[k]
	v := sample.Values(s, sample.WallMS)
	p99, times := "", ""
	if strings.HasSuffix(k.Work, ", each") {
		p99 = number(sample.Quantile(v, 0.99))
	}
	mine := m.Samples[sample.Key{Work: k.Work, Param: k.Param, Who: sample.Ours}]
	if len(mine) > 0 && k.Who != sample.Ours {
		times = number(sample.Median(v) / sample.Median(sample.Values(mine, sample.WallMS)))
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s - %s | %s | %s | %d | %s |\n", k.Work, k.Param, k.Who,
		number(sample.Median(v)),
		number(sample.Quantile(v, 0.25)), number(sample.Quantile(v, 0.75)), p99,
		number(sample.Median(sample.Values(s, sample.CPUMS))), len(s), times)
}

func (m measured) countRows(b *strings.Builder) {
	if len(m.counts) == 0 {
		return
	}
	b.WriteString("\n## Calls\n\nA test keeps these numbers from growing (bench/counts). " +
		"open has the files that\nGo's runtime opens.\n\n")
	b.WriteString("| operation | " + strings.Join(counts.Columns, " | ") + " |\n|---|" +
		strings.Repeat("---|", len(counts.Columns)) + "\n")
	for _, row := range m.counts {
		b.WriteString("| " + row.Name + " |")
		for _, column := range counts.Columns {
			fmt.Fprintf(b, " %d |", row.Counts[column])
		}
		b.WriteString("\n")
	}
}
