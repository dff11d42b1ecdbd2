package refcount

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"thinmount/lib/atomicfile"
	"thinmount/lib/filelock"
	"thinmount/lib/privdir"
	"thinmount/lib/spec"
)

// Store is the directory that holds locks and records:
//
//	DIR/locks/POOL@VOLUME       lock of a volume
//	DIR/locks/POOL@VOLUME@mount lock of a volume's first mount
//	DIR/locks/POOL@             lock of a pool
//	DIR/refs/POOL@VOLUME.json   record
//
// All of it is made as needed, with modes 0700 and 0600, and is gone after a
// reboot when DIR lies on a tmpfs. DIR's parent must exist.
type Store struct {
	Dir string // /run/thin

	before atomicfile.Before // nil but in tests, which let a write fail here
}

// ErrNoRecord says that nothing is written down about a volume: it is
// fs.ErrNotExist.
var ErrNoRecord = fmt.Errorf("no record: %w", fs.ErrNotExist)

// CheckDir makes the directory dir if it is missing and refuses it if it is a
// symlink, not ours, or writable by others (*privdir.Error).
func CheckDir(dir string) error {
	if _, err := privdir.Make(dir); err != nil {
		return err
	}
	return nil
}

// PoolLock waits for the lock of a pool: shared while one of its volumes is
// activated, exclusive for whatever writes pool.json. Volumes are locked before
// pools, never the other way round. When ctx ends, the error is a
// *filelock.HeldError.
func (s Store) PoolLock(ctx context.Context, pool string, shared bool) (*filelock.Lock, error) {
	path, err := s.lockPath(spec.Volume{Pool: pool})
	if err != nil {
		return nil, err
	}
	if shared {
		return filelock.Shared(ctx, path)
	}
	return filelock.Exclusive(ctx, path)
}

// TryPoolLock is PoolLock that gives filelock.ErrLocked instead of waiting.
func (s Store) TryPoolLock(pool string, shared bool) (*filelock.Lock, error) {
	path, err := s.lockPath(spec.Volume{Pool: pool})
	if err != nil {
		return nil, err
	}
	if shared {
		return filelock.TryShared(path)
	}
	return filelock.TryExclusive(path)
}

// Lock waits for the lock of a volume and reads its record. Where the record is
// damaged, Ref.Damage says so, and Lock returns no error. When ctx ends, the
// error is a *filelock.HeldError.
func (s Store) Lock(ctx context.Context, volume spec.Volume) (*Ref, error) {
	wait := func(path string) (*filelock.Lock, error) { return filelock.Exclusive(ctx, path) }
	return s.ref(volume, wait)
}

// TryLock is Lock that gives filelock.ErrLocked instead of waiting.
func (s Store) TryLock(volume spec.Volume) (*Ref, error) {
	return s.ref(volume, filelock.TryExclusive)
}

// forMount is added to the name of a volume's lock file to get the name of its
// mount lock.
const forMount = "@mount"

// MountLock waits for a volume's mount lock. A command has it from before it
// makes the device until the volume is mounted and the record is written, or
// until a resize or trim of the filesystem has ended, also while it sleeps in
// the kernel. So the mounts of one volume come one after the other; no other
// command waits for one. It is taken before the volume's lock, or tried after
// it. When ctx ends, the error is a *filelock.HeldError.
func (s Store) MountLock(ctx context.Context, volume spec.Volume) (*filelock.Lock, error) {
	path, err := s.lockPath(volume)
	if err != nil {
		return nil, err
	}
	return filelock.Plain(ctx, path+forMount)
}

// TryMountLock is MountLock that gives filelock.ErrLocked instead of waiting.
func (s Store) TryMountLock(volume spec.Volume) (*filelock.Lock, error) {
	path, err := s.lockPath(volume)
	if err != nil {
		return nil, err
	}
	return filelock.TryExclusive(path + forMount)
}

func (s Store) ref(volume spec.Volume, lock func(string) (*filelock.Lock, error)) (*Ref, error) {
	if volume.Name == "" {
		return nil, errors.New("volume name is empty")
	}
	path, err := s.lockPath(volume)
	if err != nil {
		return nil, err
	}
	l, err := lock(path)
	if err != nil {
		return nil, err
	}
	r := &Ref{store: s, volume: volume, lock: l}
	if err := r.load(); err != nil {
		return nil, errors.Join(err, l.Unlock())
	}
	return r, nil
}

// Read reads a record without any lock: it may be outdated at once. Without a
// record the error is ErrNoRecord. A file that is no record is a *CorruptError.
func (s Store) Read(volume spec.Volume) (Record, error) {
	if err := checkNames(volume); err != nil {
		return Record{}, err
	}
	return readRecord(s.recordPath(volume), volume)
}

// List reads all records without any lock, in the order of their names. Records
// that cannot be read do not hide the others: the error is theirs, joined.
func (s Store) List() ([]Record, error) {
	entries, err := os.ReadDir(filepath.Join(s.Dir, "refs"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var records []Record
	var errs []error
	for _, e := range entries {
		name, isRecord := strings.CutSuffix(e.Name(), ".json")
		volume, named := parseFile(name)
		if !isRecord || !named {
			continue // what a killed writer left
		}
		switch r, err := s.Read(volume); {
		case err == nil:
			records = append(records, r)
		case !errors.Is(err, ErrNoRecord):
			errs = append(errs, err)
		}
	}
	return records, errors.Join(errs...)
}

func (s Store) recordPath(volume spec.Volume) string {
	return filepath.Join(s.Dir, "refs", volume.Pool+"@"+volume.Name+".json")
}

// lockPath makes the directories, too.
func (s Store) lockPath(volume spec.Volume) (string, error) {
	if err := checkNames(volume); err != nil {
		return "", err
	}
	locks, refs := filepath.Join(s.Dir, "locks"), filepath.Join(s.Dir, "refs")
	for _, dir := range []string{s.Dir, locks, refs} {
		if err := CheckDir(dir); err != nil {
			return "", err
		}
	}
	return s.lockFile(volume), nil
}

// parseFile returns the volume of POOL@VOLUME, or the pool of POOL@.
func parseFile(name string) (volume spec.Volume, ok bool) {
	volume.Pool, volume.Name, ok = strings.Cut(name, "@")
	return volume, ok && checkNames(volume) == nil
}

// checkNames refuses names whose files would be outside of the folder, or those
// of other names. Package spec says what a good name is.
func checkNames(volume spec.Volume) error {
	for _, name := range []string{volume.Pool, volume.Name} {
		if strings.HasPrefix(name, ".") || strings.ContainsAny(name, "/@\x00") {
			return fmt.Errorf("%q/%q: not a name of a volume", volume.Pool, volume.Name)
		}
	}
	if volume.Pool == "" {
		return errors.New("pool name is empty")
	}
	return nil
}

// readRecord reads the file of a record.
func readRecord(path string, volume spec.Volume) (Record, error) {
	b, unfit, err := privdir.ReadFile(path, maxRecord)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Record{}, fmt.Errorf("volume %s: %w", volume, ErrNoRecord)
	case err != nil:
		return Record{}, err
	case unfit != "":
		return Record{}, &CorruptError{path, unfit}
	}
	r, reason := decode(b, volume)
	if reason != "" {
		return Record{}, &CorruptError{path, reason}
	}
	return r, nil
}
