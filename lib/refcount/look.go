package refcount

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"thinmount/lib/filelock"
	"thinmount/lib/spec"
)

// The values of Entry.Kind.
const (
	KindLock   = "lock"
	KindRecord = "record"
	KindTemp   = "temp" // of a record, left by a writer that was killed
	KindOther  = "other"
)

// Entry is a file in one of the store's folders.
type Entry struct {
	Path, Kind string

	// Volume is what the file's name tells. The lock of a pool has only the
	// pool, and KindOther has neither.
	Volume spec.Volume
}

// Entries lists all files of the store, without locks. Without a folder there
// are none.
func (s Store) Entries() ([]Entry, error) {
	var all []Entry
	for _, dir := range []string{"locks", "refs"} {
		entries, err := os.ReadDir(filepath.Join(s.Dir, dir))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			all = append(all, entry(filepath.Join(s.Dir, dir, e.Name()), dir == "locks"))
		}
	}
	return all, nil
}

// entry reads a file's name.
func entry(path string, isLock bool) Entry {
	file := filepath.Base(path)
	name, kind := file, KindLock
	for _, second := range []string{filelock.Turnstile, forMount} {
		lock, is := strings.CutSuffix(file, second)
		if is && strings.Contains(lock, "@") { // a volume may be called turn
			name = lock
		}
	}
	if !isLock {
		name, kind = recordName(file)
	}
	volume, named := parseFile(name)
	if !named || !isLock && volume.Name == "" {
		return Entry{Path: path, Kind: KindOther}
	}
	return Entry{Path: path, Kind: kind, Volume: volume}
}

// recordName is the name, POOL@VOLUME, in that of a record or of its temp file
// (atomicfile.Temp); else it is "".
func recordName(file string) (name, kind string) {
	if hidden, temp := strings.CutPrefix(file, "."); temp {
		if name, ok := strings.CutSuffix(hidden, ".json.tmp"); ok {
			return name, KindTemp
		}
	} else if name, ok := strings.CutSuffix(file, ".json"); ok {
		return name, KindRecord
	}
	return "", KindOther
}

// LookLock is an exclusive PoolLock that makes no file, for a caller that
// changes nothing. Without a lock file no process has the lock, and lock is
// nil.
func (s Store) LookLock(ctx context.Context, pool string) (lock *filelock.Lock, err error) {
	if err := checkNames(spec.Volume{Pool: pool}); err != nil {
		return nil, err
	}
	path := s.lockFile(spec.Volume{Pool: pool})
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return filelock.Exclusive(ctx, path)
}

// IsFree reports whether no process has the lock of a volume at this moment. It
// makes no file.
func (s Store) IsFree(volume spec.Volume) (bool, error) { return s.isFree(volume, "") }

// IsBeingMounted reports whether a process has the mount lock of a volume. It
// makes no file. For a caller that holds the volume's lock, no process takes
// the mount lock after that.
func (s Store) IsBeingMounted(volume spec.Volume) (bool, error) {
	free, err := s.isFree(volume, forMount)
	return !free && err == nil, err
}

func (s Store) isFree(volume spec.Volume, which string) (bool, error) {
	if err := checkNames(volume); err != nil {
		return false, err
	}
	path := s.lockFile(volume) + which
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	lock, err := filelock.TryExclusive(path)
	if errors.Is(err, filelock.ErrLocked) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, lock.Unlock()
}

// Who names the process that has the lock of a volume, for example "pid 812
// (thin-snap create demo/base)".
func (s Store) Who(volume spec.Volume) string { return filelock.Who(s.lockFile(volume)) }

func (s Store) lockFile(volume spec.Volume) string {
	return filepath.Join(s.Dir, "locks", volume.Pool+"@"+volume.Name)
}

// DropTemp removes a temp file that Entries has listed. Its writer is dead: it
// would hold the lock that r has.
func (r *Ref) DropTemp(e Entry) error {
	if e.Kind != KindTemp || e.Volume != r.volume {
		return fmt.Errorf("%s: not a temp file of %s", e.Path, r.volume)
	}
	if err := os.Remove(e.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
