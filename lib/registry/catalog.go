package registry

import (
	"errors"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/host"
)

// OpenCatalog reads the catalog of a pool, and settles what the power may have
// taken (settle.go). Its errors name the pool and say what helps. The error is
// fault.ErrNotFound if there is no such pool, or if the folder was copied or
// moved.
func OpenCatalog(s *host.System, name string) (*catalog.Catalog, error) {
	cat, err := ReadCatalog(s, name)
	if err == nil {
		settle(cat)
	}
	return cat, err
}

// ReadCatalog is OpenCatalog for recovery and for a check: it settles nothing.
func ReadCatalog(s *host.System, name string) (*catalog.Catalog, error) {
	cat, err := s.Catalogs().Open(name)
	switch {
	case err == nil:
		return cat, nil
	case errors.Is(err, catalog.ErrNoPool):
		if err := RefuseRest(s, name, fault.ErrNotFound); err != nil {
			return nil, err
		}
		if err := s.Hidden(); err != nil {
			return nil, err
		}
		if m := s.Catalogs().Misplaced(name); m != nil {
			return nil, &fault.Error{Object: "pool " + name,
				Err:    fault.Errorf(fault.ErrNotFound, "no such pool, but %s %w", m.Dir, m),
				Remedy: host.RemedyOf(Misplaced(name, fault.ErrNotFound, m))}
		}
		return nil, NoPool(name)
	}
	var m *catalog.MisplacedError
	if errors.As(err, &m) {
		return nil, Misplaced(name, fault.ErrNotFound, m)
	}
	return nil, Corrupt("pool "+name, err)
}

// RefuseRest returns an error of the given kind if the pool's folder has no
// pool.json but holds other files, which may be those of a pool. Otherwise it
// returns nil.
func RefuseRest(s *host.System, name string, kind error) error {
	strays, err := s.Catalogs().Strays()
	if err != nil {
		return &fault.Error{Object: "pool " + name, Err: err}
	}
	for _, d := range strays {
		if d.Name == name && d.Holds != "" {
			return &fault.Error{Object: "pool " + name,
				Err: fault.Errorf(kind, "has no pool.json, but there is %s", d.Holds),
				Remedy: fault.Hint("restore " + d.Path + "/pool.json from a backup, or move " +
					d.Path + " away")}
		}
	}
	return nil
}

// Corrupt adds the object to an error of reading the catalog. If a file of the
// catalog is damaged, it also adds what helps.
func Corrupt(object string, err error) error {
	var c *catalog.CorruptError
	if errors.As(err, &c) {
		return &fault.Error{Object: object, Err: err,
			Remedy: fault.Hint("restore " + c.Path + " from a backup; nothing was changed")}
	}
	return &fault.Error{Object: object, Err: err}
}

// NoPool returns the error for a pool that does not exist (fault.ErrNotFound).
func NoPool(name string) error {
	return &fault.Error{Object: "pool " + name,
		Err:    fault.Errorf(fault.ErrNotFound, "no such pool"),
		Remedy: fault.Sayf("%v, or make it: %v", fault.ListPools{}, fault.CreatePool{Pool: name})}
}
