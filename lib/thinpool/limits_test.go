package thinpool

import (
	"errors"
	"math"
	"testing"
)

// TestSizeLimits wants one limit for making a pool and for growing it.
func TestSizeLimits(t *testing.T) {
	for size, ok := range map[int64]bool{
		0: false, MinMetadata - 1: false, MinMetadata: true, MaxMetadata: true,
		MaxMetadata + 1: false, 20 << 30: false, math.MaxInt64: false,
	} {
		if err := CheckMetadataSize(size); (err == nil) != ok ||
			err != nil && !errors.Is(err, ErrSize) {
			t.Errorf("metadata of %d: %v", size, err)
		}
	}
	for size, ok := range map[int64]bool{
		1: true, MaxSize: true, MaxSize + 1: false, math.MaxInt64: false,
	} {
		if err := CheckSize(size); (err == nil) != ok || err != nil && !errors.Is(err, ErrSize) {
			t.Errorf("%d: %v", size, err)
		}
	}
}

// TestMetadataHoldsItsBitmaps refuses what the kernel could not format: 10 TiB
// in blocks of 64 KiB are 10,281 blocks of bitmaps.
func TestMetadataHoldsItsBitmaps(t *testing.T) {
	for _, row := range []struct {
		data, metadata int64
		ok             bool
	}{
		{1 << 30, MinMetadata, true},
		{10 << 40, MinMetadata, false},
		{10 << 40, 10281 * MetadataBlock, true},
		{10 << 40, 10280 * MetadataBlock, false},
		{MaxSize, MaxMetadata, false},
	} {
		if err := CheckFit(row.data, row.metadata, 128); (err == nil) != row.ok ||
			err != nil && !errors.Is(err, ErrSize) {
			t.Errorf("%d in %d: %v", row.data, row.metadata, err)
		}
	}
	for _, data := range []int64{1 << 30, 100 << 30, 1 << 50} {
		if err := CheckFit(data, MetadataSize(data, 128), 128); err != nil {
			t.Errorf("the size that we choose for %d: %v", data, err)
		}
	}
}
