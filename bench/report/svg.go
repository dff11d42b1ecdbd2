package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"

	"thinmount/bench/sample"
)

// Colours that can be read on white and on black.
var colours = map[string]string{
	sample.Ours: "#2f81f7", sample.FloorC: "#8b949e", sample.FloorGo: "#8b949e",
	sample.Script: "#c9822b", sample.LVM: "#c9510c", sample.Btrfs: "#3fa05a",
	sample.Overlay: "#9a6dd7", sample.Reflink: "#b08800", sample.WorkAlone: "#8b949e",
}

// spare are the colours of what has none.
var spare = []string{"#2f81f7", "#c9510c", "#3fa05a", "#9a6dd7", "#c9822b", "#d1558f", "#8b949e"}

func colour(name string, i int) string {
	if c := colours[name]; c != "" {
		return c
	}
	return spare[i%len(spare)]
}

// svg is a picture under way.
type svg struct {
	strings.Builder
	width, height int
}

// Text is dark on light and light on dark, as the reader's screen is.
const style = `<style>
text { font: 13px sans-serif; fill: #1f2328 }
.head { font-weight: bold }
.small { font-size: 11px }
.grid { stroke: #8b949e; stroke-opacity: .35 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }
</style>
`

func (s *svg) text(x, y float64, anchor, class, text string) {
	fmt.Fprintf(s, `<text x="%.0f" y="%.0f" text-anchor="%s" class="%s">%s</text>`+"\n", x, y,
		anchor, class, html.EscapeString(text))
}

func (s *svg) String() string {
	head := `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d">`
	return fmt.Sprintf(head+"\n", s.width, s.height, s.width, s.height) + style +
		s.Builder.String() + "</svg>\n"
}

// bar is one value of a group.
type bar struct {
	name  string
	value float64
}

// group is what is set beside each other.
type group struct {
	title string
	bars  []bar
}

// drawBars draws groups of bars below each other. The longest has the whole
// width.
func drawBars(title, unit string, groups []group) string {
	const left, right, step, barHeight, width = 130, 90, 20, 14, 760
	s := &svg{width: width}
	most := 0.0
	for _, g := range groups {
		for _, b := range g.bars {
			most = max(most, b.value)
		}
	}
	y := 22.0
	s.text(10, y, "start", "head", title)
	for _, g := range groups {
		y += 32
		s.text(10, y, "start", "head", g.title)
		for _, b := range g.bars {
			y += step
			long := math.Max(1, b.value/most*(width-left-right))
			s.text(left-8, y, "end", "", b.name)
			fmt.Fprintf(s, `<rect x="%d" y="%.0f" width="%.1f" height="%d" fill="%s"/>`+"\n", left,
				y-barHeight+3, long, barHeight, colour(b.name, 0))
			s.text(left+long+6, y, "start", "small", number(b.value)+" "+unit)
		}
	}
	s.height = int(y) + 20
	return s.String()
}

// line is a value over another, by name.
type line struct {
	name   string
	points []point
}

type point struct{ x, y float64 }

// drawLines draws lines over a logarithmic scale in both directions.
func drawLines(title, below, unit string, lines []line) string {
	const left, right, top, width, height = 70, 150, 50, 760, 420
	s := &svg{width: width, height: height}
	s.text(10, 22, "start", "head", title)
	var xs, ys []float64
	for _, l := range lines {
		for _, p := range l.points {
			xs, ys = append(xs, p.x), append(ys, p.y)
		}
	}
	bottom := float64(height - 50)
	x := scale(xs, left, width-right)
	y := scale(ys, bottom, top)
	slices.Sort(xs)
	for _, v := range slices.Compact(xs) {
		fmt.Fprintf(s, `<line x1="%.0f" y1="%d" x2="%.0f" y2="%.0f" class="grid"/>`+"\n", x(v), top,
			x(v), bottom)
		s.text(x(v), bottom+18, "middle", "small", strconv.FormatFloat(v, 'f', -1, 64))
	}
	for _, v := range ticks(ys) {
		fmt.Fprintf(s, `<line x1="%d" y1="%.0f" x2="%d" y2="%.0f" class="grid"/>`+"\n", left, y(v),
			width-right, y(v))
		s.text(left-8, y(v)+4, "end", "small", strconv.FormatFloat(v, 'g', -1, 64))
	}
	s.text((left+width-right)/2, height-12, "middle", "small", below)
	s.text(10, 42, "start", "small", unit)
	labels := spread(lines, y)
	for i, l := range lines {
		var at []string
		for _, p := range l.points {
			at = append(at, fmt.Sprintf("%.1f,%.1f", x(p.x), y(p.y)))
			fmt.Fprintf(s, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x(p.x), y(p.y),
				colour(l.name, i))
		}
		fmt.Fprintf(s, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n",
			strings.Join(at, " "), colour(l.name, i))
		fmt.Fprintf(s, `<rect x="%d" y="%.0f" width="10" height="10" fill="%s"/>`+"\n",
			width-right+14, labels[i]-9, colour(l.name, i))
		s.text(width-right+30, labels[i], "start", "", l.name)
	}
	return s.String()
}

// scale maps values to places, by their logarithms.
func scale(values []float64, from, to float64) func(float64) float64 {
	low, high := math.Log(slices.Min(values)), math.Log(slices.Max(values))
	if high == low {
		high++
	}
	return func(v float64) float64 { return from + (math.Log(v)-low)/(high-low)*(to-from) }
}

// ticks are round numbers among the values: 1, 2, 5, 10, 20 and so on.
func ticks(values []float64) (all []float64) {
	low, high := slices.Min(values), slices.Max(values)
	for e := math.Floor(math.Log10(low)); e <= math.Log10(high); e++ {
		for _, m := range []float64{1, 2, 5} {
			if v := m * math.Pow(10, e); v >= low && v <= high {
				all = append(all, v)
			}
		}
	}
	return all
}

// spread finds a place for the name of each line beside its last point, so that
// no two lie upon each other.
func spread(lines []line, y func(float64) float64) []float64 {
	order := make([]int, len(lines))
	at := make([]float64, len(lines))
	for i, l := range lines {
		order[i], at[i] = i, y(l.points[len(l.points)-1].y)+4
	}
	slices.SortFunc(order, func(a, b int) int {
		if at[a] < at[b] {
			return -1
		}
		return 1
	})
	for n := 1; n < len(order); n++ {
		at[order[n]] = max(at[order[n]], at[order[n-1]]+17)
	}
	return at
}
