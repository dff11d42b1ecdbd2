package pools

import (
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/thinpool"
)

// metadataToo is the size (bytes) that metadata is to have when the data grows
// to data and nobody has said a size for metadata: enough for that, as far as its
// device goes. meta is its size without that.
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

// warnLittleMetadata tells whoever makes or grows a pool that its metadata would
// run full long before its data: it has less than half of what is taken where
// no size is said, which is what LVM takes.
func warnLittleMetadata(s *host.System, cfg catalog.Pool) {
	need := thinpool.MetadataFor(cfg.Data.Size, dm.Sectors(cfg.BlockSize))
	if cfg.Metadata.Size >= need/2 {
		return
	}
	var remedy fault.Remedy = fault.GrowPool{Pool: cfg.Name, Metadata: fault.Growth{Size: need}}
	if cfg.Metadata.Kind == catalog.KindDevice {
		remedy = fault.Sayf("make %s larger; then %v", fault.ShellPath(cfg.Metadata.Path), remedy)
	}
	s.Warnf("pool %s: %s of metadata are little for %s of data, and may run full before it: wanted are %s (%v)",
		cfg.Name, fault.SizeText(cfg.Metadata.Size), fault.SizeText(cfg.Data.Size), fault.SizeText(need), remedy)
}
