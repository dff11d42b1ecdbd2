package thinpool

import (
	"fmt"
	"strconv"
	"strings"

	"thinmount/lib/dm"
	"thinmount/lib/spec"
)

// Limits of a pool's block, in sectors (drivers/md/dm-thin.c,
// DATA_DEV_BLOCK_SIZE_*).
const (
	minBlock      dm.Sectors = 128     // 64 KiB
	maxBlock      dm.Sectors = 2097152 // 1 GiB
	blockMultiple dm.Sectors = 128
)

// CheckBlockSize refuses a block size that the kernel would refuse: it takes
// multiples of 64 KiB, up to 1 GiB.
func CheckBlockSize(b dm.Sectors) error {
	if b < minBlock || b > maxBlock || b%blockMultiple != 0 {
		return fmt.Errorf("block size %v: a multiple of 64K up to 1G is allowed",
			dm.Size(b.Bytes()))
	}
	return nil
}

// Table is the table of a pool. What a reload may not change, the kernel
// refuses with EINVAL (drivers/md/dm-thin.c, pool_ctr and what it calls).
type Table struct {
	// Metadata and Data may not change, not even to a device with the same
	// content: a pool grows onto other disks by a linear device below.
	Metadata, Data dm.DevNo
	// Size may only grow. The kernel takes a table that is too small, and
	// refuses it at the resume (maybe_resize_data_dev): then the pool stays
	// suspended, and all its devices with it, until the right table is loaded
	// and resumed.
	Size dm.Sectors
	// BlockSize is in the metadata since it was formatted. A pool of another
	// one is refused when it is made (dm-thin-metadata.c, __open_metadata).
	BlockSize dm.Sectors
	// LowWater is in free blocks: the kernel raises an event when fewer are
	// left, once until the next resume.
	LowWater uint64
	OnFull   spec.OnFull // "" is OnFullQueue, as the kernel has it
	// SkipZeroing saves a write for each new block. A volume then shows what
	// deleted volumes have left there.
	SkipZeroing       bool
	IgnoreDiscard     bool // may not change
	NoDiscardPassdown bool
	ReadOnly          bool // of metadata that is not formatted: EPERM
}

// errorIfNoSpace is the word for OnFullError in tables and in the status.
const errorIfNoSpace = "error_if_no_space"

// features are the words of a table, in the order in which the kernel prints
// them (dm-thin.c, emit_flags). After them it prints errorIfNoSpace.
func (t *Table) features() []struct {
	word string
	set  *bool
} {
	return []struct {
		word string
		set  *bool
	}{
		{"skip_block_zeroing", &t.SkipZeroing},
		{"ignore_discard", &t.IgnoreDiscard},
		{"no_discard_passdown", &t.NoDiscardPassdown},
		{"read_only", &t.ReadOnly},
	}
}

// Target is the line of the table. The number of features is always printed, as
// the kernel does.
func (t Table) Target() dm.Target {
	var words []string
	for _, f := range t.features() {
		if *f.set {
			words = append(words, f.word)
		}
	}
	if t.OnFull == spec.OnFullError {
		words = append(words, errorIfNoSpace)
	}
	params := fmt.Sprintf("%s %s %d %d %d", t.Metadata, t.Data, t.BlockSize, t.LowWater, len(words))
	params = strings.Join(append([]string{params}, words...), " ")
	return dm.Target{Length: t.Size, Type: "thin-pool", Params: params}
}

// ParseTable is the inverse of Table.Target. The order of the features does not
// count. An unknown one is an error, since a table made of the rest would turn
// it off.
func ParseTable(target dm.Target) (Table, error) {
	f := strings.Fields(target.Params)
	bad := func(why string) (Table, error) {
		return Table{}, fmt.Errorf("thin-pool table %q: %s", target.Params, why)
	}
	if target.Type != "thin-pool" || len(f) < 4 {
		return bad("want METADATA DATA BLOCK LOWWATER [N FEATURE...]")
	}
	t := Table{Size: target.Length, OnFull: spec.OnFullQueue}
	var err error
	if t.Metadata, err = dm.ParseDevNo(f[0]); err != nil {
		return bad(err.Error())
	}
	if t.Data, err = dm.ParseDevNo(f[1]); err != nil {
		return bad(err.Error())
	}
	block, err := strconv.ParseUint(f[2], 10, 32)
	if err != nil {
		return bad(err.Error())
	}
	t.BlockSize = dm.Sectors(block)
	if t.LowWater, err = strconv.ParseUint(f[3], 10, 64); err != nil {
		return bad(err.Error())
	}
	if len(f) == 4 {
		return t, nil
	}
	if n, err := strconv.Atoi(f[4]); err != nil || n != len(f)-5 {
		return bad("number of features is wrong")
	}
	for _, word := range f[5:] {
		if !t.setFeature(word) {
			return bad("unknown feature " + word)
		}
	}
	return t, nil
}

// setFeature sets the field of a feature, and reports whether it is known.
func (t *Table) setFeature(word string) bool {
	if word == errorIfNoSpace {
		t.OnFull = spec.OnFullError
		return true
	}
	for _, f := range t.features() {
		if f.word == word {
			*f.set = true
			return true
		}
	}
	return false
}

// Thin is the table of a thin device. A load is refused with EINVAL while the
// pool is suspended or has failed, and with ENODATA for an id that the pool
// does not have (drivers/md/dm-thin.c, thin_ctr). It takes milliseconds,
// because it waits for an RCU grace period; several at once share one.
type Thin struct {
	Pool dm.DevNo
	// ID may be active under two names at once, as far as the kernel cares, and
	// two caches then write to one volume. The uuid of the device keeps that
	// from happening: no two devices have the same.
	ID spec.ID
	// Size is not in the metadata. What lies behind it stays mapped.
	Size     dm.Sectors
	External *dm.DevNo // external origin: what unmapped blocks show; nil is zeroes
}

// Target is the line of the table.
func (t Thin) Target() dm.Target {
	params := fmt.Sprintf("%s %d", t.Pool, t.ID)
	if t.External != nil {
		params += " " + t.External.String()
	}
	return dm.Target{Length: t.Size, Type: "thin", Params: params}
}

// ParseThin is the inverse of Thin.Target. A table of the kernel names the pool
// by its number.
func ParseThin(target dm.Target) (Thin, error) {
	f := strings.Fields(target.Params)
	bad := func(why string) (Thin, error) {
		return Thin{}, fmt.Errorf("thin table %q: %s", target.Params, why)
	}
	if target.Type != "thin" || len(f) < 2 || len(f) > 3 {
		return bad("want POOL ID [EXTERNAL]")
	}
	pool, err := dm.ParseDevNo(f[0])
	if err != nil {
		return bad(err.Error())
	}
	id, err := strconv.ParseUint(f[1], 10, 24)
	if err != nil {
		return bad(err.Error())
	}
	t := Thin{Pool: pool, ID: spec.ID(id), Size: target.Length}
	if len(f) == 3 {
		external, err := dm.ParseDevNo(f[2])
		if err != nil {
			return bad(err.Error())
		}
		t.External = &external
	}
	return t, nil
}
