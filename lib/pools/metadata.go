package pools

import (
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/thinpool"
)

// metadataToo returns the size (bytes) that the metadata gets when the data
// grows to data bytes. meta is the size (bytes) that spec and the device give
// it. If spec names no size for metadata, it becomes as large as the data
// needs, and no larger than its device allows.
func metadataToo(cfg catalog.Pool, spec GrowSpec, data, meta int64) (int64, error) {
	need := thinpool.MetadataFor(data, dm.Sectors(cfg.BlockSize))
	if spec.Metadata != (Growth{}) || data <= cfg.Data.Size || meta >= need {
		return meta, nil
	}
	if cfg.Metadata.Kind == catalog.KindDevice {
		all, err := deviceSize(cfg.Metadata.Path)
		if err != nil {
			return 0, err
		}
		need = min(need, (all-label.Reserved)/thinpool.MetadataBlock*thinpool.MetadataBlock)
	}
	return max(meta, need), nil
}

// warnLittleMetadata warns if the metadata may run full long before the data.
// That is if it has less than half of the size that a pool gets by default, and
// so less than LVM would give it.
func warnLittleMetadata(s *host.System, cfg catalog.Pool) {
	need := thinpool.MetadataFor(cfg.Data.Size, dm.Sectors(cfg.BlockSize))
	if cfg.Metadata.Size >= need/2 {
		return
	}
	var remedy fault.Remedy = fault.GrowPool{Pool: cfg.Name, Metadata: fault.Growth{Size: need}}
	if cfg.Metadata.Kind == catalog.KindDevice {
		remedy = fault.Sayf("make %s larger; then %v", fault.ShellPath(cfg.Metadata.Path), remedy)
	}
	s.Warnf(
		"pool %s: %s of metadata are little for %s of data, and may run full before it: wanted "+
			"are %s (%v)",
		cfg.Name, fault.SizeText(cfg.Metadata.Size), fault.SizeText(cfg.Data.Size),
		fault.SizeText(need), remedy)
}
