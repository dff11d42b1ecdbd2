package thin

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/label"
	"thinmount/lib/thinpool"
)

// room is what the filesystem below a pool's files has for its data.
type room struct {
	dir       string // on that filesystem
	free      int64  // bytes that root may still write there
	total     int64  // bytes; 0 where nothing is known, as of a pool on devices
	allocated int64  // bytes that the data file has blocks for, used by the pool or not
}

// roomFor asks the filesystem that a folder lies on; its nearest parent will do
// where the folder is still to be made. The zero value is for one that does not
// tell.
func roomFor(dir string) room {
	var fs unix.Statfs_t
	err := unix.Statfs(dir, &fs)
	for ; err == unix.ENOENT && dir != "/"; err = unix.Statfs(dir, &fs) {
		dir = filepath.Dir(dir)
	}
	if err != nil {
		return room{}
	}
	unit := int64(fs.Frsize)
	if unit == 0 {
		unit = int64(fs.Bsize)
	}
	return room{dir: dir, free: int64(fs.Bavail) * unit, total: int64(fs.Blocks) * unit}
}

// roomBelow is the room below a pool in files. It asks the disk, not the kernel's
// pool, and so never waits for one that is suspended.
func roomBelow(cfg catalog.Pool) room {
	if cfg.Data.Kind != catalog.KindFile {
		return room{}
	}
	var st unix.Stat_t
	if err := unix.Lstat(cfg.Data.Path, &st); err != nil {
		return room{}
	}
	r := roomFor(filepath.Dir(cfg.Data.Path))
	r.allocated = max(0, st.Blocks*512-label.Reserved)
	return r
}

// mount is where the filesystem is mounted.
func (r room) mount() string { return mountPoint(r.dir) }

// mountPoint is the uppermost folder of the filesystem that dir lies on.
func mountPoint(dir string) string {
	var st, above unix.Stat_t
	if unix.Stat(dir, &st) != nil {
		return dir
	}
	for dir != "/" && unix.Stat(filepath.Dir(dir), &above) == nil && above.Dev == st.Dev {
		dir = filepath.Dir(dir)
	}
	return dir
}

// left is how much (bytes) the pool can still take on: what the filesystem has,
// and what the data file has got and does not use.
func (r room) left(cfg catalog.Pool, st thinpool.Status) int64 {
	return r.free + max(0, r.allocated-int64(st.DataUsed)*blockBytes(cfg))
}

// limits says that the filesystem, and not the pool's size, is what runs out.
func (r room) limits(cfg catalog.Pool, st thinpool.Status) bool {
	return r.total > 0 && st.DataTotal > 0 && r.left(cfg, st) < int64(spaces(cfg, st)[0].free())*blockBytes(cfg)
}

// short says what there is too little of below the pool for new volumes; "" is
// nothing. The margin is of what the pool can become at most.
func (r room) short(cfg catalog.Pool, st thinpool.Status) string {
	most := min(r.total, int64(st.DataTotal)*blockBytes(cfg))
	if !r.limits(cfg, st) || r.left(cfg, st)/100 >= most/100*int64(cfg.FreeMargin())/100 {
		return ""
	}
	return fmt.Sprintf("%s, which its files lie on, has room for %s, less than the margin of %d%% of %s",
		r.mount(), sizeText(r.left(cfg, st)), cfg.FreeMargin(), sizeText(most))
}

// full says that the filesystem has next to nothing for the pool any more; ""
// is that it has.
func (r room) full(cfg catalog.Pool, st thinpool.Status) string {
	if r.total == 0 || r.free >= max(1<<20, blockBytes(cfg)) || st.DataTotal > 0 && !r.limits(cfg, st) {
		return ""
	}
	return fmt.Sprintf("%s, which its files lie on, is full: %s are left", r.mount(), sizeText(r.free))
}

// roomHint is the way out of that.
func (r room) hint() string {
	return "make room: df " + shellPath(r.mount()) + "; or delete volumes"
}

// ranFull adds to the error of who has written to a volume that the pool has run
// full by it.
func (p *pool) ranFull(err error) error {
	st, e := p.thin.Status()
	if e != nil {
		return err
	}
	cfg := p.cat.Pool()
	if !st.OutOfData() && roomBelow(cfg).full(cfg, st) == "" {
		return err
	}
	state := p.inState(st)
	return &Error{Err: wrap(ErrPoolState, fmt.Errorf("%w; by that the pool has run full: %w", err, state)), Hint: Hint(state)}
}

// leastDefault is the least that defaultSize may come to (bytes).
const leastDefault = 64 << 20

// defaultSize is the size (bytes) of a new pool in files for which none is
// given: 100 GiB, or nine tenths of what the filesystem has besides the
// metadata. metadata is its size (bytes) if that is given.
func defaultSize(dir string, metadata int64, blockSize int64) (size int64, r room) {
	r = roomFor(dir)
	if r.total == 0 {
		return DefaultPoolSize, r
	}
	if metadata == 0 {
		metadata = thinpool.MetadataSize(min(r.free, DefaultPoolSize), dm.Sectors(blockSize/dm.SectorSize))
	}
	size = max(0, (r.free-metadata)/10*9)
	unit := max(blockSize, 1<<20)
	return min(DefaultPoolSize, size/unit*unit), r
}
