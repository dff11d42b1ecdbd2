package usage

import "fmt"

// Error says what is wrong with a command line. Hint says what to type instead;
// it may be empty.
type Error struct{ Message, Hint string }

func (e *Error) Error() string { return e.Message }

// Errorf returns an Error without a hint.
func Errorf(format string, args ...any) error {
	return &Error{Message: fmt.Sprintf(format, args...)}
}
