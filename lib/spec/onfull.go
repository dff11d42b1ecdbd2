package spec

// OnFull says what a write does that needs a new block of a full pool.
type OnFull string

const (
	OnFullError OnFull = "error" // it fails at once
	OnFullQueue OnFull = "queue" // it waits for room
)

// Valid tells whether o is one of the two.
func (o OnFull) Valid() bool { return o == OnFullError || o == OnFullQueue }
