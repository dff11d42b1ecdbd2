package thinpool

import (
	"bytes"
	"encoding/binary"
	"testing"

	"thinmount/lib/spec"
)

// counts gives mappedSample space maps, in which the data blocks have these
// counts, and each node of metadata is used once.
func counts(uses ...int) image {
	m := append(mappedSample(), newImage(4)...)
	n := len(m)/MetadataBlock - 4
	le := binary.LittleEndian
	entry := func(block int) []byte { return le.AppendUint64(make([]byte, 0, 16), uint64(block)) }
	m.superblock(2).mappings(8)
	le.PutUint64(m.block(0)[72:], 7) // in use
	le.PutUint64(m.block(0)[80:], uint64(n))
	le.PutUint64(m.block(0)[208:], uint64(n+2))
	m.seal(0, superblockSalt)
	m.node(n, true, []uint64{0}, func(int) []byte { return nil })
	le.PutUint32(m.block(n)[24:], indexSize)
	copy(m.block(n)[nodeHeader+8*126:], entry(n+1))
	m.seal(n, nodeSalt)
	m.bitmap(n+1, uses...)
	copy(m.block(n + 2)[indexHeader:], entry(n+3))
	m.seal(n+2, indexSalt)
	once := make([]int, len(m)/MetadataBlock)
	for i := range once {
		once[i] = 1
	}
	return m.bitmap(n+3, once...)
}

// bitmap writes a bitmap of a space map, with the counts of its first blocks.
func (m image) bitmap(n int, uses ...int) image {
	b := m.block(n)
	clear(b)
	for block, count := range uses {
		bits := byte(count&1<<1 | count>>1)
		b[bitmapHeader+block/4] |= bits << (block % 4 * 2)
	}
	m.seal(n, bitmapSalt)
	return m
}

// sharing is counts with one node of metadata that is used twice.
func sharing(node int, uses ...int) image {
	m := counts(uses...)
	nodes := make([]int, len(m)/MetadataBlock)
	for i := range nodes {
		nodes[i] = 1
	}
	nodes[node] = 2
	return m.bitmap(len(m)/MetadataBlock-1, nodes...)
}

// held is counts with a metadata snapshot.
func held(uses ...int) image {
	m := counts(uses...)
	binary.LittleEndian.PutUint64(m.block(0)[56:], 3)
	m.seal(0, superblockSalt)
	return m
}

// mappedSample maps the data blocks 1 and 2 in device 1, and 1, 3 and 4 in
// device 2.
func TestOwns(t *testing.T) {
	for _, row := range []struct {
		what string
		m    image
		id   spec.ID
		want bool
	}{
		{"all shared", counts(0, 2, 2, 1, 1), 1, false},
		{"by many", counts(0, 3, 2, 1, 1), 1, false},
		{"one its own", counts(0, 2, 1, 2, 2), 1, true},
		{"the last its own", counts(0, 2, 2, 2, 1), 2, true},
		{"the others' own", counts(0, 2, 1, 2, 2), 2, false},
		{"a shared root", sharing(10, 0, 1, 1, 1, 1), 1, false},
		{"the others' shared root", sharing(11, 0, 1, 1, 1, 1), 1, true},
		{"a shared leaf", sharing(12, 0, 1, 2, 2, 2), 2, false},
		{"a shared leaf, and another", sharing(12, 0, 2, 2, 2, 1), 2, true},
		{"a metadata snapshot", held(0, 2, 2, 1, 1), 1, true},
		{"nothing mapped", counts(0, 1, 1, 1, 1), 9, false},
		{"no such device", counts(0, 1, 1, 1, 1), 5, false},
	} {
		got, err := owns(bytes.NewReader(row.m), 0, row.id)
		if err != nil || got != row.want {
			t.Errorf("%s: %v, %v", row.what, got, err)
		}
	}
}

func TestOwnsOfHostileMetadata(t *testing.T) {
	damaged := counts(0, 2, 2)
	damaged[len(damaged)-1] ^= 1 // the bitmap of the metadata
	for what, m := range map[string]image{
		"bitmap":    damaged,
		"loop":      counts(0, 2, 2).mapping(10, false, []uint64{0, 99}, child(10, 10)),
		"no bitmap": counts(0, 2, 2).mapping(10, true, []uint64{0, 99}, child(1<<24, 1<<62)),
	} {
		if found, err := owns(bytes.NewReader(m), 0, 1); !found || err == nil {
			t.Errorf("%s: %v, %v", what, found, err)
		}
	}
}

// TestSettled wants the used blocks of the superblock to be compared.
func TestSettled(t *testing.T) {
	for used, want := range map[uint64]bool{7: true, 8: false} {
		if got, err := isSettled(bytes.NewReader(counts()), 0, used); err != nil || got != want {
			t.Errorf("%d: %v, %v", used, got, err)
		}
	}
}

// TestOwnsReadsLittle wants a device of many nodes to be taken as one that owns
// blocks.
func TestOwnsReadsLittle(t *testing.T) {
	m := append(counts(0, 2, 2), newImage(mostOwnReads)...)
	first := len(m)/MetadataBlock - mostOwnReads
	once := make([]int, len(m)/MetadataBlock)
	for i := range once {
		once[i] = 1
	}
	m.bitmap(first-1, once...)
	var keys, blocks []uint64
	for i := range mostOwnReads {
		m.mapping(first+i, true, []uint64{uint64(i)}, child(1<<24))
		keys, blocks = append(keys, uint64(i)), append(blocks, uint64(first+i))
	}
	binary.LittleEndian.PutUint64(m.block(0)[344:], uint64(len(m)/MetadataBlock))
	m.seal(0, superblockSalt)
	m.mapping(10, false, keys, child(blocks...))
	c := &counting{r: bytes.NewReader(m)}
	if found, err := owns(c, 0, 1); !found || err != nil || c.n > mostOwnReads {
		t.Errorf("%v, %v by %d reads", found, err, c.n)
	}
}

func FuzzOwns(f *testing.F) {
	f.Add([]byte(counts(0, 2, 2)), uint32(1))
	f.Fuzz(func(t *testing.T, b []byte, id uint32) {
		m := sealed(b)
		c := &counting{r: bytes.NewReader(m)}
		found, err := owns(c, 0, spec.ID(id))
		if err != nil && !found || c.n > mostOwnReads {
			t.Errorf("%v, %v by %d reads", found, err, c.n)
		}
	})
}
