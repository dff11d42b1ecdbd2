package health

import (
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/thinpool"
)

// Provisioned returns the sum of the sizes of volumes in bytes: what they would
// take if all of them were full and shared nothing. It returns the largest
// int64 if the sum is larger.
func Provisioned(volumes []catalog.Volume) (sum int64) {
	for _, v := range volumes {
		if sum += v.Size; sum < 0 {
			return 1<<63 - 1
		}
	}
	return sum
}

// Overcommitted says that the volumes of a pool together are larger than the
// pool, or returns "". All sizes are in bytes: has is what the pool can hold,
// before is the sum of the volumes that existed, and adding is the size of a
// new volume. It returns a text if the new volume makes the sum too large, or
// if the new volume alone is too large. So a user is warned once, and not at
// each volume that follows.
func Overcommitted(pool string, has, before, adding int64) string {
	sum := before + adding
	if sum < 0 {
		sum = 1<<63 - 1
	}
	if sum <= has || before > has && adding <= has {
		return ""
	}
	return fmt.Sprintf(
		"the sum of all volumes' sizes in pool %s (%s) exceeds what the pool can hold (%s): "+
			"grow it before it is full",
		pool, fault.SizeText(sum), fault.SizeText(has))
}

// SummedVolumes is the largest number of volumes of which create adds up the
// sizes. Adding them up reads a record for each volume.
const SummedVolumes = 100

// WarnLargerThanBelow warns that the filesystem below a pool in files has less
// room than the pool may take. A command calls it after it has made or grown
// the pool.
func WarnLargerThanBelow(s *host.System, cfg catalog.Pool) {
	r := RoomBelow(cfg)
	if r.Total > 0 && r.Free+r.Allocated < cfg.Data.Size {
		s.Warnf(
			"pool %s: can grow to %s, but %s has only %s left for it: writes fail when that is "+
				"full",
			cfg.Name, fault.SizeText(cfg.Data.Size), r.Mount(), fault.SizeText(r.Free+r.Allocated))
	}
}

// Sizes of a new pool for which the user gives none.
const (
	DefaultPoolSize  int64 = 100 << 30 // bytes; less if the filesystem has less; the file is sparse
	DefaultBlockSize int64 = 64 << 10  // bytes
)

// BlockBytes returns the size of a pool's blocks in bytes.
func BlockBytes(cfg catalog.Pool) int64 { return int64(cfg.BlockSize) * dm.SectorSize }

// Room is the room for a pool's data in the filesystem that the pool's files
// lie on.
type Room struct {
	dir       string // a folder on that filesystem
	Free      int64  // bytes that root may still write there
	Total     int64  // bytes of the filesystem; 0 if unknown, as for a pool on devices
	Allocated int64  // bytes that the data file has blocks for, whether the pool uses them or not
}

// roomFor asks the filesystem that dir lies on, or that its nearest existing
// parent lies on. It returns the zero value if it cannot ask the filesystem.
func roomFor(dir string) Room {
	var fs unix.Statfs_t
	err := unix.Statfs(dir, &fs)
	for ; errors.Is(err, unix.ENOENT) && dir != "/"; err = unix.Statfs(dir, &fs) {
		dir = filepath.Dir(dir)
	}
	if err != nil {
		return Room{}
	}
	unit := int64(fs.Frsize)
	if unit == 0 {
		unit = int64(fs.Bsize)
	}
	return Room{dir: dir, Free: int64(fs.Bavail) * unit, Total: int64(fs.Blocks) * unit}
}

// RoomBelow returns the room below a pool in files, and the zero value for any
// other pool. It asks the filesystem and not the kernel's pool, so it does not
// wait for a suspended pool.
func RoomBelow(cfg catalog.Pool) Room {
	if cfg.Data.Kind != catalog.KindFile {
		return Room{}
	}
	var st unix.Stat_t
	if err := unix.Lstat(cfg.Data.Path, &st); err != nil {
		return Room{}
	}
	r := roomFor(filepath.Dir(cfg.Data.Path))
	r.Allocated = max(0, st.Blocks*512-label.Reserved)
	return r
}

// Mount returns where the filesystem is mounted.
func (r Room) Mount() string { return mountPoint(r.dir) }

// mountPoint returns the topmost folder of the filesystem that dir lies on.
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

// Left returns how many bytes of data the pool can still take: what the
// filesystem has free, and the blocks of the data file that the pool does not
// use.
func (r Room) Left(cfg catalog.Pool, st thinpool.Status) int64 {
	return r.Free + max(0, r.Allocated-int64(st.DataUsed)*BlockBytes(cfg))
}

// Limits tells whether the filesystem is full before the pool is.
func (r Room) Limits(cfg catalog.Pool, st thinpool.Status) bool {
	return r.Total > 0 && st.DataTotal > 0 &&
		r.Left(cfg, st) < int64(Spaces(cfg, st)[0].Free())*BlockBytes(cfg)
}

// Short says that the filesystem has too little room for new volumes of the
// pool. "" means that it has enough. The margin is a share of what the pool can
// hold at most: of its size, or of the filesystem's if that is smaller.
func (r Room) Short(cfg catalog.Pool, st thinpool.Status) string {
	most := min(r.Total, int64(st.DataTotal)*BlockBytes(cfg))
	if !r.Limits(cfg, st) || r.Left(cfg, st)/100 >= most/100*int64(cfg.FreeMargin())/100 {
		return ""
	}
	return fmt.Sprintf(
		"%s, which its files lie on, has room for %s, less than the margin of %d%% of %s",
		r.Mount(), fault.SizeText(r.Left(cfg, st)), cfg.FreeMargin(), fault.SizeText(most))
}

// Full says that the filesystem has almost no room left for the pool. "" means
// that it has some.
func (r Room) Full(cfg catalog.Pool, st thinpool.Status) string {
	if r.Total == 0 || r.Free >= max(1<<20, BlockBytes(cfg)) ||
		st.DataTotal > 0 && !r.Limits(cfg, st) {
		return ""
	}
	return fmt.Sprintf("%s, which its files lie on, is full: %s are left", r.Mount(),
		fault.SizeText(r.Free))
}

// Remedy returns what a user can do about Short and Full.
func (r Room) Remedy() fault.Remedy {
	return fault.Hint("make room: df " + fault.ShellPath(r.Mount()) + "; or delete volumes")
}

// LeastDefault is the smallest size in bytes that a new pool gets from
// DefaultSize. A command makes no pool if DefaultSize returns less.
const LeastDefault = 64 << 20

// DefaultSize returns the size in bytes of a new pool in the folder dir for
// which the user gives none: 100 GiB, or nine tenths of what the filesystem has
// free besides the metadata, if that is less. metadata is the size of the
// metadata in bytes, or 0 if the user gives none. r is the room in that
// filesystem.
func DefaultSize(dir string, metadata int64, blockSize int64) (size int64, r Room) {
	r = roomFor(dir)
	if r.Total == 0 {
		return DefaultPoolSize, r
	}
	if metadata == 0 {
		metadata = thinpool.MetadataSize(min(r.Free, DefaultPoolSize),
			dm.Sectors(blockSize/dm.SectorSize))
	}
	size = max(0, (r.Free-metadata)/10*9)
	unit := max(blockSize, 1<<20)
	return min(DefaultPoolSize, size/unit*unit), r
}
