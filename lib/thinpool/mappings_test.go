package thinpool

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// mappings leads the superblock to a mapping tree.
func (m image) mappings(root uint64) image {
	binary.LittleEndian.PutUint64(m.block(0)[320:], root)
	m.seal(0, superblockSalt)
	return m
}

// mapping writes a node of the mapping tree: in a leaf, values are 8 bytes, too.
func (m image) mapping(n int, leaf bool, keys []uint64, value func(i int) []byte) image {
	m.node(n, false, keys, value)
	if leaf {
		binary.LittleEndian.PutUint32(m.block(n)[4:], 2)
		m.seal(n, nodeSalt)
	}
	return m
}

// mappedSample maps 100 and 205 blocks of devices 1 and 2, and none of 9.
func mappedSample() image {
	return append(sample(), newImage(8)...).superblock(2).mappings(8).
		mapping(8, false, []uint64{1}, child(9)).
		mapping(9, true, []uint64{1, 2, 9}, child(10, 11, 14)).
		mapping(10, true, []uint64{0, 99}, child(1<<24, 2<<24)).
		mapping(11, false, []uint64{0, 200}, child(12, 13)).
		mapping(12, true, []uint64{0}, child(1<<24)).
		mapping(13, true, []uint64{200, 204}, child(3<<24, 4<<24)).
		mapping(14, true, nil, nil)
}

func TestReadMetadata(t *testing.T) {
	shifted := append(make([]byte, 1<<20), mappedSample()...)
	for at, m := range map[int64][]byte{0: mappedSample(), 1 << 20: shifted} {
		got, err := ReadMetadata(bytes.NewReader(m), at)
		if err != nil || len(got.Devices) != 3 || got.TransactionID != 41 {
			t.Fatalf("%+v, %v", got, err)
		}
		for id, want := range map[ID]uint64{1: 100, 2: 205, 9: 0} {
			if got.Devices[id].End != want {
				t.Errorf("device %d is mapped to %d, want %d", id, got.Devices[id].End, want)
			}
		}
		if got.Devices[2].Mapped != 20 {
			t.Errorf("details are lost: %+v", got.Devices[2])
		}
	}
}

func TestReadMetadataOfHostileTrees(t *testing.T) {
	for name, m := range map[string]image{
		"a device's tree leads to itself": mappedSample().mapping(11, false, []uint64{0, 200}, child(12, 11)),
		"the upper tree leads to itself":  mappedSample().mapping(8, false, []uint64{1}, child(8)),
		"the upper tree, twice over":      mappedSample().mapping(8, false, []uint64{1, 2}, child(8, 8)),
		"a root outside":                  mappedSample().mapping(9, true, []uint64{1}, child(1<<40)),
		"no tree":                         mappedSample().mappings(0),
	} {
		if _, err := ReadMetadata(bytes.NewReader(m), 0); err == nil || !strings.Contains(err.Error(), "no place") {
			t.Errorf("%s: %v", name, err)
		}
	}
	wide := append(mappedSample(), newImage(16)...).superblock(2).mappings(16)
	for n := 16; n < 31; n++ {
		next := uint64(n + 1)
		wide.mapping(n, false, []uint64{1, 2}, child(next, next))
	}
	wide.mapping(31, true, nil, nil)
	if _, err := ReadMetadata(bytes.NewReader(wide), 0); err == nil || !strings.Contains(err.Error(), "no place") {
		t.Errorf("a tree of more nodes than there are blocks: %v", err)
	}
	m := mappedSample()
	m.block(13)[100]++
	if _, err := ReadMetadata(bytes.NewReader(m), 0); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Error(err)
	}
}
