package thin

import (
	"errors"

	"thinmount/lib/mkfs"
)

// checkFS refuses a filesystem that cannot be made, before anything is changed
// for it: a mistake of the command line, unless only its program is missing.
func checkFS(object, fs, label string) error {
	err := mkfs.Check(fs, label)
	missing, isMissing := errors.AsType[*mkfs.MissingError](err)
	switch {
	case err == nil:
		return nil
	case isMissing:
		return &Error{Object: object, Err: err, Hint: "apt-get install " + missing.Package + ", or the package that has it on other systems"}
	}
	return &Error{Object: object, Err: wrap(ErrUsage, err)}
}
