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
	d, exists := committedDevices(cat.Pool())[op.ID]
	if exists && d.TransactionID == op.TransactionID {
		cat.Settle(op)
	}
}

// committedDevices reads what the pool's metadata has of each thin id. It reads
// from the disk or file below the pool's devices, which may be suspended. It
// returns nil if it cannot: activating the pool reports why.
func committedDevices(cfg catalog.Pool) map[spec.ID]thinpool.Details {
	path := cfg.Metadata.Path
	if !backing.CarriesPart(cfg, dmname.Meta, path) {
		found, err := backing.FindBackings(cfg)
		if err != nil {
			return nil
		}
		path = found[dmname.Meta].Path
	}
	f, err := host.OpenDirect(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	devices, err := thinpool.ReadDevices(f, label.Reserved)
	if err != nil {
		return nil
	}
	return devices
}
