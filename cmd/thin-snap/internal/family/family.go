// Package family puts volumes in the order of their origins.
package family

import (
	"cmp"
	"slices"

	"thinmount/lib/thin"
)

// Family is the volumes of some pools, each with the snapshots that were made
// of it.
type Family struct {
	info     map[thin.Volume]thin.VolumeInfo
	children map[thin.Volume][]thin.Volume // in the order of their names
}

// Of returns the family of some volumes. The origin of a volume may not be
// among them.
func Of(infos []thin.VolumeInfo) Family {
	f := Family{map[thin.Volume]thin.VolumeInfo{}, map[thin.Volume][]thin.Volume{}}
	for _, i := range infos {
		f.info[i.Volume] = i
	}
	for _, i := range infos {
		if i.Origin != nil {
			f.children[*i.Origin] = append(f.children[*i.Origin], i.Volume)
		}
	}
	for _, c := range f.children {
		slices.SortFunc(c, byName)
	}
	return f
}

func byName(a, b thin.Volume) int {
	return cmp.Or(cmp.Compare(a.Pool, b.Pool), cmp.Compare(a.Name, b.Name))
}

// Info returns what is known of a volume of the family.
func (f Family) Info(v thin.Volume) (thin.VolumeInfo, bool) {
	i, ok := f.info[v]
	return i, ok
}

// Children returns the snapshots of a volume, in the order of their names.
func (f Family) Children(v thin.Volume) []thin.Volume { return f.children[v] }

// Matching returns the volumes for which is returns true, in the order of their
// names.
func (f Family) Matching(is func(thin.Volume) bool) (found []thin.Volume) {
	for v := range f.info {
		if is(v) {
			found = append(found, v)
		}
	}
	slices.SortFunc(found, byName)
	return found
}

// LeavesFirst returns the volumes and all their descendants in generations:
// first those that no other volume among them was made from. Within a
// generation they have the order of their names.
func (f Family) LeavesFirst(volumes []thin.Volume) (generations [][]thin.Volume) {
	height := map[thin.Volume]int{}
	// A loop of origins, which only a wrong record could make, must not be
	// followed for ever: a volume that is being looked at has a height.
	var measure func(v thin.Volume) int
	measure = func(v thin.Volume) int {
		if h, seen := height[v]; seen {
			return h
		}
		height[v] = 0
		h := 0
		for _, c := range f.children[v] {
			h = max(h, measure(c)+1)
		}
		height[v] = h
		return h
	}
	for _, v := range volumes {
		measure(v)
	}
	for v, h := range height {
		for len(generations) <= h {
			generations = append(generations, nil)
		}
		generations[h] = append(generations[h], v)
	}
	for _, g := range generations {
		slices.SortFunc(g, byName)
	}
	return generations
}

// Line is a volume in a drawing of a family.
type Line struct {
	Volume thin.VolumeInfo
	Drawn  string // lines that lead from its origin to it
}

// Draw returns the volumes and all their descendants, each after its origin and
// with the lines that lead to it. Volumes that stand below another one are not
// repeated.
func (f Family) Draw(volumes []thin.Volume) (lines []Line) {
	seen := map[thin.Volume]bool{}
	var draw func(v thin.Volume, here, below string)
	draw = func(v thin.Volume, here, below string) {
		if _, known := f.info[v]; seen[v] || !known {
			return
		}
		seen[v] = true
		lines = append(lines, Line{f.info[v], here})
		children := f.children[v]
		for i, c := range children {
			if i < len(children)-1 {
				draw(c, below+"├─", below+"│ ")
			} else {
				draw(c, below+"└─", below+"  ")
			}
		}
	}
	for _, v := range f.tops(volumes) {
		draw(v, "", "")
	}
	for _, v := range volumes { // those of a loop, see LeavesFirst
		draw(v, "", "")
	}
	return lines
}

// tops returns those of the volumes that were not made from another one of
// them, in the order of their names.
func (f Family) tops(volumes []thin.Volume) (tops []thin.Volume) {
	for _, v := range volumes {
		below := false
		past := map[thin.Volume]bool{}
		for o := f.info[v].Origin; o != nil && !past[*o] && !below; o = f.info[*o].Origin {
			past[*o] = true
			below = slices.Contains(volumes, *o)
		}
		if !below {
			tops = append(tops, v)
		}
	}
	slices.SortFunc(tops, byName)
	return slices.Compact(tops)
}
