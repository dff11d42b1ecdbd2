package catalog

import (
	"encoding/json"
	"fmt"

	"thinmount/lib/jsonfile"
	"thinmount/lib/spec"
)

// decodePool decodes pool.json. reason says why the file is damaged, or is "".
func decodePool(b []byte, name string) (p Pool, reason string) {
	if reason := jsonfile.Decode(b, &p); reason != "" {
		return Pool{}, reason
	}
	if p.Name != name {
		return Pool{}, fmt.Sprintf("belongs to pool %q, but lies in the folder of %q", p.Name, name)
	}
	if reason := p.flaw(); reason != "" {
		return Pool{}, reason
	}
	return p, ""
}

// decodeVolume decodes a volume's record. reason says why the file is damaged
// or in the wrong place, or is "".
func decodeVolume(b []byte, name string, p Pool) (v Volume, reason string) {
	v, ok := quickVolume(b, p)
	if !ok {
		v = Volume{}
		if reason := jsonfile.Decode(b, &v); reason != "" {
			return Volume{}, reason
		}
	}
	if v.Name != name {
		return Volume{}, fmt.Sprintf("belongs to volume %q, but is called %q", v.Name, name)
	}
	if reason := v.flaw(p); reason != "" {
		return Volume{}, reason
	}
	return v, ""
}

func encodeVolume(v Volume, p Pool) (b []byte, reason string) {
	if err := spec.CheckVolumeName(v.Name); err != nil {
		return nil, err.Error()
	}
	if reason := v.flaw(p); reason != "" {
		return nil, reason
	}
	return encode(v)
}

func encode(v any) (b []byte, reason string) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, err.Error()
	}
	if len(b) >= maxFile {
		return nil, fmt.Sprintf("would be larger than %d bytes", maxFile)
	}
	return append(b, '\n'), ""
}
