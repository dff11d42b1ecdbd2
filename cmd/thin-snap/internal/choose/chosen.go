package choose

import (
	"context"
	"maps"
	"slices"
	"strings"

	"thinmount/cmd/thin-snap/internal/family"
	"thinmount/lib/thin"
)

// Request says which volumes are meant.
type Request struct {
	Volumes   []thin.Volume // names and patterns
	Literal   []thin.Volume // names alone
	Recursive bool          // their descendants, too
}

// System is what Find asks for volumes.
type System interface {
	Volumes(ctx context.Context, pool string) ([]thin.VolumeInfo, error)
	Origin(ctx context.Context, volume thin.Volume) (*thin.Volume, error)
}

// Problem is an error of one volume, of a pattern, or of a pool.
type Problem struct {
	Object string
	Err    error
}

// Chosen are the volumes that are meant.
type Chosen struct {
	// With Recursive, no volume was made from one of a later generation.
	// Otherwise there is one generation, in the order of the request.
	Generations [][]thin.Volume
	Named       map[thin.Volume]bool // those that the request names
	Snapshots   map[thin.Volume]bool // those that are a snapshot of another volume
	Left        map[thin.Volume]bool // those to which the caller did nothing

	pools map[string]family.Family
}

// Find finds the volumes. unread are pools in which the records of some volumes
// could not be read: so these volumes could not be chosen. If there is anything
// in wrong, the caller does nothing.
func Find(ctx context.Context, sys System, r Request) (f *Chosen, unread, wrong []Problem) {
	f = &Chosen{Named: map[thin.Volume]bool{}, Snapshots: map[thin.Volume]bool{},
		Left: map[thin.Volume]bool{}, pools: map[string]family.Family{}}
	var order []thin.Volume
	for i, v := range slices.Concat(r.Volumes, r.Literal) {
		pattern := i < len(r.Volumes) && IsPattern(v)
		if pattern || r.Recursive {
			switch found, err := f.list(ctx, sys, v.Pool); {
			case err != nil && found == 0:
				wrong = append(wrong, Problem{v.String(), err})
				continue
			case err != nil:
				unread = append(unread, Problem{"pool " + v.Pool, err})
			}
		}
		if !pattern {
			origin, err := sys.Origin(ctx, v)
			if err != nil {
				wrong = append(wrong, Problem{v.String(), err})
			}
			f.Snapshots[v], f.Named[v] = origin != nil, true
			order = append(order, v)
			continue
		}
		found := f.pools[v.Pool].Matching(func(x thin.Volume) bool { return matches(v, x) })
		if len(found) == 0 {
			wrong = append(wrong, Problem{v.String(), noMatch(v)})
		}
		order = append(order, found...)
	}
	f.arrange(order, r.Recursive)
	if len(wrong) == 0 {
		wrong = f.mounted()
	}
	return f, unread, wrong
}

// All returns all volumes in their order.
func (f *Chosen) All() []thin.Volume { return slices.Concat(f.Generations...) }

// LeftChild returns a snapshot of v that is among the chosen and left.
func (f *Chosen) LeftChild(v thin.Volume) (child thin.Volume, ok bool) {
	if len(f.Generations) < 2 {
		return child, false
	}
	for _, c := range f.pools[v.Pool].Children(v) {
		if f.Left[c] {
			return c, true
		}
	}
	return child, false
}

func noMatch(pattern thin.Volume) error {
	return &thin.Error{Err: thin.Errorf(thin.ErrNotFound, "no volume matches"),
		Remedy: thin.Hint("thin-snap list " + pattern.Pool + " shows the volumes")}
}

// mounted returns a problem for each volume that is mounted, if descendants are
// chosen, too: it would remain when those are gone.
func (f *Chosen) mounted() (all []Problem) {
	if len(f.Generations) < 2 {
		return nil
	}
	for _, v := range f.All() {
		if i, ok := f.pools[v.Pool].Info(v); ok && i.MountedOn != "" {
			all = append(all, Problem{v.String(), &thin.Error{
				Err:    thin.Errorf(thin.ErrBusy, "mounted on %s", i.MountedOn),
				Remedy: thin.Hint("unmount it first; nothing was changed")}})
		}
	}
	return all
}

// list reads what there is in a pool, once, and returns how many volumes it has
// found.
func (f *Chosen) list(ctx context.Context, sys System, pool string) (found int, err error) {
	if _, done := f.pools[pool]; done {
		return 0, nil
	}
	infos, err := sys.Volumes(ctx, pool)
	f.pools[pool] = family.Of(infos)
	return len(infos), err
}

// arrange sets the generations.
func (f *Chosen) arrange(order []thin.Volume, recursive bool) {
	var once []thin.Volume
	for _, v := range order {
		if !slices.Contains(once, v) {
			once = append(once, v)
		}
		if i, ok := f.pools[v.Pool].Info(v); ok {
			f.Snapshots[v] = i.Origin != nil
		}
	}
	if !recursive {
		f.Generations = [][]thin.Volume{once}
		return
	}
	byPool := map[string][]thin.Volume{}
	for _, v := range once {
		byPool[v.Pool] = append(byPool[v.Pool], v)
	}
	for _, pool := range slices.Sorted(maps.Keys(byPool)) {
		for h, g := range f.pools[pool].LeavesFirst(byPool[pool]) {
			for len(f.Generations) <= h {
				f.Generations = append(f.Generations, nil)
			}
			f.Generations[h] = append(f.Generations[h], g...)
		}
	}
}

// SomeOf returns the names of volumes, of many only the first ones.
func SomeOf(volumes []thin.Volume) string {
	const most = 5
	var said []string
	for _, v := range volumes[:min(len(volumes), most)] {
		said = append(said, v.String())
	}
	if len(volumes) > most {
		said = append(said, "...")
	}
	return strings.Join(said, ", ")
}
