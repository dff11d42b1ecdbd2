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

// Provisioned is the sum of the sizes (bytes) of volumes: what they would take
// if all of them were full and shared nothing.
func Provisioned(volumes []catalog.Volume) (sum int64) {
	for _, v := range volumes {
		if sum += v.Size; sum < 0 {
			return 1<<63 - 1
		}
	}
	return sum
}

// Overcommitted says by how much a pool promises more than it has, if adding
// (bytes) a volume makes it so, or if that volume alone does; else "". It says so
// once, not at each volume that follows.
func Overcommitted(pool string, has, before, adding int64) string {
	sum := before + adding
	if sum < 0 {
		sum = 1<<63 - 1
	}
	if sum <= has || before > has && adding <= has {
		return ""
	}
	return fmt.Sprintf("the sum of all volumes' sizes in pool %s (%s) exceeds what the pool can hold (%s): see to it that it does not run full",
		pool, fault.SizeText(sum), fault.SizeText(has))
}

// SummedVolumes is how many volumes a pool may have for their sizes to be added
// up at each create: that reads a record of each.
const SummedVolumes = 100

// WarnLargerThanBelow tells whoever makes or grows a pool in files that the
// filesystem below has not as much as the pool is to hold.
func WarnLargerThanBelow(s *host.System, cfg catalog.Pool) {
	r := RoomBelow(cfg)
	if r.Total > 0 && r.Free+r.Allocated < cfg.Data.Size {
		s.Warnf("pool %s: can grow to %s, but %s has only %s left for it: writes fail when that is full",
			cfg.Name, fault.SizeText(cfg.Data.Size), r.Mount(), fault.SizeText(r.Free+r.Allocated))
	}
}

// Sizes of a pool for which none are given.
const (
	DefaultPoolSize  int64 = 100 << 30 // bytes; the file is sparse; less where there is less
	DefaultBlockSize int64 = 64 << 10  // bytes
)

// BlockBytes is the size (bytes) of a pool's block.
func BlockBytes(cfg catalog.Pool) int64 { return int64(cfg.BlockSize) * dm.SectorSize }

// Room is what the filesystem below a pool's files has for its data.
type Room struct {
	dir       string // on that filesystem
	Free      int64  // bytes that root may still write there
	Total     int64  // bytes; 0 where nothing is known, as of a pool on devices
	Allocated int64  // bytes that the data file has blocks for, used by the pool or not
}

// roomFor asks the filesystem that a folder lies on; its nearest parent will do
// where the folder is still to be made. The zero value is for one that does not
// tell.
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

// RoomBelow is the room below a pool in files. It asks the disk, not the kernel's
// pool, and so never waits for one that is suspended.
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

// Mount is where the filesystem is mounted.
func (r Room) Mount() string { return mountPoint(r.dir) }

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

// Left is how much (bytes) the pool can still take on: what the filesystem has,
// and what the data file has got and does not use.
func (r Room) Left(cfg catalog.Pool, st thinpool.Status) int64 {
	return r.Free + max(0, r.Allocated-int64(st.DataUsed)*BlockBytes(cfg))
}

// Limits says that the filesystem, and not the pool's size, is what runs out.
func (r Room) Limits(cfg catalog.Pool, st thinpool.Status) bool {
	return r.Total > 0 && st.DataTotal > 0 && r.Left(cfg, st) < int64(Spaces(cfg, st)[0].Free())*BlockBytes(cfg)
}

// Short says what there is too little of below the pool for new volumes; "" is
// nothing. The margin is of what the pool can become at most.
func (r Room) Short(cfg catalog.Pool, st thinpool.Status) string {
	most := min(r.Total, int64(st.DataTotal)*BlockBytes(cfg))
	if !r.Limits(cfg, st) || r.Left(cfg, st)/100 >= most/100*int64(cfg.FreeMargin())/100 {
		return ""
	}
	return fmt.Sprintf("%s, which its files lie on, has room for %s, less than the margin of %d%% of %s",
		r.Mount(), fault.SizeText(r.Left(cfg, st)), cfg.FreeMargin(), fault.SizeText(most))
}

// Full says that the filesystem has next to nothing for the pool any more; ""
// is that it has.
func (r Room) Full(cfg catalog.Pool, st thinpool.Status) string {
	if r.Total == 0 || r.Free >= max(1<<20, BlockBytes(cfg)) || st.DataTotal > 0 && !r.Limits(cfg, st) {
		return ""
	}
	return fmt.Sprintf("%s, which its files lie on, is full: %s are left", r.Mount(), fault.SizeText(r.Free))
}

// Remedy is the way out of that.
func (r Room) Remedy() fault.Remedy {
	return fault.Hint("make room: df " + fault.ShellPath(r.Mount()) + "; or delete volumes")
}

// LeastDefault is the least that defaultSize may come to (bytes).
const LeastDefault = 64 << 20

// DefaultSize is the size (bytes) of a new pool in files for which none is
// given: 100 GiB, or nine tenths of what the filesystem has besides the
// metadata. metadata is its size (bytes) if that is given.
func DefaultSize(dir string, metadata int64, blockSize int64) (size int64, r Room) {
	r = roomFor(dir)
	if r.Total == 0 {
		return DefaultPoolSize, r
	}
	if metadata == 0 {
		metadata = thinpool.MetadataSize(min(r.Free, DefaultPoolSize), dm.Sectors(blockSize/dm.SectorSize))
	}
	size = max(0, (r.Free-metadata)/10*9)
	unit := max(blockSize, 1<<20)
	return min(DefaultPoolSize, size/unit*unit), r
}
