// Package loop makes loop devices over files (loop(4); the kernel's
// drivers/block/loop.c), finds out what they lie over, and has the ioctls of
// block devices for size and discard. It needs root. Its functions keep no
// state and may be called concurrently.
package loop
