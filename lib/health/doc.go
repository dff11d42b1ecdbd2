// Package health says what the status of a pool means, and what a user can do
// about it. A pool may be full, below its margin, read-only, in need of a
// check, damaged or suspended. The package also measures the room that is left
// in the filesystem below a pool's files, and finds out whether writes were
// lost.
//
// It reads status and logs. It changes nothing, except that SyncApart writes
// out dirty data and ResumePool resumes a suspended pool.
package health
