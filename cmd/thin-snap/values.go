package main

// What stands in a column or in JSON where there is nothing to tell: nil, which
// prints as "-" and as null.

// nonZero is nil for 0, which lib/thin uses for "none".
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
	return bytes(*n)
}

func orNil(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}

func nonEmpty(s string) any { return orNil(pointer(s)) }

// pointer is nil for the empty string, which lib/thin uses for "none".
func pointer(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
