// Package loop makes loop devices over files (loop(4); the kernel's
// drivers/block/loop.c), and holds the few ioctls of block devices that
// thinmount needs.
package loop
