package refcount

import (
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"thinmount/lib/jsonfile"
)

// Record is what is written down about an active volume.
type Record struct {
	Volume     string    `json:"volume"`    // "pool/volume"
	PoolUUID   string    `json:"pool_uuid"` // with ThinID: which volume this was written for; a namesake made later is another
	ThinID     uint32    `json:"thin_id"`
	Device     string    `json:"device"`              // /dev/mapper/...
	Dev        string    `json:"dev"`                 // "253:5", device number
	MountedOn  string    `json:"mounted_on"`          // the one mount path; "" when it is not mounted
	MountID    int       `json:"mount_id"`            // as in /proc/self/mountinfo; 0 when it is not mounted
	References int       `json:"references"`          // mounts less unmounts of that path: 0 to maxReferences
	Namespace  uint64    `json:"namespace,omitempty"` // mount namespace of the mount: inode number of /proc/PID/ns/mnt; 0 is not known
	Held       bool      `json:"held"`                // explicitly activated by the administrator
	Since      time.Time `json:"since,omitzero"`

	// Elsewhere is seen, not written down. With references, the recorded mount is in another mount namespace or below another root, and
	// what is mounted here is a copy of it. Without, the device is open and no mount of it is to be seen from here: it is mounted in
	// another namespace, or somebody has opened the device itself.
	Elsewhere bool `json:"-"`
}

// maxReferences bounds References. Nobody mounts a volume a million times; a record that says so is damaged.
const maxReferences = 1 << 20

// Empty tells whether nothing is claimed: no mount, no reference, no hold.
func (r Record) Empty() bool {
	return r.MountedOn == "" && r.References == 0 && !r.Held
}

// maxRecord bounds a record's file, in bytes: PATH_MAX quoted, with room to spare.
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

// file is a record as JSON, whose texts are UTF-8, while a path may have any bytes: such a one stands in Raw, in base64.
type file struct {
	Record
	Raw []byte `json:"mounted_on_raw,omitempty"`
}

// encode is the file of a record.
func encode(r Record) ([]byte, error) {
	if reason := r.flaw(); reason != "" {
		return nil, fmt.Errorf("record of %s: %s", r.Volume, reason)
	}
	f := file{Record: r}
	if !utf8.ValidString(r.MountedOn) {
		f.Raw = []byte(r.MountedOn)
	}
	b, err := json.MarshalIndent(f, "", "  ")
	return append(b, '\n'), err
}

// decode reads the file of the record of volume ("pool/volume"); reason says why it cannot.
func decode(b []byte, volume string) (r Record, reason string) {
	var f file
	if reason := jsonfile.Decode(b, &f); reason != "" {
		return Record{}, reason
	}
	if r = f.Record; f.Raw != nil {
		r.MountedOn = string(f.Raw)
	}
	if r.Volume != volume {
		return Record{}, fmt.Sprintf("is of volume %q, not of %q", r.Volume, volume)
	}
	if reason := r.flaw(); reason != "" {
		return Record{}, reason
	}
	return r, ""
}

// flaw says what no record can say.
func (r Record) flaw() string {
	switch mounted := r.MountedOn != ""; {
	case r.References < 0 || r.References > maxReferences:
		return fmt.Sprintf("references: %d is not within 0 to %d", r.References, maxReferences)
	case r.ThinID >= 1<<24:
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
