package thinpool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"thinmount/lib/spec"
)

// image is a metadata device in memory, as far as the details tree goes.
type image []byte

func newImage(blocks int) image { return make(image, blocks*MetadataBlock) }

func (m image) block(n int) []byte { return m[n*MetadataBlock : (n+1)*MetadataBlock] }

func (m image) seal(n int, salt uint32) {
	b := m.block(n)
	binary.LittleEndian.PutUint32(b, checksum(b, salt))
}

// superblock writes block 0, with the details tree at root.
func (m image) superblock(root uint64) image {
	b, le := m.block(0), binary.LittleEndian
	le.PutUint64(b[32:], superblockMagic)
	le.PutUint32(b[40:], 2)
	le.PutUint64(b[48:], 41)
	le.PutUint64(b[64:], 1000)
	le.PutUint64(b[328:], root)
	le.PutUint32(b[336:], 128)
	le.PutUint64(b[344:], uint64(len(m)/MetadataBlock))
	m.seal(0, superblockSalt)
	return m
}

// node writes a tree node whose values come from value.
func (m image) node(n int, leaf bool, keys []uint64, value func(i int) []byte) image {
	b, le := m.block(n), binary.LittleEndian
	flags, size, limit := uint32(1), 8, 252
	if leaf {
		flags, size, limit = 2, detailsSize, 126
	}
	le.PutUint32(b[4:], flags)
	le.PutUint64(b[8:], uint64(n))
	le.PutUint32(b[16:], uint32(len(keys)))
	le.PutUint32(b[20:], uint32(limit))
	le.PutUint32(b[24:], uint32(size))
	for i, k := range keys {
		le.PutUint64(b[nodeHeader+8*i:], k)
		copy(b[nodeHeader+8*limit+size*i:], value(i))
	}
	m.seal(n, nodeSalt)
	return m
}

func child(blocks ...uint64) func(int) []byte {
	return func(i int) []byte { return binary.LittleEndian.AppendUint64(nil, blocks[i]) }
}

func mapped(counts ...uint64) func(int) []byte {
	return func(i int) []byte {
		b := make([]byte, detailsSize)
		binary.LittleEndian.PutUint64(b, counts[i])
		return b
	}
}

// sample has three devices in two leaves.
func sample() image {
	return newImage(8).superblock(2).
		node(2, false, []uint64{1, 9}, child(4, 5)).
		node(4, true, []uint64{1, 2}, mapped(10, 20)).
		node(5, true, []uint64{9}, mapped(30))
}

func TestReadDevices(t *testing.T) {
	shifted := append(make([]byte, 1<<20), sample()...)
	for at, m := range map[int64][]byte{0: sample(), 1 << 20: shifted} {
		got, err := ReadDevices(bytes.NewReader(m), at)
		if err != nil || len(got) != 3 || got[1].Mapped != 10 || got[2].Mapped != 20 ||
			got[9].Mapped != 30 {
			t.Errorf("%v, %v", got, err)
		}
	}
}

// TestReadDevice wants one device to be found as ReadDevices finds it, by a
// block of each level between two superblocks.
func TestReadDevice(t *testing.T) {
	all, err := ReadDevices(bytes.NewReader(sample()), 0)
	if err != nil {
		t.Fatal(err)
	}
	for id := range spec.ID(12) {
		c := &counting{r: bytes.NewReader(sample())}
		got, ok, err := ReadDevice(c, 0, id)
		want, wanted := all[id]
		if err != nil || ok != wanted || got != want || c.n > 4 {
			t.Errorf("%d: %+v, %v, %v by %d reads, want %+v", id, got, ok, err, c.n, want)
		}
	}
	loop := newImage(8).superblock(2).node(2, false, []uint64{1}, child(2))
	if _, ok, err := ReadDevice(bytes.NewReader(loop), 0, 1); ok || err == nil {
		t.Errorf("loop: %v, %v", ok, err)
	}
}

func TestReadDevicesOfHostileMetadata(t *testing.T) {
	for _, row := range []struct {
		name string
		m    image
		want string
	}{
		{"loop", newImage(8).superblock(2).node(2, false, []uint64{1}, child(2)), "no place"},
		{"two nodes that lead to each other", newImage(8).superblock(2).node(2, false, []uint64{1},
			child(3)).node(3, false, []uint64{1}, child(2)), "no place"},
		{"root outside", newImage(8).superblock(1000), "no place"},
		{"root in the superblock", newImage(8).superblock(0), "no place"},
		{"empty block as node", newImage(8).superblock(3), "checksum"},
		{"node of another block", func() image {
			m := newImage(8).superblock(3).node(2, true, []uint64{1}, mapped(1))
			copy(m.block(3), m.block(2))
			return m
		}(), "says that it is block 2"},
		{"too many entries", func() image {
			m := newImage(8).superblock(2).node(2, true, nil, nil)
			binary.LittleEndian.PutUint32(m.block(2)[16:], 1<<31)
			m.seal(2, nodeSalt)
			return m
		}(), "entries"},
		{"huge entries", func() image {
			m := newImage(8).superblock(2).node(2, true, nil, nil)
			binary.LittleEndian.PutUint32(m.block(2)[20:], 1<<31)
			m.seal(2, nodeSalt)
			return m
		}(), "entries"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := ReadDevices(bytes.NewReader(row.m), 0); err == nil ||
				!strings.Contains(err.Error(), row.want) {
				t.Errorf("%v, want %q", err, row.want)
			}
		})
	}
}

// changing gives another superblock at each reading.
type changing struct {
	image
	n uint64
}

func (c *changing) ReadAt(p []byte, off int64) (int, error) {
	if off == 0 {
		c.n++
		binary.LittleEndian.PutUint64(c.block(0)[48:], c.n)
		c.seal(0, superblockSalt)
	}
	return bytes.NewReader(c.image).ReadAt(p, off)
}

func TestReadDevicesGivesUp(t *testing.T) {
	if _, err := ReadDevices(&changing{image: sample()}, 0); !errors.Is(err, ErrMoving) {
		t.Error(err)
	}
}

func TestReadSuperblock(t *testing.T) {
	sb, err := ReadSuperblock(bytes.NewReader(sample()))
	if err != nil || sb.TransactionID != 41 || sb.DataBlocks != 1000 || sb.BlockSize != 128 ||
		sb.MetadataBlocks != 8 || sb.NeedsCheck {
		t.Errorf("%+v, %v", sb, err)
	}
	m := sample()
	m.block(0)[4] = 1
	m.seal(0, superblockSalt)
	if sb, err := ReadSuperblock(bytes.NewReader(m)); err != nil || !sb.NeedsCheck {
		t.Errorf("%+v, %v", sb, err)
	}
	// grown from 8 blocks to 12, and a node where there was nothing before
	m = append(sample(), newImage(4)...)
	binary.LittleEndian.PutUint64(m.block(0)[192:], 12)
	m.superblock(10).node(10, true, []uint64{7}, mapped(70))
	binary.LittleEndian.PutUint64(m.block(0)[344:], 8)
	m.seal(0, superblockSalt)
	if sb, err := ReadSuperblock(bytes.NewReader(m)); err != nil || sb.MetadataBlocks != 12 {
		t.Errorf("%+v, %v", sb, err)
	}
	if got, err := ReadDevices(bytes.NewReader(m), 0); err != nil || got[7].Mapped != 70 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := ReadSuperblock(bytes.NewReader(newImage(1))); !errors.Is(err, ErrUnformatted) {
		t.Error(err)
	}
	for i := range 400 {
		m := sample()
		m.block(0)[i] ^= 0x10
		if _, err := ReadSuperblock(bytes.NewReader(m)); !errors.Is(err, ErrBadSuperblock) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	if _, err := ReadSuperblock(strings.NewReader("short")); err == nil {
		t.Error("a short device was taken")
	}
}

// counting counts the reads, and fails them when they are more than most, if
// that is given.
type counting struct {
	r       io.ReaderAt
	n, most int
	after   func(n int)
}

func (c *counting) ReadAt(p []byte, at int64) (int, error) {
	if c.n++; c.most > 0 && c.n > c.most {
		return 0, fmt.Errorf("read number %d", c.n)
	}
	n, err := c.r.ReadAt(p, at)
	if c.after != nil {
		c.after(c.n)
	}
	return n, err
}

// A tree whose every entry leads back to its root ends at once, however many
// blocks the superblock claims.
func TestHostileTreeEnds(t *testing.T) {
	keys, blocks := make([]uint64, 252), make([]uint64, 252)
	for i := range keys {
		keys[i], blocks[i] = uint64(i), 2
	}
	m := newImage(4).superblock(2).node(2, false, keys, child(blocks...))
	binary.LittleEndian.PutUint64(m.block(0)[344:], 1<<60)
	m.seal(0, superblockSalt)
	c := &counting{r: bytes.NewReader(m)}
	if found, err := ReadDevices(c, 0); err == nil || len(found) != 0 || c.n > 4 {
		t.Errorf("%d reads, %d devices, %v", c.n, len(found), err)
	}
	leaf := newImage(4).superblock(2).node(2, true, []uint64{1 << 32}, mapped(1))
	if found, err := ReadDevices(bytes.NewReader(leaf), 0); err == nil {
		t.Errorf("an id of more than 24 bits is read as %v", found)
	}
}

// sealed makes an image of a fuzzer's bytes. Most of them would fail for their
// sums alone.
func sealed(b []byte) image {
	m := image(b)
	for n := range len(m) / MetadataBlock {
		salt := uint32(nodeSalt)
		if n == 0 {
			salt = superblockSalt
		}
		m.seal(n, salt)
	}
	return m
}

func FuzzReadDevices(f *testing.F) {
	f.Add([]byte(sample()))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := sealed(b)
		c := &counting{r: bytes.NewReader(m)}
		found, _ := ReadDevices(c, 0)
		if c.n > len(m)/MetadataBlock+3 {
			t.Errorf("%d reads of %d blocks", c.n, len(m)/MetadataBlock)
		}
		for id := range found {
			if id > spec.MaxID {
				t.Errorf("id %d", id)
			}
		}
	})
}
