//go:build !arm

package dm

// ipc64: semctl(2) knows no other structures than its present ones.
const ipc64 = 0
