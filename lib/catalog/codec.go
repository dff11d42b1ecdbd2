package catalog

import (
	"encoding/json"
	"fmt"
)

// decodePool reads pool.json; reason says why it is damaged.
func decodePool(b []byte, name string) (p Pool, reason string) {
	if reason := decode(b, &p); reason != "" {
		return Pool{}, reason
	}
	if p.Name != name {
		return Pool{}, fmt.Sprintf("is of pool %q, but lies in the folder of %q", p.Name, name)
	}
	if reason := p.flaw(); reason != "" {
		return Pool{}, reason
	}
	return p, ""
}

// decodeVolume reads a volume's record; reason says why it is damaged or in the wrong place.
func decodeVolume(b []byte, name string, p Pool) (v Volume, reason string) {
	if reason := decode(b, &v); reason != "" {
		return Volume{}, reason
	}
	if v.Name != name {
		return Volume{}, fmt.Sprintf("is of volume %q, but is called %q", v.Name, name)
	}
	if reason := v.flaw(p); reason != "" {
		return Volume{}, reason
	}
	return v, ""
}

// decode reads one JSON value, with nothing after it. Fields of the wrong type are refused, unknown ones passed over.
func decode(b []byte, to any) (reason string) {
	if err := json.Unmarshal(b, to); err != nil {
		return err.Error()
	}
	return ""
}

func encodePool(p Pool) (b []byte, reason string) {
	if reason := p.flaw(); reason != "" {
		return nil, reason
	}
	return encode(p)
}

func encodeVolume(v Volume, p Pool) (b []byte, reason string) {
	if err := CheckVolumeName(v.Name); err != nil {
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
