package refcount

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"thinmount/lib/filelock"
)

// Traces gives the names of a pool's volumes of which the store holds a lock file (false), or a record or the temp file of one (true). A
// pool that has only its own lock has no volumes.
func (s Store) Traces(pool string) (map[string]bool, error) {
	found := map[string]bool{}
	locks, err := s.names("locks")
	if err != nil {
		return nil, err
	}
	for _, name := range locks {
		of, volume, _ := strings.Cut(strings.TrimSuffix(name, filelock.Turnstile), "@")
		if of == pool && volume != "" && checkNames(of, volume) == nil {
			found[volume] = false
		}
	}
	records, err := s.names("refs")
	if err != nil {
		return nil, err
	}
	for _, name := range records {
		end := strings.LastIndex(name, ".json")
		of, volume, _ := strings.Cut(strings.TrimPrefix(name[:max(end, 0)], "."), "@")
		if of == pool && volume != "" && checkNames(of, volume) == nil {
			found[volume] = true
		}
	}
	return found, nil
}

// LockedPools gives the names of all pools that have a lock file of their own.
func (s Store) LockedPools() ([]string, error) {
	locks, err := s.names("locks")
	if err != nil {
		return nil, err
	}
	var pools []string
	for _, name := range locks {
		if pool, volume, ok := strings.Cut(strings.TrimSuffix(name, filelock.Turnstile), "@"); ok && volume == "" && checkNames(pool, volume) == nil {
			pools = append(pools, pool)
		}
	}
	return pools, nil
}

func (s Store) names(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(s.Dir, dir))
	if err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("refcount: %w", err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

// isDigits tells the random end of a temp file's name (renameio.NewPendingFile).
func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// Tidy removes the temp files of the volume's record: whoever wrote there held the lock, and so is dead.
func (r *Ref) Tidy() error {
	names, err := r.store.names("refs")
	if err != nil {
		return err
	}
	for _, name := range names {
		rest, ok := strings.CutPrefix(name, "."+filepath.Base(r.path()))
		if !ok || !isDigits(rest) {
			continue
		}
		if err := os.Remove(filepath.Join(r.store.Dir, "refs", name)); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("refcount: record of %s: %w", r.name(), err)
		}
	}
	return nil
}
