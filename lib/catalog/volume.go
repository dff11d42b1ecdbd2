package catalog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"thinmount/lib/privdir"
	"thinmount/lib/spec"
)

func (c *Catalog) volumePath(name string) string {
	return filepath.Join(c.volumeDir(), name+suffix)
}

// Volume reads a volume's record. If an intent names the volume, or if the pool
// is being deleted, the volume does not exist. Errors: *spec.NameError,
// ErrNoVolume, *CorruptError.
func (c *Catalog) Volume(name string) (Volume, error) {
	if err := spec.CheckVolumeName(name); err != nil {
		return Volume{}, err
	}
	if c.pool.hides(name) {
		return Volume{}, c.noVolume(name)
	}
	return c.VolumeAnyState(name)
}

// VolumeAnyState is Volume for recovery: it also reads the record of a volume
// that an intent hides.
func (c *Catalog) VolumeAnyState(name string) (Volume, error) {
	v, err := c.readRecord(name, c.pool)
	record, gone := c.pool.spokenFor(name)
	var corrupt *CorruptError
	i := c.pool.intent(name)
	switch {
	case gone, err == nil && i >= 0 && c.pool.Intents[i].Op == OpCreate &&
		v.ID != c.pool.Intents[i].ID:
		// In the latter case the file is of a volume that had the name before,
		// and may go on under another.
		return Volume{}, c.noVolume(name)
	case record == nil, err == nil && same(v, *record), errors.As(err, &corrupt) && corrupt.unfit:
		return v, err
	}
	return *record, nil // the power has taken the file
}

// readRecord reads the file of a volume's record.
func (c *Catalog) readRecord(name string, p Pool) (Volume, error) {
	if err := spec.CheckVolumeName(name); err != nil {
		return Volume{}, err
	}
	b, err := c.read(name + suffix)
	if errors.Is(err, fs.ErrNotExist) {
		return Volume{}, c.noVolume(name)
	}
	if err != nil {
		return Volume{}, err
	}
	v, reason := decodeVolume(b, name, p)
	if reason != "" {
		return Volume{}, &CorruptError{Path: c.volumePath(name), Reason: reason}
	}
	return v, nil
}

// read reads a file of the volumes' folder, which is open if many are read.
func (c *Catalog) read(name string) ([]byte, error) {
	if c.dir == nil {
		return read(filepath.Join(c.volumeDir(), name))
	}
	b, unfit, err := c.dir.ReadFile(name, maxFile)
	if unfit != "" {
		path := filepath.Join(c.volumeDir(), name)
		return nil, &CorruptError{Path: path, Reason: unfit, unfit: true}
	}
	return b, err
}

func (c *Catalog) noVolume(name string) error {
	return fmt.Errorf("volume %s/%s: %w", c.name, name, ErrNoVolume)
}

// hides says whether an intent hides a volume.
func (p Pool) hides(volume string) bool {
	for _, op := range p.Intents {
		if op.Op == OpDeletePool || op.Volume == volume {
			return true
		}
	}
	return false
}

// Volumes reads the records of all volumes that exist, in the order of their
// names. It returns those that it could read, together with the joined errors
// of the others.
//
// A caller without the pool's lock may come while another command renames a
// volume, or rolls one back. If it finds a volume under both names, or under
// neither, Volumes reads the journal and the records again.
func (c *Catalog) Volumes() ([]Volume, error) {
	volumes, moved, err := c.volumes((*Catalog).Volume)
	for tries := 0; moved && tries < 3 && c.Reload() == nil; tries++ {
		volumes, moved, err = c.volumes((*Catalog).Volume)
	}
	return volumes, err
}

// VolumesAnyState is Volumes for recovery: it also reads the records of volumes
// that intents hide.
func (c *Catalog) VolumesAnyState() ([]Volume, error) {
	volumes, _, err := c.volumes((*Catalog).VolumeAnyState)
	return volumes, err
}

// HasMoreThan says whether the folder of the records has more than n files. It
// reads no record, and no more names than it needs.
func (c *Catalog) HasMoreThan(n int) (bool, error) {
	f, err := os.Open(c.volumeDir())
	if err != nil {
		return false, err
	}
	defer f.Close()
	names, err := f.Readdirnames(n + 1)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return len(names) > n, err
}

// volumes calls get for each record. Records that no intent names it reads
// itself, by several goroutines if there are many. moved says that a record was
// gone when it was to be read, or that two are of the same thin device.
func (c *Catalog) volumes(
	get func(*Catalog, string) (Volume, error),
) (volumes []Volume, moved bool, err error) {
	dir, err := privdir.OpenDir(c.volumeDir())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	defer dir.Close()
	names, err := c.namesIn(dir)
	if err != nil {
		return nil, false, err
	}
	named := c.pool.named()
	seen := make(map[spec.ID]bool, len(names))
	volumes, errs := make([]Volume, len(names)), make([]error, len(names))
	read := func(from, to int) {
		own := *c
		own.dir = dir.Again()
		for i := from; i < to; i++ {
			if named[names[i]] || named[""] {
				volumes[i], errs[i] = get(&own, names[i])
			} else {
				volumes[i], errs[i] = own.readRecord(names[i], c.pool)
			}
		}
	}
	share := max(fewRecords, (len(names)+runtime.NumCPU()-1)/runtime.NumCPU())
	var others sync.WaitGroup
	for from := share; from < len(names); from += share {
		others.Go(func() { read(from, min(from+share, len(names))) })
	}
	read(0, min(share, len(names)))
	others.Wait()
	kept := volumes[:0]
	for i, v := range volumes {
		switch {
		case errs[i] == nil:
			moved = moved || seen[v.ID]
			seen[v.ID] = true
			kept = append(kept, v)
		case errors.Is(errs[i], ErrNoVolume):
			moved = moved || !c.pool.hides(names[i])
			errs[i] = nil
		}
	}
	// A volume that has the thin device of another, hidden one has exchanged
	// its name with that since the journal was read.
	for _, op := range c.pool.Intents {
		moved = moved || op.Op == OpFormat && seen[op.ID]
	}
	return kept, moved, errors.Join(errs...)
}

// fewRecords are so many that one goroutine reads them.
const fewRecords = 200

// named returns the names of volumes in intents, also in those that are done.
// An intent on the pool itself names all volumes, as "".
func (p Pool) named() map[string]bool {
	named := map[string]bool{}
	for _, op := range slices.Concat(p.done, p.Intents) {
		named[op.Volume] = true
	}
	return named
}

// recordNames lists the volumes that have a record, readable or not, in order.
// It reads the folder and no record.
func (c *Catalog) recordNames() ([]string, error) {
	dir, err := privdir.OpenDir(c.volumeDir())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return c.namesIn(dir)
}

// namesIn is recordNames for the open folder.
func (c *Catalog) namesIn(dir *privdir.Dir) ([]string, error) {
	files, err := dir.Names()
	if err != nil {
		return nil, err
	}
	named := c.pool.named()
	names := files[:0]
	for _, file := range files {
		// Every other file is a temp file, or not ours.
		name, ok := strings.CutSuffix(file, suffix)
		if named[name] {
			if _, gone := c.pool.spokenFor(name); gone {
				continue
			}
		}
		if ok && spec.CheckVolumeName(name) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names) // the order of the files' names is another: a-b.json, a.json
	for _, op := range slices.Concat(c.pool.done, c.pool.Intents) {
		i, found := slices.BinarySearch(names, op.Volume)
		if record, _ := c.pool.spokenFor(op.Volume); !found && record != nil {
			names = slices.Insert(names, i, op.Volume)
		}
	}
	return names, nil
}

// PutVolume writes a volume's record, new or in place of the old one. When it
// returns nil, the record is durable. It fills in Format, and Pool and PoolUUID
// if they are empty.
func (c *Catalog) PutVolume(v Volume) error {
	v = filled(v, c.pool)
	b, reason := encodeVolume(v, c.pool)
	if reason != "" {
		return fmt.Errorf("volume %s/%s: %s", c.name, v.Name, reason)
	}
	op, done := c.pool.doneWith(v.Name)
	if done && (op.Op == OpDelete || !same(v, *op.Record)) {
		if err := c.releaseDone(); err != nil {
			return err
		}
	}
	if err := c.store.disk.replace(c.volumePath(v.Name), b); err != nil {
		return fmt.Errorf("volume %s/%s: %w", c.name, v.Name, err)
	}
	return nil
}

// ReplaceVolume is PutVolume for a caller that holds the pool's lock
// exclusively, and changes what the journal may have of a young volume. After
// it the journal does not speak for the record. So a record that is damaged
// later is an error, and its old content does not take its place.
func (c *Catalog) ReplaceVolume(v Volume) error {
	if err := c.PutVolume(v); err != nil {
		return err
	}
	if _, done := c.pool.doneWith(v.Name); !done {
		return nil
	}
	return c.SetPool(func(p *Pool) {
		p.done = slices.DeleteFunc(p.done, func(op Intent) bool { return op.Volume == v.Name })
	})
}

// filled fills in what the record of each volume of p has.
func filled(v Volume, p Pool) Volume {
	v.Format = recordFormat
	if v.Pool == "" {
		v.Pool = p.Name
	}
	if v.PoolUUID == "" {
		v.PoolUUID = p.UUID
	}
	return v
}

// placeRecord writes the record of a new volume without a sync: the journal has
// it, too.
func (c *Catalog) placeRecord(v Volume) error {
	b, reason := encodeVolume(filled(v, c.pool), c.pool)
	if reason != "" {
		return errors.New(reason)
	}
	return c.store.disk.place(c.volumePath(v.Name), b)
}

// releaseDone makes the files durable that the journal speaks for, so that it
// no longer does. The caller holds the pool's lock exclusively.
func (c *Catalog) releaseDone() error {
	if err := c.checkpoint(c.pool); err != nil {
		return fmt.Errorf("pool %s: %w", c.name, err)
	}
	return c.SetPool(func(p *Pool) { p.done = nil })
}

// RemoveVolume removes a volume's record. When it returns nil, that is durable.
// If there is no record, it returns nil, too.
func (c *Catalog) RemoveVolume(name string) error {
	if err := spec.CheckVolumeName(name); err != nil {
		return err
	}
	if op, done := c.pool.doneWith(name); done && op.Op != OpDelete {
		if err := c.releaseDone(); err != nil {
			return err
		}
	}
	if err := c.store.disk.remove(c.volumePath(name)); err != nil {
		return fmt.Errorf("volume %s/%s: %w", c.name, name, err)
	}
	return nil
}
