package thinpool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"thinmount/lib/spec"
)

// mostOwnReads is how many blocks of metadata owns reads.
const mostOwnReads = 32

// Owns reports whether a thin device maps a block that no other device shares:
// see the function owns. r is the metadata of the active pool. If the pool has
// made mappings that it has not committed, it commits first.
func (p *Pool) Owns(r io.ReaderAt, id spec.ID) (bool, error) {
	st, err := p.Status()
	if err != nil {
		return true, err
	}
	settled, err := isSettled(r, 0, st.DataUsed)
	if err == nil && !settled {
		err = p.commit()
	}
	if err != nil {
		return true, err
	}
	return owns(r, 0, id)
}

// owns reports whether a thin device maps a block of the pool that no other
// device shares, so that discarding the device would give room back to the disk
// below the pool. (Of a shared block the pool takes the mapping alone;
// drivers/md/dm-thin.c, passdown_double_checking_shared_status.)
//
// A snapshot begins with its origin's tree, and the kernel counts a node of
// metadata that several trees have. What lies below such a node is counted once
// for all of them (persistent-data/dm-btree.c, dm_btree_shadow_child and
// inc_children). So a block is shared if it is counted twice or more, or a node
// above it is.
//
// owns reads the committed metadata, and no more than a few blocks of it. It
// returns true if it would have to read more, and if there is a metadata
// snapshot, which shares nodes, too. For r and at see ReadDevices.
func owns(r io.ReaderAt, at int64, id spec.ID) (bool, error) {
	r = &limited{r: r, left: mostOwnReads}
	var found bool
	err := committed(r, at, func(sb Superblock) error {
		if found = sb.HeldRoot != 0; found {
			return nil
		}
		w := ownWalk{mappingWalk: mappingWalk{
			r: r, at: at, blocks: sb.MetadataBlocks, visited: map[uint64]bool{},
		}}
		w.data.find = func(index uint64) ([]byte, error) {
			return lookup(r, at, sb, sb.dataBitmaps, indexSize, index)
		}
		w.nodes.find = func(index uint64) ([]byte, error) {
			return w.metadataIndex(sb.metadataBitmaps, index)
		}
		root, err := lookup(r, at, sb, sb.mappingRoot, mappingSize, uint64(id))
		if err == nil && root != nil {
			err = w.node(binary.LittleEndian.Uint64(root), 0)
		}
		found = w.owns
		return err
	})
	if errors.Is(err, errTooMany) {
		return true, nil
	}
	return found || err != nil, err
}

// isSettled reports whether the committed metadata has all mappings that the
// pool has made. used is the number of used data blocks in the pool's status,
// which counts those that are taken since the last commit
// (persistent-data/dm-space-map-disk.c, sm_disk_get_nr_free). If the metadata
// is behind, commit brings it up.
func isSettled(r io.ReaderAt, at int64, used uint64) (bool, error) {
	b, err := readBlock(r, at, 0)
	if err != nil {
		return false, err
	}
	sb, err := parseSuperblock(b)
	return err == nil && sb.dataAllocated == used, err
}

// errTooMany is the error of a read too many.
var errTooMany = errors.New("more blocks than are to be read")

// limited is a file from which only so many reads are done.
type limited struct {
	r    io.ReaderAt
	left int
}

func (l *limited) ReadAt(p []byte, off int64) (int, error) {
	if l.left--; l.left < 0 {
		return 0, errTooMany
	}
	return l.r.ReadAt(p, off)
}

// ownWalk is one walk over a device's tree. It leaves out what lies below a
// shared node, and ends at the first block that the device does not share.
type ownWalk struct {
	mappingWalk
	data, nodes spaceMap
	owns        bool
}

func (w *ownWalk) node(block uint64, depth int) error {
	if w.visited[block] {
		return placeError(block)
	}
	w.visited[block] = true
	if count, err := w.count(&w.nodes, block); err != nil || count > 1 {
		return err
	}
	n, err := w.read(block, depth)
	for i := 0; i < n.entries && err == nil && !w.owns; i++ {
		value := binary.LittleEndian.Uint64(n.value(i))
		if !n.leaf {
			err = w.node(value, depth+1)
			continue
		}
		var count int
		count, err = w.count(&w.data, value>>24) // the low 24 bits are the time
		w.owns = count < 2
	}
	return err
}

// A space map counts the uses of each block by two bits, in bitmaps. An index
// has a disk_index_entry for each bitmap, which begins with its block. The
// index of the data is a tree, that of the metadata one block
// (persistent-data/dm-space-map-common.c).
const (
	bitmapSalt   = 240779 // BITMAP_CSUM_XOR
	bitmapHeader = 16     // bytes of struct disk_bitmap_header
	bitmapBlocks = (MetadataBlock - bitmapHeader) * 4
	indexSalt    = 160478 // INDEX_CSUM_XOR
	indexHeader  = 16     // bytes of struct disk_metadata_index before the entries
	indexSize    = 16     // bytes of struct disk_index_entry
)

// spaceMap is the space map of the data or of the metadata.
type spaceMap struct {
	find   func(index uint64) ([]byte, error) // returns an entry of the index
	bitmap []byte                             // the last one that was read
	index  uint64                             // its place among the bitmaps
}

// metadataIndex returns an entry of the index of the metadata's space map.
func (w *ownWalk) metadataIndex(block, index uint64) ([]byte, error) {
	buf, err := w.checked(block, indexSalt)
	at := indexHeader + index*indexSize
	if err != nil || at+indexSize > uint64(len(buf)) {
		return nil, err
	}
	return buf[at : at+indexSize], nil
}

// checked reads a block of metadata and compares its checksum.
func (w *ownWalk) checked(block uint64, salt uint32) ([]byte, error) {
	if block == 0 || block >= min(w.blocks, uint64(MaxMetadata/MetadataBlock)) {
		return nil, placeError(block)
	}
	buf, err := readBlock(w.r, w.at, block)
	if err == nil && binary.LittleEndian.Uint32(buf) != checksum(buf, salt) {
		err = fmt.Errorf("metadata block %d: is no part of a space map", block)
	}
	return buf, err
}

// count returns how often a block is used. 3 is 3 or more.
func (w *ownWalk) count(m *spaceMap, block uint64) (int, error) {
	index, at := block/bitmapBlocks, int(block%bitmapBlocks)
	if m.bitmap == nil || index != m.index {
		entry, err := m.find(index)
		if err != nil {
			return 0, err
		}
		if entry == nil {
			return 0, fmt.Errorf("block %d: is not in the space map", block)
		}
		buf, err := w.checked(binary.LittleEndian.Uint64(entry), bitmapSalt)
		if err != nil {
			return 0, err
		}
		m.bitmap, m.index = buf[bitmapHeader:], index
	}
	// The higher bit of a count comes first (sm_lookup_bitmap).
	bits := m.bitmap[at/4] >> (at % 4 * 2)
	return int(bits&1<<1 | bits>>1&1), nil
}
