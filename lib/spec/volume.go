// Package spec has the types by which every layer speaks of pools and volumes:
// the names of volumes, their thin ids, and what a full pool does. It reads no
// file and calls no kernel.
package spec

import (
	"errors"
	"fmt"
	"strings"
)

// Volume names a volume: the pool, and the name in that pool. It may name a
// volume that does not exist, and have names that no volume can have (Check).
type Volume struct{ Pool, Name string }

// String returns POOL/NAME, as a user writes it.
func (v Volume) String() string { return v.Pool + "/" + v.Name }

// Check returns what is wrong with the two names, as a *NameError or two that
// are joined.
func (v Volume) Check() error {
	return errors.Join(CheckPoolName(v.Pool), CheckVolumeName(v.Name))
}

// maxPoolName and maxVolumeName are the lengths of names, in bytes.
// "thin-POOL@VOLUME" must fit into the 127 bytes of a dm name.
const (
	maxPoolName   = 48
	maxVolumeName = 72
)

// NameError says why a string cannot be a name.
type NameError struct {
	What   string // "pool name", "volume name" or "volume"
	Name   string
	Reason string // what is wrong and what is allowed
}

// Error quotes the name, which may hold any bytes.
func (e *NameError) Error() string { return fmt.Sprintf("%s %q: %s", e.What, e.Name, e.Reason) }

// CheckPoolName returns a *NameError if name cannot be a pool's name.
func CheckPoolName(name string) error { return checkName("pool name", name, maxPoolName) }

// CheckVolumeName returns a *NameError if name cannot be the name of a volume
// in its pool.
func CheckVolumeName(name string) error { return checkName("volume name", name, maxVolumeName) }

// ParseVolume reads POOL/NAME. The error is a *NameError.
func ParseVolume(s string) (Volume, error) {
	pool, name, ok := strings.Cut(s, "/")
	if !ok {
		return Volume{}, &NameError{"volume", s, "has no '/'; wanted is POOL/VOLUME"}
	}
	if strings.Contains(name, "/") {
		return Volume{}, &NameError{"volume", s, "has more than one '/'; wanted is POOL/VOLUME"}
	}
	if err := CheckPoolName(pool); err != nil {
		return Volume{}, err
	}
	if err := CheckVolumeName(name); err != nil {
		return Volume{}, err
	}
	return Volume{pool, name}, nil
}

func checkName(what, name string, limit int) error {
	wrong := nameFlaw(name, limit)
	if wrong == "" {
		return nil
	}
	reason := fmt.Sprintf("%s; allowed are 1 to %d of A-Z a-z 0-9 _ . + -, "+
		"of which . + - not at the beginning", wrong, limit)
	return &NameError{what, name, reason}
}

// nameFlaw says what is wrong with a name, or "".
func nameFlaw(name string, limit int) string {
	if name == "" {
		return "is empty"
	}
	if len(name) > limit {
		return fmt.Sprintf("is %d bytes long", len(name))
	}
	if strings.IndexByte(".+-", name[0]) >= 0 {
		return fmt.Sprintf("begins with %q", name[:1])
	}
	for _, r := range name {
		if !nameRune(r) {
			return fmt.Sprintf("has %q in it", r)
		}
	}
	return ""
}

func nameRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
		strings.ContainsRune("_.+-", r)
}
