// Package thintest holds what the tests of several packages share: a kernel that
// plays the part of device-mapper for one pool, and a catalog in a folder of its
// own. No program imports it.
package thintest
