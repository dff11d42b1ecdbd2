package refcount

import (
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"thinmount/lib/jsonfile"
	"thinmount/lib/spec"
)

// Record is what is stored about an active volume.
type Record struct {
	Volume spec.Volume `json:"-"` // stands in file.Name

	// PoolUUID and ThinID are the identity of the volume. One that is made
	// later under its name has another.
	PoolUUID string  `json:"pool_uuid"`
	ThinID   spec.ID `json:"thin_id"`

	Device string `json:"device"` // /dev/mapper/...
	Dev    string `json:"dev"`    // "253:5", device number

	// MountedOn is the one mount path, and MountID its ID in
	// /proc/self/mountinfo; "" and 0 when the volume is not mounted.
	MountedOn string `json:"mounted_on"`
	MountID   int    `json:"mount_id"`
	// References are the mounts less the unmounts of that path: 0 to
	// maxReferences.
	References int `json:"references"`
	// Namespace is the mount namespace of the mount: the inode number of
	// /proc/PID/ns/mnt. 0 is not known.
	Namespace uint64 `json:"namespace,omitempty"`

	// Below is what the pool lay on when the volume was mounted, as the caller
	// names it. It belongs to that mount: it goes with the mount's ID. "" is
	// not known.
	Below string `json:"below,omitempty"`

	Pinned bool      `json:"held"` // activated by hand
	Since  time.Time `json:"since,omitzero"`

	// Elsewhere is observed, and not stored. With references it says that the
	// recorded mount is in another mount namespace or below another root, and
	// that a mount here is a copy of it. Without references it says that the
	// device is open although no mount of it can be seen from here: it is
	// mounted in another namespace, or a process has opened the device itself.
	Elsewhere bool `json:"-"`
}

// maxReferences bounds References: a record with more is damaged.
const maxReferences = 1 << 20

// Empty reports whether the record claims nothing: no mount, no reference, no
// hold.
func (r Record) Empty() bool {
	return r.MountedOn == "" && r.References == 0 && !r.Pinned
}

// maxRecord bounds a record's file, in bytes: PATH_MAX quoted, with room to
// spare.
const maxRecord = 64 << 10

// CorruptError says that a record's file does not hold a record.
type CorruptError struct {
	Path   string
	Reason string
}

// Error names the file first.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s: damaged: %s", e.Path, e.Reason)
}

// file is a record as JSON, whose texts are UTF-8, while a path may have any
// bytes: such a one stands in Raw, in base64.
type file struct {
	Name string `json:"volume"` // POOL/VOLUME
	Record
	Raw []byte `json:"mounted_on_raw,omitempty"`
}

// encode is the file of a record.
func encode(r Record) ([]byte, error) {
	if reason := r.flaw(); reason != "" {
		return nil, fmt.Errorf("record of %s: %s", r.Volume, reason)
	}
	f := file{Name: r.Volume.String(), Record: r}
	if !utf8.ValidString(r.MountedOn) {
		f.Raw = []byte(r.MountedOn)
	}
	b, err := json.MarshalIndent(f, "", "  ")
	return append(b, '\n'), err
}

// decode reads the file of a volume's record; reason says why it cannot.
func decode(b []byte, volume spec.Volume) (r Record, reason string) {
	var f file
	if reason := jsonfile.Decode(b, &f); reason != "" {
		return Record{}, reason
	}
	if r = f.Record; f.Raw != nil {
		r.MountedOn = string(f.Raw)
	}
	if f.Name != volume.String() {
		return Record{}, fmt.Sprintf("belongs to volume %q, not to %q", f.Name, volume)
	}
	r.Volume = volume
	if reason := r.flaw(); reason != "" {
		return Record{}, reason
	}
	return r, ""
}

// flaw is the reason why the record is invalid, or "".
func (r Record) flaw() string {
	switch mounted := r.MountedOn != ""; {
	case r.References < 0 || r.References > maxReferences:
		return fmt.Sprintf("references: %d is not within 0 to %d", r.References, maxReferences)
	case r.ThinID > spec.MaxID:
		return fmt.Sprintf("thin_id: %d is more than 24 bits", r.ThinID)
	case r.MountID < 0:
		return fmt.Sprintf("mount_id: %d is negative", r.MountID)
	case mounted && r.MountedOn[0] != '/':
		return fmt.Sprintf("mounted_on: %q is not absolute", r.MountedOn)
	case mounted != (r.References > 0):
		return fmt.Sprintf("references: %d, but mounted_on is %q", r.References, r.MountedOn)
	}
	return ""
}
