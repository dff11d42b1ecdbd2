package thin

import (
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/label"
	"thinmount/lib/thinpool"
)

// usage reads from the pool's metadata how many bytes each thin id maps, for
// the volumes that are not active and so cannot be asked. It is nil where the
// metadata cannot be read: use is then shown as unknown. Without own, the active
// devices are those of a copy of the pool.
func (s *System) usage(c *dm.Control, cat *catalog.Catalog, own bool) map[uint32]int64 {
	cfg := cat.Pool()
	path, at := cfg.Metadata.Path, int64(label.Reserved)
	if _, err := c.Info(dm.ByUUID(partUUID(cfg.UUID, partMeta))); err == nil && own {
		path, at = c.NodePath(partName(cfg.Name, partMeta)), 0
	}
	if at > 0 && !carriesPart(cfg, partMeta, path) {
		return nil // another disk's metadata, say
	}
	if own && len(suspended(c, cfg.UUID)) > 0 {
		return nil // to read would hang
	}
	f, err := openDirect(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	devices, err := thinpool.ReadDevices(f, at)
	if err != nil {
		s.step("pool %s: metadata: %v", cfg.Name, err)
		return nil
	}
	used := make(map[uint32]int64, len(devices))
	for id, d := range devices {
		used[uint32(id)] = int64(d.Mapped) * int64(cfg.BlockSize) * dm.SectorSize
	}
	return used
}
