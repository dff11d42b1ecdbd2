package thinpool

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"strings"
	"testing"

	"thinmount/lib/spec"
)

// mappings leads the superblock to a mapping tree.
func (m image) mappings(root uint64) image {
	binary.LittleEndian.PutUint64(m.block(0)[320:], root)
	m.seal(0, superblockSalt)
	return m
}

// mapping writes a node of the mapping tree: in a leaf, values are 8 bytes,
// too.
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
		got, err := ReadMetadata(t.Context(), bytes.NewReader(m), at)
		if err != nil || len(got.Devices) != 3 || got.TransactionID != 41 {
			t.Fatalf("%+v, %v", got, err)
		}
		for id, want := range map[spec.ID]uint64{1: 100, 2: 205, 9: 0} {
			if got.Devices[id].End != want {
				t.Errorf("device %d is mapped to %d, want %d", id, got.Devices[id].End, want)
			}
		}
		if got.Devices[2].Mapped != 20 {
			t.Errorf("details are lost: %+v", got.Devices[2])
		}
	}
}

// wide is a mapping tree in which all 252 entries of each of 16 nodes lead to
// the next, and a superblock that claims blocks for all of that.
func wide() image {
	m := append(mappedSample(), newImage(17)...).superblock(2).mappings(16)
	keys, next := make([]uint64, 252), make([]uint64, 252)
	for n := 16; n < 32; n++ {
		for i := range keys {
			keys[i], next[i] = uint64(i), uint64(n+1)
		}
		m.mapping(n, false, keys, child(next...))
	}
	m.mapping(32, true, nil, nil)
	binary.LittleEndian.PutUint64(m.block(0)[344:], 1<<60)
	m.seal(0, superblockSalt)
	return m
}

// sharedSample has devices 1 and 2 on one root, as a snapshot is at first, and
// device 9 with a root of its own, above a node that it shares with them.
func sharedSample() image {
	return mappedSample().
		mapping(9, true, []uint64{1, 2, 9}, child(11, 11, 14)).
		mapping(14, false, []uint64{0, 200}, child(10, 13))
}

func TestReadMetadataOfSharedNodes(t *testing.T) {
	c := &counting{r: bytes.NewReader(sharedSample())}
	got, err := ReadMetadata(t.Context(), c, 0)
	if err != nil {
		t.Fatal(err)
	}
	for id := range got.Devices {
		if got.Devices[id].End != 205 {
			t.Errorf("device %d is mapped to %d", id, got.Devices[id].End)
		}
	}
	// The superblock twice, 3 nodes of details, and 8, 9, 11, 13 and 14.
	if len(got.Devices) != 3 || c.n != 2+3+5 {
		t.Errorf("%d devices, %d reads", len(got.Devices), c.n)
	}
}

// Ids without details cost nothing, and none is told.
func TestReadMetadataOfManyIDs(t *testing.T) {
	keys, roots := make([]uint64, 252), make([]uint64, 252)
	for i := range keys {
		keys[i], roots[i] = uint64(100+i), 1<<40
	}
	got, err := ReadMetadata(t.Context(),
		bytes.NewReader(mappedSample().mapping(9, true, keys, child(roots...))), 0)
	if err != nil || len(got.Devices) != 3 || got.Devices[1].End != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	for what, keys := range map[string][]uint64{"mapped twice": {1, 1}, "at most": {1, 1<<32 + 1}} {
		m := mappedSample().mapping(9, true, keys, child(10, 10))
		if _, err := ReadMetadata(t.Context(), bytes.NewReader(m), 0); err == nil ||
			!strings.Contains(err.Error(), what) {
			t.Errorf("%v: %v", keys, err)
		}
	}
}

func TestReadMetadataIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := &counting{r: bytes.NewReader(mappedSample()), after: func(n int) {
		if n == 6 {
			cancel()
		}
	}}
	if _, err := ReadMetadata(ctx, c, 0); !errors.Is(err, context.Canceled) || c.n != 6 {
		t.Errorf("%v after %d reads", err, c.n)
	}
}

func TestReadMetadataOfHostileTrees(t *testing.T) {
	for name, m := range map[string]image{
		"a device's tree leads to itself": mappedSample().mapping(11, false, []uint64{0, 200},
			child(12, 11)),
		"the upper tree leads to itself": mappedSample().mapping(8, false, []uint64{1}, child(8)),
		"the upper tree, twice over": mappedSample().mapping(8, false, []uint64{1, 2},
			child(8, 8)),
		"a root outside": mappedSample().mapping(9, true, []uint64{1}, child(1<<40)),
		"no tree":        mappedSample().mappings(0),
		"a wide tree":    wide(),
	} {
		c := &counting{r: bytes.NewReader(m), most: 100}
		if _, err := ReadMetadata(t.Context(), c, 0); err == nil ||
			!strings.Contains(err.Error(), "no place") {
			t.Errorf("%s: %v", name, err)
		}
	}
	m := mappedSample()
	m.block(13)[100]++
	if _, err := ReadMetadata(t.Context(), bytes.NewReader(m), 0); err == nil ||
		!strings.Contains(err.Error(), "checksum") {
		t.Error(err)
	}
}

// pieceSize is what a fuzzer gets of each block, to have something to work
// with: a node of a few entries.
const pieceSize = 128

// squeeze makes pieces of the nodes, with as many of their entries as fit.
func squeeze(m image) []byte {
	var pieces []byte
	le := binary.LittleEndian
	for n := 1; n < len(m)/MetadataBlock; n++ {
		b, p := m.block(n), make([]byte, pieceSize)
		copy(p, b[:nodeHeader])
		if size, had := int(le.Uint32(b[24:])), int(le.Uint32(b[20:])); size > 0 {
			limit := (pieceSize - nodeHeader) / (8 + size)
			entries := min(limit, int(le.Uint32(b[16:])))
			le.PutUint32(p[16:], uint32(entries))
			le.PutUint32(p[20:], uint32(limit))
			copy(p[nodeHeader:], b[nodeHeader:nodeHeader+8*entries])
			copy(p[nodeHeader+8*limit:], b[nodeHeader+8*had:nodeHeader+8*had+size*entries])
		}
		pieces = append(pieces, p...)
	}
	return pieces
}

// spread is the inverse of squeeze, below a superblock that claims blocks
// without an end.
func spread(pieces []byte, details, mapping uint64) image {
	const most = 64
	blocks := min(1+len(pieces)/pieceSize, most)
	m := newImage(blocks).superblock(details)
	binary.LittleEndian.PutUint64(m.block(0)[344:], 1<<60)
	m.mappings(mapping)
	for n := 1; n < blocks; n++ {
		copy(m.block(n), pieces[(n-1)*pieceSize:n*pieceSize])
		m.seal(n, nodeSalt)
	}
	return m
}

func FuzzReadMetadata(f *testing.F) {
	f.Add(squeeze(mappedSample()), uint64(2), uint64(8))
	f.Add(squeeze(sharedSample()), uint64(2), uint64(8))
	f.Add(squeeze(wide()), uint64(2), uint64(16))
	f.Fuzz(func(t *testing.T, pieces []byte, details, mapping uint64) {
		m := spread(pieces, details, mapping)
		c, blocks := &counting{r: bytes.NewReader(m)}, len(m)/MetadataBlock
		got, err := ReadMetadata(t.Context(), c, 0)
		if c.n > 3*blocks+maxDepth+3 {
			t.Errorf("%d reads of %d blocks", c.n, blocks)
		}
		if err != nil {
			if len(got.Devices) != 0 {
				t.Errorf("%d devices beside %v", len(got.Devices), err)
			}
			return
		}
		devices, err := ReadDevices(bytes.NewReader(m), 0)
		if err != nil || len(devices) != len(got.Devices) {
			t.Errorf("%d devices, and %d without their mappings, %v", len(got.Devices),
				len(devices), err)
		}
		for id, d := range got.Devices {
			if id > spec.MaxID || d.Details != devices[id] {
				t.Errorf("device %d: %+v, %+v", id, d, devices[id])
			}
		}
	})
}

// What the fuzzer begins with is read as what it was.
func TestSpreadIsSqueezed(t *testing.T) {
	for _, m := range []image{mappedSample(), sharedSample()} {
		want, err := ReadMetadata(t.Context(), bytes.NewReader(m), 0)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadMetadata(t.Context(), bytes.NewReader(spread(squeeze(m), 2, 8)), 0)
		if err != nil || !maps.Equal(got.Devices, want.Devices) {
			t.Errorf("%+v, %v, want %+v", got.Devices, err, want.Devices)
		}
	}
}
