package refcount

// Traces gives the names of a pool's volumes of which the store holds a lock
// file (false), or a record or the temp file of one (true). A pool that has
// only its own lock has no volumes.
func (s Store) Traces(pool string) (map[string]bool, error) {
	found := map[string]bool{}
	all, err := s.Entries()
	for _, e := range all {
		if e.Volume.Pool == pool && e.Volume.Name != "" {
			found[e.Volume.Name] = found[e.Volume.Name] || e.Kind != KindLock
		}
	}
	return found, err
}

// LockedPools gives the names of all pools that have a lock file of their own.
func (s Store) LockedPools() ([]string, error) {
	var pools []string
	all, err := s.Entries()
	for _, e := range all {
		if e.Kind == KindLock && e.Volume.Name == "" {
			pools = append(pools, e.Volume.Pool)
		}
	}
	return pools, err
}

// Tidy removes the temp files of the volume's record. Their writers are dead:
// they would hold the lock that r has.
func (r *Ref) Tidy() error {
	all, err := r.store.Entries()
	if err != nil {
		return err
	}
	for _, e := range all {
		if e.Kind == KindTemp && e.Volume == r.volume {
			if err := r.DropTemp(e); err != nil {
				return err
			}
		}
	}
	return nil
}
