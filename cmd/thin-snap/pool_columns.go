package main

import (
	"fmt"
	"time"

	"thinmount/lib/helper"
	"thinmount/lib/thin"
)

const poolDefaults = "name,state,data_size,data_used,metadata_size,metadata_used,volumes"

func poolColumns() []column[thin.PoolInfo] {
	type p = thin.PoolInfo
	return []column[p]{
		{"name", "NAME", "the pool", false, func(i p) any { return i.Name }},
		{"uuid", "UUID", "its identity, also in its devices' labels", false, func(i p) any { return nonEmpty(i.UUID) }},
		{"state", "STATE", "inactive, rw, ro, out_of_data_space, fail or suspended", false, func(i p) any { return i.State }},
		{"data_size", "SIZE", "room for data", true, func(i p) any { return bytes(i.DataSize) }},
		{"data_used", "USED", "data in use, while active", true, func(i p) any { return known(used(i.DataUsed)) }},
		{"metadata_size", "META", "room for metadata", true, func(i p) any { return bytes(i.MetadataSize) }},
		{"metadata_used", "META USED", "metadata in use, while active", true, func(i p) any { return known(used(i.MetadataUsed)) }},
		{"block_size", "BLOCK", "size of a block, which is allocated and shared as one", true, func(i p) any { return bytes(i.BlockSize) }},
		{"volumes", "VOLUMES", "number of volumes", true, func(i p) any { return int64(i.Volumes) }},
		{"provisioned", "PROVISIONED", "sum of the sizes of its volumes", true, func(i p) any { return bytes(i.Provisioned) }},
		{"below_free", "FREE BELOW", "what the filesystem below the pool's files has left", true, func(i p) any { return known(used(i.BelowFree)) }},
		{"data", "DATA", "file or device with the data", false, func(i p) any { return nonEmpty(i.Data) }},
		{"metadata", "METADATA", "file or device with the metadata", false, func(i p) any { return nonEmpty(i.Metadata) }},
		{"on_full", "ON FULL", "what a write does when the pool is full: queue or error", false, func(i p) any { return nonEmpty(i.OnFull) }},
		{"needs_check", "NEEDS CHECK", "whether its metadata needs a check", false, func(i p) any { return i.NeedsCheck }},
		{"margin", "MARGIN", "what new volumes leave free of data and of metadata", true, func(i p) any { return fmt.Sprintf("%d%%", i.Margin) }},
		{"freeze_limit", "FREEZE LIMIT", "how long a snapshot may keep its origin waiting", true, func(i p) any { return fmt.Sprintf("%ds", i.FreezeLimit/time.Second) }},
		{"trouble", "TROUBLE", "what is wrong with it", false, func(i p) any { return nonEmpty(i.Trouble) }},
		{"hint", "HINT", "the way out of that", false, func(i p) any { return nonEmpty(helper.Words(i.Remedy)) }},
		{"transaction_id", "TRANSACTION", "number of changes to the pool", true, func(i p) any { return int64(i.TransactionID) }},
		{"created", "CREATED", "time of its creation", false, func(i p) any { return i.Created }},
	}
}

// poolJSON has the JSON fields of a pool. What is not known is null.
type poolJSON struct {
	Name          string    `json:"name"`
	UUID          string    `json:"uuid"`
	State         string    `json:"state"`
	DataSize      int64     `json:"data_size"`
	DataUsed      *int64    `json:"data_used"`
	MetadataSize  int64     `json:"metadata_size"`
	MetadataUsed  *int64    `json:"metadata_used"`
	BlockSize     int64     `json:"block_size"`
	Volumes       int       `json:"volumes"`
	Data          *string   `json:"data"`
	Metadata      *string   `json:"metadata"`
	OnFull        string    `json:"on_full"`
	NeedsCheck    bool      `json:"needs_check"`
	Margin        int       `json:"margin"`
	FreezeLimit   int64     `json:"freeze_limit"` // seconds
	Trouble       *string   `json:"trouble"`
	Hint          *string   `json:"hint"`
	TransactionID uint64    `json:"transaction_id"`
	Created       time.Time `json:"created"`
	Provisioned   int64     `json:"provisioned"`
	BelowFree     *int64    `json:"below_free"`
}

func poolListing(command string) *listing[thin.PoolInfo] {
	return &listing[thin.PoolInfo]{command: command, key: "pools", all: poolColumns(), defaults: poolDefaults,
		record: func(i thin.PoolInfo) any {
			return poolJSON{i.Name, i.UUID, i.State, i.DataSize, used(i.DataUsed),
				i.MetadataSize, used(i.MetadataUsed), i.BlockSize, i.Volumes,
				pointer(i.Data), pointer(i.Metadata), i.OnFull, i.NeedsCheck, i.Margin,
				int64(i.FreezeLimit / time.Second), pointer(i.Trouble), pointer(helper.Words(i.Remedy)),
				i.TransactionID, jsonTime(i.Created), i.Provisioned, used(i.BelowFree)}
		}}
}

// used returns nil for a negative number, by which lib/thin says "not known".
func used(n int64) *int64 {
	if n < 0 {
		return nil
	}
	return &n
}
