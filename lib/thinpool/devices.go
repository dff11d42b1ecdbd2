package thinpool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"

	"thinmount/lib/spec"
)

// Details are what the metadata keeps of one thin device
// (drivers/md/dm-thin-metadata.c, struct disk_device_details). Size, name and
// origin of the device are not among them: the kernel does not know these. Of
// an active device the kernel keeps newer values in its memory, and writes them
// with the next commit (__write_changed_details).
type Details struct {
	Mapped        uint64 // blocks of the pool, with those shared with other devices
	TransactionID uint64 // the pool's, when the device was made
	Created       uint32 // the pool's time: it counts snapshots
	Snapshotted   uint32 // time of its last snapshot: blocks mapped before may be shared
}

// ErrMoving says that the pool committed its metadata during each of 8 attempts
// to read it.
var ErrMoving = errors.New("metadata keeps changing while it is read")

const (
	nodeSalt     = 121107 // persistent-data/dm-btree-spine.c, BTREE_CSUM_XOR
	nodeHeader   = 32     // bytes of struct node_header
	detailsSize  = 24     // bytes of struct disk_device_details
	maxDepth     = 16     // a tree of 2^24 devices has 4 levels
	readAttempts = 8
)

// ReadDevices reads the details of all thin devices from metadata that begins
// at offset at (bytes) of r. It takes no metadata snapshot, and so does not
// make the pool copy blocks. The kernel does not overwrite what the committed
// superblock leads to before the next commit
// (persistent-data/dm-transaction-manager.c): a walk between two equal
// superblocks has seen one state. Where the pool is active, r must not read
// through the page cache (O_DIRECT).
func ReadDevices(r io.ReaderAt, at int64) (map[spec.ID]Details, error) {
	var found map[spec.ID]Details
	err := committed(r, at, func(sb Superblock) error {
		w := detailsWalk{
			r: r, at: at, blocks: sb.MetadataBlocks,
			visited: map[uint64]bool{}, found: map[spec.ID]Details{},
		}
		found = w.found
		return w.node(sb.detailsRoot, 0)
	})
	return found, err
}

// ReadDevice is ReadDevices for one thin device. It reads one block of each
// level of the tree, however many devices there are. ok says whether there is
// the device.
func ReadDevice(r io.ReaderAt, at int64, id spec.ID) (d Details, ok bool, err error) {
	err = committed(r, at, func(sb Superblock) error {
		v, err := lookup(r, at, sb, sb.detailsRoot, detailsSize, uint64(id))
		if d, ok = (Details{}), v != nil; ok {
			d = parseDetails(v)
		}
		return err
	})
	return d, ok && err == nil, err
}

// lookup finds a key in the tree below a block, and returns its value, or nil.
// leafSize is the size of the tree's values (bytes).
func lookup(
	r io.ReaderAt, at int64, sb Superblock, block uint64, leafSize uint32, key uint64,
) ([]byte, error) {
	for range maxDepth + 1 {
		if block == 0 || block >= min(sb.MetadataBlocks, uint64(MaxMetadata/MetadataBlock)) {
			return nil, placeError(block)
		}
		buf, err := readBlock(r, at, block)
		if err != nil {
			return nil, err
		}
		n, err := parseNode(buf, block, leafSize)
		if err != nil {
			return nil, fmt.Errorf("metadata block %d: %w", block, err)
		}
		// The last entry whose key is not greater: the keys of an inner node
		// are the lowest keys below it (dm-btree-internal.h, lower_bound).
		i := sort.Search(n.entries, func(i int) bool { return n.key(i) > key }) - 1
		switch {
		case i < 0 || n.leaf && n.key(i) != key:
			return nil, nil
		case n.leaf:
			return n.value(i), nil
		}
		block = binary.LittleEndian.Uint64(n.value(i))
	}
	return nil, placeError(block)
}

// committed calls read with the superblock until that is the same before and
// after: then read has seen one committed state. An error of read counts only
// in that case. In a commit the kernel writes the superblock last, after a
// flush of everything that it leads to (persistent-data/dm-block-manager.c,
// dm_bm_flush; dm-transaction-manager.c, dm_tm_commit).
func committed(r io.ReaderAt, at int64, read func(Superblock) error) error {
	var readErr error
	for range readAttempts {
		before, err := readBlock(r, at, 0)
		if err != nil {
			return err
		}
		sb, err := parseSuperblock(before)
		if err != nil {
			return err
		}
		readErr = read(sb)
		after, err := readBlock(r, at, 0)
		if err != nil {
			return err
		}
		if bytes.Equal(before, after) {
			return readErr
		}
	}
	return errors.Join(ErrMoving, readErr)
}

// readBlock reads one block of metadata (4096 bytes). The buffer need not be
// aligned: a reader past the page cache has one of its own.
func readBlock(r io.ReaderAt, at int64, block uint64) ([]byte, error) {
	buf := make([]byte, MetadataBlock)
	if _, err := r.ReadAt(buf, at+int64(block)*MetadataBlock); err != nil {
		return nil, fmt.Errorf("metadata block %d: %w", block, err)
	}
	return buf, nil
}

// detailsWalk is one walk over the details tree. It visits no block twice.
// Metadata may be hostile: a tree that leads back to itself would take 252^16
// visits, and the number of blocks in the superblock is no bound, because it
// may be any number.
type detailsWalk struct {
	r       io.ReaderAt
	at      int64
	blocks  uint64
	visited map[uint64]bool
	found   map[spec.ID]Details
}

// node visits a node of the details tree and what is below it. The block 0 is
// the superblock, so that no node can lie there.
func (w *detailsWalk) node(block uint64, depth int) error {
	most := min(w.blocks, uint64(MaxMetadata/MetadataBlock))
	if block == 0 || block >= most || depth > maxDepth || w.visited[block] {
		return placeError(block)
	}
	w.visited[block] = true
	buf, err := readBlock(w.r, w.at, block)
	if err != nil {
		return err
	}
	n, err := parseNode(buf, block, detailsSize)
	if err != nil {
		return fmt.Errorf("metadata block %d: %w", block, err)
	}
	for i := range n.entries {
		if n.leaf {
			id, err := spec.NewID(n.key(i))
			if err != nil {
				return fmt.Errorf("metadata block %d: %w", block, err)
			}
			w.found[id] = parseDetails(n.value(i))
		} else if err := w.node(binary.LittleEndian.Uint64(n.value(i)), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// node is a btree node (drivers/md/persistent-data/dm-btree-internal.h, struct
// btree_node), checked. All numbers are little-endian, on all machines:
//
//	 0  checksum, u32       16  entries in use, u32
//	 4  flags, u32          20  entries that fit, u32
//	 8  its own block, u64  24  bytes of a value, u32
//	32  the keys, u64 each; behind the room for all keys: the values
type node struct {
	buf       []byte
	leaf      bool
	entries   int
	max, size int
}

// parseNode reads and checks the node in buf, which was read from that block.
// leafSize is the size of a leaf's values (bytes).
func parseNode(buf []byte, block uint64, leafSize uint32) (node, error) {
	// The kernel checks the same in its own order
	// (persistent-data/dm-btree-spine.c, node_check): what it would refuse is
	// refused here.
	le := binary.LittleEndian
	if got, want := le.Uint32(buf), checksum(buf, nodeSalt); got != want {
		return node{}, fmt.Errorf("checksum is %#x, should be %#x", got, want)
	}
	if at := le.Uint64(buf[8:]); at != block {
		return node{}, fmt.Errorf("says that it is block %d", at)
	}
	flags := le.Uint32(buf[4:]) // 1 is INTERNAL_NODE, 2 is LEAF_NODE
	entries, limit, size := le.Uint32(buf[16:]), le.Uint32(buf[20:]), le.Uint32(buf[24:])
	n := node{buf: buf, leaf: flags == 2, entries: int(entries), max: int(limit), size: int(size)}
	wanted := uint32(8) // an inner node has the numbers of blocks
	if n.leaf {
		wanted = leafSize
	}
	room := uint64(len(buf) - nodeHeader)
	if flags != 1 && flags != 2 || size != wanted || entries > limit ||
		uint64(limit)*uint64(8+size) > room {
		return node{}, fmt.Errorf("node of %d of %d entries of %d bytes, flags %#x",
			entries, limit, size, flags)
	}
	return n, nil
}

func (n node) key(i int) uint64 { return binary.LittleEndian.Uint64(n.buf[nodeHeader+8*i:]) }

func (n node) value(i int) []byte {
	at := nodeHeader + 8*n.max + n.size*i
	return n.buf[at : at+n.size]
}

func parseDetails(v []byte) Details {
	le := binary.LittleEndian
	return Details{
		Mapped:        le.Uint64(v),
		TransactionID: le.Uint64(v[8:]),
		Created:       le.Uint32(v[16:]),
		Snapshotted:   le.Uint32(v[20:]),
	}
}
