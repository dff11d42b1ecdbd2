package columns

import "thinmount/cmd/thin-snap/internal/table"

// A value that is missing is nil. It prints as "-" in a column, and is null in
// JSON.

// nonZero returns nil for 0, by which lib/thin says "none".
func nonZero(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

func orNone(n int) any {
	if n == 0 {
		return nil
	}
	return int64(n)
}

func known(n *int64) any {
	if n == nil {
		return nil
	}
	return table.Bytes(*n)
}

func orNil(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}

func nonEmpty(s string) any { return orNil(table.OrNull(s)) }
