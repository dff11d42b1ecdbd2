package catalog

import (
	"time"

	"thinmount/lib/spec"
)

// The versions of the files that this program writes. It also reads a pool.json
// of version 1, which has the content of the journal, and makes the journal at
// the first change.
const (
	poolFormat    = 2
	recordFormat  = 1
	journalFormat = 1
)

// Pool is what the kernel does not know about a pool: the content of pool.json
// and of the journal. The journal has TransactionID, NextID, and the intents
// that name a volume.
type Pool struct {
	Format        int         `json:"format"`
	Name          string      `json:"name"`
	UUID          string      `json:"uuid"` // 32 hexadecimal digits
	Created       time.Time   `json:"created"`
	BlockSize     uint64      `json:"block_size"` // sectors of 512 bytes
	Data          Backing     `json:"data"`
	Metadata      Backing     `json:"metadata"`
	OnFull        spec.OnFull `json:"on_full"`
	Margin        *int        `json:"margin,omitempty"`         // percent, see FreeMargin
	FreezeSeconds int         `json:"freeze_limit,omitempty"`   // see FreezeLimit; 0 is the default
	TransactionID uint64      `json:"transaction_id,omitempty"` // must be that of the kernel's pool
	NextID        spec.ID     `json:"next_id,omitempty"`        // next to try; above MaxID: none
	Head          *spec.ID    `json:"head,omitempty"`           // of the first blocks; or nil
	Intents       []Intent    `json:"operations,omitempty"`

	done []Intent // whose files are not known to be durable, see the journal
}

// defaultMargin is the margin of a pool for which nobody has set one. MaxMargin
// is the largest margin. Both are in percent.
const (
	defaultMargin = 10
	MaxMargin     = 90
)

// FreeMargin returns which part (percent) of its data and of its metadata a
// pool keeps free of new volumes and snapshots. Existing volumes are still
// written to, and a delete needs metadata, too.
func (p Pool) FreeMargin() int {
	if p.Margin == nil {
		return defaultMargin
	}
	return *p.Margin
}

// defaultFreezeLimit is the limit of a pool for which nobody has set one.
// MaxFreezeLimit is the largest limit.
const (
	defaultFreezeLimit = 30 * time.Second
	MaxFreezeLimit     = 10 * time.Minute
)

// FreezeLimit returns how long a snapshot may keep its active origin suspended.
// A snapshot waits for the pool's commit, and so for flushes of the pool's
// disks.
func (p Pool) FreezeLimit() time.Duration {
	if p.FreezeSeconds == 0 {
		return defaultFreezeLimit
	}
	return time.Duration(p.FreezeSeconds) * time.Second
}

// The values of Backing.Kind.
const (
	KindFile   = "file"
	KindDevice = "device"
)

// Backing is a file or block device that carries a pool's data or metadata.
type Backing struct {
	Kind string `json:"kind"` // KindFile or KindDevice
	Path string `json:"path"` // absolute
	Size int64  `json:"size"` // bytes, without the label
}

// The values of Intent.Op. A format and a run are of a volume that exists in
// the kernel, and that goes if its command dies.
const (
	OpCreatePool = "create-pool"
	OpCreate     = "create"
	OpFormat     = "format"
	OpRun        = "run"
	OpDelete     = "delete"
	OpDeletePool = "delete-pool"
)

// Intent is a change that a command has begun. If the command dies, the next
// command undoes the change or goes on with it (Pool.Recovery). Until then no
// command shows the volume that the intent names.
type Intent struct {
	Op            string  `json:"op"`
	Volume        string  `json:"volume,omitempty"` // empty for an intent on the pool itself
	ID            spec.ID `json:"id"`
	TransactionID uint64  `json:"transaction_id"` // pool's next id when it goes to the kernel; or 0

	// Record is the record of the volume, if its file may not be durable.
	Record *Volume `json:"record,omitempty"`
	// Explicit says that the record's file does not show whether the intent
	// was carried out. The caller of BeginIntent sets it for a create that a
	// format follows; for a delete the journal's writer sets it.
	Explicit bool `json:"explicit,omitempty"`
	// Then is OpRun, for a create whose volume belongs to the command that
	// makes it: when the create is done, an intent with that operation follows,
	// without a write of its own.
	Then string `json:"then,omitempty"`
}

// Volume is the content of volumes/VOLUME.json.
type Volume struct {
	Format        int       `json:"format"`
	Name          string    `json:"name"`
	Pool          string    `json:"pool"`
	PoolUUID      string    `json:"pool_uuid"`
	ID            spec.ID   `json:"id"`
	Size          int64     `json:"size"` // bytes
	Origin        string    `json:"origin,omitempty"`
	OriginID      spec.ID   `json:"origin_id,omitempty"` // meaningful with Origin only
	FS            string    `json:"fs,omitempty"`
	Created       time.Time `json:"created"`
	TransactionID uint64    `json:"transaction_id"` // the pool's, after the volume was created

	// ReadOnly says that the device is read-only, and so is each mount of it.
	ReadOnly bool `json:"read_only,omitempty"`
	// Properties are the user's. A record without any has no such field, as the
	// records of older versions.
	Properties spec.Properties `json:"properties,omitempty"`
}

// Spec returns the volume's names. The receiver is a pointer because a Volume
// is large.
func (v *Volume) Spec() spec.Volume { return spec.Volume{Pool: v.Pool, Name: v.Name} }

// UnusedID returns the lowest thin id above tried that neither the pool nor one
// of its volumes uses. If tried is the last id, the search begins at 1.
// UnusedID never returns the last id.
func (p Pool) UnusedID(volumes []Volume, tried spec.ID) (id spec.ID, ok bool) {
	taken := map[spec.ID]bool{}
	for _, v := range volumes {
		taken[v.ID] = true
	}
	for _, op := range p.Intents {
		taken[op.ID] = true
	}
	if p.Head != nil {
		taken[*p.Head] = true
	}
	if tried == spec.MaxID {
		tried = 0
	}
	for id = tried + 1; id < spec.MaxID; id++ {
		if !taken[id] {
			return id, true
		}
	}
	return 0, false
}
