package mkfs

import "context"

// Trim lets the filesystem that is mounted on dir, in the mount namespace of
// this thread, discard what it does not use.
func Trim(ctx context.Context, dir string) error {
	path, ok := installed("fstrim")
	if !ok {
		return &MissingError{"fstrim", "util-linux"}
	}
	return run(ctx, path, []string{dir}, nil)
}
