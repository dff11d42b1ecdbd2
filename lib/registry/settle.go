package registry

import (
	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dmname"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// settle finds out from the pool's metadata whether the volume exists that was
// made last, if the power has taken the file of its record. So every command
// shows the volume, before one has activated the pool and written the file
// anew.
func settle(cat *catalog.Catalog) {
	op, undecided := cat.Undecided()
	if !undecided {
		return
	}
	d, exists := committedDevice(cat.Pool(), op.ID)
	if exists && d.TransactionID == op.TransactionID {
		cat.Settle(op)
	}
}

// committedDevice reads what the pool's metadata has of a thin id. It reads
// from the disk or file below the pool's devices, which may be suspended. If it
// cannot, exists is false: activating the pool reports why.
func committedDevice(cfg catalog.Pool, id spec.ID) (d thinpool.Details, exists bool) {
	path := cfg.Metadata.Path
	if !backing.CarriesPart(cfg, dmname.Meta, path) {
		found, err := backing.FindBackings(cfg)
		if err != nil {
			return d, false
		}
		path = found[dmname.Meta].Path
	}
	f, err := host.OpenDirect(path)
	if err != nil {
		return d, false
	}
	defer f.Close()
	d, exists, err = thinpool.ReadDevice(f, label.Reserved, id)
	return d, exists && err == nil
}
