package catalog

import "time"

// format is the version of the files that this program writes.
const format = 1

// maxID is the greatest thin id: they have 24 bits (kernel:
// drivers/md/dm-thin-metadata.c).
const maxID = 1<<24 - 1

// Pool is pool.json: what the kernel does not know about a pool.
type Pool struct {
	Format        int       `json:"format"`
	Name          string    `json:"name"`
	UUID          string    `json:"uuid"` // 32 hexadecimal digits
	Created       time.Time `json:"created"`
	BlockSize     uint64    `json:"block_size"` // sectors of 512 bytes
	Data          Backing   `json:"data"`
	Metadata      Backing   `json:"metadata"`
	OnFull        string    `json:"on_full"`                // "error" or "queue"
	Margin        *int      `json:"margin,omitempty"`       // percent, see FreeMargin
	FreezeSeconds int       `json:"freeze_limit,omitempty"` // see FreezeLimit; 0 is the default
	TransactionID uint64    `json:"transaction_id"`         // what the kernel's pool must be at
	NextID        uint32    `json:"next_id"`                // to try next; maxID+1: none is left
	Head          *uint32   `json:"head,omitempty"`         // its id has the first blocks; or nil
	Intents       []Intent  `json:"operations,omitempty"`
}

// defaultMargin is the margin (percent) of a pool that none was set for, and
// MaxMargin the largest.
const (
	defaultMargin = 10
	MaxMargin     = 90
)

// FreeMargin is how much (percent) of its data and of its metadata a pool keeps
// free of new volumes and snapshots: what is there is still written to, and
// deleting takes metadata too.
func (p Pool) FreeMargin() int {
	if p.Margin == nil {
		return defaultMargin
	}
	return *p.Margin
}

// defaultFreezeLimit is the limit of a pool that none was set for, and
// MaxFreezeLimit the largest.
const (
	defaultFreezeLimit = 30 * time.Second
	MaxFreezeLimit     = 10 * time.Minute
)

// FreezeLimit is how long a snapshot may keep its active origin suspended. It
// has to wait for the pool's commit, and so for flushes of the pool's disks.
func (p Pool) FreezeLimit() time.Duration {
	if p.FreezeSeconds == 0 {
		return defaultFreezeLimit
	}
	return time.Duration(p.FreezeSeconds) * time.Second
}

// Kinds of backing devices.
const (
	KindFile   = "file"
	KindDevice = "device"
)

// Backing is a file or block device that carries a pool's data or metadata.
type Backing struct {
	Kind string `json:"kind"` // KindFile or KindDevice
	Path string `json:"path"` // absolute
	Size int64  `json:"size"` // bytes, after the label
}

// What an intent is for.
const (
	OpCreatePool = "create-pool"
	OpCreate     = "create"
	OpFormat     = "format"
	OpDelete     = "delete"
	OpDeletePool = "delete-pool"
)

// Intent is a change that a command has begun. If the command dies, the next
// one undoes the change or goes on with it (Pool.Recovery). No other command
// sees the volume that it names.
type Intent struct {
	Op            string `json:"op"`
	Volume        string `json:"volume,omitempty"` // empty for an intent on the pool itself
	ID            uint32 `json:"id"`
	TransactionID uint64 `json:"transaction_id"` // pool's, once the kernel has been told; 0 before
}

// Volume is volumes/VOLUME.json.
type Volume struct {
	Format        int       `json:"format"`
	Name          string    `json:"name"`
	Pool          string    `json:"pool"`
	PoolUUID      string    `json:"pool_uuid"`
	ID            uint32    `json:"id"`
	Size          int64     `json:"size"` // bytes
	Origin        string    `json:"origin,omitempty"`
	OriginID      uint32    `json:"origin_id,omitempty"` // meaningful with Origin only
	FS            string    `json:"fs,omitempty"`
	Created       time.Time `json:"created"`
	TransactionID uint64    `json:"transaction_id"` // the pool's, after it was created
}
