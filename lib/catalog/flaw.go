package catalog

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"thinmount/lib/spec"
)

// minBlock and maxBlock are the bounds of a pool's block size, in sectors
// (kernel: drivers/md/dm-thin.c, DATA_DEV_BLOCK_SIZE_MIN_SECTORS and
// _MAX_SECTORS).
const (
	minBlock = 128
	maxBlock = 1 << 21
)

// maxTransaction is the largest transaction id. It is so small that adding 1
// overflows no integer of 64 bits.
const maxTransaction = 1<<62 - 1

// flaw says what is wrong with the content of pool.json, or "".
func (p Pool) flaw() string {
	switch {
	case p.Format != poolFormat && p.Format != 1:
		return fmt.Sprintf("format: %d; this program knows %d", p.Format, poolFormat)
	case !isUUID(p.UUID):
		return fmt.Sprintf("uuid: %q is not 32 hexadecimal digits", p.UUID)
	case p.BlockSize < minBlock || p.BlockSize > maxBlock || p.BlockSize%minBlock != 0:
		return fmt.Sprintf("block_size: %d is not a multiple of %d sectors up to %d",
			p.BlockSize, minBlock, maxBlock)
	case !p.OnFull.Valid():
		return fmt.Sprintf("on_full: %q is neither error nor queue", p.OnFull)
	case p.FreeMargin() < 0 || p.FreeMargin() > MaxMargin:
		return fmt.Sprintf("margin: %d is not between 0 and %d", p.FreeMargin(), MaxMargin)
	case p.FreezeSeconds < 0 || p.FreezeSeconds > int(MaxFreezeLimit/time.Second):
		return fmt.Sprintf("freeze_limit: %d s is not between 1 and %d",
			p.FreezeSeconds, MaxFreezeLimit/time.Second)
	case p.TransactionID > maxTransaction:
		return fmt.Sprintf("transaction_id: %d is more than %d",
			p.TransactionID, uint64(maxTransaction))
	case p.Head != nil && *p.Head > spec.MaxID:
		return fmt.Sprintf("head: %d is more than 24 bits", *p.Head)
	case p.NextID > spec.MaxID+1:
		return fmt.Sprintf("next_id: %d is more than 24 bits", p.NextID)
	}
	for what, b := range map[string]Backing{"data": p.Data, "metadata": p.Metadata} {
		if reason := b.flaw(); reason != "" {
			return what + ": " + reason
		}
	}
	return p.operationsFlaw()
}

func (b Backing) flaw() string {
	switch {
	case b.Kind != KindFile && b.Kind != KindDevice:
		return fmt.Sprintf("kind: %q is neither file nor device", b.Kind)
	case !filepath.IsAbs(b.Path) || strings.ContainsRune(b.Path, 0):
		return fmt.Sprintf("path: %q is not absolute", b.Path)
	case !utf8.ValidString(b.Path):
		return fmt.Sprintf("path: %q is not UTF-8, and JSON cannot hold it", b.Path)
	case b.Size < 0:
		return fmt.Sprintf("size: %d is negative", b.Size)
	}
	return ""
}

// operationsFlaw says what is wrong with the intents, or "". A pool has at most
// one intent per volume, and at most one that the kernel may have seen.
// Otherwise recovery could not decide what to do.
func (p Pool) operationsFlaw() string {
	seen := map[string]bool{}
	told := false
	for i, op := range p.Intents {
		reason := op.flaw()
		switch {
		case reason != "":
		case seen[op.Volume]:
			reason = fmt.Sprintf("volume: %q is in another operation", op.Volume)
		case op.TransactionID != 0 && op.TransactionID != p.TransactionID+1:
			reason = fmt.Sprintf("transaction_id: %d is neither 0 nor %d",
				op.TransactionID, p.TransactionID+1)
		case op.TransactionID != 0 && told:
			reason = fmt.Sprintf("transaction_id: %d is that of another operation",
				op.TransactionID)
		}
		if reason != "" {
			return fmt.Sprintf("operations[%d]: %s", i, reason)
		}
		seen[op.Volume] = true
		told = told || op.TransactionID != 0
	}
	return ""
}

func (op Intent) flaw() string {
	ofVolume := slices.Contains([]string{OpCreate, OpFormat, OpRun, OpDelete}, op.Op)
	ofPool := slices.Contains([]string{OpCreatePool, OpDeletePool}, op.Op)
	switch {
	case !ofVolume && !ofPool:
		return fmt.Sprintf("op: %q is unknown", op.Op)
	case ofPool && (op.Volume != "" || op.ID != 0 || op.TransactionID != 0):
		return op.Op + ": has a volume"
	case op.ID > spec.MaxID:
		return fmt.Sprintf("id: %d is more than 24 bits", op.ID)
	case op.Then != "" && (op.Op != OpCreate || op.Then != OpRun || op.Record == nil):
		return fmt.Sprintf("then: %q does not follow a %s", op.Then, op.Op)
	case op.Record != nil && (op.Record.Name != op.Volume || op.Record.ID != op.ID):
		return fmt.Sprintf("record: belongs to %q, id %d", op.Record.Name, op.Record.ID)
	case ofVolume:
		if err := spec.CheckVolumeName(op.Volume); err != nil {
			return err.Error()
		}
	}
	return ""
}

// flaw says what is wrong with a record of a volume of pool p, or "".
func (v Volume) flaw(p Pool) string {
	switch {
	case v.Format != recordFormat:
		return fmt.Sprintf("format: %d; this program knows %d", v.Format, recordFormat)
	case v.Pool != p.Name:
		return fmt.Sprintf("pool: is %q, not %q", v.Pool, p.Name)
	case v.PoolUUID != p.UUID:
		return fmt.Sprintf("pool_uuid: belongs to pool %q, not to %q", v.PoolUUID, p.UUID)
	case v.ID > spec.MaxID:
		return fmt.Sprintf("id: %d is more than 24 bits", v.ID)
	case v.OriginID > spec.MaxID:
		return fmt.Sprintf("origin_id: %d is more than 24 bits", v.OriginID)
	case v.Size <= 0 || v.Size%512 != 0:
		return fmt.Sprintf("size: %d is not a positive multiple of 512", v.Size)
	case v.TransactionID > maxTransaction:
		return fmt.Sprintf("transaction_id: %d is more than %d",
			v.TransactionID, uint64(maxTransaction))
	}
	if v.Origin != "" {
		if err := spec.CheckVolumeName(v.Origin); err != nil {
			return "origin: " + err.Error()
		}
	}
	if err := v.Properties.Check(); err != nil {
		return "properties: " + err.Error()
	}
	return ""
}

func isUUID(s string) bool {
	return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == ""
}
