package columns

import (
	"fmt"
	"time"

	"thinmount/cmd/thin-snap/internal/table"
	"thinmount/lib/helper"
	"thinmount/lib/thin"
)

const poolDefaults = "name,state,data_size,data_used,metadata_size,metadata_used,volumes"

func poolColumns() []table.Column[thin.PoolInfo] {
	type p = thin.PoolInfo
	return []table.Column[p]{
		table.Left("name", "NAME", "the pool",
			func(i p) any { return i.Name }),
		table.Left("uuid", "UUID", "its identity, also in its devices' labels",
			func(i p) any { return nonEmpty(i.UUID) }),
		table.Left("state", "STATE", "inactive, rw, ro, out_of_data_space, fail or suspended",
			func(i p) any { return i.State }),
		table.Right("data_size", "SIZE", "room for data",
			func(i p) any { return table.Bytes(i.DataSize) }),
		table.Right("data_used", "USED", "data in use, while active",
			func(i p) any { return known(used(i.DataUsed)) }),
		table.Right("metadata_size", "META", "room for metadata",
			func(i p) any { return table.Bytes(i.MetadataSize) }),
		table.Right("metadata_used", "META USED", "metadata in use, while active",
			func(i p) any { return known(used(i.MetadataUsed)) }),
		table.Right("block_size", "BLOCK", "size of a block, which is allocated and shared as one",
			func(i p) any { return table.Bytes(i.BlockSize) }),
		table.Right("volumes", "VOLUMES", "number of volumes",
			func(i p) any { return int64(i.Volumes) }),
		table.Right("provisioned", "PROVISIONED", "sum of the sizes of its volumes",
			func(i p) any { return table.Bytes(i.Provisioned) }),
		table.Right("below_free", "FREE BELOW",
			"what the filesystem below the pool's files has left",
			func(i p) any { return known(used(i.BelowFree)) }),
		table.Left("data", "DATA", "file or device with the data",
			func(i p) any { return nonEmpty(i.Data) }),
		table.Left("metadata", "METADATA", "file or device with the metadata",
			func(i p) any { return nonEmpty(i.Metadata) }),
		table.Left("on_full", "ON FULL", "what a write does when the pool is full: queue or error",
			func(i p) any { return nonEmpty(string(i.OnFull)) }),
		table.Left("needs_check", "NEEDS CHECK", "whether its metadata needs a check",
			func(i p) any { return i.NeedsCheck }),
		table.Right("margin", "MARGIN", "what new volumes leave free of data and of metadata",
			func(i p) any { return fmt.Sprintf("%d%%", i.Margin) }),
		table.Right("freeze_limit", "FREEZE LIMIT",
			"how long a snapshot may keep its origin waiting",
			func(i p) any { return fmt.Sprintf("%ds", i.FreezeLimit/time.Second) }),
		table.Left("trouble", "TROUBLE", "what is wrong with it",
			func(i p) any { return nonEmpty(i.Trouble) }),
		table.Left("hint", "HINT", "the way out of that",
			func(i p) any { return nonEmpty(helper.Words(i.Remedy)) }),
		table.Right("transaction_id", "TRANSACTION", "number of changes to the pool",
			func(i p) any { return int64(i.TransactionID) }),
		table.Left("created", "CREATED", "time of its creation",
			func(i p) any { return i.Created }),
	}
}

// poolJSON has the JSON fields of a pool. What is not known is null.
type poolJSON struct {
	Name          string      `json:"name"`
	UUID          string      `json:"uuid"`
	State         string      `json:"state"`
	DataSize      int64       `json:"data_size"`
	DataUsed      *int64      `json:"data_used"`
	MetadataSize  int64       `json:"metadata_size"`
	MetadataUsed  *int64      `json:"metadata_used"`
	BlockSize     int64       `json:"block_size"`
	Volumes       int         `json:"volumes"`
	Data          *string     `json:"data"`
	Metadata      *string     `json:"metadata"`
	OnFull        thin.OnFull `json:"on_full"`
	NeedsCheck    bool        `json:"needs_check"`
	Margin        int         `json:"margin"`
	FreezeLimit   int64       `json:"freeze_limit"` // seconds
	Trouble       *string     `json:"trouble"`
	Hint          *string     `json:"hint"`
	TransactionID uint64      `json:"transaction_id"`
	Created       time.Time   `json:"created"`
	Provisioned   int64       `json:"provisioned"`
	BelowFree     *int64      `json:"below_free"`
}

// Pools returns the listing of pools for a command, which is named in JSON.
func Pools(command string) *table.Listing[thin.PoolInfo] {
	return &table.Listing[thin.PoolInfo]{
		Command: command, Key: "pools", Columns: poolColumns(), Defaults: poolDefaults,
		Record: func(i thin.PoolInfo) any {
			return poolJSON{i.Name, i.UUID, i.State, i.DataSize, used(i.DataUsed),
				i.MetadataSize, used(i.MetadataUsed), i.BlockSize, i.Volumes,
				table.OrNull(i.Data), table.OrNull(i.Metadata), i.OnFull, i.NeedsCheck, i.Margin,
				int64(i.FreezeLimit / time.Second), table.OrNull(i.Trouble),
				table.OrNull(helper.Words(i.Remedy)), i.TransactionID, table.Time(i.Created),
				i.Provisioned, used(i.BelowFree)}
		},
	}
}

// used returns nil for a negative number, by which lib/thin says "not known".
func used(n int64) *int64 {
	if n < 0 {
		return nil
	}
	return &n
}
